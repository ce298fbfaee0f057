"""A load on real PostgreSQL: what is unchanged is not written, and what was not read is not concluded from."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from graphsim.world import scenario
from pipeline.domain.capture import Page, Resource, SyncType
from pipeline.domain.flags import Flag
from pipeline.domain.graph import TenantGraph
from pipeline.storage.graph import load_graph
from pipeline.storage.tenants import list_sources
from tests.tenants import LEGACY, NEW
from tests.world import CUT, ENFORCED, PILOT, SECURITY_DEFAULTS, World, a_world

pytestmark = pytest.mark.servers
TABLES = ("entities", "relationships", "findings", "alerts", "alert_history")


def kept(world: World, table: str) -> list[tuple[object, ...]]:
    """Where PostgreSQL keeps each row and which transaction wrote it: any write at all changes one of them."""
    return world.rows(f"SELECT ctid::text, xmin::text FROM {table} ORDER BY ctid")  # noqa: S608 - names of our own


@pytest.mark.parametrize("posture", range(7))
def test_a_second_sync_of_an_unchanged_tenant_writes_no_row_of_it(database_url: str, posture: int) -> None:
    with a_world(database_url, NEW, posture=posture) as world:
        world.sync()
        before = {table: kept(world, table) for table in TABLES}
        assert before["entities"]
        assert before["alerts"]

        world.sync()

        assert {table: kept(world, table) for table in TABLES} == before


def test_a_changed_user_is_the_only_entity_written(database_url: str) -> None:
    with a_world(database_url, NEW) as world:
        world.sync()
        changed = world.state.tenant.user_id(20)
        scenario.change_user(world.state, changed, scenario.UserBody(signed_in=True))
        rows = "SELECT external_id, ctid::text FROM entities"
        before = set(world.rows(rows))

        world.sync()

        assert {row[0] for row in set(world.rows(rows)) - before} == {changed}


def first_page_of_users_only(page: Page) -> Page | None:
    """Half of the users: what a cut connection leaves."""
    if page.resource is not Resource.USERS:
        return page
    body = json.loads(page.body)
    body["value"] = body["value"][: len(body["value"]) // 2]
    return Page(resource=page.resource, body=json.dumps(body).encode())


@pytest.mark.parametrize("branch", [NEW, LEGACY], ids=["new", "legacy"])
def test_half_a_list_of_users_deletes_nobody_and_takes_no_licence_away(
    database_url: str, branch: Mapping[Flag, bool]
) -> None:
    with a_world(database_url, branch) as world:
        world.sync()
        users = world.number("SELECT count(*) FROM entities WHERE entity_type = 'identities'")
        licences = world.number("SELECT count(*) FROM relationships WHERE type = 'has_license'")
        world.edit = first_page_of_users_only
        world.outcomes[Resource.USERS] = CUT

        world.sync()

        standing = "SELECT count(*) FROM entities WHERE entity_type = 'identities' AND deleted_at IS NULL"
        assert world.number(standing) == users
        assert world.number("SELECT count(*) FROM relationships WHERE type = 'has_license'") == licences
        assert world.rows("SELECT complete, reason FROM source_inputs WHERE resource = 'users'") == [
            (False, CUT.reason)
        ]


def test_users_who_are_gone_stay_as_rows_with_their_alerts_resolved_and_return_under_their_id(
    database_url: str,
) -> None:
    with a_world(database_url, NEW, posture=PILOT) as world:
        world.sync()
        gone = [world.state.tenant.user_id(number) for number in range(30)]
        active = "SELECT id FROM alerts WHERE status = 'active' AND external_id = ANY(:gone) ORDER BY id"
        raised = world.rows(active, gone=gone)
        assert raised
        for user_id in gone:
            scenario.remove_user(world.state, user_id)

        world.sync()

        deleted = "SELECT count(*) FROM entities WHERE deleted_at IS NOT NULL AND tags = '{}' AND state = 'normal'"
        assert world.number(deleted) == len(gone)
        assert world.rows(active, gone=gone) == []
        world.state.removed.clear()
        world.sync()
        assert world.number("SELECT count(*) FROM entities WHERE deleted_at IS NOT NULL") == 0
        assert world.rows(active, gone=gone) == raised
        reopened = (
            "SELECT count(*) FROM alert_history h JOIN alerts a ON a.id = h.alert_id"
            " WHERE h.from_status = 'resolved' AND a.external_id = ANY(:gone)"
        )
        assert world.number(reopened, gone=gone) == len(raised)


@pytest.mark.parametrize(
    "resource",
    [
        Resource.USERS,
        Resource.POLICIES,
        Resource.GROUP_MEMBERS,
        Resource.ROLE_MEMBERS,
        Resource.ROLE_ASSIGNMENTS,
        Resource.GROUPS,
    ],
)
def test_from_an_input_that_was_cut_no_mfa_alert_is_concluded(database_url: str, resource: Resource) -> None:
    with a_world(database_url, NEW, posture=SECURITY_DEFAULTS) as world:
        world.sync()
        of_mfa = (
            "SELECT id, ctid::text FROM alerts WHERE alert_type LIKE 'mfa%' OR alert_type = 'policy_gap' ORDER BY id"
        )
        before = world.rows(of_mfa)
        assert before
        world.outcomes[resource] = CUT
        for number in range(10, 20):
            user_id = world.state.tenant.user_id(number)
            scenario.change_user(world.state, user_id, scenario.UserBody(enabled=False))

        run_id = world.sync()

        assert world.run(run_id)[0] == "succeeded"
        assert world.rows(of_mfa) == before
        detail = "SELECT detail->'not_evaluated' FROM run_steps WHERE run_id = :id AND stage = 'analyze'"
        ((told,),) = world.rows(detail, id=run_id)
        assert CUT.reason in str(told), "and the run says why"


def test_purchases_applications_and_the_organization_stand_in_the_graph(database_url: str) -> None:
    with a_world(database_url, NEW, posture=PILOT) as world:
        world.sync(SyncType.LICENSES, SyncType.APPLICATIONS, SyncType.ORGANIZATION)

        graph = stored_graph(world)

        assert {one.sku_id for one in graph.subscriptions.values()} == graph.licenses.keys()
        assert any(one.credentials for one in graph.applications.values())
        assert graph.organization is not None
        assert graph.organization.id == world.state.tenant.id
        assert world.state.tenant.domain in graph.organization.verified_domains


@pytest.mark.parametrize("resource", [Resource.ROLE_ASSIGNMENTS, Resource.ROLE_DEFINITIONS])
def test_a_role_held_by_assignment_alone_stays_while_assignments_cannot_be_read(
    database_url: str, resource: Resource
) -> None:
    with a_world(database_url, NEW, posture=ENFORCED) as world:
        world.sync()
        whole = stored_graph(world)
        assert not all(role.built_in for role in whole.roles.values())
        world.outcomes[resource] = CUT
        world.edit = lambda page: None if page.resource is resource else page

        world.sync(SyncType.ROLES)

        assert (stored_graph(world).roles, stored_graph(world).roles_of) == (whole.roles, whole.roles_of)


def test_a_sync_of_roles_alone_keeps_every_holder(database_url: str) -> None:
    with a_world(database_url, NEW, posture=ENFORCED) as world:
        world.sync()
        whole = stored_graph(world)

        world.sync(SyncType.ROLES)

        assert stored_graph(world).roles_of == whole.roles_of


def stored_graph(world: World) -> TenantGraph:
    with world.database.begin() as connection:
        (source,) = list_sources(connection)
        return load_graph(connection, source.scope)
