"""Cases, what they are about, their photos, and how they hang together."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Four tables."""
    op.create_table(
        "cases",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("kind", "state", "source", "category", "service", "area", "verb")
        ),
        sa.Column("public", sa.Integer(), nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("lon", sa.Float()),
        sa.Column("lat", sa.Float()),
        sa.Column("priority", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("title", "title_leaf", "words", "words_leaf", "owner", "opener")
        ),
        sa.Column("crew", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("opened_us", "due_us", "planned_us", "moved_us")
        ),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("photos", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("no"),
    )
    for name, columns in {
        "cases_opened": ["kind", "opened_us", "id"],
        "cases_state": ["kind", "state", "opened_us", "id"],
        "cases_due": ["kind", "due_us", "id"],
        "cases_area": ["area", "kind"],
        "cases_street": ["street", "kind", "opened_us", "id"],
        "cases_owner": ["owner", "kind", "opened_us", "id"],
        "cases_crew": ["crew", "kind", "opened_us", "id"],
        "cases_title": ["title_leaf"],
        "cases_words": ["words_leaf"],
    }.items():
        op.create_index(name, "cases", columns)
    op.create_table(
        "case_asset",
        sa.Column("case", sa.String(), nullable=False),
        sa.Column("asset", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("case", "asset"),
    )
    op.create_index("case_asset_asset", "case_asset", ["asset"])
    op.create_table(
        "case_photo",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("id", "case", "leaf")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("width", "height", "size_bytes")),
        sa.Column("adder", sa.String(), nullable=False),
        sa.Column("added_us", sa.BigInteger(), nullable=False),
        sa.Column("erased_us", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("leaf"),
    )
    op.create_index("case_photo_case", "case_photo", ["case"])
    op.create_table(
        "case_link",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("case", "other", "relation")),
        sa.PrimaryKeyConstraint("case", "other"),
    )
    op.create_index("case_link_other", "case_link", ["other"])
