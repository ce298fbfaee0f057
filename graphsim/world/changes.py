"""The change log of a tenant: what happened, in order, and whose delta it shows up in.

It grows with what happens, not with the tenant, and keeps the last ``LIMIT`` changes: a delta token older than that
has to be told to start anew, as Graph does with tokens whose state it lost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

LIMIT = 20_000


class Resource(StrEnum):
    """Which list an object belongs to; the first three have a delta."""

    USERS = "users"
    GROUPS = "groups"
    ROLES = "directoryRoles"
    POLICIES = "identity/conditionalAccess/policies"
    SKUS = "subscribedSkus"
    TENANT = "organization"


class Kind(StrEnum):
    """What happened to the object."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    """Into the recycle bin, where it can be restored from."""
    PURGED = "purged"
    RESTORED = "restored"


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A user or group (``type_name`` is ``user`` or ``group``) that came into a group or role, or left it."""

    type_name: str
    id: str
    added: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One change. ``at`` is in seconds since 1970; ``properties`` are Graph's names of what is different now."""

    sequence: int
    at: float
    resource: Resource
    kind: Kind
    id: str
    properties: frozenset[str] = frozenset()
    member: Member | None = None


@dataclass(kw_only=True, slots=True)
class ChangeLog:
    """Sequence numbers begin at 1. ``listener`` is called after every change, in the thread that made it."""

    limit: int = LIMIT
    last: int = 0
    kept: deque[Change] = field(default_factory=deque)
    listener: Callable[[], None] | None = None

    def add(
        self,
        at: float,
        resource: Resource,
        kind: Kind,
        object_id: str,
        *properties: str,
        member: Member | None = None,
    ) -> None:
        self.last += 1
        self.kept.append(
            Change(
                sequence=self.last,
                at=at,
                resource=resource,
                kind=kind,
                id=object_id,
                properties=frozenset(properties),
                member=member,
            )
        )
        if len(self.kept) > self.limit:
            self.kept.popleft()
        self.wake()

    def wake(self) -> None:
        if self.listener:
            self.listener()

    @property
    def forgotten(self) -> int:
        """The newest change that is no longer kept, 0 when all are."""
        return self.last - len(self.kept)

    def between(self, after: int, until: int) -> list[Change]:
        """The kept changes with ``after < sequence <= until``, oldest first."""
        first = max(0, after - self.forgotten)
        return [self.kept[place] for place in range(first, min(len(self.kept), until - self.forgotten))]
