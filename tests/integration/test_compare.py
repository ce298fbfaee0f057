"""A comparison over whole runs: the candidate touches nothing live, and what it would have done is told."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import pytest
from sqlalchemy import text

from pipeline.domain.flags import Flag
from pipeline.domain.runs import Lane, Stage
from pipeline.stages.dispatch import next_refs, open_due_runs
from pipeline.stages.local import finish_here
from pipeline.storage.shadow import shadow_name
from tests.tenants import LEGACY, NEW
from tests.world import ENFORCED, PILOT, TRUSTED_LOCATIONS, World, a_world

pytestmark = pytest.mark.servers
OWNERS = pytest.mark.parametrize("owner", [LEGACY, NEW], ids=["legacy", "new"])
LIVE = {
    "entities": "external_id, entity_type, normalized, encode(data_hash, 'hex'), tags, state, deleted_at",
    "relationships": "type, parent_id, child_id",
    "source_inputs": "resource, complete, reason",
    "findings": "id, severity, message, evidence",
    "alerts": "id, severity, status, message, evidence, created_at",
    "alert_history": "alert_id, from_status, to_status, to_severity, reason",
}


def checksums(world: World) -> Mapping[str, object]:
    """Of everything a branch leaves live, whatever the order it was written in."""
    found: dict[str, object] = {}
    for table, columns in LIVE.items():
        digest = (
            f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM (SELECT {columns} FROM {table}) t"  # noqa: S608 - names of our own tables
        )
        (found[table],) = world.rows(digest)
    alert_events = "SELECT subject, count(*) FROM outbox WHERE subject LIKE 'alert.%' GROUP BY 1 ORDER BY 1"
    return {**found, "alert events": world.rows(alert_events)}


def comparison(world: World, run_id: UUID) -> tuple[object, ...]:
    """Result, discrepancies, declared ones and the report of a run."""
    query = "SELECT result, discrepancies, declared, report FROM comparisons WHERE run_id = :id"
    (found,) = world.rows(query, id=run_id)
    return found


def shadows(world: World) -> list[tuple[object, ...]]:
    return world.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'shadow%'")


@OWNERS
def test_a_candidate_leaves_nothing_live(database_url: str, owner: Mapping[Flag, bool]) -> None:
    with a_world(database_url, owner) as alone:
        alone.sync()
        alone.sync()
        expected = checksums(alone)
        _empty(alone)

    with a_world(database_url, {**owner, Flag.COMPARISON_MODE: True}) as compared:
        for _ in range(2):
            assert compared.run(compared.sync()) == ("succeeded", None, None)

        assert checksums(compared) == expected
        assert shadows(compared) == []


def _empty(world: World) -> None:
    with world.database.begin() as connection:
        connection.execute(text(f"TRUNCATE tenants, {', '.join(LIVE)}, outbox RESTART IDENTITY CASCADE"))


@OWNERS
def test_entities_and_relationships_of_both_branches_are_the_same(
    database_url: str, owner: Mapping[Flag, bool]
) -> None:
    with a_world(database_url, {**owner, Flag.COMPARISON_MODE: True}, posture=PILOT) as world:
        _, discrepancies, declared, report = comparison(world, world.sync())

        assert isinstance(report, dict)
        assert {item["subject"] for item in report["discrepancies"]} <= {"alert"}
        assert discrepancies == declared, report["causes"]
        performance = report["performance"]
        assert performance["control"]["queries"] > 0
        assert performance["candidate"]["seconds"] > 0


def test_both_lanes_read_the_capture_that_was_taken_once(database_url: str) -> None:
    with a_world(database_url, {**NEW, Flag.COMPARISON_MODE: True}) as world:
        run_id = world.sync()

        assert world.rows("SELECT count(*) FROM captures WHERE run_id = :id", id=run_id) == [(1,)]
        assert len(world.rows("SELECT 1 FROM run_steps WHERE run_id = :id AND state = 'done'", id=run_id)) == 11


def test_a_comparison_can_be_asked_for_once_whatever_the_flags_say(database_url: str) -> None:
    with a_world(database_url, NEW, posture=ENFORCED) as world:
        first, second = world.sync(compare=True), world.sync()

        branches = world.rows(
            "SELECT branch FROM runs WHERE id IN (:one, :two) ORDER BY created_at", one=first, two=second
        )
        assert branches == [("comparison",), ("new",)]


def until(world: World, stage: Stage) -> UUID:
    """A comparison whose steps before the stage are done."""
    (opened,) = open_due_runs(world.database, world.time, max_jobs=5)
    while True:
        refs = [ref for ref in next_refs(world.database, opened.run_id) if ref.stage is not stage]
        if not refs:
            return opened.run_id
        world.executor.run(refs[0])


@pytest.mark.parametrize(
    ("mutation", "cause", "weight"),
    [
        ("DELETE FROM {0}.entities WHERE entity_type = 'groups'", "groups missing", "critical"),
        ("UPDATE {0}.entities SET data_hash = '' WHERE entity_type = 'roles'", "roles different", "warning"),
        ("DELETE FROM {0}.relationships WHERE type = 'member_of'", "member_of missing", "critical"),
        (
            "INSERT INTO {0}.relationships SELECT tenant_id, source_id, type, child_id, parent_id"
            " FROM {0}.relationships WHERE type = 'has_license'",
            "has_license extra",
            "info",
        ),
        (
            "UPDATE {0}.alerts SET severity = 'low' WHERE alert_type = 'license_overuse'",
            "license_overuse different",
            "warning",
        ),
    ],
)
def test_what_the_candidate_got_wrong_is_found_and_weighed(
    database_url: str, mutation: str, cause: str, weight: str
) -> None:
    with a_world(database_url, {**LEGACY, Flag.COMPARISON_MODE: True}, posture=TRUSTED_LOCATIONS) as world:
        run_id = until(world, Stage.COMPARE)
        with world.database.begin() as connection:
            assert connection.execute(text(mutation.format(shadow_name(run_id)))).rowcount

        finish_here(world.database, world.executor, run_id)

        result, discrepancies, declared, report = comparison(world, run_id)
        assert result == "mismatch"
        assert isinstance(report, dict)
        unknown = [found for found in report["causes"] if not found["declared"]]
        assert [(found["cause"], found["weight"]) for found in unknown] == [(cause, weight)]
        assert sum(found["count"] for found in report["causes"]) == discrepancies
        assert isinstance(declared, int)
        assert world.run(run_id)[0] == "succeeded"
        assert shadows(world) == []


def test_a_candidate_that_breaks_is_a_result_and_the_tenant_is_served(database_url: str) -> None:
    with a_world(database_url, {**LEGACY, Flag.COMPARISON_MODE: True}) as world:
        run_id = until(world, Stage.LOAD)
        with world.database.begin() as connection:
            connection.execute(text(f"DROP TABLE {shadow_name(run_id)}.findings"))
            connection.execute(text(f"CREATE VIEW {shadow_name(run_id)}.findings AS SELECT 1 AS id"))

        finish_here(world.database, world.executor, run_id)

        result, _, _, report = comparison(world, run_id)
        assert isinstance(report, dict)
        assert (result, world.run(run_id)) == ("candidate_error", ("succeeded", None, None))
        assert report["candidate_error"].endswith(".")
        assert world.alerts()["active"]
        assert shadows(world) == []
        lanes = world.rows("SELECT lane, count(*) FROM run_steps WHERE state = 'failed' GROUP BY lane")
        assert lanes == [(Lane.CANDIDATE.value, 1)]
