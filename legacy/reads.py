"""The small questions the old analyzers ask, one at a time.

``SqlReads`` asks the database each of them, as the old system did; ``GraphReads`` answers from a tenant graph,
for an analysis without servers. One contract test holds both (``tests/integration/test_legacy_reads.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec
from sqlalchemy import Connection, TextClause, text

from legacy.staleness import is_stale
from pipeline.domain.alerts import Tag
from pipeline.domain.conditional_access import ConditionalAccessPolicy, SecurityDefaults
from pipeline.domain.entities import EntityType, Identity, License
from pipeline.domain.graph import TenantGraph
from pipeline.domain.ids import entity_id
from pipeline.domain.runs import Scope

_E = TypeVar("_E", Identity, ConditionalAccessPolicy, License, SecurityDefaults)
STALE_AFTER_DAYS = 90
"""For tenants that have not set another threshold."""
ADMIN_WORD = "Admin"
"""What a role's display name has to contain for the old system to call its holder an admin."""


class LegacyReads(Protocol):
    """Answers in order of external id. What was never read is empty, off or absent: "cannot tell" is unknown here."""

    def enabled_identities(self) -> tuple[Identity, ...]: ...

    def disabled_identities(self) -> tuple[Identity, ...]:
        """Every account not known to be enabled; one whose state was not read is among them."""

    def policies(self) -> tuple[ConditionalAccessPolicy, ...]:
        """All policies, whatever their state."""

    def security_defaults_enabled(self) -> bool: ...

    def skus(self) -> tuple[License, ...]: ...

    def sku(self, sku_id: str) -> License | None: ...

    def groups_of(self, identity_id: str) -> frozenset[str]:
        """The groups of one user, through nesting."""

    def tags_of(self, identity_id: str) -> frozenset[str]: ...

    def licenses_of(self, identity_id: str) -> tuple[str, ...]:
        """The SKU ids of one user, each once."""

    def stale_after_days(self) -> int: ...


class GraphReads:
    """Answers from a graph. No tags are stored yet, so ``Admin`` and ``Stale`` follow from the old rules at ``now``.

    Differs from the stored tags in that a role held through a group counts, and ``Stale`` is never one run late.
    """

    def __init__(self, graph: TenantGraph, now: datetime, *, stale_after_days: int = STALE_AFTER_DAYS) -> None:
        self._graph = graph
        self._now = now
        self._stale_after_days = stale_after_days

    def enabled_identities(self) -> tuple[Identity, ...]:
        return tuple(one for _, one in sorted(self._graph.identities.items()) if one.enabled)

    def disabled_identities(self) -> tuple[Identity, ...]:
        return tuple(one for _, one in sorted(self._graph.identities.items()) if not one.enabled)

    def policies(self) -> tuple[ConditionalAccessPolicy, ...]:
        return tuple(policy for _, policy in sorted(self._graph.policies.items()))

    def security_defaults_enabled(self) -> bool:
        return self._graph.security_defaults is not None and self._graph.security_defaults.enabled

    def skus(self) -> tuple[License, ...]:
        return tuple(sku for _, sku in sorted(self._graph.licenses.items()))

    def sku(self, sku_id: str) -> License | None:
        return self._graph.licenses.get(sku_id)

    def groups_of(self, identity_id: str) -> frozenset[str]:
        return self._graph.groups_of.get(identity_id, frozenset())

    def tags_of(self, identity_id: str) -> frozenset[str]:
        identity = self._graph.identities.get(identity_id)
        held = (self._graph.roles.get(role) for role in self._graph.roles_of.get(identity_id, ()))
        admin = any(role is not None and role.built_in and ADMIN_WORD in role.display_name for role in held)
        stale = identity is not None and is_stale(identity, self._stale_after_days, self._now)
        return frozenset(tag for tag, holds in ((Tag.ADMIN, admin), (Tag.STALE, stale)) if holds)

    def licenses_of(self, identity_id: str) -> tuple[str, ...]:
        identity = self._graph.identities.get(identity_id)
        return tuple(dict.fromkeys(identity.sku_ids)) if identity else ()

    def stale_after_days(self) -> int:
        return self._stale_after_days


_DOCUMENTS = text("""
    SELECT CAST(normalized || jsonb_build_object('id', external_id) AS text) FROM entities
    WHERE tenant_id = :tenant_id AND source_id = :source_id AND entity_type = :entity_type AND deleted_at IS NULL
    ORDER BY external_id COLLATE "C"
""")
_DOCUMENT = text("""
    SELECT CAST(normalized || jsonb_build_object('id', external_id) AS text) FROM entities
    WHERE id = :id AND tenant_id = :tenant_id AND source_id = :source_id AND deleted_at IS NULL
""")
_TAGS = text("""
    SELECT unnest(tags) FROM entities
    WHERE id = :id AND tenant_id = :tenant_id AND source_id = :source_id AND deleted_at IS NULL
""")
_PARENT_GROUPS = text("""
    SELECT entities.external_id FROM relationships JOIN entities ON entities.id = relationships.parent_id
    WHERE relationships.tenant_id = :tenant_id AND relationships.source_id = :source_id
      AND relationships.type = 'member_of' AND relationships.child_id = :id AND entities.deleted_at IS NULL
""")
_THRESHOLD = text(
    "SELECT threshold FROM tenant_alert_preferences WHERE tenant_id = :tenant_id AND alert_type = 'stale_user'"
)


class SqlReads:
    """Answers from the database, a query for every question; nothing is remembered between two questions.

    Known to be wrong: an analysis costs several queries a user, and each analyzer loads all users again.
    """

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def enabled_identities(self) -> tuple[Identity, ...]:
        return tuple(one for one in self._all(EntityType.IDENTITIES, Identity) if one.enabled)

    def disabled_identities(self) -> tuple[Identity, ...]:
        return tuple(one for one in self._all(EntityType.IDENTITIES, Identity) if not one.enabled)

    def policies(self) -> tuple[ConditionalAccessPolicy, ...]:
        return self._all(EntityType.POLICIES, ConditionalAccessPolicy)

    def security_defaults_enabled(self) -> bool:
        return any(one.enabled for one in self._all(EntityType.SECURITY_DEFAULTS, SecurityDefaults))

    def skus(self) -> tuple[License, ...]:
        return self._all(EntityType.LICENSES, License)

    def sku(self, sku_id: str) -> License | None:
        return self._one(EntityType.LICENSES, sku_id, License)

    def groups_of(self, identity_id: str) -> frozenset[str]:
        """One query for the user and one for every group on the way up."""
        found: set[str] = set()
        queue = self._parents(EntityType.IDENTITIES, identity_id)
        while queue:
            group = queue.pop()
            if group not in found:
                found.add(group)
                queue.extend(self._parents(EntityType.GROUPS, group))
        return frozenset(found)

    def tags_of(self, identity_id: str) -> frozenset[str]:
        return frozenset(self._strings(_TAGS, EntityType.IDENTITIES, identity_id))

    def licenses_of(self, identity_id: str) -> tuple[str, ...]:
        identity = self._one(EntityType.IDENTITIES, identity_id, Identity)
        return tuple(dict.fromkeys(identity.sku_ids)) if identity else ()

    def stale_after_days(self) -> int:
        found = self._connection.execute(_THRESHOLD, {"tenant_id": self._scope.tenant_id}).scalar()
        return STALE_AFTER_DAYS if found is None else int(found)

    def _all(self, entity_type: EntityType, cls: type[_E]) -> tuple[_E, ...]:
        rows = self._connection.execute(_DOCUMENTS, self._scoped(entity_type=entity_type.value)).scalars()
        return tuple(msgspec.json.decode(document, type=cls) for document in rows)

    def _one(self, entity_type: EntityType, external_id: str, cls: type[_E]) -> _E | None:
        key = entity_id(self._scope.source_id, entity_type, external_id)
        document = self._connection.execute(_DOCUMENT, self._scoped(id=key)).scalar_one_or_none()
        return None if document is None else msgspec.json.decode(document, type=cls)

    def _parents(self, entity_type: EntityType, external_id: str) -> list[str]:
        return self._strings(_PARENT_GROUPS, entity_type, external_id)

    def _strings(self, query: TextClause, entity_type: EntityType, external_id: str) -> list[str]:
        key = entity_id(self._scope.source_id, entity_type, external_id)
        return list(self._connection.execute(query, self._scoped(id=key)).scalars())

    def _scoped(self, **values: object) -> Mapping[str, object]:
        return {"tenant_id": self._scope.tenant_id, "source_id": self._scope.source_id, **values}
