"""Who holds privileged roles, since when, how many, and with what accounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import pytest

from analyzers.catalogue import rule_of
from pipeline.domain.capture import Resource
from pipeline.domain.entities import EntityType, Group, Identity, License
from pipeline.domain.findings import THE_TENANT, AlertType, Severity
from pipeline.domain.graph import TenantGraph
from pipeline.domain.rule_settings import ExemptionKind, RuleState
from tests.unit.analyzers.build import GLOBAL_ADMIN, NOW, READER, ago, tenant, user
from tests.unit.analyzers.judging import exempting, found, judged, single, untold, with_threshold

USER_ADMIN = "fe930be7-5e62-47db-91af-98c3a49a38b1"
ADMIN = ((GLOBAL_ADMIN, "ada"),)
ENABLED_UNREAD = "whether the account is enabled was not read"
Grants = dict[tuple[str, str], datetime | None]

NEW = AlertType.NEW_PRIVILEGED_ROLE_HOLDER
COUNT = AlertType.GLOBAL_ADMIN_COUNT
SYNCED = AlertType.SYNCED_ADMIN_ACCOUNT
LICENSED = AlertType.LICENSED_ADMIN


@pytest.mark.parametrize("alert_type", [NEW, COUNT, SYNCED, LICENSED])
@pytest.mark.parametrize(
    "missing",
    [
        Resource.USERS,
        Resource.DIRECTORY_ROLES,
        Resource.ROLE_MEMBERS,
        Resource.ROLE_ASSIGNMENTS,
        Resource.ROLE_DEFINITIONS,
        Resource.GROUPS,
    ],
)
def test_holders_are_told_only_from_complete_input(alert_type: AlertType, missing: Resource) -> None:
    everything = replace(user(sku_ids=("e3",)), on_premises_synced=True)
    graph = tenant(users=(everything,), licenses=(E3,), roles=ADMIN, unread={missing: "no consent"})

    result = judged(alert_type, graph, state=knowing({}))

    assert result.findings == ()
    assert [one.external_id for one in result.not_evaluated] == [""]


@pytest.mark.parametrize("alert_type", [NEW, COUNT, SYNCED, LICENSED])
def test_members_of_a_group_that_can_hold_a_role_must_be_known(alert_type: AlertType) -> None:
    everything = replace(user(sku_ids=("e3",)), on_premises_synced=True)
    assignable = (Group(id="admins", role_assignable=True),)
    unread = {Resource.GROUP_MEMBERS: "throttled"}
    graph = tenant(users=(everything,), licenses=(E3,), roles=ADMIN, groups=assignable, unread=unread)

    result = judged(alert_type, graph, state=knowing({}))

    assert result.findings == ()
    assert [one.external_id for one in result.not_evaluated] == [""]


@pytest.mark.parametrize(("alert_type", "per_user"), [(NEW, False), (COUNT, False), (SYNCED, True), (LICENSED, False)])
def test_only_what_rests_on_the_user_alone_is_judged_user_by_user(alert_type: AlertType, *, per_user: bool) -> None:
    assert rule_of(alert_type).per_user is per_user


# new_privileged_role_holder


def knowing(grants: Grants | None) -> RuleState:
    return RuleState(grants=grants)


def test_a_role_that_no_earlier_reading_knew_is_new() -> None:
    graph = tenant(roles=((USER_ADMIN, "ada"), *ADMIN))

    (finding,) = judged(NEW, graph, state=knowing({})).findings

    assert (finding.external_id, finding.severity, finding.reasons) == ("ada", Severity.HIGH, ("role_gained",))
    assert finding.evidence == {"roles": ["Global Administrator", "User Administrator"]}
    assert finding.message == (
        "Ada (ada@contoso.com) has been given Global Administrator, User Administrator; "
        "make sure that this was intended."
    )


def test_only_the_new_roles_of_a_holder_are_named() -> None:
    graph = tenant(roles=((USER_ADMIN, "ada"), *ADMIN))

    (finding,) = judged(NEW, graph, state=knowing({("ada", GLOBAL_ADMIN): None})).findings

    assert finding.evidence == {"roles": ["User Administrator"]}


@pytest.mark.parametrize(
    ("since", "new"),
    [
        (NOW, True),
        (ago(6.999), True),
        (ago(7), True),
        (ago(7.001), False),
        (ago(400), False),
        (None, False),
    ],
)
def test_a_role_is_new_for_the_threshold_of_days(since: datetime | None, *, new: bool) -> None:
    graph = tenant(roles=ADMIN)

    assert bool(found(NEW, graph, state=knowing({("ada", GLOBAL_ADMIN): since}))) is new


@pytest.mark.parametrize(("days", "new"), [(1, False), (3, True), (2, True)])
def test_how_long_a_role_is_new_is_the_tenants_choice(days: int, *, new: bool) -> None:
    state = replace(with_threshold(NEW, days), grants={("ada", GLOBAL_ADMIN): ago(2)})

    assert bool(found(NEW, tenant(roles=ADMIN), state=state)) is new


def test_a_role_gained_through_a_group_is_new() -> None:
    graph = tenant(
        groups=(Group(id="admins", role_assignable=True),),
        members=(("admins", "ada"),),
        roles=((GLOBAL_ADMIN, "admins"),),
    )

    assert found(NEW, graph, state=knowing({("bob", GLOBAL_ADMIN): None})) == [("ada", "", Severity.HIGH)]


def test_the_first_reading_has_nothing_to_compare_with() -> None:
    result = judged(NEW, tenant(roles=ADMIN), state=knowing(None))

    assert result.findings == ()
    assert [(one.external_id, one.reason) for one in result.not_evaluated] == [
        ("", "this is the first reading of who holds a privileged role, so there is nothing to compare it with")
    ]


@pytest.mark.parametrize("roles", [(), ((READER, "ada"),), ((GLOBAL_ADMIN, "nobody"),)])
def test_other_roles_and_unknown_holders_are_not_new(roles: tuple[tuple[str, str], ...]) -> None:
    result = judged(NEW, tenant(roles=roles), state=knowing({}))

    assert (result.findings, result.not_evaluated, result.rules[0].items) == ((), (), 0)


def test_a_new_role_of_a_disabled_account_is_fine_and_of_an_unknown_one_cannot_be_told() -> None:
    graph = tenant(
        users=(user(enabled=False), user("bob", enabled=None)), roles=((GLOBAL_ADMIN, "bob"), (GLOBAL_ADMIN, "ada"))
    )

    result = judged(NEW, graph, state=knowing({}))

    assert result.findings == ()
    assert [(one.external_id, one.reason) for one in result.not_evaluated] == [("bob", ENABLED_UNREAD)]


@pytest.mark.parametrize(("kind", "spared"), [(ExemptionKind.USER, True), (ExemptionKind.BREAK_GLASS, False)])
def test_a_new_role_of_an_emergency_account_is_told_too(kind: ExemptionKind, *, spared: bool) -> None:
    state = replace(exempting(kind, "ada"), grants={})

    assert (found(NEW, tenant(roles=ADMIN), state=state) == []) is spared


def test_a_new_role_reads_the_same_while_it_is_new() -> None:
    graph = tenant(roles=ADMIN)

    (first,) = judged(NEW, graph, ago(5), state=knowing({})).findings
    (later,) = judged(NEW, graph, NOW, state=knowing({("ada", GLOBAL_ADMIN): ago(5)})).findings

    assert first == later


# global_admin_count


def headed_by(*holders: Identity) -> TenantGraph:
    return tenant(users=holders, roles=[(GLOBAL_ADMIN, one.id) for one in holders])


def several(count: int) -> list[Identity]:
    return [user(f"u{number:02}") for number in range(count)]


@pytest.mark.parametrize(
    ("count", "reasons"),
    [(0, ("too_few",)), (1, ("too_few",)), (2, None), (3, None), (4, None), (5, ("too_many",)), (9, ("too_many",))],
)
def test_two_to_four_global_administrators_are_fine(count: int, reasons: tuple[str, ...] | None) -> None:
    result = judged(COUNT, headed_by(*several(count)))

    assert [one.reasons for one in result.findings] == ([] if reasons is None else [reasons])
    assert all(one.severity is Severity.MEDIUM for one in result.findings)
    assert result.not_evaluated == ()


@pytest.mark.parametrize(("most", "count", "fine"), [(2, 2, True), (2, 3, False), (6, 6, True), (6, 7, False)])
def test_how_many_global_administrators_are_fine_is_the_tenants_choice(most: int, count: int, *, fine: bool) -> None:
    assert (found(COUNT, headed_by(*several(count)), state=with_threshold(COUNT, most)) == []) is fine


def test_too_many_are_counted_and_named_about_the_tenant() -> None:
    finding = single(COUNT, headed_by(*reversed(several(5))))

    assert (finding.entity_type, finding.external_id) == (EntityType.TENANTS, THE_TENANT)
    assert finding.evidence == {"holders": ["u00", "u01", "u02", "u03", "u04"]}
    assert finding.message == (
        "5 enabled accounts hold Global Administrator, and no more than 4 should: "
        "U00 (u00@contoso.com), U01 (u01@contoso.com), U02 (u02@contoso.com) and 2 more."
    )


@pytest.mark.parametrize(
    ("holders", "message"),
    [
        ((), "No enabled account holds Global Administrator."),
        (
            (user(),),
            "Only Ada (ada@contoso.com) holds Global Administrator: "
            "nobody can step in when this account cannot sign in.",
        ),
    ],
)
def test_too_few_are_named_too(holders: tuple[Identity, ...], message: str) -> None:
    assert single(COUNT, headed_by(*holders)).message == message


def test_holders_through_a_group_count_once_and_holders_of_other_roles_do_not() -> None:
    graph = tenant(
        users=(user(), user("bob"), user("eve")),
        groups=(Group(id="admins", role_assignable=True),),
        members=(("admins", "bob"), ("admins", "ada")),
        roles=((GLOBAL_ADMIN, "admins"), *ADMIN, (USER_ADMIN, "eve"), (GLOBAL_ADMIN, "nobody")),
    )

    assert found(COUNT, graph) == []
    assert found(COUNT, replace(graph, roles_of={"ada": frozenset({GLOBAL_ADMIN})})) != []


def test_disabled_holders_do_not_count() -> None:
    assert found(COUNT, headed_by(user(), user("bob", enabled=False))) == [(THE_TENANT, "", Severity.MEDIUM)]
    assert found(COUNT, headed_by(*several(4), user("bob", enabled=False))) == []


@pytest.mark.parametrize(
    ("enabled", "unsure", "decided"),
    [(0, 1, True), (0, 2, False), (1, 1, False), (2, 2, True), (4, 1, False), (1, 9, False), (5, 1, True)],
)
def test_a_holder_that_may_be_disabled_matters_only_where_it_decides(
    enabled: int, unsure: int, *, decided: bool
) -> None:
    perhaps = [user(f"v{number}", enabled=None) for number in range(unsure)]
    result = judged(COUNT, headed_by(*several(enabled), *perhaps))

    told = [(one.external_id, one.reason) for one in result.not_evaluated]
    assert told == ([] if decided else [("", "whether every holder of Global Administrator is enabled was not read")])
    assert bool(result.findings) is (decided and not 2 <= enabled <= 4)


def test_the_number_of_global_administrators_does_not_depend_on_the_clock() -> None:
    graph = headed_by(user())

    assert single(COUNT, graph) == single(COUNT, graph, ago(30))


# synced_admin_account


def held(who: Identity, roles: Iterable[tuple[str, str]] = ADMIN, **licences: License) -> TenantGraph:
    return tenant(users=(who,), roles=roles, licenses=licences.values())


FROM_ON_PREMISES = replace(user(), on_premises_synced=True)
CLOUD_ONLY = replace(user(), on_premises_synced=False)


def test_a_synchronized_administrator_is_high() -> None:
    finding = single(SYNCED, held(FROM_ON_PREMISES))

    assert (finding.external_id, finding.severity, finding.reasons) == ("ada", Severity.HIGH, ("synchronized",))
    assert finding.evidence == {"roles": ["Global Administrator"]}
    assert finding.message == (
        "Ada (ada@contoso.com) holds Global Administrator but is synchronized from on-premises: "
        "whoever controls the directory there controls the role."
    )


@pytest.mark.parametrize(
    ("who", "roles"),
    [
        (CLOUD_ONLY, ADMIN),
        (replace(FROM_ON_PREMISES, enabled=False), ADMIN),
        (replace(CLOUD_ONLY, enabled=None), ADMIN),
        (FROM_ON_PREMISES, ()),
        (FROM_ON_PREMISES, ((READER, "ada"),)),
    ],
)
def test_cloud_accounts_disabled_ones_and_ordinary_users_are_fine(
    who: Identity, roles: tuple[tuple[str, str], ...]
) -> None:
    result = judged(SYNCED, held(who, roles))

    assert (result.findings, result.not_evaluated) == ((), ())


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (user(), "whether the account is synchronized was not read"),
        (replace(FROM_ON_PREMISES, enabled=None), ENABLED_UNREAD),
    ],
)
def test_an_administrator_whose_origin_or_state_was_not_read_cannot_be_told(who: Identity, reason: str) -> None:
    assert found(SYNCED, held(who)) == []
    assert untold(SYNCED, held(who)) == [("ada", reason)]


@pytest.mark.parametrize(("kind", "spared"), [(ExemptionKind.USER, True), (ExemptionKind.BREAK_GLASS, False)])
def test_a_synchronized_emergency_account_is_told_too(kind: ExemptionKind, *, spared: bool) -> None:
    assert (found(SYNCED, held(FROM_ON_PREMISES), state=exempting(kind, "ada")) == []) is spared


@pytest.mark.parametrize(("alert_type", "who"), [(SYNCED, FROM_ON_PREMISES), (LICENSED, user(sku_ids=("e3",)))])
def test_the_kind_of_account_does_not_depend_on_the_clock_but_on_the_roles(
    alert_type: AlertType, who: Identity
) -> None:
    first = single(alert_type, held(who, e3=E3))

    assert first == single(alert_type, held(who, e3=E3), ago(30))
    assert first.evidence_hash != single(alert_type, held(who, (*ADMIN, (USER_ADMIN, "ada")), e3=E3)).evidence_hash


# licensed_admin

E3 = License(id="e3", part_number="SPE_E3")
P1 = License(id="p1", part_number="AAD_PREMIUM")
P2 = License(id="p2", part_number="AAD_PREMIUM_P2")
NAMELESS = License(id="odd")


def licensed(*skus: str, enabled: bool | None = True) -> TenantGraph:
    return held(user(sku_ids=skus, enabled=enabled), e3=E3, p1=P1, p2=P2, odd=NAMELESS)


def test_an_administrator_with_a_mailbox_and_apps_is_low() -> None:
    finding = single(LICENSED, licensed("p1", "e3"))

    assert (finding.external_id, finding.severity, finding.reasons) == ("ada", Severity.LOW, ("licensed",))
    assert finding.evidence == {
        "roles": ["Global Administrator"],
        "sku_ids": ["e3"],
        "sku_part_numbers": ["SPE_E3"],
    }
    assert finding.message == (
        "Ada (ada@contoso.com) holds Global Administrator and is licensed for SPE_E3: "
        "an administrator's account should have no mailbox and no apps."
    )


@pytest.mark.parametrize("skus", [(), ("p1",), ("p2",), ("p1", "p2")])
def test_no_licence_or_those_an_administrator_needs_are_fine(skus: tuple[str, ...]) -> None:
    for enabled in (True, None):
        result = judged(LICENSED, licensed(*skus, enabled=enabled))

        assert (result.findings, result.not_evaluated) == ((), ())


@pytest.mark.parametrize("roles", [(), ((READER, "ada"),)])
def test_an_ordinary_user_may_be_licensed(roles: tuple[tuple[str, str], ...]) -> None:
    assert found(LICENSED, held(user(sku_ids=("e3",)), roles, e3=E3)) == []


def test_a_licence_of_a_disabled_administrator_is_fine_and_of_an_unknown_one_cannot_be_told() -> None:
    assert found(LICENSED, licensed("e3", enabled=False)) == []
    assert untold(LICENSED, licensed("e3", enabled=False)) == []
    assert found(LICENSED, licensed("e3", enabled=None)) == []
    assert untold(LICENSED, licensed("e3", enabled=None)) == [("ada", ENABLED_UNREAD)]


@pytest.mark.parametrize("sku", ["odd", "gone"])
def test_a_licence_without_a_name_cannot_be_told(sku: str) -> None:
    assert found(LICENSED, licensed("p1", sku)) == []
    assert untold(LICENSED, licensed("p1", sku)) == [("ada", f"which product the SKU {sku} is, is not known")]


def test_a_named_licence_decides_beside_a_nameless_one() -> None:
    assert single(LICENSED, licensed("gone", "e3")).evidence["sku_ids"] == ["e3"]
    assert untold(LICENSED, licensed("gone", "e3")) == []


def test_without_the_skus_only_names_known_from_before_decide() -> None:
    unread = {Resource.SKUS: "no consent"}
    known = tenant(users=(user(sku_ids=("e3",)),), licenses=(E3,), roles=ADMIN, unread=unread)
    unknown = replace(known, licenses={})

    assert found(LICENSED, known) == [("ada", "", Severity.LOW)]
    assert found(LICENSED, unknown) == []
    assert untold(LICENSED, unknown) == [("ada", "subscribedSkus could not be read: no consent")]


def test_another_licence_changes_the_evidence() -> None:
    visio = License(id="visio", part_number="VISIOCLIENT")
    fewer, more = (held(user(sku_ids=skus), e3=E3, visio=visio) for skus in (("e3",), ("e3", "visio")))

    assert single(LICENSED, fewer).evidence_hash != single(LICENSED, more).evidence_hash


@pytest.mark.parametrize(("kind", "spared"), [(ExemptionKind.USER, True), (ExemptionKind.SHARED_MAILBOX, False)])
def test_an_exempt_administrator_may_be_licensed(kind: ExemptionKind, *, spared: bool) -> None:
    assert (found(LICENSED, licensed("e3"), state=exempting(kind, "ada")) == []) is spared
