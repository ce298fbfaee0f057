"""Trouble by order: which requests fail, how often and how. Deterministic by seed and number of the request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from graphsim.directory.seeding import derive_key, draw
from graphsim.protocol.errors import GraphError, not_premium, permission_missing


class Delivery(StrEnum):
    """How an answer comes over the wire."""

    WHOLE = "whole"
    CUT = "cut"
    """The connection is aborted in the middle of the body."""
    SLOW = "slow"
    """The body trickles over ``seconds``."""
    HANG = "hang"
    """Nothing comes for ``seconds``."""
    MALFORMED = "malformed"
    """The JSON ends in the middle, the answer says it is whole."""


BY_SERVICE = "*"
"""In place of a code: for want of a permission, in the words of the service that answers the path."""


@dataclass(kw_only=True, slots=True)
class Fault:
    """A share ``rate`` of the requests whose path (``/v1.0/users``) contains ``path_contains`` goes wrong.

    ``status`` 0 answers as ever, but not delivered whole. ``times`` is how often it may still happen, ``None`` is no
    end. ``seen`` counts the requests it looked at.
    """

    path_contains: str = ""
    status: int = 0
    code: str = ""
    retry_after: int | None = None
    times: int | None = 1
    rate: float = 1.0
    delivery: Delivery = Delivery.WHOLE
    seconds: float = 0.0
    seen: int = 0

    def error(self, path: str) -> GraphError:
        """The answer to a request for this path after ``/v1.0/``."""
        if self.code == BY_SERVICE:
            return permission_missing(path)
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return GraphError(self.status, self.code, "The simulator was told to fail this request.", headers)


def _refusing(status: int, code: str, retry_after: int | None = None) -> Fault:
    return Fault(status=status, code=code, retry_after=retry_after, times=None)


KINDS: Mapping[str, Fault] = MappingProxyType(
    {
        "429": _refusing(429, "TooManyRequests", retry_after=1),
        "429-bare": _refusing(429, "TooManyRequests"),
        "500": _refusing(500, "InternalServerError"),
        "503": _refusing(503, "ServiceUnavailable", retry_after=1),
        "503-bare": _refusing(503, "ServiceUnavailable"),
        "504": _refusing(504, "GatewayTimeout"),
        "non-premium": _refusing(403, not_premium().code),
        "consent": _refusing(403, BY_SERVICE),
        "cut": Fault(delivery=Delivery.CUT, times=None),
        "slow": Fault(delivery=Delivery.SLOW, seconds=5.0, times=None),
        "hang": Fault(delivery=Delivery.HANG, seconds=30.0, times=None),
        "malformed": Fault(delivery=Delivery.MALFORMED, times=None),
    }
)
"""The kinds by the name they are ordered with, without end and for every request. ``bare`` has no Retry-After."""


def of_kind(kind: str) -> Fault:
    """A fresh fault; ``ValueError`` says which kinds there are."""
    if kind not in KINDS:
        raise ValueError(f"a fault's kind is one of {', '.join(KINDS)}, not {kind!r}")
    return replace(KINDS[kind])


def checked(fault: Fault) -> Fault:
    """The fault, or a ``ValueError`` that says what can't be."""
    if not 0.0 < fault.rate <= 1.0:
        raise ValueError(f"a fault's rate is more than 0 and at most 1, not {fault.rate}")
    if fault.times is not None and fault.times < 1:
        raise ValueError(f"a fault happens at least once, not {fault.times} times")
    if fault.seconds < 0 or (fault.retry_after is not None and fault.retry_after < 0):
        raise ValueError("a fault's seconds are 0 or more")
    if fault.delivery is Delivery.WHOLE and not 400 <= fault.status <= 599:  # noqa: PLR2004 - HTTP's range of errors
        raise ValueError(f"a fault's status is from 400 to 599, not {fault.status}")
    return fault


def take(
    faults: list[Fault],
    *,
    seed: str,
    path: str,
    allowed: Iterable[Delivery] = tuple(Delivery),
    named: bool = False,
) -> Fault | None:
    """The first fault this request runs into. It is counted, and taken off the list after its last time.

    ``allowed`` leaves out what can't happen here: an item of a batch has no connection of its own to cut.
    ``named`` leaves out those without a path: they are for Graph, not for signing in.
    """
    for fault in faults:
        meant = fault.path_contains in path and fault.delivery in allowed and bool(fault.path_contains or not named)
        if meant and _strikes(fault, seed):
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    faults.remove(fault)
            return fault
    return None


def _strikes(fault: Fault, seed: str) -> bool:
    number = fault.seen
    fault.seen += 1
    if fault.rate >= 1.0:
        return True
    key = derive_key(seed, "fault", fault.path_contains, fault.status, fault.code, fault.delivery.value)
    return int.from_bytes(draw(key, b"strike", number)[:8], "big") < fault.rate * 2**64
