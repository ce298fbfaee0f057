"""The command line as a test calls it: in this process, with an environment of its own."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from pipeline.cli.program import app
from pipeline.settings import REPLACED, Settings

OWN_VARIABLES = {name.upper() for name in Settings.model_fields} | set(REPLACED) | {"MSPBYTE_CLIENT_SECRET"}

STRUCTLOG_NAMES = {
    "processors": "default_processors",
    "context_class": "default_context_class",
    "wrapper_class": "default_wrapper_class",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """Calls ``mspbyte`` with the environment it holds and nothing of the machine's."""

    environment: Mapping[str, str]

    def run(self, *arguments: str, stdin: str | None = None, **variables: str) -> Result:
        environment = {"COLUMNS": "200", **self.environment, **variables}
        return CliRunner().invoke(app, arguments, input=stdin, env=environment, prog_name="mspbyte")

    def done(self, *arguments: str, **variables: str) -> str:
        """Standard output of a command that has to end well."""
        result = self.run(*arguments, **variables)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str, **variables: str) -> Any:  # noqa: ANN401 - what the command printed
        """The whole of standard output, which has to be JSON."""
        return json.loads(self.done(*arguments, "--json", **variables))

    def refused(self, *arguments: str, **variables: str) -> str:
        """Standard error of a command that cannot be done: status 2, nothing on standard output, no traceback."""
        result = self.run(*arguments, **variables)
        assert result.exit_code == 2, result.output
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        return result.stderr


def program_in(monkeypatch: pytest.MonkeyPatch, folder: Path, environment: Mapping[str, str] | None = None) -> Program:
    """A program that sees neither this machine's variables nor its state folder, and leaves no log set up behind."""
    for name in OWN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    monkeypatch.setattr(root, "level", root.level)
    for name, value in structlog.get_config().items():
        kept = STRUCTLOG_NAMES.get(name, name)
        monkeypatch.setattr(structlog._config._CONFIG, kept, value)
    # Loggers would keep a test's setup for the rest of the session.
    configure = structlog.configure
    uncached = {"cache_logger_on_first_use": False}
    monkeypatch.setattr(structlog, "configure", lambda **given: configure(**{**given, **uncached}))
    return Program(environment=environment or {})
