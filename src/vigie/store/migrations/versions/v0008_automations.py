"""Which automation gave an order, as a column: orders of persons and of automations are read apart."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """One column of an order and its index; of what is there already, the selection says it."""
    op.add_column("command", sa.Column("automation", sa.String(), nullable=False, server_default=""))
    command = sa.table("command", *(sa.column(name, sa.String) for name in ("id", "selection", "automation")))
    automatic = sa.select(command.c.id, command.c.selection).where(command.c.selection.contains('"automation"'))
    write = op.get_bind()
    for id, selection in write.execute(automatic).all():
        said = json.loads(selection).get("automation", "")
        write.execute(sa.update(command).where(command.c.id == id).values(automation=said))
    op.create_index("command_automation", "command", ["automation", "id"])
