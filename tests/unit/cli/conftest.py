"""A program without any server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.program import Program, program_in


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Program:
    return program_in(monkeypatch, tmp_path)
