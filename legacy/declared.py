"""The known differences between the old rules and the new ones, so that a comparison counts them apart.

Each entry is one wrongness of the old system, named where it lives. An entry says nothing about a difference it
does not cover: those stay discrepancies. ``kind`` is told of the new branch relative to legacy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pipeline.domain.findings import AlertType

Kind = Literal["missing", "extra", "severity"]
"""The new branch lacks an alert legacy has, has one legacy lacks, or has it with another severity."""

OWNER = "analysis"
"""Who answers for these entries."""
EXPIRES = date(2027, 6, 30)
"""Legacy is to be gone by then; what still differs has to be looked at again."""

_MIRRORED: dict[Kind, Kind] = {"missing": "extra", "extra": "missing"}
_MFA = (AlertType.MFA_NOT_ENFORCED, AlertType.MFA_PARTIAL_ENFORCED)
_BY_USER = (*_MFA, AlertType.POLICY_GAP)
_HANDLED = (*_BY_USER, AlertType.LICENSE_WASTE, AlertType.STALE_USER)
_PRIVILEGED = (*_BY_USER, AlertType.STALE_USER)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredDifference:
    """One known wrongness of legacy and the differences it makes."""

    rule: str
    kinds: tuple[Kind, ...]
    alert_types: tuple[AlertType, ...]
    reason: str
    owner: str = OWNER
    expires: date = EXPIRES


# The likeliest cause of a difference stands before the ones that could be meant by any.
DECLARED: tuple[DeclaredDifference, ...] = (
    DeclaredDifference(
        rule="mfa_counts_policies_without_effect",
        kinds=("extra",),
        alert_types=_MFA,
        reason="Legacy counts report-only and disabled policies as protection.",
    ),
    DeclaredDifference(
        rule="mfa_partial_by_policies_without_effect",
        kinds=("missing",),
        alert_types=(AlertType.MFA_PARTIAL_ENFORCED,),
        reason="Legacy says partial where only report-only or disabled policies apply, or where an exclusion wins.",
    ),
    DeclaredDifference(
        rule="exclusions_of_groups_roles_guests_ignored",
        kinds=("extra",),
        alert_types=_BY_USER,
        reason="Legacy takes a policy away only from users excluded by id.",
    ),
    DeclaredDifference(
        rule="mfa_conditions_and_operators_ignored",
        kinds=("extra",),
        alert_types=_MFA,
        reason="Legacy takes a policy with conditions, excluded applications or an OR alternative for full coverage.",
    ),
    DeclaredDifference(
        rule="roles_and_guests_not_included",
        kinds=("missing",),
        alert_types=_BY_USER,
        reason="Legacy does not see policies that reach a user by role or guest type.",
    ),
    DeclaredDifference(
        rule="mfa_strengths_and_per_user_mfa_unknown",
        kinds=("missing",),
        alert_types=_MFA,
        reason="Legacy knows no authentication strengths, no per-user MFA and no two policies that cover together.",
    ),
    DeclaredDifference(
        rule="mfa_partial_where_legacy_saw_none",
        kinds=("extra",),
        alert_types=(AlertType.MFA_PARTIAL_ENFORCED,),
        reason="Legacy says none where a strength, a role or a guest type gives partial coverage.",
    ),
    DeclaredDifference(
        rule="admin_by_name",
        kinds=("severity",),
        alert_types=_PRIVILEGED,
        reason="Legacy calls admin whoever directly holds a role with 'Admin' in its name, not a privileged one.",
    ),
    DeclaredDifference(
        rule="security_defaults_by_admin_name",
        kinds=("missing", "extra"),
        alert_types=(AlertType.MFA_PARTIAL_ENFORCED,),
        reason="Under security defaults legacy calls full whoever has a role with 'Admin' in its name.",
    ),
    DeclaredDifference(
        rule="stale_since_1970",
        kinds=("missing",),
        alert_types=(AlertType.STALE_USER,),
        reason="Legacy takes an account without sign-in data for stale since 1970, new accounts included.",
    ),
    DeclaredDifference(
        rule="stale_by_attempted_sign_in",
        kinds=("extra", "missing"),
        alert_types=(AlertType.STALE_USER,),
        reason="Legacy counts failed interactive attempts as use and non-interactive use as none.",
    ),
    DeclaredDifference(
        rule="waste_by_stale_tag_of_previous_run",
        kinds=("extra", "missing"),
        alert_types=(AlertType.LICENSE_WASTE,),
        reason="Legacy reads the Stale tag the previous run left, so waste comes and goes one run late.",
    ),
    DeclaredDifference(
        rule="overuse_never_resolved",
        kinds=("missing",),
        alert_types=(AlertType.LICENSE_OVERUSE,),
        reason="Legacy writes overuse past the alert handling and never resolves it.",
    ),
    DeclaredDifference(
        rule="missing_data_is_empty",
        kinds=("missing",),
        alert_types=_HANDLED,
        reason="Legacy takes what could not be read for empty and raises an alert; the new branch cannot tell.",
    ),
    DeclaredDifference(
        rule="alert_outlives_its_cause",
        kinds=("missing",),
        alert_types=_HANDLED,
        reason="Legacy resolves nothing of a type for which the run has no finding at all.",
    ),
    DeclaredDifference(
        rule="resolved_by_implication",
        kinds=("extra",),
        alert_types=_HANDLED,
        reason="Legacy resolves an alert it has no finding for, also when its input could not be read.",
    ),
    DeclaredDifference(
        rule="acknowledged_not_resolved",
        kinds=("missing",),
        alert_types=_HANDLED,
        reason="Legacy resolves active alerts only, so an acknowledged one stays when its cause is gone.",
    ),
)


def mirrored(kind: Kind) -> Kind:
    """The same difference told of legacy relative to the new branch, for a comparison whose control is new."""
    return _MIRRORED.get(kind, kind)


def declared_for(kind: Kind, alert_type: AlertType, *, on: date | None = None) -> DeclaredDifference | None:
    """The first entry that covers such a difference, or ``None``: then it is a discrepancy.

    With ``on`` an entry that has expired by that day does not count.
    """
    for entry in DECLARED:
        expired = on is not None and on > entry.expires
        if kind in entry.kinds and alert_type in entry.alert_types and not expired:
            return entry
    return None
