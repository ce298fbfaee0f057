"""The root of the command line: every command with its line of help.

A new command is a file of its name in ``commands``, and one line in ``COMMANDS``: the name, the panel of the help it
stands in, and its line there.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from pipeline.cli.lazy import LazyCommand, LazyGroup
from pipeline.cli.pages.streams import say

EVERYDAY = "Every day"
SETUP = "Setting up"
OPERATING = "Running it"


def _command(name: str, panel: str, text: str) -> LazyCommand:
    return LazyCommand(name=name, panel=panel, help=text)


COMMANDS = (
    _command("sync", EVERYDAY, "Sync a tenant now."),
    _command("runs", EVERYDAY, "What ran, how it went and why."),
    _command("alerts", EVERYDAY, "What is wrong in the tenants, explained."),
    _command("compare", EVERYDAY, "Run both branches on one capture and show where they differ."),
    _command("whatif", EVERYDAY, "Which policies apply to one sign-in, and why not the others."),
    _command("analyze", EVERYDAY, "Analyze a folder of Microsoft Graph JSON, without any server."),
    _command("capture", EVERYDAY, "What a run read from its tenant."),
    _command("rules", EVERYDAY, "What is looked for, from when on, and whom it leaves alone."),
    _command("replay", EVERYDAY, "Try a changed rule on what was read, before it counts."),
    _command("psa", EVERYDAY, "The companies of the PSA and the tenants that are theirs."),
    _command("tenant", SETUP, "The tenants that are looked after."),
    _command("source", SETUP, "The connections to the tenants' providers."),
    _command("notifications", SETUP, "What Microsoft tells us of by itself, and until when."),
    _command("secret-key", SETUP, "Print a new key for SECRET_KEY."),
    _command("db", SETUP, "The database's schema."),
    _command("demo", OPERATING, "Five simulated tenants from sync to alerts."),
    _command("up", OPERATING, "The whole system on this machine."),
    _command("web", OPERATING, "Serve health and metrics, and take change notifications."),
    _command("exporter", OPERATING, "Serve metrics for Prometheus."),
    _command("relay", OPERATING, "Publish events to NATS."),
    _command("doctor", OPERATING, "Check everything a sync needs, and say how to mend it."),
    _command("graphsim", OPERATING, "A local Microsoft Graph with generated tenants."),
)


class Root(LazyGroup):
    table = COMMANDS


app = typer.Typer(
    cls=Root,
    no_args_is_help=True,
    add_completion=False,
    # A traceback with local variables would show credentials; what is expected never ends in a traceback at all.
    pretty_exceptions_enable=False,
)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        say(f"mspbyte {version('mspbyte-pipeline')}")
        raise typer.Exit


@app.callback()
def mspbyte(
    *,
    shown: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Syncs Microsoft 365 tenants, analyzes them and keeps the list of alerts right."""
