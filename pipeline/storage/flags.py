"""Flags as stored: tenant overrides. What is not stored comes from the environment."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from pipeline.domain.flags import Flag
from pipeline.storage.tables import flag_overrides


def load_overrides(connection: Connection, tenant_id: int) -> dict[Flag, bool]:
    """The overrides that stand for one tenant."""
    rows = connection.execute(
        select(flag_overrides.c.flag, flag_overrides.c.value).where(flag_overrides.c.tenant_id == tenant_id)
    )
    return {Flag(row.flag): row.value for row in rows}


def store_overrides(
    connection: Connection, tenant_id: int, overrides: Mapping[Flag, bool], *, author: str, reason: str
) -> None:
    """Sets overrides for one tenant, replacing the ones of the same flags."""
    statement = insert(flag_overrides).values(
        [
            {"flag": flag.value, "tenant_id": tenant_id, "value": value, "author": author, "reason": reason}
            for flag, value in overrides.items()
        ]
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["flag", "tenant_id"],
            set_={name: statement.excluded[name] for name in ("value", "author", "reason")},
        )
    )
