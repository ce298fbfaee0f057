"""Only what Microsoft can have sent counts; everything else is ignored, item by item."""

from __future__ import annotations

import hashlib
import json

import pytest

from pipeline.domain.capture import SyncType
from pipeline.domain.runs import Scope
from pipeline.domain.subscriptions import WantedAction
from pipeline.stages.notifications import MOST_ITEMS, NO_DELIVERY, items_of, judge
from pipeline.storage.notifications import Known, Told

SCOPE, OTHER = Scope(tenant_id=1, source_id=1), Scope(tenant_id=2, source_id=2)


def known(scope: Scope, resource: str, state: str) -> Known:
    digest = hashlib.sha256(state.encode()).digest()
    return Known(scope=scope, resource=resource, directory_id=f"directory-{scope.tenant_id}", client_state_hash=digest)


STORED = {
    "users-1": known(SCOPE, "users", "first secret"),
    "groups-1": known(SCOPE, "groups", "second secret"),
    "users-2": known(OTHER, "users", "third secret"),
}
GOOD = {"subscriptionId": "users-1", "tenantId": "directory-1", "clientState": "first secret", "changeType": "updated"}
GROUPS = {**GOOD, "subscriptionId": "groups-1", "clientState": "second secret"}
ELSEWHERE = {**GOOD, "subscriptionId": "users-2", "tenantId": "directory-2", "clientState": "third secret"}


def items(*documents: object) -> bytes:
    return json.dumps({"value": list(documents)}).encode()


def test_items_of_several_subscriptions_and_tenants_become_one_sync_a_source() -> None:
    verdict = judge(items_of(items(GOOD, GROUPS, ELSEWHERE, GOOD)), STORED)

    assert verdict.syncs == {
        SCOPE: {SyncType.IDENTITIES, SyncType.GROUPS},
        OTHER: {SyncType.IDENTITIES},
    }
    assert verdict.told == {"users-1": Told(changes=2), "groups-1": Told(changes=1), "users-2": Told(changes=1)}
    assert not verdict.ignored


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({**GOOD, "clientState": "third secret"}, "with a wrong clientState"),
        ({**GOOD, "clientState": ""}, "with a wrong clientState"),
        ({key: value for key, value in GOOD.items() if key != "clientState"}, "with a wrong clientState"),
        ({**GOOD, "tenantId": "directory-2"}, "of another tenant"),
        ({**GOOD, "subscriptionId": "users-9"}, "of an unknown subscription"),
        ({**GOOD, "subscriptionId": "users-1\u0000"}, "of another shape"),
        ({**GOOD, "subscriptionId": "x" * 65}, "of another shape"),
        ({**GOOD, "lifecycleEvent": "somethingNew"}, "of an unknown event"),
        ({"clientState": "first secret"}, "of another shape"),
        ("text", "of another shape"),
        (None, "of another shape"),
    ],
)
def test_a_wrong_item_is_ignored_with_its_reason_and_costs_the_others_nothing(document: object, reason: str) -> None:
    verdict = judge(items_of(items(document, GROUPS)), STORED)

    assert verdict.ignored == {reason: 1}
    assert set(verdict.told) == {"groups-1"}


def test_a_state_of_nothing_never_fits_a_subscription_that_is_still_unmade() -> None:
    unmade = Known(scope=SCOPE, resource="users", directory_id="directory-1", client_state_hash=b"")

    assert not judge(items_of(items({**GOOD, "clientState": ""})), {"users-1": unmade}).told


def test_ids_are_compared_without_regard_to_case_and_states_with_it() -> None:
    loud = {**GOOD, "subscriptionId": "USERS-1", "tenantId": "DIRECTORY-1"}

    assert judge(items_of(items(loud)), STORED).told == {"users-1": Told(changes=1)}
    assert not judge(items_of(items({**GOOD, "clientState": "FIRST SECRET"})), STORED).told


@pytest.mark.parametrize(
    ("event", "wanted", "syncs"),
    [
        ("reauthorizationRequired", WantedAction.REAUTHORIZE, False),
        ("subscriptionRemoved", WantedAction.RECREATE, True),
        ("missed", WantedAction.NOTHING, True),
    ],
)
def test_lifecycle_events_ask_for_an_action_and_a_sync_where_changes_may_be_missed(
    event: str, wanted: WantedAction, *, syncs: bool
) -> None:
    verdict = judge(items_of(items({**GOOD, "lifecycleEvent": event})), STORED)

    assert verdict.told == {"users-1": Told(wanted=wanted)}
    assert verdict.syncs == ({SCOPE: {SyncType.IDENTITIES}} if syncs else {})


def test_of_several_events_the_one_that_needs_most_wins_in_any_order() -> None:
    events = [{**GOOD, "lifecycleEvent": name} for name in ("subscriptionRemoved", "reauthorizationRequired", "missed")]

    for order in (events, events[::-1]):
        assert judge(items_of(items(*order)), STORED).told["users-1"].wanted is WantedAction.RECREATE


TOO_MANY = items(*[0] * (MOST_ITEMS + 1))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"value": 1}', b"\xff", TOO_MANY])
def test_what_is_no_delivery_is_told_apart_from_one_with_nothing_good_in_it(body: bytes) -> None:
    with pytest.raises(NO_DELIVERY):
        items_of(body)
