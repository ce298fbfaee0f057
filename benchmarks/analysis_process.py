"""A process that reads the graph of one stored tenant, and judges it or only looks how large it is.

``python -m benchmarks.analysis_process analyze|graph TENANT_ID SOURCE_ID`` with the database's URL on standard input,
where no list of processes shows it. Prints megabytes of greatest resident memory, or bytes that the graph holds.
"""

from __future__ import annotations

import resource
import sys
import tracemalloc
from pathlib import Path

from analyzers import unified
from benchmarks.memory import MEGABYTE
from pipeline import wiring
from pipeline.domain.findings import AnalysisType
from pipeline.domain.runs import Scope
from pipeline.stages.memory import frugal
from pipeline.storage.database import Database
from pipeline.storage.graph import load_graph


def main(what: str, tenant_id: str, source_id: str) -> None:
    scope = Scope(tenant_id=int(tenant_id), source_id=int(source_id))
    database = Database(sys.stdin.readline().strip())
    try:
        print(_bytes_of_graph(database, scope) if what == "graph" else _peak(database, scope))
    finally:
        database.close()


def _peak(database: Database, scope: Scope) -> float:
    with frugal(), database.begin() as connection:
        graph = load_graph(connection, scope)
        unified.analyze(graph, frozenset(AnalysisType), wiring.now())
    return _greatest_resident_kilobytes() / 1024


def _greatest_resident_kilobytes() -> float:
    """Of this program alone: what the kernel tells of used resources still holds the parent's size from before exec.

    https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE * 1024
    peak = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
    return float(peak.split()[1])


def _bytes_of_graph(database: Database, scope: Scope) -> int:
    with database.begin() as connection:
        tracemalloc.start()
        graph = load_graph(connection, scope)
        held, _ = tracemalloc.get_traced_memory()
        if not graph.identities:
            raise RuntimeError("the stored tenant has no users")
        return held


if __name__ == "__main__":
    main(*sys.argv[1:])
