"""What tenants have set about the rules, and what an analysis is told of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import Connection, Row, text

from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType
from pipeline.domain.rule_settings import (
    Exemption,
    ExemptionKind,
    RuleSettings,
    RuleState,
    StoredExemption,
    StoredThreshold,
)
from pipeline.domain.runs import Branch, Scope
from pipeline.errors import UserError
from pipeline.storage.reports.reach import Reach
from pipeline.storage.tenants import Tenant


class _State(msgspec.Struct):
    thresholds: dict[AlertType, int]
    exemptions: list[Exemption]
    grants: list[tuple[str, str, datetime | None]] | None
    fingerprints: dict[AlertType, str]


_DECODER = msgspec.json.Decoder(_State)


def rule_state(document: str) -> RuleState:
    """The state as a claim reads it."""
    read = _DECODER.decode(document)
    grants = None if read.grants is None else {(identity, role): since for identity, role, since in read.grants}
    return RuleState(
        settings=RuleSettings(thresholds=read.thresholds, exemptions=tuple(read.exemptions)),
        grants=grants,
        fingerprints=read.fingerprints,
    )


THRESHOLDS = text("""
SELECT alert_type, threshold FROM tenant_alert_preferences WHERE tenant_id = :tenant_id AND threshold IS NOT NULL
""")
GRANTS = text("SELECT external_id, role_id, since FROM role_grants WHERE source_id = :source_id")


def load_rule_settings(
    connection: Connection, tenant: Tenant, now: datetime, *, source_id: int | None = None
) -> RuleSettings:
    """What is in force for the tenant at this time, or for one source of it."""
    thresholds = {
        AlertType(row.alert_type): int(row.threshold)
        for row in connection.execute(THRESHOLDS, {"tenant_id": tenant.id})
    }
    accepted = [
        one
        for one in list_exemptions(connection, Reach(tenant_id=tenant.id))
        if not one.expired(now) and source_id in {None, one.source_id}
    ]
    return RuleSettings(thresholds=thresholds, exemptions=tuple(one.exemption for one in accepted))


def load_grants(connection: Connection, scope: Scope) -> dict[tuple[str, str], datetime | None] | None:
    """Who held which privileged role at earlier readings, and since when; ``None`` before the first."""
    rows = connection.execute(GRANTS, {"source_id": scope.source_id})
    return {(row.external_id, row.role_id): row.since for row in rows} or None


THRESHOLD = text("""
SELECT threshold, reason, author, updated_at FROM tenant_alert_preferences
 WHERE tenant_id = :tenant_id AND alert_type = :alert_type AND threshold IS NOT NULL
""")


def find_threshold(connection: Connection, tenant: Tenant, alert_type: AlertType) -> StoredThreshold | None:
    """The tenant's own threshold with who set it and why, ``None`` where it has none."""
    row = connection.execute(THRESHOLD, {"tenant_id": tenant.id, "alert_type": alert_type.value}).first()
    if row is None:
        return None
    return StoredThreshold(value=row.threshold, reason=row.reason, author=row.author, updated_at=row.updated_at)


LAST_BRANCH = text("""
SELECT branch FROM runs WHERE tenant_id = :tenant_id AND branch IS NOT NULL ORDER BY created_at DESC LIMIT 1
""")


def on_legacy(connection: Connection, tenant: Tenant) -> bool:
    """Whether the tenant's last run took the legacy branch, which knows neither exemptions nor most thresholds."""
    return connection.execute(LAST_BRANCH, {"tenant_id": tenant.id}).scalar() == Branch.LEGACY.value


SET_THRESHOLD = text("""
INSERT INTO tenant_alert_preferences (tenant_id, alert_type, threshold, reason, author, updated_at)
VALUES (:tenant_id, :alert_type, :threshold, :reason, :author, :now)
ON CONFLICT (tenant_id, alert_type) DO UPDATE
   SET threshold = excluded.threshold, reason = excluded.reason, author = excluded.author,
       updated_at = excluded.updated_at
""")
CLEAR_THRESHOLD = text("""
DELETE FROM tenant_alert_preferences WHERE tenant_id = :tenant_id AND alert_type = :alert_type
""")


def set_threshold(
    connection: Connection,
    tenant: Tenant,
    alert_type: AlertType,
    value: int,
    *,
    reason: str,
    author: str,
    now: datetime,
) -> None:
    """The tenant's threshold for a rule from its next analysis on. The value has been checked."""
    connection.execute(
        SET_THRESHOLD,
        {
            "tenant_id": tenant.id,
            "alert_type": alert_type.value,
            "threshold": value,
            "reason": reason,
            "author": author,
            "now": now,
        },
    )


def clear_threshold(connection: Connection, tenant: Tenant, alert_type: AlertType) -> bool:
    """Back to the default; False when it was that already."""
    values = {"tenant_id": tenant.id, "alert_type": alert_type.value}
    return connection.execute(CLEAR_THRESHOLD, values).rowcount > 0


ACCOUNT = text("""
SELECT source_id, external_id,
       coalesce(nullif(normalized ->> 'user_principal_name', ''), nullif(display_name, ''), external_id) AS name,
       lower(:text) IN (lower(external_id), lower(normalized ->> 'user_principal_name')) IS TRUE AS exact
  FROM entities
 WHERE tenant_id = :tenant_id AND entity_type = :entity_type AND deleted_at IS NULL
   AND lower(:text) IN (lower(external_id), lower(normalized ->> 'user_principal_name'), lower(display_name))
 ORDER BY external_id
""")
NOUNS = {EntityType.IDENTITIES: "user", EntityType.GROUPS: "group"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A user or group as it was read, and of which source. ``name`` is what people call it."""

    source_id: int
    external_id: str
    name: str


def find_account(connection: Connection, tenant: Tenant, entity_type: EntityType, name: str) -> Account:
    """The tenant's user or group of that id, user principal name or display name.

    An id or user principal name comes before a display name that reads the same. Raises ``UserError`` when there is
    none, or several.
    """
    values = {"tenant_id": tenant.id, "entity_type": entity_type.value, "text": name}
    found = connection.execute(ACCOUNT, values).all()
    noun = NOUNS[entity_type]
    chosen = [row for row in found if row.exact] or found
    if not chosen:
        raise UserError(f"{tenant.name} has no {noun} {name}, as far as it has been read; give its name or its id.")
    if len(chosen) > 1:
        ids = ", ".join(row.external_id for row in chosen[:3])
        raise UserError(f"{tenant.name} has {len(chosen)} {noun}s named {name}; give the id of one: {ids}.")
    return Account(source_id=chosen[0].source_id, external_id=chosen[0].external_id, name=chosen[0].name)


ADD_EXEMPTION = text("""
INSERT INTO rule_exemptions (id, tenant_id, source_id, kind, external_id, alert_type, name, reason, author, created_at,
                             expires_at)
VALUES (:id, :tenant_id, :source_id, :kind, :external_id, :alert_type, :name, :reason, :author, :now, :expires_at)
ON CONFLICT (source_id, kind, external_id, coalesce(alert_type, '')) DO UPDATE
   SET name = excluded.name, reason = excluded.reason, author = excluded.author, created_at = excluded.created_at,
       expires_at = excluded.expires_at
RETURNING id
""")


def add_exemption(
    connection: Connection,
    tenant: Tenant,
    account: Account,
    exemption: Exemption,
    *,
    reason: str,
    author: str,
    now: datetime,
    expires_at: datetime | None,
) -> UUID:
    """The exemption's id; one that stands already takes the new reason, author and end."""
    return UUID(
        str(
            connection.execute(
                ADD_EXEMPTION,
                {
                    "id": uuid4(),
                    "tenant_id": tenant.id,
                    "source_id": account.source_id,
                    "kind": exemption.kind.value,
                    "external_id": exemption.external_id,
                    "alert_type": exemption.alert_type.value if exemption.alert_type else None,
                    "name": account.name,
                    "reason": reason,
                    "author": author,
                    "now": now,
                    "expires_at": expires_at,
                },
            ).scalar_one()
        )
    )


EXEMPTIONS = text("""
SELECT x.id, x.source_id, x.kind, x.external_id, x.alert_type, x.name, x.reason, x.author, x.created_at, x.expires_at,
       t.name AS tenant
  FROM rule_exemptions x JOIN tenants t ON t.id = x.tenant_id
 WHERE CAST(:tenant_id AS int) IS NULL OR x.tenant_id = :tenant_id
 ORDER BY t.name, x.kind, x.name, x.external_id, x.alert_type NULLS FIRST
""")


def list_exemptions(connection: Connection, reach: Reach) -> list[StoredExemption]:
    """Every exemption of one tenant or of all, expired ones too."""
    return [_exemption(row) for row in connection.execute(EXEMPTIONS, {"tenant_id": reach.tenant_id})]


def _exemption(row: Row[tuple[object, ...]]) -> StoredExemption:
    return StoredExemption(
        id=row.id,
        tenant=row.tenant,
        source_id=row.source_id,
        exemption=Exemption(
            kind=ExemptionKind(row.kind),
            external_id=row.external_id,
            alert_type=AlertType(row.alert_type) if row.alert_type else None,
        ),
        name=row.name,
        reason=row.reason,
        author=row.author,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


WITH_PREFIX = text("SELECT id FROM rule_exemptions WHERE id BETWEEN :first AND :last ORDER BY id LIMIT :most")
REMOVE_EXEMPTIONS = text("DELETE FROM rule_exemptions WHERE id = ANY(:ids)")


def exemptions_between(connection: Connection, first: UUID, last: UUID, *, most: int) -> list[UUID]:
    """Ids of exemptions in a range."""
    return list(connection.execute(WITH_PREFIX, {"first": first, "last": last, "most": most}).scalars())


def remove_exemptions(connection: Connection, ids: Collection[UUID]) -> int:
    return connection.execute(REMOVE_EXEMPTIONS, {"ids": list(ids)}).rowcount
