"""What is loaded when: the framework with the application only, the metrics library with metrics only."""

from __future__ import annotations

import subprocess
import sys

import pytest

OFF = """
import asyncio, sys, httpx
from pipeline.settings import load_settings
from pipeline.web.app import create_app

async def ask():
    app = create_app(load_settings({"ENABLE_PROMETHEUS": "false"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://web") as web:
        return await web.get("/metrics")

answer = asyncio.run(ask())
assert answer.status_code == 404, answer
assert answer.text == "Metrics are turned off by ENABLE_PROMETHEUS=false.\\n", answer.text
import pipeline.observability.metrics.exporter
assert "prometheus_client" not in sys.modules
"""
PACKAGES = """
import sys
import pipeline.web, pipeline.web.checks, pipeline.observability.metrics
assert not {"starlette", "uvicorn", "prometheus_client"} & set(sys.modules)
"""


@pytest.mark.parametrize("program", [OFF, PACKAGES], ids=["metrics turned off", "packages alone"])
def test_nothing_is_loaded_before_it_is_wanted(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


OFF_EXPORTER = "from pipeline.settings import load_settings; \
from pipeline.observability.logging import configure_logging; \
from pipeline.observability.metrics.exporter import serve_exporter; \
settings = load_settings(); configure_logging(settings); serve_exporter(settings)"


def test_an_exporter_that_is_turned_off_stays_and_ends_on_sigterm() -> None:
    environment = {"ENABLE_PROMETHEUS": "false"}
    command = [sys.executable, "-c", OFF_EXPORTER]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as exporter:
        assert exporter.stderr
        assert "exporter_off" in exporter.stderr.readline()
        exporter.terminate()
        assert exporter.wait(10) == 0
