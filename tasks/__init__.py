"""Celery's side: thin tasks, one module per stage, over ``pipeline.wiring``."""
