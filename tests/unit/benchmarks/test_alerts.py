"""The alerts that are reconciled are a mixture, not one easy case."""

from __future__ import annotations

from collections import Counter

from benchmarks.alerts import pure
from pipeline.alerts.reconcile import AlertChange
from pipeline.events import AlertAction


def test_some_alerts_are_new_some_changed_some_gone_and_most_the_same() -> None:
    changes = pure(300)()

    assert isinstance(changes, tuple)
    assert Counter(change.action for change in changes if isinstance(change, AlertChange)) == {
        AlertAction.CREATED: 10,
        AlertAction.UPDATED: 10,
        AlertAction.RESOLVED: 10,
    }
