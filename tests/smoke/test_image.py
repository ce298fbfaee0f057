"""The image we ship, as a worker between containers of Redis and PostgreSQL."""

from __future__ import annotations

import pytest
from pytest_celery import CeleryTestSetup  # type: ignore[import-untyped] # it ships no type information

pytestmark = [
    pytest.mark.docker,
    # Docker's client leaves sockets to the garbage collector.
    pytest.mark.filterwarnings("default::ResourceWarning"),
    pytest.mark.filterwarnings("default::pytest.PytestUnraisableExceptionWarning"),
]

DISPATCH = "tasks.schedule.dispatch_due_syncs"


def ask_for_dispatch(setup: CeleryTestSetup) -> str:
    """The id of a task that goes through the worker to PostgreSQL and back."""
    return str(setup.app.send_task(DISPATCH, queue="router", ignore_result=True).id)


def test_a_worker_from_our_image_does_a_task_that_needs_the_database(celery_setup: CeleryTestSetup) -> None:
    assert celery_setup.ready(ping=False, control=True)

    task = ask_for_dispatch(celery_setup)

    celery_setup.worker.assert_log_exists(f"{DISPATCH}[{task}] succeeded")


def test_a_task_asked_for_while_the_worker_was_dead_is_done_when_it_is_back(celery_setup: CeleryTestSetup) -> None:
    celery_setup.worker.kill()

    task = ask_for_dispatch(celery_setup)
    celery_setup.worker.restart()

    celery_setup.worker.assert_log_exists(f"{DISPATCH}[{task}] succeeded")
