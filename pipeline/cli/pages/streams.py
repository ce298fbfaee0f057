"""What goes where: results and JSON on standard output, everything else on standard error."""

from __future__ import annotations

import typer


def complain(sentence: str) -> None:
    """A sentence about what cannot be done, or failed."""
    typer.secho(sentence, err=True, fg=typer.colors.RED)


def tell(sentence: str) -> None:
    """A sentence beside the result."""
    typer.echo(sentence, err=True)


def say(sentence: str) -> None:
    """A sentence that is the result."""
    typer.echo(sentence)
