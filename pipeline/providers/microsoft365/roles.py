"""Roles and who holds them, from both lists Graph has: the members of directory roles, and role assignments.

The first knows neither roles the tenant made itself nor holders in a part of the tenant; the second knows all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.domain.entities import Role
from pipeline.providers.microsoft365 import objects, payloads

WHOLE_TENANT = "/"
"""The ``directoryScopeId`` of an assignment that is bound to no administrative unit and no application."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleLists:
    """What was read of a tenant's roles, each list as Graph has it."""

    listed: tuple[payloads.DirectoryRole, ...] = ()
    definitions: tuple[payloads.RoleDefinition, ...] = ()
    assignments: tuple[payloads.RoleAssignment, ...] = ()

    def roles(self) -> Iterator[Role]:
        """The listed directory roles, and those that only an assignment in the whole tenant tells of."""
        known = set()
        for listed in self.listed:
            role = objects.role(listed)
            known.add(role.id)
            yield role
        assigned = {assignment.role_definition_id for assignment in self._tenant_wide()}
        for definition in self.definitions:
            role = objects.role_of(definition)
            if definition.id in assigned and role.id not in known:
                yield role

    def holders(self, members: Iterable[tuple[str, payloads.Member]]) -> Iterator[tuple[str, payloads.Member]]:
        """``(template id, holder)``: the members, given under the tenant's own id of the role, and the assignments.

        Without the definitions an assignment counts for the listed roles: a built-in role's definition has the id of
        its template (https://learn.microsoft.com/graph/api/resources/unifiedroledefinition).
        """
        templates = {role.id: objects.role(role).id for role in self.listed}
        yield from ((templates[role_id], member) for role_id, member in members if role_id in templates)
        defined = {template: template for template in templates.values()}
        defined |= {definition.id: objects.role_of(definition).id for definition in self.definitions}
        for assignment in self._tenant_wide():
            holder = assignment.principal or _named(assignment)
            if holder and assignment.role_definition_id in defined:
                yield defined[assignment.role_definition_id], holder

    def _tenant_wide(self) -> Iterator[payloads.RoleAssignment]:
        return (one for one in self.assignments if one.directory_scope_id == WHOLE_TENANT)


def _named(assignment: payloads.RoleAssignment) -> payloads.Member | None:
    """The principal as far as an assignment without expansion tells: its kind is then found by its id."""
    return payloads.Member(id=assignment.principal_id) if assignment.principal_id else None
