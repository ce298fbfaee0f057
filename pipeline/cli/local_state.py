"""What ``up`` and ``demo`` leave in the state folder for other commands: the key, and the variables of what runs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet

KEY_FILE = "secret-key"
ENVIRONMENT_FILE = "environment.json"
PRIVATE = 0o600


def local_secret_key(state_dir: Path) -> str:
    """The key that seals credentials on this machine, made on first use and readable by its owner only."""
    path = state_dir / KEY_FILE
    if not path.exists():
        _write_private(path, Fernet.generate_key().decode())
    return path.read_text(encoding="ascii").strip()


def leave_environment(state_dir: Path, environment: Mapping[str, str]) -> Path:
    """Writes the variables where ``mspbyte`` in another terminal finds them; remove the file when all has ended."""
    path = state_dir / ENVIRONMENT_FILE
    _write_private(path, json.dumps(dict(environment)))
    return path


def _write_private(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "w") as file:
        file.write(content)
