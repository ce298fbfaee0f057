"""Looking only at users of whom something changed leaves what looking at everybody would leave."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from sqlalchemy import text

from analyzers.unified import JUDGED, analyze
from graphsim.world.mutations import Mutation, apply
from pipeline.domain.capture import ReadOutcome, Resource, SyncType
from pipeline.domain.findings import AlertType
from pipeline.domain.flags import Flag
from pipeline.domain.rule_settings import RuleState
from pipeline.storage.graph import load_graph
from pipeline.storage.rules import load_grants
from tests.tenants import NEW
from tests.world import PILOT, World, a_world

pytestmark = pytest.mark.servers

JUDGED_TYPES = """
SELECT detail->'judged_types', jsonb_array_length(detail->'judged') FROM run_steps
 WHERE run_id = :id AND stage = 'analyze'
"""
FINDINGS = "SELECT alert_type, external_id, subject, severity, message FROM findings ORDER BY 1, 2, 3"
ALERTS = """
SELECT alert_type, external_id, subject, severity, message FROM alerts WHERE status = 'active' ORDER BY 1, 2, 3
"""


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A tenant with every kind of alert, judged twice: the first time there is nothing to compare grants with."""
    with a_world(database_url, NEW, posture=PILOT, users=150) as found:
        found.sync()
        found.sync()
        yield found


def judged(world: World, *sync_types: SyncType) -> tuple[set[str], int]:
    """The rules that looked at some users only, and at how many entities, in a sync now."""
    ((types, count),) = world.rows(JUDGED_TYPES, id=world.sync(*sync_types))
    assert isinstance(types, list)
    return set(types), int(str(count))


def whole(world: World) -> list[tuple[object, ...]]:
    """What looking at everybody says of the tenant as it is stored."""
    with world.database.begin() as connection:
        graph = load_graph(connection, world.scope)
        state = RuleState(grants=load_grants(connection, world.scope))
    result = analyze(graph, JUDGED, world.time, state=state)
    return sorted(
        (one.alert_type.value, one.external_id, one.subject, one.severity.value, one.message) for one in result.findings
    )


def something_happens(world: World, chance: Random) -> None:
    """A few users, memberships and roles change."""
    state, number = world.state, chance.randrange(30, 140)
    chosen = chance.choice(
        (
            Mutation(action="disable_user", id=number),
            Mutation(action="enable_user", id=number),
            Mutation(action="create_user"),
            Mutation(action="add_member", id=chance.randrange(1, 6), set={"user": number}),
            Mutation(action="remove_member", id=chance.randrange(1, 6), set={"user": number}),
            Mutation(action="add_role_member", id="Global Administrator", set={"user": number}),
            Mutation(action="remove_role_member", id="Global Administrator", set={"user": number}),
            Mutation(action="register_mfa", id=number),
        )
    )
    apply(state, chosen)


@pytest.mark.parametrize("seed", range(3))
def test_a_tenant_to_which_things_happen_has_the_findings_of_a_whole_analysis(world: World, seed: int) -> None:
    chance, some_only = Random(seed), 0  # noqa: S311 - a story, not a secret
    for _ in range(8):
        for _ in range(chance.randrange(1, 4)):
            something_happens(world, chance)
        types, count = judged(world)
        some_only += bool(types) and count < 50

        assert world.rows(FINDINGS) == whole(world)
        assert world.rows(ALERTS) == world.rows(FINDINGS)
    assert some_only >= 6, "most of these syncs looked at a few users only"


def test_a_sync_that_changed_nothing_looks_at_nobody_again(world: World) -> None:
    types, count = judged(world)

    assert {"mfa_not_enforced", "mfa_partial_enforced", "policy_gap", "user_not_mfa_capable"} <= types
    assert "stale_user" not in types
    assert count == 0
    assert world.rows(FINDINGS) == whole(world)


def test_a_user_who_is_gone_takes_their_findings_along(world: World) -> None:
    ((somebody,), *_) = world.rows("SELECT external_id FROM findings WHERE alert_type = 'mfa_not_enforced' ORDER BY 1")
    apply(world.state, Mutation(action="delete_user", id=str(somebody)))

    types, _ = judged(world)

    assert "mfa_not_enforced" in types
    assert world.rows("SELECT 1 FROM findings WHERE external_id = :id", id=somebody) == []
    assert world.rows("SELECT 1 FROM alerts WHERE external_id = :id AND status = 'active'", id=somebody) == []


@pytest.mark.parametrize("action", ["disable_policy", "delete_group"])
def test_what_concerns_more_than_single_users_is_looked_at_for_everybody(world: World, action: str) -> None:
    target = str(world.state.policies()[0]["id"]) if action == "disable_policy" else 3
    apply(world.state, Mutation(action=action, id=target))

    types, _ = judged(world)

    assert types == set()
    assert world.rows(FINDINGS) == whole(world)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rule_coverage SET fingerprint = 'another version of the code' RETURNING 1",
        "UPDATE rule_coverage SET fingerprint = '' RETURNING 1",
        "INSERT INTO rule_exemptions (id, tenant_id, source_id, kind, external_id, name, reason, author)"
        " SELECT gen_random_uuid(), tenant_id, id, 'user', 'somebody', '', '', '' FROM data_sources RETURNING 1",
    ],
)
def test_other_code_or_settings_are_looked_at_for_everybody(world: World, statement: str) -> None:
    world.rows(statement)

    assert judged(world) == (set(), 0)


def test_a_run_that_failed_between_load_and_analysis_loses_nothing(world: World) -> None:
    apply(world.state, Mutation(action="disable_user", id=40))
    with world.database.begin() as connection:
        connection.execute(text("ALTER TABLE findings RENAME TO findings_away"))
    failed = world.sync()
    with world.database.begin() as connection:
        connection.execute(text("ALTER TABLE findings_away RENAME TO findings"))
    assert world.run(failed)[0] == "failed"

    types, _ = judged(world)

    assert types == set(), "the users of the failed run were never looked at"
    assert world.rows(FINDINGS) == whole(world)
    assert judged(world)[0], "and from there on a few are enough again"


def test_an_input_that_comes_back_is_looked_at_for_everybody(world: World) -> None:
    world.outcomes = {Resource.NAMED_LOCATIONS: ReadOutcome(complete=False, reason="throttled")}
    world.sync()
    world.outcomes = {}

    types, _ = judged(world)

    assert AlertType.MFA_NOT_ENFORCED.value not in types
    assert world.rows(FINDINGS) == whole(world)


def test_the_former_alert_handling_leaves_nothing_that_nobody_looks_at_again(world: World) -> None:
    """It resolves no alert where the analysis found nothing else of the type; the finding is gone all the same."""
    world.flags({**NEW, Flag.ALERT_MANAGER: False})
    ((policy, *_), *_) = [(one["id"],) for one in world.state.policies()]
    apply(world.state, Mutation(action="report_only_policy", id=str(policy)))
    for number in range(30, 140, 7):
        apply(world.state, Mutation(action="disable_user", id=number))
    world.sync()
    world.flags(NEW)

    types, _ = judged(world)

    assert types == set()
    assert world.rows(ALERTS) == world.rows(FINDINGS) == whole(world)


def test_a_tenant_that_comes_back_from_legacy_is_looked_at_as_a_whole(world: World) -> None:
    world.flags({Flag.NEW_PIPELINE: False})
    apply(world.state, Mutation(action="enable_user", id=40))
    world.sync()
    world.flags(NEW)

    types, _ = judged(world)

    assert types == set()
    assert world.rows(FINDINGS) == whole(world)
