"""When a case was last taken up again after it was over."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """A column."""
    op.add_column("cases", sa.Column("reopened_us", sa.BigInteger(), nullable=False, server_default="0"))
    # Of what was taken up again before this was kept, its last move is the nearest that is known.
    op.execute("UPDATE cases SET reopened_us = moved_us WHERE kind = 'roads.report' AND state = 'accepted'")
