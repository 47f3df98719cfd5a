"""Comparisons as they are read: those of a change at some junctions, those of a junction, and one whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.engine import Engine

from vigie.store.tables import COMPARED, COMPARISON

AT_ONCE = 500


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

    @property
    def count(self) -> int:
        """How many there are."""
        with self._engine.connect() as read:
            return int(read.execute(select(func.count()).select_from(COMPARISON)).scalar_one())

    def of_change(self, change: str, assets: Sequence[int], each: int) -> list[KeptComparison]:
        """The comparisons of a change at some junctions, so many of each junction at most, the newest run first."""
        c = COMPARED.c
        found: list[KeptComparison] = []
        place = func.row_number().over(partition_by=c.asset, order_by=(c.made_us.desc(), c.comparison)).label("place")
        for start in range(0, len(assets), AT_ONCE):
            own = c.asset.in_(assets[start : start + AT_ONCE])
            newest = select(c.comparison, c.asset, place).where(own, c.change == change).subquery()
            here = (newest.c.comparison == c.comparison) & (newest.c.asset == c.asset) & (newest.c.place <= each)
            found += self._read(_whole().join(newest, here))
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
