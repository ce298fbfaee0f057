"""What belongs to users and groups, objects by any id, and the lists that security reviews ask for."""

from __future__ import annotations

import msgspec
import pytest

from graphsim.directory.tenants import Json
from graphsim.protocol.errors import GraphError
from graphsim.protocol.exchange import GraphRequest
from graphsim.reading.graph import answer
from graphsim.world.mutations import Mutation, apply
from tests.unit.graphsim.conftest import SERVICE, MakeWorld, World

NOBODY = "00000000-0000-4000-8000-000000000000"
WITH_P2, BASIC = 4, 3


def refusal(world: World, url: str, *, eventual: bool = False, method: str = "GET") -> tuple[int, str]:
    with pytest.raises(GraphError) as refused:
        world.raw(url, eventual=eventual, method=method)
    return refused.value.status, refused.value.code


def one(world: World, url: str) -> Json:
    return msgspec.json.decode(world.raw(url), type=Json)


def test_every_user_is_found_by_its_principal_name(make_world: MakeWorld) -> None:
    """Whatever the kind of the user, in any case of letters, and past the names that are used once."""
    for size in (120, 6500):
        world = make_world(1, size=size)
        people = world.all("users?$select=id,userPrincipalName&$top=999")
        for person in [*people[:120], *people[-40:]]:
            request = GraphRequest(path=f"users/{str(person['userPrincipalName']).upper()}", service=SERVICE)
            assert msgspec.json.decode(answer(world.state, request).body)["id"] == person["id"]


@pytest.mark.parametrize(
    "name", ["nobody@x.example", "ada.abbott@elsewhere.example", "svc-backup-1@x.example", "@", "a.b@"]
)
def test_a_name_that_nobody_has_is_not_found(make_world: MakeWorld, name: str) -> None:
    assert refusal(make_world(), f"users/{name}") == (404, "Request_ResourceNotFound")


def test_what_a_user_is_in_agrees_with_the_members(make_world: MakeWorld) -> None:
    world = make_world(1, size=120)
    groups = {str(group["id"]) for group in world.all("groups")}
    direct: dict[str, set[str]] = {}
    deep: dict[str, set[str]] = {}
    for group in groups:
        for found, path in ((direct, "members"), (deep, "transitiveMembers")):
            for member in world.all(f"groups/{group}/{path}?$select=id"):
                found.setdefault(str(member["id"]), set()).add(group)

    for number in (0, 3, 4, 7, 30, 60):
        user = world.state.tenant.user_id(number)
        for found, path in ((direct, "memberOf"), (deep, "transitiveMemberOf")):
            told = world.all(f"users/{user}/{path}/microsoft.graph.group?$count=true", eventual=True)
            assert {str(group["id"]) for group in told} == found.get(user, set()), path


def test_groups_tell_what_they_are_in(make_world: MakeWorld) -> None:
    world = make_world()
    sales = world.all("groups?$filter=displayName eq 'Sales'")[0]["id"]
    names = {group["displayName"] for group in world.all(f"groups/{sales}/memberOf")}

    assert names == {"All Company", "CA-Travelers"}
    assert names <= {group["displayName"] for group in world.all(f"groups/{sales}/transitiveMemberOf")}


def test_roles_held_through_a_group_are_transitive(make_world: MakeWorld) -> None:
    world = make_world()
    user = world.state.tenant.user_id(world.state.tenant.helpdesk[0])
    url = f"users/{user}/{{}}/microsoft.graph.directoryRole?$count=true"

    assert world.all(url.format("memberOf"), eventual=True) == []
    assert [role["displayName"] for role in world.all(url.format("transitiveMemberOf"), eventual=True)] == [
        "Helpdesk Administrator"
    ]


def test_microsoft_365_groups_have_an_owner(make_world: MakeWorld) -> None:
    world = make_world()
    owned = {
        str(group["displayName"]): len(world.all(f"groups/{group['id']}/owners"))
        for group in world.all("groups?$filter=startsWith(displayName,'Project') or displayName eq 'Sales'")
    }

    assert owned == {"Sales": 0, "Project Atlas": 1, "Project Beacon": 1, "Project Compass": 1}


def test_the_licences_of_a_user_are_told_with_their_plans(make_world: MakeWorld) -> None:
    world = make_world()
    user = world.all("users?$select=id,assignedLicenses&$filter=accountEnabled eq true&$top=50")[20]

    details = world.all(f"users/{user['id']}/licenseDetails")

    assigned = [licence["skuId"] for licence in list(user["assignedLicenses"])]  # type: ignore[call-overload]  # JSON
    assert [each["skuId"] for each in details] == assigned
    assert all(each["servicePlans"] for each in details)


def test_the_methods_of_a_user_agree_with_the_report(make_world: MakeWorld) -> None:
    world = make_world()
    for line in world.all("reports/authenticationMethods/userRegistrationDetails?$top=60")[:60]:
        methods = world.all(f"users/{line['id']}/authentication/methods")
        kinds = {str(method["@odata.type"]).removeprefix("#microsoft.graph.") for method in methods}
        phone = "mobilePhone" in list(line["methodsRegistered"])  # type: ignore[call-overload]  # JSON
        assert ("phoneAuthenticationMethod" in kinds) is phone
        assert ("passwordAuthenticationMethod" in kinds) is (line["userType"] == "member")


def test_nobody_has_a_manager(make_world: MakeWorld) -> None:
    world = make_world()

    assert refusal(world, f"users/{world.state.tenant.user_id(3)}/manager") == (404, "Request_ResourceNotFound")
    assert refusal(world, f"users/{NOBODY}/memberOf") == (404, "Request_ResourceNotFound")


def test_directory_objects_are_read_whatever_their_type(make_world: MakeWorld) -> None:
    world = make_world()
    lists = ("users", "groups", "directoryRoles", "servicePrincipals")
    expected = {str(world.all(name)[-1]["id"]): name for name in lists}

    types = {one(world, f"directoryObjects/{key}")["@odata.type"] for key in expected}
    body = msgspec.json.encode({"ids": [*expected, NOBODY], "types": ["user", "group"]})
    request = GraphRequest(path="directoryObjects/getByIds", service=SERVICE, method="POST", body=body)
    found = msgspec.json.decode(answer(world.state, request).body)["value"]

    assert types == {f"#microsoft.graph.{name}" for name in ("user", "group", "directoryRole", "servicePrincipal")}
    assert {expected[each["id"]] for each in found} == {"users", "groups"}
    assert refusal(world, f"directoryObjects/{NOBODY}") == (404, "Request_ResourceNotFound")
    assert refusal(world, "directoryObjects/getByIds", method="POST") == (400, "BadRequest")


def test_a_role_is_named_by_its_template_and_an_application_by_its_client_id(make_world: MakeWorld) -> None:
    world = make_world()
    role = world.all("directoryRoles")[0]
    principal = world.all("servicePrincipals")[0]

    named = f"directoryRoles(roleTemplateId='{role['roleTemplateId']}')"
    assert one(world, named)["id"] == role["id"]
    assert world.all(f"{named}/members") == world.all(f"directoryRoles/{role['id']}/members")
    assert one(world, f"servicePrincipals(appId='{principal['appId']}')")["id"] == principal["id"]


def test_members_are_counted(make_world: MakeWorld) -> None:
    world = make_world()
    group = world.all("groups?$filter=displayName eq 'CA-Travelers'")[0]["id"]
    listed = world.all(f"groups/{group}/transitiveMembers")
    guests = world.all("users?$filter=userType eq 'Guest'&$top=999")

    assert int(world.raw(f"groups/{group}/transitiveMembers/$count", eventual=True)) == len(listed)
    assert int(world.raw("users/$count?$filter=userType eq 'Guest'", eventual=True)) == len(guests)


def test_sign_ins_are_recent_and_follow_the_scenario(make_world: MakeWorld) -> None:
    world = make_world(1)
    before = world.all("auditLogs/signIns?$top=50")
    user = world.state.tenant.user_id(20)
    apply(world.state, Mutation(action="sign_in", id=user, set={"kind": "failed"}))

    after = world.all(f"auditLogs/signIns?$filter=userId eq '{user}'")

    assert all(str(each["createdDateTime"]) >= "2026-08-02" for each in before)
    assert [dict(each["status"])["errorCode"] for each in after] == [50126]  # type: ignore[call-overload]  # JSON
    assert refusal(make_world(BASIC), "auditLogs/signIns")[1] == "Authentication_RequestFromNonPremiumTenantOrB2CTenant"


def test_risk_and_pim_need_the_greater_licence(make_world: MakeWorld) -> None:
    rich, basic = make_world(WITH_P2), make_world(BASIC)
    instances = "roleManagement/directory/roleAssignmentScheduleInstances"

    assert {each["riskState"] for each in rich.all("identityProtection/riskyUsers")} == {"atRisk", "remediated"}
    assert len(rich.all(instances)) == len(rich.all("roleManagement/directory/roleAssignments"))
    assert refusal(basic, "identityProtection/riskyUsers") == (403, "Forbidden")
    assert refusal(basic, instances) == (400, "AadPremiumLicenseRequired")


def test_consents_name_principals_that_are_there(make_world: MakeWorld) -> None:
    world = make_world(1)
    principals = {one["id"] for one in world.all("servicePrincipals")}
    first = world.all("servicePrincipals")[0]["id"]
    grants = world.all("oauth2PermissionGrants")
    assigned = world.all(f"servicePrincipals/{first}/appRoleAssignments")

    assert {grant["consentType"] for grant in grants} == {"AllPrincipals", "Principal"}
    assert {grant[name] for grant in grants for name in ("clientId", "resourceId")} <= principals
    assert assigned
    assert {each[name] for each in assigned for name in ("principalId", "resourceId")} <= principals


def test_an_application_has_no_me_and_the_metadata_is_not_simulated(make_world: MakeWorld) -> None:
    world = make_world()

    assert refusal(world, "me") == (400, "BadRequest")
    assert refusal(world, "$metadata") == (501, "NotImplemented")
    assert refusal(world, "policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Fax")[0] == 404
    assert refusal(world, "deviceManagement/managedDevices") == (501, "NotImplemented")
