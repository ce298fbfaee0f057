"""Directory roles and their holders."""

from __future__ import annotations

import pytest

from graphsim.directory import groups, roles
from graphsim.protocol.errors import GraphError
from tests.unit.graphsim.conftest import MakeWorld


def test_roles_carry_microsofts_template_ids_and_object_ids_of_the_tenant(make_world: MakeWorld) -> None:
    first, second = make_world(0).all("directoryRoles"), make_world(1).all("directoryRoles")

    assert {role["roleTemplateId"] for role in first} == {role["roleTemplateId"] for role in second}
    assert not {role["id"] for role in first} & {role["id"] for role in second}
    assert roles.GLOBAL_ADMINISTRATOR in {role["roleTemplateId"] for role in first}


@pytest.mark.parametrize(
    "path",
    [
        "directoryRoles/{object}",
        "directoryRoles/roleTemplateId={template}",
        "directoryRoles(roleTemplateId='{template}')",
    ],
)
def test_members_are_found_by_object_id_and_by_template_id(make_world: MakeWorld, path: str) -> None:
    world = make_world(0)
    tenant = world.state.tenant
    plan = roles.role_plans(tenant)[0]
    address = path.format(object=roles.role_object_id(tenant, plan), template=plan.template_id)

    holders = [body["id"] for body in world.all(f"{address}/members?$select=id")]

    assert holders == [tenant.user_id(number) for number in (0, 1, 2)]


def test_one_role_is_held_by_a_role_assignable_group(make_world: MakeWorld) -> None:
    world = make_world(0)

    holders = world.all(f"directoryRoles/roleTemplateId={roles.HELPDESK_ADMINISTRATOR}/members")

    assert [(body["@odata.type"], body["id"]) for body in holders] == [
        ("#microsoft.graph.group", world.state.tenant.group_id(groups.HELPDESK))
    ]
    assert holders[0]["isAssignableToRole"] is True


def test_roles_are_not_paged(make_world: MakeWorld) -> None:
    with pytest.raises(GraphError) as refused:
        make_world().get("directoryRoles?$top=1")

    assert refused.value.status == 400


def test_removed_holders_are_gone(make_world: MakeWorld) -> None:
    world = make_world(0)
    world.state.removed.add(2)

    holders = world.all(f"directoryRoles/roleTemplateId={roles.GLOBAL_ADMINISTRATOR}/members?$select=id")

    assert [body["id"] for body in holders] == [world.state.tenant.user_id(number) for number in (0, 1)]
