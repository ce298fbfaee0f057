"""The table of known differences: what it covers, and that it covers no more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from legacy.declared import DECLARED, EXPIRES, Kind, declared_for, mirrored
from pipeline.domain.findings import AlertType


@pytest.mark.parametrize(
    ("kind", "alert_type", "code"),
    [
        ("extra", AlertType.MFA_NOT_ENFORCED, "report_only_only"),
        ("extra", AlertType.MFA_PARTIAL_ENFORCED, "or_alternative_not_mfa"),
        ("missing", AlertType.MFA_NOT_ENFORCED, "no_policy_applies"),
        ("severity", AlertType.POLICY_GAP, "users"),
        ("missing", AlertType.STALE_USER, "no_sign_in_attempt"),
        ("missing", AlertType.LICENSE_OVERUSE, "outlived"),
        ("extra", AlertType.LICENSE_WASTE, "cannot_tell"),
    ],
)
def test_a_known_difference_is_declared(kind: Kind, alert_type: AlertType, code: str) -> None:
    found = declared_for(kind, alert_type, frozenset({code, "another"}))

    assert found is not None
    assert found.covers(kind, alert_type, frozenset({code}))


@pytest.mark.parametrize(
    ("kind", "alert_type", "code"),
    [
        ("extra", AlertType.MFA_NOT_ENFORCED, "excluded_user"),
        ("missing", AlertType.LICENSE_WASTE, "account_disabled"),
        ("missing", AlertType.STALE_USER, "no_recent_sign_in"),
        ("extra", AlertType.STALE_USER, "never_signed_in"),
        ("extra", AlertType.LICENSE_OVERUSE, "consumed_exceeds_enabled"),
        ("severity", AlertType.LICENSE_OVERUSE, "consumed_exceeds_enabled"),
        ("severity", AlertType.LICENSE_WASTE, "account_stale"),
        ("missing", AlertType.TENANT_UNREACHABLE, "outlived"),
    ],
)
def test_a_difference_without_a_declared_cause_is_a_discrepancy(kind: Kind, alert_type: AlertType, code: str) -> None:
    assert declared_for(kind, alert_type, frozenset({code})) is None


def test_an_expired_entry_does_not_count() -> None:
    codes = frozenset({"no_recent_sign_in"})

    assert declared_for("extra", AlertType.STALE_USER, codes, on=EXPIRES) is not None
    assert declared_for("extra", AlertType.STALE_USER, codes, on=EXPIRES + timedelta(days=1)) is None


def test_a_comparison_may_be_told_from_the_other_side() -> None:
    assert [mirrored(kind) for kind in ("missing", "extra", "severity")] == ["extra", "missing", "severity"]


def test_every_entry_names_itself_once_and_says_why_in_a_sentence() -> None:
    assert len({entry.rule for entry in DECLARED}) == len(DECLARED)
    for entry in DECLARED:
        assert entry.reason.startswith(("Legacy", "Under"))
        assert entry.reason.endswith(".")
        assert entry.owner
