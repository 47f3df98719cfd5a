"""What protocols remember of the devices they talk to, so that a restart of the post is none for the devices."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Engine

from vigie.store.tables import SESSION_MEMORY
from vigie.store.transactions import writing


class Memories:
    """The memory of each device in parts, so that what changes often is not written with what hardly ever does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, device: int) -> Mapping[str, bytes]:
        """What is remembered of a device, by its number: part -> body."""
        c = SESSION_MEMORY.c
        with self._engine.connect() as read:
            return {row.part: row.body for row in read.execute(select(c.part, c.body).where(c.device == device))}

    def keep(self, device: int, parts: Mapping[str, bytes]) -> None:
        """Puts these parts in the place of what they were; synced when it returns. Raises StorageFull, OSError."""
        c = SESSION_MEMORY.c
        with writing(self._engine) as write:
            write.execute(delete(SESSION_MEMORY).where(c.device == device, c.part.in_(parts)))
            rows = [{"device": device, "part": part, "body": body} for part, body in parts.items()]
            write.execute(insert(SESSION_MEMORY), rows)
