"""The lists that hang on a user, a group or an application."""

from __future__ import annotations

from collections.abc import Callable

from graphsim.protocol.schema import MEMBER
from graphsim.protocol.security_schema import APP_ROLE_ASSIGNMENT, AUTHENTICATION_METHOD, LICENSE_DETAILS
from graphsim.reading import authentication_methods, consents, relations, user_reads
from graphsim.reading.collection import Collection, at
from graphsim.reading.reads import Entries, Place
from graphsim.world.state import TenantState


def _objects(path: str, resource: str, entries: Callable[[TenantState, Place], Entries]) -> Collection:
    """A list of directory objects of several types."""
    return Collection(
        path=at(path),
        resource=resource,
        context="directoryObjects",
        shape=MEMBER,
        entries=entries,
        advanced=True,
        members=True,
    )


USER_MEMBER_OF = _objects("users/{id}/memberOf", "userMemberOf", relations.user_member_of)
USER_TRANSITIVE_MEMBER_OF = _objects(
    "users/{id}/transitiveMemberOf", "userTransitiveMemberOf", relations.user_transitive_member_of
)
GROUP_MEMBER_OF = _objects("groups/{id}/memberOf", "groupMemberOf", relations.group_member_of)
GROUP_TRANSITIVE_MEMBER_OF = _objects(
    "groups/{id}/transitiveMemberOf", "groupTransitiveMemberOf", relations.group_transitive_member_of
)
GROUP_OWNERS = _objects("groups/{id}/owners", "groupOwners", relations.group_owners)
APPLICATION_OWNERS = _objects("applications/{id}/owners", "applicationOwners", relations.no_owners)
PRINCIPAL_OWNERS = _objects("servicePrincipals/{id}/owners", "servicePrincipalOwners", relations.no_owners)
LICENSES = Collection(
    path=at("users/{id}/licenseDetails"),
    resource="licenseDetails",
    context="users/licenseDetails",
    shape=LICENSE_DETAILS,
    entries=user_reads.license_details,
    paged=False,
)
METHODS = Collection(
    path=at("users/{id}/authentication/methods"),
    resource="authenticationMethods",
    context="users/authentication/methods",
    shape=AUTHENTICATION_METHOD,
    entries=authentication_methods.methods,
    paged=False,
)
APP_ROLE_ASSIGNMENTS = Collection(
    path=at("servicePrincipals/{id}/appRoleAssignments"),
    resource="appRoleAssignments",
    context="appRoleAssignments",
    shape=APP_ROLE_ASSIGNMENT,
    entries=consents.app_role_assignments,
    advanced=True,
)
RELATIONS = (
    USER_MEMBER_OF,
    USER_TRANSITIVE_MEMBER_OF,
    GROUP_MEMBER_OF,
    GROUP_TRANSITIVE_MEMBER_OF,
    GROUP_OWNERS,
    APPLICATION_OWNERS,
    PRINCIPAL_OWNERS,
    LICENSES,
    METHODS,
    APP_ROLE_ASSIGNMENTS,
)
