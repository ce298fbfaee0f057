"""Who the users of a tenant are, by number, without a list of them.

After a fixed head of administrators the users come in blocks of 100. Every block holds the same personas in an
order of its own, so what one user is costs two hashes at most and how many there are of a kind is arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from graphsim.directory.seeding import draw
from graphsim.directory.words import DEPARTMENT_OF_SLOT

BLOCK = 100
_KIND_STEP = 37  # coprime to 100: a walk over all slots of a block
_DEPARTMENT_STEP = 3  # coprime to 20


class Kind(StrEnum):
    """What a user is to those who look after the tenant."""

    BREAK_GLASS = "break_glass"
    """Emergency access, excluded from the policies, hardly ever signed in."""
    ADMIN = "admin"
    STALE_ADMIN = "stale_admin"
    SERVICE = "service"
    """Signs in non-interactively only."""
    EMPLOYEE = "employee"
    JOINER = "joiner"
    """Created in the last 30 days."""
    INVITED = "invited"
    """Created in the last 30 days, never signed in."""
    STALE = "stale"
    DORMANT = "dormant"
    """Created long ago, never signed in."""
    FAILED_ONLY = "failed_only"
    """Recent attempts, none of them successful."""
    UNRECORDED = "unrecorded"
    """Last seen before Microsoft began to record successful sign-ins (2023-12-01)."""
    LEAVER = "leaver"
    """Disabled, still holding licences."""
    LEFT = "left"
    """Disabled, licences removed."""
    SHARED_MAILBOX = "shared_mailbox"
    """A disabled account without a licence, as Exchange makes them."""
    GUEST = "guest"
    STALE_GUEST = "stale_guest"


DISABLED = frozenset({Kind.LEAVER, Kind.LEFT, Kind.SHARED_MAILBOX})
GUESTS = frozenset({Kind.GUEST, Kind.STALE_GUEST})
PEOPLE = frozenset(Kind) - GUESTS - {Kind.SHARED_MAILBOX, Kind.SERVICE, Kind.BREAK_GLASS}
"""Kinds that have a department, a job and a name of their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Persona:
    """A kind of user and the SKU ids it holds."""

    kind: Kind
    sku_ids: tuple[str, ...] = ()


@lru_cache(maxsize=1 << 16)
def _offsets(key: bytes, block: int) -> tuple[int, int]:
    raw = draw(key, b"block", block)
    return raw[0] % BLOCK, raw[1] % len(DEPARTMENT_OF_SLOT)


@lru_cache(maxsize=1 << 12)
def _positions(slots: frozenset[int], step: int, offset: int, modulus: int) -> tuple[int, ...]:
    return tuple(position for position in range(BLOCK) if (position * step + offset) % modulus in slots)


@dataclass(frozen=True, kw_only=True, slots=True)
class Population:
    """The personas of one tenant: ``head`` for the first users, then ``block`` (100 personas) again and again."""

    key: bytes
    head: tuple[Persona, ...]
    block: tuple[Persona, ...]

    def persona(self, number: int) -> Persona:
        if number < len(self.head):
            return self.head[number]
        offset, _ = _offsets(self.key, number // BLOCK)
        return self.block[(number * _KIND_STEP + offset) % BLOCK]

    def department(self, number: int) -> int:
        """Index into ``words.DEPARTMENTS``."""
        _, offset = _offsets(self.key, number // BLOCK)
        return DEPARTMENT_OF_SLOT[(number * _DEPARTMENT_STEP + offset) % len(DEPARTMENT_OF_SLOT)]

    def count(self, of: Callable[[Persona], bool], size: int) -> int:
        """How many of the first ``size`` users are ``of`` that kind; looks at no more than two blocks."""
        first = min(size, BLOCK)
        whole = max(0, size // BLOCK - 1)
        rest = range(BLOCK * (1 + whole), size)
        return (
            sum(of(self.persona(number)) for number in range(first))
            + whole * sum(map(of, self.block))
            + sum(of(self.persona(number)) for number in rest)
        )

    def where(self, of: Callable[[Persona], bool], start: int, stop: int) -> Iterator[int]:
        """The numbers of such users in ``start <= number < stop``, ascending."""
        yield from (number for number in range(start, min(stop, len(self.head))) if of(self.head[number]))
        slots = frozenset(slot for slot, persona in enumerate(self.block) if of(persona))
        for block in range(start // BLOCK, -(-stop // BLOCK)):
            offset, _ = _offsets(self.key, block)
            yield from _clip(block, _positions(slots, _KIND_STEP, offset, BLOCK), max(start, len(self.head)), stop)

    def in_departments(self, departments: frozenset[int], start: int, stop: int) -> Iterator[int]:
        """The numbers of users of these departments in ``start <= number < stop``, ascending, whatever their kind."""
        slots = frozenset(slot for slot, department in enumerate(DEPARTMENT_OF_SLOT) if department in departments)
        for block in range(start // BLOCK, -(-stop // BLOCK)):
            _, offset = _offsets(self.key, block)
            positions = _positions(slots, _DEPARTMENT_STEP, offset, len(DEPARTMENT_OF_SLOT))
            yield from _clip(block, positions, start, stop)


def _clip(block: int, positions: tuple[int, ...], start: int, stop: int) -> Iterator[int]:
    for position in positions:
        if start <= block * BLOCK + position < stop:
            yield block * BLOCK + position
