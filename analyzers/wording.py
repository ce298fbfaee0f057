"""How a finding speaks of a user."""

from __future__ import annotations

from pipeline.domain.entities import Identity


def name_of(user: Identity) -> str:
    """``Ada Lovelace (ada@contoso.com)``, or the user principal name alone."""
    if user.display_name and user.display_name != user.user_principal_name:
        return f"{user.display_name} ({user.user_principal_name})"
    return user.user_principal_name or user.id
