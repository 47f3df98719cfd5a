"""Energy over the API: nights are asked for, summed in a thread of their own, told as JSON, as a table or on paper."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import msgspec
import numpy as np
from starlette.responses import Response

from vigie.api.city.sources import Sources
from vigie.api.energy.export import csv_of
from vigie.api.energy.forms import Energy, EnergyQuery
from vigie.api.energy.printing import About, pdf_of
from vigie.api.energy.spans import Span, bounds_of, first_known, nights_of, span_of, told_of
from vigie.api.energy.tables import Names
from vigie.api.energy.watched import Watched
from vigie.api.operation import Answer, Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.sums import Progress, Stopped, Sum, Sums
from vigie.core.calendar import Calendar
from vigie.core.past import Kept, KeptUnreadable, Past, TooLong
from vigie.core.plans import Known, Unanswerable
from vigie.core.scope import ALL_SERVICES, Scope, Verb, lies_in
from vigie.core.times import DAY_US, from_us
from vigie.engine.known import Frozen
from vigie.services.lighting.energy.asked import energy_report
from vigie.services.lighting.energy.heard import POINTS
from vigie.services.lighting.energy.model import Report
from vigie.services.lighting.kinds import Cabinet, Luminaire
from vigie.store.history import HistoryTooLong
from vigie.store.kept import KeptSums

SERVICE = "lighting"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is asked for: of which nights there is something to tell, and in which areas who asks may see it."""

    span: Span
    areas: Sequence[str]
    since: str


class EnergyDoor:
    """The operations on energy."""

    def __init__(self, sources: Sources, calendar: Callable[[], Calendar], past: Past, kept: KeptSums) -> None:
        self._sources, self._calendar, self._past, self._kept = sources, calendar, past, kept
        registry = sources.engine.registry
        self._told_by = [
            int(registry.point_number[registry.kind_codes[kind.kind], tuple(kind.points).index(point.name)])
            for kind, point in POINTS
        ]
        self._sums = Sums[Report]("vigie-energy")
        self.watch = self._sums.watch

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        files = {"text/csv": "With format=csv.", "application/pdf": "With format=pdf."}
        return [
            Operation("GET", "lighting/energy", self.energy, query=EnergyQuery, answer=Energy, verb=Verb.SEE,
                      also=files, problems=(404, 422, 503)),
            Operation("DELETE", "lighting/energy/{sum}", self.leave, verb=Verb.SEE),
        ]  # fmt: skip

    async def energy(self, ask: Ask[EnergyQuery, Nothing]) -> Answer | Energy | Response:
        """Tells what lighting used in some nights, what it cost, and what it saved of what the old inventory would have
        used; by area, street and programme, with each cabinet's meter beside its lamps.

        Of the lamps that you may see. Nights that are to come, or of which nothing is kept, are left out: `first` and
        `last` of the report say which were summed, and `kept` of which of them the sums were read that are kept of each
        night when it is over; those of older nights stay when what was reported is gone. A month of a whole town is
        summed in the background: while it is not ready the answer is 202 with how far it is; ask again, or leave it. A
        table or a paper that is not ready is 503 with Retry-After, so that nobody saves what is none. You may begin two
        sums at a time. What was summed is kept for the day, until somebody edits the town. Tables and papers are in
        your language unless `language` says another: in French with semicolons, decimal commas and a mark for UTF-8, in
        English as RFC 4180 says.
        """
        try:
            wanted, said = await self._asked(ask)
        except Stopped:
            raise Problem(503, "Stopped", "It was left a moment ago.", mend="Ask again.", retry_after_s=1) from None
        except (TooLong, HistoryTooLong) as error:
            mend = "Ask again when the post has less to do."
            raise Problem(503, "Takes too long", f"{str(error).capitalize()}.", mend=mend, retry_after_s=60) from error
        except Unanswerable as error:
            detail = f"The rule {error.rule!r} says why."
            raise Problem(422, "More than is computed", detail, rule=error.rule, values=error.detail) from error
        if isinstance(said, Sum):
            progress = said.progress
            if ask.query.format != "json":
                raise _not_yet(progress.done)
            state = "summing" if progress.begun else "waiting"
            told = Energy(state=state, sum=said.id, done=progress.done, since=wanted.since)
            return Answer(told, 202, {"Retry-After": "1"})
        if not said.whole.lamps:
            raise _no_lamp(ask.query.area)
        if ask.query.format == "json":
            return Energy(
                state="ready", since=wanted.since, report=said,
                programmes=self._programmes(said), cabinets=self._cabinets(said),
            )  # fmt: skip
        return await self._file(ask, wanted, said)

    async def leave(self, ask: Ask[Nothing, Nothing]) -> None:
        """Waits no more for a sum. The last who waits for it ends it."""
        if not self._sums.leave(ask.part("sum"), ask.caller.session):
            raise Problem(404, "No such sum", "You wait for none of this name: it is ready, or was left.")

    async def _asked(self, ask: Ask[EnergyQuery, Nothing]) -> tuple[_Wanted, Report | Sum[Report]]:
        """What is wanted, and its report or how far that is. A night of which all that was kept turns out to be lost is
        told of no more: what is wanted is without it then."""
        session, wait_s = ask.caller.session, ask.query.wait_s
        while True:
            wanted = await self._wanted(ask)
            of = repr((wanted.span.first, wanted.span.last, wanted.areas))
            with suppress(KeptUnreadable):
                return wanted, await self._sums.ask(of, self._edition(), session, partial(self._work, wanted), wait_s)

    async def _wanted(self, ask: Ask[EnergyQuery, Nothing]) -> _Wanted:
        calendar, now_us, query = self._calendar(), self._sources.clock.now_us(), ask.query
        asked = span_of(query.start, query.end, calendar, now_us)
        areas = areas_of(ask.caller.scope.may(Verb.SEE), query.area)
        if not self._lit(areas):
            raise _no_lamp(query.area)
        since_us = await asyncio.to_thread(self._sources.history.first_us, self._told_by)
        spans = await asyncio.to_thread(self._kept.spans)
        # Of the others there still is what was reported.
        kept = nights_of(calendar, [(span.start_us, span.end_us) for span in spans if span.alone])
        span = told_of(asked, calendar, now_us, since_us, kept)
        since = kept if since_us is None else {*kept, first_known(calendar, since_us)}
        return _Wanted(span, areas, min(since).isoformat())

    def _lit(self, areas: Sequence[str]) -> bool:
        """Whether any lamp stands in these areas."""
        registry = self._sources.engine.registry
        within = np.array([any(lies_in(path, each) for each in areas) for path in registry.areas], np.bool_)
        lamps = registry.kind[: registry.count] == registry.kind_codes[Luminaire.kind]
        return bool((lamps & ~registry.gone[: registry.count] & within[registry.area[: registry.count]]).any())

    def _edition(self) -> tuple[int, int, int]:
        """All that a sum is made of. What comes late counts from the next day on: days are sealed after it."""
        engine = self._sources.engine
        return engine.registry.version, engine.plans.edition, self._sources.clock.now_us() // DAY_US

    def _work(self, wanted: _Wanted) -> Callable[[Progress], Report]:
        sources, span = self._sources, wanted.span
        # Of the whole town, whoever asks: a cabinet may feed lamps of two areas. What is told is of theirs alone.
        town, now_us = Scope.everything(), sources.clock.now_us()
        known = Frozen.of(sources.engine, self._calendar(), town, now_us)
        start_us, end_us = bounds_of(known.calendar, span.first)[0], bounds_of(known.calendar, span.last)[1]

        def work(progress: Progress) -> Report:
            def tell(at_us: int) -> None:
                progress.tell((at_us - start_us) / (end_us - start_us))

            def find(first_us: int, last_us: int) -> Kept | None:
                tell(first_us)
                return self._kept.find(first_us, last_us)

            watched = Watched(self._past, tell)
            made = energy_report(known, watched, span.first, span.last, wanted.areas, find)
            own = _cabinets_in(known, wanted.areas)
            return msgspec.structs.replace(made, cabinets=[each for each in made.cabinets if each.id in own])

        return work

    async def _file(self, ask: Ask[EnergyQuery, Nothing], wanted: _Wanted, report: Report) -> Response:
        language = ask.query.language or ask.caller.language
        names = await asyncio.to_thread(self._names, wanted, report)
        if ask.query.format == "csv":
            body = await asyncio.to_thread(csv_of, report, names, language)
            media = "text/csv; charset=utf-8; header=present"
        else:
            made = from_us(self._sources.clock.now_us()).astimezone(self._calendar().zone).date()
            about = About(made, self._sources.version)
            body, media = await asyncio.to_thread(pdf_of, report, names, language, about), "application/pdf"
        name = f"vigie-energy-{report.first}-{report.last}.{ask.query.format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Vary": "Cookie, Authorization"}
        return Response(body, 200, headers, media)

    def _programmes(self, report: Report) -> dict[str, str]:
        plans = {id: self._sources.engine.plans.find(id) for id in report.programmes}
        return {id: plan.kind.title(plan.shown) for id, plan in plans.items() if plan is not None}

    def _cabinets(self, report: Report) -> dict[str, str]:
        registry = self._sources.engine.registry
        named = {each.id: registry.names[registry.numbers[each.id]] for each in report.cabinets}
        return {id: name for id, name in named.items() if name}

    def _names(self, wanted: _Wanted, report: Report) -> Names:
        sources, registry = self._sources, self._sources.engine.registry
        areas = sources.facts.sheets.areas([kind.kind for kind in registry.kinds if kind.area])
        return Names(
            town=sources.name,
            areas={row.path: row.name or row.id for row in areas},
            programmes=self._programmes(report),
            cabinets=self._cabinets(report),
            own=[] if "" in wanted.areas else wanted.areas,
        )


def areas_of(scope: Scope, area: str) -> list[str]:
    """What of an area a scope shows the lighting of: areas of which none lies in another; [""] for all of the town."""
    services = {SERVICE, ALL_SERVICES}
    may = {grant.area for grant in scope.grants if grant.services & services and Verb.SEE in grant.verbs}
    if any(lies_in(area, each) for each in may):
        return [area]
    inside = sorted(each for each in may if lies_in(each, area))
    return [each for each in inside if not any(each != other and lies_in(each, other) for other in inside)]


def _cabinets_in(known: Known, areas: Sequence[str]) -> frozenset[str]:
    """The cabinets that lie in some areas. One beyond them may feed a lamp in them, and is not told of all the same."""
    found = known.columns(Cabinet)
    here = [any(lies_in(path, each) for each in areas) for path in found.areas]
    return frozenset(id for id, area in zip(found.ids, found.area.tolist(), strict=True) if here[area])


def _not_yet(done: float) -> Problem:
    return Problem(
        503, "Not summed yet", f"{done:.0%} of it is summed.", mend="Ask again, or for longer with wait_s.",
        retry_after_s=5, rule="lighting.energy_summing", values={"done": round(100 * done)},
    )  # fmt: skip


def _no_lamp(area: str) -> Problem:
    return Problem(
        404, "No lamp here", f"In {area[:80]!r} there is no lamp that you may see.",
        mend="GET /api/v1/city names the areas.", rule="lighting.energy_area",
    )  # fmt: skip
