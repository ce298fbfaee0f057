"""The tenant graph: memberships through any nesting, roles through groups, and what could not be read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.capture import COMPLETE, ReadOutcome, Resource
from pipeline.domain.conditional_access import SecurityDefaults
from pipeline.domain.entities import EntityType, Group, Identity, RelationshipType, Role
from pipeline.domain.graph import TenantGraph, build_graph

Pairs = list[tuple[str, str]]
"""(parent, child)."""
GROUPS, USERS = "ghijk", "abc"


def graph(members: Pairs, roles: Sequence[tuple[str, str]] = ()) -> TenantGraph:
    return build_graph(
        entities={
            EntityType.IDENTITIES: {name: Identity(id=name, user_principal_name=name) for name in USERS},
            EntityType.GROUPS: {name: Group(id=name) for name in GROUPS},
            EntityType.ROLES: {"r": Role(id="r"), "s": Role(id="s")},
        },
        pairs={RelationshipType.MEMBER_OF: members, RelationshipType.ASSIGNED_ROLE: roles},
        inputs={},
    )


def reached(members: Pairs, name: str) -> frozenset[str]:
    """By walking upwards until nothing is new."""
    found: set[str] = set()
    while more := {parent for parent, child in members if child == name or child in found} - found:
        found |= more
    return frozenset(found)


members = st.lists(st.tuples(st.sampled_from(GROUPS), st.sampled_from(GROUPS + USERS)), max_size=12)
assignments = st.lists(st.tuples(st.sampled_from("rs"), st.sampled_from(GROUPS + USERS)), max_size=4)


@given(members)
def test_a_user_is_in_every_group_it_reaches_cycles_or_not(pairs: Pairs) -> None:
    found = graph(pairs).groups_of

    assert {name: found[name] for name in found} == {
        name: reached(pairs, name) for name in USERS if reached(pairs, name)
    }


@given(members, assignments)
def test_a_user_holds_its_own_roles_and_those_of_its_groups(pairs: Pairs, roles: Pairs) -> None:
    found = graph(pairs, roles).roles_of

    for name in USERS:
        holders = {name, *reached(pairs, name)}
        assert found.get(name, frozenset()) == frozenset(role for role, holder in roles if holder in holders)


@given(members, assignments)
def test_the_order_of_the_pairs_does_not_matter(pairs: Pairs, roles: Pairs) -> None:
    backwards = graph(pairs[::-1], roles[::-1])

    assert (backwards.groups_of, backwards.roles_of) == (graph(pairs, roles).groups_of, graph(pairs, roles).roles_of)


def test_a_group_that_is_not_stored_stays_in_the_sets_because_a_policy_may_name_it() -> None:
    assert graph([("unknown", "a")]).groups_of == {"a": frozenset({"unknown"})}


def test_security_defaults_are_the_one_there_is_or_none() -> None:
    defaults = SecurityDefaults(id="d", enabled=True)
    with_defaults = build_graph(entities={EntityType.SECURITY_DEFAULTS: {"d": defaults}}, pairs={}, inputs={})

    assert (with_defaults.security_defaults, graph([]).security_defaults) == (defaults, None)


CUT = ReadOutcome(complete=False, reason="the list ended early")


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({Resource.USERS: COMPLETE, Resource.GROUPS: COMPLETE}, None),
        ({Resource.USERS: COMPLETE, Resource.GROUPS: CUT}, "groups could not be read: the list ended early"),
        ({Resource.USERS: COMPLETE}, "groups could not be read: it has not been read yet"),
        ({}, "users could not be read: it has not been read yet"),
    ],
)
def test_an_input_that_is_incomplete_or_was_never_read_is_told_with_its_reason(
    inputs: dict[Resource, ReadOutcome], told: str | None
) -> None:
    found = build_graph(entities={}, pairs={}, inputs=inputs)

    assert found.unreadable(Resource.USERS, Resource.GROUPS) == told
