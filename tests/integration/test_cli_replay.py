"""``mspbyte replay``: what it says a changed rule would do is what the rule does once it is set, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from graphsim.world import scenario
from graphsim.world.mutations import Mutation, apply
from pipeline.domain.capture import Page, ReadOutcome, Resource, SyncType
from pipeline.storage.tables import metadata
from tests.tenants import NEW
from tests.unit.cli.program import Program, program_in
from tests.world import CUT, PILOT, SECURITY_DEFAULTS, World, a_world

pytestmark = pytest.mark.servers
OPEN = "SELECT external_id FROM alerts WHERE alert_type = :rule AND status IN ('active', 'acknowledged') ORDER BY 1"
CHANGES = ReadOutcome(complete=True, changes_only=True)
STALE = ("--rule", "stale_user")


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """A tenant read and analyzed once."""
    with a_world(database_url, NEW, posture=PILOT, users=120) as found:
        found.sync()
        yield found


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> Program:
    return program_in(monkeypatch, tmp_path, {"DATABASE_URL": database_url})


def name_of(world: World) -> str:
    ((name,),) = world.rows("SELECT name FROM tenants WHERE id = :id", id=world.scope.tenant_id)
    return str(name)


def replayed(program: Program, world: World, *options: str) -> dict[str, Any]:
    """What would happen in the world's tenant."""
    document = program.json("replay", "--tenant", name_of(world), *options)
    (found,) = document["tenants"]
    assert found["tenant"] == name_of(world)
    return dict(found)


def ids(alerts: list[dict[str, str]]) -> list[str]:
    return [alert["external_id"] for alert in alerts]


def counts(found: dict[str, Any]) -> tuple[int, int, int, int]:
    """How many are gained, lost, changed and kept."""
    return len(found["gained"]), len(found["lost"]), len(found["changed"]), found["kept"]


def open_alerts(world: World, rule: str = "stale_user") -> list[str]:
    return [str(row[0]) for row in world.rows(OPEN, rule=rule)]


def moved(world: World, rule: str, run_id: UUID, status: str) -> list[tuple[object, ...]]:
    """(external id, subject, severity, message) of the rule's alerts that the run brought into the status."""
    return world.rows(
        "SELECT a.external_id, a.subject, a.severity, a.message FROM alert_history h JOIN alerts a ON a.id = h.alert_id"
        " WHERE h.run_id = :run AND a.alert_type = :rule AND h.to_status = :status"
        "   AND h.from_status IS DISTINCT FROM h.to_status ORDER BY 1, 2",
        run=run_id,
        rule=rule,
        status=status,
    )


def change_alert(world: World, user: str, change: str) -> None:
    world.rows(
        f"UPDATE alerts SET {change} WHERE alert_type = 'stale_user' AND external_id = :user RETURNING 1",  # noqa: S608 - a constant of the test
        user=user,
    )


def sign_in(world: World, *users: str) -> None:
    for user in users:
        scenario.change_user(world.state, user, scenario.UserBody(signed_in=True))


def everything(world: World) -> dict[str, str]:
    """A checksum of each table."""
    return {
        table.name: str(world.rows(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table.name} t"))  # noqa: S608 - a table of ours
        for table in metadata.sorted_tables
    }


def only_user(world: World, user: str) -> None:
    """From now on the users are read by their changes, and this one is all that changed."""

    def edit(page: Page) -> Page | None:
        if page.resource is not Resource.USERS:
            return page
        body = msgspec.json.decode(page.body)
        kept = [one for one in body["value"] if one["id"] == user]
        return Page(resource=page.resource, body=msgspec.json.encode({"value": kept})) if kept else None

    world.edit = edit
    world.outcomes |= {Resource.USERS: CHANGES, Resource.SIGN_IN_ACTIVITY: CHANGES}


@pytest.mark.parametrize(
    ("rule", "threshold", "gained", "lost"),
    [
        ("stale_user", 20, 5, 0),
        ("stale_user", 300, 0, 7),
        ("license_waste", 730, 0, 11),
        ("never_signed_in", 1, 2, 0),
        ("guest_stale", 730, 0, 2),
        ("global_admin_count", 2, 1, 0),
        ("license_renewal_with_spare_seats", 180, 0, 0),
        ("app_credential_expiring", 1, 0, 2),
        ("license_unused_seats", 0, 0, 0),
    ],
)
def test_what_is_told_is_what_comes_and_goes_once_the_threshold_is_set(
    world: World, program: Program, rule: str, threshold: int, gained: int, lost: int
) -> None:
    before = len(open_alerts(world, rule))
    told = replayed(program, world, "--rule", rule, "--threshold", str(threshold))
    assert counts(told) == (gained, lost, 0, before - lost)

    program.done(
        "rules", "set", rule, "--tenant", name_of(world), "--threshold", str(threshold), "--reason", "as replayed"
    )
    run_id = world.sync()

    came, went = moved(world, rule, run_id, "active"), moved(world, rule, run_id, "resolved")
    assert [(one["external_id"], one["subject"], one["severity"], one["message"]) for one in told["gained"]] == came
    assert [(one["external_id"], one["subject"]) for one in told["lost"]] == [row[:2] for row in went]
    assert counts(replayed(program, world, "--rule", rule)) == (0, 0, 0, len(open_alerts(world, rule)))


def test_nothing_is_written(world: World, program: Program) -> None:
    before = everything(world)
    assert {"alerts", "findings", "rule_coverage", "tenant_alert_preferences", "role_grants"} <= before.keys()

    for options in (("--threshold", "20"), ("--threshold", "20", "--json"), ()):
        program.done("replay", *STALE, *options, "--tenant", name_of(world))
    program.done("replay", *STALE, "--all")

    assert everything(world) == before


def test_the_tenants_own_threshold_is_what_another_is_compared_with(world: World, program: Program) -> None:
    program.done("rules", "set", "stale_user", "--tenant", name_of(world), "--threshold", "20", "--reason", "strict")

    assert counts(replayed(program, world, *STALE, "--threshold", "90")) == (0, 5, 0, 17)
    assert counts(replayed(program, world, *STALE)) == (5, 0, 0, 17), "which the next sync will raise"


def test_without_a_threshold_the_open_alerts_are_compared(world: World, program: Program) -> None:
    assert counts(replayed(program, world, *STALE)) == (0, 0, 0, 17)
    missing, elsewhere, worse, known = open_alerts(world)[:4]
    change_alert(world, missing, "status = 'resolved'")
    change_alert(world, elsewhere, "external_id = 'nobody'")
    change_alert(world, worse, "severity = 'critical'")
    change_alert(world, known, "status = 'acknowledged'")

    found = replayed(program, world, *STALE)

    assert ids(found["gained"]) == [missing, elsewhere]
    assert ids(found["lost"]) == ["nobody"]
    assert ids(found["changed"]) == [worse]
    assert found["changed"][0]["severity"] != "critical", "it tells what the alert becomes"
    assert found["kept"] == 14


def test_what_is_exempt_goes_and_what_is_suppressed_neither_comes_nor_goes(world: World, program: Program) -> None:
    exempt, suppressed = open_alerts(world)[:2]
    change_alert(world, suppressed, "status = 'suppressed'")
    assert counts(replayed(program, world, *STALE)) == (0, 0, 0, 16)
    program.done("rules", "exempt", name_of(world), "--user", exempt, "--reason", "accepted")

    found = replayed(program, world, *STALE)

    assert (ids(found["lost"]), found["gained"], found["kept"]) == ([exempt], [], 15)
    assert exempt not in ids(replayed(program, world, *STALE, "--threshold", "20")["gained"])


def test_a_new_holder_of_a_role_is_still_one_when_the_reading_that_told_is_replayed(
    world: World, program: Program
) -> None:
    apply(world.state, Mutation(action="add_role_member", id="Global Administrator", set={"user": 41}))
    world.sync()
    assert len(open_alerts(world, "new_privileged_role_holder")) == 1

    assert counts(replayed(program, world, "--rule", "new_privileged_role_holder")) == (0, 0, 0, 1)


def test_each_list_comes_from_its_newest_whole_reading(world: World, program: Program) -> None:
    users = open_alerts(world)
    sign_in(world, users[0])
    world.sync(SyncType.IDENTITIES)
    policy = str(next(one["id"] for one in world.state.policies() if one["state"] == "enabled"))
    scenario.change_policy(world.state, policy, scenario.PolicyChange(state="disabled"))
    world.sync(SyncType.POLICIES)

    stale = replayed(program, world, *STALE, "--threshold", "90")
    assert counts(stale) == (0, 0, 0, len(users) - 1), "users of the second reading"
    oldest = world.rows("SELECT min(captured_at) FROM captures")[0][0]
    assert isinstance(oldest, datetime)
    assert stale["captured_at"] == oldest.isoformat().replace("+00:00", "Z"), "roles of the first"
    for rule in ("mfa_not_enforced", "mfa_partial_enforced", "policy_gap"):
        known = len(open_alerts(world, rule))
        assert counts(replayed(program, world, "--rule", rule)) == (0, 0, 0, known), "the tenant as it stands"


def test_captures_of_changes_are_passed_over(world: World, program: Program) -> None:
    first, second = open_alerts(world)[:2]
    sign_in(world, first, second)
    only_user(world, first)
    world.sync(SyncType.IDENTITIES)
    assert first not in open_alerts(world)
    assert second in open_alerts(world), "the changes did not tell of their sign-in"

    found = replayed(program, world, *STALE, "--threshold", "90")

    assert counts(found) == (0, 0, 0, 17), "the whole reading is older than the sign-in"
    assert counts(replayed(program, world, *STALE)) == (0, 0, 0, 16), "what is compared with alerts is as new as they"


def test_a_reading_that_ended_early_is_passed_over(world: World, program: Program) -> None:
    world.outcomes[Resource.USERS] = CUT
    world.edit = lambda page: None if page.resource is Resource.USERS else page
    world.sync()

    assert counts(replayed(program, world, *STALE, "--threshold", "90")) == (0, 0, 0, 17)


def test_what_could_not_be_read_beside_a_whole_list_is_why_a_rule_cannot_be_told(
    database_url: str, program: Program
) -> None:
    with a_world(database_url, NEW, posture=SECURITY_DEFAULTS) as world:
        world.sync()

        found = replayed(program, world, *STALE, "--threshold", "20")

        assert found["untold"] == "signInActivity could not be read: the tenant has no premium licence"
        assert counts(found) == (0, 0, 0, 0)
        page = program.done("replay", *STALE, "--tenant", name_of(world), COLUMNS="250")
        assert found["untold"] in page


def test_a_tenant_without_captures_says_so(world: World, program: Program) -> None:
    world.rows("DELETE FROM captures RETURNING 1")

    found = replayed(program, world, *STALE, "--threshold", "20")

    assert (found["captured_at"], found["untold"]) == (None, "no whole capture is stored")
    assert counts(found) == (0, 0, 0, 0)
    page = program.done("replay", *STALE, "--threshold", "20", "--tenant", name_of(world))
    assert "no whole capture is stored" in page


def test_all_tenants_are_replayed_one_by_one(world: World, program: Program, database_url: str) -> None:
    ids_of = ("--tenant-id", "other.example", "--client-id", "app")
    key = {"SECRET_KEY": program.done("secret-key").strip(), "MSPBYTE_CLIENT_SECRET": "secret"}
    program.done("tenant", "add", "never read")
    program.done("source", "add", "never read", *ids_of, **key)
    program.done("tenant", "add", "msp")
    psa = ("--provider", "halopsa", "--url", "https://psa.example", "--client-id", "app")
    program.done("source", "add", "msp", *psa, **key)
    with a_world(database_url, NEW, posture=SECURITY_DEFAULTS) as other:
        other.sync()

        document = program.json("replay", *STALE, "--threshold", "20", "--all")

        assert set(document) == {"rule", "threshold", "tenants"}
        assert (document["rule"], document["threshold"]) == ("stale_user", 20)
        assert [one["tenant"] for one in document["tenants"]] == sorted([name_of(world), name_of(other), "never read"])
        known = {one["tenant"]: one for one in document["tenants"]}
        assert counts(known[name_of(world)]) == (5, 0, 0, 17)
        assert known["never read"]["untold"] == "no whole capture is stored"
        for one in known.values():
            assert set(one) == {"tenant", "captured_at", "gained", "lost", "changed", "kept", "untold"}
            assert all(set(alert) == {"external_id", "subject", "severity", "message"} for alert in one["gained"])
        result = program.run("replay", *STALE, "--threshold", "20", "--all")
        assert all(name in result.stdout for name in known)
        assert ["all", "5", "0", "0", "17"] in [line.split() for line in result.stdout.splitlines()]
        assert "rules set stale_user --tenant NAME --threshold 20" in result.stderr
    assert program.done("replay", *STALE, "--tenant", "msp") == "There is no Microsoft 365 tenant to replay.\n"


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_page_shows_the_alerts_of_one_tenant_and_no_more_than_fit(
    world: World, program: Program, width: str
) -> None:
    waste = ("--rule", "license_waste", "--threshold", "7", "--tenant", name_of(world))
    printed = program.done("replay", *waste, COLUMNS=width)

    assert max(map(len, printed.splitlines())) <= int(width)
    assert "Gained" in printed
    assert "Lost" not in printed
    gained = len(replayed(program, world, *waste[:4])["gained"])
    assert f"… and {gained - 20} more; --json has them all." in " ".join(printed.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*STALE,), "Name a tenant with --tenant, or say --all."),
        ((*STALE, "--tenant", "contoso", "--all"), "Name a tenant with --tenant, or say --all."),
        (("--rule", "stale_usr", "--all"), "There is no rule named stale_usr. Did you mean stale_user"),
        (("--rule", "tenant_unreachable", "--all"), "tenant_unreachable is not judged from what was read of a tenant"),
        (("--rule", "psa_company_unlinked", "--all"), "psa_company_unlinked is not judged from what was read of a"),
        ((*STALE, "--threshold", "6", "--all"), "The threshold of stale_user is 7 to 730 days, not 6; without one"),
        (("--rule", "policy_gap", "--threshold", "6", "--all"), "policy_gap measures nothing, so it has no threshold."),
        ((*STALE, "--tenant", "contoso"), "There is no tenant named contoso."),
    ],
)
def test_what_cannot_be_replayed_is_refused(program: Program, arguments: tuple[str, ...], said: str) -> None:
    assert program.refused("replay", *arguments).startswith(said)


def test_a_tenant_without_a_source_is_refused(program: Program) -> None:
    program.done("tenant", "add", "contoso")

    assert program.refused("replay", *STALE, "--tenant", "contoso").startswith("contoso has no data source yet")
    assert program.json("replay", *STALE, "--all")["tenants"] == []
