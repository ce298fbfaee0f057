"""What Graph tells the changes of, and how one object of it is read again."""

from __future__ import annotations

from urllib.parse import quote

from pipeline.providers.microsoft365.lists import (
    GROUP_PROPERTIES,
    ROLE_PROPERTIES,
    TRACKED_USER_PROPERTIES,
    USER_PROPERTIES,
)

LATEST_USERS = f"/users/delta?$deltatoken=latest&$select={TRACKED_USER_PROPERTIES}"
"""A link to the changes of users from now on: https://learn.microsoft.com/graph/api/user-delta. The properties chosen
are those whose changes are told. Sign-in activity cannot be one of them, and ``licenseAssignmentStates`` is not
tracked: an error that comes or goes while the user's licences stay is seen when all users are read again.
"""

LATEST_GROUPS = f"/groups/delta?$deltatoken=latest&$select={GROUP_PROPERTIES},members"
"""https://learn.microsoft.com/graph/api/group-delta"""

LATEST_ROLES = f"/directoryRoles/delta?$deltatoken=latest&$select={ROLE_PROPERTIES},members"
"""https://learn.microsoft.com/graph/api/directoryrole-delta"""


def user(user_id: str) -> str:
    """https://learn.microsoft.com/graph/api/user-get"""
    return f"/users/{quote(user_id, safe='')}?$select={USER_PROPERTIES}"


def user_with_sign_ins(user_id: str) -> str:
    return f"{user(user_id)},signInActivity"


def group(group_id: str) -> str:
    """https://learn.microsoft.com/graph/api/group-get"""
    return f"/groups/{quote(group_id, safe='')}?$select={GROUP_PROPERTIES}"
