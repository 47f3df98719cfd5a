"""A device's name is unique among those that may speak: one that was expelled may be admitted anew."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Takes the constraint over all rows away, and sets an index over those not expelled in its place."""
    # The first version gave the constraint no name.
    named = {"uq": "uq_%(table_name)s_%(column_0_name)s"}
    with op.batch_alter_table("device", naming_convention=named) as device:
        device.drop_constraint("uq_device_name", type_="unique")
    admitted = sa.text("expelled_us IS NULL")
    op.create_index("device_name", "device", ["name"], unique=True, sqlite_where=admitted, postgresql_where=admitted)
