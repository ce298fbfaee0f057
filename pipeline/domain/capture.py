"""What was read from a provider, and how completely.

A capture is an immutable set of raw pages. A resource that could not be read to its end says so; nothing is
ever concluded from what is missing (style, rule 11).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pipeline.domain.entities import Entity, EntityType, RelationshipType


class Resource(StrEnum):
    """The lists a capture holds. Values are the provider's own names, and the file names of an exported capture."""

    USERS = "users"
    SIGN_IN_ACTIVITY = "signInActivity"
    """No list of its own: arrives inside ``users``, and only with a premium licence."""
    REGISTRATION_DETAILS = "userRegistrationDetails"
    GROUPS = "groups"
    GROUP_MEMBERS = "groupMembers"
    """One list per group, ``parent_id`` is the group's id; exported as ``members`` inside ``groups``."""
    DIRECTORY_ROLES = "directoryRoles"
    ROLE_MEMBERS = "directoryRoleMembers"
    """One list per role, ``parent_id`` is the directory role's object id; exported inside ``directoryRoles``."""
    POLICIES = "conditionalAccessPolicies"
    NAMED_LOCATIONS = "namedLocations"
    AUTHENTICATION_STRENGTHS = "authenticationStrengthPolicies"
    SECURITY_DEFAULTS = "securityDefaults"
    SKUS = "subscribedSkus"
    ROLE_ASSIGNMENTS = "roleAssignments"
    """Every active assignment with its scope; the members of directory roles are those of the whole tenant only."""
    ROLE_DEFINITIONS = "roleDefinitions"
    ORGANIZATION = "organization"
    DIRECTORY_SUBSCRIPTIONS = "directorySubscriptions"
    """What the tenant bought and when it ends: ``/directory/subscriptions``, not those to change notifications."""
    APPLICATIONS = "applications"
    CLIENTS = "clients"
    """HaloPSA's name for the MSP's customers."""
    SITES = "sites"
    CONTRACTS = "contracts"


class SyncType(StrEnum):
    """What is scheduled and synced together; the entity types of the schedule and of event subjects."""

    IDENTITIES = "identities"
    POLICIES = "policies"
    GROUPS = "groups"
    LICENSES = "licenses"
    ROLES = "roles"
    APPLICATIONS = "applications"
    ORGANIZATION = "organization"
    COMPANIES = "companies"
    CONTRACTS = "contracts"


RESOURCES: Mapping[SyncType, tuple[Resource, ...]] = {
    SyncType.IDENTITIES: (Resource.USERS, Resource.SIGN_IN_ACTIVITY, Resource.REGISTRATION_DETAILS),
    SyncType.GROUPS: (Resource.GROUPS, Resource.GROUP_MEMBERS),
    SyncType.ROLES: (
        Resource.DIRECTORY_ROLES,
        Resource.ROLE_MEMBERS,
        Resource.ROLE_ASSIGNMENTS,
        Resource.ROLE_DEFINITIONS,
    ),
    SyncType.POLICIES: (
        Resource.POLICIES,
        Resource.NAMED_LOCATIONS,
        Resource.AUTHENTICATION_STRENGTHS,
        Resource.SECURITY_DEFAULTS,
    ),
    SyncType.LICENSES: (Resource.SKUS, Resource.DIRECTORY_SUBSCRIPTIONS),
    SyncType.APPLICATIONS: (Resource.APPLICATIONS,),
    SyncType.ORGANIZATION: (Resource.ORGANIZATION,),
    SyncType.COMPANIES: (Resource.CLIENTS, Resource.SITES),
    SyncType.CONTRACTS: (Resource.CONTRACTS,),
}
"""The resources one sync type reads."""

ENTITY_TYPE_OF: Mapping[Resource, EntityType] = {
    Resource.USERS: EntityType.IDENTITIES,
    Resource.GROUPS: EntityType.GROUPS,
    Resource.DIRECTORY_ROLES: EntityType.ROLES,
    Resource.ROLE_ASSIGNMENTS: EntityType.ROLES,
    Resource.ROLE_DEFINITIONS: EntityType.ROLES,
    Resource.POLICIES: EntityType.POLICIES,
    Resource.NAMED_LOCATIONS: EntityType.NAMED_LOCATIONS,
    Resource.AUTHENTICATION_STRENGTHS: EntityType.AUTHENTICATION_STRENGTHS,
    Resource.SECURITY_DEFAULTS: EntityType.SECURITY_DEFAULTS,
    Resource.SKUS: EntityType.LICENSES,
    Resource.DIRECTORY_SUBSCRIPTIONS: EntityType.SUBSCRIPTIONS,
    Resource.APPLICATIONS: EntityType.APPLICATIONS,
    Resource.ORGANIZATION: EntityType.ORGANIZATION,
    Resource.CLIENTS: EntityType.COMPANIES,
    Resource.SITES: EntityType.SITES,
    Resource.CONTRACTS: EntityType.CONTRACTS,
}
"""The type a resource's entities are of; only when all resources of a type were read to the end may it be swept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadOutcome:
    """How the reading of one resource ended. ``reason`` is a sentence a technician understands; empty if complete."""

    complete: bool
    reason: str = ""
    refused: bool = False
    """The provider says no for good: who asks again soon is told the same."""
    changes_only: bool = False
    """The pages hold what changed since an earlier reading; whatever they do not speak of stands as it was."""
    token: str = field(default="", repr=False)
    """Where the next reading of changes takes up; empty where there is none. Only the source understands it."""


COMPLETE = ReadOutcome(complete=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class LastReading:
    """How a resource was last read, and when it was last read whole."""

    complete: bool
    refused: bool
    """It was not complete, and would not be now."""
    read_in_full_at: datetime | None
    token: str = field(default="", repr=False)
    """Where a reading of its changes takes up; empty where there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One answer of the provider: JSON text ``{"value": [...]}``, verbatim where the provider answers so."""

    resource: Resource
    body: bytes
    parent_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """A relationship by external ids; the types say in which entity type each id is looked up."""

    type: RelationshipType
    parent_type: EntityType
    parent_id: str
    child_type: EntityType
    child_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What pages of changes say besides the objects and relationships they hold. Empty for pages of whole lists."""

    removed: Mapping[EntityType, frozenset[str]] = field(default_factory=dict)
    """Ids of entities that are gone."""
    parents: Mapping[RelationshipType, frozenset[str]] = field(default_factory=dict)
    """Parents all of whose relationships of the type are in the pages; stored ones beyond those are gone."""
    children: Mapping[RelationshipType, frozenset[str]] = field(default_factory=dict)
    """Likewise, seen from the child."""


Entities = Mapping[EntityType, Mapping[str, Entity]]
"""Each entity once, by type and external id."""

Edges = Mapping[RelationshipType, tuple[Edge, ...]]
"""Each relationship once, by type."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NormalizedCapture:
    """A capture in the domain's terms. ``outcomes`` covers every resource that was asked for."""

    entities: Entities
    edges: Edges
    outcomes: Mapping[Resource, ReadOutcome] = field(default_factory=dict)
