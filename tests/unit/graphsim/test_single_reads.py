"""Single objects, bare counts and the policies a tenant has one of."""

from __future__ import annotations

import msgspec
import pytest

from graphsim.directory.tenants import Json
from graphsim.protocol.errors import GraphError
from graphsim.protocol.exchange import GraphRequest
from graphsim.reading import lists
from graphsim.reading.collection import KEY, Collection
from graphsim.reading.graph import answer
from graphsim.reading.security_lists import RISKY_USERS, SCHEDULE_INSTANCES
from tests.unit.graphsim.conftest import MakeWorld, World

REFUSED = (lists.REGISTRATIONS, lists.ROLE_ELIGIBILITIES, RISKY_USERS, SCHEDULE_INSTANCES)
"""Of a licence that the tenant has not, or without objects of their own ids."""
LISTED = [collection for collection in lists.COLLECTIONS if KEY not in collection.path and collection not in REFUSED]
COUNTED = (lists.USERS, lists.GROUPS, lists.APPLICATIONS, lists.SERVICE_PRINCIPALS)


def refusal(world: World, url: str, *, eventual: bool = False) -> tuple[int, str]:
    with pytest.raises(GraphError) as refused:
        world.raw(url, eventual=eventual)
    return refused.value.status, refused.value.code


@pytest.mark.parametrize("collection", LISTED, ids=lambda one: one.resource)
@pytest.mark.parametrize("form", ["{path}/{key}", "{path}('{key}')"])
def test_an_object_of_a_list_is_read_by_its_id(make_world: MakeWorld, collection: Collection, form: str) -> None:
    world = make_world(0)
    path = "/".join(collection.path)
    last = world.all(path)[-1]

    found = msgspec.json.decode(world.raw(form.format(path=path, key=last["id"])), type=Json)

    assert found.pop("@odata.context") == f"https://graph.test/v1.0/$metadata#{collection.context}/$entity"
    assert found == last


@pytest.mark.parametrize("collection", LISTED, ids=lambda one: one.resource)
def test_an_id_that_nothing_has_is_not_found(make_world: MakeWorld, collection: Collection) -> None:
    path = "/".join(collection.path)

    assert refusal(make_world(0), f"{path}/00000000-0000-4000-8000-000000000000")[0] == 404


@pytest.mark.parametrize("collection", COUNTED, ids=lambda one: one.resource)
def test_a_bare_count_is_text_and_needs_the_consistency_header(make_world: MakeWorld, collection: Collection) -> None:
    world = make_world(1)
    path = "/".join(collection.path)
    request = GraphRequest(
        path=f"{path}/$count", service="https://graph.test/v1.0", headers={"consistencylevel": "eventual"}
    )

    counted = answer(world.state, request)

    assert int(counted.body) == len(world.all(f"{path}?$select=id"))
    assert counted.headers["Content-Type"] == "text/plain"
    assert refusal(world, f"{path}/$count") == (400, "Request_UnsupportedQuery")


def test_an_assignment_read_alone_can_be_expanded_too(make_world: MakeWorld) -> None:
    world = make_world(0)
    path = "roleManagement/directory/roleAssignments"
    listed = world.all(f"{path}?$expand=principal")[0]

    found = msgspec.json.decode(world.raw(f"{path}/{listed['id']}?$expand=principal"), type=Json)

    assert found["principal"] == listed["principal"]


def test_tidy_tenants_leave_consent_to_administrators(make_world: MakeWorld) -> None:
    told = {}
    for index in (0, 1):
        world = make_world(index)
        allowed = msgspec.json.decode(world.raw("policies/authorizationPolicy"), type=Json)
        asked = msgspec.json.decode(world.raw("policies/adminConsentRequestPolicy"), type=Json)
        told[index] = (allowed["allowInvitesFrom"], asked["isEnabled"])

    assert told == {0: ("adminsAndGuestInviters", True), 1: ("everyone", False)}


def test_writing_them_is_not_simulated(make_world: MakeWorld) -> None:
    for url in ("policies/authorizationPolicy", "users/$count", "domains/contoso.example"):
        request = GraphRequest(path=url, service="https://graph.test/v1.0", method="PATCH")
        with pytest.raises(GraphError) as refused:
            answer(make_world(0).state, request)
        assert refused.value.status in {404, 501}, url
