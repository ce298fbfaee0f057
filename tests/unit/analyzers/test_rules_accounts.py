"""Accounts that were never used, and guests who do not come any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzers.catalogue import rule_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.findings import AlertType, Severity
from pipeline.domain.rule_settings import ExemptionKind
from tests.unit.analyzers.build import ago, tenant, user
from tests.unit.analyzers.judging import exempting, found, judged, single, untold, with_threshold

ENABLED_UNREAD = "whether the account is enabled was not read"
CREATED_UNREAD = "when the account was created was not read"
NEVER = AlertType.NEVER_SIGNED_IN
GUEST = AlertType.GUEST_STALE


@pytest.mark.parametrize("alert_type", [NEVER, GUEST])
@pytest.mark.parametrize("missing", [Resource.USERS, Resource.SIGN_IN_ACTIVITY])
def test_use_is_told_only_from_complete_input(alert_type: AlertType, missing: Resource) -> None:
    graph = tenant(users=(replace(UNUSED, user_type="Guest"),), unread={missing: "no premium licence"})

    assert found(alert_type, graph) == []
    assert [key for key, _ in untold(alert_type, graph)] == [""]


@pytest.mark.parametrize("alert_type", [NEVER, GUEST])
def test_an_unused_account_reads_the_same_every_day_until_it_gains_a_licence(alert_type: AlertType) -> None:
    who = replace(UNUSED, user_type="Guest")
    first = single(alert_type, tenant(users=(who,)))

    assert first == single(alert_type, tenant(users=(who,)), ago(30))
    assert first.evidence_hash != single(alert_type, tenant(users=(replace(who, sku_ids=("e3",)),))).evidence_hash
    assert not rule_of(alert_type).per_user


# never_signed_in

UNUSED = user(created_at=ago(150), last_success=None)


def test_an_account_that_nobody_ever_signed_in_to_is_low() -> None:
    finding = single(NEVER, tenant(users=(UNUSED,)))

    assert (finding.external_id, finding.severity, finding.reasons) == ("ada", Severity.LOW, ("never_signed_in",))
    assert finding.evidence == {"sku_ids": []}
    assert finding.message == (
        "Nobody has ever signed in to the enabled account Ada (ada@contoso.com), created on 2025-01-02."
    )


@pytest.mark.parametrize(("days", "told"), [(29, False), (30, False), (30.001, True)])
def test_an_account_has_thirty_days_to_be_used(days: float, *, told: bool) -> None:
    assert bool(found(NEVER, tenant(users=(replace(UNUSED, created_at=ago(days)),)))) is told


@pytest.mark.parametrize(("threshold", "told"), [(150, False), (149, True)])
def test_how_long_an_account_may_stay_unused_is_the_tenants_choice(threshold: int, *, told: bool) -> None:
    assert bool(found(NEVER, tenant(users=(UNUSED,)), state=with_threshold(NEVER, threshold))) is told


@pytest.mark.parametrize(
    "who",
    [
        replace(UNUSED, last_successful_sign_in_at=ago(100)),
        replace(UNUSED, last_sign_in_attempt_at=ago(100)),
        replace(UNUSED, last_non_interactive_attempt_at=ago(100)),
        replace(UNUSED, enabled=False),
        replace(UNUSED, enabled=None, last_sign_in_attempt_at=ago(100)),
        replace(UNUSED, enabled=None, created_at=ago(3)),
        replace(UNUSED, created_at=None, last_sign_in_attempt_at=ago(100)),
        replace(UNUSED, created_at=None, enabled=False),
    ],
)
def test_any_sign_in_even_a_failed_one_or_a_disabled_account_is_fine(who: Identity) -> None:
    result = judged(NEVER, tenant(users=(who,)))

    assert (result.findings, result.not_evaluated, result.rules[0].items) == ((), (), 1)


@pytest.mark.parametrize(
    ("who", "reason"),
    [(replace(UNUSED, created_at=None), CREATED_UNREAD), (replace(UNUSED, enabled=None), ENABLED_UNREAD)],
)
def test_an_unused_account_of_which_not_enough_was_read_cannot_be_told(who: Identity, reason: str) -> None:
    assert found(NEVER, tenant(users=(who,))) == []
    assert untold(NEVER, tenant(users=(who,))) == [("ada", reason)]


@pytest.mark.parametrize("kind", [ExemptionKind.USER, ExemptionKind.BREAK_GLASS, ExemptionKind.SHARED_MAILBOX])
def test_accounts_that_are_not_meant_to_be_signed_in_to_are_spared(kind: ExemptionKind) -> None:
    assert found(NEVER, tenant(users=(UNUSED,)), state=exempting(kind, "ada")) == []


# guest_stale

VISITOR = user(user_type="Guest", last_success=ago(151))


def test_a_guest_who_does_not_come_any_more_is_low() -> None:
    finding = single(GUEST, tenant(users=(VISITOR,)))

    assert (finding.external_id, finding.severity, finding.reasons) == ("ada", Severity.LOW, ("no_recent_sign_in",))
    assert finding.evidence == {"sku_ids": []}
    assert finding.message == (
        "The guest Ada (ada@contoso.com) last signed in on 2025-01-01; "
        "the account is enabled and unused for more than 90 days."
    )


def test_a_guest_who_never_came_is_told_as_such() -> None:
    assert single(GUEST, tenant(users=(replace(UNUSED, user_type="Guest"),))).reasons == ("never_signed_in",)


@pytest.mark.parametrize(("days", "told"), [(89, False), (90, False), (90.001, True)])
def test_a_guest_may_stay_away_for_ninety_days(days: float, *, told: bool) -> None:
    guest = replace(VISITOR, last_successful_sign_in_at=ago(days))

    assert bool(found(GUEST, tenant(users=(guest,)))) is told


@pytest.mark.parametrize(("threshold", "told"), [(151, False), (150, True)])
def test_how_long_a_guest_may_stay_away_is_the_tenants_choice(threshold: int, *, told: bool) -> None:
    assert bool(found(GUEST, tenant(users=(VISITOR,)), state=with_threshold(GUEST, threshold))) is told


@pytest.mark.parametrize(
    ("who", "items"),
    [
        (replace(VISITOR, user_type="Member"), 0),
        (replace(VISITOR, enabled=False), 1),
        (replace(VISITOR, last_successful_sign_in_at=ago(3)), 1),
        (replace(VISITOR, created_at=ago(3), last_successful_sign_in_at=None), 1),
        (replace(VISITOR, user_type=None, enabled=False), 1),
        (replace(VISITOR, user_type=None, last_successful_sign_in_at=ago(3)), 1),
    ],
)
def test_members_disabled_guests_and_those_in_use_are_fine(who: Identity, items: int) -> None:
    result = judged(GUEST, tenant(users=(who,)))

    assert (result.findings, result.not_evaluated, result.rules[0].items) == ((), (), items)


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (replace(VISITOR, user_type=None), "whether the account is a guest's was not read"),
        (replace(VISITOR, enabled=None), ENABLED_UNREAD),
        (replace(VISITOR, created_at=None, last_successful_sign_in_at=None), CREATED_UNREAD),
    ],
)
def test_a_guest_of_whom_not_enough_was_read_cannot_be_told(who: Identity, reason: str) -> None:
    assert found(GUEST, tenant(users=(who,))) == []
    assert untold(GUEST, tenant(users=(who,))) == [("ada", reason)]


@pytest.mark.parametrize(("kind", "spared"), [(ExemptionKind.USER, True), (ExemptionKind.SHARED_MAILBOX, False)])
def test_an_exempt_guest_may_stay_away(kind: ExemptionKind, *, spared: bool) -> None:
    assert (found(GUEST, tenant(users=(VISITOR,)), state=exempting(kind, "ada")) == []) is spared
