"""Which user, app or place of a tenant somebody means by what they typed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from analyzers.coverage.matching import OFFICE365, OTHER, TRUSTED
from analyzers.coverage.situations import mentioned_apps, mentioned_locations
from pipeline.cli.pages.output import plain
from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity
from pipeline.domain.graph import TenantGraph
from pipeline.errors import UserError

TRUSTED_WORD = "trusted"
MICROSOFTS_APPS: Mapping[str, str] = {
    OFFICE365: "Office365",
    "MicrosoftAdminPortals": "MicrosoftAdminPortals",
    "00000002-0000-0ff1-ce00-000000000000": "Office 365 Exchange Online",
    "00000003-0000-0ff1-ce00-000000000000": "Office 365 SharePoint Online",
    "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe": "Microsoft Teams Services",
    "797f4846-ba00-4fd7-ba43-dac1f8f63013": "Windows Azure Service Management API",
    "00000003-0000-0000-c000-000000000000": "Microsoft Graph",
}
"""Id → name of what policies often name and no tenant registers itself.
https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-cloud-apps"""
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHOWN = 20


def chosen_user(graph: TenantGraph, text: str) -> Identity:
    """The user of that user principal name, id or display name, in whatever case.

    Raises ``UserError`` with the nearest names if there is none, and if several have the display name.
    """
    wanted = text.strip().casefold()
    for user in graph.identities.values():
        if wanted in {user.id.casefold(), user.user_principal_name.casefold()}:
            return user
    called = [user for user in graph.identities.values() if user.display_name.casefold() == wanted]
    if len(called) > 1:
        names = ", ".join(sorted(user.user_principal_name for user in called)[:3])
        raise UserError(f"{len(called)} users are called {text}; use the user principal name of one: {names}.")
    if called:
        return called[0]
    unread = graph.unreadable(Resource.USERS)
    why = f"Not all are known: {unread}." if unread else f"None of the {len(graph.identities)} users is called that."
    hint = _nearest(wanted, (user.user_principal_name for user in graph.identities.values()))
    raise UserError(f"There is no user {text}.{hint or f' {why}'}")


def chosen_app(graph: TenantGraph, text: str) -> str:
    """The id of the app of that id or name. An id need not be known: Microsoft's own apps are in no list."""
    wanted = text.strip().casefold()
    ids = {key.casefold(): key for key in (*mentioned_apps(graph.policies.values()), *MICROSOFTS_APPS) if key != OTHER}
    if wanted in ids:
        return ids[wanted]
    if _GUID.fullmatch(wanted):
        return wanted
    names = app_names(graph)
    found = [key for key, name in names.items() if name.casefold() == wanted]
    if len(found) > 1:
        raise UserError(f"Several apps are called {text}; use the id of one: {', '.join(sorted(found))}.")
    if not found:
        hint = _nearest(wanted, names.values()) or " Use its application id (client id), or Office365."
        raise UserError(f"There is no app {text}.{hint}")
    return found[0]


def chosen_location(graph: TenantGraph, text: str) -> str:
    """The id of the named location of that id or name, ``TRUSTED`` for the word."""
    wanted = text.strip().casefold()
    ids = {*graph.named_locations, *mentioned_locations(graph.policies.values())} - {OTHER, TRUSTED}
    found = [key for key in ids if key.casefold() == wanted]
    found = found or [key for key, place in graph.named_locations.items() if place.display_name.casefold() == wanted]
    if len(found) > 1:
        raise UserError(f"Several locations are called {text}; use the id of one: {', '.join(sorted(found))}.")
    if found:
        return found[0]
    if wanted == TRUSTED_WORD:
        return TRUSTED
    known = sorted(plain(place.display_name or key).plain for key, place in graph.named_locations.items())
    more = [f"{len(known) - _SHOWN} more"] if len(known) > _SHOWN else []
    unread = graph.unreadable(Resource.NAMED_LOCATIONS)
    why = f" Not all are known: {unread}." if unread else ""
    raise UserError(f"There is no named location {text}; use {', '.join([*known[:_SHOWN], *more, TRUSTED_WORD])}.{why}")


def app_names(graph: TenantGraph) -> Mapping[str, str]:
    """Id → name of the apps that have a name here: Microsoft's that policies often name, and the tenant's own."""
    own = {one.app_id: one.display_name for one in graph.applications.values() if one.app_id and one.display_name}
    return {**MICROSOFTS_APPS, **own}


def _nearest(wanted: str, names: Iterable[str]) -> str:
    """`` Did you mean …?``, empty where nothing is near."""
    by_key = {name.casefold(): name for name in names}
    near = [plain(by_key[key]).plain for key in difflib.get_close_matches(wanted, by_key, n=3)]
    return f" Did you mean {' or '.join(near)}?" if near else ""
