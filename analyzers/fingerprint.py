"""By what a rule was evaluated: its code, what the tenant set about it, and how well its inputs were read.

While nothing of it changes, a rule on single users need only look at those of whom something changed.
"""

from __future__ import annotations

import hashlib

from analyzers.rule import Rule
from pipeline.domain.graph import NEVER_READ, TenantGraph
from pipeline.domain.rule_settings import RuleSettings


def fingerprint(rule: Rule, graph: TenantGraph, settings: RuleSettings, code: str) -> str:
    """32 hexadecimal digits; ``code`` stands for the version of everything that decides a verdict."""
    read = [
        (resource.value, outcome.complete, outcome.reason)
        for resource in (*rule.inputs, *rule.optional_inputs)
        for outcome in (graph.inputs.get(resource, NEVER_READ),)
    ]
    accepted = [(one.kind.value, one.external_id, one.alert_type) for one in settings.exemptions]
    facts = repr((rule.id, code, settings.thresholds.get(rule.alert_type), accepted, read))
    return hashlib.blake2b(facts.encode(), digest_size=16).hexdigest()
