"""The kinds of tenant there are: how well they are kept, what they bought and which policies they have."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from graphsim.directory import catalog
from graphsim.directory.catalog import Sku
from graphsim.directory.population import BLOCK, Kind, Persona


class PolicySet(StrEnum):
    """Which conditional access policies a tenant has; spelled out in ``policies``."""

    ENFORCED = "enforced"
    """MFA for everyone but the break-glass accounts."""
    TRUSTED_LOCATIONS = "trusted_locations"
    """MFA for everyone, but not from trusted locations and not for service accounts."""
    REPORT_ONLY = "report_only"
    """An MFA policy that only reports and one that is switched off: nobody is asked for MFA."""
    SECURITY_DEFAULTS = "security_defaults"
    """No policies; security defaults are on."""
    PILOT = "pilot"
    """MFA for a pilot group, guests and admins; weaker demands on some departments, none on the rest."""
    STRENGTH = "strength"
    """An authentication strength for everyone, with one application left out."""
    NOTHING = "nothing"
    """No policies, security defaults off."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Posture:
    """One kind of tenant. ``overused`` SKUs have fewer seats than assignments; ``in_grace`` live on warning units."""

    policy_set: PolicySet
    desk: Sku
    frontline: Sku
    tidy: bool = False
    overused: frozenset[str] = frozenset()
    in_grace: frozenset[str] = frozenset()
    registered_percent: int = 90
    """How many enabled members have registered a strong authentication method."""

    @property
    def premium(self) -> bool:
        """Whether the tenant may read sign-in activity: some SKU brings Entra ID P1."""
        return any(plan == catalog.P1_PLAN for sku in self.skus for plan, _ in sku.plans)

    @property
    def skus(self) -> tuple[Sku, ...]:
        return (self.desk, self.frontline, catalog.POWER_BI_PRO, catalog.FLOW_FREE, catalog.WINDOWS_STORE)


POSTURES = (
    Posture(
        policy_set=PolicySet.ENFORCED,
        desk=catalog.BUSINESS_PREMIUM,
        frontline=catalog.BUSINESS_BASIC,
        tidy=True,
        registered_percent=98,
    ),
    Posture(
        policy_set=PolicySet.TRUSTED_LOCATIONS,
        desk=catalog.M365_E3,
        frontline=catalog.BUSINESS_BASIC,
        overused=frozenset({catalog.BUSINESS_BASIC.id}),
        in_grace=frozenset({catalog.M365_E3.id}),
    ),
    Posture(
        policy_set=PolicySet.REPORT_ONLY,
        desk=catalog.BUSINESS_PREMIUM,
        frontline=catalog.BUSINESS_BASIC,
        registered_percent=60,
    ),
    Posture(
        policy_set=PolicySet.SECURITY_DEFAULTS,
        desk=catalog.BUSINESS_STANDARD,
        frontline=catalog.BUSINESS_BASIC,
        overused=frozenset({catalog.BUSINESS_STANDARD.id}),
        registered_percent=85,
    ),
    Posture(
        policy_set=PolicySet.PILOT,
        desk=catalog.M365_E5,
        frontline=catalog.BUSINESS_BASIC,
        overused=frozenset({catalog.POWER_BI_PRO.id}),
        registered_percent=45,
    ),
    Posture(
        policy_set=PolicySet.STRENGTH,
        desk=catalog.M365_E5,
        frontline=catalog.BUSINESS_BASIC,
        tidy=True,
        registered_percent=95,
    ),
    Posture(
        policy_set=PolicySet.NOTHING,
        desk=catalog.BUSINESS_PREMIUM,
        frontline=catalog.BUSINESS_BASIC,
        registered_percent=20,
    ),
)
"""Tenant ``n`` of a simulator has posture ``n % 7``; the first five between them show every alert."""

_TIDY = {
    Kind.JOINER: 4,
    Kind.INVITED: 2,
    Kind.STALE: 1,
    Kind.LEFT: 4,
    Kind.SHARED_MAILBOX: 4,
    Kind.SERVICE: 1,
    Kind.GUEST: 4,
}
_UNTIDY = {
    Kind.JOINER: 3,
    Kind.INVITED: 2,
    Kind.STALE: 6,
    Kind.DORMANT: 3,
    Kind.FAILED_ONLY: 2,
    Kind.UNRECORDED: 1,
    Kind.LEAVER: 5,
    Kind.LEFT: 2,
    Kind.SHARED_MAILBOX: 5,
    Kind.SERVICE: 2,
    Kind.GUEST: 5,
    Kind.STALE_GUEST: 2,
}
"""Users of each kind in a block of 100; the rest are employees."""

_UNLICENSED = frozenset(
    {Kind.LEFT, Kind.SHARED_MAILBOX, Kind.SERVICE, Kind.GUEST, Kind.STALE_GUEST, Kind.ADMIN, Kind.BREAK_GLASS}
)


def head(posture: Posture) -> tuple[Persona, ...]:
    """The first users of a tenant: two break-glass accounts, four administrators, two service accounts."""
    last_admin = Kind.ADMIN if posture.tidy else Kind.STALE_ADMIN
    kinds = (Kind.BREAK_GLASS,) * 2 + (Kind.ADMIN,) * 3 + (last_admin,) + (Kind.SERVICE,) * 2
    return tuple(Persona(kind=kind) for kind in kinds)


def block(posture: Posture) -> tuple[Persona, ...]:
    """The personas of 100 users, licences included."""
    counts = _TIDY if posture.tidy else _UNTIDY
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    kinds += [Kind.EMPLOYEE] * (BLOCK - len(kinds))
    return tuple(Persona(kind=kind, sku_ids=_licenses(posture, kind, slot)) for slot, kind in enumerate(kinds))


def _licenses(posture: Posture, kind: Kind, slot: int) -> tuple[str, ...]:
    if kind in _UNLICENSED:
        return ()
    main = posture.frontline.id if slot % 10 in (3, 6, 9) else posture.desk.id
    if kind is Kind.EMPLOYEE and slot % 10 == 0:
        return main, catalog.POWER_BI_PRO.id
    if kind is Kind.EMPLOYEE and slot % 10 == 5:  # noqa: PLR2004 - one in ten tried Power Automate
        return main, catalog.FLOW_FREE.id
    return (main,)
