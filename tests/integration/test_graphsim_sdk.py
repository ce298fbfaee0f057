"""Microsoft's own Python client against the simulator: it signs in, pages, reads types, batches and sees errors.

What comes back is compared with what the generator made, so every value went through Microsoft's deserializers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime

import pytest

from graphsim.directory import app_registrations, roles
from graphsim.directory.population import DISABLED
from graphsim.directory.postures import PolicySet
from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig
from graphsim.world import membership
from tests.microsoft_client import Session, Untyped, signing_in, with_query

CONFIG = SimulatorConfig(seed="sdk", tenants=7, users=120, now=datetime(2026, 9, 1, tzinfo=UTC))
ENFORCED, TRUSTED_LOCATIONS, BASIC, WITH_P2 = 0, 1, 3, 4
pytestmark = pytest.mark.filterwarnings(
    "ignore:GetQueryParameters is deprecated:DeprecationWarning",  # both are in the SDK's own modules
    "ignore:This class is deprecated. Please use the generic RequestConfiguration:DeprecationWarning",
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    with RunningSimulator(CONFIG, tmp_path_factory.mktemp("graphsim")) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def sign_in(running: RunningSimulator) -> Iterator[Callable[[int], Session]]:
    with signing_in(running) as opened:
        yield opened


def users(session: Session, **chosen: object) -> Awaitable[Untyped]:
    builder = session.client.users
    told: Awaitable[Untyped] = builder.get(with_query(builder, "UsersRequestBuilderGetQueryParameters", **chosen))
    return told


def test_users_are_paged_with_typed_values(sign_in: Callable[[int], Session]) -> None:
    session = sign_in(TRUSTED_LOCATIONS)
    chosen = ["id", "userPrincipalName", "accountEnabled", "createdDateTime", "assignedLicenses", "signInActivity"]

    found = session.pages(users(session, top=25, select=chosen))

    made = [session.state.user(number) for number in range(120)]
    assert [user.id for user in found] == [user["id"] for user in made]
    assert [user.account_enabled for user in found] == [user["accountEnabled"] for user in made]
    assert [user.created_date_time for user in found] == [
        datetime.fromisoformat(str(user["createdDateTime"])) for user in made
    ]
    assert [[str(one.sku_id) for one in user.assigned_licenses] for user in found] == [
        list(session.state.tenant.persona(number).sku_ids) for number in range(120)
    ]
    assert sum(user.sign_in_activity is not None for user in found) > 60


def test_filtered_and_counted_users(sign_in: Callable[[int], Session]) -> None:
    session = sign_in(TRUSTED_LOCATIONS)
    disabled = sum(session.state.tenant.persona(number).kind in DISABLED for number in range(120))

    page = session.run(users(session, filter="accountEnabled ne true", count=True, top=999))
    plain = session.pages(users(session, filter="accountEnabled eq false", top=3))

    assert page.odata_count == len(page.value) == len(plain) == disabled > 3


def test_groups_and_their_members(sign_in: Callable[[int], Session]) -> None:
    session = sign_in(ENFORCED)
    groups = {group.display_name: group for group in session.pages(session.client.groups.get())}
    travelers = session.client.groups.by_group_id(groups["CA-Travelers"].id)

    direct = session.pages(travelers.members.get())
    deep = session.pages(travelers.transitive_members.get())

    number = session.state.tenant.group_number(groups["CA-Travelers"].id)
    assert number is not None
    assert {type(member).__name__ for member in direct} == {"User", "Group"}
    assert len(deep) == len(membership.transitive_groups(session.state, number)) + len(
        list(membership.transitive_users(session.state, number))
    )
    assert groups["Project Atlas"].group_types == ["Unified"]
    assert groups["All Guests"].membership_rule == '(user.userType -eq "Guest")'


def test_conditional_access_comes_with_the_sdks_enumerations(sign_in: Callable[[int], Session]) -> None:
    from msgraph.generated.models.conditional_access_grant_control import (  # noqa: PLC0415 - loads for long
        ConditionalAccessGrantControl,
    )
    from msgraph.generated.models.conditional_access_policy_state import (  # noqa: PLC0415 - loads for long
        ConditionalAccessPolicyState,
    )

    session = sign_in(ENFORCED)
    access = session.client.identity.conditional_access
    policies = session.pages(access.policies.get())
    locations = session.run(access.named_locations.get()).value

    made = session.state.policies()
    assert [policy.display_name for policy in policies] == [policy["displayName"] for policy in made]
    assert {policy.state for policy in policies} <= set(ConditionalAccessPolicyState)
    controls = {
        control for policy in policies if policy.grant_controls for control in policy.grant_controls.built_in_controls
    }
    assert {ConditionalAccessGrantControl.Mfa, ConditionalAccessGrantControl.Block} <= controls
    assert [type(location).__name__ for location in locations] == ["IpNamedLocation"] * 2 + ["CountryNamedLocation"]
    assert locations[0].ip_ranges[0].cidr_address.endswith("/28")


def test_policies_of_the_tenant(sign_in: Callable[[int], Session]) -> None:
    from msgraph.generated.models.authentication_method_modes import (  # noqa: PLC0415 - loads for long
        AuthenticationMethodModes,
    )

    session = sign_in(BASIC)
    policies = session.client.policies
    defaults = session.run(policies.identity_security_defaults_enforcement_policy.get())
    strengths = session.run(policies.authentication_strength_policies.get()).value
    methods = session.run(policies.authentication_methods_policy.get())
    outside = session.run(policies.cross_tenant_access_policy.default.get())

    assert defaults.is_enabled is (session.state.tenant.posture.policy_set is PolicySet.SECURITY_DEFAULTS) is True
    assert AuthenticationMethodModes.Fido2 in strengths[2].allowed_combinations
    kinds = {
        type(one).__name__.removesuffix("AuthenticationMethodConfiguration")
        for one in methods.authentication_method_configurations
    }
    assert {"MicrosoftAuthenticator", "Sms", "TemporaryAccessPass"} <= kinds
    assert outside.is_service_default is True


def test_roles_and_who_holds_them(sign_in: Callable[[int], Session]) -> None:
    session = sign_in(TRUSTED_LOCATIONS)
    directory = session.client.role_management.directory
    active = session.run(session.client.directory_roles.get()).value
    members = session.run(session.client.directory_roles.by_directory_role_id(active[0].id).members.get()).value
    definitions = {one.id: one.display_name for one in session.pages(directory.role_definitions.get())}
    assignments = session.pages(directory.role_assignments.get())

    plan = roles.role_plans(session.state.tenant)[0]
    assert active[0].role_template_id == plan.template_id
    assert [member.id for member in members] == [session.state.tenant.user_id(number) for number in plan.users]
    assert definitions[plan.template_id] == "Global Administrator"
    assert {one.role_definition_id for one in assignments} <= definitions.keys()
    assert {one.principal_id for one in assignments} >= {member.id for member in members}


def test_purchases_organization_and_domains(sign_in: Callable[[int], Session]) -> None:
    session = sign_in(TRUSTED_LOCATIONS)
    skus = session.run(session.client.subscribed_skus.get()).value
    organization = session.run(session.client.organization.get()).value[0]
    domains = session.run(session.client.domains.get()).value

    made = session.state.skus()
    assert [sku.sku_part_number for sku in skus] == [sku["skuPartNumber"] for sku in made]
    assert [sku.consumed_units for sku in skus] == [sku["consumedUnits"] for sku in made]
    assert str(skus[0].service_plans[0].service_plan_id)
    assert (organization.id, organization.display_name) == (session.state.tenant.id, session.state.tenant.name)
    assert {domain.id for domain in domains} == {one.name for one in organization.verified_domains}


def test_applications_and_their_credentials(sign_in: Callable[[int], Session]) -> None:
    session = sign_in(TRUSTED_LOCATIONS)
    applications = session.pages(session.client.applications.get())
    tenant = session.state.tenant

    assert len(applications) == app_registrations.application_count(tenant)
    ends = [secret.end_date_time for one in applications for secret in one.password_credentials]
    assert any(end < tenant.now for end in ends), "untidy tenants keep expired secrets"


def test_the_registration_report(sign_in: Callable[[int], Session]) -> None:
    from msgraph.generated.models.sign_in_user_type import SignInUserType  # noqa: PLC0415 - loads for long

    session = sign_in(TRUSTED_LOCATIONS)
    lines = session.pages(session.client.reports.authentication_methods.user_registration_details.get())

    assert len(lines) == sum(session.state.tenant.persona(number).kind not in DISABLED for number in range(120))
    assert {line.user_type for line in lines} == {SignInUserType.Member, SignInUserType.Guest}
    assert all(line.is_mfa_registered for line in lines if line.is_mfa_capable)


def test_what_belongs_to_one_user(sign_in: Callable[[int], Session]) -> None:
    session = sign_in(WITH_P2)
    person = session.client.users.by_user_id(str(session.state.user(30)["userPrincipalName"]))

    found = session.run(person.get())
    inside = session.run(person.member_of.get()).value
    licences = session.run(person.license_details.get()).value
    methods = session.run(person.authentication.methods.get()).value

    assert found.id == session.state.tenant.user_id(30)
    assert {one.id for one in inside} >= {
        session.state.tenant.group_id(number) for number in membership.groups_with_user(session.state, 30)
    }
    assert [str(one.sku_id) for one in licences] == list(session.state.tenant.persona(30).sku_ids)
    assert "PasswordAuthenticationMethod" in {type(method).__name__ for method in methods}


def test_risk_sign_ins_and_consents(sign_in: Callable[[int], Session]) -> None:
    from msgraph.generated.models.risk_state import RiskState  # noqa: PLC0415 - loads for long

    session = sign_in(WITH_P2)
    risky = session.pages(session.client.identity_protection.risky_users.get())
    sign_ins = session.pages(session.client.audit_logs.sign_ins.get())
    grants = session.run(session.client.oauth2_permission_grants.get()).value

    assert {one.risk_state for one in risky} <= {RiskState.AtRisk, RiskState.Remediated}
    assert all(one.status.error_code in {0, 50126} for one in sign_ins)
    assert len(sign_ins) > 50
    assert grants[0].consent_type == "AllPrincipals"


def test_a_round_of_delta(sign_in: Callable[[int], Session]) -> None:
    session = sign_in(BASIC)

    async def whole_round() -> tuple[list[str], str]:
        page = await session.client.users.delta.get()
        ids = [user.id for user in page.value]
        while page.odata_next_link:
            page = await session.client.users.delta.with_url(page.odata_next_link).get()
            ids += [user.id for user in page.value]
        return ids, page.odata_delta_link

    ids, link = session.run(whole_round())
    again = session.run(session.client.users.delta.with_url(link).get())

    assert sorted(ids) == sorted(session.state.tenant.user_id(number) for number in range(120))
    assert session.pages(session.client.users.delta.get())[0].id == ids[0]
    assert again.value == []


def test_a_batch(sign_in: Callable[[int], Session]) -> None:
    """By status only: the SDK leaves the bodies out of what it reads (msgraph-core 1.5.2)."""
    from msgraph_core.requests.batch_request_content import BatchRequestContent  # noqa: PLC0415 - loads for long
    from msgraph_core.requests.batch_request_item import BatchRequestItem  # noqa: PLC0415 - loads for long

    session = sign_in(BASIC)
    content = BatchRequestContent()
    for key, builder in (("1", session.client.organization), ("2", session.client.users.by_user_id("nobody"))):
        content.add_request(key, BatchRequestItem(builder.to_get_request_information(), key))

    answer = session.run(session.client.batch.post(content))

    assert answer.get_response_status_codes() == {"1": 200, "2": 404}


@pytest.mark.parametrize(
    ("tenant", "ask", "status", "code"),
    [
        (BASIC, lambda client: client.users.by_user_id("nobody").get(), 404, "Request_ResourceNotFound"),
        (BASIC, lambda client: client.me.get(), 400, "BadRequest"),
        (
            BASIC,
            lambda client: client.role_management.directory.role_assignment_schedule_instances.get(),
            400,
            "AadPremiumLicenseRequired",
        ),
        (
            BASIC,
            lambda client: client.audit_logs.sign_ins.get(),
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        ),
        (BASIC, lambda client: client.contacts.get(), 501, "NotImplemented"),
    ],
)
def test_errors_come_as_the_sdks_error_with_graphs_code(
    sign_in: Callable[[int], Session], tenant: int, ask: Callable[[Untyped], Awaitable[Untyped]], status: int, code: str
) -> None:
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError  # noqa: PLC0415 - loads for long

    session = sign_in(tenant)
    with pytest.raises(ODataError) as refused:
        session.run(ask(session.client))

    assert (refused.value.response_status_code, refused.value.error.code) == (status, code)
    assert refused.value.error.inner_error.request_id
