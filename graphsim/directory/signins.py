"""When users last signed in, as ``signInActivity`` tells it.

https://learn.microsoft.com/graph/api/resources/signinactivity: attempts count whether they succeed or not, and
successes are recorded since 2023-12-01 only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from graphsim.directory.population import Kind
from graphsim.directory.seeding import guid
from graphsim.directory.tenants import Json, timestamp

DAY = 86_400
_UNSEEN = frozenset({Kind.INVITED, Kind.DORMANT, Kind.SHARED_MAILBOX})
_STALE = frozenset({Kind.STALE, Kind.STALE_ADMIN, Kind.STALE_GUEST})
_LAST_SEEN = {
    Kind.BREAK_GLASS: (30, 45),
    Kind.GUEST: (0, 60),
    Kind.JOINER: (0, 4),
    Kind.LEAVER: (30, 300),
    Kind.LEFT: (30, 300),
}
"""First day back and number of days to spread the last sign-in over; everyone else within 20 days."""
_NEW = frozenset({Kind.JOINER, Kind.INVITED})
_BEFORE_RECORDING = datetime(2023, 10, 31, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class SignIns:
    """The last interactive attempt, non-interactive attempt and success."""

    interactive: datetime | None = None
    non_interactive: datetime | None = None
    successful: datetime | None = None


def created_at(kind: Kind, raw: bytes, now: datetime) -> datetime:
    """When the account was made. ``raw`` is the user's draw of at least 64 bytes."""
    spread = _number(raw, 0)
    second = timedelta(seconds=_number(raw, 2) % DAY)
    if kind in _NEW:
        return now - timedelta(days=4 + spread % 24) - second
    if kind is Kind.FAILED_ONLY:
        return now - timedelta(days=120 + spread % 200) - second
    if kind is Kind.UNRECORDED:
        return _BEFORE_RECORDING - timedelta(days=600 + spread % 400) - second
    return now - timedelta(days=450 + spread % 1500) - second


def last_sign_ins(kind: Kind, raw: bytes, now: datetime) -> SignIns | None:
    """``None`` for an account that nobody ever tried to sign in to."""
    if kind in _UNSEEN:
        return None
    spread, minute = _number(raw, 4), timedelta(minutes=_number(raw, 6) % 1380)
    if kind in _STALE:
        return _stale(now - timedelta(days=100 + spread % 300) - minute, now, retried=raw[8] % 3 == 0)
    if kind is Kind.FAILED_ONLY:
        return SignIns(interactive=now - timedelta(days=1 + spread % 14) - minute)
    if kind is Kind.UNRECORDED:
        return SignIns(interactive=_BEFORE_RECORDING - timedelta(days=spread % 200) - minute)
    if kind is Kind.SERVICE:
        return SignIns(non_interactive=now - minute, successful=now - minute)
    first, days = _LAST_SEEN.get(kind, (0, 20))
    seen = now - timedelta(days=first + spread % days) - minute
    return SignIns(interactive=seen - minute, non_interactive=seen, successful=seen)


def _stale(success: datetime, now: datetime, *, retried: bool) -> SignIns:
    """With ``retried`` someone keeps trying in vain: the last attempt looks recent, the last success is not."""
    return SignIns(interactive=now - timedelta(days=3) if retried else success, successful=success)


def sign_in_activity(sign_ins: SignIns, raw: bytes) -> Json:
    """The ``signInActivity`` object."""
    return {
        "lastSignInDateTime": _written(sign_ins.interactive),
        "lastSignInRequestId": guid(raw[16:32]) if sign_ins.interactive else "",
        "lastNonInteractiveSignInDateTime": _written(sign_ins.non_interactive),
        "lastNonInteractiveSignInRequestId": guid(raw[32:48]) if sign_ins.non_interactive else "",
        "lastSuccessfulSignInDateTime": _written(sign_ins.successful),
        "lastSuccessfulSignInRequestId": guid(raw[48:64]) if sign_ins.successful else "",
    }


def _written(moment: datetime | None) -> str | None:
    return timestamp(moment) if moment else None


def _number(raw: bytes, place: int) -> int:
    return raw[place] << 8 | raw[place + 1]
