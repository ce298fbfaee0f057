"""What every ``TenantSource`` keeps to: the one in memory, and the real adapter against Graph over HTTPS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from graphsim.pages import capture_pages
from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig
from graphsim.trouble.faults import of_kind
from pipeline.domain.capture import COMPLETE, NormalizedCapture, Page, ReadOutcome, Resource
from pipeline.domain.entities import EntityType, RelationshipType, Role
from pipeline.domain.providers import Provider, resources_of
from pipeline.providers.folder import read_folder, write_folder
from pipeline.providers.memory import MemorySource
from pipeline.providers.microsoft365 import normalize
from pipeline.providers.microsoft365.auth import TokenStore
from pipeline.providers.microsoft365.conclusion import NO_PREMIUM
from pipeline.providers.source import TenantSource
from tests.readings import normalized, simulated_source

EVERYTHING = resources_of(Provider.MICROSOFT365)
TENANTS = range(5)
USERS = 60
NEEDS_PREMIUM = (Resource.SIGN_IN_ACTIVITY, Resource.REGISTRATION_DETAILS)
HELD_BY_ALL = (
    EntityType.GROUPS,
    EntityType.ROLES,
    EntityType.LICENSES,
    EntityType.SECURITY_DEFAULTS,
    EntityType.SUBSCRIPTIONS,
    EntityType.APPLICATIONS,
    EntityType.ORGANIZATION,
)
SourceOf = Callable[[int], TenantSource]


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    config = SimulatorConfig(tenants=len(TENANTS), users=USERS, now=datetime(2026, 1, 2, tzinfo=UTC))
    with RunningSimulator(config, tmp_path_factory.mktemp("graphsim")) as running:
        yield running


def in_memory(simulator: RunningSimulator) -> SourceOf:
    def source(index: int) -> TenantSource:
        state = simulator.simulator.state(index)
        refused = {} if state.tenant.posture.premium else dict.fromkeys(NEEDS_PREMIUM, without_premium())
        pages = (
            Page(resource=Resource(resource), parent_id=parent, body=body)
            for resource, parent, body in capture_pages(state)
        )
        return MemorySource(pages, dict.fromkeys(EVERYTHING, COMPLETE) | refused, normalize)

    return source


def over_https(simulator: RunningSimulator) -> SourceOf:
    return partial(simulated_source, simulator, store=TokenStore())


def in_a_storm(simulator: RunningSimulator) -> SourceOf:
    """A fifth of the answers are 429, 503, 504 or cut."""
    simulator.simulator.traffic.faults += [replace(of_kind(kind), rate=0.05) for kind in ("429", "503", "504", "cut")]
    return over_https(simulator)


def without_premium() -> ReadOutcome:
    return ReadOutcome(complete=False, reason=NO_PREMIUM, refused=True)


@pytest.fixture(params=[in_memory, over_https, in_a_storm], ids=["memory", "microsoft365", "storm"])
def source_of(request: pytest.FixtureRequest, simulator: RunningSimulator) -> Iterator[SourceOf]:
    make: Callable[[RunningSimulator], SourceOf] = request.param
    yield make(simulator)
    simulator.simulator.traffic.faults.clear()


def read(source: TenantSource, *resources: Resource) -> tuple[list[Page], NormalizedCapture]:
    pages: list[Page] = []
    outcomes = source.read(resources, pages.append)
    return pages, normalized(source, pages, outcomes)


@pytest.mark.parametrize("index", TENANTS)
def test_a_tenant_is_read_as_a_whole(source_of: SourceOf, simulator: RunningSimulator, index: int) -> None:
    _, capture = read(source_of(index), *EVERYTHING)
    assert set(capture.outcomes) == set(EVERYTHING)
    assert len(capture.entities[EntityType.IDENTITIES]) == USERS
    for kind in HELD_BY_ALL:
        assert capture.entities[kind], kind
    for relationship in (RelationshipType.MEMBER_OF, RelationshipType.ASSIGNED_ROLE, RelationshipType.HAS_LICENSE):
        assert capture.edges[relationship], relationship


ROLES_ALONE = (
    Resource.DIRECTORY_ROLES,
    Resource.ROLE_MEMBERS,
    Resource.ROLE_ASSIGNMENTS,
    Resource.ROLE_DEFINITIONS,
)


@pytest.mark.parametrize("index", TENANTS)
def test_roles_read_alone_have_the_holders_they_have_in_the_whole(source_of: SourceOf, index: int) -> None:
    """Without users and groups nothing but the lists of roles themselves can tell what kind a holder is of."""
    _, alone = read(source_of(index), *ROLES_ALONE)
    _, whole = read(source_of(index), *EVERYTHING)
    assert alone.edges[RelationshipType.ASSIGNED_ROLE] == whole.edges[RelationshipType.ASSIGNED_ROLE]
    parents = {edge.parent_id for edge in whole.edges[RelationshipType.ASSIGNED_ROLE]}
    assert parents <= whole.entities[EntityType.ROLES].keys()


def test_a_role_the_tenant_made_itself_has_its_holder(source_of: SourceOf) -> None:
    _, capture = read(source_of(0), *ROLES_ALONE)
    roles = capture.entities[EntityType.ROLES].values()
    own = {role.id for role in roles if isinstance(role, Role) and not role.built_in}
    assert len(own) == 1
    assert own <= {edge.parent_id for edge in capture.edges[RelationshipType.ASSIGNED_ROLE]}


@pytest.mark.parametrize("index", TENANTS)
def test_what_a_licence_withholds_is_incomplete_with_its_reason(
    source_of: SourceOf, simulator: RunningSimulator, index: int
) -> None:
    _, capture = read(source_of(index), *EVERYTHING)
    premium = simulator.simulator.state(index).tenant.posture.premium
    incomplete = {key: outcome for key, outcome in capture.outcomes.items() if not outcome.complete}
    assert incomplete == ({} if premium else dict.fromkeys(NEEDS_PREMIUM, without_premium()))


@pytest.mark.parametrize(
    "wanted",
    [
        (Resource.USERS,),
        (Resource.SKUS,),
        (Resource.GROUPS, Resource.GROUP_MEMBERS),
        (Resource.DIRECTORY_ROLES, Resource.ROLE_MEMBERS),
        (Resource.ROLE_ASSIGNMENTS, Resource.ROLE_DEFINITIONS),
        (Resource.ORGANIZATION, Resource.DIRECTORY_SUBSCRIPTIONS, Resource.APPLICATIONS),
        (Resource.POLICIES, Resource.NAMED_LOCATIONS, Resource.AUTHENTICATION_STRENGTHS, Resource.SECURITY_DEFAULTS),
        (),
    ],
)
def test_exactly_what_is_asked_for_has_an_outcome_and_pages(source_of: SourceOf, wanted: tuple[Resource, ...]) -> None:
    pages, capture = read(source_of(0), *wanted)
    assert capture.outcomes == dict.fromkeys(wanted, COMPLETE)
    assert {page.resource for page in pages} == set(wanted)


def test_normalizing_does_not_depend_on_the_order_of_pages(source_of: SourceOf) -> None:
    source = source_of(0)
    pages, capture = read(source, *EVERYTHING)
    assert normalized(source, reversed(pages), capture.outcomes) == capture


def test_reading_again_gives_an_equal_capture(source_of: SourceOf) -> None:
    assert read(source_of(1), *EVERYTHING)[1] == read(source_of(1), *EVERYTHING)[1]


@pytest.mark.parametrize("index", TENANTS)
def test_every_source_agrees_with_the_one_in_memory(
    source_of: SourceOf, simulator: RunningSimulator, index: int
) -> None:
    remembered = in_memory(simulator)(index)
    assert read(remembered, *EVERYTHING)[1] == read(source_of(index), *EVERYTHING)[1]


@pytest.mark.parametrize("index", TENANTS)
def test_an_exported_capture_reads_back_equal(source_of: SourceOf, tmp_path: Path, index: int) -> None:
    pages, capture = read(source_of(index), *EVERYTHING)
    write_folder(tmp_path, pages, capture.outcomes)
    assert normalized(source_of(index), *read_folder(tmp_path)) == capture
