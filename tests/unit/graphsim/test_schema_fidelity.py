"""What the simulator serves is of Microsoft's types: every property by name, type, null and enumerated value.

``tests/microsoft_schema.txt`` holds Microsoft's side: https://graph.microsoft.com/v1.0/$metadata.
"""

from __future__ import annotations

import msgspec
import pytest

from graphsim.directory.tenants import Json
from graphsim.reading.collection import KEY, Collection
from graphsim.reading.lists import COLLECTIONS
from tests.microsoft_schema import schema, violations
from tests.unit.graphsim.conftest import MakeWorld, World

POSTURES = range(7)
ABSTRACT = "authenticationMethod"
"""Every object is of a type that adds properties."""
P2_TYPES = ("unifiedRoleEligibilityScheduleInstance", "unifiedRoleAssignmentScheduleInstance", "riskyUser")
PLACES = {"/".join(collection.path): collection for collection in COLLECTIONS}
SINGLE = {
    "policies/identitySecurityDefaultsEnforcementPolicy": "identitySecurityDefaultsEnforcementPolicy",
    "policies/authorizationPolicy": "authorizationPolicy",
    "policies/adminConsentRequestPolicy": "adminConsentRequestPolicy",
    "policies/authenticationMethodsPolicy": "authenticationMethodsPolicy",
    "policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Sms": "authenticationMethodConfiguration",
    "policies/crossTenantAccessPolicy/default": "crossTenantAccessPolicyConfigurationDefault",
}


def served(world: World, collection: Collection) -> list[Json]:
    """Objects with every property the simulator knows of, of the list or of each of its parents.

    Members come as they do by default: they are of several types.
    """
    premium = world.state.tenant.posture.premium
    select = sorted(collection.shape.known - (frozenset() if premium else {"signInActivity"}))
    query = "" if collection.members or collection.shape.name == ABSTRACT else f"?$select={','.join(select)}"
    paths = ["/".join(collection.path)]
    if KEY in collection.path:
        parents = world.all("/".join(collection.path[: collection.path.index(KEY)]))
        paths = [paths[0].replace(KEY, str(parent["id"])) for parent in parents[:12]]
    return [body for path in paths for body in world.all(path + query)]


def is_refused(world: World, collection: Collection) -> bool:
    """Reports need a premium licence, risk and PIM the greater one."""
    plans = {plan for product in world.state.products for plan, _ in product.plans}
    reports = {"reports", "auditLogs"} & set(collection.path) and not world.state.tenant.posture.premium
    return bool(reports) or (collection.shape.name in P2_TYPES and P2_PLAN not in plans)


P2_PLAN = "eec0eb4f-6444-4f95-aba0-50c24d67f998"


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("posture", POSTURES)
def test_a_list_holds_objects_of_microsofts_type(make_world: MakeWorld, posture: int, path: str) -> None:
    world, collection = make_world(posture, size=120), PLACES[path]
    if is_refused(world, collection):
        return
    name = collection.shape.name

    found = [told for body in served(world, collection) for told in violations(name, body)]

    assert found == []


@pytest.mark.parametrize("path", SINGLE)
@pytest.mark.parametrize("posture", POSTURES)
def test_a_single_object_is_of_microsofts_type(make_world: MakeWorld, posture: int, path: str) -> None:
    body = msgspec.json.decode(make_world(posture, size=20).raw(path))

    assert list(violations(SINGLE[path], body)) == []


@pytest.mark.parametrize("path", PLACES)
def test_what_the_simulator_knows_of_a_type_is_in_microsofts_type(path: str) -> None:
    shape = PLACES[path].shape
    name = shape.type_name.removeprefix("microsoft.graph.")
    if name == "directoryObject":
        return  # members are users and groups, each with its own properties
    named = shape.known | shape.empty | shape.elsewhere | shape.unmodeled
    assert named <= schema().types[name].keys()


@pytest.mark.parametrize(
    ("type_name", "body"),
    [
        ("user", {"id": "x", "accountEnable": True}),
        ("user", {"id": None}),
        ("user", {"accountEnabled": "true"}),
        ("user", {"assignedLicenses": {"skuId": "x"}}),
        ("user", {"createdDateTime": "2026-01-01"}),
        ("conditionalAccessPolicy", {"state": "reportOnly"}),
        ("authenticationStrengthPolicy", {"allowedCombinations": ["password,carrierPigeon"]}),
        ("subscribedSku", {"consumedUnits": True}),
    ],
)
def test_what_is_not_of_the_type_is_noticed(type_name: str, body: Json) -> None:
    assert list(violations(type_name, body))
