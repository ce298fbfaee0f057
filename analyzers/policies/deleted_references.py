"""Which policies name what the tenant no longer has? Raises ``ca_refers_to_deleted``."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

from analyzers.coverage.matching import MFA_TRUSTED_IPS
from analyzers.rule import Case, Judgement, Rule, Untold
from analyzers.wording import listed
from pipeline.domain.capture import Resource
from pipeline.domain.conditional_access import ConditionalAccessPolicy, PolicyState
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.graph import TenantGraph

IN_USE = frozenset({PolicyState.ENABLED, PolicyState.REPORT_ONLY})
COMPLIANT_NETWORK = "3d46dbda-8382-466a-856d-eb00cbc6b910"
"""All compliant network locations of Global Secure Access: a location that Microsoft makes.
https://learn.microsoft.com/entra/global-secure-access/how-to-compliant-network"""
SPECIAL = frozenset({"All", "None", "GuestsOrExternalUsers", "AllTrusted", MFA_TRUSTED_IPS, COMPLIANT_NETWORK})
"""What stands among ids without being one: https://learn.microsoft.com/graph/api/resources/conditionalaccessusers"""


class Kind(NamedTuple):
    """What of one kind a tenant has. ``unread`` is why that is not known in full, ``None`` if it is."""

    noun: str
    present: Container[str]
    unread: str | None = None


def judge(case: Case) -> Judgement:
    """A finding for every enabled or report-only policy that names something deleted, however it names it.

    Roles are left alone: policies name Microsoft's, which nobody can delete.
    """
    kinds = _kinds(case.graph)
    findings: list[Finding] = []
    untold: list[Untold] = []
    policies = [case.graph.policies[key] for key in sorted(case.graph.policies)]
    looked_at = [policy for policy in policies if policy.state in IN_USE]
    for policy in looked_at:
        missing = {name: _missing(kinds[name], ids) for name, ids in _named(policy).items()}
        gone = {name: ids for name, ids in missing.items() if ids and kinds[name].unread is None}
        unread = [reason for name, ids in missing.items() if ids and (reason := kinds[name].unread)]
        if gone:
            findings.append(_finding(case, policy, kinds, gone))
        elif unread:
            untold.append(Untold(external_id=policy.id, reason=unread[0]))
    return Judgement(items=len(looked_at), findings=findings, untold=untold)


def _kinds(graph: TenantGraph) -> Mapping[str, Kind]:
    """By the name that evidence has for it."""
    return {
        "users": Kind("user", graph.identities),
        "groups": Kind("group", graph.groups),
        "named_locations": Kind("named location", graph.named_locations),
        "authentication_strengths": Kind(
            "authentication strength",
            graph.authentication_strengths,
            graph.unreadable(Resource.AUTHENTICATION_STRENGTHS),
        ),
    }


def _named(policy: ConditionalAccessPolicy) -> Mapping[str, tuple[str, ...]]:
    """What the policy names, included and excluded."""
    users, places = policy.users, policy.locations
    strength = policy.grant.authentication_strength_id if policy.grant is not None else None
    return {
        "users": (*users.include_users, *users.exclude_users),
        "groups": (*users.include_groups, *users.exclude_groups),
        "named_locations": (*places.include, *places.exclude),
        "authentication_strengths": () if strength is None else (strength,),
    }


def _missing(kind: Kind, ids: Iterable[str]) -> list[str]:
    return sorted({key for key in ids if key not in kind.present} - SPECIAL)


def _finding(
    case: Case, policy: ConditionalAccessPolicy, kinds: Mapping[str, Kind], gone: Mapping[str, list[str]]
) -> Finding:
    parts = [f"{kinds[name].noun}{'s' if len(ids) > 1 else ''} {listed(ids)}" for name, ids in gone.items()]
    return case.about(
        EntityType.POLICIES,
        policy.id,
        Severity.MEDIUM,
        f'The policy "{policy.display_name or policy.id}" names what the tenant does not have any more: '
        f"{'; '.join(parts)}.",
        reasons=tuple(f"deleted_{name}" for name in sorted(gone)),
        evidence=gone,
    )


RULE = Rule(
    alert_type=AlertType.CA_REFERS_TO_DELETED,
    title="A conditional access policy names a user, group, location or strength that does not exist any more.",
    severity="medium",
    about=frozenset({EntityType.POLICIES}),
    inputs=(Resource.POLICIES, Resource.USERS, Resource.GROUPS, Resource.NAMED_LOCATIONS),
    optional_inputs=(Resource.AUTHENTICATION_STRENGTHS,),
    remediation=(
        "Remove what is gone from the policy, and check that the policy still applies to whom and where it should."
    ),
    source="https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-users-groups",
    judge=judge,
)
