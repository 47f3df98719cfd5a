"""The dispatcher's door: rounds of work orders are proposed, changed by hand, judged, and given to crews.

A proposal binds nobody: what is given is what the dispatcher sends back. What breaks a rule that people may not bend is
given to nobody; what they may bend takes their reason.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from typing import Any

import numpy as np

from vigie.api.access import Caller
from vigie.api.acts.base import Bench, allowed, refusals
from vigie.api.cases.crews import crew_of, may_send
from vigie.api.cases.forms import CaseRow, MovedCases
from vigie.api.cases.telling import Telling
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.roads.dispatch_forms import (
    CASES_MAX,
    CREWS_MAX,
    CheckForm,
    FindingForm,
    GiveForm,
    LeftForm,
    MovedForm,
    OfDay,
    ProposeForm,
    RoundForm,
    RoundsForm,
    StopForm,
)
from vigie.api.roads.planning import propose, unless_gone
from vigie.api.roads.shifts import Shifts
from vigie.api.roads.streets import Streets
from vigie.core import hours
from vigie.core.arrays import ints
from vigie.core.calendar import Calendar
from vigie.core.scope import Placement, Verb
from vigie.core.times import MINUTE_US, SECOND_US, from_us, rfc3339
from vigie.engine.cases import Case
from vigie.engine.jobs import JobFailed, Jobs, JobsBusy
from vigie.services.places import Street
from vigie.services.roads import Crew as CrewKind
from vigie.services.roads.dispatch.judging import Finding, check
from vigie.services.roads.dispatch.model import (
    HORIZON_S,
    TASKS_MAX,
    WINDOWS_MAX,
    Crew,
    Place,
    Proposal,
    Round,
    Stop,
    Task,
    Why,
)
from vigie.services.roads.dispatch.model import Problem as Problems
from vigie.services.roads.dispatch.replanning import Standing, keeping, remaining, settled
from vigie.services.roads.dispatch.streets import speeds, travel_of
from vigie.services.roads.dispatch.timing import among, timed
from vigie.services.roads.orders import LIFE, WORK_ORDER, WorkOrder

SEED = 1
WAITING_MAX = 8
"""Questions whose ways wait to be looked for; the next is refused."""
GIVEN_SLACK_S = 1_800
"""What a crew was told a time for is begun so long after it at most."""
LEAST_LEFT_S = 300
"""What is under way takes at least so long from now on."""


@dataclass(frozen=True)
class _Day:
    """A day as it is planned. cases: by id. given: of what crews have besides and keep, whose it is. nowhere: what is
    no place's."""

    day: date
    midnight_us: int
    cases: Mapping[str, Case]
    crews: Mapping[str, int]
    standings: Sequence[Standing]
    problem: Problems
    running: Proposal
    given: Mapping[str, str]
    nowhere: Sequence[Case]


class DispatchDoor:
    """The operations of a dispatcher."""

    def __init__(self, bench: Bench, streets: Streets, jobs: Jobs, calendar: Callable[[], Calendar]) -> None:
        self._bench, self._streets, self._jobs, self._calendar = bench, streets, jobs, calendar
        self._sources, self._engine = bench.sources, bench.sources.engine
        self._telling = Telling(bench)
        # To look for ways takes seconds of a core: one question at a time does.
        self._turn, self._waiting = asyncio.Semaphore(1), 0

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("POST", "roads/dispatch/proposals", self.propose, body=ProposeForm, answer=RoundsForm,
                      verb=Verb.DISPATCH, problems=(422, 503)),
            Operation("POST", "roads/dispatch/checks", self.check, body=CheckForm, answer=RoundsForm,
                      verb=Verb.DISPATCH, problems=(422, 503)),
            Operation("POST", "roads/dispatch", self.give, body=GiveForm, answer=MovedCases, verb=Verb.DISPATCH,
                      problems=(409, 422, 503, 507)),
        ]  # fmt: skip

    async def propose(self, ask: Ask[Nothing, ProposeForm]) -> RoundsForm:
        """Proposes rounds for a day's work orders: who does which, in which order, and when.

        Skills and the day on which they end, shifts, windows, loads and the ways through the streets are respected. In
        the middle of the day, what is under way stays, and what was given moves as little as possible. What is left out
        says why. Nothing is given by it.
        """
        form, caller = ask.body, ask.caller
        async with self._one_at_a_time():
            shifts = await self._shifts()
            day = self._day_of(form, shifts)
            wanted = self._wanted(caller, form, day, shifts)
            crews = self._crews_of(caller, form.crews)
            planned = await asyncio.to_thread(self._day, day, wanted[:CASES_MAX], crews, shifts)
        kept = keeping(planned.problem, planned.running) if form.keep and planned.running.rounds else None
        search = propose(
            self._jobs, planned.problem, who=caller.actor, seed=SEED, limit_s=form.limit_s, kept=kept
        )  # fmt: skip
        try:
            found = await unless_gone(ask.request, search)
        except JobsBusy as error:
            raise _busy() from error
        except JobFailed as error:
            raise Problem(503, "Not planned", "The search has ended without an answer.", retry_after_s=5) from error
        whole = settled(planned.problem, planned.running, planned.standings, found.proposal)
        moved = [
            MovedForm(case=each.task, was=each.was, now=each.now, forced=each.forced)
            for each in whole.moved
            if each.task not in planned.given
        ]
        found = check(planned.problem, whole.rest)
        return self._told(caller, planned, whole.rest, found, moved, len(wanted[CASES_MAX:]))

    async def check(self, ask: Ask[Nothing, CheckForm]) -> RoundsForm:
        """Times rounds as somebody has put them, and tells what is wrong with them."""
        planned, proposal = await self._by_hand(ask.caller, ask.body)
        return self._told(ask.caller, planned, proposal, check(planned.problem, proposal), [])

    async def give(self, ask: Ask[Nothing, GiveForm]) -> MovedCases:
        """Gives rounds to their crews: each work order is assigned, with when the crew is to be there.

        What breaks a rule that people may not bend is given to nobody; where they may, a reason is asked for. Each
        order is given for itself: one that somebody has moved meanwhile is told, and keeps no other from being given.
        """
        form, caller = ask.body, ask.caller
        planned, proposal = await self._by_hand(caller, form)
        found = check(planned.problem, proposal)
        hard = [each for each in found if not each.for_people]
        if hard:
            raise Problem(409, "Not to be given", "The rounds break a rule that nobody may bend.",
                          rule="engine.rounds_rule", values=_first(hard), mend="Ask `checks` what it is.")  # fmt: skip
        if found and not form.reason.strip():
            raise Problem(409, "Not to be given", "The rounds break a rule.", rule="engine.rounds_reason",
                          values=_first(found), mend="Say in `reason` why it is to be so.")  # fmt: skip
        refused = self._in_no_stop(form, proposal)
        for each in proposal.rounds:
            for stop in (stop for stop in each.stops if stop.task not in planned.given):
                case = planned.cases[stop.task]
                planned_us = planned.midnight_us + stop.start_s * SECOND_US
                crew = planned.crews[each.crew]
                # As it is now: somebody may have moved it while the ways were looked for.
                now = self._engine.cases.find(case.id)
                if now is None:
                    refused[case.id] = "engine.case_gone"
                    continue
                if (now.crew, now.planned_us) == (crew, planned_us) and now.state == "assigned":
                    continue
                try:
                    with refusals():
                        self._bench.acts.move_case(
                            case.id, "assign", actor=caller.actor, reason=form.reason.strip(), crew=crew,
                            planned_us=planned_us, revision=form.revisions.get(case.id, case.revision),
                        )  # fmt: skip
                except Problem as error:
                    if error.status == 507:
                        raise
                    refused[case.id] = error.rule
        await self._bench.kept()
        given = [case for each in form.rounds for case in each.cases if case not in refused]
        moved = [case for each in given if (case := self._engine.cases.find(each)) is not None]
        return MovedCases(moved=[self._telling.row(caller, case) for case in moved], refused=refused)

    # How.

    def _in_no_stop(self, form: CheckForm, proposal: Proposal) -> dict[str, str]:
        """What is named and in no round, and the rule that keeps it out: it is begun, has no place, or its crew does
        not work on that day."""
        stops = {stop.task for each in proposal.rounds for stop in each.stops}
        out = [case_id for each in form.rounds for case_id in each.cases if case_id not in stops]
        begun = {case.id for each in out if (case := self._engine.cases.find(each)) and case.state == "started"}
        nowhere = Problem(409, "In no round", "Its crew does not work on that day, or it has no place.",
                          rule="engine.rounds_out")  # fmt: skip
        return {each: "engine.life" if each in begun else nowhere.rule for each in out}

    async def _by_hand(self, caller: Caller, form: CheckForm) -> tuple[_Day, Proposal]:
        named = [case for each in form.rounds for case in each.cases]
        if len(set(named)) < len(named) or len({each.crew for each in form.rounds}) < len(form.rounds):
            raise Problem(422, "Said twice", "A crew or a work order is in two places.", rule="engine.rounds_twice")
        if len(named) > TASKS_MAX:
            raise _too_many()
        cases = [self._plannable(caller, case_id) for case_id in named]
        crews = self._crews_of(caller, [each.crew for each in form.rounds])
        async with self._one_at_a_time():
            shifts = await self._shifts()
            planned = await asyncio.to_thread(self._day, self._day_of(form, shifts), cases, crews, shifts)
        numbers = {each.id: number for number, each in enumerate(planned.problem.crews)}
        orders = dict[str, list[str]]()
        for each in (each for each in form.rounds if each.crew in numbers):
            own = [case for case in each.cases if case in planned.problem.row]
            keeps = [case for case, crew in planned.given.items() if crew == each.crew]
            orders[each.crew] = among(planned.problem, numbers[each.crew], own, keeps)
        return planned, timed(planned.problem, orders, Why.BY_HAND)

    def _wanted(self, caller: Caller, form: ProposeForm, day: date, shifts: Shifts) -> list[Case]:
        if form.cases is not None:
            return [self._plannable(caller, case_id) for case_id in dict.fromkeys(form.cases)]
        sent = caller.scope.may(Verb.DISPATCH)
        mine = [
            case
            for case in self._for(day, shifts)
            if sent.covers(Placement(case.area, case.service, Verb.SEE))
        ]  # fmt: skip
        # The most urgent first, where there are more than are planned at once.
        return sorted(mine, key=lambda each: (each.priority, each.due_us))

    def _for(self, day: date, shifts: Shifts) -> list[Case]:
        """The work orders that may be planned for a day: what is open or under way, what was given to a crew that is
        gone, and what was given for that day, or for a shift that is over without its having been done."""
        gone, today, now_us = self._engine.registry.gone, self.today(), self._sources.clock.now_us()

        def is_for(case: Case) -> bool:
            if case.state != "assigned":
                return case.state in (LIFE.first, "started")
            if not case.planned_us or gone[case.crew]:
                return True
            of_day = shifts.day_of(case)
            is_over = of_day < today and not shifts.is_under_way(case.crew, of_day, now_us)
            return of_day == day or is_over

        return [case for case in self._engine.cases if case.kind is WORK_ORDER and is_for(case)]

    async def _shifts(self) -> Shifts:
        return await asyncio.to_thread(Shifts, self._sources, self._calendar())

    @asynccontextmanager
    async def _one_at_a_time(self) -> AsyncGenerator[None]:
        """Raises Problem 503 where too many wait already."""
        if self._waiting >= WAITING_MAX:
            raise _busy()
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

    def _plannable(self, caller: Caller, case_id: str) -> Case:
        case = self._engine.cases.find(case_id)
        if case is None or case.kind is not WORK_ORDER or not self._telling.sees(caller, case):
            raise Problem(422, "No such work order", f"There is no work order {case_id[:80]!r} to be planned.",
                          rule="engine.case_gone")  # fmt: skip
        if not allowed(caller, Verb.DISPATCH, case.area, case.service, Verb.SEE):
            raise Problem(403, "Not allowed", "You may not dispatch there.", rule="engine.case_right")
        if case.is_over:
            raise Problem(422, "Over", f"Work order {case.no} is over.", rule="engine.life",
                          values={"state": case.state, "event": "assign"})  # fmt: skip
        return case

    def _crews_of(self, caller: Caller, named: Iterable[str] | None) -> dict[str, int]:
        registry = self._engine.registry
        if named is None:
            every = ints(registry.of_kind(CrewKind))
            mine = [no for no in every if may_send(caller, registry.areas[int(registry.area[no])])]
            if len(mine) > CREWS_MAX:
                raise _too_many()
            return {registry.ids[no]: no for no in mine}
        return {name: crew_of(self._bench, caller, name) for name in named}

    def _day(self, day: date, cases: Sequence[Case], crews: Mapping[str, int], shifts: Shifts) -> _Day:
        """All that a plan is made of. Takes a second where the streets are read anew; not on the loop."""
        zone, now_us = self._engine.zone, self._sources.clock.now_us()
        midnight_us = hours.instant(day, 0, zone)
        now_s = max(0, (now_us - midnight_us) // SECOND_US)
        at_work = [there for name, no in crews.items() if (there := shifts.crew(name, no, day))]
        if day < self.today():
            # Of yesterday there is only who has not gone home.
            at_work = [each for each in at_work if now_s < each.shift[1]]
        begun = self._begun(crews)
        # Tomorrow nobody is where they are now.
        standings = [*self._standings(at_work, begun, midnight_us, now_s)] if day <= self.today() else []
        working = {each.id for each in at_work}
        still = {crews[each.id]: each.id for each in at_work if now_s < each.shift[1]}
        given = self._given(day, {case.id for case in cases}, still, shifts)
        placed = [case for case in cases if _is_placed(case)]
        own = [case for some in begun.values() for case in some]
        # What is begun has its load, and is planned no more.
        wanted = [_task(case, day, midnight_us, zone) for case in {each.id: each for each in (*placed, *own)}.values()]
        keeps = [_kept(case, name, midnight_us, now_s) for case, name in given]
        tasks, there = remaining([*wanted, *keeps], at_work, standings, now_s)
        by_id = {case.id: case for case in (*cases, *own, *(case for case, _ in given))}
        tasks = tuple(each for each in tasks if by_id[each.id].state != "started")
        if len(tasks) > TASKS_MAX:
            raise _too_many()
        network, numbers = self._streets.network()
        speed = speeds(network, self._limits(numbers))
        problem = Problems(day, tasks, there, travel_of(network, speed, tasks, there))
        told: dict[str, list[str]] = defaultdict(list)
        for case in sorted((*placed, *(case for case, _ in given)), key=lambda each: each.planned_us):
            name = self._engine.registry.ids[case.crew] if case.crew else ""
            if case.state == "assigned" and case.planned_us and name in working and case.id in problem.row:
                told[name].append(case.id)
        nowhere = [case for case in cases if not _is_placed(case) and case.state != "started"]
        running = timed(problem, told, Why.NO_ROOM)
        return _Day(day, midnight_us, by_id, crews, standings, problem, running,
                    {case.id: name for case, name in given}, nowhere)  # fmt: skip

    def _given(
        self, day: date, named: Collection[str], crews: Mapping[int, str], shifts: Shifts
    ) -> list[tuple[Case, str]]:
        """What crews have to do on a day that is not asked about, or is others' to give, and whose it is."""
        return [
            (case, crews[case.crew])
            for case in self._engine.cases
            if case.kind is WORK_ORDER and case.state == "assigned" and case.planned_us and case.crew in crews
            and case.id not in named and _is_placed(case) and shifts.day_of(case) == day
        ]  # fmt: skip

    def _begun(self, crews: Mapping[str, int]) -> Mapping[str, list[Case]]:
        """What is under way with some crews, whether it was named or not."""
        name_of = {no: name for name, no in crews.items()}
        begun: dict[str, list[Case]] = defaultdict(list)
        for case in self._engine.cases:
            if case.kind is WORK_ORDER and case.state == "started" and case.crew in name_of:
                begun[name_of[case.crew]].append(case)
        return begun

    @staticmethod
    def _standings(
        crews: Sequence[Crew], begun: Mapping[str, list[Case]], midnight_us: int, now_s: int
    ) -> Iterator[Standing]:
        depots = {each.id: each.start for each in crews}
        for name, own in begun.items():
            last = max(own, key=lambda each: each.moved_us)
            ends_us = last.moved_us + _takes_min(last) * MINUTE_US
            free_s = min(max((ends_us - midnight_us) // SECOND_US, now_s + LEAST_LEFT_S), HORIZON_S)
            stops = tuple(Stop(each.id, now_s, now_s, free_s) for each in own)
            here = Place(last.lon, last.lat) if _is_placed(last) else depots.get(name)
            if here is not None:
                yield Standing(name, here, free_s, stops)

    def _limits(self, numbers: Any) -> Any:
        assets, said = self._sources.facts.attributes(Street, ("speed_limit",))
        limit = np.full(int(max(numbers.max(initial=0), assets.max(initial=0))) + 1, np.nan)
        limit[assets] = said["speed_limit"]
        return limit[numbers]

    def _told(
        self,
        caller: Caller,
        planned: _Day,
        proposal: Proposal,
        found: Sequence[Finding],
        moved: list[MovedForm],
        beyond: int = 0,
    ) -> RoundsForm:
        def at(second: int) -> str:
            return rfc3339(planned.midnight_us + second * SECOND_US)

        def row(task: str) -> CaseRow:
            return self._telling.row(caller, planned.cases[task])

        def sees(task: str) -> bool:
            return self._telling.sees(caller, planned.cases[task])

        def stops(own: Round | None, *, given: bool) -> list[StopForm]:
            return [
                StopForm(
                    case=row(each.task), arrival=at(each.arrival_s), start=at(each.start_s), leave=at(each.leave_s)
                )
                for each in (own.stops if own else ())
                if (each.task in planned.given) == given and (not given or sees(each.task))
            ]

        under_way = {each.crew: [stop.task for stop in each.begun] for each in planned.standings}
        rounds = {each.crew: each for each in proposal.rounds}
        told = [
            RoundForm(
                crew=self._telling.asset(planned.crews[name]),
                leave=at(own.leave_s) if (own := rounds.get(name)) else at(0),
                back=at(own.back_s) if own else at(0),
                distance_m=own.distance_m if own else 0,
                drive_s=own.drive_s if own else 0,
                under_way=[row(task) for task in under_way.get(name, ()) if sees(task)],
                stops=stops(own, given=False),
                given=stops(own, given=True),
            )
            for name in planned.crews
            if name in rounds or name in under_way
        ]  # fmt: skip
        return RoundsForm(
            day=planned.day.isoformat(),
            rounds=told,
            left=[
                *(LeftForm(case=row(each.task), why=each.why.value) for each in proposal.left
                  if each.task not in planned.given),
                *(LeftForm(case=row(each.id), why=Why.NO_PLACE.value) for each in planned.nowhere),
            ],
            findings=[
                FindingForm(rule=each.rule.value, crew=each.crew or planned.given.get(each.task or ""),
                            case=each.task if each.task and sees(each.task) else None, over=each.over,
                            skill=each.skill, for_people=each.for_people)
                for each in found
            ],
            moved=moved,
            beyond=beyond,
        )  # fmt: skip

    def today(self) -> date:
        """The day that it is in the town."""
        return from_us(self._sources.clock.now_us()).astimezone(self._engine.zone).date()

    def _day_of(self, form: OfDay, shifts: Shifts) -> date:
        """The day that is meant. Raises Problem 422 for one that is over, or further ahead than is planned."""
        today = self.today()
        try:
            day = date.fromisoformat(form.day) if form.day else today
        except ValueError:
            raise Problem(422, "No such day", f"There is no day {form.day!r}.", rule="engine.rounds_day") from None
        yesterday = today - timedelta(days=1)
        goes_on = day == yesterday and shifts.any_under_way(yesterday, self._sources.clock.now_us())
        if not goes_on and not today <= day <= today + timedelta(days=366):
            raise Problem(422, "Not that day", "Rounds are planned from today on, for a year; of yesterday, what is "
                          "still under way.", rule="engine.rounds_day")  # fmt: skip
        return day


def _first(found: Sequence[Finding]) -> dict[str, Any]:
    """How much is wrong, and the first of it, for a sentence."""
    return {"count": len(found), "rule": f"rounds.rule.{found[0].rule.value}"}


def _too_many() -> Problem:
    return Problem(422, "Too many", f"At most {TASKS_MAX} work orders and {CREWS_MAX} crews are planned at once.",
                   mend="Name those that are meant.", rule="engine.rounds_many",
                   values={"cases": TASKS_MAX, "crews": CREWS_MAX})  # fmt: skip


def _busy() -> Problem:
    return Problem(503, "Busy", "Other rounds are being planned.", retry_after_s=5)


def _is_placed(case: Case) -> bool:
    return bool(np.isfinite(case.lon) and np.isfinite(case.lat))


def _takes_min(case: Case) -> int:
    return case.document.takes_min if isinstance(case.document, WorkOrder) else 0


def _task(case: Case, day: date, midnight_us: int, zone: tzinfo) -> Task:
    order = case.document if isinstance(case.document, WorkOrder) else WorkOrder()
    windows = _windows(order.hours, day, midnight_us, zone) if order.hours else ()
    return Task(
        case.id, Place(case.lon, case.lat), _takes_min(case) * 60, windows, frozenset(order.skills), order.load_kg,
        case.priority, must=case.priority == 1,
    )  # fmt: skip


def _windows(text: str, day: date, midnight_us: int, zone: tzinfo) -> tuple[tuple[int, int], ...]:
    """When work may begin, in seconds from the midnight of a day; its shifts go on into the next."""
    week = hours.read(text)
    found = list[tuple[int, int]]()
    for n in (-1, 0, 1):
        on = day + timedelta(days=n)
        for span in week[on.weekday()]:
            first, last = ((hours.instant(on, each, zone) - midnight_us) // SECOND_US for each in span)
            if last > 0 and first < HORIZON_S:
                found.append((max(first, 0), min(last, HORIZON_S)))
    # Where it may be begun at no time of it, no time will do.
    return tuple(found[:WINDOWS_MAX]) or ((HORIZON_S, HORIZON_S),)


def _kept(case: Case, crew: str, midnight_us: int, now_s: int) -> Task:
    """What a crew has to do that is not asked about: about when it was told, or as soon as it can where that is over.
    Whether the crew may do it was asked when it was given."""
    planned_s = (case.planned_us - midnight_us) // SECOND_US
    window = () if planned_s < now_s else ((planned_s, min(planned_s + GIVEN_SLACK_S, HORIZON_S)),)
    load = case.document.load_kg if isinstance(case.document, WorkOrder) else 0
    return Task(
        case.id, Place(case.lon, case.lat), _takes_min(case) * 60, window, load=load, priority=case.priority, must=True,
        crew=crew,
    )  # fmt: skip
