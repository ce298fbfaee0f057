"""What a run has changed, handed on from stage to stage: so that an analysis need not look at everybody again."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pipeline.events import JsonValue

MOST = 2_000
"""Keys that a stage hands on; where more was touched, everybody is looked at."""

Touched = frozenset[str] | None
"""Keys of entities, 32 hexadecimal digits each; ``None`` where more changed than single users and groups."""


def handed_on(touched: Touched) -> JsonValue:
    """As a stage leaves it in the ledger."""
    return None if touched is None or len(touched) > MOST else [*sorted(touched)]


def taken_over(detail: Mapping[str, object]) -> Touched:
    """As the next stage finds it; a step that told nothing has touched everything."""
    found = msgspec.convert(detail.get("touched"), list[str] | None)
    return None if found is None else frozenset(found)


def together(one: Touched, other: Touched) -> Touched:
    return None if one is None or other is None else one | other
