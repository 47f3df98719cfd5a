"""A refusal names the lock-out that it comes from, whose words can be erased, instead of its crew."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

RULE = "engine.consigned"


def upgrade() -> None:
    """Puts the lock-out that held the asset then in the place of the crew's name."""
    write = op.get_bind()
    found = sa.text(
        "SELECT consignation.id FROM consignation JOIN asset ON asset.no = consignation.asset"
        " WHERE asset.id = :asset AND set_us <= :at_us ORDER BY set_us DESC LIMIT 1"
    )
    rows = write.execute(sa.text("SELECT command, asset, ended_us, refusal FROM target WHERE refusal IS NOT NULL"))
    for row in rows.all():
        said = json.loads(row.refusal)
        if said["rule"] != RULE or "crew" not in said["detail"]:
            continue
        detail = {name: value for name, value in said["detail"].items() if name != "crew"}
        asked = {"asset": detail.get("asset", ""), "at_us": row.ended_us or 0}
        detail["consignation"] = write.execute(found, asked).scalar_one_or_none() or ""
        refusal = json.dumps({"rule": RULE, "detail": detail}, sort_keys=True, separators=(",", ":"))
        write.execute(
            sa.text("UPDATE target SET refusal = :refusal WHERE command = :command AND asset = :asset"),
            {"refusal": refusal, "command": row.command, "asset": row.asset},
        )
