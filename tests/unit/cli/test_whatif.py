"""``mspbyte whatif`` on folders put together by hand."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.unit.cli.program import Program

ADA, ROOT, GUEST = (f"aaaaaaaa-0000-0000-0000-00000000000{number}" for number in (1, 2, 3))
OFFICE, GERMANY = (f"bbbbbbbb-0000-0000-0000-00000000000{number}" for number in (1, 2))
EMERGENCY = "dddddddd-0000-0000-0000-000000000001"
EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
UNKNOWN_APP = "eeeeeeee-0000-0000-0000-000000000001"
PAYROLL = "eeeeeeee-0000-0000-0000-000000000002"


def user(identifier: str, name: str, kind: str = "Member") -> dict[str, object]:
    return {
        "id": identifier,
        "userPrincipalName": f"{name}@contoso.example",
        "displayName": name.title(),
        "accountEnabled": True,
        "userType": kind,
    }


def policy(
    key: str, name: str, *, state: str = "enabled", control: str = "mfa", **conditions: object
) -> dict[str, object]:
    """For everybody and everything, unless conditions say otherwise."""
    everything = {
        "users": {"includeUsers": ["All"]},
        "applications": {"includeApplications": ["All"]},
        "clientAppTypes": ["all"],
    }
    return {
        "id": f"policy-{key}",
        "displayName": name,
        "state": state,
        "conditions": {**everything, **conditions},
        "grantControls": {"operator": "OR", "builtInControls": [control]},
    }


POLICIES = (
    policy(
        "away",
        "MFA outside the office",
        users={"includeUsers": ["All"], "excludeGroups": [EMERGENCY]},
        locations={"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]},
    ),
    policy("legacy", "Block legacy clients", control="block", clientAppTypes=["exchangeActiveSync", "other"]),
    policy("risk", "Block risky sign-ins", control="block", signInRiskLevels=["high"]),
    policy("trial", "Managed devices", state="enabledForReportingButNotEnforced", control="compliantDevice"),
    policy("old", "MFA for mail", state="disabled"),
    policy(
        "mail", "Mail from managed devices", control="compliantDevice", applications={"includeApplications": [EXCHANGE]}
    ),
    policy("codes", "Block device codes", control="block", authenticationFlows={"transferMethods": "deviceCodeFlow"}),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    group = {"id": EMERGENCY, "displayName": "Emergency", "members": [_member(ROOT)]}
    files: dict[str, list[object]] = {
        "users": [user(ADA, "ada"), user(ROOT, "root"), user(GUEST, "guest", "Guest")],
        "groups": [group],
        "directoryRoles": [],
        "conditionalAccessPolicies": list(POLICIES),
        "namedLocations": [
            {
                "@odata.type": "#microsoft.graph.ipNamedLocation",
                "id": OFFICE,
                "displayName": "Office",
                "isTrusted": True,
            },
            {"@odata.type": "#microsoft.graph.countryNamedLocation", "id": GERMANY, "displayName": "Germany"},
        ],
        "authenticationStrengthPolicies": [],
        "securityDefaults": [{"id": "defaults", "isEnabled": False}],
        "applications": [{"id": "object", "appId": PAYROLL, "displayName": "Payroll"}],
    }
    for name, values in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"value": values}))
    return tmp_path


def _member(identifier: str) -> dict[str, str]:
    return {"@odata.type": "#microsoft.graph.user", "id": identifier}


def ask(folder: Path, *options: str, who: str = "ada@contoso.example") -> tuple[str, ...]:
    return ("whatif", "--folder", str(folder), "--user", who, *options)


def result(program: Program, folder: Path, *options: str, who: str = "ada@contoso.example") -> str:
    return str(program.json(*ask(folder, *options, who=who))["result"])


def test_the_document_has_user_situation_result_and_every_policy_with_all_its_reasons(
    program: Program, folder: Path
) -> None:
    found = program.json(*ask(folder, who="root@contoso.example"))

    assert found["user"] == {"id": ROOT, "user_principal_name": "root@contoso.example", "display_name": "Root"}
    assert found["situation"] == {
        "app": "anything else",
        "client": "browser",
        "platform": "other",
        "location": "anything else",
        "device": "unmanaged",
        "sign_in_risk": "none",
        "user_risk": "none",
        "flow": "none",
    }
    assert (found["result"], found["by_policies"], found["mfa_offered"]) == ("open", "open", False)
    assert found["because"] == "Nothing asks for MFA: the password is enough."
    keys = ["away", "codes", "legacy", "mail", "old", "risk", "trial"]
    assert [one["id"] for one in found["policies"]] == [f"policy-{key}" for key in keys]
    assert found["policies"][0] == {
        "id": "policy-away",
        "name": "MFA outside the office",
        "state": "enabled",
        "applies": "no",
        "if_enabled": "no",
        "demands": "MFA",
        "reasons": [{"code": "excluded_group", "words": 'excludes the group "Emergency"', "via": EMERGENCY}],
    }
    trial = found["policies"][-1]
    assert (trial["applies"], trial["if_enabled"], trial["demands"]) == ("no", "yes", "a compliant device")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), "mfa"),
        (("--location", "trusted"), "open"),
        (("--location", "office"), "open"),
        (("--location", OFFICE.upper()), "open"),
        (("--location", "Germany"), "mfa"),
        (("--client", "exchangeactivesync"), "block"),
        (("--client", "mobileAppsAndDesktopClients"), "mfa"),
        (("--risk", "high"), "block"),
        (("--risk", "medium"), "mfa"),
        (("--user-risk", "high"), "mfa"),
        (("--flow", "deviceCodeFlow"), "block"),
        (("--flow", "authenticationTransfer"), "mfa"),
        (("--platform", "macos", "--device", "hybrid"), "mfa"),
        (("--app", "Office365", "--location", "trusted"), "open"),
        (("--app", UNKNOWN_APP), "mfa"),
    ],
)
def test_every_option_changes_the_situation(
    program: Program, folder: Path, options: tuple[str, ...], expected: str
) -> None:
    assert result(program, folder, *options) == expected


@pytest.mark.parametrize("who", ["ADA@contoso.example", ADA, ADA.upper(), " ada@contoso.example "])
def test_a_user_goes_by_name_or_id_in_any_case(program: Program, folder: Path, who: str) -> None:
    assert program.json(*ask(folder, who=who))["user"]["id"] == ADA


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        ("office365", "Office365"),
        ("office 365 exchange online", EXCHANGE),
        (EXCHANGE.upper(), EXCHANGE),
        ("payroll", PAYROLL),
        (UNKNOWN_APP.upper(), UNKNOWN_APP),
    ],
)
def test_an_app_goes_by_name_or_id(program: Program, folder: Path, app: str, expected: str) -> None:
    assert program.json(*ask(folder, "--app", app))["situation"]["app"] == expected


def test_a_user_there_is_not_is_answered_with_the_nearest(program: Program, folder: Path) -> None:
    near = program.refused(*ask(folder, who="adda@contoso.example"))
    assert near.startswith("There is no user adda@contoso.example. Did you mean ada@contoso.example")
    assert program.refused(*ask(folder, who="zzz")) == "There is no user zzz. None of the 3 users is called that.\n"


def test_a_user_that_may_not_have_been_read_is_said_to(program: Program, folder: Path) -> None:
    (folder / "users.json").unlink()

    said = program.refused(*ask(folder))

    assert said.startswith("There is no user ada@contoso.example. Not all are known: users could not be read: ")


def test_a_location_there_is_not_is_refused_with_the_ones_there_are(program: Program, folder: Path) -> None:
    assert program.refused(*ask(folder, "--location", "home")) == (
        "There is no named location home; use Germany, Office, trusted.\n"
    )


def test_names_that_mean_several_things_are_refused_with_their_ids(program: Program, folder: Path) -> None:
    places = [{"id": key, "displayName": "Branch"} for key in (OFFICE, GERMANY)]
    (folder / "namedLocations.json").write_text(json.dumps({"value": places}))
    twice = [{"id": key, "appId": key, "displayName": "Payroll"} for key in (PAYROLL, UNKNOWN_APP)]
    (folder / "applications.json").write_text(json.dumps({"value": twice}))

    assert f"use the id of one: {OFFICE}, {GERMANY}." in program.refused(*ask(folder, "--location", "branch"))
    assert f"use the id of one: {UNKNOWN_APP}, {PAYROLL}." in program.refused(*ask(folder, "--app", "payroll"))


def test_an_app_there_is_not_is_answered_with_the_nearest(program: Program, folder: Path) -> None:
    assert "There is no app pairoll. Did you mean Payroll?" in program.refused(*ask(folder, "--app", "pairoll"))
    assert "Use its application id" in program.refused(*ask(folder, "--app", "qqq"))


@pytest.mark.parametrize(
    ("option", "value"),
    [("--client", "imap"), ("--platform", "amiga"), ("--device", "new"), ("--risk", "huge"), ("--flow", "device")],
)
def test_a_value_there_is_not_is_refused_with_the_ones_there_are(
    program: Program, folder: Path, option: str, value: str
) -> None:
    assert f"'{value}' is not one of" in " ".join(program.refused(*ask(folder, option, value)).split())


def test_either_a_tenant_or_a_folder_is_named(program: Program, folder: Path) -> None:
    assert "--tenant, or an exported capture with --folder" in program.refused("whatif", "--user", "ada")
    assert "and not both" in program.refused(*ask(folder, "--tenant", "contoso"))
    assert "--source goes with --tenant" in program.refused(*ask(folder, "--source", "1"))


def test_a_folder_that_is_none_is_said(program: Program, tmp_path: Path) -> None:
    assert "is not a folder" in program.refused(*ask(tmp_path / "nowhere"))


def test_a_tenant_needs_the_database(program: Program) -> None:
    assert program.refused("whatif", "--user", "ada", "--tenant", "contoso").startswith("DATABASE_URL is not set.")


def test_a_list_that_is_missing_is_no_empty_list(program: Program, folder: Path) -> None:
    (folder / "conditionalAccessPolicies.json").unlink()
    found = program.json(*ask(folder))

    assert found["result"] == "unknown"
    assert found["because"].startswith("Nothing can be told: conditionalAccessPolicies could not be read: ")


@pytest.mark.parametrize("width", ["80", "120"])
def test_for_people_it_sorts_the_policies_by_what_they_do_within_the_width(
    program: Program, folder: Path, width: str
) -> None:
    text = program.done(*ask(folder), COLUMNS=width)

    assert max(map(len, text.splitlines())) <= int(width)
    assert 'MFA  MFA is demanded by "MFA outside the office".' in text
    _, applying, reporting, others = text.split("Policies that ")
    assert applying.splitlines()[0] == "apply"
    assert "MFA outside the office" in applying
    assert reporting.splitlines()[0] == "would apply, but only report"
    assert "a compliant device" in reporting
    for name, code in (("Block legacy", "clientApps"), ("MFA for mail", "policyNotEnabled")):
        assert any(line.startswith(name) and code in line for line in others.splitlines())


def test_for_people_an_exclusion_names_what_matched(program: Program, folder: Path) -> None:
    text = program.done(*ask(folder, who="root@contoso.example"))

    assert f'excludes the group "Emergency" ({EMERGENCY})' in text


def test_for_people_it_says_where_the_sign_in_comes_from(program: Program, folder: Path) -> None:
    options = ("--app", "payroll", "--location", "office", "--risk", "low", "--flow", "deviceCodeFlow")
    text = program.done(*ask(folder, *options))

    assert f"Payroll ({PAYROLL})" in text
    assert "Office (trusted)" in text
    assert "sign-in risk" in text
    assert "deviceCodeFlow" in text


def test_for_people_what_cannot_be_told_is_a_section_of_its_own(program: Program, folder: Path) -> None:
    (folder / "groups.json").unlink()
    text = " ".join(program.done(*ask(folder)).split())

    assert "Policies of which it cannot be told" in text
    assert "groups could not be read" in text
    assert 'UNKNOWN It cannot be told whether "MFA outside the office" demands MFA' in text


def test_the_example_of_the_documentation_is_what_the_command_says(program: Program, folder: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "what-if.md").read_text(encoding="utf-8")
    example = re.search(r"^mspbyte (whatif .*)\n```\n\n```\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert example is not None
    options = shlex.split(example[1].replace("--tenant contoso", f"--folder {folder}"))

    said = program.done(*options, COLUMNS="110")

    assert [line.rstrip() for line in said.splitlines()] == example[2].splitlines()
