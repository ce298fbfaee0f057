"""What a load writes: new, changed and revived entities, and the gone ones only from a complete reading."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.domain.capture import COMPLETE, NormalizedCapture, ReadOutcome, Resource
from pipeline.domain.entities import Entity, EntityType, Group, Identity
from pipeline.domain.ids import entity_key
from pipeline.domain.runs import Scope
from pipeline.stages.entity_changes import EntityChanges, plan_changes
from pipeline.storage.entities import EntityRow, StoredEntity

SCOPE = Scope(tenant_id=1, source_id=2)
CUT = ReadOutcome(complete=False, reason="the list ended early")
ANN = Identity(id="ann", user_principal_name="ann@acme.example", display_name="Ann")
BOB = Identity(id="bob", user_principal_name="bob@acme.example")
Stored = Mapping[EntityType, Mapping[str, StoredEntity]]
NOTHING: Stored = {EntityType.IDENTITIES: {}}


def planned(capture: NormalizedCapture, known: Mapping[EntityType, Mapping[str, StoredEntity]]) -> EntityChanges:
    return plan_changes(SCOPE, capture.entities, capture.outcomes, known)


def captured(*entities: Entity, outcome: ReadOutcome = COMPLETE) -> NormalizedCapture:
    return NormalizedCapture(
        entities={EntityType.IDENTITIES: {entity.id: entity for entity in entities}},
        edges={},
        outcomes={Resource.USERS: outcome},
    )


def key(name: str) -> str:
    return entity_key(SCOPE.source_id, EntityType.IDENTITIES, name)


def stored(*entities: Entity, deleted: bool = False) -> Stored:
    """What the database holds after the entities were loaded, and perhaps marked as gone."""
    rows = planned(captured(*entities), NOTHING).new
    return {EntityType.IDENTITIES: {row.key: StoredEntity(row.data_hash, deleted) for row in rows}}


def names(rows: tuple[EntityRow, ...]) -> list[str]:
    return [row.external_id for row in rows]


def told(changes: EntityChanges) -> tuple[list[str], list[str], list[str]]:
    """New and changed by name, gone by key."""
    return names(changes.new), names(changes.changed), list(changes.gone)


def test_an_entity_never_seen_is_new_with_its_document_and_hash() -> None:
    (row,) = planned(captured(ANN), NOTHING).new

    assert (row.key, row.entity_type, row.external_id, row.display_name) == (
        key("ann"),
        EntityType.IDENTITIES,
        "ann",
        "Ann",
    )
    assert '"ann@acme.example"' in row.document
    assert len(row.data_hash) == 16


@pytest.mark.parametrize("outcome", [COMPLETE, CUT], ids=["complete", "cut"])
def test_an_entity_that_is_the_same_is_not_written(outcome: ReadOutcome) -> None:
    assert told(planned(captured(ANN, outcome=outcome), stored(ANN))) == ([], [], [])


def test_an_entity_that_differs_is_changed() -> None:
    renamed = replace(ANN, display_name="Ann B.")

    assert told(planned(captured(renamed), stored(ANN))) == ([], ["ann"], [])


def test_an_entity_that_was_gone_and_is_back_is_written_even_if_it_is_the_same() -> None:
    assert told(planned(captured(ANN), stored(ANN, deleted=True))) == ([], ["ann"], [])


def test_what_a_complete_reading_does_not_hold_is_gone_once() -> None:
    assert told(planned(captured(ANN), stored(ANN, BOB))) == ([], [], [key("bob")])
    assert told(planned(captured(), stored(BOB, deleted=True))) == ([], [], [])


def test_nothing_is_gone_from_a_reading_that_ended_early() -> None:
    changes = planned(captured(ANN, outcome=CUT), stored(ANN, BOB))

    assert told(changes) == ([], [], [])
    assert changes.totals == {"identities": 2}


def test_a_type_that_was_not_read_is_not_touched() -> None:
    groups = NormalizedCapture(
        entities={EntityType.GROUPS: {"g": Group(id="g")}}, edges={}, outcomes={Resource.GROUPS: COMPLETE}
    )

    changes = planned(groups, {EntityType.GROUPS: {}})

    assert told(changes) == (["g"], [], [])
    assert changes.totals == {"groups": 1}


LISTS_OF_ROLES = (Resource.DIRECTORY_ROLES, Resource.ROLE_ASSIGNMENTS, Resource.ROLE_DEFINITIONS)


@pytest.mark.parametrize("cut", [None, *LISTS_OF_ROLES])
def test_roles_are_gone_only_when_every_list_that_tells_of_them_was_complete(cut: Resource | None) -> None:
    outcomes = {resource: CUT if resource is cut else COMPLETE for resource in LISTS_OF_ROLES}
    known = {EntityType.ROLES: {"key": StoredEntity(b"", False)}}  # noqa: FBT003 - by place, as everywhere here

    changes = planned(NormalizedCapture(entities={}, edges={}, outcomes=outcomes), known)

    assert changes.gone == (("key",) if cut is None else ())


@pytest.mark.parametrize(
    ("resource", "swept"),
    [(Resource.SIGN_IN_ACTIVITY, True), (Resource.REGISTRATION_DETAILS, True), (Resource.USERS, False)],
)
def test_only_the_list_of_the_entities_themselves_decides_whether_they_are_gone(
    resource: Resource, *, swept: bool
) -> None:
    capture = captured(ANN)
    outcomes = {
        Resource.USERS: COMPLETE,
        Resource.SIGN_IN_ACTIVITY: COMPLETE,
        Resource.REGISTRATION_DETAILS: COMPLETE,
        resource: CUT,
    }

    changes = planned(replace(capture, outcomes=outcomes), stored(ANN, BOB))

    assert bool(changes.gone) is swept


people = st.dictionaries(
    st.sampled_from("abcdef"),
    st.builds(Identity, id=st.just(""), user_principal_name=st.sampled_from(["x", "y"])),
).map(lambda found: [replace(identity, id=name) for name, identity in found.items()])


def applied(before: Stored, changes: EntityChanges) -> Stored:
    after = dict(before[EntityType.IDENTITIES])
    after |= {row.key: StoredEntity(row.data_hash, deleted=False) for row in (*changes.new, *changes.changed)}
    after |= {gone: StoredEntity(after[gone].data_hash, deleted=True) for gone in changes.gone}
    return {EntityType.IDENTITIES: after}


@given(st.lists(st.tuples(people, st.booleans()), max_size=5))
def test_after_any_readings_the_rows_stand_as_the_last_complete_one_and_what_was_seen_since(
    readings: list[tuple[list[Identity], bool]],
) -> None:
    rows = NOTHING
    model: set[str] = set()
    for found, complete in readings:
        capture = captured(*found, outcome=COMPLETE if complete else CUT)

        changes = planned(capture, rows)

        rows = applied(rows, changes)
        seen = {key(identity.id) for identity in found}
        model = seen if complete else model | seen
        assert {name for name, row in rows[EntityType.IDENTITIES].items() if not row.deleted} == model
        assert changes.totals == {"identities": len(model)}
        again = planned(capture, rows)
        assert told(again) == ([], [], []), "the same reading again writes nothing"


PARTLY = ReadOutcome(complete=True, changes_only=True)
SIGNED_IN = replace(ANN, last_successful_sign_in_at=datetime(2026, 1, 1, tzinfo=UTC), mfa_registered=True)


def with_documents(*entities: Entity, deleted: bool = False) -> Stored:
    """What the database hands over of the entities that changes speak of."""
    rows = planned(captured(*entities), NOTHING).new
    return {
        EntityType.IDENTITIES: {row.key: StoredEntity(row.data_hash, deleted, row.document) for row in rows},
    }


def planned_changes(
    capture: NormalizedCapture, known: Stored, *, removed: tuple[str, ...] = (), standing: int = 10
) -> EntityChanges:
    return plan_changes(
        SCOPE,
        capture.entities,
        capture.outcomes,
        known,
        removed={EntityType.IDENTITIES: frozenset(removed)},
        standing={EntityType.IDENTITIES: standing},
    )


def test_whom_the_changes_do_not_speak_of_stays_and_whom_they_name_is_gone() -> None:
    changes = planned_changes(captured(outcome=PARTLY), with_documents(ANN, BOB), removed=("bob", "never seen"))

    assert told(changes) == ([], [], [key("bob")])
    assert changes.totals == {"identities": 9}


def test_one_who_is_gone_already_leaves_no_second_time() -> None:
    changes = planned_changes(captured(outcome=PARTLY), with_documents(BOB, deleted=True), removed=("bob",))

    assert told(changes) == ([], [], [])
    assert changes.totals == {"identities": 10}


def test_one_who_came_back_is_written_and_counted_again() -> None:
    changes = planned_changes(captured(BOB, outcome=PARTLY), with_documents(BOB, deleted=True), removed=("bob",))

    assert told(changes) == ([], ["bob"], [])
    assert changes.totals == {"identities": 11}


def test_what_changes_leave_unread_of_a_user_is_kept() -> None:
    changes = planned_changes(captured(ANN, outcome=PARTLY), with_documents(SIGNED_IN))

    assert told(changes) == ([], [], []), "nothing that was read differs"


def test_what_was_read_beside_the_changes_is_not_kept() -> None:
    capture = captured(ANN, outcome=PARTLY)
    outcomes = {**capture.outcomes, Resource.SIGN_IN_ACTIVITY: PARTLY}

    (row,) = planned_changes(replace(capture, outcomes=outcomes), with_documents(SIGNED_IN)).changed

    assert json.loads(row.document)["last_successful_sign_in_at"] is None
    assert json.loads(row.document)["mfa_registered"] is True, "the registration was not read"


@given(data=st.data())
def test_whole_readings_and_changes_lead_to_the_same(data: st.DataObject) -> None:
    """Applying what differs, twice and in any order, leaves what a whole reading leaves."""
    people = st.dictionaries(st.sampled_from("abcdef"), st.booleans())
    before, after = data.draw(people), data.draw(people)
    entities = {name: Identity(id=name, user_principal_name=name, enabled=on) for name, on in after.items()}
    known = with_documents(*(Identity(id=name, user_principal_name=name, enabled=on) for name, on in before.items()))
    touched = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    touched |= set(data.draw(st.lists(st.sampled_from("abcdef"))))  # replays

    whole = planned(captured(*entities.values()), known)
    partly = planned_changes(
        captured(*(entities[name] for name in touched if name in entities), outcome=PARTLY),
        known,
        removed=tuple(name for name in touched if name not in entities),
        standing=len(before),
    )

    assert [sorted(part) for part in told(partly)] == [sorted(part) for part in told(whole)]
    assert partly.totals == whole.totals == {"identities": len(after)}
