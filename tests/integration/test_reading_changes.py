"""A tenant synced by its changes stands in the database as one that is read whole: entities, relationships, alerts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig
from graphsim.world.mutations import Mutation, apply
from graphsim.world.state import TenantState
from pipeline import wiring
from pipeline.domain.capture import SyncType
from pipeline.domain.flags import Flag
from pipeline.domain.providers import SYNC_TYPES, Provider
from pipeline.domain.runs import Scope, Stage, Trigger
from pipeline.stages.dispatch import next_refs, open_due_runs
from pipeline.stages.execution import Executor
from pipeline.stages.local import finish_here
from pipeline.storage import flags
from pipeline.storage.reports.run_details import read_details
from pipeline.storage.schedules import request_sync
from tests.tenants import NEW, add_simulated_tenant, settings_for
from tests.world import PILOT

pytestmark = pytest.mark.servers
EVERYTHING = SYNC_TYPES[Provider.MICROSOFT365]
CHANGING = (SyncType.IDENTITIES, SyncType.GROUPS, SyncType.ROLES, SyncType.LICENSES)
"""Without the policies, of which Microsoft allows one request a second."""
Rows = list[tuple[object, ...]]


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    with RunningSimulator(SimulatorConfig(tenants=5, users=60), tmp_path_factory.mktemp("graphsim")) as running:
        yield running


@dataclass(kw_only=True)
class Synced:
    """A simulated tenant and the database it is synced into."""

    parts: wiring.Wiring
    scope: Scope
    state: TenantState
    later: timedelta = timedelta()

    @property
    def executor(self) -> Executor:
        return replace(self.parts.executor, clock=lambda: wiring.now() + self.later)

    def opened(self, trigger: Trigger, sync_types: tuple[SyncType, ...] = CHANGING) -> UUID:
        """The id of a run, a minute after the last one."""
        self.later += timedelta(minutes=1)
        now = self.executor.clock()
        with self.parts.database.begin() as connection:
            connection.execute(text("UPDATE schedules SET next_due_at = 'infinity'"))
            request_sync(connection, self.scope, sync_types, now, trigger=trigger)
        (opened,) = open_due_runs(self.parts.database, now, max_jobs=1)
        return opened.run_id

    def sync(self, trigger: Trigger, *, sync_types: tuple[SyncType, ...] = CHANGING) -> UUID:
        """The id of a finished run."""
        run_id = self.opened(trigger, sync_types)
        finish_here(self.parts.database, self.executor, run_id)
        assert self.rows("SELECT state FROM runs WHERE id = :id", id=run_id) == [("succeeded",)]
        return run_id

    def fail_after_load(self) -> None:
        """A run of changes whose link step is never done in its time."""
        run_id = self.opened(Trigger.WEBHOOK)
        too_late = replace(self.executor, job_timeout=timedelta(seconds=-1))
        while refs := next_refs(self.parts.database, run_id):
            (too_late if refs[0].stage is Stage.LINK else self.executor).run(refs[0])
        assert self.rows("SELECT state FROM runs WHERE id = :id", id=run_id) == [("failed",)]

    def rows(self, statement: str, **values: object) -> Rows:
        with self.parts.database.begin() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def changes_of(self, run_id: UUID) -> list[str]:
        ((found,),) = self.rows(
            "SELECT detail->'changes_of' FROM run_steps WHERE run_id = :id AND stage = 'load'", id=run_id
        )
        assert isinstance(found, list)
        return found

    def standing(self) -> tuple[Rows, ...]:
        """Everything a branch writes, but for when, and for registered methods, which only whole readings tell."""
        return (
            self.rows(
                "SELECT id, normalized - '{mfa_registered,mfa_capable}'::text[], tags, state"
                "  FROM entities WHERE deleted_at IS NULL ORDER BY id"
            ),
            self.rows("SELECT type, parent_id, child_id FROM relationships ORDER BY 1, 2, 3"),
            self.rows("SELECT id, severity, reasons, evidence_hash FROM alerts WHERE status = 'active' ORDER BY id"),
        )


@pytest.fixture
def synced(tenants: RunningSimulator, simulator_state: Path, database_url: str) -> Iterator[Synced]:
    """A tenant with every kind of alert, read whole once."""
    tenants.simulator.states.clear()
    state = tenants.simulator.state(PILOT)
    parts = wiring.build(settings_for(tenants, database_url=database_url))
    try:
        scope = add_simulated_tenant(parts, tenants, state.tenant.index, NEW)
        found = Synced(parts=parts, scope=scope, state=state)
        found.sync(Trigger.SCHEDULE, sync_types=EVERYTHING)
        yield found
    finally:
        parts.close()


def much_happens(state: TenantState) -> None:
    """Users, groups and licences come, change and go; nothing that only a whole reading could tell of."""
    sku = state.products[0].id
    for mutation in (
        *(Mutation(action="disable_user", id=number) for number in (11, 12, 13)),
        *(Mutation(action="delete_user", id=number) for number in (21, 22)),
        Mutation(action="purge_user", id=22),
        Mutation(action="delete_user", id=23),
        Mutation(action="restore_user", id=23),
        Mutation(action="create_user"),
        Mutation(action="give_license", id=30, set={"sku": sku}),
        Mutation(action="add_member", id=3, set={"user": 40}),
        Mutation(action="create_group", set={"name": "Newcomers"}),
        Mutation(action="rename_group", id=5, set={"name": "Renamed"}),
        Mutation(action="add_role_member", id="Global Administrator", set={"user": 41}),
    ):
        apply(state, mutation)


@pytest.mark.parametrize("disorder", [False, True], ids=["in order", "disorder"])
def test_a_sync_of_changes_leaves_what_a_whole_sync_leaves(synced: Synced, *, disorder: bool) -> None:
    synced.state.delta_disorder = disorder
    before = synced.standing()
    much_happens(synced.state)

    run_id = synced.sync(Trigger.SCHEDULE)
    by_changes = synced.standing()

    assert {"users", "groups"} <= set(synced.changes_of(run_id))
    assert all(was != now for was, now in zip(before, by_changes, strict=True)), "something happened everywhere"
    whole_id = synced.sync(Trigger.MANUAL)
    assert synced.changes_of(whole_id) == [], "who asks by hand has everything read"
    with synced.parts.database.begin() as connection:
        by_changes_page, whole_page = read_details(connection, run_id), read_details(connection, whole_id)
    assert list(by_changes_page.changes_of) == synced.changes_of(run_id)
    assert whole_page.changes_of == ()
    assert synced.standing() == by_changes


def test_a_run_of_changes_asks_no_more_than_thirty_times(synced: Synced) -> None:
    much_happens(synced.state)

    run_id = synced.sync(Trigger.SCHEDULE, sync_types=EVERYTHING)

    asked = synced.rows("SELECT stage, queries FROM run_steps WHERE run_id = :id", id=run_id)
    assert "users" in synced.changes_of(run_id)
    assert sum(int(str(count)) for _, count in asked) <= 30, asked


def test_the_changes_of_a_run_that_failed_after_its_load_are_not_lost(synced: Synced) -> None:
    much_happens(synced.state)
    synced.fail_after_load()

    assert synced.changes_of(synced.sync(Trigger.SCHEDULE)) == []
    after = synced.standing()
    synced.sync(Trigger.MANUAL)

    assert synced.standing() == after


def test_the_counts_of_a_run_of_changes_are_those_of_the_tenant(synced: Synced) -> None:
    much_happens(synced.state)

    by_changes = synced.sync(Trigger.WEBHOOK)
    whole = synced.sync(Trigger.MANUAL)

    counts = "SELECT entity_counts FROM runs WHERE id = :id"
    assert synced.rows(counts, id=by_changes) == synced.rows(counts, id=whole)


def test_without_a_change_nothing_of_the_tenant_is_written(synced: Synced) -> None:
    written = "SELECT ctid::text, xmin::text FROM {} ORDER BY 1"
    tables = ("entities", "relationships", "findings", "alerts", "alert_history")
    before = [synced.rows(written.format(table)) for table in tables]

    run_id = synced.sync(Trigger.WEBHOOK)

    assert "users" in synced.changes_of(run_id)
    assert [synced.rows(written.format(table)) for table in tables] == before


def test_after_a_day_of_changes_everything_is_read_again(synced: Synced) -> None:
    assert "users" in synced.changes_of(synced.sync(Trigger.SCHEDULE))
    synced.later += timedelta(days=1)

    assert synced.changes_of(synced.sync(Trigger.SCHEDULE)) == []
    assert "users" in synced.changes_of(synced.sync(Trigger.SCHEDULE)), "and changes suffice from there on"


def test_a_sign_in_no_delta_tells_of_is_seen_by_the_next_whole_reading(synced: Synced) -> None:
    stale = "SELECT external_id FROM alerts WHERE alert_type = 'stale_user' AND status = 'active' ORDER BY 1"
    ((somebody,), *_) = synced.rows(stale)
    apply(synced.state, Mutation(action="sign_in", id=str(somebody)))

    synced.sync(Trigger.SCHEDULE)
    assert (somebody,) in synced.rows(stale), "changes say nothing of it"
    synced.later += timedelta(days=1)
    synced.sync(Trigger.SCHEDULE)

    assert (somebody,) not in synced.rows(stale)


def test_a_tenant_without_a_premium_licence_is_read_by_its_users_changes_too(
    tenants: RunningSimulator, synced: Synced
) -> None:
    index = next(index for index in range(5) if not tenants.simulator.state(index).tenant.posture.premium)
    scope = add_simulated_tenant(synced.parts, tenants, index, NEW)
    other = replace(synced, scope=scope, state=tenants.simulator.state(index))
    other.sync(Trigger.SCHEDULE)
    apply(other.state, Mutation(action="disable_user", id=11))

    assert "users" in other.changes_of(other.sync(Trigger.SCHEDULE))

    disabled = "SELECT normalized->>'enabled' FROM entities WHERE external_id = :id"
    assert other.rows(disabled, id=other.state.tenant.user_id(11)) == [("false",)]


def test_one_whom_changes_bring_is_not_taken_for_one_who_never_signed_in(synced: Synced) -> None:
    """Deleted long enough to be forgotten and then restored, with the sign-ins of before."""
    number = next(
        number
        for number in range(synced.state.size)
        if synced.state.exists(number) and "signInActivity" in synced.state.user(number)
    )
    user_id = synced.state.tenant.user_id(number)
    apply(synced.state, Mutation(action="delete_user", id=number))
    synced.sync(Trigger.SCHEDULE)
    synced.rows("DELETE FROM entities WHERE external_id = :id RETURNING id", id=user_id)
    apply(synced.state, Mutation(action="restore_user", id=number))

    assert "users" in synced.changes_of(synced.sync(Trigger.SCHEDULE))

    seen = synced.rows(
        "SELECT normalized->>'last_sign_in_attempt_at' FROM entities WHERE external_id = :id", id=user_id
    )
    assert seen[0][0] is not None


@pytest.mark.parametrize("flag", [Flag.NEW_PIPELINE, Flag.BATCH_LOADING])
def test_the_former_linkers_are_given_whole_lists(
    tenants: RunningSimulator, synced: Synced, database_url: str, flag: Flag
) -> None:
    with synced.parts.database.begin() as connection:
        turned = {**NEW, flag: False}
        flags.store_overrides(connection, synced.scope.tenant_id, turned, author="test", reason="the linker")
    much_happens(synced.state)

    assert synced.changes_of(synced.sync(Trigger.SCHEDULE)) == []
