"""``mspbyte db``."""

from __future__ import annotations

import typer

from pipeline.cli.connections.database import opened_database
from pipeline.cli.grammar import AsJson, noun
from pipeline.cli.pages.output import print_json
from pipeline.cli.pages.streams import say
from pipeline.storage import schema

app = noun("The database's schema.")

NOT_CURRENT = 1


@app.command()
def upgrade() -> None:
    """Bring the database to this version's schema; does nothing where it is there already."""
    with opened_database() as database, database.begin() as connection:
        before = schema.current(connection)
        schema.upgrade(connection)
    if before == schema.head():
        say(f"The database is at this version's schema already ({schema.head()}).")
    else:
        say(f"The database is now at schema {schema.head()}; before it was at {before or 'none'}.")


@app.command()
def status(*, as_json: AsJson = False) -> None:
    """Say which schema the database has and which this version needs; status 1 when they differ."""
    with opened_database() as database, database.begin() as connection:
        found = schema.current(connection)
    needed = schema.head()
    if as_json:
        print_json({"current": found, "needed": needed, "up_to_date": found == needed})
    elif found == needed:
        say(f"The database is at this version's schema ({needed}).")
    else:
        say(f"The database is at schema {found or 'none'}, this version needs {needed}; run `mspbyte db upgrade`.")
    if found != needed:
        raise typer.Exit(NOT_CURRENT)
