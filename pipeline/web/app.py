"""The application behind ``mspbyte web``: health, metrics, and where Microsoft delivers change notifications."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import anyio.to_thread
import structlog
from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pipeline.errors import PipelineError
from pipeline.settings import Settings
from pipeline.web.checks import checks_of, look_at
from pipeline.web.notifications import Notifications

if TYPE_CHECKING:
    from pipeline.observability.metrics.collector import Metrics

log = structlog.get_logger(__name__)

LOOKS_AT_ONCE = 8
"""Threads for health checks; when servers hang, further requests are told so instead of piling up."""
FRESH = {"Cache-Control": "no-store"}


def create_app(settings: Settings) -> Starlette:
    """The ASGI application. Nothing is connected before it is asked for, so it starts with every server down."""
    site = _Site(settings=settings)
    notifications = Notifications(settings=settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        site.close()
        notifications.close()

    return Starlette(
        routes=[
            Route("/health/live", live),
            Route("/health", site.health),
            Route("/health/ready", site.health),
            Route("/metrics", site.metrics),
            *notifications.routes(),
        ],
        exception_handlers={HTTPException: _refused, Exception: _failed},
        lifespan=lifespan,
    )


async def live(_: Request) -> Response:
    """200 as long as the process answers; a supervisor restarts it otherwise."""
    return JSONResponse({"live": True}, headers=FRESH)


@dataclass(kw_only=True)
class _Site:
    """What the pages share."""

    settings: Settings
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _metrics: Metrics | None = None
    _limiter: CapacityLimiter | None = None

    async def health(self, _: Request) -> Response:
        """200 when everything a sync needs is there, 503 otherwise; the body says what and how to mend it."""
        # Made here, because it belongs to the running event loop.
        self._limiter = self._limiter or CapacityLimiter(LOOKS_AT_ONCE)
        readiness = await look_at(checks_of(self.settings), self._limiter)
        body = {
            "ready": readiness.ready,
            "score": readiness.score,
            "checks": [asdict(finding) for finding in readiness.findings],
        }
        return JSONResponse(body, 200 if readiness.ready else 503, headers=FRESH)

    async def metrics(self, request: Request) -> Response:
        """The exporter's metrics; 404 when they are turned off."""
        if not self.settings.enable_prometheus:
            return PlainTextResponse("Metrics are turned off by ENABLE_PROMETHEUS=false.\n", 404)
        return await anyio.to_thread.run_sync(self._exposition, request.headers.get("accept", ""))

    def _exposition(self, accepted: str) -> Response:
        # Imported here: with metrics off, none of it is loaded.
        from prometheus_client.exposition import choose_encoder  # noqa: PLC0415 - costs nothing where metrics are off

        try:
            registry = self._opened().registry
        except PipelineError as error:
            return PlainTextResponse(f"{error}\n", 503)
        encode, content_type = choose_encoder(accepted)
        return Response(encode(registry), media_type=content_type)

    def _opened(self) -> Metrics:
        """This process's metrics; one for all requests, because counters count on."""
        from pipeline.observability.metrics.collector import Metrics  # noqa: PLC0415 - as above

        with self._lock:
            if self._metrics is None:
                self._metrics = Metrics(self.settings)
            return self._metrics

    def close(self) -> None:
        with self._lock:
            if self._metrics is not None:
                self._metrics.close()


async def _refused(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return PlainTextResponse("There is nothing here; see /health and /metrics.\n", status)


async def _failed(request: Request, error: Exception) -> Response:
    log.error("page_failed", path=request.url.path, error=type(error).__name__)
    return PlainTextResponse("That went wrong here; the log of `mspbyte web` says how.\n", 500)
