"""Seats that nobody holds, renewals that pay for them again, and licences that did not arrive."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from analyzers.catalogue import rule_of
from analyzers.licenses.assignment_errors import CAUSES
from analyzers.seats import FREE, free, spare
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType, Identity, License, LicenseError, Subscription
from pipeline.domain.findings import AlertType, AnalysisType, Severity
from pipeline.domain.graph import TenantGraph
from pipeline.domain.rule_settings import ExemptionKind
from tests.unit.analyzers.build import NOW, ago, tenant, user
from tests.unit.analyzers.judging import analyzed, exempting, found, judged, single, untold, with_threshold

UNUSED, RENEWAL, ERROR = (
    AlertType.LICENSE_UNUSED_SEATS,
    AlertType.LICENSE_RENEWAL_WITH_SPARE_SEATS,
    AlertType.LICENSE_ASSIGNMENT_ERROR,
)
E3 = License(id="e3", part_number="SPE_E3", consumed_units=80, enabled_units=100)


def sku(enabled: int, consumed: int) -> License:
    return replace(E3, enabled_units=enabled, consumed_units=consumed)


# what seats are


@pytest.mark.parametrize(
    ("part_number", "seats", "costs_nothing"),
    [
        *((name, 50, True) for name in sorted(FREE)),
        ("flow_free", 50, True),
        ("Microsoft_Teams_Exploratory_Dept", 50, True),
        ("CCIBOTS_PRIVPREV_VIRAL", 50, True),
        ("POWERAPPS_VIRAL", 50, True),
        ("AX7_USER_TRIAL", 50, True),
        ("Dynamics_365_Guides_vTrial", 50, True),
        ("SOMETHING_NEW", 10_000, True),
        ("SOMETHING_NEW", 9_999, False),
        ("SPE_E3", 50, False),
        ("POWERAUTOMATE_ATTENDED_RPA", 50, False),
        ("POWER_BI_PRO", 50, False),
        ("STREAM_P2", 50, False),
        ("", 50, False),
    ],
)
def test_free_products_and_trials_are_known_by_name_or_by_their_many_seats(
    part_number: str, seats: int, *, costs_nothing: bool
) -> None:
    assert free(License(id="x", part_number=part_number, enabled_units=seats)) is costs_nothing


@pytest.mark.parametrize(
    ("one", "seats"),
    [
        (sku(100, 80), 20),
        (sku(100, 100), 0),
        (sku(100, 120), 0),
        (replace(sku(100, 80), warning_units=50, suspended_units=50), 20),
        (replace(sku(100, 80), applies_to="Company"), 0),
    ],
)
def test_spare_are_enabled_seats_that_no_user_holds(one: License, seats: int) -> None:
    assert spare(one) == seats


# unused seats


@pytest.mark.parametrize(
    ("one", "unused"),
    [
        (sku(100, 94), True),
        (sku(100, 95), False),
        (sku(10, 4), True),
        (sku(10, 5), False),
        (sku(400, 379), True),
        (sku(400, 380), False),
        (sku(119, 113), True),
        (sku(119, 114), False),
        (sku(100, 120), False),
        (replace(sku(100, 10), applies_to="Company"), False),
        (replace(sku(100, 10), capability_status="Warning"), False),
        (replace(sku(100, 10), part_number="FLOW_FREE"), False),
        (sku(10_000, 10), False),
    ],
)
def test_seats_are_unused_above_five_and_above_a_twentieth(one: License, *, unused: bool) -> None:
    assert found(UNUSED, tenant(licenses=(one,))) == ([("e3", "", Severity.LOW)] if unused else [])


@pytest.mark.parametrize(
    ("reserve", "one", "unused"),
    [
        (0, sku(10, 9), True),
        (0, sku(10, 10), False),
        (0, sku(100, 95), False),
        (0, sku(100, 94), True),
        (30, sku(100, 70), False),
        (30, sku(100, 69), True),
    ],
)
def test_the_reserve_of_seats_is_the_tenants_but_no_less_than_a_twentieth(
    reserve: int, one: License, *, unused: bool
) -> None:
    assert bool(found(UNUSED, tenant(licenses=(one,)), state=with_threshold(UNUSED, reserve))) is unused


def test_unused_seats_are_about_the_product_and_keep_their_evidence_while_the_count_moves() -> None:
    finding, later = (single(UNUSED, tenant(licenses=(one,))) for one in (E3, sku(120, 90)))

    assert (finding.entity_type, finding.external_id) == (EntityType.LICENSES, "e3")
    assert finding.message == "Nobody holds 20 of the 100 seats of SPE_E3."
    assert finding.evidence == {"sku_part_number": "SPE_E3"}
    assert finding.evidence_hash == later.evidence_hash


def test_unused_seats_need_the_products_and_nothing_else() -> None:
    graph = tenant(licenses=(E3,), unread={Resource.SKUS: "no consent"})
    without_others = tenant(licenses=(E3,), unread=dict.fromkeys(set(Resource) - {Resource.SKUS}, "no consent"))

    assert (found(UNUSED, graph), untold(UNUSED, graph)) == ([], [("", "subscribedSkus could not be read: no consent")])
    assert len(found(UNUSED, without_others)) == 1


def test_items_are_the_products_that_are_paid_for() -> None:
    skus = (E3, replace(E3, id="free", part_number="FLOW_FREE"), replace(E3, id="all", applies_to="Company"))

    assert judged(UNUSED, tenant(licenses=skus)).rules[0].items == 1


# renewals


def renewing(days: float | None, key: str = "sub") -> Subscription:
    renews = None if days is None else NOW + timedelta(days=days)
    return Subscription(id=key, sku_id="e3", part_number="SPE_E3", total_licenses=100, next_lifecycle_at=renews)


def bought(subscription: Subscription, product: License = E3) -> TenantGraph:
    return tenant(subscriptions=(subscription,), licenses=(product,))


@pytest.mark.parametrize(
    ("days", "soon"), [(30, True), (30.001, False), (1, True), (0, True), (-0.001, False), (-20, False), (None, False)]
)
def test_a_renewal_is_soon_within_thirty_days_and_not_when_it_is_past(days: float | None, *, soon: bool) -> None:
    assert found(RENEWAL, bought(renewing(days))) == ([("sub", "", Severity.MEDIUM)] if soon else [])


@pytest.mark.parametrize(("threshold", "soon"), [(44, False), (45, True)])
def test_how_soon_a_renewal_is_soon_is_the_tenants(threshold: int, *, soon: bool) -> None:
    assert bool(found(RENEWAL, bought(renewing(45)), state=with_threshold(RENEWAL, threshold))) is soon


@pytest.mark.parametrize(
    ("subscription", "product"),
    [
        (replace(renewing(10), status="Warning"), E3),
        (replace(renewing(10), status="Suspended"), E3),
        (replace(renewing(10), trial=True), E3),
        (renewing(10), sku(100, 100)),
        (renewing(10), sku(100, 120)),
        (renewing(10), replace(E3, part_number="POWER_BI_STANDARD")),
        (renewing(10), sku(1_000_000, 3)),
        (renewing(10), replace(E3, applies_to="Company")),
    ],
)
def test_trials_free_products_and_those_without_a_spare_seat_may_renew(
    subscription: Subscription, product: License
) -> None:
    assert (found(RENEWAL, bought(subscription, product)), untold(RENEWAL, bought(subscription, product))) == ([], [])


def test_one_spare_seat_of_many_is_no_reason_to_speak_of_a_renewal() -> None:
    assert found(RENEWAL, bought(renewing(19), sku(100, 95))) == []
    assert found(RENEWAL, bought(renewing(19), sku(100, 94))) == [("sub", "", Severity.MEDIUM)]


def test_one_spare_seat_of_few_is_enough_to_speak_of_a_renewal() -> None:
    finding = single(RENEWAL, bought(renewing(19), sku(10, 9)))

    assert (finding.entity_type, finding.external_id) == (EntityType.SUBSCRIPTIONS, "sub")
    assert finding.message == (
        "A subscription to SPE_E3 renews or ends on 2025-06-20, and nobody holds 1 of the product's 10 seats."
    )
    assert finding.evidence == {"sku_id": "e3", "sku_part_number": "SPE_E3"}


def test_each_subscription_to_a_product_is_told_by_itself() -> None:
    pair = (renewing(10), renewing(20, "other"), renewing(200, "later"))

    assert [key for key, _, _ in found(RENEWAL, tenant(subscriptions=pair, licenses=(E3,)))] == ["other", "sub"]


def test_a_renewal_of_a_product_that_was_not_among_those_read_cannot_be_told() -> None:
    unknown = replace(renewing(10), sku_id="visio")

    assert found(RENEWAL, bought(unknown)) == []
    assert untold(RENEWAL, bought(unknown)) == [("sub", "the seats of its product were not among those read")]
    assert untold(RENEWAL, bought(replace(unknown, trial=True))) == []


@pytest.mark.parametrize("missing", [Resource.SKUS, Resource.DIRECTORY_SUBSCRIPTIONS])
def test_a_renewal_is_told_only_from_complete_input(missing: Resource) -> None:
    graph = tenant(subscriptions=(renewing(10),), licenses=(E3,), unread={missing: "no consent"})

    assert found(RENEWAL, graph) == []
    assert untold(RENEWAL, graph) == [("", f"{missing.value} could not be read: no consent")]


def test_a_renewal_reads_the_same_every_day() -> None:
    graph = bought(renewing(10))

    assert single(RENEWAL, graph) == single(RENEWAL, graph, ago(9))


# assignments in error


def failed(*errors: tuple[str, str], key: str = "ada") -> Identity:
    return replace(user(key), license_errors=tuple(LicenseError(sku_id=one, code=code) for one, code in errors))


@pytest.mark.parametrize(
    ("who", "raised", "unsure"),
    [
        (failed(), [], []),
        (failed(("e3", "CountViolation")), [("ada", "e3", Severity.MEDIUM)], []),
        (replace(failed(("e3", "Other")), enabled=False), [("ada", "e3", Severity.MEDIUM)], []),
        (replace(failed(("e3", "Other")), enabled=None), [("ada", "e3", Severity.MEDIUM)], []),
        (
            failed(("e3", "CountViolation"), ("e3", "Other"), ("visio", "Other")),
            [("ada", "e3", Severity.MEDIUM), ("ada", "visio", Severity.MEDIUM)],
            [],
        ),
        (user(), [], [("ada", "whether licences could be assigned was not read")]),
    ],
)
def test_each_product_that_did_not_reach_a_user_is_one_alert(
    who: Identity, raised: list[tuple[str, str, Severity]], unsure: list[tuple[str, str]]
) -> None:
    graph = tenant(users=(who,), licenses=(E3,))

    assert (found(ERROR, graph), untold(ERROR, graph)) == (raised, unsure)


def test_what_was_not_read_of_one_user_leaves_the_type_complete() -> None:
    result = analyzed(AnalysisType.SUBSCRIPTION, tenant(users=(user(), failed(("e3", "Other"), key="bob"))))

    assert result.completed == {AnalysisType.SUBSCRIPTION}
    assert [one.external_id for one in result.findings] == ["bob"]


def test_an_error_says_why_and_what_to_do() -> None:
    finding = single(
        ERROR,
        tenant(users=(failed(("e3", "CountViolation"), ("e3", "ProhibitedInUsageLocationViolation")),), licenses=(E3,)),
    )

    assert finding.message == (
        "SPE_E3 was not assigned to Ada (ada@contoso.com) as intended: no seat is left (buy one, or free one that is "
        "not needed); a service in it is not offered in the usage location (correct it, or leave the service out)."
    )
    assert finding.reasons == ("count_violation", "prohibited_in_usage_location")
    assert finding.evidence == {"sku_id": "e3", "codes": ["CountViolation", "ProhibitedInUsageLocationViolation"]}


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_every_code_of_microsofts_has_a_reason_of_its_own(code: str) -> None:
    finding = single(ERROR, tenant(users=(failed(("e3", code)),)))

    assert finding.reasons == (CAUSES[code][0],)
    assert finding.message.endswith(f"{CAUSES[code][1]}.")
    assert len({reason for reason, _ in CAUSES.values()}) == len(CAUSES)


def test_a_code_nobody_knows_yet_is_told_as_one_without_explanation() -> None:
    finding = single(ERROR, tenant(users=(failed(("e3", "NewViolation"), ("e3", "Other")),)))

    assert finding.reasons == ("other",)
    assert finding.evidence == {"sku_id": "e3", "codes": ["NewViolation", "Other"]}


def test_an_error_worsens_when_another_code_joins_and_not_with_the_clock_or_the_products_name() -> None:
    def hashed(who: Identity, now: datetime = NOW, skus: tuple[License, ...] = (E3,)) -> str:
        return single(ERROR, tenant(users=(who,), licenses=skus), now).evidence_hash

    once, twice = failed(("e3", "CountViolation")), failed(("e3", "CountViolation"), ("e3", "Other"))

    assert hashed(once) == hashed(once, ago(30)) == hashed(once, skus=())
    assert hashed(once) != hashed(twice)


def test_without_products_an_error_is_told_under_the_products_id() -> None:
    graph = tenant(users=(failed(("e3", "Other")),), unread={Resource.SKUS: "no consent"})

    assert single(ERROR, graph).message.startswith("e3 was not assigned to Ada (ada@contoso.com) as intended: ")


def test_errors_are_told_only_where_users_were_read() -> None:
    graph = tenant(users=(failed(("e3", "Other")),), unread={Resource.USERS: "throttled"})

    assert (found(ERROR, graph), untold(ERROR, graph)) == ([], [("", "users could not be read: throttled")])


@pytest.mark.parametrize(
    ("kind", "spared"),
    [
        (ExemptionKind.USER, True),
        (ExemptionKind.BREAK_GLASS, False),
        (ExemptionKind.SHARED_MAILBOX, False),
    ],
)
def test_an_error_is_accepted_of_users_who_are_exempt(kind: ExemptionKind, *, spared: bool) -> None:
    graph = tenant(users=(failed(("e3", "Other")),))

    assert (found(ERROR, graph, state=exempting(kind, "ada")) == []) is spared


def test_only_errors_can_be_told_user_by_user() -> None:
    assert [rule_of(one).per_user for one in (UNUSED, RENEWAL, ERROR)] == [False, False, True]
