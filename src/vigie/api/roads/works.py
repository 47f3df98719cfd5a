"""The operations on works: what stands in the town's streets and when, what it clashes with, and the ways round it.

They are opened, changed and moved as all cases are.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import numpy as np
from starlette.responses import Response

from vigie.api.access import Caller
from vigie.api.acts.base import Bench, allowed
from vigie.api.cases.telling import Telling
from vigie.api.city.export import table_of
from vigie.api.cursors import cursor, place_of
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.roads import works_forms as forms
from vigie.api.roads.streets import Streets
from vigie.api.roads.worksites import Worksites, cut
from vigie.core.observations import Mask
from vigie.core.plans import Cell, Phrase, Table
from vigie.core.scope import Verb, lies_in
from vigie.core.times import to_us
from vigie.engine.cases import Case
from vigie.services.roads.works.clashes import Clash, unanswered, unseen
from vigie.services.roads.works.coordination import COORDINATION, Coordination, Week, narrowest, weeks
from vigie.services.roads.works.permits import (
    GRANTED,
    LIVE,
    ROADWORKS,
    Leg,
    Roadworks,
    Stretch,
    acts_needed,
    late_by,
    moment_at,
)
from vigie.services.roads.works.windows import minute_of

WEEKS_MAX = 20_000
CALENDAR_HEADS = ("street", "area", "week", "number", "title", "state", "owner_name", "begins", "ends")


class WorksDoor:
    """The operations on works."""

    def __init__(self, bench: Bench, streets: Streets, sites: Worksites) -> None:
        self._bench, self._streets, self._sites = bench, streets, sites
        self._sources, self._engine = bench.sources, bench.sources.engine
        self._telling = Telling(bench)

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("GET", "roads/works", self.list, query=forms.WorksQuery, answer=forms.WorksPage,
                      problems=(422,)),
            Operation("GET", "roads/works/calendar", self.year, query=forms.YearQuery, answer=forms.YearForm,
                      also={"text/csv": "With format=csv, or `Accept: text/csv`."}),
            Operation("GET", "roads/works/{id}", self.detail, answer=forms.WorksDetail),
            Operation("POST", "roads/works/checks", self.checks, body=forms.DraftForm, answer=forms.ChecksForm,
                      problems=(422,)),
            Operation("POST", "roads/works/diversions", self.diversions, body=forms.DraftForm, answer=forms.Detours,
                      problems=(422,)),
        ]  # fmt: skip

    async def list(self, ask: Ask[forms.WorksQuery, Nothing]) -> forms.WorksPage:
        """Lists works that you see, with where and when they are and how many things they clash with now.

        They are sorted by when they begin. Works that should have begun, or be over, by their dates are told as late:
        the post moves none by itself. Archived ones are read as cases.
        """
        query, caller = ask.query, ask.caller
        await asyncio.to_thread(self._sites.ground)
        found = sorted(
            (case for case in self._engine.cases if case.kind is ROADWORKS and self._is_asked(caller, case, query)),
            key=_place,
        )
        after = place_of(query.cursor, tuple[str, str])
        left = [case for case in found if after is None or _place(case) > after]
        shown = left[: query.limit]
        lines = await self._lines(shown)
        return forms.WorksPage(
            items=[self._row(caller, case, lines) for case in shown],
            next=cursor(*_place(shown[-1])) if len(left) > len(shown) else None,
            total=len(found),
        )

    async def detail(self, ask: Ask[Nothing, Nothing]) -> forms.WorksDetail:
        """Tells all of works, with what they clash with now."""
        await asyncio.to_thread(self._sites.ground)
        case = self._seen(ask.caller, ask.part("id"))
        works: Roadworks = case.document
        lines = await self._lines([case])
        row = self._row(ask.caller, case, lines)
        return forms.WorksDetail(
            **{name: getattr(row, name) for name in forms.WorksRow.__struct_fields__},
            networks=works.networks,
            anchored=works.anchored,
            needed=acts_needed(works),
            wanted=[forms.WantedAct(kind=kind, area=area) for kind, area in self._sites.acts_wanted(works)],
            clashing=self._told(
                ask.caller, works, self._sites.clashes(works, case), words=self._telling.works_on(ask.caller, case)
            ),
            answers=self._written(ask.caller, case).answers,
            diversion=[self._leg(leg, lines) for leg in works.diversion],
        )

    async def checks(self, ask: Ask[Nothing, forms.DraftForm]) -> forms.ChecksForm:
        """Tells what works clash with that somebody writes, and the acts that they take. Nothing is kept."""
        await asyncio.to_thread(self._sites.ground)
        works, case = ask.body.document, self._draft(ask.caller, ask.body)
        found = self._sites.clashes(works, case, self._area(works))
        return forms.ChecksForm(
            clashing=self._told(ask.caller, works, found),
            needed=acts_needed(works),
            needs=self._sites.acts_missing(works),
        )

    async def diversions(self, ask: Ask[Nothing, forms.DraftForm]) -> forms.Detours:
        """Proposes the ways round works that turn traffic away, one for each way of travel through what they close.

        Streets that other works close meanwhile are avoided, and so are paths and the wrong way of one-way streets;
        wide streets are preferred. No way leads through a street where you may not see what becomes of the roads. Where
        none leads round, that is told.
        """
        works, case = ask.body.document, self._draft(ask.caller, ask.body)
        others = self._sites.closed_meanwhile(works, "" if case is None else case.id)
        seen = self._known_of(ask.caller)
        found, legs = await asyncio.to_thread(self._sites.detours, works, others, seen)
        network, numbers = await asyncio.to_thread(self._streets.network)
        ids = self._engine.registry.ids
        diversion = _once(leg for own in legs for leg in own)
        lines = await self._lines_of(leg.street for leg in diversion)
        items = [
            forms.DetourForm(
                closed=_once(
                    Leg(ids[int(numbers[network.line[arc // 2]])], "against" if arc % 2 else "along")
                    for arc in each.closed
                ),
                closed_m=round(each.closed_m, 1),
                found=bool(each.way),
                length_m=round(each.length_m, 1) if each.way else None,
                legs=[self._leg(leg, lines) for leg in own],
            )
            for each, own in zip(found, legs, strict=True)
        ]
        return forms.Detours(items=items, diversion=diversion)

    async def year(self, ask: Ask[forms.YearQuery, Nothing]) -> forms.YearForm | Response:
        """Tells the works of a year, street by street and week by week: the calendar that is published (Code de la
        voirie routière, L115-1).

        Works that were refused or withdrawn stand in none; finished ones do until they are archived.
        """
        query, caller = ask.query, ask.caller
        cases = [
            case
            for case in self._engine.cases
            if case.kind is ROADWORKS
            and case.state in (*LIVE, "finished")
            and self._telling.sees(caller, case)
            and lies_in(case.area, query.area)
        ]
        found = await asyncio.to_thread(weeks, [(case.id, case.document) for case in cases], query.year)
        by_id = {case.id: case for case in cases}
        if query.format == "csv" or "text/csv" in ask.request.headers.get("accept", ""):
            table = Table(CALENDAR_HEADS, self._cells(found, by_id))
            return table_of(table, caller.language, f"vigie-works-{query.year}.csv")
        shown = found[:WEEKS_MAX]
        there = {name for each in found for name in each.works}
        return forms.YearForm(
            year=query.year,
            asked_by=self._asked_by(query),
            works=[_calendar(case) for case in cases if case.id in there],
            weeks=[
                forms.WeekForm(
                    street=each.street, name=self._name(each.street), area=self._area_of(each.street),
                    monday=each.monday.isoformat(), works=[by_id[name].no for name in each.works],
                )
                for each in shown
            ],
            left_out=len(found) - len(shown),
        )  # fmt: skip

    # How.

    def _is_asked(self, caller: Caller, case: Case, query: forms.WorksQuery) -> bool:
        works: Roadworks = case.document
        states, natures = _listed(query.state) or sorted(LIVE), _listed(query.nature)
        if case.state not in states or (natures and works.nature not in natures):
            return False
        if not works.phases or not lies_in(case.area, query.area) or not self._telling.sees(caller, case):
            return False
        if query.street and query.street not in works.streets:
            return False
        start = "" if query.start is None else self._moment(query.start)
        end = "9" if query.end is None else self._moment(query.end)
        return any(phase.ends > start and phase.begins < end for phase in works.phases)

    def _moment(self, said: datetime) -> str:
        """The minute by the town's clock. Raises Problem 422 for a slip of the pen."""
        if not 1900 <= said.year <= 2200:
            raise Problem(422, "Not then", "Works are looked for between the years 1900 and 2200.")
        return moment_at(to_us(said), self._sites.calendar.zone)

    def _seen(self, caller: Caller, case_id: str) -> Case:
        case = self._engine.cases.find(case_id)
        if case is None or case.kind is not ROADWORKS or not self._telling.sees(caller, case):
            raise Problem(404, "No such works", f"There are no works {case_id[:80]!r} that you may see.",
                          rule="engine.case_gone")  # fmt: skip
        return case

    def _draft(self, caller: Caller, form: forms.DraftForm) -> Case | None:
        """The case of a draft, None for a new one. Raises Problem 404 for a case that the caller does not see, and 403
        for a street, of a diversion too, of whose works they are not told."""
        known, numbers = self._known_of(caller), self._engine.registry.numbers
        for street in (*form.document.streets, *(leg.street for leg in form.document.diversion)):
            if street in numbers and not known[numbers[street]]:
                raise Problem(403, "Not allowed", f"It takes {Verb.SEE.value!r} for {ROADWORKS.service} at {street!r}.")
        return self._seen(caller, form.case) if form.case else None

    def _known_of(self, caller: Caller) -> Mask:
        """Of what the caller sees, were it because anybody may, where they may see what becomes of the roads: works in
        streets are of the roads, whoever else the streets themselves belong to."""
        registry = self._engine.registry
        may = np.array(
            [allowed(caller, Verb.SEE, area, ROADWORKS.service, Verb.SEE) for area in registry.areas], np.bool_
        )
        seen = self._engine.visibility.mask(caller.scope)
        return seen & may[registry.area[: len(seen)]]

    def _row(self, caller: Caller, case: Case, lines: dict[str, Sequence[tuple[float, float]]]) -> forms.WorksRow:
        works: Roadworks = case.document
        clashes = self._sites.clashes(works, case) if case.state in LIVE else []
        now = moment_at(self._sources.clock.now_us(), self._sites.calendar.zone)
        return forms.WorksRow(
            case=self._telling.row(caller, case),
            owner_name=self._written(caller, case).owner_name, nature=works.nature, cuts_surface=works.cuts_surface,
            urgent=works.urgent,
            begins=works.begins, ends=works.ends, late=late_by(works, case.state, now),
            phases=[
                forms.PhaseForm(
                    begins=phase.begins, ends=phase.ends, hours=phase.hours, now=phase.window.holds(minute_of(now)),
                    occupancy=phase.occupancy, passes=phase.passes,
                    stretches=[self._stretch(each, lines) for each in phase.stretches],
                )
                for phase in works.phases
            ],
            clashes=len(clashes), refusing=len(unanswered(works, clashes)),
            needs=self._sites.acts_missing(works) if case.state not in GRANTED else (), acts=works.acts,
        )  # fmt: skip

    def _stretch(self, each: Stretch, lines: dict[str, Sequence[tuple[float, float]]]) -> forms.StretchForm:
        return forms.StretchForm(
            street=each.street, name=self._name(each.street), from_m=each.from_m, to_m=each.to_m, way=each.way,
            line=cut(lines.get(each.street, ()), each.from_m, math.inf if each.to_m is None else each.to_m),
        )  # fmt: skip

    def _leg(self, leg: Leg, lines: dict[str, Sequence[tuple[float, float]]]) -> forms.LegForm:
        line = lines.get(leg.street, ())
        return forms.LegForm(
            street=leg.street, name=self._name(leg.street), way=leg.way,
            line=line if leg.way == "along" else line[::-1],
        )  # fmt: skip

    def _written(self, caller: Caller, case: Case) -> Roadworks:
        """The document of works as the caller may read it."""
        return self._telling.document(caller, case)

    def _told(
        self, caller: Caller, works: Roadworks, clashes: Iterable[Clash], *, words: bool = True
    ) -> list[forms.ClashForm]:
        """words: whether the caller may read what was answered."""
        answers = {each.clash: each.text if words else "" for each in works.answers}
        shown = [each if not each.other or self._sees(caller, each.other) else unseen(each) for each in clashes]
        return [
            forms.ClashForm(
                key=each.key, rule=each.finding.rule, refuses=each.finding.refuses, article=each.finding.article,
                detail=each.finding.detail, streets=each.finding.assets, count=each.finding.count,
                other=each.other or None, answer=None if each.is_slip else answers.get(each.key),
                answerable=not each.is_slip,
            )
            for each in shown
        ]  # fmt: skip

    def _sees(self, caller: Caller, case_id: str) -> bool:
        case = self._engine.cases.find(case_id)
        return case is not None and self._telling.sees(caller, case)

    async def _lines(self, cases: Sequence[Case]) -> dict[str, Sequence[tuple[float, float]]]:
        return await self._lines_of(
            street
            for case in cases
            for street in (*case.document.streets, *(leg.street for leg in case.document.diversion))
        )

    async def _lines_of(self, streets: Iterable[str]) -> dict[str, Sequence[tuple[float, float]]]:
        """Streets as they are drawn, by their ids."""
        wanted, numbers = [*dict.fromkeys(streets)], self._engine.registry.numbers
        asked = np.array([numbers.get(street, -1) for street in wanted], np.int64)
        return dict(zip(wanted, await asyncio.to_thread(self._streets.lines, asked), strict=True))

    def _name(self, street: str) -> str:
        registry = self._engine.registry
        no = registry.numbers.get(street, 0)
        return registry.names[no] if no else ""

    def _area_of(self, street: str) -> str:
        registry = self._engine.registry
        no = registry.numbers.get(street, 0)
        return registry.areas[int(registry.area[no])] if no else ""

    def _area(self, works: Roadworks) -> str:
        return self._area_of(works.streets[0]) if works.streets else ""

    def _asked_by(self, query: forms.YearQuery) -> str | None:
        """By when works of a year were to be told: of the calendar of the narrowest area that holds what was asked."""
        bodies: list[Coordination] = [
            each.in_force.body for each in self._engine.plans if each.kind is COORDINATION and each.in_force is not None
        ]
        own = narrowest((each for each in bodies if lies_in(query.area, each.area)), query.year)
        return own.asked_by if own else None

    def _cells(self, found: Sequence[Week], by_id: dict[str, Case]) -> Iterator[list[Cell]]:
        for each in found:
            for name in each.works:
                case = by_id[name]
                works: Roadworks = case.document
                state = Phrase(f"state.roadworks.{case.state}")
                yield [
                    self._name(each.street) or each.street, self._area_of(each.street), each.monday.isoformat(),
                    case.no, case.title, state, works.published_name, works.begins, works.ends,
                ]  # fmt: skip


def _place(case: Case) -> tuple[str, str]:
    return case.document.begins, case.id


def _listed(said: str) -> list[str]:
    return [each.strip() for each in said.split(",") if each.strip()]


def _once(legs: Iterable[Leg]) -> list[Leg]:
    return [*dict.fromkeys(legs)]


def _calendar(case: Case) -> forms.CalendarWorks:
    works: Roadworks = case.document
    return forms.CalendarWorks(
        id=case.id, number=case.no, title=case.title, state=case.state, owner_name=works.published_name,
        nature=works.nature,
    )  # fmt: skip
