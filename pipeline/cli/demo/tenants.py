"""The demo's tenants: which simulated ones, on which branch, and how they get into the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, text

from graphsim.simulator import Simulator, SimulatorConfig, start
from pipeline import wiring
from pipeline.domain.flags import Flag
from pipeline.domain.providers import SYNC_TYPES, Provider
from pipeline.domain.runs import Scope
from pipeline.errors import UserError
from pipeline.storage import tables
from pipeline.storage.credentials import Vault
from pipeline.storage.flags import store_overrides
from pipeline.storage.schedules import request_sync
from pipeline.storage.tenants import NewSource, add_source, add_tenant

SEED = "mspbyte"
USERS = 200
AUTHOR = "demo"
PREFIX = "demo-"

LEGACY: Mapping[Flag, bool] = {Flag.NEW_PIPELINE: False}
NEW: Mapping[Flag, bool] = {Flag.NEW_PIPELINE: True}
COMPARED: Mapping[Flag, bool] = {Flag.NEW_PIPELINE: False, Flag.COMPARISON_MODE: True}

BRANCHES = (LEGACY, LEGACY, COMPARED, NEW, NEW)
"""By the simulator's tenant number. The compared one has MFA policies that only report, which legacy counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoTenant:
    name: str
    scope: Scope


def simulator() -> Simulator:
    """The tenants as the simulator will serve them: the same seed gives the same ones."""
    return start(SimulatorConfig(seed=SEED, tenants=len(BRANCHES), users=USERS))


def seed(connection: Connection, vault: Vault) -> list[DemoTenant]:
    """The demo's tenants, new and with a sync of everything requested; what an earlier demo left is gone.

    Raises ``UserError`` in a database that holds other tenants: the demo has no business there.
    """
    _clear(connection)
    found = simulator()
    return [_add(connection, vault, found, index, branch) for index, branch in enumerate(BRANCHES)]


def _add(connection: Connection, vault: Vault, found: Simulator, index: int, branch: Mapping[Flag, bool]) -> DemoTenant:
    credentials = found.credentials(index)
    name = PREFIX + found.state(index).tenant.domain.removesuffix(".example")
    tenant = add_tenant(connection, name)
    source = NewSource(
        provider="microsoft365",
        external_tenant_id=credentials.tenant_id,
        client_id=credentials.client_id,
        credentials=vault.seal(credentials.client_secret),
    )
    now = wiring.now()
    scope = add_source(connection, tenant, source, now)
    store_overrides(connection, tenant.id, branch, author=AUTHOR, reason="the demo shows every branch")
    request_sync(connection, scope, SYNC_TYPES[Provider.MICROSOFT365], now)
    return DemoTenant(name=name, scope=scope)


TENANT_DATA = (
    tables.entities,
    tables.relationships,
    tables.source_inputs,
    tables.findings,
    tables.alerts,
    tables.alert_history,
    tables.outbox,
    tables.comparisons,
    tables.tenants,
)


def _clear(connection: Connection) -> None:
    others = connection.execute(
        select(tables.tenants.c.id).where(~tables.tenants.c.name.startswith(PREFIX)).limit(1)
    ).first()
    if others is not None:
        raise UserError(
            "DATABASE_URL names a database that holds tenants of its own. Give the demo an empty one, or leave "
            "DATABASE_URL unset for an embedded server."
        )
    connection.execute(text("DELETE FROM runs"))
    for table in TENANT_DATA:
        connection.execute(delete(table))
