"""Batches are taken apart as Graph does: https://learn.microsoft.com/graph/json-batching."""

from __future__ import annotations

import base64

import msgspec
import pytest

from graphsim.directory.tenants import Json
from graphsim.protocol.errors import GraphError
from tests.unit.graphsim.asking import Client, client, config
from tests.unit.graphsim.conftest import SERVICE


@pytest.fixture
def asking() -> Client:
    return client(config())


def item(number: int | str, url: str, **more: object) -> Json:
    return {"id": str(number), "method": "GET", "url": url, **more}


def statuses(responses: list[Json]) -> dict[object, object]:
    return {response["id"]: response["status"] for response in responses}


def test_every_item_is_answered_as_if_it_came_alone(asking: Client) -> None:
    responses = asking.batch(item("a", "/users?$select=id&$top=2"), item("b", "organization"), item("c", "/nonsense"))

    found = {response["id"]: response for response in responses}

    assert statuses(responses) == {"a": 200, "b": 200, "c": 400}
    assert found["a"]["body"] == msgspec.json.decode(asking.ask("users?$select=id&$top=2").body)
    assert found["c"]["body"] == msgspec.json.decode(asking.ask("nonsense").body)
    assert found["a"]["headers"]["x-ms-resource-unit"] == "1"  # type: ignore[index]  # JSON


def test_answers_come_in_another_order_and_always_the_same(asking: Client) -> None:
    asked = [item(number, "organization") for number in range(20)]

    orders = [[response["id"] for response in asking.batch(*items)] for items in (asked, asked[::-1])]

    assert orders[0] == orders[1] != [each["id"] for each in asked]
    assert sorted(map(int, map(str, orders[0]))) == list(range(20))


def test_headers_are_each_items_own(asking: Client) -> None:
    group = asking.simulator.state(0).tenant.group_id(0)
    url = f"/groups/{group}/members/microsoft.graph.user?$count=true"

    responses = asking.batch(item(1, url, headers={"ConsistencyLevel": "eventual"}), item(2, url))

    assert statuses(responses) == {"1": 200, "2": 400}


def test_what_depends_on_a_failure_is_not_done(asking: Client) -> None:
    responses = asking.batch(
        item(4, "organization", dependsOn=["3"]),
        item(3, "organization", dependsOn=["2"]),
        item(2, "/nonsense"),
        item(6, "organization", dependsOn=["5"]),
        item(5, "organization"),
    )

    assert statuses(responses) == {"2": 400, "3": 424, "4": 424, "5": 200, "6": 200}


def test_items_are_throttled_one_by_one() -> None:
    asking = client(config(throttle=True, factor=0.004))  # 20 units

    responses = asking.batch(*(item(number, "users") for number in range(12)))
    refused = [response for response in responses if response["status"] == 429]

    assert len(refused) == 2
    assert all(response["headers"]["Retry-After"] == "10" for response in refused)  # type: ignore[index]  # JSON


def test_faults_hit_items_but_have_no_connection_of_theirs_to_cut() -> None:
    asking = client(config(faults=("kind=503,path=/users", "kind=cut,path=/organization")))

    responses = asking.batch(item(1, "users"), item(2, "organization"))

    assert statuses(responses) == {"1": 503, "2": 200}


def test_bodies_other_than_json_are_read_from_base64(asking: Client) -> None:
    text = base64.urlsafe_b64encode(b"x").decode()
    headers = {"Content-Type": "text/plain"}

    responses = asking.batch(
        item(1, "users", body="not base64!", headers=headers),
        item(2, "users", body=text, headers=headers),
        item(3, "users", body={}),
    )

    assert statuses(responses) == {"1": 400, "2": 200, "3": 400}


@pytest.mark.parametrize("url", ["https://graph.microsoft.com/v1.0/users", "", "/", "/$batch"])
def test_only_relative_addresses_of_resources_are_items(asking: Client, url: str) -> None:
    assert statuses(asking.batch(item(1, url))) == {"1": 400}


@pytest.mark.parametrize(
    ("requests", "code"),
    [
        ([item(number, "users") for number in range(21)], "MaximumValueExceeded"),
        ([item("a", "users"), item("A", "users")], "BadRequest"),
        ([item("", "users")], "BadRequest"),
        ([{"id": "1", "url": "users"}], "BadRequest"),
        ([item(1, "users", dependsOn=["9"])], "BadRequest"),
        ([item(1, "users", dependsOn=["2"]), item(2, "users", dependsOn=["1"])], "BadRequest"),
        ([], "BadRequest"),
    ],
)
def test_a_batch_that_cant_be_read_is_refused_whole(asking: Client, requests: list[Json], code: str) -> None:
    with pytest.raises(GraphError) as refused:
        asking.batch(*requests)

    assert (refused.value.status, refused.value.code) == (400, code)


def test_a_batch_is_posted(asking: Client) -> None:
    with pytest.raises(GraphError) as refused:
        asking.ask("$batch")

    assert refused.value.status == 405


def test_an_item_may_name_the_whole_address_of_this_service_as_microsofts_python_client_does() -> None:
    asked = client(config())

    own, foreign = (
        asked.batch({"id": "1", "method": "GET", "url": f"{service}/organization"})[0]["status"]
        for service in (SERVICE, "https://elsewhere.example/v1.0")
    )

    assert (own, foreign) == (200, 400)
