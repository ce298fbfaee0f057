"""The ``members`` that groups and directory roles carry in a capture folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from pipeline.domain.capture import COMPLETE, Page, ReadOutcome, Resource
from pipeline.providers.folder import json_file
from pipeline.providers.folder.layout import INSIDE
from pipeline.providers.microsoft365 import payloads

Row = dict[str, msgspec.Raw]
MEMBER_KEYS = frozenset({"members", "members@odata.nextLink"})


class Holder(payloads.Payload):
    """A group or role with its members."""

    id: str
    members: list[payloads.Member] | None = None
    members_next_link: str | None = msgspec.field(default=None, name="members@odata.nextLink")
    """Present when the list was cut: ``$expand=members`` returns 20 at most."""


def split_members(path: Path, resource: Resource, body: bytes) -> tuple[tuple[Page, ...], ReadOutcome]:
    """The list without ``members`` as one page, a page of members for each object, and how complete those are."""
    holders = json_file.parsed(path, body, payloads.ListPage[Holder]).value
    rows = json_file.parsed(path, body, payloads.ListPage[Row]).value
    members = tuple(
        Page(resource=INSIDE[resource], parent_id=holder.id, body=b'{"value":' + bytes(row.pop("members")) + b"}")
        for holder, row in zip(holders, rows, strict=True)
        if holder.members is not None
    )
    listed = Page(resource=resource, body=msgspec.json.encode({"value": rows}))
    return (listed, *members), _outcome(path, holders)


def _outcome(path: Path, holders: Sequence[Holder]) -> ReadOutcome:
    without = sum(holder.members is None for holder in holders)
    cut = sum(holder.members_next_link is not None for holder in holders)
    if without:
        return ReadOutcome(complete=False, reason=f"{without} of {len(holders)} objects in {path.name} have no members")
    if cut:
        reason = f"{cut} of {len(holders)} objects in {path.name} hold their first members only"
        return ReadOutcome(complete=False, reason=reason)
    return COMPLETE


def join_members(rows: Sequence[Row], members: dict[str, list[msgspec.Raw]]) -> list[Row]:
    """The reverse: each object with its ``members``; an object whose members were not read gets none."""
    return [_joined(row, members) for row in rows]


def _joined(row: Row, members: dict[str, list[msgspec.Raw]]) -> Row:
    plain = {key: value for key, value in row.items() if key not in MEMBER_KEYS}
    found = members.get(msgspec.json.decode(row["id"], type=str))
    return plain if found is None else plain | {"members": msgspec.Raw(msgspec.json.encode(found))}
