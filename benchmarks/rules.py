"""How fast the rules decide: analysis, reconciliation, comparison, flags. Reported, without floor or goal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from analyzers import unified
from benchmarks.alerts import applied, pure
from benchmarks.grounds import Grounds
from benchmarks.input import tenant_pages
from benchmarks.measuring import Work, repeat
from benchmarks.rows import Row
from pipeline import wiring
from pipeline.comparison.diff import BranchOutcome, diff
from pipeline.domain.conditional_access import ConditionalAccessPolicy, PolicyState, PolicyUsers
from pipeline.domain.entities import EntityType
from pipeline.domain.findings import AnalysisType
from pipeline.domain.flags import Flag, FlagState
from pipeline.domain.graph import TenantGraph, build_graph
from pipeline.flags.evaluate import decide
from pipeline.providers.microsoft365.normalize import normalize

USERS = 10_000
POLICIES = 30
TENANTS = 10_000
REPETITIONS = 5


def measure(grounds: Grounds) -> Iterator[Row]:
    """Medians of wall time."""
    yield _row("rules analyze", f"{USERS:,} users × {POLICIES} policies", _analysis())
    for size in (1_000, 10_000):
        yield _row("rules reconcile", f"{size:,} alerts × {size:,} findings", pure(size))
    for size in (1_000, 10_000):
        with applied(grounds, size) as work:
            yield _row("rules reconcile, applied", f"{size:,} alerts × {size:,} findings", work)
    yield _row("rules diff", f"two branches of {USERS:,} entities", _difference())
    yield _row("rules flags", f"{TENANTS:,} tenants × {len(Flag)} flags", _flags())


def _row(name: str, size: str, work: Work) -> Row:
    return Row(name=name, size=size, median=repeat(lambda: work, repetitions=REPETITIONS) * 1000, unit="ms")


def _analysis() -> Work:
    return partial(unified.analyze, graph_of(USERS, POLICIES), frozenset(AnalysisType), wiring.now())


def graph_of(users: int, policies: int) -> TenantGraph:
    """A generated tenant with as many enabled policies, the generated ones over groups taken in turn."""
    found = tenant_pages(users, wiring.now().replace(microsecond=0))
    capture = normalize(found.pages, found.outcomes)
    groups = list(capture.entities[EntityType.GROUPS])
    own = [one for one in capture.entities[EntityType.POLICIES].values() if isinstance(one, ConditionalAccessPolicy)]
    many = [_over(own[number % len(own)], groups[number % len(groups)], number) for number in range(policies)]
    return build_graph(
        entities={**capture.entities, EntityType.POLICIES: {policy.id: policy for policy in many}},
        pairs={kind: [(edge.parent_id, edge.child_id) for edge in edges] for kind, edges in capture.edges.items()},
        inputs=found.outcomes,
    )


def _over(policy: ConditionalAccessPolicy, group: str, number: int) -> ConditionalAccessPolicy:
    users = PolicyUsers(include_groups=(group,))
    return replace(policy, id=f"policy-{number}", state=PolicyState.ENABLED, users=users)


def _difference() -> Work:
    """One entity in a hundred is missing, one extra, one different."""
    control = {f"identities/{number}": f"{number:032x}" for number in range(USERS)}
    candidate = {key: "changed" if key.endswith("01") else value for key, value in control.items()}
    candidate = {key: value for key, value in candidate.items() if not key.endswith("02")}
    candidate |= {f"identities/extra-{number}": "" for number in range(USERS // 100)}
    return partial(diff, _entities_only(control), _entities_only(candidate), lambda *_: "")


def _entities_only(entities: Mapping[str, str]) -> BranchOutcome:
    return BranchOutcome(entities=entities, relationships=frozenset(), alerts={})


def _flags() -> Work:
    snapshot = {flag: FlagState(enabled=True, rollout=50.0) for flag in Flag}
    return lambda: [decide(snapshot, tenant) for tenant in range(TENANTS)]
