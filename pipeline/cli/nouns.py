"""The group of commands of one noun."""

from __future__ import annotations

import typer


def noun(text: str | None = None) -> typer.Typer:
    """An empty group; with one command in it, it is that command."""
    return typer.Typer(no_args_is_help=text is not None, add_completion=False, help=text)
