"""What a log line may hold: of errors their types and places, of libraries nothing below a warning."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from pipeline.errors import ProviderRejectedError
from pipeline.observability.crashes import trace

PROGRAM = """
import logging
import structlog
from pipeline.observability.logging import configure_logging
from pipeline.settings import load_settings

configure_logging(load_settings())
own, libraries = structlog.get_logger("pipeline.stages"), ("httpx", "httpcore.http11", "msal.token_cache", "sqlalchemy.engine.Engine", "urllib3", "anything")
own.debug("own_debug")
for name in libraries:
    logging.getLogger(name).debug("theirs")
logging.getLogger("httpx").info("GET https://graph.test/users?$skiptoken=abc")
try:
    try:
        {}["ada@contoso.example"]
    except KeyError as error:
        raise ValueError("for ada@contoso.example") from error
except ValueError as error:
    own.error("step_crashed", exc_info=error)
    logging.getLogger("library").exception("failed")
"""  # noqa: E501 - a program reads better on its own lines


@pytest.mark.parametrize("form", ["json", "console"])
def test_at_debug_level_only_our_own_loggers_tell_more_and_errors_are_told_without_what_they_quote(form: str) -> None:
    environment = {**os.environ, "LOG_LEVEL": "debug", "LOG_FORMAT": form}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)

    assert "own_debug" in done.stderr
    assert "theirs" not in done.stderr
    assert "skiptoken" not in done.stderr
    assert "contoso" not in done.stderr
    assert done.stderr.count("builtins.KeyError (its message is left out)") == 2, "structlog's line and the library's"
    assert done.stderr.count("builtins.ValueError (its message is left out)") == 2
    if form == "json":
        assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == [
            "own_debug",
            "step_crashed",
            "failed",
        ]


def test_an_error_of_ours_keeps_its_sentence_and_others_keep_their_place() -> None:
    try:
        try:
            int("Ada")
        except ValueError as cause:
            raise ProviderRejectedError("Microsoft rejects the request (BadRequest)", code="x", status=400) from cause
    except ProviderRejectedError as error:
        told = trace(error)
    assert "Ada" not in told.replace('int("Ada")', "")
    assert told.index("builtins.ValueError") < told.index("Microsoft rejects the request (BadRequest)")
    assert "test_logging.py" in told


def test_errors_in_a_group_and_circles_of_causes_are_told_once() -> None:
    one, other = ValueError("secret"), KeyError("secret")
    one.__cause__, other.__cause__ = other, one
    told = trace(ExceptionGroup("secret", [one, other]))
    assert "secret" not in told
    assert told.count("ValueError") == told.count("KeyError") >= 1
