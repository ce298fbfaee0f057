"""Query options, paging and refusals are Graph's."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphsim.directory.tenants import generate
from graphsim.protocol.errors import GraphError
from graphsim.world.state import TenantState
from tests.unit.graphsim.conftest import NOW, MakeWorld, World

DEFAULT_USER = {
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
}
STATE = TenantState(tenant=generate(seed="tests", index=1, size=60, now=NOW))


def refusal(world: World, url: str, *, eventual: bool = False) -> tuple[int, str]:
    with pytest.raises(GraphError) as refused:
        world.raw(url, eventual=eventual)
    return refused.value.status, refused.value.code


def test_users_come_with_the_default_properties_unless_others_are_selected(make_world: MakeWorld) -> None:
    world = make_world()

    assert all(set(body) == DEFAULT_USER for body in world.get("users").value)
    selected = world.get("users?$select=accountEnabled,EMPLOYEEID").value
    assert all(set(body) == {"accountEnabled", "employeeId"} for body in selected)
    assert selected[0]["employeeId"] is None


def test_the_context_names_what_was_selected(make_world: MakeWorld) -> None:
    world = make_world()

    assert world.get("users?$select=id,mail").context.endswith("/v1.0/$metadata#users(id,mail)")
    assert world.get("groups").context.endswith("/v1.0/$metadata#groups")


def test_selecting_sign_in_activity_brings_the_id_along(make_world: MakeWorld) -> None:
    bodies = make_world().all("users?$select=displayName,signInActivity&$top=500")

    assert {frozenset(body) - {"signInActivity"} for body in bodies} == {frozenset({"displayName", "id"})}


@settings(max_examples=20)
@given(st.integers(1, 70))
def test_pages_of_any_size_give_every_user_once_and_in_order(top: int) -> None:
    pages = list(World(state=STATE).pages(f"users?$select=id&$top={top}"))

    ids = [body["id"] for page in pages for body in page.value]

    assert ids == [STATE.tenant.user_id(number) for number in range(60)]
    assert all(len(page.value) == top for page in pages[:-1])
    assert pages[-1].value


def test_the_default_page_holds_100_and_the_link_keeps_the_query(make_world: MakeWorld) -> None:
    page = make_world().get("users?$select=id,mail")

    assert len(page.value) == 100
    assert page.link is not None
    assert page.link.startswith("https://graph.test/v1.0/users?$select=id,mail&$skiptoken=")


def test_users_removed_between_pages_make_nothing_skip(make_world: MakeWorld) -> None:
    world = make_world(1)
    first = world.get("users?$select=id&$top=50")
    world.state.removed |= {3, 49, 50, 51}
    assert first.link is not None

    rest = [body["id"] for body in world.all(first.link)]

    assert rest == [world.state.tenant.user_id(number) for number in range(52, 200)]


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("users?$top=1000", 400, "Request_UnsupportedQuery"),
        ("users?$top=0", 400, "Request_UnsupportedQuery"),
        ("users?$top=many", 400, "BadRequest"),
        ("users?$select=signInActivity&$top=501", 400, "Request_UnsupportedQuery"),
        ("users?$select=nonsense", 400, "BadRequest"),
        ("users?$select=signInActivity,nonsense", 400, "BadRequest"),
        ("users?$nonsense=1", 400, "BadRequest"),
        ("users?$top=5&$top=6", 400, "BadRequest"),
        ("users?$count=perhaps", 400, "BadRequest"),
        ("users?$skiptoken=made-up", 400, "Directory_ExpiredPageToken"),
        ("users?$select=skills", 501, "NotImplemented"),
        ("users?$apply=aggregate(id with countdistinct as n)", 501, "NotImplemented"),
        ("users?$expand=manager($levels=max)", 501, "NotImplemented"),
        ("nonsense", 400, "BadRequest"),
        ("users/a/b/c", 400, "BadRequest"),
        ("sites", 501, "NotImplemented"),
        ("users/00000000-0000-4000-8000-000000000000", 404, "Request_ResourceNotFound"),
        ("groups/00000000-0000-4000-8000-000000000000/members", 404, "Request_ResourceNotFound"),
        ("directoryRoles/00000000-0000-4000-8000-000000000000/members", 404, "Request_ResourceNotFound"),
        ("subscribedSkus?$top=1", 400, "Request_UnsupportedQuery"),
    ],
)
def test_what_cant_be_had_is_refused_as_graph_does(make_world: MakeWorld, url: str, status: int, code: str) -> None:
    assert refusal(make_world(), url) == (status, code)


def test_custom_query_options_and_the_case_of_names_do_not_matter(make_world: MakeWorld) -> None:
    assert len(make_world().get("USERS?$TOP=3&mine=1").value) == 3


def test_sign_in_activity_pages_hold_500(make_world: MakeWorld) -> None:
    assert len(make_world(1, 600).get("users?$select=signInActivity&$top=500").value) == 500


@pytest.mark.parametrize(
    "url", ["users?$select=id,signInActivity", "reports/authenticationMethods/userRegistrationDetails"]
)
def test_without_a_premium_licence_activity_and_registration_are_refused(make_world: MakeWorld, url: str) -> None:
    world = make_world(3)

    assert refusal(world, url) == (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    assert world.get("users?$select=id").value


def test_the_count_comes_on_page_one_with_the_consistency_header(make_world: MakeWorld) -> None:
    world = make_world()
    url = "users?$count=true&$select=id"

    first, second = world.pages(url, eventual=True)

    assert (first.count, second.count) == (200, None)
    assert world.get(url).count is None


def test_a_cast_without_the_consistency_header_is_refused(make_world: MakeWorld) -> None:
    world = make_world()
    path = f"groups/{world.state.tenant.group_id(0)}/members/microsoft.graph.user"

    assert refusal(world, f"{path}?$count=true") == (400, "Request_UnsupportedQuery")
    assert refusal(world, path, eventual=True) == (400, "Request_UnsupportedQuery")


def test_page_tokens_are_for_one_list_and_can_be_made_to_expire(make_world: MakeWorld) -> None:
    world = make_world()
    link = world.get("users?$top=10").link
    assert link is not None
    token = link.rpartition("=")[2]

    assert refusal(world, f"groups?$skiptoken={token}") == (400, "Directory_ExpiredPageToken")
    assert world.get(link).value
    world.state.page_generation += 1
    assert refusal(world, link) == (400, "Directory_ExpiredPageToken")


def test_single_objects_are_read_by_id(make_world: MakeWorld) -> None:
    world = make_world()
    user_id = world.state.tenant.user_id(5)

    plain = msgspec.json.decode(world.raw(f"users/{user_id}?$select=id,accountEnabled"))

    assert plain == {
        "@odata.context": "https://graph.test/v1.0/$metadata#users/$entity",
        "id": user_id,
        "accountEnabled": True,
    }
    assert msgspec.json.decode(world.raw(f"users('{user_id}')"))["id"] == user_id


def test_writing_is_not_simulated(make_world: MakeWorld) -> None:
    with pytest.raises(GraphError) as refused:
        make_world().raw("users", method="POST")

    assert refused.value.status == 501


def test_without_consent_every_read_is_denied_even_of_unknown_paths(make_world: MakeWorld) -> None:
    world = make_world()
    world.state.consent = False

    for url in ("users", "groups", "nonsense"):
        assert refusal(world, url) == (403, "Authorization_RequestDenied")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("users", "Authorization_RequestDenied"),
        ("subscribedSkus", "Authorization_RequestDenied"),
        ("roleManagement/directory/roleAssignments", "Authorization_RequestDenied"),
        ("identity/conditionalAccess/policies", "AccessDenied"),
        ("identity/conditionalAccess/namedLocations", "AccessDenied"),
        ("policies/identitySecurityDefaultsEnforcementPolicy", "AccessDenied"),
        ("policies/authenticationStrengthPolicies", "accessDenied"),
        ("users/00000000-0000-0000-0000-000000000000/authentication/methods", "accessDenied"),
        ("identityProtection/riskyUsers", "Forbidden"),
        ("reports/authenticationMethods/userRegistrationDetails", "Authentication_MSGraphPermissionMissing"),
        ("AuditLogs/signIns", "Authentication_MSGraphPermissionMissing"),
    ],
)
def test_each_service_has_a_code_of_its_own_for_a_missing_permission(
    make_world: MakeWorld, url: str, code: str
) -> None:
    world = make_world()
    world.state.consent = False

    assert refusal(world, url) == (403, code)
