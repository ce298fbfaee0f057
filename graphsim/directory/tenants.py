"""One generated tenant: who it is, how big, which posture. Everything else is computed from this value on demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from graphsim.directory.population import Kind, Persona, Population
from graphsim.directory.postures import POSTURES, Posture, block, head
from graphsim.directory.seeding import MAX_NUMBER, derive_key, draw, guid, number_of, numbered_guid
from graphsim.directory.words import CITIES, COMPANY_FIRST, COMPANY_SECOND

Json = dict[str, object]
"""A JSON object as Graph would write it."""

NEWCOMER = Persona(kind=Kind.EMPLOYEE)
"""A user that a scenario created: numbered past the generated ones, without a licence."""

_NAME_STEP = 131  # coprime to the number of company names (30 x 28): neighbours get unlike names


@dataclass(frozen=True, kw_only=True, slots=True)
class Tenant:
    """A tenant of ``size`` users as of ``now``. Make it with ``generate``; two equal calls give equal tenants."""

    seed: str
    index: int
    size: int
    now: datetime
    id: str
    name: str
    domain: str
    key: bytes
    posture: Posture
    population: Population
    helpdesk: tuple[int, ...]
    """The three employees who hold a role through a group."""

    @property
    def initial_domain(self) -> str:
        return f"{self.domain.removesuffix('.example')}.onmicrosoft.example"

    @property
    def client_id(self) -> str:
        return guid(draw(self.key, b"application", 0))

    @property
    def client_secret(self) -> str:
        return f"sim~{derive_key(self.key, 'secret').hex()[:36]}"

    @property
    def city(self) -> tuple[str, str]:
        """City and two-letter country code."""
        return CITIES[self.key[0] % len(CITIES)]

    def persona(self, number: int) -> Persona:
        return self.population.persona(number) if number < self.size else NEWCOMER

    def user_id(self, number: int) -> str:
        return numbered_guid(self.key, b"user", number)

    def user_number(self, user_id: str) -> int | None:
        """Which user an id names, ``None`` if it is no user's id here; says nothing about existence."""
        return number_of(self.key, b"user", user_id)

    def group_id(self, number: int) -> str:
        return numbered_guid(self.key, b"group", number)

    def group_number(self, group_id: str) -> int | None:
        return number_of(self.key, b"group", group_id)

    def object_id(self, label: str, number: int = 0) -> str:
        """The id of some other object; ``label`` has at most 16 ASCII letters."""
        return guid(draw(self.key, label.encode(), number))

    def ago(self, *, days: float, seconds: int = 0) -> str:
        """A timestamp before the tenant's ``now``, as Graph writes it."""
        return timestamp(self.now - timedelta(days=days, seconds=seconds))


def timestamp(moment: datetime) -> str:
    """``2026-01-31T08:15:00Z``, from an aware UTC moment."""
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def generate(*, seed: str, index: int, size: int, now: datetime) -> Tenant:
    """Tenant number ``index`` of a seed. ``size`` users at most 2**32; ``now`` aware, UTC: dates are relative to it."""
    if not 0 <= size < MAX_NUMBER:
        raise ValueError(f"a tenant has 0 to {MAX_NUMBER - 1} users, not {size}")
    key = derive_key(seed, "tenant", index)
    posture = POSTURES[index % len(POSTURES)]
    name, domain = _company(seed, index)
    population = Population(key=key, head=head(posture), block=block(posture))
    employees = population.where(lambda persona: persona.kind is Kind.EMPLOYEE, 0, size)
    return Tenant(
        seed=seed,
        index=index,
        size=size,
        now=now,
        id=tenant_id(seed, index),
        name=name,
        domain=domain,
        key=key,
        posture=posture,
        population=population,
        helpdesk=tuple(islice(employees, 3)),
    )


def tenant_id(seed: str, index: int) -> str:
    """The id of a tenant, without generating it."""
    return numbered_guid(derive_key(seed), b"tenant", index)


def tenant_index(seed: str, text: str) -> int | None:
    """Which tenant of this seed an id names, ``None`` when none."""
    return number_of(derive_key(seed), b"tenant", text)


def _company(seed: str, index: int) -> tuple[str, str]:
    names = len(COMPANY_FIRST) * len(COMPANY_SECOND)
    start = int.from_bytes(derive_key(seed, "companies")[:4], "big")
    place = (start + index * _NAME_STEP) % names
    first, second = COMPANY_FIRST[place // len(COMPANY_SECOND)], COMPANY_SECOND[place % len(COMPANY_SECOND)]
    suffix = str(index // names + 1) if index >= names else ""
    return f"{first} {second} {suffix}".strip(), f"{first}{second}{suffix}.example".lower()
