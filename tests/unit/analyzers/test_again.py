"""Looking only at users of whom something changed gives what looking at everybody gives."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.affected import affected_users
from analyzers.catalogue import RULES
from analyzers.fingerprint import fingerprint
from analyzers.unified import Again, analyze
from pipeline.domain.capture import COMPLETE, ReadOutcome, Resource
from pipeline.domain.entities import Entity, EntityType, Group, Identity, PerUserMfa, RelationshipType, Role
from pipeline.domain.findings import AlertType, AnalysisResult, AnalysisType, Finding, NotEvaluated
from pipeline.domain.graph import TenantGraph, build_graph
from pipeline.domain.rule_settings import Exemption, ExemptionKind, RuleSettings
from tests.unit.analyzers.build import NOW, ago, tenant, user
from tests.unit.analyzers.test_coverage_properties import GROUPS, ROLES, USERS, tenants

EVERY_TYPE = frozenset(AnalysisType)
PER_USER = frozenset(rule.alert_type for rule in RULES if rule.per_user)
Pair = tuple[str, str]

PEOPLE = st.builds(
    lambda key, enabled, kind, registered, skus, synced, per_user: replace(
        user(key, enabled=enabled, user_type=kind, sku_ids=skus),
        mfa_registered=registered,
        mfa_capable=registered,
        on_premises_synced=synced,
        per_user_mfa=per_user,
    ),
    st.sampled_from(USERS),
    st.sampled_from((True, True, True, False, None)),
    st.sampled_from(("Member", "Member", "Guest", None)),
    st.sampled_from((True, False, None)),
    st.sampled_from(((), ("e3",))),
    st.sampled_from((True, False, None)),
    st.sampled_from((None, None, PerUserMfa.ENFORCED)),
)
MEMBERS = st.sets(st.tuples(st.sampled_from(GROUPS), st.sampled_from(USERS + GROUPS)), max_size=6)
HOLDERS = st.sets(st.tuples(st.sampled_from(ROLES), st.sampled_from(USERS + GROUPS)), max_size=3)
PUPILS = st.lists(PEOPLE, max_size=4, unique_by=lambda one: one.id)


def with_people(graph: TenantGraph, people: list[Identity], members: set[Pair], holders: set[Pair]) -> TenantGraph:
    """The tenant's policies over other people, memberships and roles."""
    entities: dict[EntityType, dict[str, Entity]] = {
        EntityType.IDENTITIES: {one.id: one for one in people},
        EntityType.GROUPS: {key: Group(id=key, role_assignable=True) for key in GROUPS},
        EntityType.ROLES: {key: Role(id=key) for key in ROLES},
    }
    made = build_graph(
        entities=entities,
        pairs={RelationshipType.MEMBER_OF: members, RelationshipType.ASSIGNED_ROLE: holders},
        inputs=graph.inputs,
    )
    kept = ("policies", "named_locations", "authentication_strengths", "security_defaults")
    return replace(made, **{name: getattr(graph, name) for name in kept})


def touched_between(
    before: tuple[list[Identity], set[Pair], set[Pair]], after: tuple[list[Identity], set[Pair], set[Pair]]
) -> set[str]:
    """What the stages would hand on: changed users, and the children of memberships and roles that came or went."""
    old, new = {one.id: one for one in before[0]}, {one.id: one for one in after[0]}
    changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    return changed | {child for _, child in before[1] ^ after[1]} | {child for _, child in before[2] ^ after[2]}


def merged(before: AnalysisResult, after: AnalysisResult, gone: set[str]) -> tuple[list[Finding], list[NotEvaluated]]:
    """As the database has it afterwards: what was judged replaces what was found of it, all else stands."""

    def stands(kind: AlertType, external_id: str) -> bool:
        return kind in after.judged and external_id not in after.judged[kind] | gone and bool(external_id)

    findings = [one for one in before.findings if stands(one.alert_type, one.external_id)]
    untold = [one for one in before.not_evaluated if stands(one.alert_type, one.external_id)]
    return (
        sorted([*findings, *after.findings], key=lambda one: (one.alert_type, one.external_id, one.subject)),
        sorted([*untold, *after.not_evaluated], key=lambda one: (one.alert_type, one.external_id, one.reason)),
    )


@given(tenants(), PUPILS, MEMBERS, HOLDERS, PUPILS, MEMBERS, HOLDERS)
@settings(max_examples=500, deadline=None)
def test_judging_the_affected_again_equals_judging_everybody(
    policies: TenantGraph,
    people: list[Identity],
    members: set[Pair],
    holders: set[Pair],
    later_people: list[Identity],
    later_members: set[Pair],
    later_holders: set[Pair],
) -> None:
    before, after = (people, members, holders), (later_people, later_members, later_holders)
    graph = with_people(policies, *after)
    touched = touched_between(before, after)
    first = analyze(with_people(policies, *before), EVERY_TYPE, NOW)
    again = Again(alert_types=PER_USER & first.evaluated, users=affected_users(graph, touched))

    found, untold = merged(first, analyze(graph, EVERY_TYPE, NOW, again=again), touched - graph.identities.keys())

    whole = analyze(graph, EVERY_TYPE, NOW)
    assert found == list(whole.findings)
    assert untold == sorted(whole.not_evaluated, key=lambda one: (one.alert_type, one.external_id, one.reason))


def test_everybody_in_a_touched_group_is_affected_at_any_depth() -> None:
    graph = tenant(
        users=(user("ada"), user("bob"), user("eve")),
        groups=(Group(id="outer"), Group(id="inner")),
        members=(("outer", "inner"), ("inner", "ada"), ("outer", "bob")),
    )

    assert affected_users(graph, {"inner"}) == {"ada"}
    assert affected_users(graph, {"outer", "eve"}) == {"ada", "bob", "eve"}
    assert affected_users(graph, {"gone"}) == frozenset()


RULE = next(rule for rule in RULES if rule.alert_type is AlertType.MFA_NOT_ENFORCED)
UNREAD = ReadOutcome(complete=False, reason="throttled")


@pytest.mark.parametrize(
    ("graph", "chosen", "code"),
    [
        (tenant(), RuleSettings(), "other"),
        (tenant(), RuleSettings(thresholds={AlertType.MFA_NOT_ENFORCED: 1}), "code"),
        (tenant(), RuleSettings(exemptions=(Exemption(kind=ExemptionKind.USER, external_id="ada"),)), "code"),
        (tenant(unread={Resource.NAMED_LOCATIONS: "throttled"}), RuleSettings(), "code"),
    ],
)
def test_other_code_settings_or_inputs_ask_for_everybody_again(
    graph: TenantGraph, chosen: RuleSettings, code: str
) -> None:
    assert fingerprint(RULE, graph, chosen, code) != fingerprint(RULE, tenant(), RuleSettings(), "code")


def test_what_does_not_matter_to_a_rule_leaves_it_as_it_is() -> None:
    others = replace(tenant(), inputs={**dict.fromkeys(Resource, COMPLETE), Resource.APPLICATIONS: UNREAD})
    elsewhere = RuleSettings(thresholds={AlertType.STALE_USER: 30})

    assert fingerprint(RULE, others, elsewhere, "code") == fingerprint(RULE, tenant(), RuleSettings(), "code")


def test_a_rule_that_looks_at_the_clock_is_never_judged_on_some_users_only() -> None:
    graph = tenant(users=(user("ada", last_success=ago(200)), user("bob", last_success=ago(200))))

    result = analyze(graph, EVERY_TYPE, NOW, again=Again(alert_types=PER_USER, users=frozenset({"bob"})))

    assert {one.external_id for one in result.findings if one.alert_type is AlertType.STALE_USER} == {"ada", "bob"}
    assert {one.external_id for one in result.findings if one.alert_type is AlertType.MFA_NOT_ENFORCED} == {"bob"}
