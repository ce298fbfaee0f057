"""What a tenant has set about the rules: other thresholds, and what it accepts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pipeline.domain.findings import AlertType


class ExemptionKind(StrEnum):
    """What is left alone. A rule says which kinds of account it spares; a user or group is spared by every rule."""

    USER = "user"
    GROUP = "group"
    """Everybody in the group, at any depth, and the group itself."""
    SHARED_MAILBOX = "shared_mailbox"
    """Nobody signs in to it, so its use and its methods mean nothing."""
    BREAK_GLASS = "break_glass"
    """An emergency account: left out of policies and never used on purpose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exemption:
    """One account or group that is accepted; by one rule, or by every rule that can spare its kind."""

    kind: ExemptionKind
    external_id: str
    alert_type: AlertType | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleSettings:
    """What is in force for one tenant at one time; a rule without an entry keeps its default."""

    thresholds: Mapping[AlertType, int] = field(default_factory=dict)
    exemptions: tuple[Exemption, ...] = ()

    def break_glass(self) -> frozenset[str]:
        """The accounts the tenant names as its emergency accounts; one spared by a single rule is only that."""
        named = (one for one in self.exemptions if one.kind is ExemptionKind.BREAK_GLASS and one.alert_type is None)
        return frozenset(one.external_id for one in named)


DEFAULT_SETTINGS = RuleSettings()


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleState:
    """What an analysis knows of earlier ones and of the tenant's wishes, before it looks at anything.

    ``grants`` is (identity id, role template id) → since when the role is held, ``None`` for those of the first
    reading; ``None`` altogether before it. ``fingerprints`` says by which code, settings and inputs a rule was last
    evaluated; a rule without one has to be evaluated anew.
    """

    settings: RuleSettings = DEFAULT_SETTINGS
    grants: Mapping[tuple[str, str], datetime | None] | None = None
    fingerprints: Mapping[AlertType, str] = field(default_factory=dict)


FIRST_TIME = RuleState()


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredThreshold:
    """A threshold that a tenant has set, as people see it."""

    value: int
    reason: str
    author: str
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredExemption:
    """An exemption as people see it. ``name`` is what the account or group was called when it was entered."""

    id: UUID
    tenant: str
    source_id: int
    exemption: Exemption
    name: str
    reason: str
    author: str
    created_at: datetime
    expires_at: datetime | None

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now
