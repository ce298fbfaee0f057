"""The composition root: the one place where implementations are chosen and put together.

Built once per process, after any fork. Only here is ``legacy`` imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection

import legacy.admins
import legacy.alerts
import legacy.analyze
import legacy.declared
import legacy.linker
import legacy.overuse
from analyzers import unified
from legacy.reads import GraphReads, SqlReads
from pipeline.comparison.diff import AlertKey, Kind
from pipeline.domain.capture import Edges
from pipeline.domain.entities import RelationshipType
from pipeline.domain.findings import AnalysisResult, AnalysisType, Finding
from pipeline.domain.flags import FlagSnapshot
from pipeline.domain.graph import TenantGraph
from pipeline.domain.providers import Provider
from pipeline.domain.runs import Branch, ClaimedStep, DataSource, Lane, Run, Scope, Stage
from pipeline.flags.environment import listed_overrides, starting_point
from pipeline.opening import open_provider, provider_openers
from pipeline.settings import Settings
from pipeline.stages.alert import Analysis, Handled, alert_tenant, reconcile_alerts, refused, settle_tenant
from pipeline.stages.analyze import AnalyzerPart, Order, analyze_tenant
from pipeline.stages.cadence import APPLY_CHANGES, Cadence
from pipeline.stages.capture import OpenSource, capture_tenant
from pipeline.stages.compare import compare_branches
from pipeline.stages.execution import Executor, StageFunction
from pipeline.stages.judging import judge_tenant
from pipeline.stages.link import Linked, Linker, link_entities, link_in_bulk
from pipeline.stages.load import load_entities
from pipeline.stages.psa import with_psa
from pipeline.stages.route import route_run
from pipeline.storage.credentials import Vault
from pipeline.storage.database import Database
from pipeline.storage.flags import load_overrides


@dataclass(frozen=True, kw_only=True, slots=True)
class Wiring:
    """What an entry point needs; ``executor`` does steps."""

    settings: Settings
    database: Database
    executor: Executor

    def close(self) -> None:
        self.database.close()


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def open_database(settings: Settings) -> Database:
    return Database(settings.require("database_url"), slow_ms=settings.slow_query_threshold_ms)


def build(
    settings: Settings,
    *,
    open_source: OpenSource | None = None,
    interruptions: tuple[type[Exception], ...] = (),
) -> Wiring:
    """The system over its real parts; ``open_source`` puts another provider under it (tests, benchmarks).

    ``interruptions`` are the errors by which the caller's worker stops a step that takes too long.
    """
    database = open_database(settings)
    opened = open_source or partial(open_provider, provider_openers(settings))
    executor = Executor(
        database=database,
        stages=_stages(settings, database, opened),
        on_failure=refused,
        clock=now,
        interruptions=interruptions,
        job_timeout=timedelta(milliseconds=settings.job_timeout_ms),
        heartbeat_every=timedelta(milliseconds=settings.step_heartbeat_ms),
    )
    return Wiring(settings=settings, database=database, executor=executor)


def vault(settings: Settings) -> Vault:
    return Vault(settings.secret_key)


def _stages(settings: Settings, database: Database, open_source: OpenSource) -> Mapping[Stage, StageFunction]:
    return {
        Stage.ROUTE: partial(route_run, snapshot=partial(_snapshot, settings, database)),
        Stage.CAPTURE: partial(capture_tenant, open_source=open_source),
        Stage.LOAD: partial(
            load_entities,
            database=database,
            open_source=open_source,
            cadence=Cadence(linkers=APPLY_CHANGES, whole_every=timedelta(minutes=settings.full_read_interval_minutes)),
        ),
        Stage.LINK: partial(link_entities, database=database, open_source=open_source, linkers=LINKERS),
        Stage.ANALYZE: partial(analyze_tenant, database=database, analyzers=_analyzers(settings)),
        Stage.ALERT: partial(
            alert_tenant, database=database, handlers={"reconcile": reconcile_alerts, "legacy": _legacy_alerts}
        ),
        Stage.COMPARE: partial(compare_branches, database=database, declared=_declared),
    }


def _snapshot(settings: Settings, database: Database, source: DataSource) -> FlagSnapshot:
    """The flags as they stand for a tenant: the environment's values and its stored overrides, which win."""
    with database.begin() as connection:
        stored = load_overrides(connection, source.scope.tenant_id)
    overrides = {**listed_overrides(settings, source), **stored}
    return {
        flag: replace(state, overrides={source.scope.tenant_id: overrides[flag]}) if flag in overrides else state
        for flag, state in starting_point(settings).items()
    }


def _legacy_link(connection: Connection, scope: Scope, edges: Edges, complete: frozenset[RelationshipType]) -> Linked:
    written = legacy.linker.link(connection, scope, edges, complete)
    legacy.admins.tag_admins(connection, scope)
    return Linked(counts=written)


def _n_plus_one_link(
    connection: Connection, scope: Scope, edges: Edges, complete: frozenset[RelationshipType]
) -> Linked:
    return Linked(counts=legacy.linker.link(connection, scope, edges, complete))


LINKERS: Mapping[str, Linker] = {
    "batch": link_in_bulk,
    "n_plus_one": _n_plus_one_link,
    "legacy": _legacy_link,
}


def _analyzers(settings: Settings) -> Mapping[str, AnalyzerPart]:
    return {
        "unified": AnalyzerPart(analyze=with_psa(judge_tenant)),
        "separate": AnalyzerPart(analyze=with_psa(_separate)),
        "legacy": AnalyzerPart(
            analyze=with_psa(_legacy),
            direct=_legacy_overuse,
            delay=timedelta(milliseconds=settings.legacy_alert_delay_ms),
        ),
    }


def _separate(connection: Connection, order: Order) -> AnalysisResult:
    """The same rules, each analysis type of the former system with a graph of its own, and one for all others."""
    whole = replace(order, touched=None)
    kinds = [frozenset({kind}) for kind, _ in legacy.analyze.ANALYZERS if kind in order.types]
    further = order.types - FORMER_TYPES
    results = [judge_tenant(connection, replace(whole, types=some)) for some in (*kinds, further) if some]
    told = [result.privileged_ids for result in results if result.privileged_ids is not None]
    return AnalysisResult(
        findings=tuple(finding for result in results for finding in result.findings),
        not_evaluated=tuple(item for result in results for item in result.not_evaluated),
        ran=frozenset().union(*(result.ran for result in results)),
        exempt=frozenset().union(*(result.exempt for result in results)),
        rules=tuple(rule for result in results for rule in result.rules),
        privileged_ids=frozenset().union(*told) if told else None,
        grants=results[0].grants,
    )


FORMER_TYPES = frozenset(kind for kind, _ in legacy.analyze.ANALYZERS)
"""The four analyzers of the former system."""


def _legacy(connection: Connection, order: Order) -> AnalysisResult:
    return legacy.analyze.analyze(SqlReads(connection, order.source.scope), order.types, order.now)


def _unified_graph(graph: TenantGraph, moment: datetime) -> AnalysisResult:
    return unified.analyze(graph, frozenset(AnalysisType), moment, explain_everybody=True)


def _legacy_graph(graph: TenantGraph, moment: datetime) -> AnalysisResult:
    return legacy.analyze.analyze(GraphReads(graph, moment), frozenset(AnalysisType), moment)


GRAPH_ANALYZERS: Mapping[str, Callable[[TenantGraph, datetime], AnalysisResult]] = {
    Branch.NEW.value: _unified_graph,
    Branch.LEGACY.value: _legacy_graph,
}
"""Each branch's rules over a graph in memory, for a capture in a folder."""


def _legacy_overuse(connection: Connection, run: Run, findings: Sequence[Finding], moment: datetime) -> None:
    legacy.overuse.write_overuse(
        connection, run.scope, run_id=run.id, trace_id=run.trace_id, findings=findings, now=moment
    )


def _legacy_alerts(connection: Connection, run: Run, analysis: Analysis, moment: datetime) -> Handled:
    """The former handling. It passes overuse over, which the former analyzer has written; another's is written here.

    It never knew another provider than Microsoft: the alerts of a PSA are reconciled in every branch.
    """
    if run.source.provider != Provider.MICROSOFT365:
        return reconcile_alerts(connection, run, analysis, moment)
    settle_tenant(connection, run, moment)
    _legacy_overuse(connection, run, analysis.findings, moment)
    counts = legacy.alerts.handle(
        connection, run.scope, run_id=run.id, trace_id=run.trace_id, findings=analysis.findings, now=moment
    )
    return Handled(counts=counts)


RELATIVE_TO_LEGACY: Mapping[Kind, legacy.declared.Kind] = {
    Kind.MISSING: "missing",
    Kind.EXTRA: "extra",
    Kind.DIFFERENT: "severity",
}


def _declared(step: ClaimedStep, moment: datetime, kind: Kind, key: AlertKey, codes: frozenset[str]) -> str:
    """Why a difference is known; legacy's table speaks of the new branch, which may be either side."""
    told = RELATIVE_TO_LEGACY[kind]
    if step.run.parts[Lane.CONTROL].analyzer != "legacy":
        told = legacy.declared.mirrored(told)
    found = legacy.declared.declared_for(told, key.alert_type, codes, on=moment.date())
    return found.reason if found else ""
