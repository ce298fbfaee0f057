"""Is an account in use? One answer for the rules on stale users and on wasted licences, which share it.

https://learn.microsoft.com/graph/api/resources/signinactivity
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pipeline.domain.entities import Identity

SUCCESSES_RECORDED_SINCE = datetime(2023, 12, 1, tzinfo=UTC)
"""Microsoft records the last successful sign-in from this day on and did not fill in earlier ones."""


class Use(StrEnum):
    STALE = "stale"
    IN_USE = "in_use"
    """In use, or too new to be called stale."""
    DISABLED = "disabled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """``why`` is the rest of a sentence about the user for ``STALE``, the reason for ``UNKNOWN``."""

    use: Use
    why: str = ""
    never: bool = False
    """No sign-in was ever seen, not even a failed one."""


_IN_USE = Activity(use=Use.IN_USE)
_DISABLED = Activity(use=Use.DISABLED)


def cutoff(now: datetime, days: int) -> datetime:
    """The moment after which a sign-in makes an account used; one exactly then still does."""
    return now - timedelta(days=days)


def activity(user: Identity, since: datetime, *, unreadable: str | None) -> Activity:
    """How the account is used, ``since`` being the cutoff and ``unreadable`` why sign-ins were not read."""
    if user.enabled is None:
        return Activity(use=Use.UNKNOWN, why="whether the account is enabled was not read")
    if not user.enabled:
        return _DISABLED
    if unreadable is not None:
        return Activity(use=Use.UNKNOWN, why=unreadable)
    success = user.last_successful_sign_in_at
    if success is None:
        return _without_success(user, since)
    return Activity(use=Use.STALE, why=f"last signed in on {success:%Y-%m-%d}") if success < since else _IN_USE


def _without_success(user: Identity, since: datetime) -> Activity:
    """No success is recorded: told from attempts, the account's age and what Microsoft records."""
    created = user.created_at
    if created is not None and created >= since:
        return _IN_USE
    attempts = (user.last_sign_in_attempt_at, user.last_non_interactive_attempt_at)
    latest = max((attempt for attempt in attempts if attempt is not None), default=None)
    if latest is not None and latest < since:
        return Activity(use=Use.STALE, why=f"last tried to sign in on {latest:%Y-%m-%d}")
    if created is None:
        return Activity(use=Use.UNKNOWN, why="when the account was created was not read")
    if latest is None:
        return Activity(
            use=Use.STALE, why=f"never signed in since the account was created on {created:%Y-%m-%d}", never=True
        )
    if since >= SUCCESSES_RECORDED_SINCE:
        return Activity(use=Use.STALE, why=f"has had no successful sign-in since {created:%Y-%m-%d}, only failed ones")
    return Activity(use=Use.UNKNOWN, why="Microsoft records successful sign-ins only since December 2023")
