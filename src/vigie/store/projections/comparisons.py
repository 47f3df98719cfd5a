"""What the fact that a comparison was told does to its tables."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from vigie.core.facts import ComparisonTaken
from vigie.core.kinds import Catalogue
from vigie.store.comparisons import TakenComparison
from vigie.store.projections.base import Projections
from vigie.store.tables import COMPARED, COMPARISON


def _take(catalogue: Catalogue, write: Connection, fact: ComparisonTaken, taken: TakenComparison) -> None:
    same = {"change": fact.to, "made_us": fact.run}
    known: set[int] = set()
    if write.execute(select(COMPARISON.c.id).where(COMPARISON.c.id == fact.comparison)).first() is None:
        write.execute(
            insert(COMPARISON).values(
                id=fact.comparison, body=taken.body, teller=fact.actor, told_us=fact.at, holds=fact.holds, **same
            )
        )
    else:
        # Told again, or by two at the same moment: it is kept once, and of junctions that came since as well. The
        # second leaf of the journal says who else told it.
        known = set(write.execute(select(COMPARED.c.asset).where(COMPARED.c.comparison == fact.comparison)).scalars())
    rows = [
        {"comparison": fact.comparison, "asset": each.asset, "shape": each.shape, "told": each.told, **same}
        for each in taken.junctions
        if each.asset not in known
    ]
    if rows:
        write.execute(insert(COMPARED), rows)


PROJECT: Projections = {ComparisonTaken: _take}
