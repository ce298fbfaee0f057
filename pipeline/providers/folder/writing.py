"""Pages and outcomes to a capture folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from pipeline.domain.capture import Page, ReadOutcome, Resource
from pipeline.errors import CaptureFileError
from pipeline.providers.folder.layout import INSIDE, OUTCOMES_FILE, SHAPES, Outcome, file_name
from pipeline.providers.folder.members import Row, join_members
from pipeline.providers.microsoft365 import payloads

_ROWS = msgspec.json.Decoder(payloads.ListPage[Row])
_VALUES = msgspec.json.Decoder(payloads.ListPage[msgspec.Raw])


def write_folder(path: str | Path, pages: Iterable[Page], outcomes: Mapping[Resource, ReadOutcome]) -> None:
    """Write the folder, made if need be; ``read_folder`` then gives an equal capture.

    A list of which nothing was read gets no file, and a file of that name from an earlier export goes. Raises
    ``CaptureFileError`` when the folder cannot be written.
    """
    folder = Path(path)
    by_resource: defaultdict[Resource, list[Page]] = defaultdict(list)
    for page in pages:
        by_resource[page.resource].append(page)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for resource in SHAPES:
            _write_list(folder / file_name(resource), resource, by_resource)
        noted = {
            key.value: Outcome(complete=value.complete, reason=value.reason, refused=value.refused)
            for key, value in outcomes.items()
        }
        (folder / OUTCOMES_FILE).write_bytes(_readable(noted))
    except OSError as error:
        raise CaptureFileError(f"{error.filename or folder} cannot be written: {error.strerror}.") from error


def _write_list(path: Path, resource: Resource, pages: Mapping[Resource, list[Page]]) -> None:
    if not pages.get(resource):
        path.unlink(missing_ok=True)
        return
    rows = [row for page in pages[resource] for row in _ROWS.decode(page.body).value]
    if resource in INSIDE and resource is not Resource.USERS:
        rows = join_members(rows, _by_parent(pages.get(INSIDE[resource], ())))
    path.write_bytes(_readable({"value": rows}))


def _by_parent(pages: Sequence[Page]) -> dict[str, list[msgspec.Raw]]:
    members: defaultdict[str, list[msgspec.Raw]] = defaultdict(list)
    for page in pages:
        members[page.parent_id] += _VALUES.decode(page.body).value
    return members


def _readable(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
