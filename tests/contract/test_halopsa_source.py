"""What ``TenantSource`` promises, kept by the second provider: in memory, and over HTTPS against its simulator."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from graphsim.halopsa import records
from graphsim.halopsa.access import credentials
from graphsim.halopsa.state import HaloFault, HaloState
from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig
from pipeline.domain.capture import COMPLETE, Changes, NormalizedCapture, Page, Resource
from pipeline.domain.entities import EntityType, RelationshipType
from pipeline.domain.providers import Provider, resources_of
from pipeline.errors import (
    DeadlineExceededError,
    ProviderUnavailableError,
    TenantUnreachableError,
    ThrottledError,
)
from pipeline.providers.folder import read_folder, write_folder
from pipeline.providers.halopsa import normalize
from pipeline.providers.halopsa.auth import Credentials, TokenCache
from pipeline.providers.halopsa.instance import Instance, instance
from pipeline.providers.halopsa.source import HaloPsaSource
from pipeline.providers.memory import MemorySource
from pipeline.providers.retry import Clock
from pipeline.providers.source import TenantSource
from pipeline.providers.trust import trusting
from tests.sleeping import Time

EVERYTHING = resources_of(Provider.HALOPSA)
TENANTS = 12
NOW = datetime(2026, 1, 2, tzinfo=UTC)


@dataclass
class Halo:
    """A simulated HaloPSA, and readings of it."""

    running: RunningSimulator
    time: Time = field(default_factory=Time)
    tokens: TokenCache = field(default_factory=TokenCache)
    pages: list[Page] = field(default_factory=list)

    @property
    def state(self) -> HaloState:
        return self.running.simulator.halopsa

    @property
    def secret(self) -> Credentials:
        known = credentials(self.running.simulator.config.seed)
        return Credentials(client_id=known.client_id, client_secret=known.client_secret)

    def fails(self, status: int, path: str = "", *, times: int = 1, after: int | None = None) -> None:
        self.state.faults.append(HaloFault(path_contains=path, status=status, times=times, retry_after=after))

    def source(
        self, secret: Credentials | None = None, *, page_size: int = 5, deadline: float | None = None
    ) -> HaloPsaSource:
        return HaloPsaSource(
            instance(self.running.base_url),
            secret or self.secret,
            trust=trusting(self.running.ca_path, "HALOPSA_CA_FILE"),
            tokens=self.tokens,
            deadline=deadline,
            page_size=page_size,
            clock=self.time.clock(),
        )

    def read(self, *wanted: Resource, source: TenantSource | None = None) -> NormalizedCapture:
        chosen = source or self.source()
        self.pages.clear()
        outcomes = chosen.read(wanted or EVERYTHING, self.pages.append)
        return NormalizedCapture(
            entities=chosen.entities(self.pages), edges=chosen.edges(self.pages), outcomes=outcomes
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    with RunningSimulator(
        SimulatorConfig(tenants=TENANTS, users=5, now=NOW), tmp_path_factory.mktemp("graphsim")
    ) as simulator:
        yield simulator


@pytest.fixture
def halo(running: RunningSimulator) -> Halo:
    """The HaloPSA with nothing left of the test before."""
    state, fresh = running.simulator.halopsa, HaloState()
    for name in ("clients", "removed", "kept_back", "forbidden", "faults", "token_generation", "requests"):
        setattr(state, name, getattr(fresh, name))
    return Halo(running)


def in_memory(halo: Halo) -> TenantSource:
    simulator = halo.running.simulator
    tenants = [simulator.state(index).tenant for index in range(TENANTS)]
    lists = {
        Resource.CLIENTS: records.clients(tenants, halo.state),
        Resource.SITES: records.sites(tenants, halo.state),
        Resource.CONTRACTS: records.contracts(tenants, halo.state, simulator.config.seed, simulator.now),
    }
    pages = (Page(resource=key, body=msgspec.json.encode({"value": rows})) for key, rows in lists.items())
    return MemorySource(pages, dict.fromkeys(EVERYTHING, COMPLETE), normalize)


def over_https(halo: Halo) -> TenantSource:
    return halo.source()


@pytest.fixture(params=[in_memory, over_https], ids=["memory", "halopsa"])
def source(request: pytest.FixtureRequest, halo: Halo) -> TenantSource:
    make: Callable[[Halo], TenantSource] = request.param
    return make(halo)


def incomplete(capture: NormalizedCapture) -> dict[Resource, str]:
    return {key: outcome.reason for key, outcome in capture.outcomes.items() if not outcome.complete}


def test_a_psa_is_read_as_a_whole(halo: Halo, source: TenantSource) -> None:
    capture = halo.read(source=source)
    assert capture.outcomes == dict.fromkeys(EVERYTHING, COMPLETE)
    companies = len(capture.entities[EntityType.COMPANIES])
    assert companies > TENANTS * 4 // 5
    assert len(capture.entities[EntityType.SITES]) == len(capture.edges[RelationshipType.SITE_OF]) == 2 * companies
    assert {edge.parent_type for edge in capture.edges[RelationshipType.CONTRACT_OF]} == {
        EntityType.COMPANIES,
        EntityType.SITES,
    }


@pytest.mark.parametrize("wanted", [(Resource.CLIENTS, Resource.SITES), (Resource.CONTRACTS,), (Resource.SITES,)])
def test_exactly_what_is_asked_for_has_an_outcome_and_pages(
    halo: Halo, source: TenantSource, wanted: tuple[Resource, ...]
) -> None:
    assert halo.read(*wanted, source=source).outcomes == dict.fromkeys(wanted, COMPLETE)
    assert {page.resource for page in halo.pages} == set(wanted)


def test_normalizing_does_not_depend_on_the_order_of_pages(halo: Halo, source: TenantSource) -> None:
    capture = halo.read(source=source)
    assert source.entities(reversed(halo.pages)) == capture.entities
    assert source.edges(reversed(halo.pages)) == capture.edges
    assert source.changes(halo.pages) == Changes()


def test_both_sources_agree_and_reading_again_gives_the_same(halo: Halo) -> None:
    read = halo.read()
    assert halo.read() == read
    assert halo.read(source=in_memory(halo)) == read
    assert halo.read(source=halo.source(page_size=500)) == read


def test_an_exported_capture_reads_back_equal(halo: Halo, source: TenantSource, tmp_path: Path) -> None:
    halo.state.kept_back = {records.client_id(0)}
    capture = halo.read(source=source)
    write_folder(tmp_path, halo.pages, capture.outcomes)
    pages, outcomes = read_folder(tmp_path)
    found = NormalizedCapture(entities=source.entities(pages), edges=source.edges(pages), outcomes=outcomes)
    assert found == capture


def test_a_storm_of_faults_changes_nothing_in_the_capture(halo: Halo) -> None:
    calm = halo.read()
    for status in (429, 503, 0, 504, 500):
        for path in ("Client", "Site", "ClientContract"):
            halo.fails(status, path)
    halo.tokens = TokenCache()
    halo.fails(503, "/auth/token")
    assert halo.read() == calm
    assert len(halo.time.slept) >= 15


def test_a_throttled_request_waits_as_long_as_it_is_told(halo: Halo) -> None:
    halo.fails(429, "Site", after=40)
    assert incomplete(halo.read()) == {}
    assert [40 <= waited < 41 for waited in halo.time.slept] == [True]


def test_a_throttle_longer_than_the_run_is_for_the_next_run(halo: Halo) -> None:
    halo.fails(429, times=1000, after=60)
    with pytest.raises(ThrottledError) as caught:
        halo.read(source=halo.source(deadline=30.0))
    assert (caught.value.retry_after, halo.time.slept, halo.pages) == (60, [], [])


def test_an_outage_is_transient_and_never_an_empty_psa(halo: Halo) -> None:
    halo.fails(503, times=1000)
    with pytest.raises(ProviderUnavailableError):
        halo.read()
    assert halo.pages == []


def test_fewer_records_than_announced_are_an_incomplete_list_and_never_a_smaller_psa(halo: Halo) -> None:
    halo.state.kept_back = {records.client_id(0)}
    capture = halo.read()
    assert set(incomplete(capture)) == {Resource.CLIENTS}
    assert "announced" in capture.outcomes[Resource.CLIENTS].reason
    assert capture.outcomes[Resource.SITES] == COMPLETE
    assert sum("/api/Client?" in asked and "page_no=1&" in asked for asked in halo.state.requests) == 3


def test_a_psa_without_any_client_is_a_fault_of_the_answer(halo: Halo) -> None:
    halo.state.removed = set(range(100_000))
    assert set(incomplete(halo.read())) == {Resource.CLIENTS}


def test_a_missing_permission_is_said_and_the_others_go_on(halo: Halo) -> None:
    halo.state.forbidden = {"ClientContract"}
    told = incomplete(halo.read())
    assert set(told) == {Resource.CONTRACTS}
    assert "read:contracts" in told[Resource.CONTRACTS]
    assert set(incomplete(halo.read(Resource.CONTRACTS))) == {Resource.CONTRACTS}


def test_without_any_permission_the_psa_refuses_us(halo: Halo) -> None:
    halo.state.forbidden = {"Client", "Site", "ClientContract"}
    with pytest.raises(TenantUnreachableError) as caught:
        halo.read()
    assert caught.value.code == "HTTP 403"


def test_a_token_is_fetched_once_and_a_revoked_one_is_replaced(halo: Halo) -> None:
    calm = halo.read()
    halo.state.token_generation += 1
    assert halo.read() == calm
    halo.time.now += 3600
    assert halo.read() == calm


@pytest.mark.parametrize("change", [{"client_secret": "not it"}, {"client_id": "00000000-0000-0000-0000-000000000001"}])
def test_a_refused_sign_in_is_the_psa_refusing_us(halo: Halo, change: dict[str, str]) -> None:
    with pytest.raises(TenantUnreachableError, match="client id and secret") as caught:
        halo.read(source=halo.source(replace(halo.secret, **change)))
    assert caught.value.code == "invalid_client"


def test_a_run_without_time_reads_nothing(halo: Halo) -> None:
    with pytest.raises(DeadlineExceededError):
        halo.read(source=halo.source(deadline=0.0))


def test_nobody_at_the_address_is_transient(halo: Halo) -> None:
    source = HaloPsaSource(Instance(root="https://127.0.0.1:9"), halo.secret, clock=Clock(sleep=halo.time.sleep))
    with pytest.raises(ProviderUnavailableError, match="cannot be reached"):
        halo.read(source=source)


def test_what_an_integration_keeps_in_a_record_is_not_captured(halo: Halo) -> None:
    tenant = halo.running.simulator.state(0).tenant
    kept = {"azure_tenant_id": tenant.id, "new_access_token": "a-token-of-halopsa"}
    halo.state.clients[7] = records.client(7, "Contoso") | {"azure_tenants": [kept], "logo": "data:image/png"}
    halo.read()
    assert not [page for page in halo.pages if b"a-token-of-halopsa" in page.body or b"image/png" in page.body]


def test_no_secret_token_or_customer_is_logged(
    halo: Halo, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    halo.fails(503, "Client", times=2)
    halo.state.forbidden = {"Site"}
    with caplog.at_level(logging.DEBUG):
        capture = halo.read()
    printed = capsys.readouterr()
    text = caplog.text + printed.out + printed.err
    token = halo.tokens.get(instance(halo.running.base_url), halo.secret.client_id, halo.time.now)
    names = [getattr(one, "display_name", "") for one in capture.entities[EntityType.COMPANIES].values()]
    assert token
    assert [secret for secret in (token, halo.secret.client_secret, *names) if secret in text] == []
