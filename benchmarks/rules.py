"""How fast what is decided is decided: reconciliation, comparison, flags. Reported, without floor or goal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from benchmarks.alerts import applied, pure
from benchmarks.grounds import Grounds
from benchmarks.measuring import Work, repeat
from benchmarks.rows import Row
from pipeline.comparison.diff import BranchOutcome, diff
from pipeline.domain.flags import Flag, FlagState
from pipeline.flags.evaluate import decide

USERS = 10_000
TENANTS = 10_000
REPETITIONS = 5


def measure(grounds: Grounds) -> Iterator[Row]:
    """Medians of wall time."""
    for size in (1_000, 10_000):
        yield _row("rules reconcile", f"{size:,} alerts × {size:,} findings", pure(size))
    for size in (1_000, 10_000):
        with applied(grounds, size) as work:
            yield _row("rules reconcile, applied", f"{size:,} alerts × {size:,} findings", work)
    yield _row("rules diff", f"two branches of {USERS:,} entities", _difference())
    yield _row("rules flags", f"{TENANTS:,} tenants × {len(Flag)} flags", _flags())


def _row(name: str, size: str, work: Work) -> Row:
    return Row(name=name, size=size, median=repeat(lambda: work, repetitions=REPETITIONS) * 1000, unit="ms")


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
