"""Conditions that were: read from the tables under a Scope, by where their asset was when the post knew of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import and_, or_, select, text
from sqlalchemy.engine import Engine

from vigie.core.kinds import Catalogue, Outlet
from vigie.core.plans import Troubles
from vigie.core.scope import Scope
from vigie.engine.conditions import Condition
from vigie.store.tables import CONDITION, PLACEMENT


@dataclass(frozen=True, slots=True)
class PastCondition:
    """A condition as the tables have it; `condition.state` is where its life stands, or ended."""

    condition: Condition
    received_us: int
    cleared_us: int | None


class PastConditions:
    """Reading; what writes is the projections."""

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self._engine, self._catalogue = engine, catalogue

    def troubles(self, kinds: Sequence[str], since_us: int) -> Troubles:
        """Those of some kinds that last, or were raised since an instant, of every asset."""
        c = CONDITION.c
        query = select(c.asset, c.kind, c.raised_us, c.cleared_us)
        query = query.where(c.kind.in_(kinds), or_(c.cleared_us.is_(None), c.raised_us >= since_us))
        with self._engine.connect() as read:
            rows = read.execute(query.order_by(c.raised_us, c.id)).all()
        asset, raised_us, cleared_us = (np.array([row[column] or 0 for row in rows], np.int64) for column in (0, 2, 3))
        return Troubles(asset, [row.kind for row in rows], raised_us, cleared_us)

    def page(
        self,
        scope: Scope,
        *,
        outlet: Outlet | None = None,
        is_open: bool | None = None,
        before: tuple[int, str] | None = None,
        limit: int = 100,
    ) -> Sequence[PastCondition]:
        """The newest first, by when the post knew of them. before: received_us and id of the last that was given."""
        kinds = [each.name for each in self._catalogue.conditions.values() if outlet in (None, each.outlet)]
        c, p = CONDITION.c, PLACEMENT.c
        clause = scope.clause("placement", public=False)
        query = select(CONDITION).join(
            PLACEMENT,
            and_(
                p.asset == c.asset,
                p.from_us <= c.received_us,
                or_(p.until_us.is_(None), p.until_us > c.received_us),
            ),
        )
        query = query.where(c.kind.in_(kinds), text(clause.text).bindparams(**clause.params))
        if is_open is not None:
            query = query.where(c.state != "normal" if is_open else c.state == "normal")
        if before is not None:
            received_us, condition_id = before
            older = or_(c.received_us < received_us, and_(c.received_us == received_us, c.id < condition_id))
            query = query.where(older)
        query = query.order_by(c.received_us.desc(), c.id.desc()).limit(limit)
        with self._engine.connect() as read:
            return [
                PastCondition(
                    Condition(
                        row.id,
                        row.asset,
                        self._catalogue.conditions[row.kind],
                        row.state,
                        row.raised_us,
                        json.loads(row.evidence),
                    ),
                    row.received_us,
                    row.cleared_us,
                )
                for row in read.execute(query)
            ]
