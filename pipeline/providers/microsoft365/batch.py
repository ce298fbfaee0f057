"""Many small reads in few requests: ``$batch``, each of its items with an answer of its own.

https://learn.microsoft.com/graph/json-batching
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import httpx
import msgspec
import structlog

from pipeline.errors import (
    DeadlineExceededError,
    PipelineError,
    ProviderUnavailableError,
    TenantUnreachableError,
    ThrottledError,
    TransientError,
)
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.refusals import (
    MissingPermissionError,
    NonPremiumTenantError,
    graph_error,
)
from pipeline.providers.microsoft365.together import together

log = structlog.get_logger(__name__)

LARGEST = 20
"""Items Microsoft takes in one batch."""

T = TypeVar("T")


class _Request(msgspec.Struct):
    id: str
    url: str
    method: str = "GET"


class _Response(msgspec.Struct):
    id: str
    status: int
    headers: dict[str, str] | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Answer(msgspec.Struct):
    responses: list[_Response]


@dataclass(frozen=True, kw_only=True, slots=True)
class Found(Generic[T]):
    """An answer's text, as it came, and its content."""

    body: bytes
    content: T


@dataclass(frozen=True, kw_only=True, slots=True)
class _Try:
    """One item of a batch; ``due`` is on the clock's monotonic scale."""

    number: int
    path: str
    attempt: int = 0
    due: float = 0.0


class BatchReader:
    """Reads of one tenant in batches, for as long as Microsoft takes batches; from then on one by one."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client
        self._size = LARGEST
        self._usable = True

    async def read(self, paths: Sequence[str], shape: type[T]) -> list[Found[T] | PipelineError]:
        """What each path leads to, in their order, decoded as ``shape``; or the error it ended with.

        An item in trouble is tried again by itself, after its own Retry-After where it has one. Raises what keeps
        Microsoft from answering any of them.
        """
        answers: dict[int, Found[T] | PipelineError] = {}
        waiting = [_Try(number=number, path=path) for number, path in enumerate(paths)]
        while waiting:
            sent = await self._due(waiting)
            answered, final = await self._round(sent, shape)
            waiting = [one for one in waiting if one.number not in answered]
            for one in sent:
                answer = answered[one.number]
                again = None if final else await self._again(one, answer)
                if again is None:
                    answers[one.number] = answer
                else:
                    waiting.append(again)
        return [answers[number] for number in range(len(paths))]

    async def _due(self, waiting: Sequence[_Try]) -> list[_Try]:
        """The next batch, once the first of its items is due; no item goes before it is."""
        clock = self._client.clock
        delay = min(one.due for one in waiting) - clock.monotonic()
        if delay > 0:
            await clock.sleep(delay)
        now = max(clock.monotonic(), min(one.due for one in waiting))
        return [one for one in waiting if one.due <= now][: self._size]

    async def _round(self, sent: Sequence[_Try], shape: type[T]) -> tuple[Mapping[int, Found[T] | PipelineError], bool]:
        """The answers, and whether they are final: read one by one, the client has tried again already."""
        if self._usable:
            try:
                return await self._batch(sent, shape), False
            except (DeadlineExceededError, MissingPermissionError, TenantUnreachableError, ThrottledError):
                raise
            except PipelineError as error:
                self._usable = False
                log.warning("graph_batch_unavailable", error=type(error).__name__, code=getattr(error, "code", ""))
        found = await together([self._alone(one.path, shape) for one in sent])
        return {one.number: answer for one, answer in zip(sent, found, strict=True)}, True

    async def _batch(self, sent: Sequence[_Try], shape: type[T]) -> dict[int, Found[T] | PipelineError]:
        requests = [_Request(id=str(one.number), url=one.path) for one in sent]
        body = await self._client.post_json(
            "/$batch", msgspec.json.encode({"requests": requests}), items=[one.path for one in sent]
        )
        answers = read_out(body, [request.id for request in requests], shape)
        self._size = next_size(self._size, answers.values())
        return {int(key): answer for key, answer in answers.items()}

    async def _again(self, one: _Try, answer: Found[T] | PipelineError) -> _Try | None:
        """The next try of an item in trouble; ``None`` where its answer stands."""
        if not isinstance(answer, TransientError | NonPremiumTenantError):
            return None
        try:
            wait = self._client.wait_after(one.attempt, answer)
        except PipelineError:
            return None
        if isinstance(answer, ThrottledError):
            await self._client.throttled(one.path, answer.retry_after)
        return replace(one, attempt=one.attempt + 1, due=self._client.clock.monotonic() + wait)

    async def _alone(self, path: str, shape: type[T]) -> Found[T] | PipelineError:
        try:
            return _found(await self._client.read_object(path), shape)
        except PipelineError as error:
            return error


def read_out(body: bytes, ids: Iterable[str], shape: type[T]) -> Mapping[str, Found[T] | PipelineError]:
    """Every item's answer by its id, whatever their order; an item without one may be asked for again. Pure.

    Raises ``ProviderUnavailableError`` when the answer is none of a batch.
    """
    try:
        responses = {one.id: one for one in msgspec.json.decode(body, type=_Answer).responses}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProviderUnavailableError("Microsoft's answer to a batch is none") from error
    return {key: _item(responses.get(key), shape) for key in ids}


def _item(response: _Response | None, shape: type[T]) -> Found[T] | PipelineError:
    if response is None:
        return ProviderUnavailableError("Microsoft left a request of a batch unanswered")
    body = bytes(response.body)
    if response.status == httpx.codes.OK:
        try:
            return _found(body, shape)
        except ProviderUnavailableError as error:
            return error
    if response.status == httpx.codes.FAILED_DEPENDENCY:
        return ProviderUnavailableError("Microsoft let a request of a batch wait for another")
    return graph_error(httpx.Response(response.status, headers=response.headers, content=body))


def _found(body: bytes, shape: type[T]) -> Found[T]:
    try:
        return Found(body=body, content=msgspec.json.decode(body, type=shape))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProviderUnavailableError("Microsoft's answer was cut short") from error


def next_size(size: int, answers: Iterable[object]) -> int:
    """How large the next batch is: half of this one when most of it was throttled, else twice. Pure."""
    throttled = [isinstance(answer, ThrottledError) for answer in answers]
    if 2 * sum(throttled) > len(throttled):
        return max(1, size // 2)
    return min(LARGEST, size if any(throttled) else size * 2)
