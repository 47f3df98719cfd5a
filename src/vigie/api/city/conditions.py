"""Conditions: what is wrong now, and what was."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from vigie.api.access import Caller
from vigie.api.city import describe, forms
from vigie.api.city.sources import Sources
from vigie.api.cursors import cursor, place_of
from vigie.api.operation import Ask, Nothing, Operation
from vigie.core.kinds import Outlet
from vigie.engine.conditions import Condition

LIMIT_MAX = 500


class ConditionsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which conditions, and how many of them."""

    outlet: Annotated[
        Literal["", "alarm", "maintenance", "record"],
        Meta(description="alarm: a person must act; maintenance: a work order; record: noted alone."),
    ] = ""
    open: Annotated[bool | None, Meta(description="true: whose life has not ended; false: whose life has.")] = None
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="How many a page has.")] = 100
    cursor: Annotated[str, Meta(description="`next` of the page before.")] = ""


class ConditionsDoor:
    """The operation on conditions that only reads."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("GET", "conditions", self.conditions, query=ConditionsQuery, answer=forms.Page[forms.Alarm]),
        ]

    async def conditions(self, ask: Ask[ConditionsQuery, Nothing]) -> forms.Page[forms.Alarm]:
        """Lists abnormal states, the newest first, each with its asset.

        Those that are open are of the assets that you see fully now; those that are over, of the assets that lay in
        your area when the post knew of them.
        """
        return await (self._open(ask) if ask.query.open else self._past(ask))

    async def _open(self, ask: Ask[ConditionsQuery, Nothing]) -> forms.Page[forms.Alarm]:
        engine, query = self._sources.engine, ask.query
        covered = engine.visibility.covered(ask.caller.scope)
        mine = sorted(
            (
                each
                for each in engine.conditions
                if query.outlet in ("", each.kind.outlet.value) and covered[each.asset]
            ),
            key=lambda each: each.id,
            reverse=True,
        )
        before = place_of(query.cursor, tuple[str])
        left = mine if before is None else [each for each in mine if each.id < before[0]]
        page = left[: query.limit]
        items = await self.told(ask.caller, page)
        return forms.Page(items=items, next=cursor(page[-1].id) if len(left) > len(page) else None, total=len(mine))

    async def _past(self, ask: Ask[ConditionsQuery, Nothing]) -> forms.Page[forms.Alarm]:
        query = ask.query
        rows = await asyncio.to_thread(
            self._sources.facts.past_conditions.page,
            ask.caller.scope,
            outlet=Outlet(query.outlet) if query.outlet else None,
            is_open=query.open,
            before=place_of(query.cursor, tuple[int, str]),
            limit=query.limit + 1,
        )
        page = rows[: query.limit]
        sight = self._sources.sight(ask.caller)
        items = describe.past_alarms(self._sources.engine, sight, page, self._sources.clock.now_us())
        last = page[-1] if len(rows) > query.limit else None
        return forms.Page(items=items, next=cursor(last.received_us, last.condition.id) if last else None)

    async def told(self, caller: Caller, conditions: Sequence[Condition]) -> list[forms.Alarm]:
        """Open conditions as this caller reads them."""
        sources = self._sources
        by = describe.acknowledgers(sources, caller, conditions)
        people = await asyncio.to_thread(sources.facts.sheets.names, by.values()) if by else {}
        return describe.alarms(sources.engine, sources.sight(caller), conditions, sources.clock.now_us(), by, people)
