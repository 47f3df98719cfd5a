"""An order is kept with a digest of what was asked for, so that a key that comes again can be held against it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Of the orders before, nobody knows: their keys serve no more."""
    op.add_column("command", sa.Column("asked", sa.String(), nullable=False, server_default=""))
