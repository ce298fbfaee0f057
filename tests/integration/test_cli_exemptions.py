"""``mspbyte rules exempt``: who is meant, what goes with the next sync, and what comes back when it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from graphsim.serve import RunningSimulator
from pipeline.storage.database import Database
from tests.rule_steps import BECAUSE, alerts, contoso, covered, exempt, last_change, rows, sync, user_with
from tests.unit.cli.program import Program

pytestmark = pytest.mark.servers

EXEMPTION_KEYS = {
    "id", "tenant", "source_id", "kind",
    "external_id", "alert_type", "name", "reason", "author", "created_at", "expires_at",
}  # fmt: skip


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, simulator: RunningSimulator, database_url: str) -> Program:
    """Contoso, read once."""
    program = contoso(monkeypatch, tmp_path, simulator, database_url)
    sync(program)
    return program


def test_an_exemption_takes_the_alerts_with_the_next_sync_and_its_end_brings_the_same_ones_back(
    synced: Program,
) -> None:
    user = user_with(synced, "stale_user", "user_not_mfa_capable")
    before = {rule: alerts(synced, rule) for rule in ("stale_user", "user_not_mfa_capable")}
    said = synced.done("rules", "exempt", "contoso", "--user", user, *BECAUSE)
    assert said.startswith(f"{user} is exempt from every rule that can spare it. It counts from the next analysis on")
    assert alerts(synced) == before["stale_user"]

    sync(synced)

    for rule, known in before.items():
        assert alerts(synced, rule).items() == known.items() - {(user, known[user])}
        assert last_change(synced, known[user]) == ("active", "resolved", "accepted by an exemption")
    assert covered(synced, "stale_user")["exempt"] == 1
    assert covered(synced, "stale_user")["findings"] == len(before["stale_user"]) - 1
    sync(synced)
    assert user not in alerts(synced)

    (exemption,) = synced.json("rules", "exemptions")
    assert "gone; the next analysis counts without it" in synced.done("rules", "unexempt", exemption["id"][:8])
    assert synced.json("rules", "exemptions") == []
    sync(synced)
    assert {rule: alerts(synced, rule) for rule in before} == before
    assert last_change(synced, before["stale_user"][user]) == ("resolved", "active", "found again")
    assert covered(synced, "stale_user")["exempt"] == 0


def test_an_exemption_from_one_rule_leaves_the_others(synced: Program) -> None:
    user = user_with(synced, "stale_user", "user_not_mfa_capable")
    said = synced.done("rules", "exempt", "contoso", "--user", user, "--rule", "stale_user", *BECAUSE)
    assert said.startswith(f"{user} is exempt from stale_user.")

    sync(synced)

    assert user not in alerts(synced)
    assert user in alerts(synced, "user_not_mfa_capable")
    assert "1 exemption;" in synced.done("rules", "show", "stale_user", "--tenant", "contoso")
    assert "1 exemption;" not in synced.done("rules", "show", "user_not_mfa_capable", "--tenant", "contoso")


def test_a_group_stands_for_everybody_in_it(synced: Program, database: Database) -> None:
    group, members = rows(
        database,
        "SELECT g.display_name, array_agg(u.normalized ->> 'user_principal_name') FROM relationships r"
        "  JOIN entities g ON g.id = r.parent_id JOIN entities u ON u.id = r.child_id"
        "  JOIN alerts a ON a.entity_id = u.id AND a.alert_type = 'stale_user'"
        " WHERE r.type = 'member_of' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1",
    )[0]
    before = alerts(synced)
    assert 1 < len(members) < len(before)

    exempt(synced, "--group", group)
    sync(synced)

    assert alerts(synced).keys() == before.keys() - set(members)


@pytest.mark.parametrize(
    ("option", "spared", "watched"),
    [
        ("--shared-mailbox", ("stale_user", "user_not_mfa_capable"), "mfa_partial_enforced"),
        ("--break-glass", ("stale_user", "mfa_partial_enforced"), "user_not_mfa_capable"),
    ],
)
def test_a_shared_mailbox_or_emergency_account_is_spared_by_the_rules_that_say_so(
    synced: Program, option: str, spared: tuple[str, ...], watched: str
) -> None:
    user = user_with(synced, *spared, watched)
    exempt(synced, option, user)

    sync(synced)

    assert [rule for rule in (*spared, watched) if user in alerts(synced, rule)] == [watched]
    for rule in spared:
        assert "1 exemption;" in synced.done("rules", "show", rule, "--tenant", "contoso")
    assert "Exempt in contoso\nnone" in synced.done("rules", "show", watched, "--tenant", "contoso")


def test_a_rule_that_is_named_spares_the_account_and_the_others_do_not(synced: Program) -> None:
    user = user_with(synced, "mfa_partial_enforced", "stale_user")
    exempt(synced, "--break-glass", user, "--rule", "mfa_partial_enforced")

    sync(synced)

    assert user not in alerts(synced, "mfa_partial_enforced")
    assert user in alerts(synced)
    assert not alerts(synced, "break_glass_locked_out"), "spared by one rule, it is no emergency account"
    assert "1 exemption;" in synced.done("rules", "show", "mfa_partial_enforced", "--tenant", "contoso")


def test_an_exemption_that_is_over_does_not_count(synced: Program, database: Database) -> None:
    user = min(alerts(synced))
    exempt(synced, "--user", user, "--days", "30")
    sync(synced)
    assert user not in alerts(synced)
    rows(database, "UPDATE rule_exemptions SET expires_at = now() - CAST('1 s' AS interval) RETURNING 1")

    sync(synced)

    assert user in alerts(synced)
    assert ", over" in synced.done("rules", "exemptions")
    assert "Exempt in contoso\nnone" in synced.done("rules", "show", "stale_user", "--tenant", "contoso")
    exempt(synced, "--user", user)
    sync(synced)
    assert user not in alerts(synced), "entered again, it counts again"


def test_an_exemption_ends_after_so_many_days_at_a_time_or_never(synced: Program) -> None:
    first, second, third = sorted(alerts(synced))[:3]
    exempt(synced, "--user", first, "--days", "30")
    exempt(synced, "--user", second, "--until", "2099-01-31T12:00:00+02:00")
    exempt(synced, "--user", third)

    ends = {one["name"]: one["expires_at"] for one in synced.json("rules", "exemptions")}
    later = datetime.fromisoformat(ends[first]) - datetime.now(UTC)
    assert timedelta(days=30) - timedelta(minutes=5) < later < timedelta(days=30)
    assert (ends[second], ends[third]) == ("2099-01-31T10:00:00Z", None)
    page = synced.done("rules", "exemptions")
    assert "2099-01-31 10:00" in page
    assert "for good" in page


def test_exemptions_are_listed_with_who_why_and_until_when_and_entered_once(
    synced: Program, database: Database
) -> None:
    assert synced.done("rules", "exemptions") == "Nobody is exempt; `mspbyte rules exempt` adds an exemption.\n"
    assert synced.json("rules", "exemptions") == []
    synced.done("tenant", "add", "fabrikam")
    user = min(alerts(synced))
    first = exempt(synced, "--user", user, "--author", "ada", "--days", "3")
    synced.done("rules", "exempt", "contoso", "--user", user, "--reason", "for good now", "--author", "bob")
    exempt(synced, "--user", user, "--rule", "stale_user")

    whole, of_one_rule = synced.json("rules", "exemptions", "--tenant", "contoso")

    assert set(whole) == set(of_one_rule) == EXEMPTION_KEYS
    assert (whole["id"], whole["reason"], whole["author"], whole["expires_at"]) == (first, "for good now", "bob", None)
    assert (whole["kind"], whole["name"], whole["alert_type"]) == ("user", user, None)
    assert of_one_rule["alert_type"] == "stale_user"
    assert of_one_rule["author"], "whoever is logged in"
    assert synced.json("rules", "exemptions", "--tenant", "fabrikam") == []
    page = synced.done("rules", "exemptions")
    for part in (user, "for good now", "bob", "all", "stale_user", whole["id"][:8]):
        assert part in page


def test_an_exemption_is_ended_by_enough_of_its_id(synced: Program, database: Database) -> None:
    user = min(alerts(synced))
    exempt(synced, "--user", user)
    exempt(synced, "--user", user, "--rule", "stale_user")
    first, second = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
    rows(
        database,
        "UPDATE rule_exemptions SET id = CAST(CASE WHEN alert_type IS NULL THEN :first ELSE :second END AS uuid)"
        " RETURNING 1",
        first=first,
        second=second,
    )

    assert synced.refused("rules", "unexempt", "aaaa").startswith("More than one exemption begins with aaaa")
    assert synced.refused("rules", "unexempt", "bbbb") == (
        "There is no exemption bbbb; `mspbyte rules exemptions` shows the ones there are.\n"
    )
    synced.done("rules", "unexempt", second)
    assert [one["id"] for one in synced.json("rules", "exemptions")] == [first]


def test_an_account_is_found_by_id_by_user_principal_name_or_by_a_name_of_its_own(
    synced: Program, database: Database
) -> None:
    named = """
SELECT external_id, normalized ->> 'user_principal_name', display_name FROM entities
 WHERE entity_type = :kind ORDER BY external_id LIMIT 1
"""
    key, upn, name = rows(database, named, kind="identities")[0]
    for said in (key, key.upper(), upn, upn.upper(), name, name.lower()):
        exempt(synced, "--user", said)
        (found,) = synced.json("rules", "exemptions")
        assert (found["kind"], found["external_id"], found["name"]) == ("user", key, upn)
        rows(database, "DELETE FROM rule_exemptions RETURNING 1")

    key, _, name = rows(database, named, kind="groups")[0]
    for said in (key, key.upper(), name, name.upper()):
        exempt(synced, "--group", said)
        (found,) = synced.json("rules", "exemptions")
        assert (found["kind"], found["external_id"], found["name"]) == ("group", key, name)
        rows(database, "DELETE FROM rule_exemptions RETURNING 1")


def test_nobody_is_exempt_who_is_not_known_or_not_known_for_sure(synced: Program, database: Database) -> None:
    for option, noun in (("--user", "user"), ("--group", "group"), ("--break-glass", "user")):
        said = synced.refused("rules", "exempt", "contoso", option, "nobody", *BECAUSE)
        assert said == (f"contoso has no {noun} nobody, as far as it has been read; give its name or its id.\n")
    group = rows(database, "SELECT display_name FROM entities WHERE entity_type = 'groups' LIMIT 1")[0][0]
    assert "has no user" in synced.refused("rules", "exempt", "contoso", "--user", group, *BECAUSE)

    for option, kind in (("--user", "identities"), ("--group", "groups")):
        named = rows(
            database,
            "UPDATE entities SET display_name = 'Same' WHERE id IN (SELECT id FROM entities WHERE entity_type = :kind"
            " ORDER BY id LIMIT 2) RETURNING external_id",
            kind=kind,
        )
        first, second = sorted(key for (key,) in named)
        said = synced.refused("rules", "exempt", "contoso", option, "same", *BECAUSE)
        assert said.startswith("contoso has 2 ")
        assert said.endswith(f" named same; give the id of one: {first}, {second}.\n")
    assert synced.json("rules", "exemptions") == []


def test_a_user_principal_name_comes_before_the_display_name_of_somebody_else(
    synced: Program, database: Database
) -> None:
    upn = min(alerts(synced))
    rows(
        database,
        "UPDATE entities SET display_name = :upn WHERE entity_type = 'identities'"
        " AND normalized ->> 'user_principal_name' <> :upn RETURNING 1",
        upn=upn,
    )

    exempt(synced, "--user", upn)

    assert rows(
        database,
        "SELECT normalized ->> 'user_principal_name' FROM rule_exemptions x JOIN entities e USING (external_id)",
    ) == [(upn,)]


def test_a_user_who_is_gone_or_of_another_tenant_is_not_known(synced: Program, database: Database) -> None:
    gone, other = sorted(alerts(synced))[:2]
    rows(
        database,
        "UPDATE entities SET deleted_at = now() WHERE normalized ->> 'user_principal_name' = :upn RETURNING 1",
        upn=gone,
    )
    synced.done("tenant", "add", "fabrikam")

    assert "has no user" in synced.refused("rules", "exempt", "contoso", "--user", gone, *BECAUSE)
    assert "has no user" in synced.refused("rules", "exempt", "fabrikam", "--user", other, *BECAUSE)
