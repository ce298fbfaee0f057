"""A capture folder to pages and outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.domain.capture import COMPLETE, Page, ReadOutcome, Resource
from pipeline.errors import CaptureFileError
from pipeline.providers.folder import json_file
from pipeline.providers.folder.layout import INSIDE, OPTIONAL, OUTCOMES_FILE, SHAPES, Outcome, file_name
from pipeline.providers.folder.members import split_members
from pipeline.providers.microsoft365 import payloads

Outcomes = Mapping[Resource, ReadOutcome]


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
    pages: tuple[Page, ...] = ()
    outcomes: Outcomes = field(default_factory=dict)


def read_folder(path: str | Path) -> tuple[list[Page], Outcomes]:
    """The folder's pages and the outcome of each resource.

    A missing file, missing ``members``, and a file that holds a first page only (``@odata.nextLink``) are reported
    as incomplete. Raises ``CaptureFileError`` naming file, place and reason where a file cannot be read.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise CaptureFileError(f"{folder} is not a folder; name the folder that holds users.json and the other lists.")
    files = [_read(folder, resource) for resource in SHAPES]
    return [page for file in files for page in file.pages], _outcomes(files, _recorded(folder))


def _read(folder: Path, resource: Resource) -> _File:
    path = folder / file_name(resource)
    body = json_file.content(path)
    if body is None:
        return _nothing(resource, f"{path.name} is missing")
    if resource is Resource.SECURITY_DEFAULTS:
        body = json_file.list_of_one(path, body)
    listed = json_file.parsed(path, body, SHAPES[resource])
    if resource is Resource.SECURITY_DEFAULTS and not listed.value:
        return _nothing(resource, f"{path.name} holds no object")
    pages: tuple[Page, ...] = (Page(resource=resource, body=body),)
    inside: Outcomes = {}
    if resource is Resource.USERS:
        inside = {Resource.SIGN_IN_ACTIVITY: _sign_in_activity(listed.value)}
    elif resource in INSIDE:
        pages, members = split_members(path, resource, body)
        inside = {INSIDE[resource]: members}
    if not listed.next_link:
        return _File(pages=pages, outcomes={resource: COMPLETE, **inside})
    cut = _incomplete(f"{path.name} holds the first page only: it goes on at its @odata.nextLink")
    return _File(pages=pages, outcomes=dict.fromkeys((resource, *inside), cut))


def _incomplete(reason: str) -> ReadOutcome:
    return ReadOutcome(complete=False, reason=reason)


def _nothing(resource: Resource, reason: str) -> _File:
    carried = (resource, INSIDE[resource]) if resource in INSIDE else (resource,)
    return _File(outcomes=dict.fromkeys(carried, _incomplete(reason)))


def _sign_in_activity(users: Iterable[payloads.User]) -> ReadOutcome:
    carried = any(user.sign_in_activity is not None for user in users)
    return COMPLETE if carried else _incomplete("no user carries signInActivity")


def _recorded(folder: Path) -> Outcomes | None:
    """What an export noted of its readings; ``None`` in a folder put together by hand."""
    path = folder / OUTCOMES_FILE
    body = json_file.content(path)
    if body is None:
        return None
    noted = json_file.parsed(path, body, dict[Resource, Outcome])
    return {
        key: ReadOutcome(complete=outcome.complete, reason=outcome.reason, refused=outcome.refused)
        for key, outcome in noted.items()
    }


def _outcomes(files: Iterable[_File], recorded: Outcomes | None) -> Outcomes:
    """The files' own outcomes, corrected by the recorded ones; a record never makes up for what is not there."""
    if recorded is None:
        asked_for = (file for file in files if file.pages or OPTIONAL.isdisjoint(file.outcomes))
        return {key: outcome for file in asked_for for key, outcome in file.outcomes.items()}
    found = {key: outcome for file in files for key, outcome in _asked_for(file, recorded).items()}
    return {key: _judged(key, outcome, recorded.get(key, outcome), found) for key, outcome in found.items()}


def _asked_for(file: _File, recorded: Outcomes) -> Outcomes:
    """Of a file the record knows: what it names. Of one that was added by hand: everything."""
    if recorded.keys().isdisjoint(file.outcomes):
        return file.outcomes if file.pages else {}
    return {key: outcome for key, outcome in file.outcomes.items() if key in recorded}


def _judged(resource: Resource, found: ReadOutcome, recorded: ReadOutcome, all_found: Outcomes) -> ReadOutcome:
    if found.complete or not recorded.complete:
        return recorded
    # Nobody has signed in yet: the record knows that the activity was asked for, the users can't show it.
    users = all_found.get(Resource.USERS, found)
    nobody_signed_in = resource is Resource.SIGN_IN_ACTIVITY and users.complete
    return recorded if nobody_signed_in else found
