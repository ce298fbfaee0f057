"""Where a command finds its servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cli.connections.environment import process_environment, service_settings, told_settings
from pipeline.cli.local.state_folder import ENVIRONMENT_FILE, deciding_variables, leave_environment
from pipeline.embedded import ServerUrls, default_state_dir
from pipeline.embedded.lock import StateLock
from pipeline.embedded.urls import write_note
from pipeline.errors import SettingError
from tests.unit.cli.program import Program

URLS = ServerUrls(database_url="postgresql://embedded", redis_url="redis://embedded", nats_url="nats://embedded")


@pytest.fixture
def state(program: Program) -> Iterator[Path]:
    """A state folder as a process leaves it whose servers run: locked, with a note of where they listen."""
    folder = default_state_dir()
    folder.mkdir(parents=True)
    lock = StateLock(folder)
    assert lock.acquire()
    write_note(folder, URLS)
    yield folder
    lock.release()


def test_without_servers_it_is_this_processs_own(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://mine")
    found = process_environment()
    assert found["REDIS_URL"] == "redis://mine"
    assert "DATABASE_URL" not in found


def test_running_servers_and_what_they_left_fill_the_gaps(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (state / ENVIRONMENT_FILE).write_text(json.dumps({"SECRET_KEY": "theirs", "LOG_LEVEL": "debug"}))
    monkeypatch.setenv("LOG_LEVEL", "error")
    found = process_environment()
    names = ("DATABASE_URL", "REDIS_URL", "NATS_URL", "SECRET_KEY", "LOG_LEVEL")
    expected = ["postgresql://embedded", "redis://embedded", "nats://embedded", "theirs", "error"]
    assert [found[name] for name in names] == expected


def test_a_command_beside_up_decides_as_its_processes_do_and_its_own_variables_win(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ups = {
        "DATABASE_URL": "postgresql://hidden",
        "SECRET_KEY": "hidden",
        "CELERY_BROKER_URL": "redis://hidden",
        "LOG_LEVEL": "debug",
        "FEATURE_NEW_PIPELINE": "true",
        "FEATURE_NEW_PIPELINE_ROLLOUT": "12.5",
        "USE_UNIFIED_ANALYZER": "false",
        "FEATURE_ALERT_MANAGER": "false",
        "UNIFIED_ANALYZER_TENANTS": "a, b",
        "FULL_READ_INTERVAL_MINUTES": "0",
        "DEBOUNCE_QUIET_MS": "7",
        "GRAPH_CA_FILE": "ca.pem",
    }
    left = deciding_variables(told_settings(ups))
    leave_environment(state, left)
    assert set(left) & {"DATABASE_URL", "SECRET_KEY", "CELERY_BROKER_URL", "LOG_LEVEL"} == set()
    assert Path(left["GRAPH_CA_FILE"]).is_absolute()

    alike = told_settings(process_environment())
    assert (alike.feature_new_pipeline, alike.feature_new_pipeline_rollout) == (True, 12.5)
    assert (alike.feature_unified_analyzer, alike.feature_alert_manager) == (False, False)
    assert alike.unified_analyzer_tenants == ("a", "b")
    assert (alike.full_read_interval_minutes, alike.debounce_quiet_ms) == (0, 7)

    monkeypatch.setenv("FEATURE_NEW_PIPELINE", "false")
    monkeypatch.setenv("USE_UNIFIED_ANALYZER", "true")
    own = told_settings(process_environment())
    assert (own.feature_new_pipeline, own.feature_unified_analyzer) == (False, True)


def test_a_database_of_ones_own_keeps_the_embedded_ones_out(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://mine")
    assert "REDIS_URL" not in process_environment()


def test_a_service_takes_its_own_environment_and_nothing_that_runs_beside_it(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMPARE_ANALYZERS", "true")
    assert service_settings().database_url is None
    assert capsys.readouterr().err.startswith("Warning: COMPARE_ANALYZERS is deprecated; use ")


@pytest.mark.parametrize("content", ["[]", "{", '"text"'])
def test_a_damaged_file_is_named(state: Path, content: str) -> None:
    (state / ENVIRONMENT_FILE).write_text(content)
    with pytest.raises(SettingError, match=rf"{ENVIRONMENT_FILE} is not readable"):
        process_environment()


def test_no_database_names_the_variable(program: Program) -> None:
    assert program.refused("runs", "list").startswith("DATABASE_URL is not set.")


def test_a_database_that_is_down_names_the_variable(program: Program) -> None:
    said = program.refused("alerts", "list", DATABASE_URL="postgresql://user:hidden@127.0.0.1:1/x")
    assert "DATABASE_URL" in said
    assert "hidden" not in said


def test_a_wrong_setting_is_said_with_name_value_and_what_is_accepted(program: Program) -> None:
    said = program.refused("runs", "list", MAX_CONCURRENT_JOBS="none", DATABASE_URL="postgresql://x")
    assert said.startswith("MAX_CONCURRENT_JOBS is 'none', which is not accepted")


def test_a_deprecated_variable_is_one_line(program: Program) -> None:
    result = program.run("runs", "list", COMPARE_ANALYZERS="true")
    assert result.stderr.splitlines()[0] == (
        "Warning: COMPARE_ANALYZERS is deprecated; use FEATURE_COMPARISON_MODE instead."
    )
