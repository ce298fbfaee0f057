"""The new rules over what is stored of a tenant: one graph, every rule, over as few users as can have changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from analyzers import unified
from analyzers.affected import affected_users
from analyzers.catalogue import RULES
from analyzers.fingerprint import fingerprint
from pipeline.domain.findings import AlertType, AnalysisResult
from pipeline.domain.graph import TenantGraph
from pipeline.fingerprint import RULES as RULE_PACKAGES
from pipeline.fingerprint import code_fingerprint
from pipeline.stages.analyze import Order
from pipeline.stages.touched import MOST
from pipeline.storage.graph import load_named_graph

FEW = 0.2
"""The share of users up to which looking at them alone is worth it; the ledger is not to hold more than ``MOST``."""


def judge_tenant(connection: Connection, order: Order) -> AnalysisResult:
    """What all rules of the types say. A rule on single users that is known to stand as it did, by code, settings and
    inputs, looks only at users of whom something changed."""
    graph, names = load_named_graph(connection, order.source.scope)
    prints = fingerprints(graph, order)
    again = _again(graph, names, order, prints)
    return with_fingerprints(unified.analyze(graph, order.types, order.now, state=order.state, again=again), prints)


def fingerprints(graph: TenantGraph, order: Order) -> Mapping[AlertType, str]:
    """By what each rule that can be judged again on some users would be evaluated now."""
    code = code_fingerprint(*RULE_PACKAGES)
    return {
        rule.alert_type: fingerprint(rule, graph, order.state.settings, code)
        for rule in RULES
        if rule.per_user and rule.analysis_type in order.types
    }


def _again(
    graph: TenantGraph, names: Mapping[object, str], order: Order, prints: Mapping[AlertType, str]
) -> unified.Again | None:
    known = frozenset(kind for kind, own in prints.items() if order.state.fingerprints.get(kind) == own)
    if order.touched is None or not known:
        return None
    touched = {names[key] for one in order.touched if (key := bytes.fromhex(one)) in names}
    users = affected_users(graph, touched)
    few = len(users) <= min(MOST, FEW * len(graph.identities))
    return unified.Again(alert_types=known, users=users) if few else None


def with_fingerprints(result: AnalysisResult, prints: Mapping[AlertType, str]) -> AnalysisResult:
    """The result, whose evaluated rules say by what they were."""
    return replace(
        result,
        rules=tuple(
            one if one.skipped else replace(one, fingerprint=prints.get(one.alert_type, "")) for one in result.rules
        ),
    )
