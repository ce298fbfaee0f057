"""``mspbyte analyze`` on folders put together by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.cli.program import Program

NOW = "2026-03-01T00:00:00Z"
ANNA = "aaaaaaaa-0000-0000-0000-000000000001"
POLICY = "cccccccc-0000-0000-0000-000000000001"


def user(identifier: str, last: str = "2026-02-20T08:00:00Z") -> dict[str, object]:
    """An enabled member who has signed in."""
    return {
        "id": identifier,
        "userPrincipalName": f"{identifier[:8]}@contoso.example",
        "displayName": identifier[:8],
        "accountEnabled": True,
        "userType": "Member",
        "createdDateTime": "2024-01-01T00:00:00Z",
        "assignedLicenses": [],
        "signInActivity": {"lastSignInDateTime": last, "lastSuccessfulSignInDateTime": last},
    }


def policy(state: str) -> dict[str, object]:
    """MFA for everybody and everything."""
    return {
        "id": POLICY,
        "displayName": "MFA for all",
        "state": state,
        "conditions": {
            "users": {"includeUsers": ["All"]},
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": ["all"],
        },
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
    }


def folder_of(path: Path, *, state: str = "enabled", users: Sequence[dict[str, object]] = ()) -> Path:
    files: dict[str, list[dict[str, object]]] = {
        "users": list(users) or [user(ANNA)],
        "userRegistrationDetails": [],
        "groups": [],
        "directoryRoles": [],
        "conditionalAccessPolicies": [policy(state)],
        "namedLocations": [],
        "authenticationStrengthPolicies": [],
        "securityDefaults": [{"id": "defaults", "isEnabled": False}],
        "subscribedSkus": [],
    }
    for name, values in files.items():
        (path / f"{name}.json").write_text(json.dumps({"value": values}))
    return path


def test_an_enforced_policy_covers_everybody(program: Program, tmp_path: Path) -> None:
    found = program.json("analyze", str(folder_of(tmp_path)), "--now", NOW)
    assert set(found) == {"findings", "mfa_coverage", "not_evaluated"}
    assert [one["rule"] for one in found["findings"]] == ["device_code_flow_not_blocked", "global_admin_count"]
    assert found["mfa_coverage"] == [{"user": ANNA, "verdict": "full", "reasons": [], "policies": [POLICY]}]
    assert {one["rule"] for one in found["not_evaluated"]} == {
        *("app_credential_expiring", "license_renewal_with_spare_seats", "sync_stalled"),  # no such files
        "license_assignment_error",  # no such property
        "new_privileged_role_holder",  # nothing to compare with
        "user_not_mfa_capable",  # no such details
    }


def test_a_finding_says_rule_entity_severity_reasons_and_message(program: Program, tmp_path: Path) -> None:
    old = folder_of(tmp_path, users=[user(ANNA, last="2025-01-01T08:00:00Z")])
    found = program.json("analyze", str(old), "--now", NOW)["findings"]
    (finding,) = (one for one in found if one["rule"] == "stale_user")
    assert set(finding) == {"rule", "entity_type", "external_id", "severity", "reasons", "message"}
    assert (finding["rule"], finding["entity_type"], finding["external_id"]) == ("stale_user", "identities", ANNA)


def test_a_report_only_policy_fools_the_legacy_branch_and_not_the_new_one(program: Program, tmp_path: Path) -> None:
    folder = str(folder_of(tmp_path, state="enabledForReportingButNotEnforced"))
    verdicts = {
        branch: program.json("analyze", folder, "--now", NOW, "--branch", branch)["mfa_coverage"][0]["verdict"]
        for branch in ("legacy", "new")
    }
    assert verdicts == {"legacy": "full", "new": "none"}


def test_a_missing_file_is_a_list_that_could_not_be_read(program: Program, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, users=[user(ANNA), user(ANNA.replace("1", "2"))])
    (folder / "conditionalAccessPolicies.json").unlink()
    found = program.json("analyze", str(folder), "--now", NOW)
    assert {item["rule"] for item in found["not_evaluated"]} >= {"mfa_not_enforced", "policy_gap"}
    pairs = [(item["rule"], item["reason"]) for item in found["not_evaluated"]]
    assert sorted(set(pairs)) == pairs


def test_equal_input_gives_equal_output(program: Program, tmp_path: Path) -> None:
    people = [user(f"{number:08}-0000-0000-0000-000000000001", "2025-01-01T08:00:00Z") for number in range(9)]
    asked = ("analyze", str(tmp_path), "--json", "--now", NOW)
    folder_of(tmp_path, state="disabled", users=people)
    before = program.done(*asked)
    folder_of(tmp_path, state="disabled", users=people[::-1])
    assert program.done(*asked) == before


def test_a_broken_file_is_named_with_place_and_reason(program: Program, tmp_path: Path) -> None:
    broken = folder_of(tmp_path) / "groups.json"
    broken.write_text('{"value": [\n  {"id" 1}]}')
    said = program.refused("analyze", str(tmp_path), "--json")
    assert said.startswith(f"{broken}, line 2, column ")


def test_a_folder_that_is_none_is_said(program: Program, tmp_path: Path) -> None:
    assert "is not a folder" in program.refused("analyze", str(tmp_path / "nowhere"))


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01"])
def test_a_time_that_is_none_is_said(program: Program, tmp_path: Path, text: str) -> None:
    assert f"--now is {text!r}" in program.refused("analyze", str(folder_of(tmp_path)), "--now", text)


def test_an_unknown_branch_is_said(program: Program, tmp_path: Path) -> None:
    assert "'new', 'legacy'" in program.refused("analyze", str(tmp_path), "--branch", "old")


@pytest.mark.parametrize("width", ["80", "120"])
def test_for_people_it_counts_and_explains_within_the_width(program: Program, tmp_path: Path, width: str) -> None:
    folder = folder_of(tmp_path, state="disabled")
    (folder / "subscribedSkus.json").unlink()
    text = program.done("analyze", str(folder), "--now", NOW, COLUMNS=width)
    assert "mfa_not_enforced" in text
    assert "subscribedSkus.json is missing" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= int(width)


def test_it_needs_no_setting_at_all(program: Program, tmp_path: Path) -> None:
    program.done("analyze", str(folder_of(tmp_path)), LOG_LEVEL="nonsense", DATABASE_URL="nonsense")
