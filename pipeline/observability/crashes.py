"""Errors as logs may show them: types and places, and messages of our own only.

Another library's message may quote what it stumbled over: a row, a name, an address with a token.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator

from structlog.typing import ExcInfo

from pipeline.errors import PipelineError


def trace(error: BaseException) -> str:
    """The error and what caused it, first cause first, each with the lines of code it went through."""
    return "\n".join("\n".join(_told(one)) for one in reversed(list(_chain(error))))


def told(exc_info: ExcInfo) -> str:
    """The same, as structlog asks for it."""
    return trace(exc_info[1])


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        if isinstance(following, BaseExceptionGroup):
            for inner in following.exceptions:
                yield from _chain(inner)
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def _told(error: BaseException) -> Iterator[str]:
    yield "Traceback (most recent call last):"
    yield from (line.rstrip("\n") for line in traceback.format_tb(error.__traceback__))
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    yield f"{name}: {error}" if isinstance(error, PipelineError) else f"{name} (its message is left out)"
