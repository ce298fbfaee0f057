"""Batches: every item has an answer of its own, is tried again by itself, and can do without."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import pytest

from pipeline.errors import (
    DeadlineExceededError,
    PipelineError,
    ProviderRejectedError,
    ProviderUnavailableError,
    TenantUnreachableError,
    ThrottledError,
)
from pipeline.providers.microsoft365.batch import BatchReader, Found, next_size, read_out
from pipeline.providers.microsoft365.client import Envelope, GraphClient
from pipeline.providers.microsoft365.refusals import MissingPermissionError

if TYPE_CHECKING:
    from tests.unit.providers.conftest import ScriptedGraph

Answers = list[Found[Envelope] | PipelineError]


def read(graph: ScriptedGraph, *chunks: Sequence[str], deadline: float | None = None) -> list[Answers]:
    async def work(client: GraphClient) -> list[Answers]:
        batches = BatchReader(client)
        return [await batches.read(paths, Envelope) for paths in chunks]

    return graph.run(work, deadline=deadline)


def body(answer: Found[Envelope] | PipelineError) -> bytes:
    assert isinstance(answer, Found), answer
    return answer.body


def test_answers_come_in_the_order_of_the_questions_and_as_they_were_given(graph: ScriptedGraph) -> None:
    graph.on("/a", graph.raw(b'{"value":[{"id":"1","x":1.50}]}')).on("/b", graph.page({"id": "2"}))
    (answers,) = read(graph, ["/a?$top=999", "/b"])
    assert [json.loads(body(one)) for one in answers] == [{"value": [{"id": "1", "x": 1.5}]}, {"value": [{"id": "2"}]}]
    assert graph.batches == [["/a?$top=999", "/b"]]
    assert len(graph.requests) == 1


def test_an_items_text_is_kept_byte_by_byte() -> None:
    text = b'{"value": [ {"id":"1", "x":1.50, "y":"\\u00e4"} ]}'
    answer = b'{"responses":[{"id":"0","status":200,"headers":{},"body":' + text + b"}]}"
    assert body(read_out(answer, ["0"], Envelope)["0"]) == text


def test_twenty_go_at_a_time(graph: ScriptedGraph) -> None:
    graph.otherwise = graph.page()
    read(graph, [f"/{number}" for number in range(45)])
    assert [len(batch) for batch in graph.batches] == [20, 20, 5]


def test_throttled_items_alone_are_asked_for_again_each_after_its_own_time(graph: ScriptedGraph) -> None:
    graph.on("/a", graph.page()).on("/b", graph.error(429, "x", Retry_After="7"), graph.page())
    graph.on("/c", graph.error(429, "x", Retry_After="3"), graph.page()).on("/d", graph.page()).on("/e", graph.page())
    (answers,) = read(graph, ["/a", "/b", "/c", "/d", "/e"])
    assert graph.batches == [["/a", "/b", "/c", "/d", "/e"], ["/c"], ["/b"]]
    assert graph.time.slept == [3.25, 4.0]
    assert all(body(answer) for answer in answers)


def test_items_in_trouble_wait_ever_longer_and_end_with_their_error(graph: ScriptedGraph) -> None:
    graph.on("/a", graph.error(503, "x")).on("/b", graph.page())
    (answers,) = read(graph, ["/a", "/b"])
    assert isinstance(answers[0], ProviderUnavailableError)
    assert body(answers[1])
    assert graph.batches == [["/a", "/b"], *[["/a"]] * 7]
    assert graph.time.slept == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_an_item_refused_for_good_is_not_asked_for_again(graph: ScriptedGraph) -> None:
    graph.on("/a", graph.error(404, "Request_ResourceNotFound")).on("/b", graph.error(403, "x"))
    (answers,) = read(graph, ["/a", "/b"])
    assert [type(answer) for answer in answers] == [ProviderRejectedError, MissingPermissionError]
    assert len(graph.batches) == 1


def test_an_item_that_is_told_unlicensed_is_asked_for_again_as_any_read_is(graph: ScriptedGraph) -> None:
    refusal = graph.error(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    (answers,) = read(graph.on("/a", refusal, refusal, graph.page()), ["/a"])
    assert body(answers[0])


def test_an_item_has_no_time_after_the_deadline(graph: ScriptedGraph) -> None:
    graph.on("/a", graph.error(429, "x", Retry_After="60"))
    (answers,) = read(graph, ["/a"], deadline=30.0)
    assert isinstance(answers[0], ThrottledError)
    assert graph.time.slept == []
    graph.time.now = 31.0
    with pytest.raises(DeadlineExceededError):
        read(graph, ["/a"], deadline=30.0)


@pytest.mark.parametrize("failure", [(400, "BadRequest"), (404, "x"), (501, "NotImplemented"), (503, "x")])
def test_without_batches_everything_is_read_one_by_one_from_then_on(
    graph: ScriptedGraph, failure: tuple[int, str]
) -> None:
    graph.on("/$batch", graph.error(*failure)).on("/a", graph.page({"id": "1"})).on("/b", graph.error(404, "x"))
    answers, later = read(graph, ["/a", "/b"], ["/a"])
    assert body(answers[0]) == body(later[0]) == b'{"value": [{"id": "1"}]}'
    assert isinstance(answers[1], ProviderRejectedError)
    assert len({str(batch) for batch in graph.batches}) == 1, "a batch is not tried again with other items"


@pytest.mark.parametrize(
    ("status", "kind", "requests"),
    [(403, MissingPermissionError, 1), (401, TenantUnreachableError, 2)],
)
def test_a_tenant_that_refuses_us_is_not_asked_item_by_item(
    graph: ScriptedGraph, status: int, kind: type[PipelineError], requests: int
) -> None:
    """A refused token is replaced once, and that is all."""
    graph.on("/$batch", graph.error(status, "x"))
    with pytest.raises(kind):
        read(graph, ["/a"])
    assert len(graph.requests) == requests


def test_what_microsoft_leaves_out_or_cuts_is_asked_for_again() -> None:
    responses = [{"id": "1", "status": 200, "body": {"error": "none"}}, {"id": "2", "status": 424}]
    found = read_out(msgspec.json.encode({"responses": responses}), ["0", "1", "2"], Envelope)
    assert [type(found[key]) for key in ("0", "1", "2")] == [ProviderUnavailableError] * 3


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"responses": [{"id": 1}]}'])
def test_an_answer_that_is_no_batch_is_trouble(answer: bytes) -> None:
    with pytest.raises(ProviderUnavailableError):
        read_out(answer, ["0"], Envelope)


@pytest.mark.parametrize(
    ("size", "throttled", "answered", "expected"),
    [(20, 11, 20, 10), (20, 10, 20, 20), (1, 1, 1, 1), (10, 0, 10, 20), (10, 1, 10, 10), (5, 0, 5, 10), (20, 0, 3, 20)],
)
def test_batches_shrink_when_most_of_one_is_throttled_and_grow_again(
    size: int, throttled: int, answered: int, expected: int
) -> None:
    answers = [ThrottledError("x")] * throttled + [None] * (answered - throttled)
    assert next_size(size, answers) == expected
