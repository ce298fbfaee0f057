"""The specification's procedure written a second time, plainly: every situation, every policy, no sharing.

Knows nothing of the engine. For tenants in which everything was read.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from pipeline.domain.conditional_access import ConditionalAccessPolicy, Grant
from pipeline.domain.entities import Identity, PerUserMfa
from pipeline.domain.findings import Verdict
from pipeline.domain.graph import TenantGraph

ADMIN_ROLES = {"62e90394-69f5-4237-9190-012177145e10", "69091246-20e8-4a56-aa4d-066075b2a7a8"}
"""Those of the roles in the tests that security defaults treat as administrators."""
SUITE = {"00000002-0000-0ff1-ce00-000000000000", "00000003-0000-0ff1-ce00-000000000000"}
Situation = tuple[str, str, str, str]


def verdict(user: Identity, graph: TenantGraph) -> Verdict:
    if not user.enabled:
        return Verdict.NOT_APPLICABLE
    results = {outcome(user, situation, graph) for situation in situations(graph)}
    if results == {"BLOCK"}:
        return Verdict.NOT_APPLICABLE
    if "OPEN" not in results and "OFFERED" not in results:
        return Verdict.FULL
    if user.per_user_mfa is PerUserMfa.ENFORCED:
        return Verdict.FULL
    if graph.security_defaults is not None and graph.security_defaults.enabled:
        return Verdict.FULL if graph.roles_of.get(user.id, frozenset()) & ADMIN_ROLES else Verdict.PARTIAL
    return Verdict.PARTIAL if results & {"MFA", "OFFERED"} else Verdict.NONE


def situations(graph: TenantGraph) -> Iterator[Situation]:
    apps, platforms, places = {"?"}, {"?"}, {"?", "trusted?"}
    for policy in graph.policies.values():
        apps |= {*policy.applications.include, *policy.applications.exclude} - {"All", "None"}
        platforms |= {*policy.platforms.include, *policy.platforms.exclude} - {"all"}
        places |= {*policy.locations.include, *policy.locations.exclude} - {"All", "AllTrusted"}
    return product(apps, ("browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"), platforms, places)


def outcome(user: Identity, situation: Situation, graph: TenantGraph) -> str:
    applying = [one for one in graph.policies.values() if applies(one, user, situation, graph)]
    legacy = situation[1] in {"exchangeActiveSync", "other"}
    if any("block" in controls(one) or (legacy and controls(one)) for one in applying):
        return "BLOCK"
    if any(guaranteed(one.grant, graph) for one in applying if one.grant):
        return "MFA"
    return "OFFERED" if any(True in mfa_of(one.grant, graph) for one in applying if one.grant) else "OPEN"


def controls(policy: ConditionalAccessPolicy) -> list[str]:
    grant = policy.grant
    if grant is None:
        return []
    strength = [grant.authentication_strength_id] if grant.authentication_strength_id else []
    return [*grant.built_in_controls, *grant.custom_controls, *grant.terms_of_use, *strength]


def mfa_of(grant: Grant, graph: TenantGraph) -> list[bool]:
    found = [control == "mfa" for control in grant.built_in_controls]
    found += [False for _ in (*grant.custom_controls, *grant.terms_of_use)]
    if grant.authentication_strength_id:
        strength = graph.authentication_strengths[grant.authentication_strength_id]
        found.append(strength.requirements_satisfied == "mfa")
    return found


def guaranteed(grant: Grant, graph: TenantGraph) -> bool:
    found = mfa_of(grant, graph)
    return bool(found) and (any(found) if grant.operator == "AND" else all(found))


def applies(policy: ConditionalAccessPolicy, user: Identity, situation: Situation, graph: TenantGraph) -> bool:
    if policy.state != "enabled" or policy.workload_identities_only or policy.sign_in_risk_levels:
        return False
    return concerns(policy, user, graph) and all(holds(policy, situation, graph))


def concerns(policy: ConditionalAccessPolicy, user: Identity, graph: TenantGraph) -> bool:
    users, guest = policy.users, user.user_type == "Guest"
    groups, roles = graph.groups_of.get(user.id, frozenset()), graph.roles_of.get(user.id, frozenset())

    def named(ids: tuple[str, ...], of_groups: tuple[str, ...], of_roles: tuple[str, ...]) -> bool:
        everyone = "All" in ids or (guest and "GuestsOrExternalUsers" in ids)
        return everyone or user.id in ids or bool(groups & {*of_groups} or roles & {*of_roles})

    if named(users.exclude_users, users.exclude_groups, users.exclude_roles):
        return False
    if guest and users.exclude_guests and "internalGuest" in users.exclude_guests.kinds:
        return False
    invited = bool(guest and users.include_guests and "internalGuest" in users.include_guests.kinds)
    return invited or named(users.include_users, users.include_groups, users.include_roles)


def holds(policy: ConditionalAccessPolicy, situation: Situation, graph: TenantGraph) -> Iterator[bool]:
    app, client, platform, place = situation
    known = {app, "Office365"} if app in SUITE else {app}
    yield not known & {*policy.applications.exclude} and bool((known | {"All"}) & {*policy.applications.include})
    yield not policy.client_app_types or bool({client, "all"} & {*policy.client_app_types})
    yield platform not in policy.platforms.exclude
    yield not policy.platforms.include or bool({platform, "all"} & {*policy.platforms.include})
    location = graph.named_locations.get(place)
    trusted = place == "trusted?" or (location is not None and location.trusted)
    here = {place, "All"} | ({"AllTrusted"} if trusted else set())
    yield not here & {*policy.locations.exclude}
    yield not policy.locations.include or bool(here & {*policy.locations.include})
