"""Plans: drafts that people write, and what is in force."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """One table, one row a revision."""
    op.create_table(
        "plan",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("kind", "service", "area", "title", "state")),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("editor", sa.String(), nullable=False),
        sa.Column("edited_us", sa.BigInteger(), nullable=False),
        sa.Column("approver", sa.String(), nullable=False),
        sa.Column("approved_us", sa.BigInteger()),
        sa.Column("ended_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", "version", "revision"),
    )
    op.create_index("plan_state", "plan", ["state"])
