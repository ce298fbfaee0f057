"""Whom a policy concerns, as the old system saw it.

Known to be wrong: roles and guests are not looked at, neither included nor excluded, and of the exclusions only
those of single users count.
"""

from __future__ import annotations

from pipeline.domain.conditional_access import ConditionalAccessPolicy

ALL_USERS = "All"


def concerns(policy: ConditionalAccessPolicy, identity_id: str, groups: frozenset[str]) -> bool:
    """Whether the policy names everybody, the user or one of ``groups``, and does not exclude the user by id."""
    users = policy.users
    if identity_id in users.exclude_users:
        return False
    named = ALL_USERS in users.include_users or identity_id in users.include_users
    return named or not groups.isdisjoint(users.include_groups)
