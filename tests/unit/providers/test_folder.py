"""The capture folder: what is read, what is said to be missing, and how faults are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.capture import COMPLETE, Page, ReadOutcome, Resource
from pipeline.domain.entities import EntityType, Identity, RelationshipType
from pipeline.domain.providers import Provider, resources_of
from pipeline.errors import CaptureFileError
from pipeline.providers.folder import read_folder, write_folder
from pipeline.providers.microsoft365.normalize import normalize

USER = {"id": "u", "signInActivity": {"lastSignInDateTime": "2026-01-02T12:00:00Z"}}
MEMBER = {"@odata.type": "#microsoft.graph.user", "id": "u"}
DEFAULTS = {"id": "00000000-0000-0000-0000-000000000005", "isEnabled": True}
FILES: dict[str, object] = {
    "users": {"value": [USER]},
    "userRegistrationDetails": {"value": [{"id": "u", "isMfaRegistered": True}]},
    "groups": {"value": [{"id": "g", "membershipRule": None, "members": [MEMBER]}]},
    "directoryRoles": {"value": [{"id": "o", "roleTemplateId": "r", "members": []}]},
    "conditionalAccessPolicies": {"value": []},
    "namedLocations": {"value": []},
    "authenticationStrengthPolicies": {"value": []},
    "securityDefaults": {"value": [DEFAULTS]},
    "subscribedSkus": {"value": [{"skuId": "k"}]},
    "roleAssignments": {"value": [{"id": "a", "roleDefinitionId": "r", "principalId": "u", "directoryScopeId": "/"}]},
    "roleDefinitions": {"value": [{"id": "r", "templateId": "r"}]},
    "directorySubscriptions": {"value": [{"id": "s"}]},
    "applications": {"value": [{"id": "a"}]},
    "organization": {"value": [{"id": "o"}]},
}
MEMBER_LISTS = ("groupMembers", "directoryRoleMembers")
LATER = ("roleAssignments", "roleDefinitions", "directorySubscriptions", "applications", "organization")


def folder_of(path: Path, **changes: object) -> Path:
    """A whole folder; a change is another content, raw if bytes, or ``None`` for no such file."""
    for name, content in (FILES | changes).items():
        if content is not None:
            text = content if isinstance(content, bytes) else json.dumps(content).encode()
            (path / f"{name}.json").write_bytes(text)
    return path


def test_a_whole_folder_is_complete(tmp_path: Path) -> None:
    pages, outcomes = read_folder(folder_of(tmp_path))
    assert set(outcomes) == set(resources_of(Provider.MICROSOFT365))
    assert set(outcomes.values()) == {COMPLETE}
    capture = normalize(pages, outcomes)
    assert [edge.child_id for edge in capture.edges[RelationshipType.MEMBER_OF]] == ["u"]
    assert list(capture.entities[EntityType.SECURITY_DEFAULTS]) == [DEFAULTS["id"]]


def test_a_folder_whose_users_lack_a_property_leaves_that_fact_unread(tmp_path: Path) -> None:
    capture = normalize(*read_folder(folder_of(tmp_path)))
    (found,) = capture.entities[EntityType.IDENTITIES].values()
    assert isinstance(found, Identity)
    assert found.license_errors is None


INCOMPLETE = [
    ({"users": None}, {"users": "users.json is missing", "signInActivity": "users.json is missing"}),
    ({"groups": None}, {"groups": "groups.json is missing", "groupMembers": "groups.json is missing"}),
    ({"securityDefaults": None}, {"securityDefaults": "securityDefaults.json is missing"}),
    ({"securityDefaults": {"value": []}}, {"securityDefaults": "securityDefaults.json holds no object"}),
    ({"users": {"value": [{"id": "u"}]}}, {"signInActivity": "no user carries signInActivity"}),
    (
        {"groups": {"value": [{"id": "g"}, {"id": "h", "members": []}]}},
        {"groupMembers": "1 of 2 objects in groups.json have no members"},
    ),
    (
        {"directoryRoles": {"value": [{"id": "r", "members": None}]}},
        {"directoryRoleMembers": "1 of 1 objects in directoryRoles.json have no members"},
    ),
    (
        {"groups": {"value": [{"id": "g", "members": [], "members@odata.nextLink": "https://graph"}]}},
        {"groupMembers": "1 of 1 objects in groups.json hold their first members only"},
    ),
    (
        {"users": {"value": [USER], "@odata.nextLink": "https://graph"}},
        dict.fromkeys(
            ("users", "signInActivity"), "users.json holds the first page only: it goes on at its @odata.nextLink"
        ),
    ),
]


@pytest.mark.parametrize(("changes", "reasons"), INCOMPLETE)
def test_what_the_folder_does_not_hold_is_incomplete(
    tmp_path: Path, changes: dict[str, Any], reasons: dict[str, str]
) -> None:
    _, outcomes = read_folder(folder_of(tmp_path, **changes))
    assert {key.value: outcome.reason for key, outcome in outcomes.items() if not outcome.complete} == reasons


def test_a_folder_from_before_a_list_was_read_says_nothing_of_it(tmp_path: Path) -> None:
    _, outcomes = read_folder(folder_of(tmp_path, **dict.fromkeys(LATER)))

    assert {resource.value for resource in outcomes} == {*FILES, "signInActivity", *MEMBER_LISTS} - {*LATER}
    assert set(outcomes.values()) == {COMPLETE}


@pytest.mark.parametrize("name", LATER)
def test_a_later_list_that_could_not_be_read_stays_so_in_an_export(tmp_path: Path, name: str) -> None:
    cut = ReadOutcome(complete=False, reason="no consent")
    write_folder(tmp_path, (), {Resource(name): cut})

    assert read_folder(tmp_path) == ([], {Resource(name): cut})


@pytest.mark.parametrize("content", [DEFAULTS, [DEFAULTS], {"value": [DEFAULTS]}, {"@odata.context": "x"} | DEFAULTS])
def test_security_defaults_may_be_bare(tmp_path: Path, content: object) -> None:
    pages, outcomes = read_folder(folder_of(tmp_path, securityDefaults=content))
    assert outcomes[Resource.SECURITY_DEFAULTS] == COMPLETE
    assert len(normalize(pages, outcomes).entities[EntityType.SECURITY_DEFAULTS]) == 1


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    _, outcomes = read_folder(folder_of(tmp_path, users=b"\xef\xbb\xbf" + json.dumps({"value": [USER]}).encode()))
    assert outcomes[Resource.USERS] == COMPLETE


def test_a_member_without_a_type_is_told_by_its_id(tmp_path: Path) -> None:
    members = [{"id": "u"}, {"id": "g2"}, {"id": "a device"}]
    groups = {"value": [{"id": "g", "members": members}, {"id": "g2", "members": []}]}
    edges = normalize(*read_folder(folder_of(tmp_path, groups=groups))).edges[RelationshipType.MEMBER_OF]
    found = {edge.child_id: edge.child_type for edge in edges}
    assert found == {"u": EntityType.IDENTITIES, "g2": EntityType.GROUPS}


UNREADABLE = [
    (b"", r"users\.json, line 1, column 1: the JSON ends too early"),
    (b'{"value": [\n  {"id": "u"},\n  {"id": "v",', r"users\.json, line 3, column 14: the JSON ends too early"),
    (b'{"value": [\n  {"id": "\xc3\xa9"} {}]}', r"users\.json, line 2, column 15: JSON is malformed: expected"),
    (b'{"value": [],}', r"users\.json, line 1, column 14: JSON is malformed"),
    (b'{"value": [\n{"id": "\xff"}]}', r"users\.json, line 2, column 9: the text is not UTF-8"),
    (b"[]", r"users\.json is not as Microsoft Graph returns it: Expected `object`, got `array` - at `\$`"),
    (b'{"value": {}}', r"users\.json .*Expected `array`, got `object` - at `\$\.value`"),
    (b'{"values": []}', r"users\.json .*missing required field `value` - at `\$`"),
    (b'{"value": [{"id": "u"}, {"displayName": "x"}]}', r"users\.json .*field `id` - at `\$\.value\[1\]`"),
    (b'{"value": [{"id": "u", "accountEnabled": "yes"}]}', r"users\.json .*`\$\.value\[0\]\.accountEnabled`"),
    (b'{"value":' + b"[" * 100_000, r"users\.json"),
    (b'{"x":' + b'{"x":' * 100_000, r"users\.json .*nested too deeply"),
]


@pytest.mark.parametrize(("content", "message"), UNREADABLE)
def test_an_unreadable_file_is_an_error_with_file_place_and_reason(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(CaptureFileError, match=message):
        read_folder(folder_of(tmp_path, users=content))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"groups": {"value": [{"id": "g", "members": [{}]}]}}, r"groups\.json .*`\$\.value\[0\]\.members\[0\]`"),
        ({"groups": {"value": [{"id": "g", "members": "u"}]}}, r"groups\.json .*`\$\.value\[0\]\.members`"),
        ({"securityDefaults": [DEFAULTS, DEFAULTS]}, r"securityDefaults\.json holds 2 objects where a tenant has one"),
        ({"securityDefaults": {"isEnabled": True}}, r"securityDefaults\.json .*field `id`"),
        ({"outcomes": {"users": True}}, r"outcomes\.json"),
    ],
)
def test_shape_faults_name_file_and_path(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CaptureFileError, match=message):
        read_folder(folder_of(tmp_path, **changes))


def test_a_folder_in_the_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    folder_of(tmp_path, users=None)
    (tmp_path / "users.json").mkdir()
    with pytest.raises(CaptureFileError, match=r"users\.json cannot be read: Is a directory"):
        read_folder(tmp_path)


def test_no_such_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CaptureFileError, match="nowhere is not a folder"):
        read_folder(tmp_path / "nowhere")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CaptureFileError, match="cannot be written"):
        write_folder(tmp_path / "file", [], {})


def body(*values: object) -> bytes:
    return json.dumps({"value": values, "@odata.nextLink": "https://graph"}).encode()


PAGES = [
    Page(resource=Resource.USERS, body=body(USER)),
    Page(resource=Resource.USERS, body=body({"id": "v"})),
    Page(resource=Resource.GROUPS, body=body({"id": "g", "membershipRule": "x"}, {"id": "h"})),
    Page(resource=Resource.GROUP_MEMBERS, body=body(MEMBER), parent_id="g"),
    Page(resource=Resource.GROUP_MEMBERS, body=body({"id": "v"}), parent_id="g"),
    Page(resource=Resource.GROUP_MEMBERS, body=body(), parent_id="h"),
    Page(resource=Resource.DIRECTORY_ROLES, body=body({"id": "o", "roleTemplateId": "r"})),
    Page(resource=Resource.ROLE_MEMBERS, body=body(MEMBER), parent_id="o"),
    Page(resource=Resource.SECURITY_DEFAULTS, body=body(DEFAULTS)),
]
WHOLE = dict.fromkeys(
    (
        Resource.USERS,
        Resource.SIGN_IN_ACTIVITY,
        Resource.GROUPS,
        Resource.GROUP_MEMBERS,
        Resource.DIRECTORY_ROLES,
        Resource.ROLE_MEMBERS,
        Resource.SECURITY_DEFAULTS,
    ),
    COMPLETE,
)
CUT = ReadOutcome(complete=False, reason="Microsoft could not be reached")


@pytest.mark.parametrize(
    ("pages", "outcomes"),
    [
        pytest.param(PAGES, WHOLE, id="whole"),
        pytest.param(PAGES, WHOLE | {Resource.USERS: CUT, Resource.SIGN_IN_ACTIVITY: CUT}, id="partial users"),
        pytest.param(PAGES[:2], {Resource.USERS: COMPLETE, Resource.SKUS: CUT}, id="one list failed"),
        pytest.param(
            [page for page in PAGES if page.parent_id != "h"],
            WHOLE | {Resource.GROUP_MEMBERS: CUT},
            id="members of one group only",
        ),
        pytest.param(
            [Page(resource=Resource.USERS, body=body({"id": "v"}))],
            {Resource.USERS: COMPLETE, Resource.SIGN_IN_ACTIVITY: COMPLETE},
            id="nobody has signed in",
        ),
        pytest.param([], {}, id="nothing"),
    ],
)
def test_an_export_reads_back_as_an_equal_capture(
    tmp_path: Path, pages: list[Page], outcomes: dict[Resource, ReadOutcome]
) -> None:
    write_folder(tmp_path / "new" / "folder", pages, outcomes)
    assert normalize(*read_folder(tmp_path / "new" / "folder")) == normalize(pages, outcomes)


def test_a_second_export_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    write_folder(tmp_path, PAGES, WHOLE)
    write_folder(tmp_path, PAGES[:2], {Resource.USERS: COMPLETE})
    assert {path.name for path in tmp_path.iterdir()} == {"users.json", "outcomes.json"}


def test_a_list_added_to_an_export_by_hand_counts(tmp_path: Path) -> None:
    write_folder(tmp_path, PAGES[:2], {Resource.USERS: COMPLETE})
    (tmp_path / "subscribedSkus.json").write_bytes(body())
    _, outcomes = read_folder(tmp_path)
    assert set(outcomes) == {Resource.USERS, Resource.SKUS}


def test_a_record_does_not_make_up_for_a_file_that_was_taken_away(tmp_path: Path) -> None:
    write_folder(tmp_path, PAGES, WHOLE)
    (tmp_path / "users.json").unlink()
    _, outcomes = read_folder(tmp_path)
    assert outcomes[Resource.USERS] == ReadOutcome(complete=False, reason="users.json is missing")


def test_nobody_else_may_read_what_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    write_folder(folder, PAGES, WHOLE)
    (folder / "users.json").chmod(0o644)

    write_folder(folder, PAGES, WHOLE)

    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
