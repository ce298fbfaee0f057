"""The Celery application; ``celery -A tasks.app worker`` starts from here."""

from __future__ import annotations

from celery import Celery

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
app.config_from_object("celeryconfig")
