"""Where a command finds its settings: its environment, else what `mspbyte up` or `mspbyte demo` runs here."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path

from pipeline.cli.local.state_folder import DEMO, left_environment
from pipeline.cli.pages.streams import tell
from pipeline.embedded import default_state_dir, running_servers
from pipeline.observability.logging import configure_logging
from pipeline.settings import REPLACED, Settings, load_settings


def process_environment() -> dict[str, str]:
    """The variables of this process, over those of the embedded servers that ``up`` runs, else of the demo's.

    A ``DATABASE_URL`` of its own means another system: nothing of the embedded one is mixed into it.
    """
    own = dict(os.environ)
    if own.get("DATABASE_URL") or own.get("DATABASE_URL_FILE"):
        return own
    for folder in (default_state_dir(), default_state_dir() / DEMO):
        servers = running_servers(folder)
        if servers is not None:
            return {**_left_to(own, folder), **servers.environment(), **own}
    return own


def _left_to(own: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The variables left in the folder, without those that this process sets by their former names."""
    ours = {present for former, present in REPLACED.items() if own.get(former)}
    return {name: value for name, value in left_environment(folder).items() if name not in ours}


def told_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in these variables; what is deprecated is told in one line each."""
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always", DeprecationWarning)
        settings = load_settings(environment)
    for warning in noted:
        tell(f"Warning: {warning.message}")
    return settings


def process_settings() -> Settings:
    """The settings of this process, or of the embedded servers that run here."""
    return told_settings(process_environment())


def command_settings() -> Settings:
    """The settings, with the log set up; a command logs warnings only, unless LOG_LEVEL says otherwise."""
    settings = process_settings()
    quiet = (
        settings if "log_level" in settings.model_fields_set else settings.model_copy(update={"log_level": "warning"})
    )
    configure_logging(quiet)
    return settings


def service_settings() -> Settings:
    """The settings of a process that stays, with the log set up.

    Its own environment only: a service that is started without ``DATABASE_URL`` has to say so, and not serve whatever
    runs embedded beside it.
    """
    settings = told_settings(os.environ)
    configure_logging(settings)
    return settings
