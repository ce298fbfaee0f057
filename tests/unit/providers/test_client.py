"""The HTTP client: what it sends, when it tries again and what it makes of refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import (
    DeadlineExceededError,
    PipelineError,
    ProviderRejectedError,
    ProviderUnavailableError,
    TenantUnreachableError,
    ThrottledError,
)
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.refusals import (
    ExpiredPageTokenError,
    MissingPermissionError,
    NonPremiumTenantError,
)
from pipeline.providers.microsoft365.spool import Spool

if TYPE_CHECKING:
    from tests.unit.providers.conftest import ScriptedGraph


def read(
    graph: ScriptedGraph,
    path: str = "/users",
    *,
    eventual: bool = False,
    deadline: float | None = None,
    low: bool = False,
) -> list[bytes]:
    with Spool() as spool:

        async def work(client: GraphClient) -> None:
            await client.read_list(path, spool, eventual=eventual)

        graph.run(work, deadline=deadline, low=low)
        return list(spool)


NEXT = "https://graph.test/v1.0/next?$skiptoken=a%2Fb%3D&$select=id"


def test_a_list_is_followed_by_its_links_verbatim_through_empty_pages(graph: ScriptedGraph) -> None:
    graph.on("/users", graph.page({"id": "u"}, next_link=NEXT))
    graph.on("/next", graph.page(next_link=NEXT + "&again"), graph.page({"id": "v"}))
    pages = read(graph, "/users?$select=id&$top=500")
    assert len(pages) == 3
    assert [str(request.url) for request in graph.requests] == [
        "https://graph.test/v1.0/users?$select=id&$top=500",
        NEXT,
        NEXT + "&again",
    ]


def test_every_page_carries_the_same_headers(graph: ScriptedGraph) -> None:
    graph.on("/users", graph.page(next_link=NEXT)).on("/next", graph.page())
    read(graph, eventual=True, low=True)
    first, second = (request.headers for request in graph.requests)
    for name in ("authorization", "consistencylevel", "x-ms-throttle-priority", "accept"):
        assert first[name] == second[name]
    assert first["authorization"] == "Bearer token-1"
    assert first["consistencylevel"] == "eventual"
    assert first["x-ms-throttle-priority"] == "low"
    assert first["client-request-id"] != second["client-request-id"]


def test_plain_reads_ask_for_nothing_special(graph: ScriptedGraph) -> None:
    read(graph.on("/users", graph.page()))
    assert {"consistencylevel", "x-ms-throttle-priority"}.isdisjoint(graph.requests[0].headers)


@pytest.mark.parametrize("link", ["https://elsewhere.test/v1.0/x", "http://graph.test/v1.0/x", "https://[", "/users"])
def test_the_token_does_not_follow_a_link_to_another_host(graph: ScriptedGraph, link: str) -> None:
    graph.on("/users", graph.page(next_link=link))
    with pytest.raises(ProviderRejectedError) as caught:
        read(graph)
    assert caught.value.code == "foreignLink"
    assert len(graph.requests) == 1


def test_a_list_that_leads_back_into_itself_ends(graph: ScriptedGraph) -> None:
    graph.on("/users", graph.page(next_link=NEXT)).on("/next", graph.page(next_link=NEXT))
    with pytest.raises(ProviderRejectedError) as caught:
        read(graph)
    assert caught.value.code == "pageLoop"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_trouble_is_waited_out(graph: ScriptedGraph, status: int) -> None:
    graph.on("/users", graph.error(status, "x"), graph.error(status, "x"), graph.page({"id": "u"}))
    assert len(read(graph)) == 1
    assert graph.time.slept == [0.5, 1.0]


def test_the_server_says_how_long_to_wait(graph: ScriptedGraph) -> None:
    graph.on("/users", graph.error(429, "TooManyRequests", Retry_After="7"), graph.page())
    read(graph)
    assert graph.time.slept == [7.25]


@pytest.mark.parametrize("body", [b'{"value": [{"id": "u"', b"<html>", b"", b'{"error": null}'])
def test_an_answer_that_is_no_page_is_asked_for_again(graph: ScriptedGraph, body: bytes) -> None:
    graph.on("/users", graph.raw(body), graph.page())
    assert read(graph) == [b'{"value": []}']


REFUSALS = [
    (403, "Authorization_RequestDenied", MissingPermissionError),
    (403, "AccessDenied", MissingPermissionError),
    (403, "Authentication_MSGraphPermissionMissing", MissingPermissionError),
    (403, "UnknownError", MissingPermissionError),
    (403, "", MissingPermissionError),
    (401, "InvalidAuthenticationToken", TenantUnreachableError),
    (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", NonPremiumTenantError),
    (400, "Request_UnsupportedQuery", ProviderRejectedError),
    (501, "NotImplemented", ProviderRejectedError),
    (302, "", ProviderRejectedError),
    (429, "TooManyRequests", ThrottledError),
    (503, "serviceNotAvailable", ProviderUnavailableError),
    (400, "Directory_ExpiredPageToken", ExpiredPageTokenError),
]


@pytest.mark.parametrize(("status", "code", "kind"), REFUSALS)
def test_a_refusal_is_told_by_its_code(graph: ScriptedGraph, status: int, code: str, kind: type[PipelineError]) -> None:
    graph.on("/users", graph.error(status, code))
    with pytest.raises(kind) as caught:
        read(graph)
    assert type(caught.value) is kind
    assert "for people only" not in str(caught.value)
    if isinstance(caught.value, TenantUnreachableError | ProviderRejectedError):
        assert caught.value.code == (code or f"HTTP {status}")


def test_permanent_refusals_are_not_repeated(graph: ScriptedGraph) -> None:
    graph.on("/users", graph.error(403, "Authorization_RequestDenied"))
    with pytest.raises(MissingPermissionError):
        read(graph)
    assert len(graph.requests) == 1


def test_attempts_are_bounded(graph: ScriptedGraph) -> None:
    graph.on("/users", graph.error(503, "x"))
    with pytest.raises(ProviderUnavailableError):
        read(graph)
    assert len(graph.requests) == 8
    assert graph.time.slept == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_a_wait_beyond_the_deadline_is_not_begun(graph: ScriptedGraph) -> None:
    graph.on("/users", graph.error(429, "x", Retry_After="10"))
    with pytest.raises(ThrottledError) as caught:
        read(graph, deadline=5.0)
    assert graph.time.slept == []
    assert caught.value.retry_after == 10


def test_a_wait_that_blocks_a_worker_for_minutes_is_left_to_the_run(graph: ScriptedGraph) -> None:
    graph.on("/users", graph.error(503, "x", Retry_After="600"))
    with pytest.raises(ProviderUnavailableError):
        read(graph)
    assert graph.time.slept == []


def test_nothing_is_asked_for_after_the_deadline(graph: ScriptedGraph) -> None:
    graph.time.now = 10.0
    with pytest.raises(DeadlineExceededError):
        read(graph.on("/users", graph.page()), deadline=10.0)
    assert graph.requests == []


def test_a_rejected_token_is_replaced_once(graph: ScriptedGraph) -> None:
    graph.on("/users", graph.error(401, "InvalidAuthenticationToken"), graph.page())
    read(graph)
    assert [request.headers["authorization"] for request in graph.requests] == ["Bearer token-1", "Bearer token-2"]


def test_a_licensed_tenant_may_be_called_unlicensed_now_and_then(graph: ScriptedGraph) -> None:
    refusal = graph.error(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    assert len(read(graph.on("/users", refusal, refusal, graph.page()))) == 1


def test_an_expired_page_token_starts_the_list_again_without_what_it_had(graph: ScriptedGraph) -> None:
    graph.on("/users", graph.page({"id": "old"}, next_link=NEXT), graph.page({"id": "new"}, next_link=NEXT))
    graph.on("/next", graph.error(400, "Directory_ExpiredPageToken"), graph.page({"id": "end"}))
    assert read(graph)[0].count(b"new") == 1
    assert len(graph.requests) == 4


def test_a_list_that_keeps_expiring_is_given_up(graph: ScriptedGraph) -> None:
    graph.on("/users", graph.page(next_link=NEXT)).on("/next", graph.error(400, "Directory_ExpiredPageToken"))
    with pytest.raises(ExpiredPageTokenError):
        read(graph)
    assert len(graph.requests) == 6
