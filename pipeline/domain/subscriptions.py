"""Change notifications: what is subscribed to at a provider, and what has to be done about a subscription."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pipeline.domain.capture import SyncType
from pipeline.domain.runs import Scope

SYNC_TYPE_OF: Mapping[str, SyncType] = {"users": SyncType.IDENTITIES, "groups": SyncType.GROUPS}
"""What is subscribed to for each source, and what is synced when it changes. Members of a group are changes of it."""

NOTIFICATIONS_PATH = "/notifications/microsoft365"
LIFECYCLE_PATH = NOTIFICATIONS_PATH + "/lifecycle"
"""Where Microsoft delivers, under NOTIFICATION_URL."""


class WantedAction(StrEnum):
    """What Microsoft has asked for about a subscription and was not done yet."""

    NOTHING = ""
    REAUTHORIZE = "reauthorize"
    RECREATE = "recreate"


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """A subscription as it is stored. Without ``id`` Microsoft has none: it was refused, or is still to be made."""

    id: str | None
    url: str
    """Where Microsoft was told to deliver."""
    expires_at: datetime | None
    wanted: WantedAction = WantedAction.NOTHING
    next_attempt_at: datetime | None = None
    """Not before: somebody is at it, or the last attempt failed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A resource of a source that may be subscribed to, and what stands of it."""

    scope: Scope
    resource: str
    wanted: bool
    """The source is enabled and of the provider that notifies."""
    refused: bool
    """The tenant refuses us at the moment; its syncs look for whether it takes us back."""
    stored: Subscription | None


class Step(StrEnum):
    CREATE = "create"
    """Make one, in place of what there may be."""
    RENEW = "renew"
    """Move its end; that also authorizes it again."""
    DELETE = "delete"


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """One thing to do at the provider. ``subscription_id`` is the one that stands, ``None`` where none does."""

    step: Step
    scope: Scope
    resource: str
    subscription_id: str | None
    wanted: WantedAction = WantedAction.NOTHING
    """What was asked for when this was decided; later wishes stay."""
