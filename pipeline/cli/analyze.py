"""``mspbyte analyze``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pipeline.cli.analysis import Rules, analyze_folder
from pipeline.cli.analysis_document import document
from pipeline.cli.moments import current_time, parsed_moment, shown
from pipeline.cli.nouns import noun
from pipeline.cli.options import AsJson
from pipeline.cli.output import facts, heading, plain, print_json, show, table
from pipeline.cli.styles import SEVERITY_STYLES, VERDICT_STYLES
from pipeline.domain.findings import AlertType, AnalysisResult, Severity, Verdict

app = noun()

MOST_FINDINGS = 10


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
    their members. A file that is missing is a list that could not be read. `mspbyte capture export` writes such a
    folder from a run.
    """
    moment = parsed_moment(now, "--now") if now else current_time()
    result = analyze_folder(folder, branch, moment)
    if as_json:
        print_json(document(result))
        return
    show(facts([("folder", folder), ("rules", branch.value), ("as of", f"{shown(moment)} UTC")]))
    show(heading("Findings"), _by_rule(result), heading("MFA"), _by_verdict(result))
    if result.findings:
        show(heading("Worst findings"), _worst(result))
    if result.not_evaluated:
        show(heading("Could not be told"), _untold(result))


def _by_rule(result: AnalysisResult) -> Table:
    counts = Counter((finding.alert_type, finding.severity) for finding in result.findings)
    severities = [severity.value for severity in reversed(Severity)]
    found = table("rule", *severities, right=severities)
    for kind in AlertType:
        if any(counts[kind, severity] for severity in Severity):
            cells = [plain(counts[kind, one] or "", SEVERITY_STYLES[one]) for one in reversed(Severity)]
            found.add_row(kind.value, *cells)
    if not counts:
        found.add_row("none")
    return found


def _by_verdict(result: AnalysisResult) -> Table:
    counts = Counter(one.verdict for one in result.mfa_coverage)
    found = table("verdict", "users", right=("users",))
    for verdict in Verdict:
        if counts[verdict]:
            found.add_row(plain(verdict.value, VERDICT_STYLES[verdict]), str(counts[verdict]))
    return found


def _worst(result: AnalysisResult) -> Table:
    found = table("severity", "rule", "finding", whole=("severity", "rule"))
    ordered = sorted(result.findings, key=lambda one: (-one.severity.rank, one.alert_type, one.external_id))
    for one in ordered[:MOST_FINDINGS]:
        found.add_row(
            plain(one.severity.value, SEVERITY_STYLES[one.severity]), one.alert_type.value, plain(one.message)
        )
    if len(ordered) > MOST_FINDINGS:
        found.add_row("", "", f"… and {len(ordered) - MOST_FINDINGS} more; --json has them all.")
    return found


def _untold(result: AnalysisResult) -> Table:
    counts = Counter((item.alert_type.value, item.reason) for item in result.not_evaluated)
    found = table("rule", "items", "reason", right=("items",), whole=("rule",))
    for (rule, reason), count in sorted(counts.items()):
        found.add_row(rule, str(count), plain(reason))
    return found
