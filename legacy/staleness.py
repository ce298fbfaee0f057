"""The old idea of a stale user.

Known to be wrong: it looks at the last *attempted* interactive sign-in, so somebody else's failed guesses keep an
account fresh and non-interactive use does not; an account that has never signed in, or whose sign-ins could not be
read, counts from 1970 and is stale from its first day.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline.domain.entities import Identity

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_stale(identity: Identity, stale_after_days: int, now: datetime) -> bool:
    """Whether an enabled account's last attempt lies further back than ``stale_after_days``; exactly then is in use."""
    if not identity.enabled:
        return False
    last = identity.last_sign_in_attempt_at or EPOCH
    return now - last > timedelta(days=stale_after_days)
