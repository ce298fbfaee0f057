"""Role management, purchases, applications and domains agree with the rest of the tenant."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import chain

import msgspec
import pytest

from graphsim.directory import app_registrations, role_management
from graphsim.directory.app_registrations import GRAPH
from graphsim.directory.roles import GLOBAL_ADMINISTRATOR
from graphsim.directory.tenants import Json
from graphsim.protocol.errors import GraphError
from tests.unit.graphsim.conftest import NOW, MakeWorld, World

POSTURES = range(7)
ASSIGNMENTS = "roleManagement/directory/roleAssignments"
DEFINITIONS = "roleManagement/directory/roleDefinitions"
ELIGIBILITIES = "roleManagement/directory/roleEligibilityScheduleInstances"
BASIC_TENANT, ENFORCED, PILOT = 3, 0, 4


class Credential(msgspec.Struct, rename="camel"):
    key_id: str
    start_date_time: datetime
    end_date_time: datetime


class Application(msgspec.Struct, rename="camel"):
    id: str
    app_id: str
    password_credentials: list[Credential]
    key_credentials: list[Credential]


class Units(msgspec.Struct):
    enabled: int
    warning: int


class Sku(msgspec.Struct, rename="camel"):
    sku_id: str
    prepaid_units: Units
    subscription_ids: list[str]


class Purchase(msgspec.Struct, rename="camel"):
    id: str
    sku_id: str
    status: str
    total_licenses: int
    created_date_time: datetime
    next_lifecycle_date_time: datetime | None


def tenant_wide(world: World) -> Counter[tuple[object, object]]:
    found = (one for one in world.all(ASSIGNMENTS) if one["directoryScopeId"] == "/")
    return Counter((one["roleDefinitionId"], one["principalId"]) for one in found)


def held(world: World) -> Counter[tuple[object, object]]:
    """``(template id, holder)`` as the directory roles' members have it."""
    return Counter(
        (role["roleTemplateId"], member["id"])
        for role in world.all("directoryRoles")
        for member in world.all(f"directoryRoles/{role['id']}/members?$select=id")
    )


@pytest.mark.parametrize("index", POSTURES)
def test_every_member_of_a_directory_role_is_assigned_it_once_in_the_whole_tenant(
    make_world: MakeWorld, index: int
) -> None:
    world = make_world(index)
    own = role_management.custom_role_id(world.state.tenant)

    assigned = Counter({key: count for key, count in tenant_wide(world).items() if key[0] != own})

    assert assigned == held(world)


def test_removed_holders_are_assigned_nothing(make_world: MakeWorld) -> None:
    world = make_world(PILOT)
    gone = {world.state.tenant.user_id(number) for number in (2, world.state.tenant.helpdesk[0])}
    world.state.removed |= {2, world.state.tenant.helpdesk[0]}

    assert gone.isdisjoint(one["principalId"] for one in world.all(ASSIGNMENTS))


@pytest.mark.parametrize("index", POSTURES)
def test_every_assignment_is_of_a_defined_role_and_has_an_id_of_its_own(make_world: MakeWorld, index: int) -> None:
    world = make_world(index)

    assignments = world.all(ASSIGNMENTS)

    assert {one["roleDefinitionId"] for one in assignments} <= {one["id"] for one in world.all(DEFINITIONS)}
    assert len({one["id"] for one in assignments}) == len(assignments)


def test_ids_of_assignments_are_made_as_microsoft_makes_them() -> None:
    principal = "ace08ec9-aa11-4ada-9145-addf0398233e"

    assert role_management.assignment_id(GLOBAL_ADMINISTRATOR, principal) == (
        "lAPpYvVpN0KRkAEhdxReEMmO4KwRqtpKkUWt3wOYIz4-1"
    ), "the example of https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments"


def test_some_tenants_scope_an_assignment_to_an_administrative_unit(make_world: MakeWorld) -> None:
    scopes = {
        index: [one["directoryScopeId"] for one in make_world(index).all(ASSIGNMENTS) if one["directoryScopeId"] != "/"]
        for index in POSTURES
    }

    assert [len(found) for found in scopes.values()] == [0, 1, 1, 0, 1, 0, 1]
    assert all(str(scope).startswith("/administrativeUnits/") for scope in chain(*scopes.values()))


def test_the_principal_comes_with_expand_only_and_says_what_it_is(make_world: MakeWorld) -> None:
    world = make_world(ENFORCED)

    page = world.get(f"{ASSIGNMENTS}?$expand=principal")

    assert not any("principal" in one for one in world.all(ASSIGNMENTS))
    assert page.context.endswith("#roleManagement/directory/roleAssignments(principal())")
    principals = [msgspec.convert(one["principal"], Json) for one in page.value]
    assert [one["id"] for one in principals] == [one["principalId"] for one in page.value]
    assert {one["@odata.type"] for one in principals} == {"#microsoft.graph.user", "#microsoft.graph.group"}
    assert not any("accountEnabled" in one for one in principals), "the properties that come without being selected"


@pytest.mark.parametrize(
    ("url", "status"),
    [
        (f"{ASSIGNMENTS}?$expand=nonsense", 400),
        (f"{ASSIGNMENTS}?$expand=principal($filter=id eq null)", 501),
        (f"{DEFINITIONS}?$expand=principal", 501),
        ("domains?$top=5", 400),
    ],
)
def test_what_cant_be_had_of_them_is_refused(make_world: MakeWorld, url: str, status: int) -> None:
    with pytest.raises(GraphError) as refused:
        make_world().raw(url)

    assert refused.value.status == status


def test_tenants_without_a_licence_have_no_role_of_their_own(make_world: MakeWorld) -> None:
    basic, premium = (make_world(index).all(DEFINITIONS) for index in (BASIC_TENANT, ENFORCED))

    assert all(one["isBuiltIn"] for one in basic)
    assert [one["displayName"] for one in premium if not one["isBuiltIn"]] == ["Application Support Admin"]
    assert len(basic) > 100, "more than one page of the default size"


@pytest.mark.parametrize("index", POSTURES)
def test_eligibility_needs_the_second_premium_plan(make_world: MakeWorld, index: int) -> None:
    world = make_world(index)
    if role_management.has_pim(world.state.tenant):
        assert [one["roleDefinitionId"] for one in world.all(ELIGIBILITIES)] == [GLOBAL_ADMINISTRATOR]
    else:
        with pytest.raises(GraphError) as refused:
            world.get(ELIGIBILITIES)
        assert (refused.value.status, refused.value.code) == (400, "AadPremiumLicenseRequired")


@pytest.mark.parametrize("index", POSTURES)
def test_the_subscriptions_of_a_sku_are_those_it_names_and_have_its_seats(make_world: MakeWorld, index: int) -> None:
    world = make_world(index)
    bought = msgspec.convert(world.all("directory/subscriptions"), list[Purchase])

    for sku in msgspec.convert(world.all("subscribedSkus"), list[Sku]):
        mine = [one for one in bought if one.sku_id == sku.sku_id]
        assert [one.id for one in mine] == sku.subscription_ids
        seats = {one.status: one.total_licenses for one in mine}
        assert (seats["Enabled"], seats.get("Warning", 0)) == (sku.prepaid_units.enabled, sku.prepaid_units.warning)
    assert len({one.id for one in bought}) == len(bought)


def test_some_subscriptions_renew_within_thirty_days_and_free_ones_never(make_world: MakeWorld) -> None:
    bought = [msgspec.convert(make_world(index).all("directory/subscriptions"), list[Purchase]) for index in POSTURES]
    ends = [one.next_lifecycle_date_time for one in chain(*bought)]

    assert any(end is not None and (end - NOW).days <= 30 for end in ends)
    assert None in ends
    assert all(one.created_date_time < NOW for one in chain(*bought))


def credentials(world: World) -> list[Credential]:
    found = msgspec.convert(world.all("applications"), list[Application])
    return [one for application in found for one in (*application.password_credentials, *application.key_credentials)]


def test_untidy_tenants_have_expired_and_expiring_credentials_and_tidy_ones_none(make_world: MakeWorld) -> None:
    left = {index: [(one.end_date_time - NOW).days for one in credentials(make_world(index))] for index in (0, 1)}

    assert min(left[0]) > 30
    assert any(days < 0 for days in left[1])
    assert any(0 < days <= 30 for days in left[1])
    assert any(days > 30 for days in left[1])


def test_no_answer_holds_a_secret_or_a_key(make_world: MakeWorld) -> None:
    for application in make_world(1).all("applications"):
        passwords = msgspec.convert(application["passwordCredentials"], list[Json])
        keys = msgspec.convert(application["keyCredentials"], list[Json])
        assert all(one["secretText"] is None for one in passwords)
        assert all(one["key"] is None for one in keys)


def test_the_application_that_reads_the_tenant_is_registered_in_it(make_world: MakeWorld) -> None:
    world = make_world(1)

    ids = [one["appId"] for one in world.all("applications?$select=appId")]

    assert ids[0] == world.state.tenant.client_id
    assert [*ids, GRAPH] == [one["appId"] for one in world.all("servicePrincipals?$select=appId")]
    assert len(set(ids)) == app_registrations.application_count(world.state.tenant)


@pytest.mark.parametrize("path", ["applications", "servicePrincipals", ASSIGNMENTS, "directory/subscriptions"])
def test_pages_of_any_size_give_the_whole_list(make_world: MakeWorld, path: str) -> None:
    world = make_world(1, 1200)

    assert world.all(f"{path}?$top=2") == world.all(path)


def test_the_domains_are_those_the_organization_has_verified(make_world: MakeWorld) -> None:
    world = make_world(2)
    (organization,) = world.all("organization")
    verified = msgspec.convert(organization["verifiedDomains"], list[Json])

    domains = world.all("domains")

    assert [one["id"] for one in domains] == [one["name"] for one in verified]
    assert [one["isDefault"] for one in domains] == [one["isDefault"] for one in verified]


def test_templates_are_the_built_in_definitions(make_world: MakeWorld) -> None:
    world = make_world(ENFORCED)

    templates = {one["id"] for one in world.all("directoryRoleTemplates")}

    assert templates == {one["templateId"] for one in world.all(DEFINITIONS) if one["isBuiltIn"]}
    assert {role["roleTemplateId"] for role in world.all("directoryRoles")} <= templates


def test_equal_seeds_give_equal_lists(make_world: MakeWorld) -> None:
    for path in (ASSIGNMENTS, DEFINITIONS, "applications", "directory/subscriptions"):
        assert make_world(4).raw(path) == make_world(4).raw(path)
        assert make_world(4).raw(path) != make_world(4, seed="another").raw(path) or path == DEFINITIONS
