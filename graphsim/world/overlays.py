"""What differs from the generated objects, and how they read with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from graphsim.directory.population import Persona
from graphsim.directory.signins import SignIns, sign_in_activity
from graphsim.directory.tenants import Json, timestamp

MFA_METHODS = ("microsoftAuthenticatorPush", "softwareOneTimePasscode")


@dataclass(frozen=True, kw_only=True, slots=True)
class UserChange:
    """What differs from the generated user; ``None`` or nothing where nothing does."""

    enabled: bool | None = None
    created_at: datetime | None = None
    interactive_at: datetime | None = None
    non_interactive_at: datetime | None = None
    successful_at: datetime | None = None
    licensed: tuple[tuple[str, datetime], ...] = ()
    """SKU ids given directly, and when."""
    unlicensed: frozenset[str] = frozenset()
    registered_at: datetime | None = None
    """When a strong authentication method was registered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberChange:
    """Users and groups, by number, that came into a group or role or left it."""

    users_added: frozenset[int] = frozenset()
    users_removed: frozenset[int] = frozenset()
    groups_added: frozenset[int] = frozenset()
    groups_removed: frozenset[int] = frozenset()

    def with_user(self, number: int, *, added: bool) -> MemberChange:
        one = frozenset({number})
        if added:
            return replace(self, users_added=self.users_added | one, users_removed=self.users_removed - one)
        return replace(self, users_added=self.users_added - one, users_removed=self.users_removed | one)

    def with_group(self, number: int, *, added: bool) -> MemberChange:
        one = frozenset({number})
        if added:
            return replace(self, groups_added=self.groups_added | one, groups_removed=self.groups_removed - one)
        return replace(self, groups_added=self.groups_added - one, groups_removed=self.groups_removed | one)


UNCHANGED = MemberChange()


def changed_user(body: Json, change: UserChange, sign_ins: SignIns | None, raw: bytes) -> Json:
    """A user's body with the change applied. ``sign_ins`` are the generated ones, ``raw`` is the user's draw."""
    if change.enabled is not None:
        body["accountEnabled"] = change.enabled
    if change.created_at is not None:
        body["createdDateTime"] = timestamp(change.created_at)
    before = sign_ins or SignIns()
    seen = SignIns(
        interactive=change.interactive_at or before.interactive,
        non_interactive=change.non_interactive_at or before.non_interactive,
        successful=change.successful_at or before.successful,
    )
    if seen != SignIns():
        body["signInActivity"] = sign_in_activity(seen, raw)
    if change.licensed or change.unlicensed:
        _change_licenses(body, change)
    return body


def _change_licenses(body: Json, change: UserChange) -> None:
    given = dict(change.licensed)
    gone = change.unlicensed | given.keys()
    for name in ("assignedLicenses", "licenseAssignmentStates"):
        held = body[name]
        body[name] = [each for each in held if each["skuId"] not in gone] if isinstance(held, list) else held
    for sku_id, at in given.items():
        _append(body, "assignedLicenses", {"disabledPlans": [], "skuId": sku_id})
        _append(body, "licenseAssignmentStates", _direct_assignment(sku_id, at))


def _append(body: Json, name: str, value: Json) -> None:
    held = body[name]
    body[name] = [*held, value] if isinstance(held, list) else [value]


def _direct_assignment(sku_id: str, at: datetime) -> Json:
    return {
        "skuId": sku_id,
        "assignedByGroup": None,
        "state": "Active",
        "error": "None",
        "disabledPlans": [],
        "lastUpdatedDateTime": timestamp(at),
    }


def held_skus(persona: Persona, change: UserChange | None) -> frozenset[str]:
    """The SKU ids a user holds now."""
    generated = frozenset(persona.sku_ids)
    if change is None:
        return generated
    return (generated - change.unlicensed) | {sku_id for sku_id, _ in change.licensed}


def registered(details: Json, at: datetime) -> Json:
    """The registration report's line of someone who registered a strong method at that time."""
    return details | {
        "isMfaRegistered": True,
        "isMfaCapable": True,
        "isSsprRegistered": True,
        "isSsprCapable": details["isSsprEnabled"],
        "methodsRegistered": list(MFA_METHODS),
        "systemPreferredAuthenticationMethods": ["push"],
        "userPreferredMethodForSecondaryAuthentication": "push",
        "lastUpdatedDateTime": timestamp(at),
    }
