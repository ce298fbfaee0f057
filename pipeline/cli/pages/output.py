"""Results as people read them, and as programs do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text


def print_json(value: object) -> None:
    """The value as indented UTF-8 JSON; times in ISO form."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def show(*parts: RenderableType) -> None:
    """Renders to standard output, in colour where that is a terminal."""
    Console(highlight=False, soft_wrap=False).print(*parts, sep="\n")


def plain(value: object, style: str = "") -> Text:
    """Text taken as it is: no markup, and no control characters of whoever named a user or a policy."""
    return Text("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value)), style)


def table(*columns: str, right: Sequence[str] = (), whole: Sequence[str] = (), title: str = "") -> Table:
    """An empty table without lines. ``right`` columns hold numbers, ``whole`` ones are never folded or cut."""
    found = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title=title or None, title_justify="left")
    found.title_style = "bold"
    found.header_style = "bold dim"
    for column in columns:
        fixed = column in whole or column in right
        found.add_column(column, justify="right" if column in right else "left", no_wrap=fixed, overflow="fold")
    return found


def facts(pairs: Iterable[tuple[str, object]]) -> Table:
    """Names and values in two columns; a value that is empty leaves its line out."""
    found = Table.grid(padding=(0, 2, 0, 0))
    found.add_column(style="dim", no_wrap=True)
    found.add_column(overflow="fold")
    for name, value in pairs:
        if value is not None and value != "":
            found.add_row(name, value if isinstance(value, Text | Table) else plain(value))
    return found


def heading(text: str) -> Text:
    return Text(f"\n{text}", "bold")
