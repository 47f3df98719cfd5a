"""What facts of plans do to their table."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, update

from vigie.core.facts import PlanMoved, PlanSaved
from vigie.core.kinds import Catalogue
from vigie.core.lives import PLAN as LIFE
from vigie.engine.plans import SavedPlan
from vigie.store.projections.base import Projections
from vigie.store.tables import PLAN

REPLACED = LIFE.move(LIFE.first, "save")
"""The state of a save that another one of its version has followed."""


def _save_plan(catalogue: Catalogue, write: Connection, fact: PlanSaved, row: SavedPlan) -> None:
    c = PLAN.c
    before = (c.id == fact.plan) & (c.version == fact.version)
    write.execute(update(PLAN).where(before).values(state=REPLACED))
    write.execute(
        insert(PLAN).values(
            id=fact.plan,
            version=fact.version,
            revision=fact.revision,
            kind=fact.kind,
            service=row.service,
            area=row.area,
            title=row.title,
            state=LIFE.first,
            body=row.body,
            editor=fact.actor,
            edited_us=fact.at,
            approver="",
        )
    )


def _move_plan(catalogue: Catalogue, write: Connection, fact: PlanMoved, payload: None) -> None:
    c = PLAN.c
    values: dict[str, Any] = {"state": fact.state}
    if fact.event == "approve":
        older = (c.id == fact.plan) & (c.state == fact.state)
        superseded = LIFE.move(fact.state, "supersede")
        write.execute(update(PLAN).where(older).values(state=superseded, ended_us=fact.at))
        values |= {"approver": fact.actor, "approved_us": fact.at}
    else:
        values["ended_us"] = fact.at
    here = (c.id == fact.plan) & (c.version == fact.version) & (c.state != REPLACED)
    write.execute(update(PLAN).where(here).values(values))


PROJECT: Projections = {PlanSaved: _save_plan, PlanMoved: _move_plan}
