"""Rounds of delta queries: what they name, how they go on and how they end."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ProviderUnavailableError
from pipeline.providers.microsoft365 import delta
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.delta import MOST_CHANGES, Named, Round
from pipeline.providers.microsoft365.payloads import Mention, Removal

if TYPE_CHECKING:
    from tests.unit.providers.conftest import ScriptedGraph

LINK = "https://graph.test/v1.0/users/delta?$deltatoken=one"
NEXT = "https://graph.test/v1.0/users/delta?$skiptoken=two"
LATER = "https://graph.test/v1.0/users/delta?$deltatoken=three"


def entry(name: str, reason: str | None = None) -> dict[str, object]:
    return {"id": name} if reason is None else {"id": name, "@removed": {"reason": reason}}


def mention(name: str, reason: str | None) -> Mention:
    return Mention(id=name, removed=None if reason is None else Removal(reason=reason))


MENTIONS = st.lists(st.builds(mention, st.sampled_from("abcdef"), st.sampled_from([None, "changed", "deleted"])))


@given(mentions=MENTIONS, chance=st.randoms(use_true_random=False), cuts=st.lists(st.integers(0, 20)))
def test_order_repetition_and_pages_do_not_change_what_is_named(
    mentions: list[Mention], chance: Random, cuts: list[int]
) -> None:
    told = Named().joined(mentions)
    shuffled = mentions * 2
    chance.shuffle(shuffled)
    replayed = Named()
    bounds = sorted({0, *cuts, len(shuffled)})
    for begin, end in pairwise(bounds):
        replayed = replayed.joined(shuffled[begin:end])
    assert replayed == told
    assert told.again | told.purged == {one.id for one in mentions}
    assert not told.again & told.purged


def test_only_what_is_purged_and_nothing_else_needs_no_look() -> None:
    told = [mention("kept", None), mention("bin", "changed"), mention("gone", "deleted"), mention("odd", "new word")]
    assert Named().joined(told) == Named(again=frozenset({"kept", "bin", "odd"}), purged=frozenset({"gone"}))


def since(graph: ScriptedGraph, link: str = LINK) -> Round | None:
    async def work(client: GraphClient) -> Round | None:
        return await delta.changes_since(client, link)

    return graph.run(work)


def test_a_round_is_followed_through_its_pages_to_the_link_of_the_next(graph: ScriptedGraph) -> None:
    first = graph.delta(entry("a"), next_link=NEXT)
    graph.on("/users/delta", first, graph.delta(next_link=NEXT + "x"), graph.delta(entry("b", "deleted"), link=LATER))
    assert since(graph) == Round(named=Named(again=frozenset("a"), purged=frozenset("b")), link=LATER)
    assert [str(request.url) for request in graph.requests] == [LINK, NEXT, NEXT + "x"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (410, "resyncRequired"),
        (410, ""),
        (400, "SyncStateNotFound"),
        (404, "syncstatenotfound"),
        (403, "ResyncRequired"),
        (400, "Request_BadRequest"),
        (501, "NotImplemented"),
    ],
)
def test_a_link_that_is_refused_for_good_asks_for_a_full_reading(graph: ScriptedGraph, status: int, code: str) -> None:
    graph.on("/users/delta", graph.error(status, code, Location="https://graph.test/v1.0/users/delta?$deltatoken="))
    assert since(graph) is None
    assert len(graph.requests) == 1


@pytest.mark.parametrize("link", ["https://elsewhere.test/v1.0/users/delta", "%%%", "x", "http://graph.test/v1.0/x"])
def test_a_link_of_another_host_is_not_followed(graph: ScriptedGraph, link: str) -> None:
    assert since(graph, link) is None
    assert graph.requests == []


def test_pages_that_expire_begin_the_round_again_but_not_for_ever(graph: ScriptedGraph) -> None:
    expired, first = graph.error(400, "Directory_ExpiredPageToken"), graph.delta(entry("a"), next_link=NEXT)
    graph.on("/users/delta", first, expired, graph.delta(entry("b"), link=LATER))
    assert since(graph) == Round(named=Named(again=frozenset("b")), link=LATER)
    graph.turns.clear()
    assert since(graph.on("/users/delta", expired)) is None


def test_trouble_that_passes_is_no_reason_for_a_full_reading(graph: ScriptedGraph) -> None:
    with pytest.raises(ProviderUnavailableError):
        since(graph.on("/users/delta", graph.error(503, "x")))


@pytest.mark.parametrize("pages", [1, 3])
def test_too_many_changes_ask_for_a_full_reading_without_being_read_to_their_end(
    graph: ScriptedGraph, pages: int
) -> None:
    page = [entry(str(number)) for number in range(MOST_CHANGES + 1)]
    graph.on("/users/delta", *[graph.delta(*page, next_link=NEXT)] * pages)
    assert since(graph) is None
    assert len(graph.requests) == 1


def test_a_round_without_an_end_ends(graph: ScriptedGraph) -> None:
    assert since(graph.on("/users/delta", graph.delta(next_link=NEXT))) is None
    assert len(graph.requests) == 2
    assert since(graph.on("/users/delta", graph.page())) is None


@pytest.mark.parametrize("status", [403, 400, 501])
def test_a_tenant_that_gives_no_link_is_read_without_one(graph: ScriptedGraph, status: int) -> None:
    async def work(client: GraphClient) -> tuple[str, str]:
        return await delta.latest(client, "/users/delta?$deltatoken=latest"), await delta.latest(client, "/x")

    graph.on("/users/delta", graph.error(status, "x")).on("/x", graph.delta(link=LATER))
    assert graph.run(work) == ("", LATER)
