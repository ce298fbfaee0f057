"""The tenant graph as the last syncs of a tenant's Microsoft 365 source left it."""

from __future__ import annotations

from sqlalchemy import Connection

from pipeline.cli.connections.database import opened_database
from pipeline.cli.grammar import quoted
from pipeline.domain.graph import TenantGraph
from pipeline.domain.providers import Provider
from pipeline.domain.runs import Scope
from pipeline.errors import UserError
from pipeline.storage.graph import load_graph
from pipeline.storage.tenants import find_tenant, sources_of


def stored_graph(tenant: str, source: int | None) -> TenantGraph:
    """The graph of the source of that id, or of the tenant's only one.

    Raises ``UserError`` when there is no such tenant or source, or when several could be meant.
    """
    with opened_database() as database, database.begin() as connection:
        return load_graph(connection, _scope(connection, tenant, source))


def _scope(connection: Connection, tenant: str, wanted: int | None) -> Scope:
    found = sources_of(connection, find_tenant(connection, tenant))
    scopes = {one.scope.source_id: one.scope for one in found if one.provider == Provider.MICROSOFT365}
    known = ", ".join(str(number) for number in sorted(scopes))
    if not scopes:
        raise UserError(f"{tenant} has no Microsoft 365 source; add one with `mspbyte source add {quoted(tenant)} …`.")
    if wanted is None and len(scopes) > 1:
        raise UserError(f"{tenant} has several Microsoft 365 sources; name one of {known} with --source.")
    if wanted is not None and wanted not in scopes:
        raise UserError(f"{tenant} has no Microsoft 365 source {wanted}; use {known}.")
    return scopes[wanted] if wanted is not None else next(iter(scopes.values()))
