"""Tags and states of entities, kept one entity at a time.

Known to be wrong: a tag follows only the change of an alert, so when the alert outlives its cause, its tag does too,
and a user who moved from no MFA to partial MFA carries both tags.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from legacy.rows import Writing
from pipeline.domain.alerts import OPEN_STATUSES, STATE_OF, TAG_OF, EntityState
from pipeline.domain.findings import AlertType, Severity

_ADD = """
    UPDATE entities SET tags = array_append(tags, CAST(:tag AS text))
    WHERE id = :id AND tenant_id = :tenant_id AND source_id = :source_id AND deleted_at IS NULL
      AND CAST(:tag AS text) <> ALL (tags)
"""
_REMOVE = """
    UPDATE entities SET tags = array_remove(tags, CAST(:tag AS text))
    WHERE id = :id AND tenant_id = :tenant_id AND source_id = :source_id AND CAST(:tag AS text) = ANY (tags)
"""
_STATE = """
    UPDATE entities SET state = :state
    WHERE id = :id AND tenant_id = :tenant_id AND source_id = :source_id AND deleted_at IS NULL
      AND state <> :state
"""
_SEVERITIES = text("""
    SELECT severity FROM alerts
    WHERE tenant_id = :tenant_id AND source_id = :source_id AND entity_id = :id AND status = ANY (:open)
""")


def add_tag(writing: Writing, entity: UUID, alert_type: AlertType) -> None:
    """Puts the alert type's tag on the entity; most types have none."""
    if alert_type in TAG_OF:
        writing.execute(_ADD, id=entity, tag=TAG_OF[alert_type].value)


def remove_tag(writing: Writing, entity: UUID, alert_type: AlertType) -> None:
    if alert_type in TAG_OF:
        writing.execute(_REMOVE, id=entity, tag=TAG_OF[alert_type].value)


def refresh_state(writing: Writing, entity: UUID) -> None:
    """Sets the entity's state from its worst open alert, overuse included."""
    values = {**writing.scoped, "id": entity, "open": [status.value for status in OPEN_STATUSES]}
    severities = [Severity(found) for found in writing.connection.execute(_SEVERITIES, values).scalars()]
    worst = max(severities, key=lambda severity: severity.rank, default=None)
    state = STATE_OF[worst] if worst else EntityState.NORMAL
    writing.execute(_STATE, id=entity, state=state.value)
