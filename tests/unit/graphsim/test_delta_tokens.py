"""Delta tokens: whose they are, how long they live, and how lost ones are refused."""

from __future__ import annotations

import pytest

from tests.unit.graphsim.conftest import SERVICE
from tests.unit.graphsim.following import client, refusal

WEEK = 7 * 86_400


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("users/delta?$top=5", 400, "Request_UnsupportedQuery"),
        ("users/delta?$expand=manager", 400, "Request_UnsupportedQuery"),
        ("groups/delta?$orderby=displayName", 400, "Request_UnsupportedQuery"),
        ("users/delta?$select=id,signInActivity", 400, "BadRequest"),
        ("users/delta?$select=nonsense", 400, "BadRequest"),
        ("users/delta?$select=members", 400, "BadRequest"),
        ("users/delta?$select=id&$skiptoken=x", 400, "BadRequest"),
        ("users/delta?$filter=id eq 'x'", 501, "NotImplemented"),
        ("servicePrincipals/delta", 501, "NotImplemented"),
        ("identity/conditionalAccess/policies/delta", 404, "Request_ResourceNotFound"),
        ("users/delta?$deltatoken=made-up", 410, "resyncRequired"),
    ],
)
def test_what_delta_does_not_take_is_refused(url: str, status: int, code: str) -> None:
    error = refusal(client(), url)

    assert (error.status, error.code) == (status, code)


def test_tokens_are_bound_to_tenant_and_list() -> None:
    world = client()
    link = world.page("users/delta?$deltatoken=latest").delta_link

    assert refusal(client(index=2), link).status == 410
    assert refusal(world, link.replace("users/delta", "groups/delta")).status == 410


def test_tokens_live_seven_days() -> None:
    seconds = [1_800_000_000.0]
    world = client(seconds=seconds)
    link = world.page("users/delta?$select=id,mail&$deltatoken=latest").delta_link
    seconds[0] += WEEK - 1
    assert world.page(link).delta_link

    seconds[0] += 1
    error = refusal(world, link)

    assert (error.status, error.code) == (410, "resyncRequired")
    assert error.headers["Location"] == f"{SERVICE}/users/delta?$select=id,mail&$deltatoken="
    assert len(world.round(error.headers["Location"])[1]) == 130


@pytest.mark.parametrize(("form", "status"), [("bad_request", 400), ("not_found", 404)])
def test_lost_tokens_can_be_refused_in_another_way(form: str, status: int) -> None:
    world = client()
    link = world.page("users/delta?$deltatoken=latest").delta_link
    world.do("delta_refusal", form=form)
    world.do("expire_deltas")

    error = refusal(world, link)

    assert (error.status, error.code.lower()) == (status, "syncstatenotfound")


def test_a_token_older_than_the_log_is_lost_and_the_log_stays_small() -> None:
    world = client()
    world.state.log.limit = 10
    link = world.page("users/delta?$select=accountEnabled&$deltatoken=latest").delta_link
    for number in range(20, 30):
        world.do("disable_user", number)
    assert len(world.round(link)[1]) == 10

    world.do("disable_user", 30)

    assert refusal(world, link).status == 410
    assert len(world.state.log.kept) == 10
