"""When changes are enough, and when everything is read again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.domain.capture import LastReading, Resource
from pipeline.stages.cadence import READ_ALONG, changes_suffice

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
USERS = (Resource.USERS, Resource.SIGN_IN_ACTIVITY, Resource.REGISTRATION_DETAILS)


def read(
    *,
    ago: timedelta = timedelta(hours=1),
    token: str = "here",  # noqa: S107 - a place in a list of changes, no secret
    complete: bool = True,
    refused: bool = False,
) -> LastReading:
    return LastReading(complete=complete, refused=refused, read_in_full_at=NOW - ago, token=token)


def whole(**of_users: LastReading) -> dict[Resource, LastReading]:
    """Everything read whole an hour ago; only what changes can be read of has a token."""
    found = {one: read(token="") for one in Resource} | {one: read(token=one.value) for one in READ_ALONG}
    return found | {Resource[name]: reading for name, reading in of_users.items()}


def since(last: dict[Resource, LastReading], wanted: tuple[Resource, ...] = USERS) -> dict[Resource, str]:
    return changes_suffice(wanted, last, NOW, whole_every=DAY)


def test_after_a_whole_reading_changes_suffice_for_the_list_and_what_comes_with_it() -> None:
    assert since(whole()) == dict.fromkeys(USERS, "users")


def test_only_what_is_wanted_is_spoken_of() -> None:
    assert since(whole(), (Resource.GROUPS, Resource.GROUP_MEMBERS, Resource.POLICIES)) == {
        Resource.GROUPS: "groups",
        Resource.GROUP_MEMBERS: "groups",
    }


@pytest.mark.parametrize(
    "users",
    [
        pytest.param(read(token=""), id="no token"),
        pytest.param(read(complete=False), id="the last reading was cut"),
        pytest.param(read(ago=DAY), id="the last whole reading is a day old"),
        pytest.param(LastReading(complete=True, refused=False, read_in_full_at=None, token="t"), id="never read whole"),
    ],
)
def test_otherwise_the_list_is_read_whole(users: LastReading) -> None:
    assert since(whole(USERS=users)) == {}


@pytest.mark.parametrize("along", READ_ALONG[Resource.USERS])
def test_a_gap_in_what_comes_with_the_users_makes_their_next_reading_a_whole_one(along: Resource) -> None:
    assert since(whole() | {along: read(complete=False)}) == {}
    assert since(whole() | {along: read(ago=DAY + timedelta(minutes=1))}) == {}


REFUSED = LastReading(complete=False, refused=True, read_in_full_at=None)


def test_what_is_refused_beside_a_list_keeps_nobody_from_reading_its_changes() -> None:
    last = whole() | {Resource.SIGN_IN_ACTIVITY: REFUSED, Resource.REGISTRATION_DETAILS: REFUSED}

    assert since(last) == {Resource.USERS: "users"}, "and is not asked for"


def test_what_is_refused_is_asked_for_again_some_hours_later() -> None:
    last = whole(USERS=read(token="users", ago=timedelta(hours=6))) | {Resource.SIGN_IN_ACTIVITY: REFUSED}

    assert since(last) == {}


def test_a_list_that_is_refused_itself_is_read_whole() -> None:
    assert since(whole(USERS=read(complete=False, refused=True))) == {}


def test_a_source_never_read_is_read_whole() -> None:
    assert since({}) == {}


def test_without_an_interval_everything_is_read_whole_each_time() -> None:
    assert changes_suffice(USERS, whole(), NOW + timedelta(hours=2), whole_every=timedelta()) == {}
