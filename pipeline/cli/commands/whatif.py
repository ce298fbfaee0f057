"""``mspbyte whatif``: Microsoft's what-if tool for a tenant as it was last read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analyzers.coverage.matching import OTHER
from analyzers.coverage.sign_in import AuthenticationFlow, ClientApp, Device, Platform, Risk, Situation
from analyzers.coverage.what_if import what_if
from pipeline.cli.connections.capture_folder import folder_graph
from pipeline.cli.connections.chosen import chosen_app, chosen_location, chosen_user
from pipeline.cli.connections.stored_tenant import stored_graph
from pipeline.cli.grammar import AsJson, SourceOption, noun
from pipeline.cli.pages.output import print_json
from pipeline.cli.pages.what_if import show_what_if, what_if_document
from pipeline.domain.graph import TenantGraph
from pipeline.errors import UserError

app = noun()


@app.command()
def whatif(
    *,
    user: Annotated[str, typer.Option(metavar="UPN", help="Who signs in: the user principal name, or the id.")],
    tenant: Annotated[str | None, typer.Option(metavar="NAME", help="Whose user, as last synced.")] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="CAPTURE_DIR", help="An exported capture instead, without any server.")
    ] = None,
    source: SourceOption = None,
    app_: Annotated[
        str | None,
        typer.Option("--app", metavar="APP", help="Id or name, or Office365. Default: one that no policy names."),
    ] = None,
    client: Annotated[ClientApp, typer.Option(case_sensitive=False, help="Kind of client.")] = ClientApp.BROWSER,
    platform: Annotated[
        Platform, typer.Option(case_sensitive=False, help="Of the device; other is one that no policy names.")
    ] = Platform.OTHER,
    location: Annotated[
        str | None,
        typer.Option(metavar="LOCATION", help="A named location's name or id, or trusted. Default: anywhere else."),
    ] = None,
    device: Annotated[Device, typer.Option(case_sensitive=False, help="How it is managed.")] = Device.UNMANAGED,
    risk: Annotated[Risk, typer.Option(case_sensitive=False, help="Of the sign-in.")] = Risk.NONE,
    user_risk: Annotated[Risk, typer.Option(case_sensitive=False, help="Of the user.")] = Risk.NONE,
    flow: Annotated[
        AuthenticationFlow, typer.Option(case_sensitive=False, help="How it is carried between devices.")
    ] = AuthenticationFlow.NONE,
    as_json: AsJson = False,
) -> None:
    """Show which conditional access policies apply to one sign-in, why not the others, and what it comes to.

    Give --tenant, or --folder with what `mspbyte capture export` wrote. Without further options it is a browser
    on an unmanaged device somewhere in the world, at no risk.
    """
    graph = _graph(tenant, folder, source)
    person = chosen_user(graph, user)
    situation = Situation(
        app=OTHER if app_ is None else chosen_app(graph, app_),
        client=client,
        platform=platform,
        location=OTHER if location is None else chosen_location(graph, location),
        device=device,
        sign_in_risk=risk,
        user_risk=user_risk,
        flow=flow,
    )
    found = what_if(person, situation, graph)
    if as_json:
        print_json(what_if_document(found))
    else:
        show_what_if(found, graph)


def _graph(tenant: str | None, folder: Path | None, source: int | None) -> TenantGraph:
    """The tenant to ask about, out of the database or out of a folder."""
    if (tenant is None) == (folder is None):
        raise UserError("Name a tenant with --tenant, or an exported capture with --folder, and not both.")
    if folder is None:
        return stored_graph(str(tenant), source)
    if source is not None:
        raise UserError("--source goes with --tenant; a folder holds one tenant.")
    return folder_graph(folder)
