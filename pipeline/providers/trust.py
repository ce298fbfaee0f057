"""Whose certificates are trusted: the system's authorities, or those of a file for a server with one of its own."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path

import httpx

from pipeline.errors import SettingError


def trusting(ca_path: Path | None, setting: str) -> ssl.SSLContext:
    """One context for all connections of the process: loading the certificates takes some 20 ms.

    ``setting`` is the variable that names the file, for the ``SettingError`` of a file that cannot be used.
    """
    if ca_path is None:
        return _trusting_the_system()
    try:
        return _trusting_file(ca_path, ca_path.stat().st_mtime_ns)
    except (OSError, ssl.SSLError) as error:
        raise SettingError(
            f"{setting}={ca_path} cannot be used ({type(error).__name__}): name a file of PEM certificates."
        ) from error


@lru_cache(maxsize=1)
def _trusting_the_system() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@lru_cache(maxsize=4)
def _trusting_file(ca_path: Path, _changed_at: int) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_path)
