"""Proof of service and the turns of rounds that are over. Neither names a vehicle or a person.

They are no facts of the journal: the post concludes them from observations, and again from the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Engine

from vigie.store.tables import SERVED, TURN
from vigie.store.transactions import writing

TOLD_MAX = 1_000


@dataclass(frozen=True, slots=True)
class ServedStreet:
    """That a street (the number of its asset) was served within the hour that begins at hour_us. dosage: g/m2."""

    street: int
    task: str
    hour_us: int
    dosage: float | None


class Gap(msgspec.Struct, frozen=True):
    """A street that was left out, by its id, and the share of it that was driven."""

    street: str
    share: float


@dataclass(frozen=True, slots=True)
class PastTurn:
    """A turn of a circuit that is over: how many streets it had, and which were not done at its end."""

    circuit: str
    start_us: int
    end_us: int
    streets: int
    gaps: Sequence[Gap]


class StoredRounds:
    """Reads from any thread; writes come from the one thread that may."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, served: Sequence[ServedStreet], turns: Sequence[PastTurn]) -> None:
        """Keeps what was concluded. Of a street and an hour what was concluded last stands; a turn that is kept is not
        judged again. Synced when it returns. Raises StorageFull, OSError."""
        with writing(self._engine) as write:
            if served:
                rows = [{name: getattr(each, name) for name in ServedStreet.__slots__} for each in served]
                put = insert(SERVED)
                write.execute(put.on_conflict_do_update(SERVED.primary_key, set_={"dosage": put.excluded.dosage}), rows)
            for each in turns:
                values = {"end_us": each.end_us, "streets": each.streets, "gaps": msgspec.json.encode(each.gaps)}
                key = {"circuit": each.circuit, "start_us": each.start_us}
                write.execute(insert(TURN).values(**key, **values).on_conflict_do_nothing(TURN.primary_key))

    def of_street(self, street: int, since_us: int, until_us: int) -> list[ServedStreet]:
        """When a street was served, the newest first; TOLD_MAX at most."""
        c = SERVED.c
        query = select(SERVED).where(c.street == street, c.hour_us >= since_us, c.hour_us < until_us)
        with self._engine.connect() as read:
            return [ServedStreet(*row) for row in read.execute(query.order_by(c.hour_us.desc()).limit(TOLD_MAX))]

    def newest(self, task: str, since_us: int, until_us: int) -> dict[int, int]:
        """The last hour in which each street was served by a task, of the hours that begin in a span."""
        c = SERVED.c
        query = select(c.street, func.max(c.hour_us)).where(c.task == task, c.hour_us >= since_us, c.hour_us < until_us)
        with self._engine.connect() as read:
            return {int(row[0]): int(row[1]) for row in read.execute(query.group_by(c.street))}

    def turns(self, circuit: str, limit: int) -> list[PastTurn]:
        """The turns of a circuit that are over, the newest first."""
        query = select(TURN).where(TURN.c.circuit == circuit).order_by(TURN.c.start_us.desc()).limit(limit)
        with self._engine.connect() as read:
            return [
                PastTurn(
                    row.circuit, row.start_us, row.end_us, row.streets, msgspec.json.decode(row.gaps, type=list[Gap])
                )
                for row in read.execute(query)
            ]

    def judged_until(self, circuits: Sequence[str]) -> dict[str, int]:
        """Of some circuits, when the last of their turns that are kept ended; those without any are left out."""
        c = TURN.c
        query = select(c.circuit, func.max(c.end_us)).where(c.circuit.in_(circuits)).group_by(c.circuit)
        with self._engine.connect() as read:
            return {row[0]: int(row[1]) for row in read.execute(query)}

    def drop_before(self, before_us: int) -> int:
        """Forgets what is older. Returns how many proofs. Raises StorageFull, OSError."""
        with writing(self._engine) as write:
            write.execute(delete(TURN).where(TURN.c.end_us < before_us))
            return write.execute(delete(SERVED).where(SERVED.c.hour_us < before_us)).rowcount
