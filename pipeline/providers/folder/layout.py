"""The files of a capture folder and what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pipeline.domain.capture import Resource
from pipeline.providers.halopsa import payloads as halopsa
from pipeline.providers.microsoft365 import organization, payloads

SHAPES: Mapping[Resource, type[payloads.ListPage[Any]]] = {
    Resource.USERS: payloads.ListPage[payloads.User],
    Resource.REGISTRATION_DETAILS: payloads.ListPage[payloads.RegistrationDetails],
    Resource.GROUPS: payloads.ListPage[payloads.Group],
    Resource.DIRECTORY_ROLES: payloads.ListPage[payloads.DirectoryRole],
    Resource.POLICIES: payloads.ListPage[payloads.Policy],
    Resource.NAMED_LOCATIONS: payloads.ListPage[payloads.NamedLocation],
    Resource.AUTHENTICATION_STRENGTHS: payloads.ListPage[payloads.AuthenticationStrength],
    Resource.SECURITY_DEFAULTS: payloads.ListPage[payloads.SecurityDefaults],
    Resource.SKUS: payloads.ListPage[payloads.SubscribedSku],
    Resource.ROLE_ASSIGNMENTS: payloads.ListPage[payloads.RoleAssignment],
    Resource.ROLE_DEFINITIONS: payloads.ListPage[payloads.RoleDefinition],
    Resource.DIRECTORY_SUBSCRIPTIONS: payloads.ListPage[organization.CompanySubscription],
    Resource.APPLICATIONS: payloads.ListPage[organization.RegisteredApplication],
    Resource.ORGANIZATION: payloads.ListPage[organization.TenantOrganization],
    Resource.CLIENTS: payloads.ListPage[halopsa.Client],
    Resource.SITES: payloads.ListPage[halopsa.Site],
    Resource.CONTRACTS: payloads.ListPage[halopsa.Contract],
}
"""The lists that have a file of their own, and its shape."""

OPTIONAL = frozenset(
    {
        Resource.ROLE_ASSIGNMENTS,
        Resource.ROLE_DEFINITIONS,
        Resource.DIRECTORY_SUBSCRIPTIONS,
        Resource.APPLICATIONS,
        Resource.ORGANIZATION,
        Resource.CLIENTS,
        Resource.SITES,
        Resource.CONTRACTS,
    }
)
"""Lists that came later, or of another provider: a folder without their files says nothing of them."""

INSIDE: Mapping[Resource, Resource] = {
    Resource.USERS: Resource.SIGN_IN_ACTIVITY,
    Resource.GROUPS: Resource.GROUP_MEMBERS,
    Resource.DIRECTORY_ROLES: Resource.ROLE_MEMBERS,
}
"""Which other resource a list's file carries inside its objects."""

OUTCOMES_FILE = "outcomes.json"


class Outcome(msgspec.Struct):
    """How the reading of one resource ended, as ``outcomes.json`` keeps it."""

    complete: bool
    reason: str = ""
    refused: bool = False


def file_name(resource: Resource) -> str:
    return f"{resource.value}.json"
