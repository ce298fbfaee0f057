"""Readiness as a decision: what passes, what counts, what is said of a check that hangs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest
from anyio import CapacityLimiter

from pipeline.web.checks import Check, Finding, Readiness, Status, look_at


def finding(status: Status) -> Finding:
    return Finding(name="x", status=status, message="Said.")


@pytest.mark.parametrize(
    ("statuses", "ready", "score"),
    [
        ([Status.PASSED, Status.PASSED], True, 100),
        ([Status.PASSED, Status.FAILED, Status.PASSED, Status.PASSED], False, 75),
        ([Status.PASSED, Status.FAILED, Status.SKIPPED], False, 50),
        ([Status.SKIPPED], False, 0),
    ],
)
def test_the_score_is_the_share_of_the_checks_that_ran(statuses: list[Status], ready: bool, score: int) -> None:  # noqa: FBT001 - a table's column
    found = Readiness(findings=tuple(finding(status) for status in statuses))

    assert (found.ready, found.score) == (ready, score)


def test_a_check_that_hangs_is_told_at_the_deadline_and_holds_no_other_up() -> None:
    over = threading.Event()

    def hang() -> Sequence[Finding]:
        over.wait(30)
        return ()

    checks = (
        Check(names=("database", "schema"), fix="Mend it.", look=hang),
        Check(names=("redis",), fix="", look=lambda: (finding(Status.PASSED),)),
    )

    async def look() -> Readiness:
        try:
            return await look_at(checks, CapacityLimiter(2), 0.2)
        finally:
            over.set()

    found = asyncio.run(look())

    assert [item.status for item in found.findings] == [Status.FAILED, Status.SKIPPED, Status.PASSED]
    assert found.findings[0].fix == "Mend it."
