"""New credentials that are given while the tenant is just refusing the old ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pipeline.domain.capture import SyncType
from pipeline.domain.runs import ClaimedStep, Stage
from pipeline.errors import TenantUnreachableError
from pipeline.stages.execution import Apply
from pipeline.stages.local import sync_here
from pipeline.storage.access import replace_credentials
from tests.tenants import NEW
from tests.world import World, a_world

pytestmark = pytest.mark.servers

REFUSED = TenantUnreachableError(
    "Microsoft refuses to sign the application in (AADSTS7000222): the client secret has expired; create a new one.",
    code="AADSTS7000222",
)


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with a_world(database_url, NEW, users=10) as found:
        found.sync()
        yield found


def test_a_refusal_of_the_old_ones_holds_the_new_ones_not_back(world: World) -> None:
    def replaced_meanwhile(_step: ClaimedStep, now: datetime) -> Apply:
        with world.database.begin() as connection:
            replace_credentials(connection, world.scope, b"new", now)
        raise REFUSED

    world.time += timedelta(minutes=1)
    executor = replace(world.executor, stages={**world.executor.stages, Stage.LOAD: replaced_meanwhile})

    sync_here(world.database, executor, world.scope, sync_types=[SyncType.IDENTITIES])

    assert world.rows("SELECT refusals FROM data_sources") == [(0,)]
    assert world.rows("SELECT DISTINCT next_due_at FROM schedules") == [(world.time,)]


def test_a_refusal_of_the_new_ones_does(world: World) -> None:
    with world.database.begin() as connection:
        replace_credentials(connection, world.scope, b"new", world.time)
    world.error = REFUSED

    world.sync(SyncType.IDENTITIES)

    assert world.rows("SELECT refusals FROM data_sources") == [(1,)]
