"""What is done about a subscription follows from what stands, what is wanted and the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.domain.runs import Scope
from pipeline.domain.subscriptions import Candidate, Step, Subscription, WantedAction
from pipeline.providers.microsoft365.subscriptions import LIFETIME
from pipeline.stages import subscriptions
from pipeline.stages.subscriptions import RENEW_BEFORE, plan

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://pipeline.example.com/notifications/microsoft365"
STANDING = Subscription(id="one", url=URL, expires_at=NOW + timedelta(days=20))
UNMADE = Subscription(id=None, url="", expires_at=None)


def candidate(stored: Subscription | None, *, wanted: bool = True, refused: bool = False) -> Candidate:
    scope = Scope(tenant_id=1, source_id=2)
    return Candidate(scope=scope, resource="users", wanted=wanted, refused=refused, stored=stored)


def steps(one: Candidate, url: str | None = URL, *, pauses: bool = True) -> list[tuple[Step, str | None]]:
    return [(action.step, action.subscription_id) for action in plan([one], NOW, url=url, pauses=pauses)]


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (None, [(Step.CREATE, None)]),
        (UNMADE, [(Step.CREATE, None)]),
        (STANDING, []),
        (replace(STANDING, expires_at=NOW + RENEW_BEFORE + timedelta(seconds=1)), []),
        (replace(STANDING, expires_at=NOW + RENEW_BEFORE), [(Step.RENEW, "one")]),
        (replace(STANDING, expires_at=NOW), [(Step.CREATE, None)]),
        (replace(STANDING, wanted=WantedAction.REAUTHORIZE), [(Step.RENEW, "one")]),
        (replace(STANDING, wanted=WantedAction.RECREATE), [(Step.CREATE, "one")]),
        (replace(STANDING, url="https://former.example.com/x"), [(Step.CREATE, "one")]),
    ],
    ids=["new", "unmade", "standing", "not yet", "ends soon", "expired", "reauthorize", "removed", "moved"],
)
def test_a_wanted_subscription_is_made_renewed_or_left(
    stored: Subscription | None, expected: list[tuple[Step, str | None]]
) -> None:
    assert steps(candidate(stored)) == expected


@pytest.mark.parametrize(("wanted", "url"), [(False, URL), (True, None), (False, None)])
def test_what_is_not_wanted_any_more_is_deleted_at_microsoft_and_here(*, wanted: bool, url: str | None) -> None:
    assert steps(candidate(STANDING, wanted=wanted), url) == [(Step.DELETE, "one")]
    assert steps(candidate(UNMADE, wanted=wanted), url) == [(Step.DELETE, None)]
    assert steps(candidate(None, wanted=wanted), url) == []


def test_an_expired_one_that_is_not_wanted_needs_no_word_with_microsoft() -> None:
    assert steps(candidate(replace(STANDING, expires_at=NOW), wanted=False)) == [(Step.DELETE, None)]


def test_a_tenant_that_refuses_us_is_left_alone() -> None:
    assert steps(candidate(None, refused=True)) == []
    assert steps(candidate(replace(STANDING, wanted=WantedAction.REAUTHORIZE), refused=True)) == []


def test_what_failed_rests_until_its_next_attempt_unless_a_person_asks() -> None:
    resting = replace(UNMADE, next_attempt_at=NOW + timedelta(seconds=1))

    assert steps(candidate(resting)) == []
    assert steps(candidate(resting), pauses=False) == [(Step.CREATE, None)]
    assert steps(candidate(replace(resting, next_attempt_at=NOW))) == [(Step.CREATE, None)]


def test_an_action_names_what_was_asked_for_when_it_was_decided() -> None:
    (action,) = plan([candidate(replace(STANDING, wanted=WantedAction.RECREATE))], NOW, url=URL)

    assert action.wanted is WantedAction.RECREATE


def test_a_subscription_lasts_no_longer_than_microsoft_allows_and_is_renewed_in_its_last_quarter() -> None:
    assert subscriptions.LASTS < LIFETIME
    assert RENEW_BEFORE * 4 <= subscriptions.LASTS
    assert all(LIFETIME > subscriptions._end(NOW) - NOW >= subscriptions.LASTS - subscriptions.SPREAD for _ in range(9))
