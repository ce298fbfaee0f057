"""The old idea of an admin: whoever directly holds a role with "Admin" in its name.

Known to be wrong: the name is not the privilege. A role named otherwise is missed, a harmless one that says
"Administrator" counts, a renamed role changes who is an admin, and a role held through a group is not seen.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, text

from legacy.reads import ADMIN_WORD
from pipeline.domain.alerts import Tag
from pipeline.domain.runs import Scope

_IDENTITIES = text("""
    SELECT id, :tag = ANY (tags) FROM entities
    WHERE tenant_id = :tenant_id AND source_id = :source_id AND entity_type = 'identities' AND deleted_at IS NULL
    ORDER BY id
""")
_ROLE_NAMES = text("""
    SELECT roles.display_name FROM relationships JOIN entities AS roles ON roles.id = relationships.parent_id
    WHERE relationships.tenant_id = :tenant_id AND relationships.source_id = :source_id
      AND relationships.type = 'assigned_role' AND relationships.child_id = :id AND roles.deleted_at IS NULL
      AND roles.normalized->>'built_in' IS DISTINCT FROM 'false'
""")
"""Roles a tenant made itself are known by their assignments, which the old system never read."""
_SET = text("""
    UPDATE entities SET tags = array_append(tags, CAST(:tag AS text))
    WHERE id = :id AND tenant_id = :tenant_id AND source_id = :source_id AND :tag <> ALL (tags)
""")
_CLEAR = text("""
    UPDATE entities SET tags = array_remove(tags, CAST(:tag AS text))
    WHERE id = :id AND tenant_id = :tenant_id AND source_id = :source_id
""")


def tag_admins(connection: Connection, scope: Scope) -> int:
    """Sets or removes ``Admin`` on each identity, user by user; how many tags changed."""
    values = {"tenant_id": scope.tenant_id, "source_id": scope.source_id, "tag": Tag.ADMIN.value}
    changed = 0
    for identity, tagged in connection.execute(_IDENTITIES, values).all():
        admin = _is_admin(connection, scope, identity)
        if admin != tagged:
            connection.execute(_SET if admin else _CLEAR, {**values, "id": identity})
            changed += 1
    return changed


def _is_admin(connection: Connection, scope: Scope, identity: UUID) -> bool:
    values = {"tenant_id": scope.tenant_id, "source_id": scope.source_id, "id": identity}
    return any(ADMIN_WORD in name for name in connection.execute(_ROLE_NAMES, values).scalars())
