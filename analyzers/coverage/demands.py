"""What a policy asks for once it applies, seen from one side only: does it make sure of MFA?"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pipeline.domain.conditional_access import AuthenticationStrength, Grant


class Demand(StrEnum):
    """The effect of a policy's grant controls, https://learn.microsoft.com/graph/api/resources/conditionalaccessgrantcontrols."""

    BLOCK = "block"
    MFA = "mfa"
    """MFA is certain: AND with any MFA control, or OR where every alternative is one."""
    MFA_OR_OTHER = "mfa_or_other"
    """MFA is one alternative among others: it may be asked for, it is not certain."""
    OTHER = "other"
    """Something is asked for (a compliant device, terms of use) and it is not MFA."""
    STRENGTH_UNKNOWN = "strength_unknown"
    """An authentication strength decides, and what it is satisfied by was not read. Never a block."""
    NOTHING = "nothing"
    """Session controls only."""

    @property
    def mentions_mfa(self) -> bool:
        return self in {Demand.MFA, Demand.MFA_OR_OTHER, Demand.STRENGTH_UNKNOWN}


def demand_of(grant: Grant | None, strengths: Mapping[str, AuthenticationStrength]) -> Demand:
    """The demand of a grant; ``strengths`` are the authentication strengths that were read, by id.

    Custom controls don't satisfy an MFA claim, so they count as "other", as terms of use do
    (https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-grant).
    """
    if grant is None:
        return Demand.NOTHING
    if "block" in grant.built_in_controls:
        return Demand.BLOCK
    controls = _is_mfa(grant, strengths)
    if not controls:
        return Demand.NOTHING
    return _all_of(controls) if grant.operator.upper() == "AND" else _one_of(controls)


def _is_mfa(grant: Grant, strengths: Mapping[str, AuthenticationStrength]) -> list[bool | None]:
    """For each control whether it is MFA; ``None`` for a strength that was not read."""
    controls: list[bool | None] = [control == "mfa" for control in grant.built_in_controls]
    controls += [False] * (len(grant.custom_controls) + len(grant.terms_of_use))
    if grant.authentication_strength_id is not None:
        controls.append(_strength_is_mfa(grant, strengths))
    return controls


MANAGED_DEVICE_CONTROLS = frozenset({"compliantDevice", "domainJoinedDevice"})
"""What only a device that the tenant manages can satisfy. Terms of use or another app can be had by anybody."""


def needs_managed_device(grant: Grant) -> bool:
    """Whether nothing satisfies the grant without a managed device, whatever else it demands."""
    controls = frozenset(grant.built_in_controls)
    if grant.operator.upper() == "AND":
        return not controls.isdisjoint(MANAGED_DEVICE_CONTROLS)
    others = grant.custom_controls or grant.terms_of_use or grant.authentication_strength_id
    return bool(controls) and controls <= MANAGED_DEVICE_CONTROLS and not others


def needs_strengths(grant: Grant | None) -> bool:
    """Whether only the list of authentication strengths tells what the grant demands."""
    return (
        grant is not None
        and grant.authentication_strength_id is not None
        and grant.authentication_strength_satisfies is None
    )


def _strength_is_mfa(grant: Grant, strengths: Mapping[str, AuthenticationStrength]) -> bool | None:
    """As the policy itself told with its strength, else as the list of strengths has it."""
    if grant.authentication_strength_satisfies is not None:
        return grant.authentication_strength_satisfies == "mfa"
    strength = strengths.get(grant.authentication_strength_id or "")
    return None if strength is None else strength.requirements_satisfied == "mfa"


def _all_of(controls: list[bool | None]) -> Demand:
    if True in controls:
        return Demand.MFA
    return Demand.STRENGTH_UNKNOWN if None in controls else Demand.OTHER


def _one_of(controls: list[bool | None]) -> Demand:
    if False not in controls:
        return Demand.STRENGTH_UNKNOWN if None in controls else Demand.MFA
    if True in controls:
        return Demand.MFA_OR_OTHER
    return Demand.STRENGTH_UNKNOWN if None in controls else Demand.OTHER
