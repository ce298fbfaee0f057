"""Waiting times."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.providers.retry import RetryPolicy, seconds_asked_for

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("30", 30.0),
        (" 30 ", 30.0),
        ("2.128", 2.128),
        ("inf", None),
        ("-1", None),
        ("nan", None),
        ("1000000000000000", 86_400.0),
        ("9" * 400, 86_400.0),
        ("Sat, 01 Jan 9999 00:00:00 GMT", 86_400.0),
        ("Fri, 02 Jan 2026 12:00:" + "9" * 20 + " GMT", None),
        ("soon", None),
        ("Fri, 02 Jan 2026 12:00:10 GMT", 10.0),
        ("Fri, 02 Jan 2026 12:00:10 -0000", 10.0),
        ("Fri, 02 Jan 2026 11:00:00 GMT", 0.0),
        ("\N{SUPERSCRIPT TWO}", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert seconds_asked_for(header, NOON) == seconds


@given(st.integers(0, 60), st.none() | st.floats(0, 600), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_shorter_than_asked_for_nor_longer_than_the_longest_backoff(
    attempt: int, asked_for: float | None, chance: float
) -> None:
    policy = RetryPolicy()
    wait = policy.wait(attempt, asked_for, chance)
    if asked_for is None:
        assert 0 <= wait <= policy.longest_backoff
    else:
        assert asked_for <= wait <= asked_for + policy.first_wait
