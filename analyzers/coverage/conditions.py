"""Which conditions of one policy hold in one situation, three-valued, each with its code and words.

Codes are Microsoft's (https://learn.microsoft.com/graph/api/resources/whatifanalysisresult); where that has one code
for several reasons, the exclusions go by the project's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from analyzers.coverage.device_filter import matches_known_device, matches_unknown_device
from analyzers.coverage.gaps import only_when, restriction
from analyzers.coverage.matching import (
    MFA_TRUSTED_IPS,
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
    # Whether a filter selects an app hangs on attributes that are not read; an app that no policy names it does not.
    named_apart = situation.app in {OTHER, filtered_apps(policy)} or policy.applications.filter_rule is None
    either = (None,) if named_apart else (False, True)
    covered = {covers_app(policy, situation.app, selected=selected) for selected in either}
    if len(covered) > 1:
        yield _untold("whether its filter selects the app is not known")
    elif False in covered:
        yield _limited(policy, ReasonCode.APPLICATION, graph)


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
