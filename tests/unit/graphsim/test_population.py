"""Arithmetic over blocks says the same as looking at every user."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from graphsim.directory.population import Kind, Persona, Population
from graphsim.directory.postures import POSTURES, block, head
from graphsim.directory.seeding import derive_key
from graphsim.directory.words import DEPARTMENTS

UNTIDY = POSTURES[1]
POPULATION = Population(key=derive_key("tests"), head=head(UNTIDY), block=block(UNTIDY))
KINDS = st.sampled_from(list(Kind))


@given(KINDS, st.integers(0, 650))
def test_counting_by_block_equals_counting_users(kind: Kind, size: int) -> None:
    def of_kind(persona: Persona) -> bool:
        return persona.kind is kind

    assert POPULATION.count(of_kind, size) == sum(of_kind(POPULATION.persona(number)) for number in range(size))


@given(KINDS, st.integers(0, 350), st.integers(0, 350))
def test_finding_by_block_equals_looking_at_users(kind: Kind, start: int, stop: int) -> None:
    def of_kind(persona: Persona) -> bool:
        return persona.kind is kind

    expected = [number for number in range(start, stop) if of_kind(POPULATION.persona(number))]

    assert list(POPULATION.where(of_kind, start, stop)) == expected


@given(st.frozensets(st.integers(0, len(DEPARTMENTS) - 1)), st.integers(0, 350), st.integers(0, 350))
def test_departments_by_block_equal_looking_at_users(departments: frozenset[int], start: int, stop: int) -> None:
    expected = [number for number in range(start, stop) if POPULATION.department(number) in departments]

    assert list(POPULATION.in_departments(departments, start, stop)) == expected


def test_every_block_holds_100_personas_and_every_kind_occurs_somewhere() -> None:
    seen = {persona.kind for posture in POSTURES for persona in (*block(posture), *head(posture))}

    assert all(len(block(posture)) == 100 for posture in POSTURES)
    assert seen == set(Kind)
