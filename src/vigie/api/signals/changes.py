"""Changes of a junction over the API: those that are known, and what came of each, by what detectors measured."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from vigie.api.access import Caller
from vigie.api.acts.base import Bench
from vigie.api.city.forms import Form, Instant, Page, Value, Who
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.signals.comparisons import ComparisonRow, Foretells
from vigie.api.signals.door import seen
from vigie.api.signals.levels import Approaches
from vigie.api.traffic.streets import Counting
from vigie.core.calendar import Calendar
from vigie.core.kinds import Point
from vigie.core.observations import Floats, Int64s
from vigie.core.past import Past, TooLong
from vigie.core.scope import Placement
from vigie.core.times import DAY_US, HOUR_US, from_us, to_us
from vigie.engine.ports import StorageFull
from vigie.services.signals import JUNCTION_PLAN, Detector, Junction
from vigie.services.signals.whatif.after import DAYS_MIN, HOURS_MIN, After, AfterFigure, Measured, broken, compare
from vigie.store.commands import Effect
from vigie.store.plans import ApprovedVersion

CHANGES_MAX = 200
"""The newest of them are told."""

DAYS_MAX = 56
WAITING_MAX = 16
"""Questions that wait for the one that is answered; the next are told to come back."""

ACTIONS = tuple(f"{Junction.kind}.{name}" for name in ("set_control", "run_plan"))
"""The orders that change how a junction is controlled; yellow flash is no way to do it."""

_WITHDRAWN = "withdrawn"


class Change(Form, frozen=True, kw_only=True):
    """A change of a junction. what: `document`, a version was approved; `withdrawn`, what was in force no longer is;
    `order`, it was ordered. who: who approved or ordered it; None of a withdrawal, which the journal alone tells, and
    of an order that was given over more than the caller sees, of which its own id and the params are withheld too.
    version: of the document. action, params: of the order; state: what became of it."""

    id: str
    what: Literal["document", "withdrawn", "order"]
    at: Instant
    who: Who | None
    version: int | None = None
    action: str | None = None
    params: Mapping[str, Value] = {}
    state: str | None = None


class Counter(Form, frozen=True, kw_only=True):
    """A detector before the junction, and the street that it counts in."""

    id: str
    name: str
    street: str


class AfterQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of how many days."""

    days: Annotated[int, Meta(ge=1, le=DAYS_MAX, description="Days after the change, and as many before it.")] = 7


class AfterForm(Form, frozen=True, kw_only=True):
    """What came of a change. before_from, before_to, after_from, after_to: the hours that are compared, the one of the
    change left out; after_to is now where the days are not over. counters: the detectors that measured. others: how
    many other changes lie within these hours: what came of one is told with what came of them. hours: that have passed
    since; unmatched: those of them that no hour before is like; school: those that are beside one before, one of the
    two in school holidays. days_min, hours_min: so many days with so many hours each are needed. foretold: the
    comparison of this very change that stood behind it, of those that the post had been told before it; None where
    there was none."""

    change: Change
    days: int
    before_from: Instant
    before_to: Instant
    after_from: Instant
    after_to: Instant
    counters: Sequence[Counter]
    others: int
    hours: int
    unmatched: int
    school: int
    days_min: int
    hours_min: int
    figures: Sequence[AfterFigure]
    foretold: ComparisonRow | None


class ChangesDoor:
    """The operations on changes. One question is answered at a time."""

    def __init__(
        self,
        bench: Bench,
        approaches: Approaches,
        calendar: Callable[[], Calendar],
        past: Past,
        foretells: Foretells,
    ) -> None:
        self._bench, self._sources, self._foretells = bench, bench.sources, foretells
        self._approaches, self._calendar, self._past = approaches, calendar, past
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        path = "signals/junctions/{id}/changes"
        return [
            Operation("GET", path, self.list, answer=Page[Change]),
            Operation("GET", f"{path}/{{change}}/after", self.after, query=AfterQuery, answer=AfterForm,
                      problems=(503,)),
        ]  # fmt: skip

    async def list(self, ask: Ask[Nothing, Nothing]) -> Page[Change]:
        """Lists the changes of a junction that are known, the newest first: versions of its document, and orders that
        say who decides or which plan runs, where they were followed. The newest 200 of them are told.

        What people are called is told to those with the right to personal data there, and to each of themselves. Of an
        order that was given over more than you see no more is told than that it was followed here, and when.
        """
        found = await self._changes(ask.caller, ask.part("id"))
        return Page(items=found, total=len(found))

    async def after(self, ask: Ask[AfterQuery, Nothing]) -> AfterForm:
        """Compares what the detectors before a junction measured in the days after a change with days before it.

        Each hour after is set beside one before that has the same hour of the day, on the same day of the week or else
        the same kind of day. The interval of 95 % is that of the days' differences. Whether the change did it, figures
        alone do not say: `docs/how-to/what-if.md` tells what else may have.
        """
        asset, wanted = ask.part("id"), ask.part("change")
        found = await self._changes(ask.caller, asset)
        change = next((each for each in found if each.id == wanted), None)
        if change is None:
            raise Problem(404, "No such change", f"No change {wanted[:80]!r} of this junction is known.")
        at_us, now_us, days = to_us(change.at), self._sources.clock.now_us(), ask.query.days
        until_us, from_hour_us = at_us // HOUR_US * HOUR_US, -(-at_us // HOUR_US) * HOUR_US
        before = until_us - days * DAY_US, until_us
        after = from_hour_us, max(from_hour_us, min(from_hour_us + days * DAY_US, now_us // HOUR_US * HOUR_US))
        counting = await self._counting(ask.caller, asset)
        numbers: Int64s = np.array([each.detector for each in counting], np.int64)
        told = await self._compared(before, after, numbers)
        registry = self._sources.engine.registry
        no = registry.numbers[asset]
        foretold = await self._foretells(ask.caller, no, change.params, to_us(change.at))
        others = [each for each in found if each is not change and before[0] <= to_us(each.at) < after[1]]
        return AfterForm(
            change=change,
            days=days,
            before_from=from_us(before[0]),
            before_to=from_us(before[1]),
            after_from=from_us(after[0]),
            after_to=from_us(after[1]),
            counters=[
                Counter(
                    id=registry.ids[each.detector],
                    name=registry.names[each.detector],
                    street=registry.names[each.street],
                )
                for each in counting
            ],
            others=len(others),
            hours=told.hours,
            unmatched=told.unmatched,
            school=told.school,
            days_min=DAYS_MIN,
            hours_min=HOURS_MIN,
            figures=told.figures,
            foretold=foretold,
        )

    async def _changes(self, caller: Caller, asset: str) -> list[Change]:
        """All that is known, the newest first. Raises Problem 404 for whoever does not see the junction fully."""
        facts, no = self._sources.facts, seen(self._sources, caller, asset)
        named = self._sources.reads_people(caller, no)
        if self._sources.engine.owed:
            # An order that was proved a moment ago is among them; on a full disk, what was kept is told.
            with suppress(StorageFull):
                await self._bench.pump.settled()

        def read() -> list[Change]:
            versions = facts.plans.approved(JUNCTION_PLAN.key, asset, CHANGES_MAX)
            effects = facts.orders.effects(no, ACTIONS, CHANGES_MAX)
            whole = [each for each in effects if _sees(caller, each)]
            actors = {each.approver for each in versions} | {each.actor for each in whole}
            people = facts.sheets.names(actors if named else actors & {caller.actor})
            parts = [each for each in effects if not _sees(caller, each)]
            made = [*_of_versions(versions, people), *_of_effects(whole, people), *_of_parts(parts)]
            return sorted(made, key=lambda each: (each.at, each.id), reverse=True)[:CHANGES_MAX]

        return await asyncio.to_thread(read)

    async def _counting(self, caller: Caller, asset: str) -> list[Counting]:
        """The detectors before a junction that somebody sees."""
        known = await self._approaches.ask()
        registry, shown = self._sources.engine.registry, self._sources.sight(caller).seen
        no = registry.numbers.get(asset, 0)
        return [
            each
            for each, junction in zip(known.counted, known.junction.tolist(), strict=True)
            if junction == no and shown[each.detector] and not registry.gone[each.detector]
        ]

    async def _compared(self, before: tuple[int, int], after: tuple[int, int], detectors: Int64s) -> After:
        """What is told of two spans, read in a thread. Raises Problem 503."""
        if self._waiting >= WAITING_MAX:
            raise Problem(503, "Busy", "Many ask what came of changes just now.", retry_after_s=5)
        calendar = self._calendar()
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(
                    lambda: compare(self._measured(before, detectors), self._measured(after, detectors), calendar)
                )
        except TooLong as error:
            mend = "Ask for fewer days, or when the post has less to do."
            raise Problem(503, "Takes too long", f"{str(error).capitalize()}.", mend=mend, retry_after_s=60) from error
        finally:
            self._waiting -= 1

    def _measured(self, span: tuple[int, int], detectors: Int64s) -> Measured:
        """The means of each hour of a span. What a detector told that had said it does not work is not known."""
        start_us, end_us = span
        if start_us == end_us or not len(detectors):
            nothing = np.full(((end_us - start_us) // HOUR_US, len(detectors)), np.nan)
            return Measured(start_us, nothing, nothing, nothing)
        # That it does not work holds until it says that it does, which may be the next day.
        told = self._past.told(Detector, Detector.working, start_us - DAY_US, end_us, only=detectors)
        down = broken(told, detectors, start_us, (end_us - start_us) // HOUR_US)
        flow, speed, occupancy = (
            np.where(down, np.nan, self._means(point, span, detectors))
            for point in (Detector.flow, Detector.speed, Detector.occupancy)
        )
        return Measured(start_us, flow, speed, occupancy)

    def _means(self, point: Point[Any], span: tuple[int, int], detectors: Int64s) -> Floats:
        """(hour, detector)."""
        return self._past.means(Detector, point, *span, HOUR_US, only=detectors).at(detectors).T


def _sees(caller: Caller, effect: Effect) -> bool:
    """Whether the caller may see the order itself, as `Orders.sees` says it: all of the area that it is given in."""
    return caller.scope.covers(Placement(effect.area, Junction.service, Junction.verb))


def _of_versions(versions: Iterable[ApprovedVersion], people: Mapping[str, str]) -> Iterable[Change]:
    for each in versions:
        own = f"{each.plan}.{each.version}"
        yield Change(
            id=own, what="document", at=from_us(each.approved_us), version=each.version,
            who=Who(id=each.approver, name=people.get(each.approver)),
        )  # fmt: skip
        if each.state == _WITHDRAWN and each.ended_us is not None:
            yield Change(
                id=f"{own}.{_WITHDRAWN}", what="withdrawn", at=from_us(each.ended_us), version=each.version, who=None
            )  # fmt: skip


def _of_effects(effects: Iterable[Effect], people: Mapping[str, str]) -> Iterable[Change]:
    for each in effects:
        yield Change(
            id=each.command, what="order", at=from_us(each.sent_us), action=each.action, params=each.params,
            state=each.state, who=Who(id=each.actor, name=people.get(each.actor)),
        )  # fmt: skip


def _of_parts(effects: Iterable[Effect]) -> Iterable[Change]:
    """What is told of orders that the caller does not see. Each is known by what is told of it: no two of one action go
    out to one junction at once."""
    for each in effects:
        yield Change(
            id=f"{each.action}.{each.sent_us}", what="order", at=from_us(each.sent_us), action=each.action,
            state=each.state, who=None,
        )  # fmt: skip
