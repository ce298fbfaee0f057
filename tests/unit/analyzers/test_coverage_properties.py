"""What must hold for any tenant."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.coverage import measure, measure_one
from pipeline.domain.conditional_access import (
    AuthenticationStrength,
    ConditionalAccessPolicy,
    Grant,
    GuestScope,
    IncludeExclude,
    NamedLocation,
    PolicyApplications,
    PolicyState,
    PolicyUsers,
)
from pipeline.domain.entities import Group, PerUserMfa
from pipeline.domain.findings import Verdict
from pipeline.domain.graph import TenantGraph
from tests.unit.analyzers import brute
from tests.unit.analyzers.build import GLOBAL_ADMIN, MFA, READER, TEAMS_ADMIN, policy, tenant, user

T = TypeVar("T")
USERS = ("u0", "u1", "u2", "u3")
GROUPS = ("g0", "g1", "g2")
ROLES = (GLOBAL_ADMIN, TEAMS_ADMIN, READER)
APPS = ("Office365", "00000002-0000-0ff1-ce00-000000000000", "app-1", "app-2")
PLACES = ("office", "shop", "country")
CLIENT_TYPES = ("browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other")


def some(values: tuple[str, ...], most: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=most, unique=True).map(tuple)


def mostly(usual: T, unusual: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Policies in practice have few conditions; drawn evenly, hardly any tenant would be covered at all."""
    return st.sampled_from((True, True, True, False)).flatmap(lambda plain: st.just(usual) if plain else unusual)


GUESTS = st.sampled_from((GuestScope(kinds=("internalGuest",)), GuestScope(kinds=("b2bCollaborationGuest",))))
SCOPES = st.builds(
    PolicyUsers,
    include_users=mostly(("All",), some((*USERS, "GuestsOrExternalUsers", "None"))),
    exclude_users=mostly((), some((*USERS, "GuestsOrExternalUsers"), 1)),
    include_groups=some(GROUPS),
    exclude_groups=mostly((), some(GROUPS, 1)),
    include_roles=some(ROLES),
    exclude_roles=mostly((), some(ROLES, 1)),
    include_guests=mostly(None, GUESTS),
    exclude_guests=mostly(None, GUESTS),
)
CONTROLS = ("mfa", "compliantDevice", "domainJoinedDevice", "block")
GRANTS = st.builds(
    Grant,
    operator=st.sampled_from(("AND", "OR")),
    built_in_controls=some(CONTROLS, 3),
    terms_of_use=mostly((), st.just(("terms",))),
    authentication_strength_id=mostly(None, st.sampled_from(("strong", "weak"))),
)
POLICIES = st.builds(
    ConditionalAccessPolicy,
    id=st.just(""),
    state=st.sampled_from((PolicyState.ENABLED,) * 4 + (PolicyState.DISABLED, PolicyState.REPORT_ONLY)),
    users=SCOPES,
    applications=st.builds(
        PolicyApplications, include=mostly(("All",), some((*APPS, "None"))), exclude=mostly((), some(APPS, 1))
    ),
    client_app_types=mostly(("all",), some(CLIENT_TYPES, 3)),
    platforms=st.builds(
        IncludeExclude, include=mostly(("all",), some(("android", "iOS"))), exclude=mostly((), st.just(("android",)))
    ),
    locations=st.builds(
        IncludeExclude,
        include=mostly(("All",), some((*PLACES, "AllTrusted"))),
        exclude=mostly((), some((*PLACES, "AllTrusted"), 1)),
    ),
    sign_in_risk_levels=mostly((), st.just(("high",))),
    workload_identities_only=st.sampled_from((False,) * 7 + (True,)),
    grant=st.one_of(st.just(MFA), GRANTS, GRANTS, st.none()),
)


@st.composite
def tenants(draw: st.DrawFn) -> TenantGraph:
    drawn = draw(st.lists(POLICIES, max_size=5))
    people = [
        replace(
            user(key, enabled=draw(st.sampled_from((True, True, True, False)))),
            user_type=draw(st.sampled_from(("Member", "Member", "Guest"))),
            per_user_mfa=draw(st.sampled_from((None, None, None, PerUserMfa.ENFORCED))),
        )
        for key in USERS
    ]
    return tenant(
        *(replace(one, id=f"p{number}", display_name=f"P{number}") for number, one in enumerate(drawn)),
        users=people,
        groups=[Group(id=key, role_assignable=True) for key in GROUPS],
        members=draw(st.lists(st.tuples(st.sampled_from(GROUPS), st.sampled_from(USERS + GROUPS)), max_size=6)),
        roles=draw(st.lists(st.tuples(st.sampled_from(ROLES), st.sampled_from(USERS + GROUPS)), max_size=3)),
        locations=[NamedLocation(id="office", trusted=True), NamedLocation(id="shop"), NamedLocation(id="country")],
        strengths=(
            AuthenticationStrength(id="strong", requirements_satisfied="mfa"),
            AuthenticationStrength(id="weak"),
        ),
        security_defaults=draw(st.sampled_from((False, False, False, True))),
    )


def with_policies(graph: TenantGraph, *policies: ConditionalAccessPolicy) -> TenantGraph:
    return replace(graph, policies={one.id: one for one in policies})


def verdicts(graph: TenantGraph) -> dict[str, Verdict]:
    return {key: covered.verdict for key, covered in measure(graph).items()}


RANK = {Verdict.NONE: 0, Verdict.PARTIAL: 1, Verdict.FULL: 2, Verdict.NOT_APPLICABLE: 3}
"""How little is open: a user whom policies block everywhere has nothing open at all."""


def never_higher(after: dict[str, Verdict], before: dict[str, Verdict]) -> bool:
    return all(RANK[after[key]] <= RANK[before[key]] for key in before)


@given(tenants())
@settings(max_examples=2500, deadline=None)
def test_a_plain_evaluator_over_all_situations_agrees(graph: TenantGraph) -> None:
    assert verdicts(graph) == {key: brute.verdict(one, graph) for key, one in graph.identities.items()}


@given(tenants())
@settings(max_examples=200, deadline=None)
def test_sharing_between_users_changes_nothing(graph: TenantGraph) -> None:
    shared = measure(graph)

    assert shared == {key: measure_one(one, graph) for key, one in graph.identities.items()}


EXCLUSIONS = st.one_of(
    st.sampled_from(USERS).map(lambda one: {"exclude_users": (one,)}),
    st.sampled_from(GROUPS).map(lambda one: {"exclude_groups": (one,)}),
    st.sampled_from(ROLES).map(lambda one: {"exclude_roles": (one,)}),
)


@given(tenants(), EXCLUSIONS, st.integers(min_value=0, max_value=4))
@settings(max_examples=200, deadline=None)
def test_leaving_someone_out_of_a_policy_that_does_not_block_never_raises_coverage(
    graph: TenantGraph, exclusion: dict[str, tuple[str, ...]], chosen: int
) -> None:
    policies = list(graph.policies.values())
    if chosen >= len(policies) or "block" in (policies[chosen].grant or Grant()).built_in_controls:
        return
    users = policies[chosen].users
    added = {name: (*getattr(users, name), *ids) for name, ids in exclusion.items()}
    policies[chosen] = replace(policies[chosen], users=replace(users, **added))  # type: ignore[arg-type] # by name

    assert never_higher(verdicts(with_policies(graph, *policies)), verdicts(graph))


@given(tenants(), st.sampled_from(APPS), st.integers(min_value=0, max_value=4))
@settings(max_examples=200, deadline=None)
def test_leaving_an_app_out_of_a_policy_that_does_not_block_never_raises_coverage(
    graph: TenantGraph, app: str, chosen: int
) -> None:
    policies = list(graph.policies.values())
    if chosen >= len(policies) or "block" in (policies[chosen].grant or Grant()).built_in_controls:
        return
    apps = policies[chosen].applications
    policies[chosen] = replace(policies[chosen], applications=replace(apps, exclude=(*apps.exclude, app)))

    assert never_higher(verdicts(with_policies(graph, *policies)), verdicts(graph))


@given(tenants())
@settings(max_examples=200, deadline=None)
def test_an_unconditional_mfa_policy_for_all_never_lowers_coverage(graph: TenantGraph) -> None:
    after = verdicts(with_policies(graph, *graph.policies.values(), policy("everyone")))

    assert never_higher(verdicts(graph), after)
    assert set(after.values()) <= {Verdict.FULL, Verdict.NOT_APPLICABLE}


@given(tenants(), POLICIES)
@settings(max_examples=200, deadline=None)
def test_a_report_only_policy_changes_no_verdict(graph: TenantGraph, added: ConditionalAccessPolicy) -> None:
    trial = replace(added, id="trial", state=PolicyState.REPORT_ONLY)

    assert verdicts(with_policies(graph, *graph.policies.values(), trial)) == verdicts(graph)


@given(tenants(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_the_order_of_policies_and_users_changes_nothing(graph: TenantGraph, shuffler: Random) -> None:
    policies, people = list(graph.policies.items()), list(graph.identities.items())
    shuffler.shuffle(policies)
    shuffler.shuffle(people)

    assert measure(replace(graph, policies=dict(policies), identities=dict(people))) == measure(graph)


@given(tenants())
@settings(max_examples=200, deadline=None)
def test_every_verdict_below_full_has_a_reason_and_a_sentence(graph: TenantGraph) -> None:
    for covered in measure(graph).values():
        assert covered.because
        assert covered.reasons or covered.verdict is Verdict.FULL
