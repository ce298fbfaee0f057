"""The grammar the commands share: a noun's group, and the options and arguments that several of them take."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else there.")]
TenantArgument = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's name.")]
TenantOption = Annotated[str | None, typer.Option("--tenant", metavar="NAME", help="Of this tenant only.")]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="At most so many. Without it a table is cut short, JSON never.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Stay until it has ended; status 1 if it failed.")]
WaitLimit = Annotated[int, typer.Option("--timeout", min=1, metavar="SECONDS", help="How long --wait waits at most.")]
Local = Annotated[bool, typer.Option("--local", help="Do it in this process, without broker or workers.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]
SourceOption = Annotated[
    int | None, typer.Option("--source", help="Which data source, where the tenant has several: its id.")
]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or enough of its beginning.")]
AlertArgument = Annotated[str, typer.Argument(metavar="ALERT", help="The alert's id, or enough of its beginning.")]


def quoted(name: str) -> str:
    """A name as it is typed in a shell."""
    return shlex.quote(name)


def noun(text: str | None = None) -> typer.Typer:
    """An empty group; with one command in it, it is that command."""
    return typer.Typer(no_args_is_help=text is not None, add_completion=False, help=text)
