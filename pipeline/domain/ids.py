"""Identifiers that follow from what they identify.

An entity's id is a hash of its source, type and external id, an alert's of its identity. So a relationship can be
written before the entity it points to is known, an upsert needs no look-up, a second run of the same work hits the
same rows, and both sides of a comparison agree on ids. 128 bits of BLAKE2b: collisions are out of reach.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AlertType


def entity_key(source_id: int, entity_type: EntityType, external_id: str) -> str:
    """The entity's id as 32 hexadecimal digits; the form bulk writes use."""
    name = f"{source_id}\x1f{entity_type.value}\x1f{external_id}"
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def entity_id(source_id: int, entity_type: EntityType, external_id: str) -> UUID:
    return UUID(hex=entity_key(source_id, entity_type, external_id))


def alert_id(source_id: int, alert_type: AlertType, entity: UUID, subject: str) -> UUID:
    """The id of the one alert this identity ever has: it is reopened, never raised a second time."""
    name = f"{source_id}\x1f{alert_type.value}\x1f{entity.hex}\x1f{subject}"
    return UUID(hex=hashlib.blake2b(name.encode(), digest_size=16).hexdigest())
