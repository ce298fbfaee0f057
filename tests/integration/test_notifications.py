"""Deliveries to the web process with a real PostgreSQL: what is genuine is stored before it is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text

from pipeline.domain.subscriptions import LIFECYCLE_PATH, NOTIFICATIONS_PATH
from pipeline.storage.database import Database
from pipeline.web.notifications import LONGEST_BODY, LONGEST_TOKEN
from tests.deliveries import DIRECTORIES, asked, pending, post, standing, subscribed

pytestmark = pytest.mark.servers


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "DEBOUNCE_QUIET_MS": "7000"}


@pytest.mark.parametrize("path", [NOTIFICATIONS_PATH, LIFECYCLE_PATH])
def test_microsofts_question_is_answered_with_its_token_and_without_a_database(path: str) -> None:
    token = "Validation: Testing client application reachability for subscription Request-Id: 4a/b+c=&%"

    answer = asked({}, lambda client: client.post(path, params={"validationToken": token}))

    assert (answer.status_code, answer.text) == (200, token)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_a_token_cannot_be_a_page_or_endless() -> None:
    def ask(token: str) -> httpx.Response:
        return asked({}, lambda client: client.post(NOTIFICATIONS_PATH, params={"validationToken": token}))

    assert "<" not in ask("<script>alert(1)</script>").text
    assert ask("x").headers["x-content-type-options"] == "nosniff"
    assert ask("x" * (LONGEST_TOKEN + 1)).status_code == 400


def test_one_delivery_of_several_tenants_is_stored_before_it_is_answered(
    environment: dict[str, str], database: Database
) -> None:
    first, second = subscribed(database, 0, "users"), subscribed(database, 1, "groups")
    third = subscribed(database, 1, "users")

    answer = post(environment, first, second, first, third)

    assert answer.status_code == 202
    requested = pending(database)
    assert [(trigger, kinds) for _, trigger, kinds, _ in requested] == [
        ("webhook", ["identities"]),
        ("webhook", ["groups", "identities"]),
    ]
    assert {after for *_, after in requested} == {7}
    assert standing(database) == {"users-0": (2, "", True), "groups-1": (1, "", True), "users-1": (1, "", True)}


def test_what_microsoft_cannot_have_sent_changes_nothing_and_is_not_told_apart(
    environment: dict[str, str], database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    good = subscribed(database, 0, "users")
    subscribed(database, 1, "users")
    wrong = [
        {**good, "clientState": "guessed secret"},
        {**good, "tenantId": DIRECTORIES[1]},
        {**good, "subscriptionId": "users-1"},
        {**good, "subscriptionId": "users-9"},
        {"nonsense": True},
    ]

    answers = [post(environment, one) for one in wrong]

    assert {(answer.status_code, answer.text) for answer in answers} == {(202, "")}
    assert pending(database) == []
    assert set(standing(database).values()) == {(0, "", False)}
    told = capsys.readouterr()
    assert "secret" not in told.out + told.err
    assert "users-9" not in told.out + told.err


def test_a_wrong_item_does_not_cost_the_ones_beside_it(environment: dict[str, str], database: Database) -> None:
    good = subscribed(database, 0, "users")

    assert post(environment, {**good, "clientState": "guessed"}, good, 17).status_code == 202

    assert standing(database) == {"users-0": (1, "", True)}
    assert len(pending(database)) == 1


def test_a_disabled_source_is_told_nothing(environment: dict[str, str], database: Database) -> None:
    good = subscribed(database, 0, "users")
    with database.begin() as connection:
        connection.execute(text("UPDATE data_sources SET enabled = false"))

    assert post(environment, good).status_code == 202

    assert pending(database) == []


@pytest.mark.parametrize(
    ("event", "wanted", "syncs"),
    [("reauthorizationRequired", "reauthorize", 0), ("subscriptionRemoved", "recreate", 1), ("missed", "", 1)],
)
def test_lifecycle_events_are_kept_until_they_are_done(
    environment: dict[str, str], database: Database, event: str, wanted: str, syncs: int
) -> None:
    good = subscribed(database, 0, "users")

    assert post(environment, {**good, "lifecycleEvent": event}, path=LIFECYCLE_PATH).status_code == 202

    assert standing(database) == {"users-0": (0, wanted, False)}
    assert len(pending(database)) == syncs


def test_a_lesser_event_does_not_hide_that_the_subscription_is_gone(
    environment: dict[str, str], database: Database
) -> None:
    good = subscribed(database, 0, "users")
    for event in ("subscriptionRemoved", "reauthorizationRequired"):
        post(environment, {**good, "lifecycleEvent": event}, path=LIFECYCLE_PATH)

    assert standing(database) == {"users-0": (0, "recreate", False)}


DEEP = 100_000
"""Levels of nesting, in a body that is short enough to be read."""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not JSON",
        b'{"value": {}}',
        b'{"value": [' + b"[" * DEEP + b"]" * DEEP + b"]}",
        b'{"value": [{"subscriptionId": ' + b'{"a":' * DEEP,
        b'{"a":' * DEEP,
    ],
    ids=["empty", "text", "no-list", "deep-lists", "deep-item", "deep-object"],
)
def test_what_is_no_delivery_is_refused(environment: dict[str, str], body: bytes) -> None:
    assert post(environment, body=body).status_code == 400


def test_a_body_without_an_end_is_not_read_to_it(environment: dict[str, str]) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * LONGEST_BODY:
            sent += 65_536
            yield b" " * 65_536

    answer = asked(environment, lambda client: client.post(NOTIFICATIONS_PATH, content=endless()))

    assert answer.status_code == 413
    assert sent < 2 * LONGEST_BODY


def test_a_reader_of_pages_finds_none_here(environment: dict[str, str]) -> None:
    assert asked(environment, lambda client: client.get(NOTIFICATIONS_PATH)).status_code == 405
