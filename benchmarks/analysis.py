"""The whole catalogue of rules over one tenant: how long, how it grows, and how much memory it takes."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from statistics import median

from analyzers import unified
from benchmarks.grounds import Grounds, add_new_branch_tenant, fresh_database
from benchmarks.input import TenantPages, tenant_pages
from benchmarks.measuring import Work, alternate, repeat
from benchmarks.rows import Goal, Measure, Row
from pipeline import wiring
from pipeline.domain.capture import Page, Resource
from pipeline.domain.findings import AnalysisResult, AnalysisType
from pipeline.domain.graph import TenantGraph, build_graph
from pipeline.domain.runs import Run, Scope, Stage
from pipeline.providers.memory import MemorySource
from pipeline.providers.microsoft365 import normalize
from pipeline.stages.dispatch import next_refs, open_due_runs
from pipeline.stages.execution import Outcome
from pipeline.stages.memory import frugal

SMALL, FEW = 10_000, 30
SIZES, MANY = (12_500, 25_000, 50_000, 100_000), 50
REPETITIONS = 5
EVERY_TYPE = frozenset(AnalysisType)
SMALL_GOAL = Goal(measure=Measure.MEDIAN, at_most=300)
LARGE_GOAL = Goal(measure=Measure.MEDIAN, at_most=5_000)
GROWTH_GOAL = Goal(measure=Measure.MEDIAN, at_most=1.1)
"""Linear is 1; the rest is what caches and the collector cost a larger heap."""
PEAK_GOAL = Goal(measure=Measure.MEDIAN, at_most=400)
USER_GOAL = Goal(measure=Measure.MEDIAN, at_most=2_048)


def measure(grounds: Grounds) -> Iterator[Row]:
    """Time beside a floor, growth as the exponent of a power law, and memory of a process of its own."""
    yield _small()
    seconds = []
    for users in SIZES:
        graph = _graph(_with_policies(_pages(users), MANY))
        seconds.append(repeat(partial(_analysis, graph), repetitions=3))
    size = f"{SIZES[-1]:,} users × {MANY} policies"
    yield Row(name="analysis", size=size, median=seconds[-1] * 1000, unit="ms", goal=LARGE_GOAL)
    yield Row(
        name="analysis growth",
        size=f"{SIZES[0]:,} to {SIZES[-1]:,} users",
        median=exponent(SIZES, seconds),
        unit="exponent",
        goal=GROWTH_GOAL,
    )
    yield from _memory(grounds)


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The power of the size that the time grows with: the slope of a line through both logarithms, by least squares."""
    xs, ys = [math.log(size) for size in sizes], [math.log(value) for value in seconds]
    middle, height = sum(xs) / len(xs), sum(ys) / len(ys)
    steepness = sum((x - middle) * (y - height) for x, y in zip(xs, ys, strict=True))
    return steepness / sum((x - middle) ** 2 for x in xs)


def _small() -> Row:
    """The floor looks once at every pair of user and policy, which is what sharing between users saves."""
    graph = _graph(_with_policies(_pages(SMALL), FEW))
    paired = alternate(partial(_analysis, graph), partial(_every_pair, graph), repetitions=REPETITIONS)
    return Row(
        name="analysis",
        size=f"{SMALL:,} users × {FEW} policies",
        median=median(paired.measured) * 1000,
        unit="ms",
        floor=median(paired.floor) * 1000,
        ratio=paired.ratio,
        goal=SMALL_GOAL,
    )


def _analysis(graph: TenantGraph) -> Work:
    """With the cycle collector paused, as it is while a step runs."""

    def analyze() -> AnalysisResult:
        with frugal():
            return unified.analyze(graph, EVERY_TYPE, wiring.now())

    return analyze


def _every_pair(graph: TenantGraph) -> Work:
    def look() -> int:
        included = [frozenset(policy.users.include_groups) for policy in graph.policies.values()]
        nowhere: frozenset[str] = frozenset()
        return sum(
            not groups.isdisjoint(graph.groups_of.get(user, nowhere))
            for user in graph.identities
            for groups in included
        )

    return look


def _pages(users: int) -> TenantPages:
    return tenant_pages(users, wiring.now().replace(microsecond=0))


def _with_policies(found: TenantPages, count: int) -> TenantPages:
    """The tenant with as many enabled policies, its own ones over groups taken in turn."""
    groups = [group["id"] for page in found.pages if page.resource is Resource.GROUPS for group in _values(page)]
    own = [policy for page in found.pages if page.resource is Resource.POLICIES for policy in _values(page)]
    made = [_policy(own[number % len(own)], groups[number % len(groups)], number) for number in range(count)]
    kept = tuple(page for page in found.pages if page.resource is not Resource.POLICIES)
    page = Page(resource=Resource.POLICIES, body=json.dumps({"value": made}).encode())
    return replace(found, pages=(*kept, page))


def _values(page: Page) -> list[dict[str, object]]:
    values: list[dict[str, object]] = json.loads(page.body)["value"]
    return values


def _policy(own: dict[str, object], group: object, number: int) -> dict[str, object]:
    conditions = own["conditions"]
    if not isinstance(conditions, dict):
        raise TypeError("a policy has conditions")
    users = {"includeUsers": [], "includeGroups": [group]}
    return {**own, "id": f"policy-{number}", "state": "enabled", "conditions": {**conditions, "users": users}}


def _graph(found: TenantPages) -> TenantGraph:
    capture = normalize.normalize(found.pages, found.outcomes)
    return build_graph(
        entities=capture.entities,
        pairs={kind: [(edge.parent_id, edge.child_id) for edge in edges] for kind, edges in capture.edges.items()},
        inputs=found.outcomes,
    )


def _memory(grounds: Grounds) -> Iterator[Row]:
    """What a process needs that reads the graph of a stored tenant and judges it, and the graph alone."""
    users = SIZES[-1]
    with fresh_database(grounds.database_url) as url:
        scope = _stored(grounds, url, _with_policies(_pages(users), MANY))
        size = f"{users:,} users × {MANY} policies"
        peak = _process("analyze", url, scope)
        yield Row(name="analysis, peak of a process", size=size, median=peak, unit="MB", goal=PEAK_GOAL)
        graph = _process("graph", url, scope) / users
        yield Row(name="tenant graph", size=f"{users:,} users", median=graph, unit="bytes a user", goal=USER_GOAL)


def _stored(grounds: Grounds, url: str, found: TenantPages) -> Scope:
    """The tenant loaded and linked by the pipeline, in that database."""
    source = MemorySource(found.pages, found.outcomes, normalize)

    def open_source(_run: Run) -> MemorySource:
        return source

    parts = wiring.build(grounds.settings.model_copy(update={"database_url": url}), open_source=open_source)
    try:
        scope = add_new_branch_tenant(parts.database)
        (opened,) = open_due_runs(parts.database, parts.executor.clock(), max_jobs=1)
        for stage in (Stage.ROUTE, Stage.LOAD, Stage.LINK):
            (step,) = next_refs(parts.database, opened.run_id)
            if step.stage is not stage or parts.executor.run(step).outcome is not Outcome.DONE:
                raise RuntimeError(f"{stage.value} of the measured tenant did not succeed")
        return scope
    finally:
        parts.close()


def _process(what: str, url: str, scope: Scope) -> float:
    """The figure that ``benchmarks.analysis_process`` prints."""
    command = [sys.executable, "-m", "benchmarks.analysis_process", what, str(scope.tenant_id), str(scope.source_id)]
    done = subprocess.run(command, input=url, capture_output=True, text=True, check=True)  # noqa: S603 - our own module
    return float(done.stdout)
