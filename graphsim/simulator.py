"""All tenants of one server and its settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from graphsim.clock import WorldClock, clock_from
from graphsim.directory.tenants import generate, tenant_id, tenant_index
from graphsim.halopsa.state import HaloState
from graphsim.notifying.notifier import Notifier
from graphsim.sign_in.assertions import load_certificate
from graphsim.trouble.fault_rules import FaultRule, made
from graphsim.trouble.limits import Bucket
from graphsim.trouble.meter import KEPT_SECONDS, Reading
from graphsim.trouble.throttling import Throttle
from graphsim.trouble.traffic import Traffic
from graphsim.world.playing import Playback, Scenario
from graphsim.world.state import TenantState


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatorConfig:
    """What to simulate.

    ``users`` is the size of every tenant, or one size for each in turn. ``now`` is the day the tenants' dates are
    relative to (aware, UTC; today when left out). ``token_seconds`` is how long access tokens live.
    ``throttle`` enforces Microsoft's limits, with the resource units scaled by ``throttle_factor``; ``faults`` is the
    trouble to make.
    """

    seed: str = "mspbyte"
    tenants: int = 5
    users: int | tuple[int, ...] = 200
    now: datetime | None = None
    token_seconds: int = 3599
    throttle: bool = False
    throttle_factor: float = 1.0
    faults: tuple[FaultRule, ...] = ()
    scenario: Scenario | None = None
    """What happens to the tenants, and when."""
    notification_ca: str = ""
    """The file with the CA of the endpoints that are notified; without it, those on this machine are not verified."""
    notification_scale: float = 1.0
    """Shortens or stretches the pauses before notifications are repeated."""
    plain_notifications: bool = False
    """Whether endpoints on this machine may be notified over http, which Graph never does."""

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
    clock: Callable[[], float]
    world: WorldClock
    notifier: Notifier
    states: dict[int, TenantState] = field(default_factory=dict)
    played: list[Playback] = field(default_factory=list)
    halopsa: HaloState = field(default_factory=HaloState)
    traffic: Traffic = field(default_factory=Traffic)

    def state(self, index: int) -> TenantState:
        """Tenant number ``index``; ``IndexError`` past the last."""
        if not 0 <= index < self.config.tenants:
            raise IndexError(f"there are {self.config.tenants} tenants, numbered from 0, and no {index}")
        if index not in self.states:
            size = self.config.size_of(index)
            tenant = generate(seed=self.config.seed, index=index, size=size, now=self.now)
            own = [made(rule.body) for rule in self.config.faults if rule.tenant == index]
            self.states[index] = TenantState(tenant=tenant, clock=self.world, faults=own)
        return self.states[index]

    def find(self, key: str) -> TenantState | None:
        """The tenant of an id or, for people's convenience, a number written out; ``None`` if there is none."""
        index = int(key) if key.isascii() and key.isdigit() else tenant_index(self.config.seed, key)
        if index is None or index >= self.config.tenants:
            return None
        return self.state(index)

    def playback(self) -> Playback:
        """The scenario, ready to be played from its beginning; what became of it is told by ``played``."""
        made = Playback(scenario=self.config.scenario or Scenario(steps=()), find=self.find)
        self.played.append(made)
        return made

    def id_of(self, index: int) -> str:
        return tenant_id(self.config.seed, index)

    def credentials(self, index: int) -> Credentials:
        tenant = self.state(index).tenant
        return Credentials(tenant_id=tenant.id, client_id=tenant.client_id, client_secret=tenant.client_secret)

    def register_certificate(self, index: int, pem: str) -> None:
        """Lets the tenant's application sign in with this certificate too; ``ValueError`` when it can't be used."""
        self.traffic.application(self.state(index).tenant.index).certificates.append(load_certificate(pem))

    def meter(self, index: int, *, seconds: float = KEPT_SECONDS) -> dict[Bucket, Reading]:
        """What a tenant's limits, and that of the application over all tenants, saw in the last ``seconds``."""
        return self.traffic.throttle.readings(self.state(index), self.clock(), seconds)


def start(config: SimulatorConfig, *, clock: Callable[[], float] = time.time) -> Simulator:
    """A simulator with nothing changed yet. ``clock`` gives seconds since 1970."""
    if config.tenants < 1:
        raise ValueError(f"a simulator has at least one tenant, not {config.tenants}")
    if not 0.0 < config.throttle_factor <= 1.0:
        raise ValueError(f"resource units are scaled by more than 0 and at most 1, not {config.throttle_factor}")
    for rule in config.faults:
        if rule.tenant is not None and not 0 <= rule.tenant < config.tenants:
            raise ValueError(f"there is no tenant {rule.tenant} to make trouble in")
    traffic = Traffic(
        throttle=Throttle(enforced=config.throttle, factor=config.throttle_factor),
        faults=[made(rule.body) for rule in config.faults if rule.tenant is None],
    )
    simulator = Simulator(
        config=config,
        now=config.now or today(),
        clock=clock,
        world=clock_from(clock, config.now),
        notifier=Notifier(clock=clock, ca=config.notification_ca, scale=config.notification_scale),
        traffic=traffic,
    )
    for step in config.scenario.steps if config.scenario else ():
        if simulator.find(step.tenant) is None:
            raise ValueError(f"there is no tenant {step.tenant} for something to happen to")
    return simulator
