"""All tenants of one server and its settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from graphsim.state import TenantState
from graphsim.tenants import generate, tenant_id, tenant_index


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatorConfig:
    """What to simulate.

    ``users`` is the size of every tenant, or one size for each in turn. ``now`` is the day the tenants' dates are
    relative to (aware, UTC; today when left out). ``token_seconds`` is how long access tokens live.
    """

    seed: str = "mspbyte"
    tenants: int = 5
    users: int | tuple[int, ...] = 200
    now: datetime | None = None
    token_seconds: int = 3599

    def size_of(self, index: int) -> int:
        return self.users if isinstance(self.users, int) else self.users[index % len(self.users)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """What an application needs to sign in to a tenant."""

    tenant_id: str
    client_id: str
    client_secret: str


def today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulator:
    """The tenants, generated when first asked for and changed by scenarios."""

    config: SimulatorConfig
    now: datetime
    states: dict[int, TenantState] = field(default_factory=dict)

    def state(self, index: int) -> TenantState:
        """Tenant number ``index``; ``IndexError`` past the last."""
        if not 0 <= index < self.config.tenants:
            raise IndexError(f"there are {self.config.tenants} tenants, numbered from 0, and no {index}")
        if index not in self.states:
            size = self.config.size_of(index)
            tenant = generate(seed=self.config.seed, index=index, size=size, now=self.now)
            self.states[index] = TenantState(tenant=tenant)
        return self.states[index]

    def find(self, key: str) -> TenantState | None:
        """The tenant of an id or, for people's convenience, a number written out; ``None`` if there is none."""
        index = int(key) if key.isascii() and key.isdigit() else tenant_index(self.config.seed, key)
        if index is None or index >= self.config.tenants:
            return None
        return self.state(index)

    def id_of(self, index: int) -> str:
        return tenant_id(self.config.seed, index)

    def credentials(self, index: int) -> Credentials:
        tenant = self.state(index).tenant
        return Credentials(tenant_id=tenant.id, client_id=tenant.client_id, client_secret=tenant.client_secret)


def start(config: SimulatorConfig) -> Simulator:
    """A simulator with nothing changed yet."""
    if config.tenants < 1:
        raise ValueError(f"a simulator has at least one tenant, not {config.tenants}")
    return Simulator(config=config, now=config.now or today())
