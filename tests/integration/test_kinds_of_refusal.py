"""Each way a tenant can refuse us, over HTTPS, has its own sentence in the one alert about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from graphsim.serve import RunningSimulator
from pipeline import wiring
from pipeline.domain.capture import SyncType
from pipeline.stages.local import sync_here
from tests.tenants import NEW, add_simulated_tenant, settings_for

pytestmark = pytest.mark.servers
TENANT = 2
ALERT = text(
    "SELECT a.message, d.refusals FROM alerts a JOIN data_sources d ON d.id = a.source_id"
    " WHERE a.alert_type = 'tenant_unreachable'"
)


def withdraw_consent(running: RunningSimulator) -> None:
    running.simulator.state(TENANT).consent = False


def disable_application(running: RunningSimulator) -> None:
    running.simulator.traffic.application(TENANT).enabled = False


def remove_tenant(running: RunningSimulator) -> None:
    running.simulator.traffic.application(TENANT).tenant_exists = False


def test_every_way_to_be_refused_names_its_code_and_what_to_do_in_one_alert(
    simulator: RunningSimulator, database_url: str
) -> None:
    ways: list[tuple[Callable[[RunningSimulator], None], str, str]] = [
        (withdraw_consent, "Authorization_RequestDenied", "have one of its administrators consent"),
        (disable_application, "AADSTS7000112", "the application is disabled; enable it"),
        (remove_tenant, "AADSTS90002", "there is no such tenant; check the tenant id"),
    ]
    parts = wiring.build(settings_for(simulator, database_url=database_url))
    scope = add_simulated_tenant(parts, simulator, TENANT, NEW)
    for number, (refuse, code, advice) in enumerate(ways, 1):
        refuse(simulator)
        fresh = wiring.build(parts.settings)  # a worker that holds no token yet
        sync_here(fresh.database, fresh.executor, scope, sync_types=[SyncType.IDENTITIES])
        fresh.close()
        with parts.database.begin() as connection:
            row = connection.execute(ALERT).one()
        assert code in row.message
        assert advice in row.message
        assert row.refusals == number
    parts.close()
