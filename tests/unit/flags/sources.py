"""A data source by name, for what asks about tenants."""

from __future__ import annotations

from pipeline.domain.runs import DataSource, Scope


def source(tenant: str, *, tenant_id: int = 1, source_id: int = 1) -> DataSource:
    return DataSource(
        scope=Scope(tenant_id=tenant_id, source_id=source_id),
        tenant=tenant,
        provider="memory",
        external_tenant_id=tenant,
        client_id="client",
        credentials=b"",
    )
