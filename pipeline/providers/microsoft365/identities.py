"""Users, merged with their registration details, to identities. The hot path: most of a tenant is users."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET

from pipeline.domain.entities import Identity, LicenseError
from pipeline.providers.microsoft365 import payloads
from pipeline.providers.microsoft365.moments import in_utc

NO_DETAILS = payloads.RegistrationDetails(id="")
NO_ACTIVITY = payloads.SignInActivity()
FAILED = frozenset({"Error", "ActiveWithError"})
UNNAMED = frozenset({"", "None", "Others"})
"""Ways to say that no code tells what failed; earlier documentation spells the rest ``Others``."""


def identity(user: payloads.User, registrations: Mapping[str, payloads.RegistrationDetails]) -> Identity:
    """The user; without registration details or sign-in activity those facts stay ``None``: not read, not "no"."""
    details = registrations.get(user.id, NO_DETAILS)
    activity = user.sign_in_activity or NO_ACTIVITY
    synced = user.on_premises_sync_enabled
    return Identity(
        id=user.id,
        user_principal_name=user.user_principal_name or "",
        display_name=user.display_name or "",
        enabled=user.account_enabled,
        user_type=user.user_type,
        created_at=in_utc(user.created_date_time),
        last_sign_in_attempt_at=in_utc(activity.last_sign_in_date_time),
        last_non_interactive_attempt_at=in_utc(activity.last_non_interactive_sign_in_date_time),
        last_successful_sign_in_at=in_utc(activity.last_successful_sign_in_date_time),
        sku_ids=sku_ids(user.assigned_licenses),
        license_errors=license_errors(user.license_assignment_states),
        on_premises_synced=None if synced is UNSET else bool(synced),
        mfa_registered=details.is_mfa_registered,
        mfa_capable=details.is_mfa_capable,
    )


def sku_ids(licenses: tuple[payloads.AssignedLicense, ...] | None) -> tuple[str, ...]:
    """Sorted and without repetition: Graph promises no order, and an order of its own would look like a change."""
    if not licenses:
        return ()
    if len(licenses) == 1:
        return (licenses[0].sku_id,)
    return tuple(sorted({assigned.sku_id for assigned in licenses}))


def license_errors(states: tuple[payloads.LicenseAssignmentState, ...] | None) -> tuple[LicenseError, ...] | None:
    """The assignments in error; ``None`` where the states were not read.

    A SKU may be assigned directly and through several groups, and each may fail for a reason of its own.
    """
    if states is None:
        return None
    failed = {(one.sku_id, _code(one.error)) for one in states if one.state in FAILED}
    return tuple(LicenseError(sku_id=sku_id, code=code) for sku_id, code in sorted(failed)) if failed else ()


def _code(error: str | None) -> str:
    return error if error is not None and error not in UNNAMED else "Other"
