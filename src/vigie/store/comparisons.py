"""Comparisons as they are read: those of a change at some junctions, those of a junction, and one whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Engine

from vigie.store.tables import COMPARED, COMPARISON

AT_ONCE = 500

JUNCTION_BYTES = 1_024
"""What is told of a junction is counted as so much: a row has about 900 bytes."""


@dataclass(frozen=True, slots=True)
class JunctionCompared:
    """What a comparison says of a junction, as it is to be kept."""

    asset: int
    shape: str
    told: bytes


@dataclass(frozen=True, slots=True)
class TakenComparison:
    """What travels beside the fact that a comparison was told. body: the sealed file."""

    body: bytes
    junctions: Sequence[JunctionCompared]

    @property
    def size_bytes(self) -> int:
        """What it takes to keep it."""
        return len(self.body) + len(self.junctions) * JUNCTION_BYTES


@dataclass(frozen=True, slots=True)
class NewestComparison:
    """The newest of a change at a junction of one shape."""

    comparison: str
    asset: int
    shape: str
    made_us: int
    holds: bool


@dataclass(frozen=True, slots=True)
class Held:
    """How much is kept: comparisons, bytes of them all, and of those that one teller told."""

    count: int
    size_bytes: int
    of_teller_bytes: int


@dataclass(frozen=True, slots=True)
class KeptComparison:
    """A comparison as it concerns a junction."""

    comparison: str
    asset: int
    change: str
    made_us: int
    shape: str
    told: bytes
    teller: str
    told_us: int
    holds: bool


class StoredComparisons:
    """Reads of comparisons; what writes them are facts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def held(self, teller: str) -> Held:
        """How much is kept, and how much of it one teller told."""
        c, of = COMPARED.c, COMPARISON.c
        own = of.teller == teller
        size = func.coalesce(func.sum(func.length(of.body)), 0)
        with self._engine.connect() as read:
            count, whole = read.execute(select(func.count(), size).select_from(COMPARISON)).one()
            rows = read.execute(select(func.count()).select_from(COMPARED)).scalar_one()
            told = read.execute(select(size).where(own)).scalar_one()
            of_own = c.comparison.in_(select(of.id).where(own))
            told_rows = read.execute(select(func.count()).select_from(COMPARED).where(of_own)).scalar_one()
        return Held(count, whole + rows * JUNCTION_BYTES, told + told_rows * JUNCTION_BYTES)

    def newest(self, change: str, assets: Sequence[int], told_by_us: int | None = None) -> list[NewestComparison]:
        """The newest run of a change at some junctions for each shape of these, the newest first. told_by_us: of those
        that had been told by then."""
        c, of = COMPARED.c, COMPARISON.c
        found: list[Any] = []
        with self._engine.connect() as read:
            for start in range(0, len(assets), AT_ONCE):
                # What stands beside a maximum is of the row that has it: so SQLite promises.
                query = select(c.comparison, c.asset, c.shape, func.max(c.made_us)).group_by(c.asset, c.shape)
                query = query.where(c.change == change, c.asset.in_(assets[start : start + AT_ONCE]))
                if told_by_us is not None:
                    query = query.join(COMPARISON, of.id == c.comparison).where(of.told_us <= told_by_us)
                found += read.execute(query).all()
            # A few comparisons are of many junctions, and what is behind their bodies is slow to read.
            seals = sorted({row[0] for row in found})
            holds: dict[str, bool] = {}
            for start in range(0, len(seals), AT_ONCE):
                asked = select(of.id, of.holds).where(of.id.in_(seals[start : start + AT_ONCE]))
                holds |= {row.id: row.holds for row in read.execute(asked)}
        newest = [NewestComparison(*row, holds=holds[row[0]]) for row in found]
        return sorted(newest, key=lambda each: -each.made_us)

    def at_junction(self, comparison: str, asset: int) -> KeptComparison:
        """A comparison as it concerns a junction that it is of."""
        c = COMPARED.c
        (found,) = self._read(_whole().where(c.comparison == comparison, c.asset == asset))
        return found

    def of_junction(self, asset: int, limit: int) -> list[KeptComparison]:
        """The comparisons of a junction, the newest run first."""
        return self._read(_whole().where(COMPARED.c.asset == asset).limit(limit))

    def assets(self, comparison: str) -> list[int]:
        """The junctions that a comparison is of; none where it was not told."""
        with self._engine.connect() as read:
            query = select(COMPARED.c.asset).where(COMPARED.c.comparison == comparison)
            return [int(no) for no in read.execute(query.order_by(COMPARED.c.asset)).scalars()]

    def body(self, comparison: str) -> bytes | None:
        """The sealed file of a comparison."""
        with self._engine.connect() as read:
            return read.execute(select(COMPARISON.c.body).where(COMPARISON.c.id == comparison)).scalar_one_or_none()

    def _read(self, query: Any) -> list[KeptComparison]:
        with self._engine.connect() as read:
            return [KeptComparison(*row) for row in read.execute(query)]


def _whole() -> Any:
    c, of = COMPARED.c, COMPARISON.c
    columns = (c.comparison, c.asset, c.change, c.made_us, c.shape, c.told, of.teller, of.told_us, of.holds)
    query = select(*columns).join(COMPARISON, of.id == c.comparison)
    return query.order_by(c.made_us.desc(), c.comparison, c.asset)
