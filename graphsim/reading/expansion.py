"""Related objects that ``$expand`` brings along: of a list at most twenty, as Graph has it for directory objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import cast

from graphsim.directory.tenants import Json
from graphsim.protocol.schema import EntityShape
from graphsim.reading import directory_reads, reads, relations
from graphsim.reading.reads import Entries, Place
from graphsim.world.state import TenantState

MOST = 20
_Related = Callable[[TenantState, Json], list[Json] | Json | None]
_Listed = Callable[[TenantState, Place], Entries]


def related(state: TenantState, body: Json, shape: EntityShape, name: str) -> list[Json] | Json | None:
    """What an object has under a navigation property, ``None`` for nothing."""
    return _RELATED[shape.name][name](state, body)


def _first(entries: _Listed) -> _Related:
    def read(state: TenantState, body: Json) -> list[Json]:
        return [found for _, found in islice(entries(state, Place(key=str(body["id"]))), MOST)]

    return read


def _nobody(_state: TenantState, _body: Json) -> None:
    """Nobody here has a manager; Graph leaves the property out."""


def _role_definition(state: TenantState, body: Json) -> Json | None:
    wanted = body["roleDefinitionId"]
    definitions = directory_reads.role_definitions(state, Place())
    return next((found for _, found in definitions if found["id"] == wanted), None)


def _principal(state: TenantState, body: Json) -> Json:
    if "principal" in body:
        return cast("Json", body["principal"])
    return relations.directory_object(state, str(body["principalId"]))


_ASSIGNED: Mapping[str, _Related] = {"principal": _principal, "roleDefinition": _role_definition}
_RELATED: Mapping[str, Mapping[str, _Related]] = {
    "user": {
        "manager": _nobody,
        "memberOf": _first(relations.user_member_of),
        "transitiveMemberOf": _first(relations.user_transitive_member_of),
    },
    "group": {
        "memberOf": _first(relations.group_member_of),
        "members": _first(reads.group_members),
        "owners": _first(relations.group_owners),
        "transitiveMembers": _first(reads.transitive_members),
    },
    "directoryRole": {"members": _first(reads.role_members)},
    "application": {"owners": _first(relations.no_owners)},
    "servicePrincipal": {"owners": _first(relations.no_owners)},
    "unifiedRoleAssignment": _ASSIGNED,
    "unifiedRoleAssignmentScheduleInstance": _ASSIGNED,
    "unifiedRoleEligibilityScheduleInstance": _ASSIGNED,
}
"""By the type's name; ``schema`` names the same properties."""
