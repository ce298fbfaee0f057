"""The known differences between the old rules and the new ones, so that a comparison counts them apart.

Each entry is one wrongness of the old system, named where it lives. An entry says nothing about a difference it
does not cover: those stay discrepancies. ``kind`` is told of the new branch relative to legacy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from pipeline.domain.findings import CANNOT_TELL, OUTLIVED, AlertType, AnalysisType
from pipeline.domain.findings import OWNER as OWNED_BY

Kind = Literal["missing", "extra", "severity"]
"""The new branch lacks an alert legacy has, has one legacy lacks, or has it with another severity."""

OWNER = "analysis"
"""Who answers for these entries."""
EXPIRES = date(2027, 6, 30)
"""Legacy is to be gone by then; what still differs has to be looked at again."""

_FORMER = (AnalysisType.MFA, AnalysisType.POLICY, AnalysisType.LICENSE, AnalysisType.STALE)
_MIRRORED: dict[Kind, Kind] = {"missing": "extra", "extra": "missing"}
_MFA = (AlertType.MFA_NOT_ENFORCED, AlertType.MFA_PARTIAL_ENFORCED)
_BY_USER = (*_MFA, AlertType.POLICY_GAP)
_HANDLED = (*_BY_USER, AlertType.LICENSE_WASTE, AlertType.STALE_USER)
_NOT_OF_LEGACY = tuple(
    kind for kind, owner in OWNED_BY.items() if owner not in {*_FORMER, AnalysisType.PSA, AnalysisType.TENANT}
)
_CONDITIONS = frozenset(
    {
        "application",
        "authenticationFlow",
        "clientApps",
        "control_not_mfa",
        "devicePlatform",
        "devices",
        "legacy_client_open",
        "location",
        "or_alternative_not_mfa",
        "signInRisk",
        "trusted_location_gap",
        "userRisk",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeclaredDifference:
    """One known wrongness of legacy and the differences it makes.

    It covers an alert whose reason codes share one with ``codes``; with none named, any alert of its types.
    """

    rule: str
    kinds: tuple[Kind, ...]
    alert_types: tuple[AlertType, ...]
    reason: str
    codes: frozenset[str] = frozenset()
    owner: str = OWNER
    expires: date = EXPIRES

    def covers(self, kind: Kind, alert_type: AlertType, codes: frozenset[str]) -> bool:
        named = kind in self.kinds and alert_type in self.alert_types
        return named and (not self.codes or not self.codes.isdisjoint(codes))


DECLARED: tuple[DeclaredDifference, ...] = (
    DeclaredDifference(
        rule="rule_not_known_to_legacy",
        kinds=("missing", "extra", "severity"),
        alert_types=_NOT_OF_LEGACY,
        reason="Legacy does not know this rule: it raises no such alert, and leaves those that stand as they are.",
    ),
    DeclaredDifference(
        rule="missing_data_is_empty",
        kinds=("missing", "extra"),
        alert_types=_HANDLED,
        codes=frozenset({CANNOT_TELL}),
        reason="Legacy takes what could not be read for empty, to raise and to resolve; the new branch cannot tell.",
    ),
    DeclaredDifference(
        rule="alert_outlives_its_cause",
        kinds=("missing",),
        alert_types=(*_HANDLED, AlertType.LICENSE_OVERUSE),
        codes=frozenset({OUTLIVED}),
        reason="Legacy resolves no overuse, no acknowledged alert, and nothing of a type without any finding.",
    ),
    DeclaredDifference(
        rule="mfa_counts_policies_without_effect",
        kinds=("extra",),
        alert_types=_MFA,
        codes=frozenset({"policyNotEnabled", "report_only_only"}),
        reason="Legacy counts report-only and disabled policies as protection.",
    ),
    DeclaredDifference(
        rule="exclusions_of_groups_roles_guests_ignored",
        kinds=("extra",),
        alert_types=_MFA,
        codes=frozenset({"break_glass_excluded", "excluded_group", "excluded_guest", "excluded_role"}),
        reason="Legacy takes a policy away only from users excluded by id.",
    ),
    DeclaredDifference(
        rule="gap_exclusions_ignored",
        kinds=("extra",),
        alert_types=(AlertType.POLICY_GAP,),
        codes=frozenset({"excluded_group", "excluded_guest", "excluded_role", "users"}),
        reason="Legacy sees no gap where a policy includes a user and excludes a group of theirs.",
    ),
    DeclaredDifference(
        rule="mfa_conditions_and_operators_ignored",
        kinds=("extra",),
        alert_types=_MFA,
        codes=_CONDITIONS,
        reason="Legacy takes a policy with conditions, excluded applications or an OR alternative for full coverage.",
    ),
    DeclaredDifference(
        rule="mfa_partial_by_policies_without_effect",
        kinds=("missing",),
        alert_types=(AlertType.MFA_PARTIAL_ENFORCED,),
        codes=frozenset({"application"}),
        reason="Legacy says partial for a policy on some applications, whatever its state and its exclusions.",
    ),
    DeclaredDifference(
        rule="policies_not_seen",
        kinds=("missing",),
        alert_types=_BY_USER,
        codes=frozenset({"no_policy_applies"}),
        reason="Legacy sees no policy that reaches a user by role or guest type, no strength and no per-user MFA.",
    ),
    DeclaredDifference(
        rule="security_defaults_by_admin_name",
        kinds=("missing", "extra"),
        alert_types=(AlertType.MFA_PARTIAL_ENFORCED,),
        codes=frozenset({"security_defaults", "security_defaults_adaptive"}),
        reason="Under security defaults legacy calls full whoever has a role with 'Admin' in its name.",
    ),
    DeclaredDifference(
        rule="admin_by_name",
        kinds=("severity",),
        alert_types=(*_BY_USER, AlertType.STALE_USER),
        reason="Legacy calls admin whoever directly holds a role with 'Admin' in its name, not a privileged one.",
    ),
    DeclaredDifference(
        rule="stale_since_1970",
        kinds=("missing",),
        alert_types=(AlertType.STALE_USER,),
        codes=frozenset({"no_sign_in_attempt"}),
        reason="Legacy takes who never tried to sign in by hand for stale since 1970, new accounts included.",
    ),
    DeclaredDifference(
        rule="stale_by_attempted_sign_in",
        kinds=("extra",),
        alert_types=(AlertType.STALE_USER,),
        codes=frozenset({"no_recent_sign_in"}),
        reason="Legacy counts failed attempts to sign in as use of the account.",
    ),
    DeclaredDifference(
        rule="waste_by_stale_tag_of_previous_run",
        kinds=("extra", "missing"),
        alert_types=(AlertType.LICENSE_WASTE,),
        codes=frozenset({"account_stale"}),
        reason="Legacy reads the Stale tag the previous run left, so waste comes and goes one run late.",
    ),
)


def mirrored(kind: Kind) -> Kind:
    """The same difference told of legacy relative to the new branch, for a comparison whose control is new."""
    return _MIRRORED.get(kind, kind)


def declared_for(
    kind: Kind, alert_type: AlertType, codes: frozenset[str] = frozenset(), *, on: date | None = None
) -> DeclaredDifference | None:
    """The first entry that covers such a difference, or ``None``: then it is a discrepancy.

    ``codes`` are the reason codes of the alert on the side that has it. With ``on`` an entry that has expired by that
    day does not count.
    """
    for entry in DECLARED:
        expired = on is not None and on > entry.expires
        if entry.covers(kind, alert_type, codes) and not expired:
            return entry
    return None
