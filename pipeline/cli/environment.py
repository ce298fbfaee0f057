"""Where a command finds its servers: the environment, else what `mspbyte up` or `mspbyte demo` runs here."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

from pipeline.cli.streams import tell
from pipeline.embedded import default_state_dir, running_servers
from pipeline.errors import SettingError
from pipeline.settings import Settings, load_settings

ENVIRONMENT_FILE = "environment.json"
"""A flat object of variables in the state folder, left by who runs the embedded servers: SECRET_KEY, GRAPH_BASE_URL,
and whatever else its processes were started with. Readable by its owner alone."""


def process_environment() -> dict[str, str]:
    """The variables of this process, over those of the embedded servers that run in the default state folder.

    A ``DATABASE_URL`` of its own means another system: nothing of the embedded one is mixed into it.
    """
    own = dict(os.environ)
    if own.get("DATABASE_URL") or own.get("DATABASE_URL_FILE"):
        return own
    folder = default_state_dir()
    servers = running_servers(folder)
    if servers is None:
        return own
    return {**_left_behind(folder / ENVIRONMENT_FILE), **servers.environment(), **own}


def process_settings() -> Settings:
    """The settings of this process; what is deprecated is told in one line each."""
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always", DeprecationWarning)
        settings = load_settings(process_environment())
    for warning in noted:
        tell(f"Warning: {warning.message}")
    return settings


def _left_behind(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise SettingError(f"{path} is not readable as a flat object of variables; restart `mspbyte up`, or remove it.")
    return {str(name): str(value) for name, value in found.items()}
