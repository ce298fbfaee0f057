"""Back to revision 0001: its code reads names into enumerations, so one it does not know would stop it for everybody.

https://docs.python.org/3/library/enum.html: a value that is no member is a ``ValueError``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from graphsim.serve import RunningSimulator
from pipeline import wiring
from pipeline.domain.capture import SyncType
from pipeline.domain.runs import Scope
from pipeline.stages.dispatch import open_due_runs
from pipeline.stages.local import sync_here
from pipeline.storage import schema
from pipeline.storage.database import Database
from pipeline.storage.schedules import request_sync
from tests.tenants import NEW, add_simulated_psa, add_simulated_tenant, settings_for

pytestmark = pytest.mark.servers

SYNC_TYPES = {"identities", "policies", "groups", "licenses", "roles"}
TYPES = SYNC_TYPES | {"named_locations", "authentication_strengths", "security_defaults", "tenants"}
ALERTS = {
    *("mfa_not_enforced", "mfa_partial_enforced", "policy_gap"),
    *("license_waste", "license_overuse", "stale_user", "tenant_unreachable"),
}
FORMER_ALERTS = "', '".join(sorted(ALERTS))
RESOURCES = {
    *("users", "signInActivity", "userRegistrationDetails", "groups", "groupMembers", "directoryRoles"),
    *("directoryRoleMembers", "conditionalAccessPolicies", "namedLocations", "authenticationStrengthPolicies"),
    *("securityDefaults", "subscribedSkus"),
}
KNOWN: Mapping[str, set[str]] = {
    "SELECT resource FROM source_inputs": RESOURCES,
    "SELECT resource FROM capture_pages": RESOURCES,
    "SELECT jsonb_object_keys(outcomes) FROM captures": RESOURCES,
    "SELECT entity_type FROM entities": TYPES,
    "SELECT entity_type FROM findings": TYPES,
    "SELECT entity_type FROM alerts": TYPES,
    "SELECT type FROM relationships": {"member_of", "assigned_role", "has_license", "policy_applies_to"},
    "SELECT analysis_type FROM findings": {"mfa", "policy", "license", "stale", "tenant"},
    "SELECT alert_type FROM findings": ALERTS,
    "SELECT alert_type FROM alerts": ALERTS,
    "SELECT sync_type FROM schedules": SYNC_TYPES,
    "SELECT unnest(sync_types) FROM pending_triggers": SYNC_TYPES,
    "SELECT unnest(sync_types) FROM runs": SYNC_TYPES,
    "SELECT provider FROM data_sources": {"microsoft365"},
    "SELECT split_part(subject, '.', 3) FROM outbox WHERE subject LIKE '%.sync.%'": SYNC_TYPES,
}
"""Where names stand, and those that revision 0001 knows."""
CAPTURED = ("SELECT resource FROM capture_pages", "SELECT jsonb_object_keys(outcomes) FROM captures")
THRESHOLD = text("""
INSERT INTO tenant_alert_preferences (tenant_id, alert_type, threshold, reason, author)
VALUES (:tenant, 'stale_user', 45, '', '')
""")
SHARED = ("SELECT entity_type FROM findings", "SELECT entity_type FROM alerts")
"""Where rows of new alert types have names that were known before, and leave all the same."""
UNTOUCHED = (
    "SELECT id FROM tenants",
    f"""
SELECT h.alert_id FROM alert_history h JOIN alerts a ON a.id = h.alert_id JOIN tenants t ON t.id = h.tenant_id
 WHERE t.name = 'tenant-0' AND a.alert_type IN ('{FORMER_ALERTS}')
""",  # noqa: S608 - the test's own words
    f"SELECT ctid FROM alerts WHERE alert_type IN ('{FORMER_ALERTS}')",  # noqa: S608 - the test's own words
    "SELECT run_id FROM run_steps s JOIN runs r ON r.id = s.run_id WHERE r.sync_types && '{identities,policies}'",
)


@pytest.fixture
def parts(simulator: RunningSimulator, database_url: str) -> Iterator[wiring.Wiring]:
    found = wiring.build(settings_for(simulator, database_url=database_url))
    yield found
    found.close()


@pytest.fixture
def synced(parts: wiring.Wiring, simulator: RunningSimulator) -> tuple[Scope, Scope]:
    """A tenant and a PSA, read and analyzed; then policies alone, so that one capture holds nothing new."""
    tenant, psa = add_simulated_tenant(parts, simulator, 0, NEW), add_simulated_psa(parts, simulator, NEW)
    for scope, kinds in ((tenant, ()), (psa, ()), (tenant, (SyncType.POLICIES,))):
        sync_here(parts.database, parts.executor, scope, sync_types=kinds, compare=False)
    return tenant, psa


def names(connection: Connection, query: str) -> Counter[str]:
    return Counter(str(name) for name in connection.execute(text(query)).scalars())


def unknown_names(connection: Connection) -> dict[str, set[str]]:
    """What revision 0001 does not know, and where it stands."""
    found = {query: names(connection, query).keys() - known for query, known in KNOWN.items()}
    return {query: unknown for query, unknown in found.items() if unknown}


def known_names(connection: Connection) -> dict[str, Counter[str]]:
    """How often each name that revision 0001 knows stands where."""
    return {
        query: Counter({name: n for name, n in names(connection, query).items() if name in known})
        for query, known in KNOWN.items()
        if query not in (*CAPTURED, *SHARED)
    }


def test_going_back_leaves_no_name_the_older_version_does_not_know_and_keeps_the_rest(
    database: Database, parts: wiring.Wiring, synced: tuple[Scope, Scope]
) -> None:
    tenant, psa = synced
    with database.begin() as connection:
        request_sync(connection, tenant, [SyncType.ROLES, SyncType.APPLICATIONS], wiring.now())
        request_sync(connection, psa, [SyncType.COMPANIES], wiring.now())
        for table in ("alerts", "findings"):  # as a PSA that was removed leaves them behind
            connection.execute(text(f"UPDATE {table} SET source_id = 999 WHERE source_id = {psa.source_id}"))  # noqa: S608 - the test's own words
        before = known_names(connection)
        untouched = {query: names(connection, query) for query in UNTOUCHED}
        assert unknown_names(connection).keys() == KNOWN.keys(), "there is something new everywhere"

        schema.downgrade(connection, "0001")

        assert unknown_names(connection) == {}
        assert known_names(connection) == before
        assert {query: names(connection, query) for query in UNTOUCHED} == untouched
        assert names(connection, CAPTURED[1]).keys() >= {"conditionalAccessPolicies"}
        assert names(connection, "SELECT sync_types::text FROM pending_triggers") == {"{roles}": 1}

        schema.upgrade(connection)
        assert schema.differences(connection) == []


def test_going_back_one_version_gives_the_tenants_threshold_back_and_keeps_its_former_alerts(
    database: Database, synced: tuple[Scope, Scope]
) -> None:
    tenant, _ = synced
    former = f"SELECT id FROM alerts WHERE alert_type IN ('{FORMER_ALERTS}', 'psa_company_unlinked')"  # noqa: S608 - the test's own words
    with database.begin() as connection:
        connection.execute(THRESHOLD, {"tenant": tenant.tenant_id})
        before = names(connection, former)
        assert names(connection, "SELECT id FROM alerts") > before

        schema.downgrade(connection, "0002")

        assert names(connection, "SELECT id FROM alerts") == before
        assert names(connection, "SELECT stale_after_days FROM tenants") == {"45": 1, "90": 1}

        schema.upgrade(connection)

        assert schema.differences(connection) == []
        kept = "SELECT alert_type || ' ' || threshold FROM tenant_alert_preferences"
        assert names(connection, kept) == {"stale_user 45": 1, "license_waste 45": 1}


def test_a_run_under_way_ends_and_its_source_is_due_again(database: Database, synced: tuple[Scope, Scope]) -> None:
    """What it has read, perhaps changes only, the older version would take for the whole."""
    tenant, _ = synced
    with database.begin() as connection:
        request_sync(connection, tenant, [SyncType.IDENTITIES, SyncType.ORGANIZATION], wiring.now())
    later = wiring.now() + timedelta(seconds=1)
    (opened,) = open_due_runs(database, later, max_jobs=5)

    with database.begin() as connection:
        schema.downgrade(connection, "0001")

        run = connection.execute(text("SELECT * FROM runs WHERE id = :id"), {"id": opened.run_id}).one()
        assert (run.state, run.sync_types, run.finished_at is None) == ("failed", ["identities"], False)
        assert "older version" in run.error_message
        steps = "SELECT DISTINCT state FROM run_steps WHERE run_id = :id"
        assert connection.execute(text(steps), {"id": opened.run_id}).scalars().all() == ["skipped"]
        due = "SELECT sync_type FROM schedules WHERE next_due_at <= now()"
        assert names(connection, due) == {"identities": 1}
