"""Small tenants in the words of the tests. Every fact is read unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from pipeline.domain.capture import COMPLETE, ReadOutcome, Resource
from pipeline.domain.conditional_access import (
    AuthenticationStrength,
    ConditionalAccessPolicy,
    Grant,
    IncludeExclude,
    NamedLocation,
    PolicyApplications,
    PolicyState,
    PolicyUsers,
    SecurityDefaults,
)
from pipeline.domain.entities import (
    Application,
    Entity,
    EntityType,
    Group,
    Identity,
    License,
    Organization,
    RelationshipType,
    Role,
    Subscription,
)
from pipeline.domain.graph import TenantGraph, build_graph

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
GLOBAL_ADMIN = "62e90394-69f5-4237-9190-012177145e10"
TEAMS_ADMIN = "69091246-20e8-4a56-aa4d-066075b2a7a8"
READER = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
EVERYONE = PolicyUsers(include_users=("All",))
ALL_APPS = PolicyApplications(include=("All",))
MFA = Grant(operator="OR", built_in_controls=("mfa",))
BLOCK = Grant(operator="OR", built_in_controls=("block",))
NO_CONDITION = IncludeExclude()


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


LONG_AGO, YESTERDAY = ago(900), ago(1)


def user(
    key: str = "ada",
    *,
    enabled: bool | None = True,
    user_type: str | None = "Member",
    upn: str | None = None,
    created_at: datetime | None = LONG_AGO,
    last_success: datetime | None = YESTERDAY,
    sku_ids: tuple[str, ...] = (),
) -> Identity:
    return Identity(
        id=key,
        user_principal_name=upn or f"{key}@contoso.com",
        display_name=key.title(),
        enabled=enabled,
        user_type=user_type,
        created_at=created_at,
        last_successful_sign_in_at=last_success,
        sku_ids=sku_ids,
    )


def policy(
    key: str = "mfa",
    *,
    users: PolicyUsers = EVERYONE,
    applications: PolicyApplications = ALL_APPS,
    grant: Grant | None = MFA,
    state: str = PolicyState.ENABLED,
    client_app_types: tuple[str, ...] = ("all",),
    platforms: IncludeExclude = NO_CONDITION,
    locations: IncludeExclude = NO_CONDITION,
) -> ConditionalAccessPolicy:
    """All users, all apps, MFA, unless said otherwise."""
    return ConditionalAccessPolicy(
        id=key,
        display_name=f"Policy {key}",
        state=state,
        users=users,
        applications=applications,
        client_app_types=client_app_types,
        platforms=platforms,
        locations=locations,
        grant=grant,
    )


def tenant(
    *policies: ConditionalAccessPolicy,
    users: Iterable[Identity] | None = None,
    groups: Iterable[Group] = (),
    locations: Iterable[NamedLocation] = (),
    strengths: Iterable[AuthenticationStrength] = (),
    licenses: Iterable[License] = (),
    subscriptions: Iterable[Subscription] = (),
    applications: Iterable[Application] = (),
    organization: Organization | None = None,
    members: Iterable[tuple[str, str]] = (),
    roles: Iterable[tuple[str, str]] = (),
    security_defaults: bool = False,
    unread: Mapping[Resource, str] | None = None,
) -> TenantGraph:
    """A tenant with one ordinary user "ada" unless given others.

    ``members`` are (group, member) pairs, ``roles`` (role, holder) pairs, ``unread`` tells why a resource was not read.
    """
    roles = tuple(roles)
    outcomes = dict.fromkeys(Resource, COMPLETE)
    outcomes |= {key: ReadOutcome(complete=False, reason=reason) for key, reason in (unread or {}).items()}
    entities: dict[EntityType, dict[str, Entity]] = {
        EntityType.IDENTITIES: {one.id: one for one in ((user(),) if users is None else users)},
        EntityType.GROUPS: {one.id: one for one in groups},
        EntityType.ROLES: {role: Role(id=role, display_name=f"Role {role[:4]}") for role, _ in roles},
        EntityType.POLICIES: {one.id: one for one in policies},
        EntityType.NAMED_LOCATIONS: {one.id: one for one in locations},
        EntityType.AUTHENTICATION_STRENGTHS: {one.id: one for one in strengths},
        EntityType.LICENSES: {one.id: one for one in licenses},
        EntityType.SUBSCRIPTIONS: {one.id: one for one in subscriptions},
        EntityType.APPLICATIONS: {one.id: one for one in applications},
        EntityType.ORGANIZATION: {organization.id: organization} if organization else {},
        EntityType.SECURITY_DEFAULTS: {"defaults": SecurityDefaults(id="defaults", enabled=security_defaults)},
    }
    return build_graph(
        entities=entities,
        pairs={RelationshipType.MEMBER_OF: members, RelationshipType.ASSIGNED_ROLE: roles},
        inputs=outcomes,
    )
