"""Devices that speak another protocol than the plain one, and what is remembered of their sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Two columns of a device, and one table."""
    op.add_column("device", sa.Column("protocol", sa.String(), nullable=False, server_default="plain"))
    op.add_column("device", sa.Column("uri", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "session_memory",
        sa.Column("device", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("device", "part"),
    )
