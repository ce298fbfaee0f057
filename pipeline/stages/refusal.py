"""A tenant that refuses us is asked ever more rarely; once it lets us in again, everything is caught up."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from sqlalchemy import Connection

from pipeline.domain.capture import Resource, SyncType
from pipeline.domain.runs import Run
from pipeline.storage.access import count_refusal, readmit
from pipeline.storage.access import hold_back as hold_back_until
from pipeline.storage.inputs import load_inputs

FIRST_WAIT = timedelta(minutes=15)
LONGEST_WAIT = timedelta(hours=6)
JITTER = 0.1
"""Up to this share of the wait is taken off, so that tenants of one withdrawn application do not come back together."""

JUDGES = {SyncType.IDENTITIES: Resource.USERS, SyncType.COMPANIES: Resource.CLIENTS}
"""What has to be read to say that a tenant is reached, whatever its provider: see decision 0006."""


def refusal_wait(refusals: int, chance: float) -> timedelta:
    """How long to leave a tenant alone after so many refusals in a row, from 1; ``chance`` is in [0, 1)."""
    doubled = FIRST_WAIT * (1 << min(refusals - 1, 10))
    return min(doubled, LONGEST_WAIT) * (1 - JITTER * chance)


def reached(connection: Connection, run: Run) -> bool:
    """Whether a run that got through tells of the tenant as a whole; after a refusal only what was read tells."""
    judges = [JUDGES[kind] for kind in run.sync_types if kind in JUDGES]
    if not judges or run.source.refused_since is None:
        return bool(judges)
    inputs = load_inputs(connection, run.scope)
    return any(one in inputs and inputs[one].complete for one in judges)


def hold_back(connection: Connection, run: Run, now: datetime) -> None:
    """After a refused run: every sync type of the source waits, and the next run is one that can tell of recovery.

    New credentials that were given meanwhile are due already, and wait for nothing.
    """
    refusals = count_refusal(connection, run.source, now)
    if refusals is None:
        return
    wait = refusal_wait(refusals, random.random())  # noqa: S311 - spreads load, hides nothing
    hold_back_until(connection, run.scope, now + wait, again=JUDGES.keys() | run.sync_types)


def let_in(connection: Connection, run: Run, now: datetime) -> None:
    """After a run that got through: if the tenant had refused us before, that is over."""
    if run.source.refused_since is not None and reached(connection, run):
        readmit(connection, run.scope, run.sync_types, now)
