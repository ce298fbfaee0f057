"""Taking a client secret without it passing through the command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from pipeline.errors import UserError

VARIABLE = "MSPBYTE_CLIENT_SECRET"


def read_secret(file: str) -> str:
    """The secret from the file (``-`` is standard input), else the environment, else whoever sits there."""
    secret = _from_file(file) if file else os.environ.get(VARIABLE, "") or _asked()
    if not secret.strip():
        raise UserError(f"The client secret is empty; give it with --client-secret-file, {VARIABLE} or when asked.")
    return secret.strip()


def _from_file(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"--client-secret-file names {file}, which cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UserError(f"--client-secret-file names {file}, which is not text.") from None


def _asked() -> str:
    if not sys.stdin.isatty():
        raise UserError(f"No client secret: give it with --client-secret-file or {VARIABLE}, or run this by hand.")
    return str(typer.prompt("Client secret", hide_input=True, err=True))
