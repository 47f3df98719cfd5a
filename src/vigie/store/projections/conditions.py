"""What facts of conditions do to the tables."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, insert, update

from vigie.core.facts import ConditionMoved, ConditionRaised
from vigie.core.kinds import Catalogue
from vigie.store.projections.base import Projections
from vigie.store.tables import CONDITION


def _raise_condition(catalogue: Catalogue, write: Connection, fact: ConditionRaised, asset: int) -> None:
    write.execute(
        insert(CONDITION).values(
            id=fact.condition,
            asset=asset,
            kind=fact.kind,
            state=fact.state,
            raised_us=fact.at,
            received_us=fact.received,
            evidence=json.dumps(fact.evidence, sort_keys=True),
        )
    )


def _move_condition(catalogue: Catalogue, write: Connection, fact: ConditionMoved, payload: None) -> None:
    values: dict[str, Any] = {"state": fact.state}
    if fact.event in ("clear", "withdraw"):
        values["cleared_us"] = fact.at
    elif fact.event == "raise":
        values |= {"cleared_us": None, "acknowledged_by": None}
    elif fact.event == "acknowledge":
        values["acknowledged_by"] = fact.actor
    write.execute(update(CONDITION).where(CONDITION.c.id == fact.condition).values(values))


PROJECT: Projections = {ConditionRaised: _raise_condition, ConditionMoved: _move_condition}
