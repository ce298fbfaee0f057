"""Which conditions of one policy hold in one situation, three-valued, each with its code and words.

Codes are Microsoft's (https://learn.microsoft.com/graph/api/resources/whatifanalysisresult); where that has one code
for several reasons, the exclusions go by the project's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product

from analyzers.coverage.device_filter import matches_known_device, matches_unknown_device
from analyzers.coverage.gaps import only_when, restriction
from analyzers.coverage.matching import (
    MFA_TRUSTED_IPS,
    OFFICE365,
    OFFICE365_APPS,
    OTHER,
    TRUSTED,
    covers_app,
    covers_client,
    covers_device,
    covers_flow,
    covers_location,
    covers_platform,
    covers_risk,
    filtered_apps,
    targets_resources,
)
from analyzers.coverage.sign_in import KNOWN_OF, Device, Situation
from analyzers.coverage.situations import trusted_locations
from pipeline.domain.capture import Resource
from pipeline.domain.conditional_access import ConditionalAccessPolicy
from pipeline.domain.graph import TenantGraph

_OF_THEMSELVES = frozenset({OTHER, TRUSTED, MFA_TRUSTED_IPS})
"""The places of which it is known without the list of named locations whether they are trusted."""
_SUITES = (OFFICE365, "MicrosoftAdminPortals")
"""The names that stand for apps of Microsoft's, of which only ``OFFICE365_APPS`` are known one by one.
https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-cloud-apps"""
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class ReasonCode(StrEnum):
    """Why a policy does not apply, or why it cannot be told whether it does."""

    POLICY_NOT_ENABLED = "policyNotEnabled"
    USERS = "users"
    EXCLUDED_USER = "excluded_user"
    EXCLUDED_GROUP = "excluded_group"
    EXCLUDED_ROLE = "excluded_role"
    EXCLUDED_GUEST = "excluded_guest"
    WORKLOAD_IDENTITIES = "workloadIdentities"
    APPLICATION = "application"
    USER_ACTIONS = "userActions"
    AUTHENTICATION_CONTEXT = "authenticationContext"
    CLIENT_APPS = "clientApps"
    DEVICE_PLATFORM = "devicePlatform"
    LOCATION = "location"
    SIGN_IN_RISK = "signInRisk"
    USER_RISK = "userRisk"
    INSIDER_RISK = "insiderRisk"
    AUTHENTICATION_FLOW = "authenticationFlow"
    DEVICES = "devices"
    NOT_ENOUGH_INFORMATION = "notEnoughInformation"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """``words`` complete a sentence about the policy; ``via`` is the id of what an exclusion matched, else empty."""

    code: ReasonCode
    words: str
    via: str = ""


def failing(policy: ConditionalAccessPolicy, situation: Situation, graph: TenantGraph) -> Iterator[Reason]:
    """The conditions that do not hold, and with ``NOT_ENOUGH_INFORMATION`` those of which it cannot be told."""
    yield from _resource(policy, situation, graph)
    if not covers_client(policy, situation.client):
        yield _limited(policy, ReasonCode.CLIENT_APPS, graph)
    if not covers_platform(policy, situation.platform):
        yield _limited(policy, ReasonCode.DEVICE_PLATFORM, graph)
    yield from _location(policy, situation, graph)
    if not covers_risk(policy.sign_in_risk_levels, situation.sign_in_risk):
        yield _only(policy, ReasonCode.SIGN_IN_RISK)
    if not covers_risk(policy.user_risk_levels, situation.user_risk):
        yield _only(policy, ReasonCode.USER_RISK)
    if policy.insider_risk_levels:
        yield _only(policy, ReasonCode.INSIDER_RISK)
    if not covers_flow(policy, situation.flow):
        flows = " or ".join(policy.authentication_flows)
        yield Reason(code=ReasonCode.AUTHENTICATION_FLOW, words=f"applies only to {flows}")
    yield from _device(policy, situation)


def _resource(policy: ConditionalAccessPolicy, situation: Situation, graph: TenantGraph) -> Iterator[Reason]:
    if not targets_resources(policy):
        yield from _no_resource(policy)
        return
    app = situation.app
    # Whether a filter selects an app hangs on attributes that are not read; an app that no policy names it does not.
    named_apart = app in {OTHER, filtered_apps(policy)} or policy.applications.filter_rule is None
    either = (None,) if named_apart else (False, True)
    suites = _unclear_suites(policy, app, graph)
    by_suite = [[covers_app(one, app, selected=picked) for picked in either] for one in _readings(policy, app, suites)]
    covered = {one for by_filter in by_suite for one in by_filter}
    if covered == {False}:
        yield _limited(policy, ReasonCode.APPLICATION, graph)
    if any(len(set(by_filter)) > 1 for by_filter in by_suite):
        yield _untold("whether its filter selects the app is not known")
    if any(len(set(same_filter)) > 1 for same_filter in zip(*by_suite, strict=True)):
        yield _untold(f"whether {' or '.join(suites)} contains the app is not known")


def _unclear_suites(policy: ConditionalAccessPolicy, app: str, graph: TenantGraph) -> tuple[str, ...]:
    """The suites named by the policy that may contain the app; one it names itself, or the tenant's own, is in none."""
    named = (*policy.applications.include, *policy.applications.exclude)
    suites = tuple(suite for suite in _SUITES if suite in named)
    if not suites or app in named or app in OFFICE365_APPS or not _GUID.fullmatch(app):
        return ()
    return () if any(one.app_id == app for one in graph.applications.values()) else suites


def _readings(policy: ConditionalAccessPolicy, app: str, suites: tuple[str, ...]) -> Iterator[ConditionalAccessPolicy]:
    """The policy for whatever the suites may contain: to name one that contains the app is to name the app."""
    apps = policy.applications
    for meant in product(*((suite, app) for suite in suites)):
        means = dict(zip(suites, meant, strict=True))
        include, exclude = (tuple(means.get(one, one) for one in names) for names in (apps.include, apps.exclude))
        yield replace(policy, applications=replace(apps, include=include, exclude=exclude))


def _no_resource(policy: ConditionalAccessPolicy) -> Iterator[Reason]:
    if policy.applications.user_actions:
        yield Reason(code=ReasonCode.USER_ACTIONS, words="is about actions of users, not about apps")
    if policy.applications.authentication_contexts:
        yield Reason(code=ReasonCode.AUTHENTICATION_CONTEXT, words="is about authentication contexts, not about apps")
    if not policy.applications.user_actions and not policy.applications.authentication_contexts:
        yield Reason(code=ReasonCode.APPLICATION, words="covers no app")


def _location(policy: ConditionalAccessPolicy, situation: Situation, graph: TenantGraph) -> Iterator[Reason]:
    place = situation.location
    unread = None if place in _OF_THEMSELVES else graph.unreadable(Resource.NAMED_LOCATIONS)
    possible = (place in trusted_locations(graph),) if unread is None else (False, True)
    covered = {covers_location(policy, place, trusted=one) for one in possible}
    if unread is not None and len(covered) > 1:
        yield _untold(unread)
    elif False in covered:
        yield _limited(policy, ReasonCode.LOCATION, graph)


def _device(policy: ConditionalAccessPolicy, situation: Situation) -> Iterator[Reason]:
    if policy.device_filter is None:
        return
    rule = policy.device_filter.rule
    if situation.device is Device.UNMANAGED:
        matches = matches_unknown_device(rule)
    else:
        matches = matches_known_device(rule, KNOWN_OF[situation.device])
    covered = covers_device(policy, filter_matches=matches)
    if covered is None:
        yield _untold("whether its filter selects the device cannot be told")
    elif not covered:
        yield Reason(code=ReasonCode.DEVICES, words="has a filter that leaves the device out")


def _limited(policy: ConditionalAccessPolicy, code: ReasonCode, graph: TenantGraph) -> Reason:
    return Reason(code=code, words=restriction(policy, code, graph))


def _only(policy: ConditionalAccessPolicy, code: ReasonCode) -> Reason:
    return Reason(code=code, words=f"applies only at {only_when(policy, (code,))}")


def _untold(words: str) -> Reason:
    return Reason(code=ReasonCode.NOT_ENOUGH_INFORMATION, words=words)
