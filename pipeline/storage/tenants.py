"""Tenants and their data sources."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select, true
from sqlalchemy.dialects.postgresql import insert

from pipeline.domain.capture import SyncType
from pipeline.domain.providers import SYNC_TYPES, Provider, known_provider
from pipeline.domain.runs import DataSource, Scope
from pipeline.errors import UnknownTenantError, UserError
from pipeline.storage.tables import data_sources, schedules, tenants

INTERVAL_MINUTES: Mapping[SyncType, int] = {
    SyncType.IDENTITIES: 30,
    SyncType.POLICIES: 360,
    SyncType.GROUPS: 720,
    SyncType.LICENSES: 720,
    SyncType.ROLES: 1440,
    SyncType.APPLICATIONS: 1440,
    SyncType.ORGANIZATION: 1440,
    SyncType.COMPANIES: 360,
    SyncType.CONTRACTS: 1440,
}
"""How often each sync type is read, unless a source says otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tenant:
    id: int
    name: str


def add_tenant(connection: Connection, name: str) -> Tenant:
    """The new tenant; raises ``UserError`` when the name is taken."""
    added = connection.execute(
        insert(tenants).values(name=name).on_conflict_do_nothing().returning(tenants.c.id)
    ).scalar()
    if added is None:
        raise UserError(f"There is a tenant named {name} already; choose another name.")
    return Tenant(id=added, name=name)


def list_tenants(connection: Connection) -> list[Tenant]:
    rows = connection.execute(select(tenants.c.id, tenants.c.name).order_by(tenants.c.name))
    return [Tenant(id=row.id, name=row.name) for row in rows]


def find_tenant(connection: Connection, name: str) -> Tenant:
    """The tenant of that name; raises ``UnknownTenantError`` that offers the nearest names."""
    row = connection.execute(select(tenants.c.id, tenants.c.name).where(tenants.c.name == name)).first()
    if row is not None:
        return Tenant(id=row.id, name=row.name)
    known = [tenant.name for tenant in list_tenants(connection)]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    hint = f" Did you mean {' or '.join(near)}?" if near else " `mspbyte tenant list` shows the ones there are."
    raise UnknownTenantError(f"There is no tenant named {name}.{hint}")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSource:
    provider: str
    external_tenant_id: str
    client_id: str
    credentials: bytes = field(repr=False)


def add_source(connection: Connection, tenant: Tenant, source: NewSource, now: datetime) -> Scope:
    """The new source's scope; everything its provider can be synced for is due at once."""
    provider = known_provider(source.provider)
    if provider is None:
        raise UserError(f"There is no provider {source.provider!r}; use {' or '.join(Provider)}.")
    added = connection.execute(
        insert(data_sources)
        .values(
            tenant_id=tenant.id,
            provider=source.provider,
            external_tenant_id=source.external_tenant_id,
            client_id=source.client_id,
            credentials=source.credentials,
        )
        .on_conflict_do_nothing()
        .returning(data_sources.c.id)
    ).scalar()
    if added is None:
        raise UserError(f"{tenant.name} has that data source already; `mspbyte source list` shows it.")
    connection.execute(
        insert(schedules),
        [
            {
                "source_id": added,
                "sync_type": kind.value,
                "interval_minutes": INTERVAL_MINUTES[kind],
                "next_due_at": now,
            }
            for kind in SYNC_TYPES[provider]
        ],
    )
    return Scope(tenant_id=tenant.id, source_id=added)


def list_sources(connection: Connection, tenant: Tenant | None = None) -> list[DataSource]:
    """The sources of one tenant, or of all."""
    rows = connection.execute(
        select(data_sources, tenants.c.name)
        .join(tenants)
        .where(data_sources.c.tenant_id == tenant.id if tenant else true())
        .order_by(tenants.c.name, data_sources.c.id)
    )
    return [
        DataSource(
            scope=Scope(tenant_id=row.tenant_id, source_id=row.id),
            tenant=row.name,
            provider=row.provider,
            external_tenant_id=row.external_tenant_id,
            client_id=row.client_id,
            credentials=row.credentials,
        )
        for row in rows
    ]


def sources_of(connection: Connection, tenant: Tenant) -> Sequence[DataSource]:
    """The tenant's sources; raises ``UserError`` when it has none."""
    found = list_sources(connection, tenant)
    if not found:
        raise UserError(f"{tenant.name} has no data source yet; add one with `mspbyte source add {tenant.name} …`.")
    return found
