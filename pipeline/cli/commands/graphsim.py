"""``mspbyte graphsim``."""

from __future__ import annotations

import ssl
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from graphsim.serve import serve as serve_graph
from graphsim.simulator import SimulatorConfig, start
from graphsim.trouble.fault_rules import FaultRule, read_rule
from graphsim.trouble.faults import KINDS
from pipeline.cli import graphsim_hand
from pipeline.cli.grammar import AsJson, noun
from pipeline.cli.pages.output import facts, plain, print_json, show
from pipeline.embedded import default_state_dir
from pipeline.errors import UserError

app = noun("A local Microsoft Graph with generated tenants.")

Tenants = Annotated[int, typer.Option(min=1, max=100_000, help="How many tenants.")]
Users = Annotated[int, typer.Option(min=1, max=1_000_000, help="Users in each.")]
Seed = Annotated[str, typer.Option(help="Equal seeds give equal tenants.")]
FAULT_HELP = f"Trouble to make, as above; repeatable. Kinds: {', '.join(KINDS)}."


@app.command()
def serve(
    *,
    tenants: Tenants = 5,
    users: Users = 200,
    seed: Seed = "mspbyte",
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = 8443,
    state_dir: Annotated[
        Path | None, typer.Option(help="Where its certificates are kept; by default in the user's state folder.")
    ] = None,
    https: Annotated[
        bool, typer.Option("--https/--no-https", help="Plain http is for tools that take no CA; `mspbyte sync` does.")
    ] = True,
    throttle: Annotated[bool, typer.Option("--throttle", help="Enforce Microsoft's throttling limits.")] = False,
    throttle_factor: Annotated[
        float, typer.Option(min=0.0001, max=1.0, help="Scales the resource units of a tenant.")
    ] = 1.0,
    fault: Annotated[list[str] | None, typer.Option(help=FAULT_HELP, metavar="RULE")] = None,
    scenario: Annotated[
        Path | None, typer.Option(help="A YAML file of what happens to the tenants, and when.", metavar="FILE")
    ] = None,
    notification_ca: Annotated[
        Path | None, typer.Option(help="Verify the endpoints that are notified of changes with this CA.")
    ] = None,
    notify_http: Annotated[
        bool, typer.Option("--notify-http", help="Notify applications on this machine over http, too.")
    ] = False,
) -> None:
    """Serve generated tenants over HTTPS until interrupted.

    It prints the three settings that point a sync at it;
    `mspbyte graphsim credentials` shows how to sign in.

    --fault rate=0.2,kind=503,path=/users
    makes a fifth of the requests whose path contains /users fail with 503.
    Also tenant= (its number), times=, after= (Retry-After) and seconds=.
    """
    folder = state_dir or default_state_dir() / "graphsim"
    config = SimulatorConfig(
        tenants=tenants,
        users=users,
        seed=seed,
        throttle=throttle,
        throttle_factor=throttle_factor,
        faults=tuple(_rule(text, tenants) for text in fault or ()),
        notification_ca=_authority(notification_ca),
        plain_notifications=notify_http,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        serve_graph(graphsim_hand.with_scenario(config, scenario), host, port, folder, https=https)
    except OSError as error:
        raise UserError(
            f"The simulator cannot listen on {host}:{port} or write to {folder} ({error.strerror or error}); "
            "choose another --port, --host or --state-dir."
        ) from None


def _authority(path: Path | None) -> str:
    """The file as it was given, once it has shown that endpoints can be verified with it."""
    if path is None:
        return ""
    try:
        ssl.create_default_context(cafile=path)
    except OSError as error:
        raise UserError(
            f"--notification-ca {path} cannot be used ({type(error).__name__}); name a file of PEM certificates."
        ) from None
    return str(path)


def _rule(text: str, tenants: int) -> FaultRule:
    try:
        rule = read_rule(text)
    except ValueError as error:
        raise UserError(f"--fault {text} cannot be: {error}; `mspbyte graphsim serve --help` shows how.") from None
    if rule.tenant is not None and not 0 <= rule.tenant < tenants:
        raise UserError(f"--fault names tenant {rule.tenant}, but the tenants are numbered from 0 to {tenants - 1}.")
    return rule


@app.command()
def credentials(*, tenants: Tenants = 5, users: Users = 200, seed: Seed = "mspbyte", as_json: AsJson = False) -> None:
    """Show how to sign in to the generated tenants; made up, they open nothing else."""
    simulator = start(SimulatorConfig(tenants=tenants, users=users, seed=seed))
    found = [(simulator.state(index).tenant.name, simulator.credentials(index)) for index in range(tenants)]
    if as_json:
        print_json([{"name": name, **asdict(one)} for name, one in found])
        return
    for index, (name, one) in enumerate(found):
        told = [("--tenant-id", one.tenant_id), ("--client-id", one.client_id), ("secret", one.client_secret)]
        show(plain(f"tenant {index}, {name}", "bold"), facts(told))


app.command()(graphsim_hand.mutate)
app.command()(graphsim_hand.mutations)
