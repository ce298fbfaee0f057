"""Where a single policy, by its own conditions, leaves situations out, and how to say so."""

from __future__ import annotations

from dataclasses import dataclass

from analyzers.coverage.demands import Demand
from analyzers.coverage.situations import APPLICATION, CLIENT_APPS, DEVICE_PLATFORM, LOCATION, Footprint, Grid
from analyzers.wording import listed
from pipeline.domain.conditional_access import ConditionalAccessPolicy, IncludeExclude
from pipeline.domain.graph import TenantGraph


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """``where`` are the situations the policy does not make sure of, for the reason ``code``.

    ``clause`` says it in words and is empty where another gap of the same policy already does.
    """

    code: str
    where: int
    clause: str = ""


def gaps(
    policy: ConditionalAccessPolicy, demand: Demand, footprint: Footprint, grid: Grid, graph: TenantGraph
) -> tuple[Gap, ...]:
    """Every gap of a policy that has a footprint; those without a situation are left out."""
    found = []
    if demand is Demand.MFA_OR_OTHER:
        clause = "accepts something else instead of MFA"
        found.append(Gap(code="or_alternative_not_mfa", where=footprint.mask, clause=clause))
    for code, allowed in footprint.by_axis:
        missed = grid.everything & ~allowed
        found.append(Gap(code=code, where=missed, clause=restriction(policy, code, graph)))
        if code == CLIENT_APPS:
            found.append(Gap(code="legacy_client_open", where=missed & grid.legacy))
        if code == LOCATION:
            found.append(Gap(code="trusted_location_gap", where=missed & grid.trusted))
    return tuple(gap for gap in found if gap.where)


def restriction(policy: ConditionalAccessPolicy, code: str, graph: TenantGraph) -> str:
    """How the policy limits itself on one axis, in words that follow its name."""
    if code == APPLICATION:
        apps = policy.applications
        return _limits("app", IncludeExclude(include=apps.include, exclude=apps.exclude)) or "covers only filtered apps"
    if code == DEVICE_PLATFORM:
        return _limits("platform", policy.platforms)
    if code == LOCATION:
        return _limits("location", _named(policy.locations, graph))
    return f"covers only the {_counted('client app', list(policy.client_app_types))}"


def _named(places: IncludeExclude, graph: TenantGraph) -> IncludeExclude:
    def names(listed: tuple[str, ...]) -> tuple[str, ...]:
        known = ((key, graph.named_locations.get(key)) for key in listed)
        return tuple(place.display_name if place is not None and place.display_name else key for key, place in known)

    return IncludeExclude(include=names(places.include), exclude=names(places.exclude))


def _limits(noun: str, condition: IncludeExclude) -> str:
    if condition.exclude == ("AllTrusted",):
        return "excludes trusted locations"
    listed = [value for value in condition.include if value not in {"All", "all", "None"}]
    only = f"covers only the {_counted(noun, listed)}" if listed else ""
    but = f"excludes the {_counted(noun, list(condition.exclude))}" if condition.exclude else ""
    return " and ".join(part for part in (only, but) if part)


def _counted(noun: str, values: list[str]) -> str:
    """The noun in its number, the first of the values, and how many more there are."""
    return f"{noun}{'' if len(values) == 1 else 's'} {listed(values)}"


_CONDITIONS = {
    "insiderRisk": "a certain insider risk",
    "authenticationFlow": "certain authentication flows",
    "devices": "devices its filter selects",
}


def only_when(policy: ConditionalAccessPolicy, outside: tuple[str, ...]) -> str:
    """The conditions that keep a policy out of the baseline, in words."""
    risks = {
        "signInRisk": f"{' or '.join(policy.sign_in_risk_levels)} sign-in risk",
        "userRisk": f"{' or '.join(policy.user_risk_levels)} user risk",
    }
    return " and ".join(risks[code] if code in risks else _CONDITIONS[code] for code in outside)
