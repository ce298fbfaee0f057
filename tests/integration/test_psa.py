"""A HaloPSA beside its tenants, from sync to alert: both providers through the same stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import text

from graphsim.halopsa import records
from graphsim.serve import RunningSimulator
from pipeline import wiring
from pipeline.domain.capture import SyncType
from pipeline.domain.flags import Flag
from pipeline.domain.runs import Scope
from pipeline.stages.local import sync_here
from pipeline.storage import psa, tenants
from tests.tenants import COMPARED, LEGACY, NEW, add_simulated_psa, add_simulated_tenant, settings_for

pytestmark = pytest.mark.servers
PROSPECT = f"companies/{records.FIRST_PROSPECT}"
OPEN = """
SELECT a.entity_type || '/' || a.external_id, a.reasons FROM alerts a
 WHERE a.alert_type = 'psa_company_unlinked' AND a.status = 'active' ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Msp:
    """An MSP with five simulated tenants, of which nothing has been read, and its HaloPSA."""

    parts: wiring.Wiring
    simulator: RunningSimulator
    scope: Scope

    def sync(self, *kinds: SyncType, compare: bool = False) -> UUID:
        return sync_here(self.parts.database, self.parts.executor, self.scope, sync_types=kinds, compare=compare)

    def rows(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        with self.parts.database.begin() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def counts(self, statement: str) -> dict[str, int]:
        return {str(name): int(str(count)) for name, count in self.rows(statement)}

    def open(self) -> dict[str, list[str]]:
        """Reasons of the open alerts, by what they are about."""
        return {str(entity): [str(one) for one in reasons] for entity, reasons in self.rows(OPEN)}  # type: ignore[attr-defined]  # an array of text

    def tenant(self, index: int) -> str:
        ((number,),) = self.rows("SELECT id FROM tenants WHERE name = :name", name=f"tenant-{index}")
        return f"tenants/tenant-{number}"


def an_msp(simulator: RunningSimulator, database_url: str, branch: Mapping[Flag, bool]) -> Msp:
    parts = wiring.build(settings_for(simulator, database_url=database_url))
    for index in range(simulator.simulator.config.tenants):
        add_simulated_tenant(parts, simulator, index, branch)
    scope = add_simulated_psa(parts, simulator, branch)
    with parts.database.begin() as connection:
        # Only what a test asks for is read.
        connection.execute(text("UPDATE schedules SET next_due_at = now() + interval '9 days'"))
    return Msp(parts, simulator, scope)


@pytest.fixture(params=[NEW, LEGACY, COMPARED], ids=["new", "legacy", "comparison"])
def any_msp(request: pytest.FixtureRequest, simulator: RunningSimulator, database_url: str) -> Iterator[Msp]:
    found = an_msp(simulator, database_url, request.param)
    yield found
    found.parts.close()


@pytest.fixture
def msp(simulator: RunningSimulator, database_url: str) -> Iterator[Msp]:
    found = an_msp(simulator, database_url, NEW)
    yield found
    found.parts.close()


def unread(msp: Msp) -> dict[str, list[str]]:
    """What is unlinked as long as no tenant's organization has been read: domains and names say nothing yet."""
    return {
        PROSPECT: ["no_tenant"],
        f"companies/{records.client_id(records.BY_DOMAIN)}": ["no_tenant"],
        f"companies/{records.client_id(records.BY_NAME)}": ["no_tenant"],
        **{msp.tenant(index): ["no_company"] for index in (records.BY_DOMAIN, records.BY_NAME, records.NO_CLIENT)},
    }


def test_in_every_branch_companies_and_tenants_without_the_other_have_an_alert(any_msp: Msp) -> None:
    run_id = any_msp.sync()

    assert any_msp.rows("SELECT state, error_message FROM runs WHERE id = :id", id=run_id) == [("succeeded", None)]
    assert any_msp.open() == unread(any_msp)
    scheduled = "SELECT sync_type FROM schedules WHERE source_id = :id ORDER BY 1"
    assert any_msp.rows(scheduled, id=any_msp.scope.source_id) == [("companies",), ("contracts",)]
    stored = any_msp.counts("SELECT entity_type, count(*) FROM entities GROUP BY 1")
    assert stored.keys() == {"companies", "sites", "contracts"}
    related = any_msp.counts("SELECT type, count(*) FROM relationships GROUP BY 1")
    assert related == {"site_of": stored["sites"], "contract_of": stored["contracts"]}
    assert any_msp.rows("SELECT result, discrepancies FROM comparisons") in ([], [("match", 0)])


def test_an_alert_is_resolved_once_company_and_tenant_are_linked(any_msp: Msp) -> None:
    any_msp.sync()
    with any_msp.parts.database.begin() as connection:
        tenant = tenants.find_tenant(connection, f"tenant-{records.NO_CLIENT}")
        psa.link_company(connection, any_msp.scope, str(records.FIRST_PROSPECT), tenant.id)

    any_msp.sync(SyncType.COMPANIES)

    gone = {PROSPECT, any_msp.tenant(records.NO_CLIENT)}
    assert any_msp.open() == {key: why for key, why in unread(any_msp).items() if key not in gone}
    resolved = any_msp.rows("SELECT count(*) FROM alerts WHERE status = 'resolved'")
    assert resolved == [(2,)]


def test_the_last_alert_of_a_psa_is_resolved_in_every_branch(any_msp: Msp) -> None:
    any_msp.sync()
    halo = any_msp.simulator.simulator.halopsa
    for index in (records.BY_DOMAIN, records.BY_NAME, records.NO_CLIENT):
        halo.clients[records.client_id(index)] = records.connected(any_msp.simulator.simulator.state(index).tenant)
    halo.removed.add(records.FIRST_PROSPECT)

    any_msp.sync(SyncType.COMPANIES)

    assert any_msp.open() == {}


def test_an_incomplete_reading_resolves_and_raises_nothing(any_msp: Msp) -> None:
    any_msp.sync()
    before = any_msp.rows("SELECT ctid::text, a.* FROM alerts a ORDER BY id")
    halo = any_msp.simulator.simulator.halopsa
    halo.clients[7] = records.client(7, "New customer")
    halo.kept_back = {records.client_id(0)}
    halo.removed = {records.FIRST_PROSPECT}

    any_msp.sync(SyncType.COMPANIES)

    assert any_msp.rows("SELECT ctid::text, a.* FROM alerts a ORDER BY id") == before
    assert any_msp.rows("SELECT count(*) FROM entities WHERE deleted_at IS NOT NULL AND entity_type = 'companies'") == [
        (0,)
    ]
    halo.kept_back.clear()
    any_msp.sync(SyncType.COMPANIES)
    assert any_msp.open() == {
        "companies/7": ["no_tenant"],
        **{key: why for key, why in unread(any_msp).items() if key != PROSPECT},
    }


def test_a_tenants_organization_tells_its_domains(msp: Msp) -> None:
    msp.sync()
    ((source_id,),) = msp.rows(
        "SELECT d.id FROM data_sources d JOIN tenants t ON t.id = d.tenant_id WHERE t.name = :name",
        name=f"tenant-{records.BY_DOMAIN}",
    )
    number = int(msp.tenant(records.BY_DOMAIN).rpartition("-")[2])
    scope = Scope(tenant_id=number, source_id=int(str(source_id)))
    sync_here(msp.parts.database, msp.parts.executor, scope, sync_types=[SyncType.ORGANIZATION])

    msp.sync(SyncType.COMPANIES)

    gone = {f"companies/{records.client_id(records.BY_DOMAIN)}", msp.tenant(records.BY_DOMAIN)}
    assert msp.open() == {key: why for key, why in unread(msp).items() if key not in gone}


def test_contracts_alone_analyze_nothing(msp: Msp) -> None:
    msp.sync(SyncType.CONTRACTS)

    assert msp.open() == {}
    assert msp.rows("SELECT DISTINCT entity_type FROM entities") == [("contracts",)]


def test_a_psa_that_refuses_us_says_so_in_one_alert_and_leaves_the_others(msp: Msp) -> None:
    msp.sync()
    before = msp.open()
    msp.simulator.simulator.halopsa.forbidden = {"Client", "Site", "ClientContract"}

    run_id = msp.sync()

    ((state, message),) = msp.rows("SELECT state, error_message FROM runs WHERE id = :id", id=run_id)
    assert state == "failed"
    assert "HaloPSA" in str(message)
    assert msp.open() == before
    unreachable = "SELECT severity, status FROM alerts WHERE alert_type = 'tenant_unreachable'"
    assert msp.rows(unreachable) == [("critical", "active")]
    msp.simulator.simulator.halopsa.forbidden = set()
    msp.sync()
    assert msp.rows(unreachable) == [("critical", "resolved")]


def test_the_graph_of_a_psa_costs_the_same_statements_whatever_the_number_of_tenants(msp: Msp) -> None:
    run_id = msp.sync(SyncType.COMPANIES)
    ((few,),) = msp.rows("SELECT queries FROM run_steps WHERE run_id = :id AND stage = 'analyze'", id=run_id)
    with msp.parts.database.begin() as connection:
        for number in range(20):
            tenant = tenants.add_tenant(connection, f"more {number}")
            source = tenants.NewSource(
                provider="microsoft365", external_tenant_id=f"guid-{number}", client_id="c", credentials=b""
            )
            tenants.add_source(connection, tenant, source, wiring.now())
    run_id = msp.sync(SyncType.COMPANIES)
    assert msp.rows("SELECT queries FROM run_steps WHERE run_id = :id AND stage = 'analyze'", id=run_id) == [(few,)]


def test_a_company_of_two_tenants_has_no_alert_left_when_one_is_told_by_its_id_and_one_by_hand(msp: Msp) -> None:
    msp.sync()
    with msp.parts.database.begin() as connection:
        second = tenants.find_tenant(connection, f"tenant-{records.NO_CLIENT}")
        psa.link_company(connection, msp.scope, str(records.client_id(records.CONNECTED)), second.id)

    msp.sync(SyncType.COMPANIES)

    assert msp.open() == {key: why for key, why in unread(msp).items() if key != msp.tenant(records.NO_CLIENT)}
