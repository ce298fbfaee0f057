"""A command group that knows its commands by name and loads a module when its command is called.

``mspbyte --help`` thereby starts without SQLAlchemy, Celery or any server's client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from pipeline.cli.pages.streams import complain
from pipeline.errors import PipelineError

USER_MISTAKE = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class LazyCommand:
    """A line of the root's help. The command itself is ``app`` in the module of its name in ``commands``."""

    name: str
    help: str
    panel: str

    def stub(self) -> TyperCommand:
        """What the help shows of it."""
        return TyperCommand(self.name, help=self.help, rich_help_panel=self.panel)

    def load(self) -> TyperCommand | TyperGroup:
        """The command itself, its module now imported."""
        module = f"pipeline.cli.commands.{self.name.replace('-', '_')}"
        command = get_command(import_module(module).app)
        if not isinstance(command, TyperCommand | TyperGroup):
            raise TypeError(f"{module} gives no command of typer's")
        command.name = self.name
        return command


class LazyGroup(TyperGroup):
    """The root. Every error raised on purpose ends here: its sentences on standard error, status 2."""

    table: Sequence[LazyCommand] = ()

    def resolve_command(  # type: ignore[override]  # the vendored click's own Context class is private to typer
        self, ctx: typer.Context, args: list[str]
    ) -> tuple[str | None, TyperCommand | TyperGroup | None, list[str]]:
        """Finds by stub, so that a typing error is answered without loading anything, then loads."""
        self.commands.update({entry.name: entry.stub() for entry in self.table})
        name, _, rest = super().resolve_command(ctx, args)
        return name, next(entry for entry in self.table if entry.name == name).load(), rest

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # as above
        self.commands.update({entry.name: entry.stub() for entry in self.table})
        return super().list_commands(ctx)

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # as above
        try:
            return super().invoke(ctx)
        except PipelineError as error:
            complain(str(error))
            raise typer.Exit(USER_MISTAKE) from None
