"""Options and arguments that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else there.")]
TenantArgument = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's name.")]
TenantOption = Annotated[str | None, typer.Option("--tenant", metavar="NAME", help="Of this tenant only.")]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="At most so many. Without it a table is cut short, JSON never.")
]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or enough of its beginning.")]
AlertArgument = Annotated[str, typer.Argument(metavar="ALERT", help="The alert's id, or enough of its beginning.")]
