"""A tenant that withdraws its consent: its run fails, its alerts stay, and one critical alert says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

import pytest
from sqlalchemy import text

from graphsim.serve import RunningSimulator
from graphsim.trouble.faults import of_kind
from pipeline import wiring
from pipeline.domain.capture import SyncType
from pipeline.domain.flags import Flag
from pipeline.domain.runs import Scope
from pipeline.stages.local import sync_here
from tests.tenants import COMPARED, LEGACY, NEW, add_simulated_tenant, settings_for

pytestmark = pytest.mark.servers
TENANT = 4


@dataclass(frozen=True, slots=True)
class Reached:
    """A simulated tenant that was read once."""

    parts: wiring.Wiring
    simulator: RunningSimulator
    scope: Scope

    def sync(self) -> UUID:
        return sync_here(self.parts.database, self.parts.executor, self.scope)

    def consent(self, *, granted: bool) -> None:
        self.simulator.simulator.state(TENANT).consent = granted

    def refuse(self, *paths: str) -> None:
        """The tenant lacks the permissions for these paths from now on."""
        faults = self.simulator.simulator.state(TENANT).faults
        faults += [replace(of_kind("consent"), path_contains=path) for path in paths]

    def rows(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        with self.parts.database.begin() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def others(self) -> list[tuple[object, ...]]:
        """Every alert about something else, whole, and where PostgreSQL keeps it."""
        return self.rows("SELECT ctid::text, a.* FROM alerts a WHERE alert_type <> 'tenant_unreachable' ORDER BY id")

    def unreachable(self) -> list[tuple[object, ...]]:
        return self.rows("SELECT severity, status FROM alerts WHERE alert_type = 'tenant_unreachable'")


@pytest.fixture(params=[LEGACY, NEW, COMPARED], ids=["legacy", "new", "comparison"])
def reached(request: pytest.FixtureRequest, simulator: RunningSimulator, database_url: str) -> Iterator[Reached]:
    branch: Mapping[Flag, bool] = request.param
    parts = wiring.build(settings_for(simulator, database_url=database_url))
    found = Reached(parts, simulator, add_simulated_tenant(parts, simulator, TENANT, branch))
    found.sync()
    yield found
    parts.close()


def test_without_consent_a_run_fails_with_its_reason_and_leaves_the_tenants_alerts_as_they_were(
    reached: Reached,
) -> None:
    before = reached.others()
    assert before, "there is something to lose"
    reached.consent(granted=False)

    run_id = reached.sync()

    ((state, code, message),) = reached.rows(
        "SELECT state, error_code, error_message FROM runs WHERE id = :id", id=run_id
    )
    assert state == "failed"
    assert code
    assert str(message).endswith(".")
    assert "Traceback" not in str(message)
    assert reached.others() == before
    assert reached.unreachable() == [("critical", "active")]
    assert reached.rows("SELECT count(*) FROM entities WHERE deleted_at IS NOT NULL") == [(0,)]


def test_a_second_failed_run_raises_no_second_alert(reached: Reached) -> None:
    reached.consent(granted=False)
    reached.sync()
    reached.sync()

    assert reached.unreachable() == [("critical", "active")]
    assert (
        reached.rows("SELECT count(*) FROM outbox WHERE subject = 'alert.created'")[0]
        == reached.rows("SELECT count(*) FROM alert_history WHERE from_status IS NULL")[0]
    )


def test_once_consent_is_back_the_next_run_resolves_the_alert_about_the_tenant(reached: Reached) -> None:
    before = reached.others()
    reached.consent(granted=False)
    reached.sync()
    reached.consent(granted=True)

    reached.sync()

    assert reached.unreachable() == [("critical", "resolved")]
    # Legacy finds more waste in its second run, by the tags its first one left; nothing it had is gone.
    assert {row[1] for row in before} <= {row[1] for row in reached.others()}
    told = reached.rows(
        "SELECT from_status, to_status FROM alert_history h JOIN alerts a ON a.id = h.alert_id"
        " WHERE a.alert_type = 'tenant_unreachable' ORDER BY h.id"
    )
    assert told == [(None, "active"), ("active", "resolved")]


def test_a_sync_that_does_not_read_users_says_nothing_of_the_tenant_as_a_whole(reached: Reached) -> None:
    """Neither does it raise the alert for want of one permission, nor resolve it while users are refused."""
    reached.consent(granted=False)
    reached.sync()
    reached.consent(granted=True)

    sync_here(reached.parts.database, reached.parts.executor, reached.scope, sync_types=[SyncType.LICENSES])
    assert reached.unreachable() == [("critical", "active")]

    reached.sync()
    assert reached.unreachable() == [("critical", "resolved")]

    reached.consent(granted=False)
    sync_here(reached.parts.database, reached.parts.executor, reached.scope, sync_types=[SyncType.LICENSES])
    assert reached.unreachable() == [("critical", "resolved")]
    incomplete = "SELECT complete FROM source_inputs WHERE resource = 'subscribedSkus'"
    assert reached.rows(incomplete) == [(False,)]


def test_a_missing_permission_for_policies_holds_nothing_back_and_is_named(reached: Reached) -> None:
    """Conditional access refuses in words of its own, and a sync of policies alone is refused as a whole."""
    reached.refuse("/identity/", "/policies/")

    run_id = sync_here(reached.parts.database, reached.parts.executor, reached.scope, sync_types=[SyncType.POLICIES])

    assert reached.rows("SELECT state FROM runs WHERE id = :id", id=run_id) == [("succeeded",)]
    assert reached.unreachable() == []
    assert reached.rows("SELECT refusals, refused_since FROM data_sources") == [(0, None)]
    told = reached.rows("SELECT DISTINCT reason FROM source_inputs WHERE NOT complete AND resource LIKE '%olicies'")
    assert sorted(str(reason) for (reason,) in told) == [
        "Microsoft refuses it (AccessDenied); the application needs the permission Policy.Read.All",
        "Microsoft refuses it (accessDenied); the application needs the permission Policy.Read.All",
    ]


def test_refused_users_raise_the_alert_whatever_is_read_beside_them(reached: Reached) -> None:
    reached.refuse("/v1.0/users")

    for kinds in ([SyncType.IDENTITIES], [SyncType.IDENTITIES, SyncType.GROUPS], [SyncType.IDENTITIES]):
        sync_here(reached.parts.database, reached.parts.executor, reached.scope, sync_types=kinds)
        assert reached.unreachable() == [("critical", "active")]

    ((message, refusals),) = reached.rows(
        "SELECT a.message, d.refusals FROM alerts a JOIN data_sources d ON d.id = a.source_id"
        " WHERE a.alert_type = 'tenant_unreachable'"
    )
    assert "Authorization_RequestDenied" in str(message)
    assert "have one of its administrators consent" in str(message)
    assert refusals == 3
