"""Orders, lock-outs, accounts, the apparatus in a place; and of each leaf whom it is about."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes them. What was written before is about the whole town."""
    op.add_column("leaf", sa.Column("subject", sa.String(), nullable=False, server_default=""))
    op.add_column("leaf", sa.Column("area", sa.String(), nullable=False, server_default=""))
    op.add_column("leaf", sa.Column("service", sa.String(), nullable=False, server_default="desk"))
    op.add_column("leaf", sa.Column("verb", sa.String(), nullable=False, server_default="personal"))
    op.add_column("condition", sa.Column("acknowledged_by", sa.String(), nullable=True))
    op.create_index("leaf_subject", "leaf", ["subject", "n"], unique=False)
    op.create_table(
        "apparatus",
        sa.Column("asset", sa.Integer(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("asset", "since_us"),
    )
    op.create_table(
        "command",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("params", sa.String(), nullable=False),
        sa.Column("selection", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("hazard", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("proposed_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("command_key", "command", ["actor", "key"], unique=False)
    op.create_index("command_state", "command", ["state"], unique=False)
    op.create_table(
        "target",
        sa.Column("command", sa.String(), nullable=False),
        sa.Column("asset", sa.Integer(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("sent_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("refusal", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("command", "asset"),
    )
    op.create_index("target_asset", "target", ["asset"], unique=False)
    op.create_table(
        "consignation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("asset", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=True),
        sa.Column("set_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("consignation_open", "consignation", ["ended_us"], unique=False)
    op.create_table(
        "user",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("login_digest", sa.LargeBinary(), nullable=True),
        sa.Column("password", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("closed_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("login_digest"),
    )
    op.create_table(
        "role",
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("services", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("holder", "role", "area"),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user", sa.String(), nullable=False),
        sa.Column("opened_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("closed_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index("session_user", "session", ["user"], unique=False)
    op.create_table(
        "token",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("maker", sa.String(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("revoked_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
