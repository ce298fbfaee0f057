"""What a reading of changes leaves unread of an entity, kept from the reading before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from pipeline.domain.capture import Resource
from pipeline.domain.entities import Identity

FILLED_BY: Mapping[Resource, tuple[str, ...]] = {
    Resource.SIGN_IN_ACTIVITY: (
        "last_sign_in_attempt_at",
        "last_non_interactive_attempt_at",
        "last_successful_sign_in_at",
    ),
    Resource.REGISTRATION_DETAILS: ("mfa_registered", "mfa_capable"),
}
"""The fields of an identity that come from another list than the users."""


def kept_from(stored: Identity, fresh: Identity, read: Collection[Resource]) -> Identity:
    """The fresh identity, with the stored values where the resource that fills them is not among those ``read``."""
    unread = (name for resource, names in FILLED_BY.items() if resource not in read for name in names)
    return replace(fresh, **{name: getattr(stored, name) for name in unread})
