"""Requests about buried networks: by when each is to be answered, and which of our assets it concerns."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from vigie.api.access import Caller
from vigie.api.acts.base import Bench
from vigie.api.cases.forms import CaseRow
from vigie.api.cases.telling import Telling
from vigie.api.city.forms import Form, Instant
from vigie.api.cursors import cursor, place_of
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.roads.streets import Streets
from vigie.api.roads.worksites import cut
from vigie.core.arrays import ints
from vigie.core.times import from_us
from vigie.engine.cases import Case
from vigie.engine.selection import Path, Selection, mask_of
from vigie.services.roads.works.buried import BURIED, Buried

NEAR_M = 15.0
"""What stands so near a street that works go on in has its cable there."""

REQUESTS_MAX = 500
FEEDERS_MAX = 500


class RequestsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests."""

    state: Annotated[str, Meta(max_length=100, description="States, apart by commas; `received` unless said.")] = ""
    limit: Annotated[int, Meta(ge=1, le=REQUESTS_MAX, description="How many at most.")] = 100
    cursor: Annotated[str, Meta(max_length=300, description="`next` of the page before.")] = ""


class RequestRow(Form, frozen=True, kw_only=True):
    """A request. document: of a person who asks, the name is told to who works on it alone. due: the first instant at
    which it is too late by law. overdue: it is past that without an answer."""

    case: CaseRow
    document: Buried
    due: Instant
    overdue: bool


class RequestsPage(Form, frozen=True, kw_only=True):
    """Requests, the first due of them first. next: the cursor of the next part, null after the last."""

    items: Sequence[RequestRow]
    next: str | None
    total: int


class FeederForm(Form, frozen=True, kw_only=True):
    """What feeds assets that are concerned, such as a cabinet. id: null for those that nothing feeds. concerned: it
    stands there itself. fed: how many of what it feeds stand there."""

    id: str | None
    name: str
    concerned: bool
    fed: int


class RequestDetail(RequestRow, frozen=True, kw_only=True):
    """The same with what it concerns of the network that was asked about, as far as you see it: what the inventory has
    within the area, or within 15 m of the streets. A cable is where the inventory knows of nothing too: it has places
    of luminaires and cabinets, and no course of what lies between them. total: how many assets."""

    total: int
    feeders: Sequence[FeederForm]


class BuriedDoor:
    """The operations on requests. They are opened, changed and answered as all cases are."""

    def __init__(self, bench: Bench, streets: Streets) -> None:
        self._streets = streets
        self._sources, self._engine = bench.sources, bench.sources.engine
        self._telling = Telling(bench)

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("GET", "roads/buried", self.list, query=RequestsQuery, answer=RequestsPage),
            Operation("GET", "roads/buried/{id}", self.detail, answer=RequestDetail),
        ]

    async def list(self, ask: Ask[RequestsQuery, Nothing]) -> RequestsPage:
        """Lists requests about buried networks (DT, DICT) of services that you see, where you see them."""
        query, states = ask.query, [each.strip() for each in ask.query.state.split(",") if each.strip()]
        found = sorted(
            (case for case in self._all(ask.caller) if case.state in (states or [BURIED.life.first])), key=self._place
        )
        after = place_of(query.cursor, tuple[int, str])
        left = [case for case in found if after is None or self._place(case) > after]
        shown = left[: query.limit]
        return RequestsPage(
            items=[self._row(ask.caller, case) for case in shown],
            next=cursor(*self._place(shown[-1])) if len(left) > len(shown) else None,
            total=len(found),
        )

    async def detail(self, ask: Ask[Nothing, Nothing]) -> RequestDetail:
        """Tells all of a request, with which of our assets it concerns, by what feeds them."""
        case = next((each for each in self._all(ask.caller) if each.id == ask.part("id")), None)
        if case is None:
            raise Problem(404, "No such request", f"There is no request {ask.part('id')[:80]!r} that you may see.",
                          rule="engine.case_gone")  # fmt: skip
        registry, request = self._engine.registry, case.document
        kinds = [kind.kind for kind in registry.kinds if kind.service == case.service]
        numbers = [registry.numbers.get(each.street, -1) for each in request.stretches]
        lines = await asyncio.to_thread(self._streets.lines, np.array(numbers, np.int64))
        # Retired assets, and what was added since this was asked, are in no mask longer than it.
        mask = np.zeros(registry.count, np.bool_)
        for selection in _selections(request, kinds, lines):
            mask |= mask_of(registry, selection)
        mask &= self._sources.sight(ask.caller).covered[: len(mask)]
        concerned = ints(np.flatnonzero(mask))
        parents = {no for no in ints(registry.parent[concerned]) if no and registry.kind_of(no).kind in kinds}
        fed = Counter(int(registry.parent[no]) for no in concerned if int(registry.parent[no]) in parents)
        alone = [no for no in concerned if not int(registry.parent[no]) and no not in parents]
        # A cabinet that stands there and feeds nothing there is a line of its own.
        feeders = {no: fed[no] for no in (*parents, *(no for no in alone if _feeds(registry.parent, no)))}
        rest = sum(1 for no in concerned if no not in feeders and int(registry.parent[no]) not in parents)
        told = [
            FeederForm(id=registry.ids[no], name=registry.names[no], concerned=bool(mask[no]), fed=count)
            for no, count in sorted(feeders.items(), key=lambda each: (-each[1], each[0]))[:FEEDERS_MAX]
        ]
        if rest:
            told.append(FeederForm(id=None, name="", concerned=False, fed=rest))
        row = self._row(ask.caller, case)
        fields = {name: getattr(row, name) for name in RequestRow.__struct_fields__}
        return RequestDetail(**fields, total=len(concerned), feeders=told)

    def _all(self, caller: Caller) -> Iterator[Case]:
        return (case for case in self._engine.cases if case.kind is BURIED and self._telling.sees(caller, case))

    def _row(self, caller: Caller, case: Case) -> RequestRow:
        now_us, due_us = self._sources.clock.now_us(), self._engine.cases.due_us(case)
        return RequestRow(
            case=self._telling.row(caller, case), document=self._telling.document(caller, case),
            due=from_us(due_us), overdue=not case.is_over and due_us <= now_us,
        )  # fmt: skip

    def _place(self, case: Case) -> tuple[int, str]:
        return self._engine.cases.due_us(case), case.id


def _selections(
    request: Buried, kinds: Sequence[str], lines: Sequence[Sequence[tuple[float, float]]]
) -> Iterator[Selection]:
    if request.area:
        yield Selection(kinds=kinds, polygon=request.area)
    for stretch, line in zip(request.stretches, lines, strict=True):
        own = cut(line, stretch.from_m, math.inf if stretch.to_m is None else stretch.to_m)
        if len(own) > 1:
            yield Selection(kinds=kinds, path=Path(own, NEAR_M))


def _feeds(parent: np.ndarray[tuple[int], np.dtype[np.int64]], no: int) -> bool:
    return bool((parent == no).any())
