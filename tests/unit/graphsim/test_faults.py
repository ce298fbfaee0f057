"""Trouble comes where, as often and in the way it was ordered."""

from __future__ import annotations

import msgspec
import pytest

from graphsim.trouble.fault_rules import FaultBody, made, read_rule
from graphsim.trouble.faults import KINDS, Delivery, Fault, take
from tests.unit.graphsim.asking import client, config


def test_a_fault_hits_the_requests_it_names_as_often_as_it_says() -> None:
    asking = client(config())
    asking.simulator.state(0).faults.append(
        Fault(path_contains="/groups", status=503, code="ServiceUnavailable", times=2)
    )

    urls = ("users", "groups", "groups", "groups")

    assert [asking.ask(url).status for url in urls] == [200, 503, 503, 200]


def test_a_rate_hits_its_share_and_the_same_requests_with_the_same_seed() -> None:
    def run(seed: str) -> list[bool]:
        faults = [made(FaultBody(kind="503", rate=0.2))]
        return [take(faults, seed=seed, path="/v1.0/users") is not None for _ in range(2000)]

    one, again, other = run("a"), run("a"), run("b")

    assert one == again != other
    assert 300 < sum(one) < 500


def test_a_rule_is_for_one_tenant_or_for_all() -> None:
    one, everybody = client(config(faults=("kind=500,tenant=1",))), client(config(faults=("kind=500",)))

    assert [one.ask("users", tenant=tenant).status for tenant in range(2)] == [200, 500]
    assert [everybody.ask("users", tenant=tenant).status for tenant in range(2)] == [500, 500]


@pytest.mark.parametrize(
    ("kind", "status", "code", "retry_after"),
    [
        ("429", 429, "TooManyRequests", "1"),
        ("429-bare", 429, "TooManyRequests", None),
        ("500", 500, "InternalServerError", None),
        ("503", 503, "ServiceUnavailable", "1"),
        ("503-bare", 503, "ServiceUnavailable", None),
        ("504", 504, "GatewayTimeout", None),
        ("non-premium", 403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", None),
        ("consent", 403, "Authorization_RequestDenied", None),
    ],
)
def test_a_kind_is_refused_as_graph_does(kind: str, status: int, code: str, retry_after: str | None) -> None:
    answer = client(config(faults=(f"kind={kind}",))).ask("users")

    assert (answer.status, answer.headers.get("Retry-After")) == (status, retry_after)
    assert msgspec.json.decode(answer.body)["error"]["code"] == code


def test_a_permission_can_be_missing_for_a_part_of_graph_which_says_so_in_its_own_words() -> None:
    without = client(config(faults=("kind=consent,path=/identity/",)))

    denied = without.ask("identity/conditionalAccess/policies")

    assert (denied.status, msgspec.json.decode(denied.body)["error"]["code"]) == (403, "AccessDenied")
    assert without.ask("users").status == 200


def test_kinds_that_trouble_the_connection_leave_the_answer_itself_alone() -> None:
    troubling = [kind for kind, fault in KINDS.items() if fault.delivery is not Delivery.WHOLE]

    assert set(troubling) == {"cut", "slow", "hang", "malformed"}
    for kind in troubling:
        assert client(config(faults=(f"kind={kind}",))).ask("users").status == 200


def test_what_is_said_replaces_what_the_kind_says() -> None:
    rule = read_rule("rate=0.5, kind=503, path=/users, after=7, times=3, tenant=1")

    fault = made(rule.body)

    assert rule.tenant == 1
    assert fault == Fault(
        path_contains="/users", status=503, code="ServiceUnavailable", retry_after=7, times=3, rate=0.5
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind=unheard", "kind is one of 429,"),
        ("rate=2,kind=503", "rate is more than 0"),
        ("rate=often,kind=503", "rate"),
        ("rate=0.1", "a kind or a status"),
        ("status=200", "from 400 to 599"),
        ("kind=503,times=0", "at least once"),
        ("kind=slow,seconds=-1", "0 or more"),
        ("kind=503,colour=red", "colour"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_rule_that_cant_be_is_refused_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_rule(text)
