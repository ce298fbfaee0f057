"""Filtered, sorted, searched and expanded lists, and what of that is refused as Graph refuses it."""

from __future__ import annotations

import pytest

from graphsim.directory.population import Kind
from graphsim.directory.tenants import Json
from graphsim.protocol.errors import GraphError
from graphsim.reading import listing
from tests.unit.graphsim.conftest import MakeWorld, World

EVERYTHING = (
    "users?$select=id,accountEnabled,userType,displayName,mail,assignedLicenses,createdDateTime,userPrincipalName"
)
ADVANCED = "&$count=true"
STALE = "signInActivity/lastSignInDateTime le 2026-01-01"


def refusal(world: World, url: str, *, eventual: bool = False) -> tuple[int, str]:
    with pytest.raises(GraphError) as refused:
        world.raw(url, eventual=eventual)
    return refused.value.status, refused.value.code


def ids(bodies: list[Json]) -> set[object]:
    return {body["id"] for body in bodies}


def test_a_filter_keeps_what_matches_on_every_page(make_world: MakeWorld) -> None:
    world = make_world(1, size=300)
    everybody = world.all(EVERYTHING)
    disabled = {body["id"] for body in everybody if not body["accountEnabled"]}

    pages = list(world.pages("users?$filter=accountEnabled eq false&$select=id&$top=7"))

    assert all(len(page.value) == 7 for page in pages[:-1])
    assert pages[-1].value, "no empty page at the end"
    assert sorted(str(one["id"]) for page in pages for one in page.value) == sorted(map(str, disabled))


@pytest.mark.parametrize(
    ("condition", "matches"),
    [
        ("userType eq 'guest'", lambda one: one["userType"] == "Guest"),
        ("startsWith(displayName,'a')", lambda one: str(one["displayName"]).lower().startswith("a")),
        ("mail eq 'nobody@nowhere.example'", lambda _: False),
        ("createdDateTime ge 2026-08-01T00:00:00Z", lambda one: str(one["createdDateTime"]) >= "2026-08-01"),
        (
            "accountEnabled eq true and userType eq 'Member'",
            lambda one: one["accountEnabled"] and one["userType"] == "Member",
        ),
        ("userType in ('Guest','Other')", lambda one: one["userType"] == "Guest"),
    ],
)
def test_plain_operators_need_no_header(make_world: MakeWorld, condition: str, matches: object) -> None:
    world = make_world(1)
    assert callable(matches)
    expected = [one for one in world.all(EVERYTHING) if matches(one)]

    assert ids(world.all(f"users?$filter={condition}&$select=id")) == ids(expected)


def test_a_licence_is_found_among_the_assigned(make_world: MakeWorld) -> None:
    world = make_world(1)
    sku = world.all("subscribedSkus")[0]

    holders = world.get(f"users?$filter=assignedLicenses/any(x:x/skuId eq {sku['skuId']})&$top=999")

    assert 0 < len(holders.value) == sku["consumedUnits"]


@pytest.mark.parametrize(
    "condition",
    [
        "accountEnabled ne true",
        "not(userType eq 'Guest')",
        "endsWith(mail,'.example')",
        "mail ne null",
        "companyName eq 'x'",
        "assignedLicenses/$count eq 0",
        "startsWith(mobilePhone,'1')",
        "createdDateTime gt 2026-01-01T00:00:00Z",
    ],
)
def test_advanced_operators_need_header_and_count(make_world: MakeWorld, condition: str) -> None:
    world = make_world()
    url = f"users?$filter={condition}"

    assert refusal(world, url) == (400, "Request_UnsupportedQuery")
    assert refusal(world, url, eventual=True) == (400, "Request_UnsupportedQuery")
    assert refusal(world, url + ADVANCED) == (400, "Request_UnsupportedQuery")
    answer = world.get(url + ADVANCED + "&$top=999", eventual=True)
    assert answer.count == len(answer.value)


def test_a_filtered_count_tells_all_matches_and_only_on_the_first_page(make_world: MakeWorld) -> None:
    world = make_world(1)
    url = "users?$filter=userType eq 'Guest'&$count=true&$top=3"
    pages = list(world.pages(url, eventual=True))

    assert pages[0].count == sum(len(page.value) for page in pages)
    assert {page.count for page in pages[1:]} == {None}


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("users?$filter=nonsense eq 1", 400, "BadRequest"),
        ("users?$filter=accountEnabled eq", 400, "BadRequest"),
        ("users?$filter=accountEnabled eq 'true'", 400, "BadRequest"),
        ("users?$filter=legalAgeGroupClassification eq 'x'", 400, "Request_UnsupportedQuery"),
        ("groups?$filter=createdDateTime ge 2021-11-01", 400, "Request_UnsupportedQuery"),
        ("users?$filter=proxyAddresses/any(p:p eq 'x')", 501, "NotImplemented"),
        (f"users?$filter={STALE} and accountEnabled eq true", 400, "Request_UnsupportedQuery"),
        (f"users?$filter={STALE}&$top=999", 400, "Request_UnsupportedQuery"),
        ("users?$orderby=mail", 400, "Request_UnsupportedQuery"),
        ("users?$orderby=createdDateTime", 400, "Request_UnsupportedQuery"),
        ("users?$orderby=displayName upwards", 400, "BadRequest"),
        ("users?$orderby=displayName&$filter=accountEnabled eq true", 400, "Request_UnsupportedQuery"),
        ('users?$search="displayName:a"', 400, "Request_UnsupportedQuery"),
        ("subscribedSkus?$filter=skuPartNumber eq 'x'", 501, "NotImplemented"),
        ("users?$format=xml", 400, "BadRequest"),
        ("groups?$expand=nonsense", 400, "BadRequest"),
    ],
)  # fmt: skip
def test_what_a_list_does_not_take_is_refused(make_world: MakeWorld, url: str, status: int, code: str) -> None:
    assert refusal(make_world(), url) == (status, code)


def test_the_advice_names_the_missing_parameters(make_world: MakeWorld) -> None:
    with pytest.raises(GraphError, match="ConsistencyLevel:eventual") as refused:
        make_world().raw("users?$filter=accountEnabled ne true")

    assert "$count=true" in refused.value.message


def test_sign_ins_are_filtered_by_in_premium_tenants_only(make_world: MakeWorld) -> None:
    premium, basic = make_world(1), make_world(3)
    url = "users?$filter=signInActivity/lastSignInDateTime le 2026-06-01T00:00:00Z&$select=id,signInActivity"

    stale = premium.all(url)

    assert stale
    assert all(str(dict(one["signInActivity"])["lastSignInDateTime"]) <= "2026-06-01" for one in stale)  # type: ignore[call-overload]  # JSON
    assert refusal(basic, url)[0] == 403


def test_a_sorted_list_is_in_order_over_its_pages(make_world: MakeWorld) -> None:
    world = make_world()
    names = [str(one["displayName"]).casefold() for one in world.all("users?$orderby=displayName desc&$top=30")]

    assert names == sorted(names, reverse=True)
    assert len(names) == 200


def test_sorting_with_a_filter_is_advanced(make_world: MakeWorld) -> None:
    url = "users?$orderby=displayName&$filter=userType eq 'Guest'&$count=true&$top=999"
    found = make_world(1).get(url, eventual=True)
    names = [str(one["displayName"]).casefold() for one in found.value]

    assert names == sorted(names)
    assert found.count == len(names)


def test_searching_looks_at_the_beginnings_of_words(make_world: MakeWorld) -> None:
    world = make_world()
    found = world.all('groups?$search="displayName:ca break"', eventual=True)
    either = world.all('groups?$search="displayName:travelers" OR "displayName:helpdesk"', eventual=True)

    assert [one["displayName"] for one in found] == ["CA-Exclude-BreakGlass"]
    assert {one["displayName"] for one in either} == {"Role-Helpdesk", "CA-Travelers"}


@pytest.mark.parametrize("text", ["displayName:a", '"displayName:a" "mail:b"', '"displayName:a" AND', '"theme:a"'])
def test_what_is_no_search_is_refused(make_world: MakeWorld, text: str) -> None:
    assert refusal(make_world(), f"groups?$search={text}", eventual=True) == (400, "BadRequest")


def test_groups_of_a_kind_are_found(make_world: MakeWorld) -> None:
    world = make_world()
    unified = world.all("groups?$filter=groupTypes/any(c:c eq 'Unified')")

    assert unified
    assert all("Unified" in list(one["groupTypes"]) for one in unified)  # type: ignore[call-overload]  # JSON


def test_members_are_filtered_by_type_and_name(make_world: MakeWorld) -> None:
    world = make_world()
    group = world.all("groups?$filter=displayName eq 'CA-Travelers'")[0]["id"]
    people = f"groups/{group}/transitiveMembers/microsoft.graph.user"
    url = f"{people}?$count=true&$filter=accountEnabled eq true&$select=id,accountEnabled"

    members = world.all(url, eventual=True)

    assert members
    assert all(one["accountEnabled"] for one in members)


def test_named_locations_are_told_apart_by_type(make_world: MakeWorld) -> None:
    found = make_world().all(
        "identity/conditionalAccess/namedLocations?$filter=isof('microsoft.graph.countryNamedLocation')"
    )

    assert {one["@odata.type"] for one in found} == {"#microsoft.graph.countryNamedLocation"}


def test_related_objects_come_along_at_most_twenty(make_world: MakeWorld) -> None:
    world = make_world()
    groups = world.all("groups?$expand=members($select=id,displayName)&$top=999")
    everybody = next(one for one in groups if one["displayName"] == "Sales")
    members = list(everybody["members"])  # type: ignore[call-overload]  # JSON
    roles = world.all("directoryRoles?$expand=members")

    assert len(members) == 20
    assert all(set(one) == {"@odata.type", "id", "displayName"} for one in members)
    assert all(one["members"] for one in roles)
    assert "members" not in world.all("groups")[0]


def test_nobody_has_a_manager(make_world: MakeWorld) -> None:
    assert all("manager" not in one for one in make_world().all("users?$expand=manager"))


def test_an_assignment_brings_its_definition_along(make_world: MakeWorld) -> None:
    world = make_world()
    admins = "62e90394-69f5-4237-9190-012177145e10"
    url = f"roleManagement/directory/roleAssignments?$expand=roleDefinition&$filter=roleDefinitionId eq '{admins}'"
    found = world.all(url)

    assert {dict(one["roleDefinition"])["displayName"] for one in found} == {"Global Administrator"}  # type: ignore[call-overload]  # JSON
    assert len(found) == 3


def test_a_page_of_a_rare_match_looks_at_so_many_objects_only(make_world: MakeWorld) -> None:
    """No request keeps a large tenant's others waiting: the page ends short, and the link goes on."""
    world = make_world(1, size=listing.LOOKED_AT * 2)
    last = world.state.tenant.user_id(listing.LOOKED_AT + 5)
    rare = "startsWith(displayName,'Nobody') or id eq '{}'"

    pages = list(world.pages(f"users?$filter={rare.format(last)}&$select=id"))

    assert [len(page.value) for page in pages] == [0, 1]


@pytest.mark.parametrize(
    "condition", ["id eq '{id}'", "accountEnabled eq true and userPrincipalName eq '{name}'", "id in ('{id}','x')"]
)
def test_a_user_that_is_named_is_found_without_a_look_at_the_others(make_world: MakeWorld, condition: str) -> None:
    world = make_world(1, size=1_000_000)
    number = next(one for one in range(900_000, 900_100) if world.state.tenant.persona(one).kind is Kind.EMPLOYEE)
    made = world.state.user(number)
    asked = condition.format(id=made["id"], name=made["userPrincipalName"])

    answer = world.get(f"users?$filter={asked}&$count=true", eventual=True)

    assert ([one["id"] for one in answer.value], answer.count, answer.link) == ([made["id"]], 1, None)
    assert world.get(f"users?$filter={asked} and accountEnabled eq false").value == []


def test_long_lists_are_not_sorted(make_world: MakeWorld) -> None:
    assert refusal(make_world(1, size=listing.SORTED + 1), "users?$orderby=displayName")[0] == 501
