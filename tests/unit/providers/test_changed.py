"""Reading changes: what a delta query names is read again, and everything doubtful is read in full."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

import pytest

from pipeline.domain.capture import Page, ReadOutcome, Resource
from pipeline.domain.entities import EntityType, RelationshipType
from pipeline.errors import ServerUnavailableError, TransientError
from pipeline.providers.microsoft365 import normalize
from pipeline.providers.microsoft365.client import GraphClient
from pipeline.providers.microsoft365.conclusion import Readings
from pipeline.providers.microsoft365.reading import TenantReading
from pipeline.providers.source import Since

if TYPE_CHECKING:
    from tests.unit.providers.conftest import ScriptedGraph

OLD, LATER = "https://graph.test/v1.0/old", "https://graph.test/v1.0/later"
PEOPLE = (Resource.USERS, Resource.SIGN_IN_ACTIVITY, Resource.REGISTRATION_DETAILS)
GROUPS = (Resource.GROUPS, Resource.GROUP_MEMBERS)
ROLES = (Resource.DIRECTORY_ROLES, Resource.ROLE_MEMBERS)
TOLD = ReadOutcome(complete=True, changes_only=True)
TOLD_UNTIL_LATER = ReadOutcome(complete=True, changes_only=True, token=LATER)
GONE = (404, "Request_ResourceNotFound")
MEMBER = {"id": "u", "@odata.type": "#microsoft.graph.user"}


def read(graph: ScriptedGraph, wanted: Collection[Resource], since: Since) -> tuple[Readings, list[Page]]:
    pages: list[Page] = []

    async def work(client: GraphClient) -> Readings:
        return await TenantReading(client, pages.append, since=since).read(wanted)

    return graph.run(work), pages


def outcomes(readings: Readings) -> dict[Resource, ReadOutcome]:
    return {key: reading.outcome for key, reading in readings.items()}


def since(*resources: Resource) -> Since:
    return dict.fromkeys(resources, OLD)


def removal(name: str, reason: str) -> dict[str, object]:
    return {"id": name, "@removed": {"reason": reason}}


def told(pages: Collection[Page], resource: Resource) -> dict[str, object]:
    """Each entry of the pages by its id."""
    return {
        entry["id"]: entry for page in pages if page.resource is resource for entry in json.loads(page.body)["value"]
    }


def test_changed_users_are_looked_at_again_with_their_sign_ins(graph: ScriptedGraph) -> None:
    entries = [{"id": "u"}, removal("bin", "changed"), removal("back", "changed"), removal("gone", "deleted")]
    graph.on("/old", graph.delta(*entries, {"id": "u"}))
    graph.on("/users/u", graph.raw(b'{"id":"u","accountEnabled":false}'))
    graph.on("/users/back", graph.raw(b'{"id":"back"}')).on("/users/bin", graph.error(*GONE))
    readings, pages = read(graph, PEOPLE, since(*PEOPLE))
    assert outcomes(readings) == {Resource.USERS: TOLD_UNTIL_LATER, Resource.SIGN_IN_ACTIVITY: TOLD}
    assert told(pages, Resource.USERS) == {
        "u": {"id": "u", "accountEnabled": False},
        "back": {"id": "back"},
        "bin": removal("bin", "deleted"),
        "gone": removal("gone", "deleted"),
    }
    (batch,) = graph.batches
    assert len(batch) == 3
    assert all(path.endswith(",signInActivity") for path in batch)


def test_without_a_full_reading_of_sign_ins_there_is_no_outcome_of_them(graph: ScriptedGraph) -> None:
    graph.on("/old", graph.delta({"id": "u"})).on("/users/u", graph.raw(b'{"id":"u"}'))
    readings, _ = read(graph, PEOPLE, since(Resource.USERS))
    assert outcomes(readings) == {Resource.USERS: TOLD_UNTIL_LATER}
    assert not any("signInActivity" in path for batch in graph.batches for path in batch)


def test_a_second_look_that_is_refused_makes_it_a_full_reading(graph: ScriptedGraph) -> None:
    refusal = graph.error(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    graph.on("/old", graph.delta({"id": "u"}, {"id": "v"})).on("/users/u", refusal)
    graph.on("/users/v", graph.raw(b'{"id":"v"}'))
    graph.on("/users/delta", graph.delta(link=LATER)).on("/users", refusal, refusal, refusal, graph.page({"id": "u"}))
    graph.otherwise = graph.page()
    readings, pages = read(graph, PEOPLE, since(*PEOPLE))
    found = outcomes(readings)
    assert found[Resource.USERS] == ReadOutcome(complete=True, token=LATER)
    assert not found[Resource.SIGN_IN_ACTIVITY].complete
    assert not found[Resource.REGISTRATION_DETAILS].complete, "which is not asked for: it needs the same licence"
    assert set(told(pages, Resource.USERS)) == {"u"}, "nothing of the changes is passed on beside a full reading"


def test_trouble_that_passes_leaves_everything_as_it_was(graph: ScriptedGraph) -> None:
    graph.on("/old", graph.delta({"id": "u"}, {"id": "v"})).on("/users/u", graph.error(503, "x"))
    graph.on("/users/v", graph.raw(b'{"id":"v"}'))
    readings, pages = read(graph, PEOPLE, since(*PEOPLE))
    ended = ReadOutcome(complete=False, reason="Microsoft answers 503 (x)", changes_only=True)
    assert outcomes(readings) == dict.fromkeys((Resource.USERS, Resource.SIGN_IN_ACTIVITY), ended)
    assert isinstance(readings[Resource.USERS].error, TransientError)
    assert pages == []


def test_a_changed_group_is_read_with_all_its_members(graph: ScriptedGraph) -> None:
    graph.on("/old", graph.delta({"id": "g", "members@delta": [removal("x", "deleted")]}, removal("h", "deleted")))
    graph.on("/groups/g", graph.raw(b'{"id":"g","displayName":"G"}'))
    link = "https://graph.test/v1.0/more"
    graph.on("/groups/g/members", graph.page(MEMBER, next_link=link)).on("/more", graph.page({**MEMBER, "id": "v"}))
    readings, pages = read(graph, GROUPS, since(*GROUPS))
    assert outcomes(readings) == {Resource.GROUPS: TOLD_UNTIL_LATER, Resource.GROUP_MEMBERS: TOLD}
    assert set(told(pages, Resource.GROUPS)) == {"g", "h"}
    assert [page.parent_id for page in pages if page.resource is Resource.GROUP_MEMBERS] == ["g", "g"]
    changes = normalize.changes(pages)
    assert changes.removed[EntityType.GROUPS] == {"h"}
    assert changes.parents[RelationshipType.MEMBER_OF] == {"g", "h"}
    assert {edge.child_id for edge in normalize.edges(pages)[RelationshipType.MEMBER_OF]} == {"u", "v"}


def test_a_group_that_is_empty_now_has_a_page_that_says_so(graph: ScriptedGraph) -> None:
    graph.on("/old", graph.delta({"id": "g"})).on("/groups/g", graph.raw(b'{"id":"g"}'))
    _, pages = read(graph.on("/groups/g/members", graph.page()), GROUPS, since(*GROUPS))
    assert normalize.changes(pages).parents[RelationshipType.MEMBER_OF] == {"g"}


def test_roles_of_which_nothing_changed_are_not_read(graph: ScriptedGraph) -> None:
    readings, pages = read(graph.on("/old", graph.delta()), ROLES, since(*ROLES))
    assert outcomes(readings) == {Resource.DIRECTORY_ROLES: TOLD_UNTIL_LATER, Resource.ROLE_MEMBERS: TOLD}
    assert pages == []


def test_roles_of_which_anything_changed_are_read_in_full(graph: ScriptedGraph) -> None:
    graph.on("/old", graph.delta({"id": "o"})).on("/directoryRoles/delta", graph.delta())
    graph.on("/directoryRoles", graph.page({"id": "o", "roleTemplateId": "r"}))
    graph.on("/directoryRoles/o/members", graph.page(MEMBER))
    readings, _ = read(graph, ROLES, since(*ROLES))
    assert outcomes(readings)[Resource.DIRECTORY_ROLES] == ReadOutcome(complete=True, token=LATER)
    assert outcomes(readings)[Resource.ROLE_MEMBERS] == ReadOutcome(complete=True)


def test_the_link_is_asked_for_before_the_list(graph: ScriptedGraph) -> None:
    graph.otherwise = graph.page({"id": "x"})
    graph.on("/users/delta", graph.delta()).on("/groups/delta", graph.delta()).on("/x/members", graph.page())
    readings, _ = read(graph, [*PEOPLE, *GROUPS], {})
    paths = [request.url.path for request in graph.requests]
    for name in ("users", "groups"):
        assert paths.index(f"/v1.0/{name}/delta") < paths.index(f"/v1.0/{name}")
    assert {key for key, outcome in outcomes(readings).items() if outcome.token} == {Resource.USERS, Resource.GROUPS}


def test_states_of_licences_are_read_with_every_user_but_their_changes_are_not_told(graph: ScriptedGraph) -> None:
    graph.on("/users/delta", graph.delta()).on("/users", graph.page()).on("/old", graph.delta({"id": "u"}))
    graph.on("/users/u", graph.raw(b'{"id":"u"}'))
    read(graph, [Resource.USERS], {})
    read(graph, [Resource.USERS], since(Resource.USERS))
    chosen = {request.url.path: request.query_params.get("$select", "") for request in graph.requests}
    ((again,),) = graph.batches
    assert "licenseAssignmentStates" not in chosen["/v1.0/users/delta"]
    assert "licenseAssignmentStates" in chosen["/v1.0/users"]
    assert "licenseAssignmentStates" in again


def test_a_list_that_broke_off_has_no_link(graph: ScriptedGraph) -> None:
    graph.on("/users/delta", graph.delta()).on("/users", graph.error(400, "x"))
    readings, _ = read(graph, [Resource.USERS], {})
    assert outcomes(readings)[Resource.USERS].token == ""


def test_a_fault_of_the_sink_comes_out_as_it_is(graph: ScriptedGraph) -> None:
    def full(_: Page) -> None:
        raise ServerUnavailableError("the database is gone")

    async def work(client: GraphClient) -> Readings:
        return await TenantReading(client, full, since=since(*PEOPLE)).read(PEOPLE)

    graph.on("/old", graph.delta({"id": "u"})).on("/users/u", graph.raw(b'{"id":"u"}'))
    with pytest.raises(ServerUnavailableError):
        graph.run(work)


def test_pages_of_changes_say_what_they_speak_of_in_any_order() -> None:
    licensed = b'{"value":[{"id":"u","displayName":"@removed","assignedLicenses":[{"skuId":"s"}]}]}'
    pages = [
        Page(resource=Resource.USERS, body=licensed),
        Page(resource=Resource.USERS, body=json.dumps({"value": [removal("v", "deleted")]}).encode()),
        Page(resource=Resource.USERS, body=json.dumps({"value": [removal("u", "deleted")]}).encode()),
        Page(resource=Resource.GROUPS, body=json.dumps({"value": [removal("h", "deleted"), {"id": "g"}]}).encode()),
        Page(resource=Resource.GROUP_MEMBERS, body=b'{"value":[]}', parent_id="g"),
    ]
    changes = normalize.changes(pages)
    assert changes == normalize.changes(reversed(pages))
    assert changes.removed == {EntityType.IDENTITIES: {"v"}, EntityType.GROUPS: {"h"}}
    assert changes.parents == {RelationshipType.MEMBER_OF: {"g", "h"}}
    assert changes.children == {
        RelationshipType.HAS_LICENSE: {"u", "v"},
        RelationshipType.MEMBER_OF: {"v", "h"},
        RelationshipType.ASSIGNED_ROLE: {"v", "h"},
    }
    entities = normalize.entities(pages)
    assert set(entities[EntityType.IDENTITIES]) == {"u"}
    assert set(entities[EntityType.GROUPS]) == {"g"}
    assert [edge.child_id for edge in normalize.edges(pages)[RelationshipType.HAS_LICENSE]] == ["u"]
