"""A simulated tenant without HTTP: what it holds changes between syncs, and so does how much of it can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography.fernet import Fernet
from sqlalchemy import text

from graphsim.directory.tenants import generate
from graphsim.pages import capture_pages
from graphsim.world.state import TenantState
from pipeline import wiring
from pipeline.domain.capture import COMPLETE, Page, ReadOutcome, Resource, SyncType
from pipeline.domain.flags import Flag
from pipeline.domain.providers import SYNC_TYPES, Provider
from pipeline.domain.runs import Run, Scope
from pipeline.providers.memory import MemorySource
from pipeline.providers.microsoft365 import normalize
from pipeline.providers.source import TenantSource
from pipeline.settings import load_settings
from pipeline.stages.execution import Executor
from pipeline.stages.local import sync_here
from pipeline.storage import flags, tenants
from pipeline.storage.database import Database

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NO_LICENCE = ReadOutcome(complete=False, reason="the tenant has no premium licence")
CUT = ReadOutcome(complete=False, reason="the list ended early")

ENFORCED, TRUSTED_LOCATIONS, REPORT_ONLY, SECURITY_DEFAULTS, PILOT, STRENGTH, NOTHING = range(7)
"""Numbers of simulated tenants, named after the posture each has."""


@dataclass(slots=True)
class World:
    """A tenant with one source. ``edit`` changes pages on their way, ``error`` is raised instead of reading."""

    parts: wiring.Wiring
    scope: Scope
    state: TenantState
    time: datetime = NOW
    outcomes: dict[Resource, ReadOutcome] = field(default_factory=dict)
    edit: Callable[[Page], Page | None] = staticmethod(lambda page: page)
    error: Exception | None = None

    @property
    def database(self) -> Database:
        return self.parts.database

    @property
    def executor(self) -> Executor:
        """The system's executor at this world's time."""
        return replace(self.parts.executor, clock=lambda: self.time)

    def open(self, _run: Run) -> TenantSource:
        if self.error is not None:
            raise self.error
        edited = (self.edit(page) for page in pages(self.state))
        licensed = self.state.tenant.posture.premium
        refused = (
            {} if licensed else dict.fromkeys((Resource.SIGN_IN_ACTIVITY, Resource.REGISTRATION_DETAILS), NO_LICENCE)
        )
        return MemorySource(
            (page for page in edited if page is not None),
            {**dict.fromkeys(Resource, COMPLETE), **refused, **self.outcomes},
            normalize,
        )

    def sync(self, *sync_types: SyncType, compare: bool = False) -> UUID:
        """The id of a finished run, a minute after the last."""
        self.time += timedelta(minutes=1)
        kinds: Sequence[SyncType] = sync_types or SYNC_TYPES[Provider.MICROSOFT365]
        with self.database.begin() as connection:
            connection.execute(text("UPDATE schedules SET next_due_at = :never"), {"never": NOW + timedelta(days=999)})
        return sync_here(self.database, self.executor, self.scope, sync_types=kinds, compare=compare)

    def flags(self, branch: Mapping[Flag, bool]) -> None:
        with self.database.begin() as connection:
            flags.store_overrides(
                connection, self.scope.tenant_id, branch, author="test", reason="the branch under test"
            )

    def rows(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        with self.database.begin() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def number(self, statement: str, **values: object) -> int:
        ((found,),) = self.rows(statement, **values)
        assert isinstance(found, int)
        return found

    def run(self, run_id: UUID) -> tuple[object, ...]:
        """State, error code and error message of a run."""
        (found,) = self.rows("SELECT state, error_code, error_message FROM runs WHERE id = :id", id=run_id)
        return found

    def alerts(self, *alert_types: str) -> dict[str, int]:
        """Alerts by status, of some types or of all."""
        found = self.rows(
            "SELECT status, count(*) FROM alerts WHERE :every OR alert_type = ANY(:types) GROUP BY status",
            every=not alert_types,
            types=list(alert_types),
        )
        return {str(status): int(str(count)) for status, count in found}


def pages(state: TenantState) -> Iterator[Page]:
    for resource, parent_id, body in capture_pages(state):
        yield Page(resource=Resource(resource), parent_id=parent_id, body=body)


@contextmanager
def a_world(
    database_url: str, branch: Mapping[Flag, bool], *, posture: int = PILOT, users: int = 60, **environment: str
) -> Iterator[World]:
    """A tenant nothing has been read of yet, on a branch."""
    settings = load_settings(
        {
            "DATABASE_URL": database_url,
            "SECRET_KEY": Fernet.generate_key().decode(),
            "LEGACY_ALERT_DELAY_MS": "0",
            **environment,
        }
    )
    state = TenantState(tenant=generate(seed="test", index=posture, size=users, now=NOW))
    opened: list[World] = []

    def open_source(run: Run) -> TenantSource:
        return opened[0].open(run)

    parts = wiring.build(settings, open_source=open_source)
    try:
        world = World(parts=parts, scope=_add_tenant(parts.database, state), state=state)
        opened.append(world)
        world.flags(branch)
        yield world
    finally:
        parts.close()


def _add_tenant(database: Database, state: TenantState) -> Scope:
    with database.begin() as connection:
        tenant = tenants.add_tenant(connection, f"{state.tenant.name} of {state.tenant.size}")
        source = tenants.NewSource(
            provider="microsoft365", external_tenant_id=state.tenant.id, client_id="client", credentials=b""
        )
        return tenants.add_source(connection, tenant, source, NOW)
