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

    A list of which nothing was read gets no file, and a file of that name from an earlier export goes. Nobody but the
    user may read what is written: it holds personal data. Raises ``CaptureFileError`` when the folder cannot be
    written.
    """
    folder = Path(path)
    by_resource: defaultdict[Resource, list[Page]] = defaultdict(list)
    for page in pages:
        by_resource[page.resource].append(page)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for resource in SHAPES:
            _write_list(folder / file_name(resource), resource, by_resource)
        noted = {
            key.value: Outcome(complete=value.complete, reason=value.reason, refused=value.refused)
            for key, value in outcomes.items()
        }
        _write(folder / OUTCOMES_FILE, noted)
    except OSError as error:
        raise CaptureFileError(f"{error.filename or folder} cannot be written: {error.strerror}.") from error


def _write_list(path: Path, resource: Resource, pages: Mapping[Resource, list[Page]]) -> None:
    if not pages.get(resource):
        path.unlink(missing_ok=True)
        return
    rows = [row for page in pages[resource] for row in _ROWS.decode(page.body).value]
    if resource in INSIDE and resource is not Resource.USERS:
        rows = join_members(rows, _by_parent(pages.get(INSIDE[resource], ())))
    _write(path, {"value": rows})


def _by_parent(pages: Sequence[Page]) -> dict[str, list[msgspec.Raw]]:
    members: defaultdict[str, list[msgspec.Raw]] = defaultdict(list)
    for page in pages:
        members[page.parent_id] += _VALUES.decode(page.body).value
    return members


def _write(path: Path, value: object) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)  # one that was there already
    path.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
