"""The table of known differences: what it covers, and that it covers no more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from legacy.declared import DECLARED, EXPIRES, Kind, declared_for, mirrored
from pipeline.domain.findings import AlertType


@pytest.mark.parametrize(
    ("kind", "alert_type"),
    [
        ("extra", AlertType.MFA_NOT_ENFORCED),
        ("missing", AlertType.MFA_NOT_ENFORCED),
        ("severity", AlertType.POLICY_GAP),
        ("missing", AlertType.STALE_USER),
        ("missing", AlertType.LICENSE_OVERUSE),
    ],
)
def test_a_known_difference_is_declared(kind: Kind, alert_type: AlertType) -> None:
    found = declared_for(kind, alert_type)

    assert found is not None
    assert kind in found.kinds
    assert alert_type in found.alert_types


@pytest.mark.parametrize(
    ("kind", "alert_type"),
    [
        ("extra", AlertType.LICENSE_OVERUSE),
        ("severity", AlertType.LICENSE_OVERUSE),
        ("severity", AlertType.LICENSE_WASTE),
        ("missing", AlertType.TENANT_UNREACHABLE),
    ],
)
def test_any_other_difference_is_a_discrepancy(kind: Kind, alert_type: AlertType) -> None:
    assert declared_for(kind, alert_type) is None


def test_an_expired_entry_does_not_count() -> None:
    assert declared_for("extra", AlertType.STALE_USER, on=EXPIRES) is not None
    assert declared_for("extra", AlertType.STALE_USER, on=EXPIRES + timedelta(days=1)) is None


def test_a_comparison_may_be_told_from_the_other_side() -> None:
    assert [mirrored(kind) for kind in ("missing", "extra", "severity")] == ["extra", "missing", "severity"]


def test_every_entry_names_itself_once_and_says_why_in_a_sentence() -> None:
    assert len({entry.rule for entry in DECLARED}) == len(DECLARED)
    for entry in DECLARED:
        assert entry.reason.startswith(("Legacy", "Under"))
        assert entry.reason.endswith(".")
        assert entry.owner
