"""Do the rules still run? Silence looks like health, so a rule that has stopped is an alert of its own.

Beat asks every minute. One alert a tenant names all its stopped rules; a tenant that refuses us has an alert already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from analyzers.catalogue import RULES, feeds
from analyzers.wording import listed
from pipeline.alerts.reconcile import AlertChange, Assessment, reconcile
from pipeline.domain.alerts import OPEN_STATUSES, Alert
from pipeline.domain.capture import SyncType
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import THE_TENANT, AlertType, Finding, Severity
from pipeline.domain.runs import Origin, Scope
from pipeline.stages.alert import told_of
from pipeline.storage.alerts import alerts_of_sources, write_changes
from pipeline.storage.coverage import StoppedRule, alone, stopped_rules, watched_sources
from pipeline.storage.database import Database
from pipeline.storage.outbox import add_events

log = structlog.get_logger(__name__)

KIND = AlertType.RULE_STOPPED_RUNNING
FEEDING = tuple((rule.alert_type, sync_type) for rule in RULES for sync_type in SyncType if feeds(sync_type, rule))
"""After which syncs each rule is evaluated."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """What becomes of one source's alert, and the run it is told of."""

    origin: Origin
    changes: Sequence[AlertChange]


def watch_rules(database: Database, now: datetime) -> int:
    """Raises, updates and resolves the alerts on stopped rules; how many changed.

    Four or five statements where nothing changed, three more for each source whose alert does. Of two beats at once one
    looks. An alert of a source that is not watched now, since it refuses us or is disabled, stands: that its rules run
    again was not seen.
    """
    with database.begin() as connection:
        if not alone(connection):
            return 0
        stopped = stopped_rules(connection, FEEDING, now)
        standing = alerts_of_sources(connection, KIND, OPEN_STATUSES)
        earlier = alerts_of_sources(connection, KIND, sources={one.scope.source_id for one in stopped})
        silent = {scope.source_id for scope in standing.keys() - {one.scope for one in stopped}}
        watched = watched_sources(connection, silent) if silent else frozenset()
        over = {scope: alert for scope, alert in standing.items() if scope.source_id in watched}
        changed = plan(stopped, earlier | over, now)
        for one in changed:
            write_changes(connection, one.origin, one.changes, now)
            add_events(connection, one.origin.scope, [told_of(one.origin, change) for change in one.changes], now)
    if changed:
        log.info("stopped_rules_changed", sources=len(changed))
    return len(changed)


def plan(stopped: Iterable[StoppedRule], stored: Mapping[Scope, tuple[Origin, Alert]], now: datetime) -> list[Watched]:
    """What to write, from what has stopped and the alerts there are. Pure."""
    by_source: defaultdict[Scope, list[StoppedRule]] = defaultdict(list)
    for one in stopped:
        by_source[one.scope].append(one)
    planned = []
    for scope in sorted(by_source.keys() | stored.keys(), key=lambda one: one.source_id):
        rules = by_source.get(scope)
        changes = reconcile(
            source_id=scope.source_id,
            stored=[stored[scope][1]] if scope in stored else [],
            findings=[finding(rules)] if rules else [],
            assessment=Assessment(evaluated=frozenset({KIND})),
            now=now,
        )
        if changes:
            planned.append(Watched(origin=rules[-1].origin if rules else stored[scope][0], changes=changes))
    return planned


def finding(rules: Sequence[StoppedRule]) -> Finding:
    """One finding about the tenant that names its stopped rules."""
    names = [rule.alert_type.value for rule in rules]
    why = sorted({rule.skipped for rule in rules if rule.skipped})
    several = len(names) > 1
    because = f" ({listed(why)})" if why else f", for no run came to {'them' if several else 'it'}"
    plural = "rules have" if several else "rule has"
    return Finding(
        alert_type=KIND,
        severity=Severity.MEDIUM,
        entity_type=EntityType.TENANTS,
        external_id=THE_TENANT,
        message=f"{len(names)} {plural} not been evaluated for twice the interval: {listed(names)}{because}.",
        reasons=("never_evaluated",) if all(rule.evaluated_at is None for rule in rules) else ("stopped",),
        evidence={"rules": names},
    )
