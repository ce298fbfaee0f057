"""``mspbyte rules``: the catalogue, the thresholds of a tenant that is synced in between, and how far each rule got."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzers.catalogue import RULES, rule_of
from graphsim.serve import RunningSimulator
from pipeline.domain.findings import AlertType
from pipeline.storage.database import Database
from tests.rule_steps import BECAUSE, UNLICENSED, add_tenant, alerts, contoso, covered, exempt, rows, sync
from tests.unit.cli.program import Program, program_in

pytestmark = pytest.mark.servers

RULE_KEYS = {
    "id", "analysis_type", "alert_type", "title", "severity", "about", "inputs", "optional_inputs", "threshold",
    "default_threshold", "least_threshold", "most_threshold", "unit", "spares", "remediation", "source", "since",
}  # fmt: skip
COVERAGE_KEYS = {
    "tenant", "source_id", "rule", "attempted_at", "evaluated_at", "items", "findings", "untold", "exempt", "skipped",
    "skipped_because", "run_id",
}  # fmt: skip


@pytest.fixture
def serverless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Program:
    """A shell in which a database is named that is not there."""
    return program_in(monkeypatch, tmp_path, {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"})


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, simulator: RunningSimulator, database_url: str) -> Program:
    return contoso(monkeypatch, tmp_path, simulator, database_url)


@pytest.fixture
def synced(program: Program) -> Program:
    """Contoso, read once."""
    sync(program)
    return program


def test_the_catalogue_needs_no_database(serverless: Program) -> None:
    listed = serverless.json("rules", "list")

    assert [one["id"] for one in listed] == [rule.id for rule in RULES]
    page = serverless.done("rules", "list")
    for one in listed:
        assert set(one) == RULE_KEYS
        assert one["id"] in page
        assert serverless.json("rules", "show", one["id"]) == one
        assert one["source"] in serverless.done("rules", "show", one["id"]).splitlines()
    assert "DATABASE_URL" in serverless.refused("rules", "list", "--tenant", "contoso")


def test_neither_does_it_need_any_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare = program_in(monkeypatch, tmp_path)

    assert "stale_user" in bare.done("rules", "list")
    assert "90 days (7 to 730)" in bare.done("rules", "show", "stale_user")


def test_a_rule_is_explained_with_its_severities_threshold_inputs_and_whom_it_leaves_alone(
    serverless: Program,
) -> None:
    page = " ".join(serverless.done("rules", "show", "stale_user").split())
    for part in (
        "severity high for holders of a privileged role, medium for holders of a licence, else low",
        "threshold 90 days (7 to 730): accounts unused for longer",
        "needs users, signInActivity",
        "leaves alone exempt users and groups, emergency accounts, shared mailboxes",
        rule_of(AlertType.STALE_USER).remediation,
    ):
        assert part in page
    about_a_product = serverless.done("rules", "show", "license_overuse")
    assert "threshold" not in about_a_product
    assert "leaves alone" not in about_a_product, "there is no account to leave alone"


@pytest.mark.parametrize("width", ["80", "120"])
def test_pages_fit_a_terminal(synced: Program, width: str) -> None:
    exempt(synced, "--user", min(alerts(synced)), "--rule", "stale_user")
    for page in (("list",), ("show", "stale_user", "--tenant", "contoso"), ("exemptions",), ("coverage",)):
        printed = synced.done("rules", *page, COLUMNS=width).splitlines()
        lines = [line for line in printed if not line.startswith("https://")]
        assert max(map(len, lines)) <= int(width)


EXEMPT = ("exempt", "contoso", "--user", "ada", *BECAUSE)
SET = ("set", "stale_user", "--tenant", "contoso", *BECAUSE)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "stale_users"), "There is no rule named stale_users. Did you mean stale_user or "),
        (("show", "zzz"), "There is no rule named zzz. `mspbyte rules list` shows the ones there are."),
        (("set", "stale", *SET[2:], "--threshold", "90"), "There is no rule named stale. Did you mean "),
        ((*SET, "--threshold", "6"), "The threshold of stale_user is 7 to 730 days, not 6; without one it is 90."),
        ((*SET, "--threshold", "731"), "The threshold of stale_user is 7 to 730 days, not 731; without one it is 90."),
        (("set", "policy_gap", *SET[2:], "--threshold", "9"), "policy_gap measures nothing, so it has no threshold."),
        (("clear", "policy_gap", "--tenant", "contoso"), "policy_gap measures nothing, so it has no threshold."),
        ((*SET, "--threshold", "30", "--reason", " "), "--reason is empty; say why, in a few words."),
        ((*EXEMPT, "--reason", ""), "--reason is empty; say why, in a few words."),
        (("exempt", "contoso", *BECAUSE), "Name one of --user, --group, --shared-mailbox and --break-glass."),
        ((*EXEMPT, "--group", "all"), "Name one of --user, --group, --shared-mailbox and --break-glass."),
        ((*EXEMPT, "--rule", "license_overuse"), "license_overuse is not about accounts or groups, so there is none"),
        ((*EXEMPT, "--rule", "stal_user"), "There is no rule named stal_user. Did you mean stale_user"),
        ((*EXEMPT, "--until", "2026-01-01"), "--until is 2026-01-01, which is past; give a time to come."),
        ((*EXEMPT, "--until", "soon"), "--until is 'soon', which is no ISO time; write it like"),
        ((*EXEMPT, "--until", "2099-01-01", "--days", "3"), "--until and --days say the same in two ways; give one"),
        (("unexempt", "no-id"), "'no-id' is no exemption id: ids are hexadecimal digits; `mspbyte rules exemptions`"),
    ],
)
def test_what_makes_no_sense_is_refused_before_a_database_is_asked(
    serverless: Program, arguments: tuple[str, ...], said: str
) -> None:
    assert serverless.refused("rules", *arguments).startswith(said)


@pytest.mark.parametrize("days", ["0", "-1", "3651"])
def test_an_exemption_lasts_a_day_to_ten_years_or_has_no_end(serverless: Program, days: str) -> None:
    assert "'--days'" in serverless.refused("rules", *EXEMPT, "--days", days)


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--tenant", "contosso"),
        ("show", "stale_user", "--tenant", "contosso"),
        ("set", "stale_user", "--tenant", "contosso", "--threshold", "30", *BECAUSE),
        ("clear", "stale_user", "--tenant", "contosso"),
        ("exempt", "contosso", "--user", "ada", *BECAUSE),
        ("exemptions", "--tenant", "contosso"),
        ("coverage", "--tenant", "contosso"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_an_unknown_tenant_is_refused_with_the_nearest(program: Program, arguments: tuple[str, ...]) -> None:
    assert program.refused("rules", *arguments) == "There is no tenant named contosso. Did you mean contoso?\n"


def test_nothing_is_kept_of_what_was_refused(synced: Program, database: Database) -> None:
    synced.refused("rules", *SET, "--threshold", "6")
    synced.refused("rules", *EXEMPT)

    assert rows(database, "SELECT 1 FROM tenant_alert_preferences UNION ALL SELECT 1 FROM rule_exemptions") == []


def test_a_threshold_counts_from_the_next_sync_on_until_it_is_cleared(synced: Program, database: Database) -> None:
    before = alerts(synced)
    said = synced.done("rules", *SET, "--threshold", "30", "--author", "ada")
    assert said == (
        "stale_user of contoso has a threshold of 30 days. It counts from the next analysis on; "
        "`mspbyte sync contoso` runs one now.\n"
    )
    assert rows(database, "SELECT alert_type, threshold, reason, author FROM tenant_alert_preferences") == [
        ("stale_user", 30, "agreed with the customer", "ada")
    ]
    assert alerts(synced) == before

    sync(synced)
    assert alerts(synced).items() > before.items()

    assert "is back at 90 days. It counts from the next" in synced.done(
        "rules", "clear", "stale_user", "--tenant", "contoso"
    )
    sync(synced)
    assert alerts(synced) == before
    assert "has no threshold of its own; it is at 90 days" in synced.done(
        "rules", "clear", "stale_user", "--tenant", "contoso"
    )


def test_the_tenants_own_threshold_is_shown_and_marked_for_it_alone(program: Program) -> None:
    program.done("tenant", "add", "fabrikam")
    program.done("rules", *SET, "--threshold", "31")
    program.done("rules", *SET, "--threshold", "30")

    (own,) = (one for one in program.json("rules", "list", "--tenant", "contoso") if one["id"] == "stale_user")
    assert (own["threshold"], own["default_threshold"]) == (30, 90)
    shown = program.json("rules", "show", "stale_user", "--tenant", "contoso")
    kept = shown.pop("threshold_set")
    assert shown == own
    assert (kept["value"], bool(kept["author"]), bool(kept["reason"])) == (30, True, True)
    told = program.done("rules", "show", "stale_user", "--tenant", "contoso", COLUMNS="200")
    assert f"{kept['author']} at" in told
    assert kept["reason"] in told
    page = program.run("rules", "list", "--tenant", "contoso")
    assert "30 days *" in page.stdout
    assert page.stderr == "* set for contoso\n"
    assert "30 days, set for contoso; without it 90 days (7 to 730)" in " ".join(
        program.done("rules", "show", "stale_user", "--tenant", "contoso").split()
    )
    for others in ((), ("--tenant", "fabrikam")):
        assert program.json("rules", "show", "stale_user", *others)["threshold"] == 90
        assert "*" not in program.run("rules", "list", *others).output


def test_coverage_says_of_every_rule_on_how_much_and_with_what_it_was_evaluated(
    program: Program,
) -> None:
    assert program.done("rules", "coverage") == ("No rule has been due yet; `mspbyte sync TENANT` analyzes a tenant.\n")
    assert program.json("rules", "coverage") == []
    sync(program)
    first = covered(program, "new_privileged_role_holder")
    assert first["evaluated_at"] is None, "who is new is told from the second reading on"
    assert first["skipped_because"] == "doubt"
    (run,) = program.json("sync", "contoso", "--local")

    lines = program.json("rules", "coverage", "--tenant", "contoso")

    judged = [rule for rule in RULES if rule.judge is not None]
    assert [one["rule"] for one in lines] == sorted(rule.id for rule in judged)
    for one in lines:
        assert set(one) == COVERAGE_KEYS
        assert (one["tenant"], one["run_id"]) == ("contoso", run["id"])
        assert one["evaluated_at"] == one["attempted_at"]
        assert (one["skipped"], one["skipped_because"], one["exempt"]) == ("", "", 0)
        assert (one["untold"] > 0) is (one["rule"] == "user_not_mfa_capable"), "accounts that are at home elsewhere"
        assert one["findings"] == len(alerts(program, one["rule"]))
    known = {one["rule"]: one for one in lines}
    assert known["stale_user"]["items"] == known["never_signed_in"]["items"] == 60
    assert known["mfa_not_enforced"]["items"] == 60, "although nobody was looked at again"
    assert known["license_overuse"]["items"] == 4
    page = program.done("rules", "coverage")
    assert all(one["rule"] in page for one in lines)


def test_coverage_counts_what_stands_also_after_a_sync_of_what_changed(synced: Program) -> None:
    sync(synced)

    for rule in ("mfa_not_enforced", "stale_user", "user_not_mfa_capable"):
        assert covered(synced, rule)["findings"] == len(alerts(synced, rule)) > 0


def test_coverage_says_why_a_rule_was_skipped(synced: Program, simulator: RunningSimulator) -> None:
    add_tenant(synced, simulator, "fabrikam", UNLICENSED)
    sync(synced, "fabrikam")

    line = covered(synced, "stale_user", "fabrikam")
    assert line["evaluated_at"] is None
    assert line["attempted_at"]
    assert (line["items"], line["findings"], line["skipped_because"]) == (0, 0, "licence")
    assert "the tenant has no Microsoft Entra ID P1 licence" in line["skipped"]
    assert covered(synced, "stale_user")["skipped"] == ""
    page = synced.done("rules", "coverage", COLUMNS="300").split("\nfabrikam\n")[1].splitlines()
    assert any("stale_user" in row and "never" in row for row in page)
    assert any("stale_user" in row and line["skipped"] in row for row in page)
    both = synced.json("rules", "coverage")
    assert [one["tenant"] for one in both] == sorted(one["tenant"] for one in both)
    assert {one["tenant"] for one in both} == {"contoso", "fabrikam"}
