"""How a finding speaks of users, products and lists of them."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.domain.entities import Identity, License

SHOWN = 3
"""How many things a sentence names before it only counts the rest."""


def name_of(user: Identity) -> str:
    """``Ada Lovelace (ada@contoso.com)``, or the user principal name alone."""
    if user.display_name and user.display_name != user.user_principal_name:
        return f"{user.display_name} ({user.user_principal_name})"
    return user.user_principal_name or user.id


def product_of(key: str, sku: License | None) -> str:
    """The SKU's part number, or its id."""
    return sku.part_number if sku is not None and sku.part_number else key


def examples(names: Sequence[str]) -> str:
    """The first of the names and that there are more: ``a, b, c and others``. Says no number that moves every day."""
    return ", ".join(names[:SHOWN]) + (" and others" if len(names) > SHOWN else "")


def listed(names: Sequence[str]) -> str:
    """The first of the names and how many more there are: ``a, b, c and 4 more``."""
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
