"""The adapter against Graph in trouble, over HTTPS: equal captures, or a plain word on what is missing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig
from graphsim.trouble.faults import Fault
from pipeline.domain.capture import COMPLETE, NormalizedCapture, Page, Resource
from pipeline.domain.entities import EntityType
from pipeline.domain.providers import Provider, resources_of
from pipeline.errors import (
    DeadlineExceededError,
    ProviderUnavailableError,
    SettingError,
    TenantUnreachableError,
    ThrottledError,
)
from pipeline.providers.microsoft365.auth import Credentials, TokenStore
from pipeline.providers.microsoft365.conclusion import NO_PREMIUM
from pipeline.providers.microsoft365.source import Microsoft365Source
from pipeline.providers.retry import Clock
from tests.readings import normalized
from tests.sleeping import Time

NON_PREMIUM = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    config = SimulatorConfig(tenants=2, users=1100, now=datetime(2026, 1, 2, tzinfo=UTC))
    with RunningSimulator(config, tmp_path_factory.mktemp("graphsim")) as simulator:
        yield simulator


@pytest.fixture
def simulator(running: RunningSimulator) -> RunningSimulator:
    """The simulator with nothing left of the test before."""
    running.simulator.states.clear()
    return running


@pytest.fixture
def premium(simulator: RunningSimulator) -> int:
    """A tenant with a premium licence."""
    states = (simulator.simulator.state(index) for index in range(2))
    return next(state.tenant.index for state in states if state.tenant.posture.premium)


@dataclass
class Reader:
    """Reads one tenant and keeps what was slept meanwhile."""

    simulator: RunningSimulator
    index: int
    time: Time = field(default_factory=Time)
    store: TokenStore = field(default_factory=TokenStore)
    pages: list[Page] = field(default_factory=list)

    def fails(self, *, status: int, code: str = "x", path: str = "", times: int = 1, after: int | None = None) -> None:
        fault = Fault(path_contains=path, status=status, code=code, times=times, retry_after=after)
        self.simulator.simulator.state(self.index).faults.append(fault)

    def credentials(self) -> Credentials:
        known = self.simulator.credentials(self.index)
        return Credentials(tenant_id=known.tenant_id, client_id=known.client_id, credential=known.client_secret)

    def read(self, credentials: Credentials | None = None, *, deadline: float | None = None) -> NormalizedCapture:
        source = Microsoft365Source(
            credentials or self.credentials(),
            base_url=self.simulator.base_url,
            authority=self.simulator.base_url,
            ca_path=self.simulator.ca_path,
            store=self.store,
            deadline=deadline,
            clock=self.time.clock(),
        )
        self.pages.clear()
        return normalized(source, self.pages, source.read(resources_of(Provider.MICROSOFT365), self.pages.append))


@pytest.fixture
def reader(simulator: RunningSimulator, premium: int) -> Reader:
    return Reader(simulator, premium)


def incomplete(capture: NormalizedCapture) -> dict[Resource, str]:
    return {key: outcome.reason for key, outcome in capture.outcomes.items() if not outcome.complete}


def test_a_storm_of_faults_changes_nothing_in_the_capture(reader: Reader) -> None:
    calm = reader.read()
    for status in (429, 503, 504, 500):
        for path in ("users", "groups", "members", "conditionalAccess", "subscribedSkus", "userRegistration"):
            reader.fails(status=status, path=path)
    stormy = reader.read()
    assert stormy == calm
    assert len(reader.time.slept) >= 20


def test_a_throttled_request_waits_as_long_as_it_is_told(reader: Reader) -> None:
    reader.fails(status=429, code="TooManyRequests", path="subscribedSkus", after=7)
    assert incomplete(reader.read()) == {}
    assert len(reader.time.slept) == 1
    assert 7 <= reader.time.slept[0] <= 8


def test_a_throttle_longer_than_the_run_is_for_the_next_run(reader: Reader) -> None:
    reader.fails(status=429, times=1000, after=60)
    with pytest.raises(ThrottledError) as caught:
        reader.read(deadline=30.0)
    assert caught.value.retry_after == 60
    assert reader.time.slept == []


def test_an_outage_is_transient_and_never_an_empty_tenant(reader: Reader) -> None:
    reader.fails(status=503, times=1000)
    with pytest.raises(ProviderUnavailableError):
        reader.read()
    assert reader.pages == []


def test_one_list_in_trouble_is_incomplete_and_the_others_go_on(reader: Reader) -> None:
    reader.fails(status=503, path="subscribedSkus", times=1000)
    capture = reader.read()
    assert incomplete(capture) == {Resource.SKUS: "Microsoft answers 503 (x)"}
    assert len(capture.entities[EntityType.IDENTITIES]) == 1100


def test_consent_withdrawn_is_the_tenant_refusing_us(reader: Reader) -> None:
    reader.simulator.simulator.state(reader.index).consent = False
    with pytest.raises(TenantUnreachableError, match="consent") as caught:
        reader.read()
    assert caught.value.code == "Authorization_RequestDenied"
    assert reader.pages == []


def test_one_permission_withdrawn_costs_one_list(reader: Reader) -> None:
    reader.fails(status=403, code="AccessDenied", path="namedLocations", times=1000)
    assert incomplete(reader.read()) == {
        Resource.NAMED_LOCATIONS: (
            "Microsoft refuses it (AccessDenied); the application needs the permission Policy.Read.All"
        )
    }


def test_a_premium_tenant_that_is_called_unlicensed_for_a_moment_keeps_its_sign_ins(reader: Reader) -> None:
    calm = reader.read()
    reader.fails(status=403, code=NON_PREMIUM, path="users", times=2)
    assert reader.read() == calm


def test_without_a_premium_licence_every_user_is_read_and_nothing_else_is_asked_for_that_needs_it(
    reader: Reader,
) -> None:
    reader.fails(status=403, code=NON_PREMIUM, path="users", times=6)  # three of them when asking for changes
    capture = reader.read()
    needing = (Resource.SIGN_IN_ACTIVITY, Resource.REGISTRATION_DETAILS)
    assert incomplete(capture) == dict.fromkeys(needing, NO_PREMIUM)
    assert capture.outcomes[Resource.USERS] == COMPLETE
    assert len(capture.entities[EntityType.IDENTITIES]) == 1100


def test_page_tokens_that_expire_start_the_list_again(reader: Reader) -> None:
    calm = reader.read()
    reader.fails(status=400, code="Directory_ExpiredPageToken", path="users", times=2)
    assert reader.read() == calm


def test_tokens_that_are_revoked_are_replaced(reader: Reader) -> None:
    calm = reader.read()
    reader.simulator.simulator.state(reader.index).token_generation += 1
    assert reader.read() == calm


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"credential": "not it"}, "AADSTS7000215"),
        ({"client_id": "00000000-0000-0000-0000-000000000001"}, "AADSTS700016"),
        ({"tenant_id": "00000000-0000-0000-0000-000000000002"}, "AADSTS90002"),
    ],
)
def test_a_refused_sign_in_is_the_tenant_refusing_us(reader: Reader, change: dict[str, str], code: str) -> None:
    with pytest.raises(TenantUnreachableError) as caught:
        reader.read(replace(reader.credentials(), **change))
    assert caught.value.code == code


def test_a_run_without_time_reads_nothing(reader: Reader) -> None:
    reader.time.now = 1.0
    with pytest.raises(DeadlineExceededError):
        reader.read(deadline=1.0)


def test_nobody_at_the_address_is_transient(reader: Reader) -> None:
    source = Microsoft365Source(
        reader.credentials(),
        base_url="https://127.0.0.1:9",
        authority="https://127.0.0.1:9",
        ca_path=reader.simulator.ca_path,
        clock=Clock(sleep=reader.time.sleep),
    )
    with pytest.raises(ProviderUnavailableError, match="cannot be reached"):
        source.read([Resource.USERS], reader.pages.append)


def test_a_certificate_file_that_is_none_is_a_setting_to_correct(reader: Reader) -> None:
    source = Microsoft365Source(reader.credentials(), ca_path=reader.simulator.ca_path.with_name("none.pem"))
    with pytest.raises(SettingError, match="GRAPH_CA_FILE"):
        source.read([Resource.USERS], reader.pages.append)


def test_no_secret_token_or_person_is_logged(
    reader: Reader, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    reader.fails(status=503, path="users", times=2)
    with caplog.at_level(logging.DEBUG):
        capture = reader.read()
    printed = capsys.readouterr()
    text = caplog.text + printed.out + printed.err
    tokens = reader.store.access_tokens()
    people = [getattr(user, "user_principal_name", "") for user in capture.entities[EntityType.IDENTITIES].values()]
    assert [secret for secret in (*tokens, str(reader.credentials().credential), *people) if secret in text] == []
    assert tokens
    assert all(people)
