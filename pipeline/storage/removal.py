"""Data sources and tenants leave, with everything read of them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, text

from pipeline.domain.runs import Scope
from pipeline.errors import UserError
from pipeline.storage.tenants import Tenant, list_sources

# A delivery holds subscriptions when it asks for its source's row: they come first here too, so that the two never
# wait in a ring. Whoever opens a run holds the source's row, so that after it no run can begin unseen.
LOCK_SUBSCRIPTIONS = text("""
SELECT subscription_id FROM notification_subscriptions
 WHERE source_id = ANY(:sources) AND tenant_id = :tenant_id
 ORDER BY subscription_id FOR UPDATE
""")
LOCK_SOURCES = text("""
SELECT id FROM data_sources WHERE id = ANY(:sources) AND tenant_id = :tenant_id ORDER BY id FOR UPDATE
""")
UNDER_WAY = text("""
SELECT id FROM runs WHERE source_id = ANY(:sources) AND tenant_id = :tenant_id AND state = 'running' LIMIT 1
""")
# Bulk tables have no foreign keys. Everything else leaves with the source's row.
REMOVE = (
    text("DELETE FROM alert_history h USING alerts a WHERE a.id = h.alert_id AND a.source_id = ANY(:sources)"),
    text("DELETE FROM alerts WHERE source_id = ANY(:sources)"),
    text("DELETE FROM findings WHERE source_id = ANY(:sources)"),
    text("DELETE FROM relationships WHERE source_id = ANY(:sources)"),
    text("DELETE FROM entities WHERE source_id = ANY(:sources)"),
    text("DELETE FROM source_inputs WHERE source_id = ANY(:sources)"),
    text("DELETE FROM data_sources WHERE id = ANY(:sources)"),
)


def remove_source(connection: Connection, scope: Scope) -> int:
    """Removes the source; how many subscriptions to change notifications it leaves at Microsoft.

    Events that wait in the outbox are still told; they hold ids only. Raises ``UserError`` while a run of the source
    is under way.
    """
    return _remove(connection, scope.tenant_id, [scope.source_id], f"Source {scope.source_id}")


def remove_tenant(connection: Connection, tenant: Tenant) -> int:
    """Removes the tenant with its sources, as ``remove_source`` does."""
    sources = [source.scope.source_id for source in list_sources(connection, tenant)]
    left = _remove(connection, tenant.id, sources, tenant.name)
    connection.execute(text("DELETE FROM tenants WHERE id = :tenant_id"), {"tenant_id": tenant.id})
    return left


def _remove(connection: Connection, tenant_id: int, sources: Collection[int], name: str) -> int:
    values = {"sources": list(sources), "tenant_id": tenant_id}
    subscriptions = connection.execute(LOCK_SUBSCRIPTIONS, values).scalars().all()
    mine = connection.execute(LOCK_SOURCES, values).scalars().all()
    running = connection.execute(UNDER_WAY, values).scalar()
    if running is not None:
        raise UserError(
            f"{name} has a run under way; remove it when that has ended (`mspbyte runs show {str(running)[:8]}`)."
        )
    for statement in REMOVE:
        connection.execute(statement, {"sources": mine})
    return sum(1 for one in subscriptions if one is not None)
