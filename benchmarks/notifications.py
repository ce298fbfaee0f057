"""From a change in a tenant to its alert: the simulator's delivery, the web process, beat and real workers."""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import redis
from sqlalchemy import text
from sqlalchemy.engine import make_url

from benchmarks.grounds import Grounds, fresh_database
from benchmarks.measuring import quantile
from benchmarks.rows import Goal, Measure, Row
from graphsim.serve import RunningSimulator
from graphsim.simulator import SimulatorConfig
from pipeline import wiring
from pipeline.cli.local.processes import Processes, beat_command, mspbyte_command, worker_command
from pipeline.domain.flags import Flag
from pipeline.embedded.ports import free_port
from pipeline.settings import load_settings
from pipeline.storage import flags, tenants
from pipeline.storage.database import Database
from pipeline.subscribing import build_keeper

TENANTS, USERS, CHANGES = 4, 200, 6
"""Each tenant is changed so often, one change after another; the tenants beside each other."""
GOAL_MS = 60_000.0
QUANTILES = {0.5: "p50", 0.95: "p95"}
BROKER = 10
"""A Redis database that nothing else of the pipeline uses; emptied first."""
QUEUES = {
    "router": ("router", "maintenance", "outbox"),
    "worker": ("sync.legacy", "sync.new", "analyze.legacy", "analyze.new", "alerts", "compare"),
}
LONGEST_SECONDS = 120.0
LOOK_SECONDS = 0.02


def measure(grounds: Grounds) -> Iterator[Row]:
    """A row a quantile; the floor is the time we wait on purpose, for changes that come together."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mspbyte-bench-")))
        url = stack.enter_context(fresh_database(grounds.database_url))
        config = SimulatorConfig(tenants=TENANTS, users=USERS, plain_notifications=True)
        simulator = stack.enter_context(RunningSimulator(config, folder))
        environment = _environment(grounds, url, simulator)
        parts = wiring.build(load_settings(environment))
        stack.callback(parts.close)
        processes = stack.enter_context(Processes(environment=environment, logs=folder / "logs"))
        for name, queues in QUEUES.items():
            processes.start(name, worker_command(name, queues, 2))
        processes.start("beat", beat_command())
        processes.start("web", mspbyte_command("web"))
        seconds = _changed(parts, simulator, processes)
    quiet = parts.settings.debounce_quiet_ms
    for share, name in QUANTILES.items():
        yield Row(
            name=f"notifications {name}",
            size=f"{len(seconds)} changes, {TENANTS} × {USERS} users",
            median=quantile(seconds, share) * 1000,
            unit="ms",
            floor=float(quiet),
            goal=Goal(measure=Measure.MEDIAN, at_most=GOAL_MS) if name == "p95" else None,
        )


def _environment(grounds: Grounds, database_url: str, simulator: RunningSimulator) -> dict[str, str]:
    """The defaults, so also the quiet period; only the addresses are the benchmark's."""
    broker = make_url(grounds.redis_url).set(database=str(BROKER)).render_as_string(hide_password=False)
    with redis.Redis.from_url(broker) as client:
        client.flushdb()
    port = str(free_port())
    return {
        **grounds.environment,
        "DATABASE_URL": database_url,
        "REDIS_URL": broker,
        "GRAPH_BASE_URL": simulator.base_url,
        "GRAPH_AUTHORITY": simulator.base_url,
        "GRAPH_CA_FILE": str(simulator.ca_path),
        "WEB_PORT": port,
        "NOTIFICATION_URL": f"http://127.0.0.1:{port}",
    }


def _changed(parts: wiring.Wiring, simulator: RunningSimulator, processes: Processes) -> list[float]:
    """Seconds from each change to its alert."""
    wait = partial(_until, check=processes.check)
    watched = [_watched(parts, simulator, index) for index in range(TENANTS)]
    wait(partial(_listens, parts.settings.web_port), "the web process listens")
    wait(partial(_settled, parts.database), "the first syncs have ended")
    if build_keeper(parts.settings, parts.database).keep(wiring.now()).failed:
        raise RuntimeError("the simulator refused a subscription")
    wait(partial(_settled, parts.database), "the syncs after subscribing have ended")
    with ThreadPoolExecutor(TENANTS) as pool:
        return [seconds for found in pool.map(partial(Watched.changes, wait=wait), watched) for seconds in found]


Wait = Callable[[Callable[[], bool], str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """A tenant, one of whose users after the other is disabled: each licence of theirs is then wasted."""

    database: Database
    tenant_id: int
    address: str
    """Where the simulator takes changes of it."""
    ca_path: Path

    def changes(self, wait: Wait) -> list[float]:
        """Seconds from each change to its alert; the next one comes when the run of the last is over."""
        users = self._candidates()[:CHANGES]
        if len(users) < CHANGES:
            raise RuntimeError(f"tenant {self.tenant_id} has {len(users)} users to disable and not {CHANGES}")
        with httpx.Client(verify=ssl.create_default_context(cafile=self.ca_path)) as hand:
            return [self._change(hand, user, wait) for user in users]

    def _change(self, hand: httpx.Client, user: str, wait: Wait) -> float:
        hand.post(self.address, json={"action": "disable_user", "id": user}).raise_for_status()
        begun = time.perf_counter()
        wait(lambda: user in self._wasted(), "a change has become an alert")
        seconds = time.perf_counter() - begun
        wait(partial(_settled, self.database, self.tenant_id), "the run of a change has ended")
        return seconds

    def _wasted(self) -> set[str]:
        return self._ids(
            "SELECT external_id FROM alerts WHERE tenant_id = :tenant_id AND alert_type = 'license_waste'"
            " AND status = 'active'"
        )

    def _candidates(self) -> list[str]:
        """Enabled users with a licence and no such alert."""
        licensed = self._ids(
            "SELECT external_id FROM entities WHERE tenant_id = :tenant_id AND entity_type = 'identities'"
            " AND deleted_at IS NULL AND normalized @> '{\"enabled\": true}'"
            " AND jsonb_array_length(normalized->'sku_ids') > 0"
        )
        return sorted(licensed - self._wasted())

    def _ids(self, query: str) -> set[str]:
        with self.database.begin() as connection:
            return set(connection.execute(text(query), {"tenant_id": self.tenant_id}).scalars())


def _watched(parts: wiring.Wiring, simulator: RunningSimulator, index: int) -> Watched:
    """Adds the simulator's tenant of that number, on the new branch; everything of it is due."""
    credentials = simulator.credentials(index)
    with parts.database.begin() as connection:
        tenant = tenants.add_tenant(connection, f"benchmark {index}")
        source = tenants.NewSource(
            provider="microsoft365",
            external_tenant_id=credentials.tenant_id,
            client_id=credentials.client_id,
            credentials=wiring.vault(parts.settings).seal(credentials.client_secret),
        )
        scope = tenants.add_source(connection, tenant, source, wiring.now())
        flags.store_overrides(
            connection, tenant.id, {Flag.NEW_PIPELINE: True}, author="benchmark", reason="the branch measured"
        )
    return Watched(
        database=parts.database,
        tenant_id=scope.tenant_id,
        address=f"{simulator.base_url}/_sim/tenants/{index}/mutations",
        ca_path=simulator.ca_path,
    )


UNSETTLED = text("""
SELECT EXISTS (SELECT 1 FROM runs r WHERE r.state = 'running' AND (CAST(:only AS int) IS NULL OR r.tenant_id = :only))
    OR EXISTS (SELECT 1 FROM pending_triggers p JOIN data_sources d ON d.id = p.source_id
                WHERE CAST(:only AS int) IS NULL OR d.tenant_id = :only)
    OR EXISTS (SELECT 1 FROM schedules WHERE next_due_at <= now())
""")
FAILED = text("SELECT count(*) FROM runs WHERE state = 'failed'")


def _settled(database: Database, tenant_id: int | None = None) -> bool:
    """True when nothing runs and nothing waits, of a tenant or of all; raises when a run has failed."""
    with database.begin() as connection:
        if connection.execute(FAILED).scalar_one():
            raise RuntimeError("a run failed; a figure of the others would say little")
        return not connection.execute(UNSETTLED, {"only": tenant_id}).scalar_one()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _until(met: Callable[[], bool], about: str, *, check: Callable[[], None]) -> None:
    """Returns when it is met; raises when a process has ended, or after two minutes."""
    pause, deadline = threading.Event(), time.monotonic() + LONGEST_SECONDS
    while not met():
        check()
        if time.monotonic() > deadline:
            raise RuntimeError(f"it took longer than {LONGEST_SECONDS:.0f} s until {about}")
        pause.wait(LOOK_SECONDS)
