"""Domain events: what is told to others, through the outbox, on NATS subjects that are contracts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID, uuid4

from pipeline.domain.capture import SyncType
from pipeline.domain.providers import PROVIDER_OF, Provider

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]

STREAM = "MSPBYTE"
SUBJECTS = (
    "microsoft-365.sync.*",
    "halopsa.sync.*",
    "fetched.*",
    "processed.*",
    "linked.*",
    "analysis.unified",
    "alert.*",
    "comparison.completed",
    "flag.changed",
    "rollout.*",
)
"""Everything the JetStream stream takes."""

SYNC_SUBJECT: Mapping[Provider, str] = {
    Provider.MICROSOFT365: "microsoft-365.sync",
    Provider.HALOPSA: "halopsa.sync",
}


class AlertAction(StrEnum):
    """What happened to an alert; the last part of its event's subject."""

    CREATED = "created"
    UPDATED = "updated"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One event. ``id`` becomes ``Nats-Msg-Id``; the payload holds ids and counts, never personal data."""

    subject: str
    payload: Mapping[str, JsonValue]
    id: UUID = field(default_factory=uuid4)


def sync_requested(sync_type: SyncType, payload: Mapping[str, JsonValue]) -> Event:
    return Event(subject=f"{SYNC_SUBJECT[PROVIDER_OF[sync_type]]}.{sync_type.value}", payload=payload)


def fetched(sync_type: SyncType, payload: Mapping[str, JsonValue]) -> Event:
    return Event(subject=f"fetched.{sync_type.value}", payload=payload)


def processed(sync_type: SyncType, payload: Mapping[str, JsonValue]) -> Event:
    return Event(subject=f"processed.{sync_type.value}", payload=payload)


def linked(sync_type: SyncType, payload: Mapping[str, JsonValue]) -> Event:
    return Event(subject=f"linked.{sync_type.value}", payload=payload)


def analyzed(payload: Mapping[str, JsonValue]) -> Event:
    return Event(subject="analysis.unified", payload=payload)


def alert_changed(action: AlertAction, payload: Mapping[str, JsonValue]) -> Event:
    return Event(subject=f"alert.{action.value}", payload=payload)


def comparison_completed(payload: Mapping[str, JsonValue]) -> Event:
    return Event(subject="comparison.completed", payload=payload)
