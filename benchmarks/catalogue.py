"""Every benchmark, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from benchmarks import analysis, end_to_end, latency, load, memory, notifications, rules, throttling
from benchmarks.grounds import Grounds
from benchmarks.rows import Row

Benchmark = Callable[[Grounds], Iterator[Row]]

BENCHMARKS: Mapping[str, Benchmark] = {
    "analysis": analysis.measure,
    "end_to_end": end_to_end.measure,
    "latency": latency.measure,
    "notifications": notifications.measure,
    "load": load.measure,
    "memory": memory.measure,
    "rules": rules.measure,
    "throttling": throttling.measure,
}
