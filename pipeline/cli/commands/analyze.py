"""``mspbyte analyze``: a capture folder judged with no servers and no ledger, by the same rules."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.connections.capture_folder import folder_graph
from pipeline.cli.grammar import AsJson, noun
from pipeline.cli.pages.analysis import analysis_document, show_analysis
from pipeline.cli.pages.moments import current_time, parsed_moment, shown
from pipeline.cli.pages.output import facts, print_json, show
from pipeline.domain.findings import AnalysisResult
from pipeline.wiring import GRAPH_ANALYZERS

app = noun()


class Rules(StrEnum):
    """Whose rules: a branch of the pipeline."""

    NEW = "new"
    LEGACY = "legacy"


@app.command()
def analyze(
    folder: Annotated[Path, typer.Argument(metavar="CAPTURE_DIR", help="Holds users.json and the other lists.")],
    *,
    as_json: AsJson = False,
    now: Annotated[str, typer.Option(metavar="ISO", help="The time to judge at; by default the current one.")] = "",
    branch: Annotated[Rules, typer.Option(help="Whose rules to apply.")] = Rules.NEW,
) -> None:
    """Analyze a folder of Microsoft Graph JSON, without any server.

    The folder holds users.json, groups.json, directoryRoles.json, conditionalAccessPolicies.json,
    namedLocations.json, authenticationStrengthPolicies.json, securityDefaults.json, subscribedSkus.json and
    userRegistrationDetails.json, each {"value": […]} as Microsoft Graph returns it, groups and directoryRoles with
    their members. A file that is missing is a list that could not be read. roleAssignments.json,
    roleDefinitions.json, organization.json, applications.json and directorySubscriptions.json may be there too.
    `mspbyte capture export` writes such a folder from a run.
    """
    moment = parsed_moment(now, "--now") if now else current_time()
    result = analyze_folder(folder, branch, moment)
    if as_json:
        print_json(analysis_document(result))
        return
    show(facts([("folder", folder), ("rules", branch.value), ("as of", f"{shown(moment)} UTC")]))
    show_analysis(result)


def analyze_folder(folder: Path, rules: Rules, now: datetime) -> AnalysisResult:
    """What the rules say of the folder's tenant as of ``now``.

    Raises ``CaptureFileError`` naming file, place and reason when a file cannot be read; a missing one is a list
    that could not be read.
    """
    return GRAPH_ANALYZERS[rules.value](folder_graph(folder), now)
