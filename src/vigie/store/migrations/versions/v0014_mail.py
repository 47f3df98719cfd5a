"""The outbox of mail to residents."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "mail",
        sa.Column("case", sa.String(), primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("next_us", "tries", "claimed", "refused_us")),
    )
    op.create_index("mail_next", "mail", ["next_us"])
    op.create_table(
        "mail_step",
        sa.Column("case", sa.String(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("leaf", sa.String(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("case", "n"),
    )
