"""Setting up tenants in a test's database, pointed at a simulator."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.fernet import Fernet

from graphsim.halopsa.access import credentials
from graphsim.serve import RunningSimulator
from pipeline import wiring
from pipeline.domain.flags import Flag
from pipeline.domain.runs import Scope
from pipeline.settings import Settings, load_settings
from pipeline.storage import flags, tenants

LEGACY: Mapping[Flag, bool] = {Flag.NEW_PIPELINE: False}
NEW: Mapping[Flag, bool] = {Flag.NEW_PIPELINE: True}
COMPARED: Mapping[Flag, bool] = {Flag.NEW_PIPELINE: False, Flag.COMPARISON_MODE: True}


def environment_for(
    simulator: RunningSimulator, *, database_url: str, redis_url: str | None = None, **more: str
) -> dict[str, str]:
    """The variables of a process that works on this test's database and simulator."""
    found = {
        "DATABASE_URL": database_url,
        "SECRET_KEY": Fernet.generate_key().decode(),
        "GRAPH_BASE_URL": simulator.base_url,
        "GRAPH_AUTHORITY": simulator.base_url,
        "GRAPH_CA_FILE": str(simulator.ca_path),
        "HALOPSA_CA_FILE": str(simulator.ca_path),
        "LEGACY_ALERT_DELAY_MS": "0",
        "LOG_LEVEL": "warning",
        **more,
    }
    return {**found, "REDIS_URL": redis_url} if redis_url else found


def settings_for(simulator: RunningSimulator, *, database_url: str, **more: str) -> Settings:
    return load_settings(environment_for(simulator, database_url=database_url, **more))


def add_simulated_tenant(
    parts: wiring.Wiring, simulator: RunningSimulator, index: int, branch: Mapping[Flag, bool], name: str | None = None
) -> Scope:
    """Tenant number ``index`` of the simulator, on a branch; everything of it is due."""
    registered = simulator.credentials(index)
    with parts.database.begin() as connection:
        tenant = tenants.add_tenant(connection, name or f"tenant-{index}")
        scope = tenants.add_source(
            connection,
            tenant,
            tenants.NewSource(
                provider="microsoft365",
                external_tenant_id=registered.tenant_id,
                client_id=registered.client_id,
                credentials=wiring.vault(parts.settings).seal(registered.client_secret),
            ),
            wiring.now(),
        )
        flags.store_overrides(connection, tenant.id, branch, author="test", reason="the branch under test")
    return scope


def add_simulated_psa(
    parts: wiring.Wiring, simulator: RunningSimulator, branch: Mapping[Flag, bool], owner: str = "the MSP"
) -> Scope:
    """The simulator's HaloPSA as the source of a tenant of its own; everything of it is due."""
    known = credentials(simulator.simulator.config.seed)
    with parts.database.begin() as connection:
        tenant = tenants.add_tenant(connection, owner)
        source = tenants.NewSource(
            provider="halopsa",
            external_tenant_id=simulator.base_url,
            client_id=known.client_id,
            credentials=wiring.vault(parts.settings).seal(known.client_secret),
        )
        scope = tenants.add_source(connection, tenant, source, wiring.now())
        flags.store_overrides(connection, tenant.id, branch, author="test", reason="the branch under test")
    return scope
