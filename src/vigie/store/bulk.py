"""Many rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, insert


def insert_rows(write: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Inserts rows that all name the same columns, as the driver takes them: no value is converted on the way.

    SQLAlchemy's own way looks at every value of every row, which a whole town feels (docs/performance.md).
    """
    if not rows:
        return
    made = insert(table).compile(dialect=write.dialect, column_keys=list(rows[0]))
    order = made.positiontup
    write.exec_driver_sql(str(made), rows if order is None else [tuple(map(row.__getitem__, order)) for row in rows])
