"""What Alembic runs: the revisions, over the connection it is handed."""

from alembic import context
from sqlalchemy import Connection

from pipeline.storage.tables import metadata

connection = context.config.attributes["connection"]
if not isinstance(connection, Connection):
    raise TypeError("run revisions through pipeline.storage.schema, which hands over a connection")
context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
context.run_migrations()
