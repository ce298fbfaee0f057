"""What the old linker and the old alert handling leave in the database, their known wrongs included."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, event, insert, select, update

from legacy.admins import tag_admins
from legacy.alerts import handle
from legacy.linker import link
from legacy.overuse import write_overuse
from pipeline.domain.alerts import AlertStatus
from pipeline.domain.capture import Edge
from pipeline.domain.entities import EntityType, RelationshipType
from pipeline.domain.findings import AlertType, Finding, Severity
from pipeline.domain.ids import alert_id, entity_id
from pipeline.domain.runs import Scope
from pipeline.events import AlertAction
from pipeline.storage.database import Database
from pipeline.storage.tables import alert_history, alerts, entities, outbox, relationships

pytestmark = pytest.mark.servers
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RUN = uuid.UUID(int=7)
MEMBER_OF = RelationshipType.MEMBER_OF


@dataclass(frozen=True, slots=True)
class Desk:
    """A tenant under the old handling, and what a test wants to know of it."""

    connection: Connection
    scope: Scope = Scope(tenant_id=1, source_id=2)

    def add(self, kind: EntityType, *names: str, display_name: str = "") -> None:
        for name in names:
            values = {
                "id": self.key(kind, name),
                "tenant_id": self.scope.tenant_id,
                "source_id": self.scope.source_id,
                "entity_type": kind.value,
                "external_id": name,
                "display_name": display_name,
                "normalized": {},
                "data_hash": b"",
                "created_at": NOW,
                "updated_at": NOW,
            }
            self.connection.execute(insert(entities).values(values))

    def key(self, kind: EntityType, name: str) -> uuid.UUID:
        return entity_id(self.scope.source_id, kind, name)

    def handle(self, *findings: Finding, now: datetime = NOW) -> dict[AlertAction, int]:
        return handle(self.connection, self.scope, run_id=RUN, trace_id="trace", findings=findings, now=now)

    def overuse(self, *findings: Finding, now: datetime = NOW) -> dict[AlertAction, int]:
        return write_overuse(self.connection, self.scope, run_id=RUN, trace_id="trace", findings=findings, now=now)

    def link(self, pairs: list[tuple[str, str]], complete: frozenset[RelationshipType] = frozenset()) -> int:
        return link(self.connection, self.scope, {MEMBER_OF: tuple(map(membership, pairs))}, complete)[MEMBER_OF]

    def pairs(self) -> set[tuple[uuid.UUID, uuid.UUID]]:
        return set(self.connection.execute(select(relationships.c.parent_id, relationships.c.child_id)))

    def status(self, finding: Finding) -> AlertStatus:
        entity = self.key(finding.entity_type, finding.external_id)
        key = alert_id(self.scope.source_id, finding.alert_type, entity, finding.subject)
        return AlertStatus(self.connection.execute(select(alerts.c.status).where(alerts.c.id == key)).scalar_one())

    def set_status(self, status: AlertStatus) -> None:
        self.connection.execute(update(alerts).values(status=status.value))

    def marks(self, name: str, kind: EntityType = EntityType.IDENTITIES) -> tuple[list[str], str]:
        query = select(entities.c.tags, entities.c.state).where(entities.c.id == self.key(kind, name))
        return self.connection.execute(query).one()

    def subjects(self) -> list[str]:
        return list(self.connection.execute(select(outbox.c.subject).order_by(outbox.c.sequence)).scalars())


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    """A tenant in one transaction for the whole test."""
    with database.begin() as connection:
        yield Desk(connection)


def membership(pair: tuple[str, str]) -> Edge:
    return Edge(
        type=MEMBER_OF,
        parent_type=EntityType.GROUPS,
        parent_id=pair[0],
        child_type=EntityType.IDENTITIES,
        child_id=pair[1],
    )


def finding(alert_type: AlertType, name: str, severity: Severity = Severity.HIGH, message: str = "m") -> Finding:
    kind = EntityType.LICENSES if alert_type is AlertType.LICENSE_OVERUSE else EntityType.IDENTITIES
    return Finding(alert_type=alert_type, severity=severity, entity_type=kind, external_id=name, message=message)


ANN = finding(AlertType.MFA_NOT_ENFORCED, "ann")
BOB = finding(AlertType.MFA_NOT_ENFORCED, "bob")
OVER = finding(AlertType.LICENSE_OVERUSE, "sku")


def test_the_linker_stores_the_edges_known_entities_or_not(desk: Desk) -> None:
    desk.add(EntityType.GROUPS, "g")
    wanted = [("g", "ann"), ("g", "bob"), ("h", "ann")]

    assert desk.link([*wanted, wanted[0]]) == 3
    assert desk.link(wanted) == 0
    assert desk.pairs() == {
        (desk.key(EntityType.GROUPS, group), desk.key(EntityType.IDENTITIES, user)) for group, user in wanted
    }


def test_the_linker_deletes_only_of_complete_types(desk: Desk) -> None:
    desk.link([("g", "ann"), ("h", "bob")])

    assert desk.link([("g", "ann")]) == 0
    assert len(desk.pairs()) == 2
    assert desk.link([("g", "ann")], frozenset({MEMBER_OF})) == 1
    assert len(desk.pairs()) == 1
    assert desk.link([], frozenset({MEMBER_OF})) == 1
    assert desk.pairs() == set()


def test_the_linker_leaves_another_source_alone(desk: Desk) -> None:
    other = Desk(desk.connection, Scope(tenant_id=1, source_id=3))
    other.link([("g", "ann")])

    desk.link([], frozenset({MEMBER_OF}))

    assert len(desk.pairs()) == 1


def test_the_linkers_queries_grow_with_the_tenant(desk: Desk) -> None:
    def cost(users: int) -> int:
        return queries(desk.connection, lambda: desk.link([(f"g{users}", f"u{number}") for number in range(users)]))

    assert cost(20) - cost(10) == 20


def queries(connection: Connection, work: Callable[[], object]) -> int:
    """How many statements the work sends."""
    sent: list[object] = []

    def count(*details: object) -> None:
        sent.append(details)

    event.listen(connection, "before_cursor_execute", count)
    work()
    event.remove(connection, "before_cursor_execute", count)
    return len(sent)


def test_admins_are_tagged_by_the_name_of_a_role_they_hold_themselves(desk: Desk) -> None:
    desk.add(EntityType.IDENTITIES, "ann", "bob")
    desk.add(EntityType.ROLES, "r1", display_name="Global Administrator")
    desk.add(EntityType.ROLES, "r2", display_name="Directory Readers")
    held = [
        replace(membership(pair), type=RelationshipType.ASSIGNED_ROLE, parent_type=EntityType.ROLES)
        for pair in (("r1", "ann"), ("r2", "bob"))
    ]
    roles = frozenset({RelationshipType.ASSIGNED_ROLE})
    link(desk.connection, desk.scope, {RelationshipType.ASSIGNED_ROLE: tuple(held)}, roles)

    assert tag_admins(desk.connection, desk.scope) == 1
    assert tag_admins(desk.connection, desk.scope) == 0
    assert (desk.marks("ann")[0], desk.marks("bob")[0]) == (["Admin"], [])

    link(desk.connection, desk.scope, {}, roles)
    assert tag_admins(desk.connection, desk.scope) == 1
    assert desk.marks("ann")[0] == []


def test_a_finding_becomes_an_alert_with_tag_state_history_and_event(desk: Desk) -> None:
    desk.add(EntityType.IDENTITIES, "ann")

    assert desk.handle(ANN) == {AlertAction.CREATED: 1}
    assert desk.handle(ANN) == {}

    row = desk.connection.execute(select(alerts)).one()
    assert (row.status, row.severity, row.external_id, row.created_at) == ("active", "high", "ann", NOW)
    history = desk.connection.execute(select(alert_history)).one()
    assert (history.from_status, history.to_status, history.actor, history.run_id, history.trace_id) == (
        None,
        "active",
        "legacy",
        RUN,
        "trace",
    )
    assert desk.subjects() == ["alert.created"]
    assert desk.marks("ann") == (["MFA None"], "critical")


@pytest.mark.parametrize("changed", [replace(ANN, severity=Severity.MEDIUM), replace(ANN, message="other")])
def test_another_severity_or_message_updates(desk: Desk, changed: Finding) -> None:
    desk.add(EntityType.IDENTITIES, "ann")
    desk.handle(ANN)

    assert desk.handle(changed) == {AlertAction.UPDATED: 1}
    row = desk.connection.execute(select(alerts)).one()
    assert (row.severity, row.message) == (changed.severity, changed.message)
    assert desk.marks("ann")[1] == ("warn" if changed.severity is Severity.MEDIUM else "critical")


def test_an_alert_is_resolved_when_others_of_its_type_are_found(desk: Desk) -> None:
    desk.add(EntityType.IDENTITIES, "ann", "bob")
    desk.handle(ANN, BOB)

    assert desk.handle(BOB, now=NOW + timedelta(hours=1)) == {AlertAction.RESOLVED: 1}
    assert (desk.status(ANN), desk.status(BOB)) == (AlertStatus.RESOLVED, AlertStatus.ACTIVE)
    assert desk.marks("ann") == ([], "normal")
    assert desk.subjects()[-1] == "alert.resolved"


def test_wrong_an_alert_outlives_its_cause_when_nothing_of_its_type_is_found(desk: Desk) -> None:
    """The MFA bug: everybody is given MFA, the analysis finds nothing, and the alerts stay."""
    desk.add(EntityType.IDENTITIES, "ann", "bob")
    desk.handle(ANN, BOB)

    assert desk.handle(finding(AlertType.STALE_USER, "ann", Severity.LOW)) == {AlertAction.CREATED: 1}
    assert desk.handle() == {}
    assert (desk.status(ANN), desk.status(BOB)) == (AlertStatus.ACTIVE, AlertStatus.ACTIVE)
    assert desk.marks("ann") == (["MFA None", "Stale"], "critical")
    assert desk.marks("bob") == (["MFA None"], "critical")


def test_a_resolved_alert_is_reopened_under_its_id(desk: Desk) -> None:
    desk.add(EntityType.IDENTITIES, "ann", "bob")
    desk.handle(ANN, BOB)
    desk.handle(BOB)

    assert desk.handle(ANN, BOB) == {AlertAction.REOPENED: 1}
    row = desk.connection.execute(select(alerts).where(alerts.c.external_id == "ann")).one()
    assert (row.status, row.resolved_at) == ("active", None)
    assert desk.marks("ann") == (["MFA None"], "critical")
    assert desk.subjects()[-1] == "alert.reopened"


@pytest.mark.parametrize("status", [AlertStatus.ACKNOWLEDGED, AlertStatus.SUPPRESSED])
def test_what_a_person_decided_stays(desk: Desk, status: AlertStatus) -> None:
    desk.add(EntityType.IDENTITIES, "ann", "bob")
    desk.handle(ANN)
    desk.set_status(status)

    assert desk.handle(replace(ANN, severity=Severity.CRITICAL)) == {AlertAction.UPDATED: 1}
    assert desk.handle(BOB) == {AlertAction.CREATED: 1}
    assert desk.status(ANN) is status


def test_a_persons_own_tags_are_kept(desk: Desk) -> None:
    desk.add(EntityType.IDENTITIES, "ann", "bob")
    desk.connection.execute(update(entities).values(tags=["VIP"]))

    desk.handle(ANN, BOB)
    assert desk.marks("ann")[0] == ["VIP", "MFA None"]
    desk.handle(BOB)
    assert desk.marks("ann")[0] == ["VIP"]


def test_wrong_overuse_is_written_past_the_handling_and_never_resolved(desk: Desk) -> None:
    desk.add(EntityType.LICENSES, "sku")
    spare = replace(OVER, external_id="spare")

    assert desk.handle(OVER, spare) == {}
    assert desk.overuse(ANN, OVER, spare) == {AlertAction.CREATED: 2}
    assert desk.overuse(spare) == {}
    assert desk.overuse() == {}
    assert desk.status(OVER) is AlertStatus.ACTIVE
    assert desk.marks("sku", EntityType.LICENSES) == ([], "normal")
    assert desk.subjects() == ["alert.created", "alert.created"]


def test_overuse_is_updated_and_opened_again(desk: Desk) -> None:
    desk.overuse(OVER)
    assert desk.overuse(replace(OVER, message="more")) == {AlertAction.UPDATED: 1}
    desk.set_status(AlertStatus.RESOLVED)
    assert desk.overuse(OVER) == {AlertAction.REOPENED: 1}
    desk.set_status(AlertStatus.SUPPRESSED)
    assert desk.overuse(replace(OVER, message="most")) == {AlertAction.UPDATED: 1}
    assert desk.status(OVER) is AlertStatus.SUPPRESSED


def test_another_sources_alerts_are_not_touched(desk: Desk) -> None:
    other = Desk(desk.connection, Scope(tenant_id=1, source_id=3))
    other.handle(ANN)

    desk.handle(BOB)

    assert other.status(ANN) is AlertStatus.ACTIVE
