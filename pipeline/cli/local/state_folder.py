"""What ``up`` and ``demo`` leave in the state folder for other commands: the key, and the variables of what runs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet

from pipeline.embedded import running_servers
from pipeline.errors import SettingError, UserError
from pipeline.settings import Settings

DEMO = "demo"
"""The demo's own folder below the state folder: it never meets the tenants that ``up`` looks after."""
KEY_FILE = "secret-key"
ENVIRONMENT_FILE = "environment.json"
"""A flat object of variables, left by who runs the embedded servers: SECRET_KEY, GRAPH_BASE_URL, and whatever else its
processes were started with. Readable by its owner alone."""
SERVERS_AND_KEYS = frozenset({"database_url", "redis_url", "nats_url", "celery_broker_url", "secret_key"})
OF_ONE_PROCESS = frozenset({"log_level", "log_format", "metrics_port", "web_port", "enable_prometheus"})
"""Settings that say how a process shows itself, and nothing of what a run does."""
PRIVATE = 0o600


def require_free(state_dir: Path) -> None:
    """Raises ``UserError`` when another process runs its servers in the folder."""
    if running_servers(state_dir) is not None:
        raise UserError(f"It runs already: the servers in {state_dir} are in use. Stop that one first with Ctrl-C.")


def local_secret_key(state_dir: Path) -> str:
    """The key that seals credentials on this machine, made on first use and readable by its owner only."""
    path = state_dir / KEY_FILE
    if not path.exists():
        _write_private(path, Fernet.generate_key().decode())
    return path.read_text(encoding="ascii").strip()


def deciding_variables(settings: Settings) -> dict[str, str]:
    """What was set of all that decides what a run does, so that a command elsewhere decides alike; nothing secret.

    Variables have their present names, and files their whole paths: the other terminal may be in another folder.
    """
    names = settings.model_fields_set - SERVERS_AND_KEYS - OF_ONE_PROCESS
    return {name.upper(): _written(value) for name in sorted(names) if (value := getattr(settings, name)) is not None}


def _written(value: object) -> str:
    """The value of a setting as a variable has it."""
    match value:
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(map(str, value))
        case Path():
            return str(value.absolute())
        case _:
            return str(value)


def leave_environment(state_dir: Path, environment: Mapping[str, str]) -> Path:
    """Writes the variables where ``mspbyte`` in another terminal finds them; remove the file when all has ended."""
    path = state_dir / ENVIRONMENT_FILE
    _write_private(path, json.dumps(dict(environment)))
    return path


def left_environment(state_dir: Path) -> dict[str, str]:
    """The variables left there, none where nobody left any; raises ``SettingError`` when they cannot be read."""
    path = state_dir / ENVIRONMENT_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise SettingError(f"{path} is not readable as a flat object of variables; restart `mspbyte up`, or remove it.")
    return {str(name): str(value) for name, value in found.items()}


def _write_private(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "w") as file:
        file.write(content)
