"""Answers that do not come over the wire as they should."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from graphsim.protocol.exchange import Answer
from graphsim.trouble.faults import Delivery, Fault

ABORT = "graphsim.abort"
"""The ASGI extension with which the server lends the means to abort the connection."""
_PIECES = 20
_CUT_AFTER = 16_384  # fits the socket's buffer, so that it is sent before the connection ends
_ON_ITS_WAY = 0.05  # seconds for the first part to leave


class TroubledResponse(Response):
    """A response that is cut, slow, late or malformed."""

    def __init__(self, answer: Answer, fault: Fault) -> None:
        body = answer.body[: len(answer.body) // 2] if fault.delivery is Delivery.MALFORMED else answer.body
        super().__init__(body, status_code=answer.status, headers=dict(answer.headers))
        self._delivery = fault.delivery
        self._seconds = fault.seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._delivery is Delivery.HANG and await _left(receive, self._seconds):
            return
        if self._delivery is Delivery.CUT:
            await self._cut(scope, receive, send)
        elif self._delivery is Delivery.SLOW:
            await self._trickle(receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def _start(self, send: Send) -> bytes:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        return bytes(self.body)

    async def _cut(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self._start(send)
        part = body[: min(len(body) // 2, _CUT_AFTER)]
        await send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.sleep(_ON_ITS_WAY)
        cast("Callable[[], None]", scope["extensions"][ABORT])()
        await _left(receive, None)

    async def _trickle(self, receive: Receive, send: Send) -> None:
        body = await self._start(send)
        size = max(1, -(-len(body) // _PIECES))
        for at in range(0, len(body), size):
            if await _left(receive, self._seconds * size / len(body)):
                return
            await send({"type": "http.response.body", "body": body[at : at + size], "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive, seconds: float | None) -> bool:
    """Whether the client goes away within so many seconds; waits for as long as it doesn't, ``None`` for ever."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True
