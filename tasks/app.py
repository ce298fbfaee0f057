"""The Celery application; ``celery -A tasks.app worker`` starts from here."""

from __future__ import annotations

import sys

from celery import Celery

from pipeline.errors import SettingError

MODULES = (
    "tasks.process",
    "tasks.router",
    "tasks.capture",
    "tasks.load",
    "tasks.link",
    "tasks.analyze",
    "tasks.alerts",
    "tasks.compare",
    "tasks.schedule",
)

app = Celery("mspbyte", include=MODULES, task_cls="tasks.base:StepTask")
try:
    app.config_from_object("celeryconfig", force=True)
except SettingError as error:
    print(error, file=sys.stderr)  # noqa: T201 - nothing is set up yet that could log it
    raise SystemExit(2) from None
