"""Linking on real PostgreSQL: both linkers leave the same relationships, whatever the tenant."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from graphsim.world import scenario
from pipeline.domain.capture import NormalizedCapture, Resource
from pipeline.domain.entities import RelationshipType
from pipeline.domain.flags import Flag
from pipeline.domain.runs import Scope
from pipeline.providers.microsoft365.normalize import normalize
from pipeline.stages.link import complete_types, link_in_bulk
from pipeline.storage.database import Database
from pipeline.storage.relationships import Pair, stored_pairs
from pipeline.wiring import LINKERS
from tests.tenants import NEW
from tests.world import CUT, PILOT, World, a_world, pages

pytestmark = pytest.mark.servers
BATCH: Mapping[Flag, bool] = NEW
N_PLUS_ONE: Mapping[Flag, bool] = {**NEW, Flag.BATCH_LOADING: False}
Pairs = Mapping[RelationshipType, set[Pair]]


def normalized(world: World) -> NormalizedCapture:
    """What both linkers are handed for the tenant as it is now."""
    source = world.open(None)  # type: ignore[arg-type]  # it opens the same whatever the run
    outcomes = source.read(tuple(Resource), lambda _page: None)
    return normalize(pages(world.state), outcomes)


def linked(database: Database, linker: str, capture: NormalizedCapture, source_id: int) -> tuple[Pairs, dict[str, int]]:
    """The relationships of a source once the linker has seen the capture, and how many it says it wrote."""
    scope = Scope(tenant_id=1, source_id=source_id)
    with database.begin() as connection:
        written = LINKERS[linker](connection, scope, capture.edges, complete_types(capture.outcomes))
        return stored_pairs(connection, scope, tuple(RelationshipType)), {
            kind.value: count for kind, count in written.counts.items() if count
        }


def change(world: World, step: int) -> None:
    tenant = world.state.tenant
    for number in range(10 + step, tenant.size, 7):
        if world.state.exists(number):
            scenario.remove_user(world.state, tenant.user_id(number))
        scenario.create_user(world.state)
    if step == 2:
        world.state.removed.clear()


@pytest.mark.parametrize("cut", [None, Resource.USERS, Resource.GROUP_MEMBERS, Resource.POLICIES])
@pytest.mark.parametrize("posture", range(7))
def test_the_batch_linker_leaves_what_the_n_plus_one_linker_leaves(
    database_url: str, posture: int, cut: Resource | None
) -> None:
    """Over a tenant's life: everything new, changed, partly unread, changed back; on one source id each."""
    with a_world(database_url, NEW, posture=posture) as world:
        for step in range(4):
            world.outcomes = {cut: CUT} if cut is not None and step == 1 else {}
            capture = normalized(world)

            # Ids follow from the source, so both linkers work on the same one, in transactions of their own.
            ends = [_rolled_back(world.database, linker, capture) for linker in ("batch", "n_plus_one")]

            assert ends[0] == ends[1]
            linked(world.database, "batch", capture, source_id=9)
            change(world, step)


def _rolled_back(database: Database, linker: str, capture: NormalizedCapture) -> tuple[Pairs, dict[str, int]]:
    """As ``linked``, leaving the stored relationships as they are."""
    scope = Scope(tenant_id=1, source_id=9)
    with database.engine.connect() as connection:
        written = LINKERS[linker](connection, scope, capture.edges, complete_types(capture.outcomes))
        counts = {kind.value: count for kind, count in written.counts.items() if count}
        return stored_pairs(connection, scope, tuple(RelationshipType)), counts


def test_linking_again_writes_nothing(database_url: str) -> None:
    with a_world(database_url, NEW) as world:
        capture = normalized(world)
        linked(world.database, "batch", capture, source_id=9)

        assert linked(world.database, "batch", capture, source_id=9)[1] == {}
        assert linked(world.database, "n_plus_one", capture, source_id=9)[1] == {}


def test_a_linker_touches_no_other_source(database_url: str) -> None:
    with a_world(database_url, NEW) as world:
        capture = normalized(world)
        theirs, _ = linked(world.database, "batch", capture, source_id=8)
        nothing = NormalizedCapture(entities={}, edges={}, outcomes=capture.outcomes)
        linked(world.database, "batch", capture, source_id=9)

        assert linked(world.database, "batch", nothing, source_id=9)[0] == {}

        with world.database.begin() as connection:
            assert stored_pairs(connection, Scope(tenant_id=1, source_id=8), tuple(RelationshipType)) == theirs


@pytest.mark.parametrize("branch", [BATCH, N_PLUS_ONE], ids=["batch", "n_plus_one"])
def test_a_run_stores_every_kind_of_relationship_and_tells_how_many(
    database_url: str, branch: Mapping[Flag, bool]
) -> None:
    with a_world(database_url, branch, posture=PILOT) as world:
        run_id = world.sync()

        detail = "SELECT detail->'written' FROM run_steps WHERE run_id = :id AND stage = 'link'"
        ((written,),) = world.rows(detail, id=run_id)
        stored = world.rows("SELECT type, count(*) FROM relationships GROUP BY type")
        assert isinstance(written, dict)
        assert {str(kind): count for kind, count in stored} == {kind: count for kind, count in written.items() if count}
        of_a_psa = {RelationshipType.SITE_OF, RelationshipType.CONTRACT_OF}
        assert {str(kind) for kind, _ in stored} == {kind.value for kind in RelationshipType if kind not in of_a_psa}


def test_the_batch_linker_is_what_the_wiring_calls_batch() -> None:
    assert LINKERS["batch"] is link_in_bulk
