"""Proof of service, street by street and hour by hour, and the turns of rounds that are over."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "served",
        sa.Column("street", sa.Integer(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("hour_us", sa.BigInteger(), nullable=False),
        sa.Column("dosage", sa.Float()),
        sa.PrimaryKeyConstraint("street", "task", "hour_us"),
    )
    op.create_index("served_hour", "served", ["hour_us"])
    op.create_table(
        "turn",
        sa.Column("circuit", sa.String(), nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("streets", sa.Integer(), nullable=False),
        sa.Column("gaps", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("circuit", "start_us"),
    )
    op.create_index("turn_end", "turn", ["end_us"])
