"""What documents of works and of requests about buried networks say of persons lies apart from them.

The facts that wrote them have no commitment to it: their digests are of the whole documents, and stay as they are.
"""

import json
import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_DAY_US = 86_400_000_000
_KEPT_US, _OPEN_ENDED_US = 365 * _DAY_US, 253_402_214_400_000_000
_PURPOSES = {
    "owner_name": "who has works done",
    "answers": "what was agreed about a clash",
    "asker_name": "whom to answer",
}
_OVER = ("finished", "refused", "withdrawn", "answered", "archived")


def upgrade() -> None:
    """A column, and what is private in its rows."""
    op.add_column("cases", sa.Column("document_leaf", sa.String(), nullable=False, server_default=""))
    write = op.get_bind()
    kinds = "SELECT id, state, moved_us, document FROM cases WHERE kind IN ('roads.roadworks', 'roads.buried')"
    for row in write.execute(sa.text(kinds)).all():
        document: dict[str, Any] = json.loads(row.document)
        private = {name: document[name] for name in _PURPOSES if _is_private(document, name)}
        if not private:
            continue
        until_us = _ended_us(write, row) + _KEPT_US if row.state in _OVER else _OPEN_ENDED_US
        for name, value in private.items():
            said = {
                "leaf": row.id, "field": f"document.{name}", "value": json.dumps(value, ensure_ascii=False),
                "salt": secrets.token_bytes(32), "purpose": _PURPOSES[name], "until_us": until_us,
            }  # fmt: skip
            write.execute(
                sa.text(
                    "INSERT INTO personal (leaf_id, field, value, salt, purpose, until_us)"
                    " VALUES (:leaf, :field, :value, :salt, :purpose, :until_us)"
                ),
                said,
            )
            document[name] = [] if name == "answers" else ""
        # Sorted and without spaces, as the post writes it.
        kept = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        write.execute(
            sa.text("UPDATE cases SET document = :document, document_leaf = :id WHERE id = :id"),
            {"document": kept, "id": row.id},
        )


def _ended_us(write: sa.Connection, row: Any) -> int:
    """When a case was over. What was archived since was so before, and is kept no longer for it."""
    if row.state == "archived":
        moves = "SELECT body FROM leaf WHERE subject = :id AND type = 'CaseMoved' ORDER BY n DESC"
        for body in write.execute(sa.text(moves), {"id": row.id}).scalars():
            fact = json.loads(body)
            if fact["event"] != "archive":
                return min(fact.get("done") or fact["at"], fact["at"])
    return row.moved_us


def _is_private(document: dict[str, Any], name: str) -> bool:
    return bool(document.get(name)) and not (name == "owner_name" and document.get("organisation"))
