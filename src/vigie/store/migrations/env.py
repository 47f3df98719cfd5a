"""What Alembic runs: it gets the open connection handed in, and never reads a file of settings."""

from alembic import context

from vigie.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
