"""``mspbyte graphsim mutate`` and ``mutations``: the hand that moves a running simulator's world."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import httpx
import typer

from graphsim.serve import ADDRESS_FILE
from graphsim.simulator import SimulatorConfig, start
from graphsim.world.actions import Values
from graphsim.world.mutations import ACTIONS, Mutation, check
from graphsim.world.playing import load
from graphsim.world.targets import ScenarioError
from pipeline.cli.grammar import AsJson
from pipeline.cli.pages.output import facts, plain, print_json, show
from pipeline.embedded import default_state_dir
from pipeline.errors import UserError

_SECONDS = 30
_SET_HELP = "What the action takes, as `mspbyte graphsim mutations` lists it: user=30. Repeatable."
_CA = Path("tls") / "ca.pem"
_LEGEND = """
Capitals stand for the ID in `mspbyte graphsim mutate TENANT ACTION ID`:
USER          a number or an id
GROUP         a number, an id or a name
ROLE          a name or an id
POLICY        a number, an id or a name
PRODUCT       a part number such as POWER_BI_PRO, or a SKU's id
SUBSCRIPTION  the id of a change notification subscription
What ends in = is given with --set; what has a ? may be left out, but of user?=
and group?= one is needed:
mspbyte graphsim mutate 0 add_role_member "Global Reader" --set user=30"""


def mutate(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="Its number in the simulator, or its id.")],
    action: Annotated[str, typer.Argument(metavar="ACTION", help="See `mspbyte graphsim mutations`.")],
    key: Annotated[str, typer.Argument(metavar="[ID]", help="What it happens to: a number, an id or a name.")] = "",
    *,
    given: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help=_SET_HELP)] = None,
    url: Annotated[str | None, typer.Option(help="The simulator's address; by default the running one's.")] = None,
    state_dir: Annotated[Path | None, typer.Option(help="The folder `serve` was given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Do one thing to a tenant of the running simulator."""
    folder = state_dir or default_state_dir() / "graphsim"
    mutation = Mutation(action, key, _particulars(given or []))
    try:
        check(mutation)
    except ScenarioError as error:
        raise UserError(f"Nothing done: {error}; see `mspbyte graphsim mutations`.") from None
    told = _post(url or _running(folder), folder, tenant, mutation)
    if as_json:
        print_json(told)
        return
    about = f"{action} {told['id']}".strip()
    show(plain(f"{about}: change {told['sequence']} of the tenant."))


def mutations(*, as_json: AsJson = False) -> None:
    """List what can happen to a simulated tenant, by hand or in a scenario file."""
    if as_json:
        print_json([{"action": a.name, "about": a.about, "id": a.target, "set": a.takes} for a in ACTIONS])
        return
    show(facts([(_usage(a.name, a.target, a.takes), a.about) for a in ACTIONS]), _LEGEND)


def with_scenario(config: SimulatorConfig, path: Path | None) -> SimulatorConfig:
    """What to simulate, with the scenario of ``serve --scenario``."""
    if path is None:
        return config
    try:
        scenario = load(path)
    except ScenarioError as error:
        raise UserError(f"--scenario {error}.") from None
    simulator = start(config)
    for step in scenario.steps:
        if simulator.find(step.tenant) is None:
            raise UserError(
                f"--scenario {path} names tenant {step.tenant}; give an id or a number from 0 to {config.tenants - 1}."
            )
    return replace(config, scenario=scenario)


def _usage(name: str, target: str, takes: tuple[str, ...]) -> str:
    return " ".join([name, *([target.upper()] if target else []), *(f"{each}=" for each in takes)])


def _particulars(given: list[str]) -> Values:
    found: Values = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UserError(f"--set takes NAME=VALUE, not {pair!r}.")
        found[name.strip()] = value
    return found


def _running(folder: Path) -> str:
    try:
        return (folder / ADDRESS_FILE).read_text(encoding="utf-8").strip()
    except OSError:
        raise UserError(
            f"No simulator runs with its state in {folder}: start `mspbyte graphsim serve`, or give --url or "
            "--state-dir."
        ) from None


def _post(url: str, folder: Path, tenant: str, mutation: Mutation) -> dict[str, object]:
    body = {"action": mutation.action, "id": mutation.id, "set": mutation.set}
    ca = folder / _CA
    context = ssl.create_default_context(cafile=ca if ca.exists() else None)
    try:
        with httpx.Client(verify=context, trust_env=False, timeout=_SECONDS) as client:
            answer = client.post(f"{url.rstrip('/')}/_sim/tenants/{tenant}/mutations", json=body)
            told: dict[str, object] = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise UserError(f"No simulator answers at {url} ({error}); start it, or give --url and --state-dir.") from None
    if answer.is_success:
        return told
    raise UserError(f"The simulator would not do that: {told.get('error', answer.status_code)}.")
