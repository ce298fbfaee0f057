"""``mspbyte doctor``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import typer

from pipeline.cli.checks.outcomes import Check, Status, fail
from pipeline.cli.checks.servers import check_nats, check_redis, check_workers
from pipeline.cli.checks.storage import check_key, check_storage
from pipeline.cli.connections.environment import command_settings
from pipeline.cli.grammar import AsJson, noun
from pipeline.cli.pages.output import plain, print_json, show, table
from pipeline.errors import PipelineError
from pipeline.settings import Settings
from pipeline.web.checks import checked_database, sentence_and_fix

app = noun()

SOMETHING_FAILS = 1
STYLES: Mapping[Status, str] = {Status.OK: "green", Status.WARN: "yellow", Status.FAIL: "bold red"}


@app.command()
def doctor(*, as_json: AsJson = False) -> None:
    """Check everything a sync needs, and say how to mend it; status 1 when something fails."""
    found = list(_checks())
    if as_json:
        print_json(found)
    else:
        _show(found)
    if any(check.status is Status.FAIL for check in found):
        raise typer.Exit(SOMETHING_FAILS)


def _checks() -> Iterator[Check]:
    try:
        settings = command_settings()
    except PipelineError as error:
        yield fail("settings", str(error), "Correct the variables; README.md lists them.")
        return
    yield from _of_database(settings)
    redis = check_redis(settings)
    yield redis
    yield check_workers(settings, redis)
    yield check_nats(settings)


def _of_database(settings: Settings) -> Iterator[Check]:
    try:
        with checked_database(settings) as connection:
            yield from check_storage(connection, settings)
    except PipelineError as error:
        yield fail("database", *sentence_and_fix(error))
        yield check_key(settings, ())


def _show(found: list[Check]) -> None:
    rows = table("", "check", "", whole=("check",))
    for check in found:
        rows.add_row(plain(check.status.value, STYLES[check.status]), check.name, plain(check.sentence))
        if check.fix:
            rows.add_row("", "", plain(f"→ {check.fix}", "bold"))
    show(rows)
