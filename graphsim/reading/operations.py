"""What is more than reading a list or an object: functions such as ``users/delta`` and whatever changes something.

Paths are matched segment by segment before lists and objects are, in any case of letters; ``KEY`` stands for an id.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from graphsim.deltas import delta
from graphsim.notifying import subscriptions
from graphsim.protocol.exchange import Answer, GraphRequest
from graphsim.reading.collection import KEY
from graphsim.reading.single_reads import SINGLE_READS
from graphsim.simulator import Simulator
from graphsim.world.state import TenantState

Operation = Callable[[TenantState, GraphRequest], Answer]
"""Answers, or raises ``GraphError``. Looks at the method itself; knows no HTTP server."""
AsyncOperation = Callable[[Simulator, TenantState, GraphRequest], Awaitable[Answer]]
"""The same for what has to wait for others, a handshake for instance."""

OPERATIONS: tuple[tuple[tuple[str, ...], Operation], ...] = (
    (("users", "delta"), delta.users),
    (("groups", "delta"), delta.groups),
    (("directoryRoles", "delta"), delta.directory_roles),
    *SINGLE_READS,
)
"""Path after ``/v1.0/`` and what answers: ``(("users", "delta"), delta.users)``. ``users/delta()`` is the same path."""

ASYNC_OPERATIONS: tuple[tuple[tuple[str, ...], AsyncOperation], ...] = (
    (("subscriptions",), subscriptions.collection),
    (("subscriptions", KEY), subscriptions.one),
    (("subscriptions", KEY, "reauthorize"), subscriptions.reauthorize),
)
