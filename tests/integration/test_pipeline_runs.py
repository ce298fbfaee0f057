"""A whole run over real PostgreSQL and a real HTTPS Graph, in one process."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import text

from graphsim.serve import RunningSimulator
from pipeline import wiring
from pipeline.domain.flags import Flag
from pipeline.stages.local import sync_here
from tests.tenants import COMPARED, LEGACY, NEW, add_simulated_tenant, settings_for

pytestmark = pytest.mark.servers


@pytest.mark.parametrize(("branch", "expected"), [(LEGACY, "legacy"), (NEW, "new"), (COMPARED, "comparison")])
def test_a_run_goes_through_the_branch_its_flags_choose_and_ends(
    simulator: RunningSimulator, database_url: str, branch: Mapping[Flag, bool], expected: str
) -> None:
    parts = wiring.build(settings_for(simulator, database_url=database_url))
    scope = add_simulated_tenant(parts, simulator, 4, branch)

    run_id = sync_here(parts.database, parts.executor, scope)

    with parts.database.begin() as connection:
        run = connection.execute(text("SELECT branch, state FROM runs WHERE id = :id"), {"id": run_id}).one()
        alerts = connection.execute(text("SELECT count(*) FROM alerts WHERE status = 'active'")).scalar_one()
    parts.close()
    assert (run.branch, run.state) == (expected, "succeeded")
    assert alerts > 0
