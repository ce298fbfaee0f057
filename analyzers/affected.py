"""Of whom has something changed? So that rules on single users need not look at everybody again."""

from __future__ import annotations

from collections.abc import Collection

from pipeline.domain.graph import EMPTY, TenantGraph


def affected_users(graph: TenantGraph, touched: Collection[str]) -> frozenset[str]:
    """The users whose own facts, groups or roles may have changed, from the external ids of what was touched.

    Touched are users and groups that are new or changed, and the child of every membership or role assignment that
    came or went. A touched group passes the change on to everybody in it, at any depth.
    """
    groups = frozenset(key for key in touched if key in graph.groups)
    own = frozenset(key for key in touched if key in graph.identities)
    if not groups:
        return own
    return own | {key for key in graph.identities if not groups.isdisjoint(graph.groups_of.get(key, EMPTY))}
