"""The lists of role management, purchases, applications and domains; positions as in ``reads``."""

from __future__ import annotations

from collections.abc import Iterator

from graphsim.directory import app_registrations, commerce, domains, role_management
from graphsim.directory.tenants import Json
from graphsim.protocol.errors import needs_premium_p2
from graphsim.reading import consents
from graphsim.reading.reads import Entries, Place, directory_roles, listed, role_members, user_member
from graphsim.world.state import TenantState


def role_definitions(state: TenantState, place: Place) -> Entries:
    return listed(role_management.role_definitions(state.tenant), place)


def role_templates(state: TenantState, place: Place) -> Entries:
    return listed(role_management.directory_role_templates(state.tenant), place)


def role_assignments(state: TenantState, place: Place) -> Entries:
    return listed([*_of_directory_roles(state), *_further(state)], place)


def _of_directory_roles(state: TenantState) -> Iterator[Json]:
    """What the members of the directory roles hold in the whole tenant."""
    for _, role in directory_roles(state, Place()):
        template_id = str(role["roleTemplateId"])
        for _, member in role_members(state, Place(key=template_id)):
            yield role_management.assignment(template_id, member)


def _further(state: TenantState) -> Iterator[Json]:
    for definition_id, user, scope in role_management.further_assignments(state.tenant):
        if state.exists(user):
            yield role_management.assignment(definition_id, user_member(state, user), scope)


def role_eligibilities(state: TenantState, place: Place) -> Entries:
    """Who may activate which role; needs Microsoft Entra ID P2."""
    if not role_management.has_pim(state.tenant):
        raise needs_premium_p2()
    eligible = ((definition, user) for definition, user in role_management.eligible_roles() if state.exists(user))
    return listed([role_management.eligibility(state.tenant, definition, user) for definition, user in eligible], place)


def company_subscriptions(state: TenantState, place: Place) -> Entries:
    return listed(commerce.company_subscriptions(state.tenant, state.skus()), place)


def all_applications(state: TenantState, place: Place) -> Entries:
    for number in range(place.start, app_registrations.application_count(state.tenant)):
        yield number + 1, app_registrations.application(state.tenant, number)


def service_principals(state: TenantState, place: Place) -> Entries:
    for number in range(place.start, app_registrations.application_count(state.tenant)):
        yield number + 1, app_registrations.service_principal(state.tenant, number)
    last = app_registrations.application_count(state.tenant)
    if place.start <= last:
        yield last + 1, consents.graph_principal(state.tenant)


def all_domains(state: TenantState, place: Place) -> Entries:
    return listed(domains.domains(state.tenant), place)
