"""Relationships to add and to take away, and when taking away is allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.capture import COMPLETE, Changes, Edge, ReadOutcome, Resource
from pipeline.domain.entities import EntityType, RelationshipType
from pipeline.domain.ids import entity_key
from pipeline.domain.runs import Scope
from pipeline.stages.link import ENDS, NEEDS, complete_types, plan_links, touched_ends
from pipeline.storage.relationships import Pair

SCOPE = Scope(tenant_id=1, source_id=2)
MEMBER_OF = RelationshipType.MEMBER_OF
CUT = ReadOutcome(complete=False, reason="the list ended early")


def member(group: str, user: str) -> Edge:
    return Edge(
        type=MEMBER_OF,
        parent_type=EntityType.GROUPS,
        parent_id=group,
        child_type=EntityType.IDENTITIES,
        child_id=user,
    )


def pair(group: str, user: str) -> Pair:
    return entity_key(2, EntityType.GROUPS, group), entity_key(2, EntityType.IDENTITIES, user)


memberships = st.frozensets(st.tuples(st.sampled_from("gh"), st.sampled_from("abc")))


@given(before=memberships, wanted=memberships, complete=st.booleans())
def test_afterwards_the_pairs_equal_the_edges_or_hold_them_and_what_was_there(
    before: frozenset[tuple[str, str]], wanted: frozenset[tuple[str, str]], *, complete: bool
) -> None:
    known = {pair(*one) for one in before}
    edges = {MEMBER_OF: tuple(member(*one) for one in wanted)}

    changes = plan_links(SCOPE, edges, {MEMBER_OF} if complete else (), {MEMBER_OF: known})

    new = {one for kind, one in changes.new if kind is MEMBER_OF}
    gone = {one for kind, one in changes.gone if kind is MEMBER_OF}
    target = {pair(*one) for one in wanted}
    assert (known - gone) | new == (target if complete else target | known)
    assert len(changes.new) == len(target - known), "nothing is written twice"
    assert changes.counts()[MEMBER_OF] == len(changes.new) + len(changes.gone)


def test_an_edge_told_twice_is_one_pair() -> None:
    changes = plan_links(SCOPE, {MEMBER_OF: (member("g", "a"), member("g", "a"))}, (), {})

    assert [one for _, one in changes.new] == [pair("g", "a")]


@pytest.mark.parametrize("resource", list(Resource))
def test_a_type_is_complete_only_with_every_list_it_comes_from(resource: Resource) -> None:
    everything = dict.fromkeys(Resource, COMPLETE)
    needing = {kind for kind, needs in NEEDS.items() if resource in needs}

    assert complete_types(everything) == frozenset(RelationshipType)
    assert complete_types({**everything, resource: CUT}) == frozenset(RelationshipType) - needing
    unread = {key: outcome for key, outcome in everything.items() if key is not resource}
    assert complete_types(unread) == frozenset(RelationshipType) - needing


@given(
    before=memberships,
    wanted=memberships,
    groups=st.frozensets(st.sampled_from("gh")),
    left=st.frozensets(st.sampled_from("abc")),
)
def test_changes_set_right_what_they_tell_wholly_and_touch_nothing_else(
    before: frozenset[tuple[str, str]],
    wanted: frozenset[tuple[str, str]],
    groups: frozenset[str],
    left: frozenset[str],
) -> None:
    """``groups`` had their members read again, the people in ``left`` are no more."""
    wanted = frozenset(one for one in wanted if one[1] not in left)
    edges = {MEMBER_OF: tuple(member(*one) for one in wanted if one[0] in groups)}
    changes = Changes(parents={MEMBER_OF: groups}, children={MEMBER_OF: left})

    ends = touched_ends(SCOPE, edges, (), changes)
    stored = {pair(*one) for one in before if one[0] in groups or one[1] in left}
    planned = plan_links(SCOPE, edges, (), {MEMBER_OF: stored}, ends)

    after = {pair(*one) for one in before} - {one for _, one in planned.gone} | {one for _, one in planned.new}
    expected = {pair(*one) for one in wanted if one[0] in groups}
    expected |= {pair(*one) for one in before if one[0] not in groups and one[1] not in left}
    assert after == expected


def test_edges_of_a_list_that_was_cut_ask_for_all_stored_pairs_of_their_type() -> None:
    ends = touched_ends(SCOPE, {MEMBER_OF: (member("g", "a"),)}, (), Changes(children={MEMBER_OF: frozenset("b")}))

    assert MEMBER_OF not in ends
    assert RelationshipType.HAS_LICENSE in ends, "of which nothing is told and nothing need be read"


def test_every_relationship_says_what_its_ends_can_be_and_needs() -> None:
    assert set(ENDS) == set(NEEDS) == set(RelationshipType)


def test_what_was_read_as_changes_completes_no_type() -> None:
    outcomes = {**dict.fromkeys(Resource, COMPLETE), Resource.USERS: ReadOutcome(complete=True, changes_only=True)}

    assert RelationshipType.HAS_LICENSE not in complete_types(outcomes)
