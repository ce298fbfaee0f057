"""The root: help, typing errors, and how every command ends."""

from __future__ import annotations

import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

from pipeline.cli.program import COMMANDS
from tests.unit.cli.program import Program

HEAVY = ("sqlalchemy", "celery", "psycopg", "pydantic", "httpx", "redis", "msgspec", "pipeline.wiring", "graphsim.app")


def test_the_help_names_every_command(program: Program) -> None:
    text = program.done("--help")
    assert [command.name for command in COMMANDS if command.name not in text] == []


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_has_help_of_its_own(program: Program, command: str) -> None:
    assert f"mspbyte {command}" in program.done(command, "--help")


def test_the_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom pipeline.cli.program import app\n"
        "try:\n    app(['--help'], prog_name='mspbyte')\nexcept SystemExit:\n    pass\n"
        "print('LOADED', *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "pipeline.cli.program" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_a_mistyped_command_is_answered_with_the_nearest(program: Program) -> None:
    assert "Did you mean 'alerts'" in program.refused("alert")


def test_the_version_is_the_packages(program: Program) -> None:
    assert program.done("--version").startswith("mspbyte 0.")


def test_a_new_key_is_a_fernet_key(program: Program) -> None:
    Fernet(program.done("secret-key").strip())
