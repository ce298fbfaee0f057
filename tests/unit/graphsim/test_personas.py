"""The tenants hold the people that assessments stumble over."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import msgspec
import pytest

from graphsim.directory.population import DISABLED, Kind
from graphsim.directory.tenants import Json
from tests.unit.graphsim.conftest import NOW, MakeWorld, World

SELECT = "users?$select=id,accountEnabled,userType,createdDateTime,assignedLicenses,signInActivity&$top=500"
PREMIUM = [0, 1, 2, 4, 5, 6]


class SignIns(msgspec.Struct, rename="camel"):
    last_sign_in_date_time: datetime | None
    last_non_interactive_sign_in_date_time: datetime | None
    last_successful_sign_in_date_time: datetime | None


class Person(msgspec.Struct, rename="camel"):
    id: str
    account_enabled: bool
    user_type: str
    created_date_time: datetime
    assigned_licenses: list[Json]
    sign_in_activity: SignIns | None = None


def people(world: World) -> list[tuple[Kind, Person]]:
    persons = msgspec.convert(world.all(SELECT), list[Person], strict=False)
    return [(world.state.tenant.persona(number).kind, person) for number, person in enumerate(persons)]


def test_disabled_accounts_are_leavers_with_licences_and_mailboxes_without(make_world: MakeWorld) -> None:
    found = people(make_world(1))

    disabled = Counter(kind for kind, person in found if not person.account_enabled)
    licensed = Counter(kind for kind, person in found if not person.account_enabled and person.assigned_licenses)

    assert set(disabled) == DISABLED
    assert set(licensed) == {Kind.LEAVER}
    assert licensed[Kind.LEAVER] == disabled[Kind.LEAVER] >= 5


def test_a_tidy_tenant_wastes_no_licence_on_disabled_accounts(make_world: MakeWorld) -> None:
    assert not [p for _, p in people(make_world(0)) if p.assigned_licenses and not p.account_enabled]


@pytest.mark.parametrize("index", PREMIUM)
def test_sign_ins_lie_between_creation_and_now_and_success_is_no_later_than_attempts(
    make_world: MakeWorld, index: int
) -> None:
    for kind, person in people(make_world(index)):
        seen = person.sign_in_activity
        if seen is None:
            continue
        attempts = [
            at for at in (seen.last_sign_in_date_time, seen.last_non_interactive_sign_in_date_time) if at is not None
        ]
        success = seen.last_successful_sign_in_date_time
        assert attempts, kind
        assert person.created_date_time < min(attempts), kind
        assert max(attempts) <= NOW, kind
        assert success is None or person.created_date_time < success <= max(attempts), kind


def test_stale_accounts_have_no_success_for_90_days_even_when_someone_keeps_trying(make_world: MakeWorld) -> None:
    stale = [p.sign_in_activity for kind, p in people(make_world(1, 1000)) if kind is Kind.STALE]
    limit = NOW - timedelta(days=90)

    assert all(s and s.last_successful_sign_in_date_time and s.last_successful_sign_in_date_time < limit for s in stale)
    tried = [s for s in stale if s and s.last_sign_in_date_time and s.last_sign_in_date_time > limit]
    assert 0 < len(tried) < len(stale)


def test_success_is_missing_for_failed_only_and_for_those_last_seen_before_it_was_recorded(
    make_world: MakeWorld,
) -> None:
    without = Counter(
        kind
        for kind, person in people(make_world(1))
        if person.sign_in_activity and person.sign_in_activity.last_successful_sign_in_date_time is None
    )

    assert set(without) == {Kind.FAILED_ONLY, Kind.UNRECORDED}


def test_who_never_signed_in_has_no_sign_in_activity_at_all(make_world: MakeWorld) -> None:
    found = people(make_world(1))
    silent = Counter(kind for kind, person in found if person.sign_in_activity is None)
    recent = NOW - timedelta(days=30)

    assert set(silent) == {Kind.INVITED, Kind.DORMANT, Kind.SHARED_MAILBOX}
    assert all((p.created_date_time > recent) == (kind in {Kind.JOINER, Kind.INVITED}) for kind, p in found)


def test_guests_are_guests_and_hold_no_licence(make_world: MakeWorld) -> None:
    guests = [(kind, p) for kind, p in people(make_world(1)) if p.user_type == "Guest"]

    assert {kind for kind, _ in guests} == {Kind.GUEST, Kind.STALE_GUEST}
    assert not [p for _, p in guests if p.assigned_licenses]


def test_the_registration_report_leaves_disabled_users_out_and_knows_the_administrators(
    make_world: MakeWorld,
) -> None:
    world = make_world(1)
    report = {
        str(line["id"]): line for line in world.all("reports/authenticationMethods/userRegistrationDetails?$top=999")
    }

    enabled = {person.id for _, person in people(world) if person.account_enabled}
    admins = {line["id"] for line in report.values() if line["isAdmin"]}

    assert set(report) == enabled
    assert {world.state.tenant.user_id(number) for number in range(6)} <= admins
    assert len(admins) == 9
    assert any(line["isMfaRegistered"] and not line["isMfaCapable"] for line in report.values())
    assert any(not line["isMfaRegistered"] for line in report.values())
