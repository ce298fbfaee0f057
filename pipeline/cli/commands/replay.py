"""``mspbyte replay``: a changed rule over what was read, to see what it would do before it counts."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import Connection

from analyzers.replay import Replay, Standing, replay
from analyzers.rule import Rule
from analyzers.settings import checked_threshold, rule_named
from pipeline.cli.connections.capture_folder import graph_of
from pipeline.cli.connections.database import opened_database
from pipeline.cli.grammar import AsJson, noun
from pipeline.cli.pages.moments import current_time
from pipeline.cli.pages.output import print_json
from pipeline.cli.pages.replay import Replayed, replay_document, show_replays
from pipeline.domain.alerts import Alert, AlertStatus
from pipeline.domain.providers import Provider
from pipeline.domain.rule_settings import RuleState
from pipeline.domain.runs import DataSource
from pipeline.errors import UserError
from pipeline.storage.alerts import stored_alerts
from pipeline.storage.captures import latest_whole_capture
from pipeline.storage.coverage import last_evaluated
from pipeline.storage.graph import load_graph
from pipeline.storage.rules import load_grants, load_rule_settings
from pipeline.storage.tenants import Tenant, find_tenant, list_sources, sources_of

app = noun()


@app.command("replay")
def replay_(
    *,
    rule: Annotated[str, typer.Option("--rule", metavar="RULE", help="The rule's id.")],
    threshold: Annotated[
        int | None,
        typer.Option("--threshold", help="Another threshold; without one the open alerts are compared."),
    ] = None,
    tenant: Annotated[str, typer.Option("--tenant", metavar="NAME", help="In this tenant.")] = "",
    everywhere: Annotated[bool, typer.Option("--all", help="In every tenant.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a changed rule over the newest stored captures and show which alerts would come and go.

    Without --threshold the rule as it is now judges the tenant as it is stored, against the alerts that stand: after
    an upgrade, what the new version will change. Nothing is written. `mspbyte rules set` puts the threshold in force.
    """
    found = rule_named(rule)
    if found.judge is None:
        raise UserError(f"{found.id} is not judged from what was read of a tenant, so there is nothing to replay.")
    value = None if threshold is None else checked_threshold(found, threshold)
    if bool(tenant) is everywhere:
        raise UserError("Name a tenant with --tenant, or say --all.")
    with opened_database() as database:
        with database.begin() as connection:
            sources = (
                list_sources(connection) if everywhere else sources_of(connection, find_tenant(connection, tenant))
            )
        replayed = []
        for source in sources:
            if source.provider == Provider.MICROSOFT365:
                with database.begin() as connection:
                    replayed.append(_of_source(connection, source, found, value))
    if as_json:
        print_json(replay_document(found, value, replayed))
    else:
        show_replays(found, value, replayed)


def _of_source(connection: Connection, source: DataSource, rule: Rule, threshold: int | None) -> Replayed:
    """With another threshold over the captures, as of then; else over the tenant as stored, as of the last evaluation.

    What is compared with the alerts that stand has to be as new as they are: captures of changes are no whole tenant.
    """
    now = current_time()
    scope = source.scope
    capture = None if threshold is None else latest_whole_capture(connection, scope)
    if capture is not None:
        graph, moment = graph_of(capture.pages, capture.outcomes), capture.as_of(rule.inputs)
    elif threshold is None:
        graph, moment = load_graph(connection, scope), last_evaluated(connection, scope, rule.alert_type) or now
    else:
        return Replayed(tenant=source.tenant, captured_at=None, result=Replay(untold="no whole capture is stored"))
    owner = Tenant(id=scope.tenant_id, name=source.tenant)
    stored = stored_alerts(connection, scope, (rule.alert_type,))
    result = replay(
        rule,
        graph,
        moment,
        state=RuleState(
            settings=load_rule_settings(connection, owner, now, source_id=scope.source_id),
            grants=load_grants(connection, scope),
        ),
        threshold=threshold,
        standing=[_standing(alert) for alert in stored if alert.status.open],
        suppressed={(one.external_id, one.subject) for one in stored if one.status is AlertStatus.SUPPRESSED},
    )
    return Replayed(tenant=source.tenant, captured_at=moment, result=result)


def _standing(alert: Alert) -> Standing:
    return Standing(
        external_id=alert.external_id, subject=alert.subject, severity=alert.severity, message=alert.message
    )
