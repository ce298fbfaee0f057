"""Who holds which role: directory roles' members and role assignments taken together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.capture import Page, Resource
from pipeline.domain.entities import EntityType, RelationshipType, Role
from pipeline.providers.microsoft365 import normalize

USER, GROUP = "#microsoft.graph.user", "#microsoft.graph.group"
Held = set[tuple[str, EntityType, str]]


def page(resource: Resource, *values: Mapping[str, Any], parent: str = "") -> Page:
    return Page(resource=resource, body=json.dumps({"value": values}).encode(), parent_id=parent)


def assigned(role: str, holder: str, kind: str | None = USER, scope: str | None = "/") -> Page:
    principal = {} if kind is None else {"principal": {"@odata.type": kind, "id": holder, "displayName": "x"}}
    value = {"id": f"{role}-{holder}", "roleDefinitionId": role, "principalId": holder, "directoryScopeId": scope}
    return page(Resource.ROLE_ASSIGNMENTS, value | principal)


LISTED = page(Resource.DIRECTORY_ROLES, {"id": "object", "roleTemplateId": "built-in", "displayName": "Listed"})
MEMBERS = page(Resource.ROLE_MEMBERS, {"@odata.type": USER, "id": "ann"}, parent="object")
DEFINED = page(
    Resource.ROLE_DEFINITIONS,
    {"id": "built-in", "templateId": "built-in", "displayName": "Defined", "isBuiltIn": True},
    {"id": "unlisted", "templateId": "unlisted", "displayName": "Unlisted", "isBuiltIn": True},
    {"id": "own", "templateId": "own-template", "displayName": "Own", "isBuiltIn": False},
    {"id": "nobody's", "templateId": "nobody's", "displayName": "Nobody's", "isBuiltIn": True},
)


def held(*pages: Page) -> Held:
    found = normalize.edges(pages)[RelationshipType.ASSIGNED_ROLE]
    assert len(set(found)) == len(found)
    return {(edge.parent_id, edge.child_type, edge.child_id) for edge in found}


def roles(*pages: Page) -> dict[str, Role]:
    return {key: role for key, role in normalize.entities(pages)[EntityType.ROLES].items() if isinstance(role, Role)}


def test_members_and_assignments_add_up_and_a_holder_told_by_both_is_one() -> None:
    pages = (LISTED, MEMBERS, DEFINED, assigned("built-in", "ann"), assigned("built-in", "bob"))

    assert held(*pages) == {("built-in", EntityType.IDENTITIES, "ann"), ("built-in", EntityType.IDENTITIES, "bob")}


def test_an_assignment_is_to_the_role_by_its_template() -> None:
    assert held(DEFINED, assigned("own", "g", GROUP)) == {("own-template", EntityType.GROUPS, "g")}


@pytest.mark.parametrize("scope", ["/administrativeUnits/a", "/1b2c", None, ""])
def test_an_assignment_in_a_part_of_the_tenant_makes_no_holder_and_no_role(scope: str | None) -> None:
    pages = (DEFINED, assigned("unlisted", "ann", scope=scope))

    assert held(*pages) == set()
    assert roles(*pages) == {}


@pytest.mark.parametrize("kind", ["#microsoft.graph.servicePrincipal", "#microsoft.graph.device"])
def test_who_is_neither_user_nor_group_holds_nothing(kind: str) -> None:
    assert held(LISTED, DEFINED, assigned("built-in", "x", kind)) == set()


def test_a_principal_that_does_not_say_what_it_is_is_told_by_its_id() -> None:
    people = (page(Resource.USERS, {"id": "ann"}), page(Resource.GROUPS, {"id": "g"}))
    pages = (DEFINED, *(assigned("unlisted", name, None) for name in ("ann", "g", "service")))

    assert held(*people, *pages) == {
        ("unlisted", EntityType.IDENTITIES, "ann"),
        ("unlisted", EntityType.GROUPS, "g"),
    }


def test_without_definitions_assignments_count_for_the_listed_roles() -> None:
    pages = (LISTED, assigned("built-in", "bob"), assigned("own", "bob"))

    assert held(*pages) == {("built-in", EntityType.IDENTITIES, "bob")}


def test_a_role_known_by_an_assignment_alone_is_a_role_too() -> None:
    pages = (LISTED, DEFINED, assigned("built-in", "ann"), assigned("unlisted", "ann"), assigned("own", "ann"))

    assert roles(*pages) == {
        "built-in": Role(id="built-in", display_name="Listed"),
        "unlisted": Role(id="unlisted", display_name="Unlisted"),
        "own-template": Role(id="own-template", display_name="Own", built_in=False),
    }


def test_assignments_that_were_not_read_change_nothing() -> None:
    assert roles(LISTED, MEMBERS) == {"built-in": Role(id="built-in", display_name="Listed")}
    assert held(LISTED, MEMBERS) == {("built-in", EntityType.IDENTITIES, "ann")}


EVERYTHING = (
    LISTED,
    MEMBERS,
    DEFINED,
    assigned("own", "ann"),
    assigned("built-in", "bob"),
    assigned("own", "g", GROUP),
)


@settings(max_examples=30)
@given(st.permutations(EVERYTHING))
def test_every_holder_has_a_role_in_whatever_order_the_pages_come(pages: list[Page]) -> None:
    assert held(*pages) == held(*EVERYTHING)
    assert {role for role, _, _ in held(*pages)} <= roles(*pages).keys()
