"""One contract for both ways of asking, and what asking the database costs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import Connection, event, insert, select

from legacy.admins import tag_admins
from legacy.alerts import handle
from legacy.analyze import analyze
from legacy.linker import link
from legacy.reads import GraphReads, LegacyReads, SqlReads
from pipeline.domain.capture import Edge
from pipeline.domain.conditional_access import (
    ConditionalAccessPolicy,
    Grant,
    PolicyApplications,
    PolicyState,
    PolicyUsers,
    SecurityDefaults,
)
from pipeline.domain.entities import Entity, EntityType, Group, Identity, License, RelationshipType, Role
from pipeline.domain.findings import AnalysisType
from pipeline.domain.graph import TenantGraph, build_graph
from pipeline.domain.ids import entity_id
from pipeline.domain.runs import Scope
from pipeline.storage.database import Database
from pipeline.storage.tables import alerts, entities, tenants

pytestmark = pytest.mark.servers
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
USER = Identity(
    id="ann",
    user_principal_name="ann@contoso.example",
    enabled=True,
    last_sign_in_attempt_at=NOW - timedelta(days=3),
    sku_ids=("s2", "s1", "s2"),
)
TENANT: dict[EntityType, dict[str, Entity]] = {
    EntityType.IDENTITIES: {
        "ann": USER,
        "bob": replace(USER, id="bob", enabled=False, sku_ids=()),
        "cyd": replace(USER, id="cyd", enabled=None),
    },
    EntityType.GROUPS: {name: Group(id=name) for name in ("inner", "outer", "loop")},
    EntityType.ROLES: {
        "r1": Role(id="r1", display_name="Global Administrator"),
        "r2": Role(id="r2"),
        "r3": Role(id="r3", display_name="Application Admin", built_in=False),
    },
    EntityType.POLICIES: {name: ConditionalAccessPolicy(id=name) for name in ("p2", "p1", "P3")},
    EntityType.LICENSES: {"s1": License(id="s1", part_number="E5", enabled_units=3)},
    EntityType.SECURITY_DEFAULTS: {"d": SecurityDefaults(id="d", enabled=True)},
}
MEMBERS = [("inner", "ann"), ("outer", "inner"), ("loop", "outer"), ("outer", "loop")]
HOLDERS = [("r1", "ann"), ("r2", "bob"), ("r3", "cyd")]
FOUR = frozenset({AnalysisType.MFA, AnalysisType.POLICY, AnalysisType.LICENSE, AnalysisType.STALE})


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """One transaction for the whole test."""
    with database.begin() as opened:
        yield opened


def store(connection: Connection, found: dict[EntityType, dict[str, Entity]]) -> Scope:
    """A tenant with these entities."""
    tenant = connection.execute(insert(tenants).values(name=uuid.uuid4().hex).returning(tenants.c.id)).scalar_one()
    scope = Scope(tenant_id=tenant, source_id=tenant)
    add(connection, scope, found)
    return scope


def add(connection: Connection, scope: Scope, found: dict[EntityType, dict[str, Entity]]) -> None:
    rows = [
        {
            "id": entity_id(scope.source_id, kind, key),
            "tenant_id": scope.tenant_id,
            "source_id": scope.source_id,
            "entity_type": kind.value,
            "external_id": key,
            "display_name": getattr(one, "display_name", ""),
            "normalized": msgspec.to_builtins(one),
            "data_hash": b"",
            "created_at": NOW,
            "updated_at": NOW,
        }
        for kind, ones in found.items()
        for key, one in ones.items()
    ]
    connection.execute(insert(entities), rows)


def edges(
    kind: RelationshipType, parent: EntityType, pairs: list[tuple[str, str]], groups: frozenset[str] = frozenset()
) -> tuple[Edge, ...]:
    return tuple(
        Edge(
            type=kind,
            parent_type=parent,
            parent_id=above,
            child_type=EntityType.GROUPS if below in groups else EntityType.IDENTITIES,
            child_id=below,
        )
        for above, below in pairs
    )


def sql_reads(connection: Connection) -> LegacyReads:
    scope = store(connection, TENANT)
    groups = frozenset(TENANT[EntityType.GROUPS])
    link(
        connection,
        scope,
        {
            RelationshipType.MEMBER_OF: edges(RelationshipType.MEMBER_OF, EntityType.GROUPS, MEMBERS, groups),
            RelationshipType.ASSIGNED_ROLE: edges(RelationshipType.ASSIGNED_ROLE, EntityType.ROLES, HOLDERS),
        },
        frozenset(),
    )
    tag_admins(connection, scope)
    return SqlReads(connection, scope)


def graph() -> TenantGraph:
    pairs = {RelationshipType.MEMBER_OF: MEMBERS, RelationshipType.ASSIGNED_ROLE: HOLDERS}
    return build_graph(entities=TENANT, pairs=pairs, inputs={})


@pytest.fixture(params=["graph", "sql"])
def reads(request: pytest.FixtureRequest) -> LegacyReads:
    if request.param == "graph":
        return GraphReads(graph(), NOW)
    return sql_reads(request.getfixturevalue("connection"))


def test_accounts_not_known_to_be_enabled_are_the_disabled_ones(reads: LegacyReads) -> None:
    assert reads.enabled_identities() == (USER,)
    assert [one.id for one in reads.disabled_identities()] == ["bob", "cyd"]


def test_groups_are_followed_through_nesting_and_circles(reads: LegacyReads) -> None:
    assert reads.groups_of("ann") == {"inner", "outer", "loop"}
    assert reads.groups_of("bob") == frozenset()


def test_a_holder_of_a_role_with_admin_in_its_name_is_an_admin(reads: LegacyReads) -> None:
    assert reads.tags_of("ann") == {"Admin"}
    assert reads.tags_of("bob") == frozenset()


def test_a_role_the_tenant_made_itself_makes_no_admin_for_the_old_system_never_read_it(reads: LegacyReads) -> None:
    assert reads.tags_of("cyd") == frozenset()


def test_licences_of_a_user_come_once_each(reads: LegacyReads) -> None:
    assert reads.licenses_of("ann") == ("s2", "s1")
    assert reads.licenses_of("bob") == ()


def test_tenant_wide_facts(reads: LegacyReads) -> None:
    assert [policy.id for policy in reads.policies()] == ["P3", "p1", "p2"]
    assert reads.security_defaults_enabled()
    assert reads.stale_after_days() == 90
    assert reads.skus() == (TENANT[EntityType.LICENSES]["s1"],)
    assert reads.sku("s1") == TENANT[EntityType.LICENSES]["s1"]


def test_what_does_not_exist_is_empty(reads: LegacyReads) -> None:
    assert reads.sku("s2") is None
    assert reads.tags_of("nobody") == frozenset()
    assert reads.groups_of("nobody") == frozenset()
    assert reads.licenses_of("nobody") == ()


def test_both_ways_of_asking_lead_to_the_same_findings(connection: Connection) -> None:
    stored = analyze(sql_reads(connection), FOUR, NOW)

    assert stored.findings
    assert stored == analyze(GraphReads(graph(), NOW), FOUR, NOW)


def test_another_source_and_what_is_deleted_are_not_seen(connection: Connection) -> None:
    mine, other = store(connection, {EntityType.IDENTITIES: {"ann": USER}}), store(connection, TENANT)
    connection.execute(entities.update().where(entities.c.source_id == other.source_id).values(deleted_at=NOW))

    assert [one.id for one in SqlReads(connection, mine).enabled_identities()] == ["ann"]
    assert SqlReads(connection, mine).policies() == ()
    assert SqlReads(connection, other).enabled_identities() == ()


def queries(connection: Connection, work: Callable[[], object]) -> int:
    """How many statements the work sends."""
    sent: list[object] = []

    def count(*details: object) -> None:
        sent.append(details)

    event.listen(connection, "before_cursor_execute", count)
    work()
    event.remove(connection, "before_cursor_execute", count)
    return len(sent)


def test_the_queries_of_the_old_analysis_grow_with_the_tenant(connection: Connection) -> None:
    def cost(users: int) -> int:
        names = [f"u{number}" for number in range(users)]
        scope = store(connection, {EntityType.IDENTITIES: {name: replace(USER, id=name) for name in names}})
        return queries(connection, lambda: analyze(SqlReads(connection, scope), FOUR, NOW))

    small, medium, large = cost(10), cost(20), cost(40)
    per_user = (medium - small) / 10
    assert per_user >= 4
    assert (large - medium) / 20 == per_user


def old_run(connection: Connection, scope: Scope, now: datetime) -> dict[str, str]:
    """One analysis with its alert handling; alert type → status afterwards, for a tenant with one user."""
    result = analyze(SqlReads(connection, scope), FOUR, now)
    handle(connection, scope, run_id=uuid.uuid4(), trace_id="trace", findings=result.findings, now=now)
    query = select(alerts.c.alert_type, alerts.c.status).where(alerts.c.source_id == scope.source_id)
    return {row.alert_type: row.status for row in connection.execute(query)}


def test_wrong_the_mfa_alert_outlives_its_cause(connection: Connection) -> None:
    scope = store(connection, {EntityType.IDENTITIES: {"ann": USER}})
    assert old_run(connection, scope, NOW) == {"mfa_not_enforced": "active", "policy_gap": "active"}

    demanding = ConditionalAccessPolicy(
        id="p",
        state=PolicyState.ENABLED,
        users=PolicyUsers(include_users=("All",)),
        applications=PolicyApplications(include=("All",)),
        grant=Grant(built_in_controls=("mfa",)),
    )
    add(connection, scope, {EntityType.POLICIES: {"p": demanding}})

    assert analyze(SqlReads(connection, scope), FOUR, NOW).findings == ()
    assert old_run(connection, scope, NOW) == {"mfa_not_enforced": "active", "policy_gap": "active"}


def test_wrong_waste_of_a_stale_user_comes_one_run_late(connection: Connection) -> None:
    user = replace(USER, last_sign_in_attempt_at=NOW - timedelta(days=200), sku_ids=("s1",))
    scope = store(connection, {EntityType.IDENTITIES: {"ann": user}})

    assert "license_waste" not in old_run(connection, scope, NOW)
    assert old_run(connection, scope, NOW)["license_waste"] == "active"
