"""Tenants and their sources as lists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from pipeline.storage.reports.reach import Reach


@dataclass(frozen=True, kw_only=True, slots=True)
class TenantSummary:
    """One tenant in a line; the last run is that of any of its sources."""

    id: int
    name: str
    sources: int
    open_alerts: int
    last_run_at: datetime | None
    last_run_state: str | None
    refused_since: datetime | None
    """Since when the tenant has refused one of its sources, ``None`` while it does not."""
    next_try_at: datetime | None
    """When a refused source is tried again."""
    refused_because: str | None
    """What the alert about the source refused the longest says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceSummary:
    """One source in a line, never with its credentials."""

    id: int
    tenant: str
    provider: str
    external_tenant_id: str
    client_id: str
    enabled: bool
    next_due_at: datetime | None
    refused_since: datetime | None
    refused_because: str | None
    """What the alert about it says."""
    created_at: datetime


TENANTS = text("""
SELECT t.id, t.name,
       (SELECT count(*) FROM data_sources d WHERE d.tenant_id = t.id) AS sources,
       (SELECT count(*) FROM alerts a WHERE a.tenant_id = t.id AND a.status IN ('active', 'acknowledged'))
           AS open_alerts,
       r.created_at AS last_run_at, r.state AS last_run_state, f.refused_since, f.next_try_at,
       f.refused_because
  FROM tenants t
  LEFT JOIN LATERAL (SELECT created_at, state FROM runs WHERE tenant_id = t.id ORDER BY created_at DESC LIMIT 1) r
            ON true
  LEFT JOIN LATERAL (
       SELECT min(d.refused_since) AS refused_since, min(s.next_due_at) AS next_try_at,
              (array_agg(u.message ORDER BY d.refused_since) FILTER (WHERE u.message IS NOT NULL))[1] AS refused_because
         FROM data_sources d JOIN schedules s ON s.source_id = d.id
         LEFT JOIN alerts u ON u.source_id = d.id AND u.alert_type = 'tenant_unreachable' AND u.status <> 'resolved'
        WHERE d.tenant_id = t.id AND d.refused_since IS NOT NULL AND d.enabled) f ON true
 ORDER BY t.name
""")
SOURCES = text("""
SELECT d.id, t.name AS tenant, d.provider, d.external_tenant_id, d.client_id, d.enabled, d.refused_since, d.created_at,
       u.message AS refused_because,
       (SELECT min(s.next_due_at) FROM schedules s WHERE s.source_id = d.id) AS next_due_at
  FROM data_sources d JOIN tenants t ON t.id = d.tenant_id
  LEFT JOIN alerts u ON u.source_id = d.id AND u.alert_type = 'tenant_unreachable' AND u.status <> 'resolved'
       AND d.refused_since IS NOT NULL
 WHERE CAST(:tenant_id AS int) IS NULL OR d.tenant_id = :tenant_id
 ORDER BY t.name, d.id
""")


def tenant_summaries(connection: Connection) -> list[TenantSummary]:
    """Every tenant, by name: one statement."""
    return [TenantSummary(**row) for row in connection.execute(TENANTS).mappings()]


def source_summaries(connection: Connection, reach: Reach) -> list[SourceSummary]:
    """Sources by tenant: one statement."""
    return [SourceSummary(**row) for row in connection.execute(SOURCES, {"tenant_id": reach.tenant_id}).mappings()]
