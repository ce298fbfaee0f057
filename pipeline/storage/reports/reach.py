"""Whose data a report is about. An operator may look at every tenant, but has to say so."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from pipeline.storage.tenants import find_tenant


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """One tenant, or with ``None`` every one."""

    tenant_id: int | None


EVERY_TENANT = Reach(tenant_id=None)


def reach_of(connection: Connection, tenant: str | None) -> Reach:
    """The reach of a tenant's name, or of no name; raises ``UnknownTenantError``."""
    return EVERY_TENANT if tenant is None else Reach(tenant_id=find_tenant(connection, tenant).id)
