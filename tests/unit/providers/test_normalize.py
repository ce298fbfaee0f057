"""Graph's payloads in the domain's terms."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.capture import COMPLETE, Edge, NormalizedCapture, Page, ReadOutcome, Resource
from pipeline.domain.conditional_access import (
    AuthenticationStrength,
    ConditionalAccessPolicy,
    DeviceFilter,
    Grant,
    GuestScope,
    IncludeExclude,
    NamedLocation,
    PolicyApplications,
    PolicyUsers,
    SecurityDefaults,
)
from pipeline.domain.entities import (
    Entity,
    EntityType,
    Group,
    Identity,
    License,
    LicenseError,
    RelationshipType,
    Role,
)
from pipeline.errors import ProviderRejectedError
from pipeline.providers.microsoft365.normalize import normalize


def page(resource: Resource, *values: dict[str, Any], parent: str = "") -> Page:
    return Page(resource=resource, body=json.dumps({"value": values}).encode(), parent_id=parent)


def only(capture: NormalizedCapture, kind: EntityType) -> Entity:
    (entity,) = capture.entities[kind].values()
    return entity


def of(resource: Resource, value: dict[str, Any], kind: EntityType) -> Entity:
    return only(normalize([page(resource, value)], {}), kind)


NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)

USERS = [
    pytest.param({"id": "u"}, Identity(id="u", user_principal_name=""), id="nothing but an id"),
    pytest.param(
        {
            "id": "u",
            "userPrincipalName": None,
            "displayName": None,
            "accountEnabled": None,
            "userType": None,
            "createdDateTime": None,
            "signInActivity": None,
            "assignedLicenses": None,
            "licenseAssignmentStates": None,
        },
        Identity(id="u", user_principal_name=""),
        id="all null",
    ),
    pytest.param(
        {
            "id": "u",
            "userPrincipalName": "u@example.com",
            "displayName": "U",
            "accountEnabled": False,
            "userType": "Guest",
            "createdDateTime": "2026-01-02T12:00:00Z",
            "signInActivity": {
                "lastSignInDateTime": "2026-01-02T14:00:00+02:00",
                "lastNonInteractiveSignInDateTime": "2026-01-02T12:00:00.0000001Z",
                "lastSuccessfulSignInDateTime": None,
                "lastSignInRequestId": "r",
            },
            "assignedLicenses": [{"skuId": "b", "disabledPlans": []}, {"skuId": "a"}, {"skuId": "b"}],
            "licenseAssignmentStates": [{"skuId": "b", "state": "Active", "error": "None", "disabledPlans": []}],
            "onPremisesSyncEnabled": True,
            "somethingNew": {"of": ["Microsoft"]},
        },
        Identity(
            id="u",
            user_principal_name="u@example.com",
            display_name="U",
            enabled=False,
            user_type="Guest",
            created_at=NOON,
            last_sign_in_attempt_at=NOON,
            last_non_interactive_attempt_at=NOON,
            sku_ids=("a", "b"),
            license_errors=(),
            on_premises_synced=True,
        ),
        id="everything",
    ),
    pytest.param(
        {"id": "u", "onPremisesSyncEnabled": None},
        Identity(id="u", user_principal_name="", on_premises_synced=False),
        id="null means never synchronized",
    ),
    pytest.param(
        {"id": "u", "signInActivity": {"lastSignInDateTime": "0001-01-01T00:00:00Z"}},
        Identity(id="u", user_principal_name=""),
        id="year one is no date",
    ),
    pytest.param(
        {"id": "u", "createdDateTime": "2026-01-02T12:00:00"},
        Identity(id="u", user_principal_name="", created_at=NOON),
        id="no offset is UTC",
    ),
]


@pytest.mark.parametrize(("payload", "expected"), USERS)
def test_a_user_becomes_an_identity(payload: dict[str, Any], expected: Identity) -> None:
    assert of(Resource.USERS, payload, EntityType.IDENTITIES) == expected


def assigned(sku: str, state: str | None, error: str | None, group: str | None = None) -> dict[str, Any]:
    """An entry of ``licenseAssignmentStates`` as Graph has it."""
    return {
        "skuId": sku,
        "assignedByGroup": group,
        "disabledPlans": [],
        "state": state,
        "error": error,
        "lastUpdatedDateTime": "2026-01-02T12:00:00Z",
    }


def failed(*errors: tuple[str, str]) -> tuple[LicenseError, ...]:
    return tuple(LicenseError(sku_id=sku, code=code) for sku, code in errors)


ASSIGNMENTS = [
    pytest.param([], (), id="no licence, no error"),
    pytest.param([assigned("a", "Active", "None"), assigned("b", "Disabled", None)], (), id="no state of error"),
    pytest.param([assigned("a", None, "CountViolation")], (), id="no state at all"),
    pytest.param([assigned("a", "Error", "CountViolation")], failed(("a", "CountViolation")), id="not assigned"),
    pytest.param(
        [assigned("a", "ActiveWithError", "DependencyViolation")],
        failed(("a", "DependencyViolation")),
        id="assigned with an error",
    ),
    pytest.param(
        [assigned(sku, "Error", error) for sku, error in (("a", None), ("b", "None"), ("c", ""), ("d", "Others"))],
        failed(("a", "Other"), ("b", "Other"), ("c", "Other"), ("d", "Other")),
        id="no code is one of the others",
    ),
    pytest.param([assigned("a", "Error", "NewViolation")], failed(("a", "NewViolation")), id="a code nobody knows yet"),
    pytest.param(
        [
            assigned("b", "Error", "CountViolation", "g"),
            assigned("a", "Active", "None"),
            assigned("a", "Error", "MutuallyExclusiveViolation", "g"),
            assigned("b", "Error", "CountViolation", "h"),
            assigned("b", "Error", "DependencyViolation", "i"),
        ],
        failed(("a", "MutuallyExclusiveViolation"), ("b", "CountViolation"), ("b", "DependencyViolation")),
        id="sorted, and several groups failing alike are one",
    ),
]


@pytest.mark.parametrize(("states", "expected"), ASSIGNMENTS)
def test_licence_assignments_in_error_are_kept_with_their_codes(
    states: list[dict[str, Any]], expected: tuple[LicenseError, ...]
) -> None:
    found = of(Resource.USERS, {"id": "u", "licenseAssignmentStates": states}, EntityType.IDENTITIES)

    assert found == Identity(id="u", user_principal_name="", license_errors=expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("\0Jo\0\0hn", "John"), ("Jo\\\0hn", "Jo\\hn"), ("Jo\\u0000hn", "Jo\\u0000hn"), ("Jo\\\\u0000", "Jo\\\\u0000")],
)
def test_a_name_loses_the_characters_postgresql_cannot_store_and_no_other(name: str, expected: str) -> None:
    found = of(Resource.USERS, {"id": "u", "displayName": name}, EntityType.IDENTITIES)

    assert found == Identity(id="u", display_name=expected, user_principal_name="")


def test_registration_details_complete_the_identity_they_name() -> None:
    details = page(Resource.REGISTRATION_DETAILS, {"id": "u", "isMfaRegistered": True, "isMfaCapable": False})
    capture = normalize([details, page(Resource.USERS, {"id": "u"}, {"id": "v"})], {})
    identities = capture.entities[EntityType.IDENTITIES]
    expected = Identity(id="u", user_principal_name="", mfa_registered=True, mfa_capable=False)
    assert identities == {"u": expected, "v": Identity(id="v", user_principal_name="")}


OTHERS = [
    pytest.param(
        Resource.GROUPS,
        {"id": "g", "displayName": "G", "securityEnabled": True, "isAssignableToRole": None},
        EntityType.GROUPS,
        Group(id="g", display_name="G", security_enabled=True),
        id="group",
    ),
    pytest.param(
        Resource.DIRECTORY_ROLES,
        {"id": "object", "roleTemplateId": "template", "displayName": "R"},
        EntityType.ROLES,
        Role(id="template", display_name="R"),
        id="role, by its template",
    ),
    pytest.param(
        Resource.NAMED_LOCATIONS,
        {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "l", "displayName": "Office", "isTrusted": True},
        EntityType.NAMED_LOCATIONS,
        NamedLocation(id="l", display_name="Office", trusted=True),
        id="ip location",
    ),
    pytest.param(
        Resource.NAMED_LOCATIONS,
        {"@odata.type": "#microsoft.graph.countryNamedLocation", "id": "l", "countriesAndRegions": ["CH"]},
        EntityType.NAMED_LOCATIONS,
        NamedLocation(id="l"),
        id="country location",
    ),
    pytest.param(
        Resource.AUTHENTICATION_STRENGTHS,
        {"id": "s", "displayName": "MFA", "requirementsSatisfied": "mfa,unknownFutureValue"},
        EntityType.AUTHENTICATION_STRENGTHS,
        AuthenticationStrength(id="s", display_name="MFA", requirements_satisfied="mfa"),
        id="strength",
    ),
    pytest.param(
        Resource.AUTHENTICATION_STRENGTHS,
        {"id": "s", "requirementsSatisfied": None},
        EntityType.AUTHENTICATION_STRENGTHS,
        AuthenticationStrength(id="s"),
        id="strength that satisfies nothing",
    ),
    pytest.param(
        Resource.SECURITY_DEFAULTS,
        {"id": "d", "isEnabled": True},
        EntityType.SECURITY_DEFAULTS,
        SecurityDefaults(id="d", enabled=True),
        id="security defaults",
    ),
    pytest.param(
        Resource.SKUS,
        {
            "id": "tenant_sku",
            "skuId": "sku",
            "skuPartNumber": "ENTERPRISEPACK",
            "appliesTo": "Company",
            "capabilityStatus": "Warning",
            "consumedUnits": 5,
            "prepaidUnits": {"enabled": 3, "warning": 2, "suspended": 1, "lockedOut": 0},
            "servicePlans": [{"servicePlanId": "p2"}, {"servicePlanId": "p1"}],
        },
        EntityType.LICENSES,
        License(
            id="sku",
            part_number="ENTERPRISEPACK",
            applies_to="Company",
            capability_status="Warning",
            consumed_units=5,
            enabled_units=3,
            warning_units=2,
            suspended_units=1,
            service_plan_ids=("p1", "p2"),
        ),
        id="sku",
    ),
    pytest.param(
        Resource.SKUS,
        {"skuId": "sku", "prepaidUnits": None, "servicePlans": None},
        EntityType.LICENSES,
        License(id="sku"),
        id="sku of nulls",
    ),
]


@pytest.mark.parametrize(("resource", "payload", "kind", "expected"), OTHERS)
def test_an_object_becomes_its_entity(
    resource: Resource, payload: dict[str, Any], kind: EntityType, expected: Entity
) -> None:
    assert of(resource, payload, kind) == expected


POLICIES = [
    pytest.param({}, ConditionalAccessPolicy(id="p"), id="nothing but an id"),
    pytest.param(
        {"displayName": None, "state": None, "conditions": None, "grantControls": None, "sessionControls": {}},
        ConditionalAccessPolicy(id="p"),
        id="all null",
    ),
    pytest.param(
        {"state": "enabledForReportingButNotEnforced", "createdDateTime": "2026-01-02T12:00:00Z"},
        ConditionalAccessPolicy(id="p", state="enabledForReportingButNotEnforced", created_at=NOON),
        id="report only",
    ),
    pytest.param(
        {
            "conditions": {
                "users": {
                    "includeUsers": ["All"],
                    "excludeUsers": ["u"],
                    "includeGroups": ["g"],
                    "excludeGroups": ["h"],
                    "includeRoles": ["r"],
                    "excludeRoles": ["s"],
                    "includeGuestsOrExternalUsers": {
                        "guestOrExternalUserTypes": "internalGuest, b2bCollaborationGuest",
                        "externalTenants": {"membershipKind": "enumerated", "members": ["t"]},
                    },
                    "excludeGuestsOrExternalUsers": {
                        "guestOrExternalUserTypes": "serviceProvider",
                        "externalTenants": {"membershipKind": "all"},
                    },
                }
            }
        },
        ConditionalAccessPolicy(
            id="p",
            users=PolicyUsers(
                include_users=("All",),
                exclude_users=("u",),
                include_groups=("g",),
                exclude_groups=("h",),
                include_roles=("r",),
                exclude_roles=("s",),
                include_guests=GuestScope(kinds=("internalGuest", "b2bCollaborationGuest"), external_tenant_ids=("t",)),
                exclude_guests=GuestScope(kinds=("serviceProvider",)),
            ),
        ),
        id="users and guests",
    ),
    pytest.param(
        {
            "conditions": {
                "applications": {
                    "includeApplications": ["Office365"],
                    "excludeApplications": ["a"],
                    "includeUserActions": ["urn:user:registersecurityinfo"],
                    "includeAuthenticationContextClassReferences": ["c1"],
                    "applicationFilter": {"mode": "include", "rule": "x"},
                },
                "clientAppTypes": ["exchangeActiveSync", "other"],
                "platforms": {"includePlatforms": ["all"], "excludePlatforms": ["iOS"]},
                "locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]},
                "devices": {"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True"}},
                "signInRiskLevels": ["high"],
                "userRiskLevels": ["medium"],
                "insiderRiskLevels": "minor,elevated",
                "servicePrincipalRiskLevels": ["low"],
                "authenticationFlows": {"transferMethods": "deviceCodeFlow,authenticationTransfer"},
                "clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]},
            }
        },
        ConditionalAccessPolicy(
            id="p",
            applications=PolicyApplications(
                include=("Office365",),
                exclude=("a",),
                user_actions=("urn:user:registersecurityinfo",),
                authentication_contexts=("c1",),
                filter_mode="include",
                filter_rule="x",
            ),
            client_app_types=("exchangeActiveSync", "other"),
            platforms=IncludeExclude(include=("all",), exclude=("iOS",)),
            locations=IncludeExclude(include=("All",), exclude=("AllTrusted",)),
            device_filter=DeviceFilter(mode="exclude", rule="device.isCompliant -eq True"),
            sign_in_risk_levels=("high",),
            user_risk_levels=("medium",),
            insider_risk_levels=("minor", "elevated"),
            service_principal_risk_levels=("low",),
            authentication_flows=("deviceCodeFlow", "authenticationTransfer"),
            workload_identities_only=True,
        ),
        id="all other conditions",
    ),
    pytest.param(
        {"conditions": {"authenticationFlows": {"transferMethods": "none"}, "clientApplications": {}}},
        ConditionalAccessPolicy(id="p"),
        id="the flag of no flags",
    ),
    pytest.param(
        {
            "grantControls": {
                "operator": "AND",
                "builtInControls": ["mfa", "compliantDevice"],
                "customAuthenticationFactors": ["f"],
                "termsOfUse": ["t"],
                "authenticationStrength": {"id": "s", "allowedCombinations": ["fido2"], "requirementsSatisfied": "mfa"},
            }
        },
        ConditionalAccessPolicy(
            id="p",
            grant=Grant(
                operator="AND",
                built_in_controls=("mfa", "compliantDevice"),
                custom_controls=("f",),
                terms_of_use=("t",),
                authentication_strength_id="s",
                authentication_strength_satisfies="mfa",
            ),
        ),
        id="grant",
    ),
    pytest.param(
        {"grantControls": {"operator": None, "builtInControls": ["block"], "authenticationStrength": None}},
        ConditionalAccessPolicy(id="p", grant=Grant(built_in_controls=("block",))),
        id="block",
    ),
    pytest.param(
        {"grantControls": {"operator": "AND", "builtInControls": [], "termsOfUse": []}},
        ConditionalAccessPolicy(id="p"),
        id="a grant of no controls demands nothing",
    ),
]


@pytest.mark.parametrize(("payload", "expected"), POLICIES)
def test_a_policy_keeps_every_condition(payload: dict[str, Any], expected: ConditionalAccessPolicy) -> None:
    assert of(Resource.POLICIES, {"id": "p"} | payload, EntityType.POLICIES) == expected


TENANT = (
    page(Resource.USERS, {"id": "u", "assignedLicenses": [{"skuId": "k2"}, {"skuId": "k1"}]}, {"id": "v"}),
    page(Resource.USERS, {"id": "w", "displayName": "first"}),
    page(Resource.USERS, {"id": "w", "displayName": "second"}),
    page(Resource.USERS),
    page(Resource.GROUPS, {"id": "g"}, {"id": "h"}),
    page(
        Resource.GROUP_MEMBERS,
        {"@odata.type": "#microsoft.graph.user", "id": "u"},
        {"@odata.type": "#microsoft.graph.device", "id": "x"},
        {"@odata.type": "#microsoft.graph.servicePrincipal", "id": "y"},
        {"@odata.type": "#microsoft.graph.orgContact", "id": "z"},
        parent="g",
    ),
    page(
        Resource.GROUP_MEMBERS,
        {"@odata.type": "#microsoft.graph.group", "id": "h"},
        {"@odata.type": "#microsoft.graph.user", "id": "u"},
        {"id": "v"},
        {"id": "nobody"},
        parent="g",
    ),
    page(Resource.DIRECTORY_ROLES, {"id": "object", "roleTemplateId": "template"}),
    page(Resource.ROLE_MEMBERS, {"@odata.type": "#microsoft.graph.user", "id": "v"}, parent="object"),
    page(Resource.ROLE_MEMBERS, {"@odata.type": "#microsoft.graph.user", "id": "v"}, parent="unread role"),
    page(
        Resource.POLICIES,
        {
            "id": "p",
            "conditions": {
                "users": {
                    "includeUsers": ["All", "None", "GuestsOrExternalUsers", "u", "u"],
                    "includeGroups": ["g"],
                    "includeRoles": ["template"],
                    "excludeUsers": ["v"],
                }
            },
        },
    ),
)


def _edge(kind: RelationshipType, parent: tuple[EntityType, str], child: tuple[EntityType, str]) -> Edge:
    return Edge(type=kind, parent_type=parent[0], parent_id=parent[1], child_type=child[0], child_id=child[1])


def test_edges_link_users_groups_roles_licenses_and_policies() -> None:
    edges = normalize(TENANT, {}).edges
    user, group, role = EntityType.IDENTITIES, EntityType.GROUPS, EntityType.ROLES
    member, license_, policy = RelationshipType.MEMBER_OF, EntityType.LICENSES, EntityType.POLICIES
    applies = RelationshipType.POLICY_APPLIES_TO
    assert set(edges[member]) == {
        _edge(member, (group, "g"), (user, "u")),
        _edge(member, (group, "g"), (user, "v")),
        _edge(member, (group, "g"), (group, "h")),
    }
    assert edges[RelationshipType.ASSIGNED_ROLE] == (
        _edge(RelationshipType.ASSIGNED_ROLE, (role, "template"), (user, "v")),
    )
    assert edges[RelationshipType.HAS_LICENSE] == tuple(
        _edge(RelationshipType.HAS_LICENSE, (license_, sku), (user, "u")) for sku in ("k1", "k2")
    )
    assert set(edges[applies]) == {
        _edge(applies, (policy, "p"), (user, "u")),
        _edge(applies, (policy, "p"), (group, "g")),
        _edge(applies, (policy, "p"), (role, "template")),
    }


@settings(max_examples=50)
@given(st.permutations(TENANT))
def test_the_order_of_pages_does_not_matter(pages: list[Page]) -> None:
    expected, found = normalize(TENANT, {}), normalize(pages, {})
    assert found == expected
    assert [list(kind) for kind in found.entities.values()] == [list(kind) for kind in expected.entities.values()]


def test_an_object_that_paging_repeats_is_one_entity() -> None:
    identities = normalize(TENANT, {}).entities[EntityType.IDENTITIES]
    assert sorted(identities) == ["u", "v", "w"]


def test_outcomes_stay_as_the_reader_gave_them() -> None:
    outcomes = {
        Resource.USERS: COMPLETE,
        Resource.SIGN_IN_ACTIVITY: ReadOutcome(complete=False, reason="no premium licence"),
    }
    assert normalize([page(Resource.USERS, {"id": "u"})], outcomes).outcomes == outcomes


@pytest.mark.parametrize(
    "body",
    [b'{"value":[{"id":7}]}', b'{"value":{}}', b"[]", b'{"value":[{"id":"u"', b'{"value":[{"id":"\xff"}]}'],
)
def test_a_page_of_another_shape_is_refused_naming_the_list_and_no_value(body: bytes) -> None:
    with pytest.raises(ProviderRejectedError, match="users") as caught:
        normalize([Page(resource=Resource.USERS, body=body)], {})
    assert "7" not in str(caught.value)
