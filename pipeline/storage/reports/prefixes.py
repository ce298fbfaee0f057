"""Finding a row by the beginning of its id, as people copy it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pipeline.errors import UserError

SHORT = 8
"""Digits shown in lists; enough to tell a million ids apart nearly always."""
FOUND_AT_MOST = 2
_DIGITS = re.compile(r"[0-9a-f]{1,32}")


@dataclass(frozen=True, kw_only=True, slots=True)
class IdRange:
    """Every id that begins with the same digits; a range, so that the primary key answers it."""

    first: UUID
    last: UUID


def id_range(text: str, noun: str, listing: str) -> IdRange:
    """The ids that begin with ``text``; raises ``UserError`` when no id could."""
    digits = text.strip().lower().replace("-", "")
    if not _DIGITS.fullmatch(digits):
        raise UserError(f"{text!r} is no {noun} id: ids are hexadecimal digits; `{listing}` shows them.")
    return IdRange(first=UUID(hex=digits.ljust(32, "0")), last=UUID(hex=digits.ljust(32, "f")))


def only_one(found: Sequence[UUID], text: str, noun: str, listing: str) -> UUID:
    """The one id found; raises ``UserError`` when there is none or more than one."""
    if not found:
        raise UserError(f"There is no {noun} {text}; `{listing}` shows the ones there are.")
    if len(found) > 1:
        raise UserError(f"More than one {noun} begins with {text}, for example {found[0]} and {found[1]}; add digits.")
    return found[0]
