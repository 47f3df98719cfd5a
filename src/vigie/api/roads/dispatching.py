"""The dispatcher's door: rounds of work orders are proposed, changed by hand, judged, and given to crews.

A proposal binds nobody: what is given is what the dispatcher sends back. What breaks a rule that people may not bend is
given to nobody; what they may bend takes their reason.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

import numpy as np
from msgspec import Meta

from vigie.api.access import Caller
from vigie.api.acts.base import Bench, allowed, refusals
from vigie.api.acts.forms import Asked
from vigie.api.bodies import Reason
from vigie.api.cases.crews import crew_of, may_send
from vigie.api.cases.forms import CaseAsset, CaseRow, MovedCases
from vigie.api.cases.telling import Telling
from vigie.api.city.forms import Form
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.roads.planning import LIMIT_S, LIMIT_S_MAX, propose
from vigie.api.roads.streets import Streets
from vigie.core import hours
from vigie.core.arrays import ints
from vigie.core.calendar import EPOCH_DAY, Calendar
from vigie.core.scope import Placement, Verb
from vigie.core.times import MINUTE_US, SECOND_US, from_us, rfc3339
from vigie.engine.cases import Case
from vigie.engine.jobs import JobFailed, Jobs, JobsBusy
from vigie.services.places import Street
from vigie.services.roads import Crew as CrewKind
from vigie.services.roads.crews import skills_of
from vigie.services.roads.dispatch.judging import Finding, check
from vigie.services.roads.dispatch.model import HORIZON_S, TASKS_MAX, Crew, Place, Proposal, Stop, Task, Why
from vigie.services.roads.dispatch.model import Problem as Problems
from vigie.services.roads.dispatch.replanning import Standing, keeping, remaining, settled
from vigie.services.roads.dispatch.streets import speeds, travel_of
from vigie.services.roads.dispatch.timing import timed
from vigie.services.roads.orders import LIFE, WORK_ORDER, WorkOrder

CASES_MAX, CREWS_MAX = 500, 60
SEED = 1
LEAST_LEFT_S = 300
"""What is under way takes at least so long from now on."""

Day = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$", description="A day of the town, such as 2026-11-30.")]
Id = Annotated[str, Meta(max_length=200)]


class OfDay(Asked, frozen=True, kw_only=True):
    """A day's rounds. day: empty for today."""

    day: Day | None = None


class ProposeForm(OfDay, frozen=True, kw_only=True):
    """Rounds that are wanted. crews, cases: their ids; without them, all crews that work on that day, and all work
    orders that are open or given for it. keep: whether what was given already moves as little as possible. limit_s: how
    long is searched."""

    crews: Annotated[list[Id], Meta(max_length=CREWS_MAX)] | None = None
    cases: Annotated[list[Id], Meta(max_length=CASES_MAX)] | None = None
    keep: bool = True
    limit_s: Annotated[float, Meta(ge=0.1, le=LIMIT_S_MAX)] = LIMIT_S


class RoundOf(Asked, frozen=True, kw_only=True):
    """A crew and its work orders in their order, by their ids."""

    crew: Id
    cases: Annotated[list[Id], Meta(max_length=CASES_MAX)]


class CheckForm(OfDay, frozen=True, kw_only=True):
    """Rounds as somebody has put them."""

    rounds: Annotated[list[RoundOf], Meta(min_length=1, max_length=CREWS_MAX)]


class GiveForm(CheckForm, frozen=True, kw_only=True):
    """Rounds to be given to their crews. revisions: of each case, as it was seen. reason: what is answered to what the
    judge finds, where people may decide it."""

    revisions: dict[str, int] = {}  # noqa: RUF012 (a Struct makes it anew for each)
    reason: Reason = ""


class StopForm(Form, frozen=True, kw_only=True):
    """A work order in a round: when the crew is there, begins and goes on."""

    case: CaseRow
    arrival: str
    start: str
    leave: str


class RoundForm(Form, frozen=True, kw_only=True):
    """A crew's round. under_way: what it has begun, which stays with it."""

    crew: CaseAsset
    leave: str
    back: str
    distance_m: int
    drive_s: int
    under_way: list[CaseRow]
    stops: list[StopForm]


class LeftForm(Form, frozen=True, kw_only=True):
    """A work order in no round, and why: see the texts `rounds.left.*`."""

    case: CaseRow
    why: str


class FindingForm(Form, frozen=True, kw_only=True):
    """A rule that the rounds break (texts `rounds.rule.*`), over by how much (seconds, or load), and whether people may
    decide that it be so."""

    rule: str
    crew: str | None
    case: str | None
    over: int
    skill: str | None
    for_people: bool


class MovedForm(Form, frozen=True, kw_only=True):
    """A work order that would go to another crew, or to none. forced: its crew cannot do it any more."""

    case: str
    was: str
    now: str | None
    forced: bool


class RoundsForm(Form, frozen=True, kw_only=True):
    """Rounds of a day, and what the judge finds in them."""

    day: str
    rounds: list[RoundForm]
    left: list[LeftForm]
    findings: list[FindingForm]
    moved: list[MovedForm]


@dataclass(frozen=True)
class _Day:
    """A day as it is planned. cases: by id. begun: of each crew, what is under way."""

    day: date
    midnight_us: int
    cases: Mapping[str, Case]
    crews: Mapping[str, int]
    standings: Sequence[Standing]
    problem: Problems
    running: Proposal


class DispatchDoor:
    """The operations of a dispatcher."""

    def __init__(self, bench: Bench, streets: Streets, jobs: Jobs, calendar: Callable[[], Calendar]) -> None:
        self._bench, self._streets, self._jobs, self._calendar = bench, streets, jobs, calendar
        self._sources, self._engine = bench.sources, bench.sources.engine
        self._telling = Telling(bench)

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("POST", "roads/dispatch/proposals", self.propose, body=ProposeForm, answer=RoundsForm,
                      verb=Verb.DISPATCH, problems=(422, 503)),
            Operation("POST", "roads/dispatch/checks", self.check, body=CheckForm, answer=RoundsForm,
                      verb=Verb.DISPATCH, problems=(422,)),
            Operation("POST", "roads/dispatch", self.give, body=GiveForm, answer=MovedCases, verb=Verb.DISPATCH,
                      problems=(409, 422, 507)),
        ]  # fmt: skip

    async def propose(self, ask: Ask[Nothing, ProposeForm]) -> RoundsForm:
        """Proposes rounds for a day's work orders: who does which, in which order, and when.

        Skills and the day on which they end, shifts, windows, loads and the ways through the streets are respected. In
        the middle of the day, what is under way stays, and what was given moves as little as possible. What is left out
        says why. Nothing is given by it.
        """
        form, caller = ask.body, ask.caller
        cases = self._wanted(caller, form)
        crews = self._crews_of(caller, form.crews)
        planned = await asyncio.to_thread(self._day, _day_of(form, self), cases, crews)
        kept = keeping(planned.problem, planned.running) if form.keep and planned.running.rounds else None
        try:
            found = await propose(self._jobs, planned.problem, seed=SEED, limit_s=form.limit_s, kept=kept)
        except JobsBusy as error:
            raise Problem(503, "Busy", "Other rounds are being planned.", retry_after_s=5) from error
        except JobFailed as error:
            raise Problem(503, "Not planned", "The search has ended without an answer.", retry_after_s=5) from error
        whole = settled(planned.problem, planned.running, planned.standings, found.proposal)
        moved = [MovedForm(case=each.task, was=each.was, now=each.now, forced=each.forced) for each in whole.moved]
        return self._told(caller, planned, whole.rest, check(planned.problem, whole.rest), moved)

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
            for stop in each.stops:
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
        given = [stop.task for each in proposal.rounds for stop in each.stops if stop.task not in refused]
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
        planned = await asyncio.to_thread(self._day, _day_of(form, self), cases, crews)
        there = {each.id for each in planned.problem.crews}
        orders = {
            each.crew: [case for case in each.cases if case in planned.problem.row]
            for each in form.rounds
            if each.crew in there
        }
        return planned, timed(planned.problem, orders, Why.BY_HAND)

    def _wanted(self, caller: Caller, form: ProposeForm) -> list[Case]:
        if form.cases is not None:
            return [self._plannable(caller, case_id) for case_id in dict.fromkeys(form.cases)]
        day = _day_of(form, self)
        mine = self._for(day)
        sent = caller.scope.may(Verb.DISPATCH)
        mine = [case for case in mine if sent.covers(Placement(case.area, case.service, Verb.SEE))]
        # The most urgent first, where there are more than are planned at once.
        return sorted(mine, key=lambda each: (each.priority, each.due_us))[:CASES_MAX]

    def _for(self, day: date) -> list[Case]:
        """The work orders that may be planned for a day: what is open or under way, what was given to a crew that is
        gone, and what was given for that day, or for one that is over without its having been done."""
        gone, zone = self._engine.registry.gone, self._engine.zone
        today_us = hours.instant(self.today(), 0, zone)
        since_us, until_us = (hours.instant(each, 0, zone) for each in (day, day + timedelta(days=1)))

        def is_for(case: Case) -> bool:
            if case.state != "assigned":
                return case.state in (LIFE.first, "started")
            planned_us = case.planned_us
            return not planned_us or planned_us < today_us or since_us <= planned_us < until_us or bool(gone[case.crew])

        return [case for case in self._engine.cases if case.kind is WORK_ORDER and is_for(case)]

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

    def _day(self, day: date, cases: Sequence[Case], crews: Mapping[str, int]) -> _Day:
        """All that a plan is made of. Takes a second where the streets are read anew; not on the loop."""
        midnight_us = hours.instant(day, 0, self._engine.zone)
        now_s = max(0, (self._sources.clock.now_us() - midnight_us) // SECOND_US)
        placed = [case for case in cases if _is_placed(case)]
        at_work = self._at_work(day, crews)
        begun = self._begun(crews)
        # Tomorrow nobody is where they are now.
        standings = [*self._standings(at_work, begun, midnight_us, now_s)] if day == self.today() else []
        tasks, there = remaining([_task(case) for case in placed], at_work, standings, now_s)
        by_id = {case.id: case for case in (*placed, *(case for own in begun.values() for case in own))}
        tasks = tuple(each for each in tasks if by_id[each.id].state != "started")
        network, numbers = self._streets.network()
        speed = speeds(network, self._limits(numbers))
        problem = Problems(day, tasks, there, travel_of(network, speed, tasks, there))
        given: dict[str, list[Case]] = defaultdict(list)
        for case in sorted(placed, key=lambda each: each.planned_us):
            if case.state == "assigned" and case.planned_us and case.crew:
                given[self._engine.registry.ids[case.crew]].append(case)
        working = {each.id for each in there}
        orders = {
            name: [case.id for case in own if case.id in problem.row] for name, own in given.items() if name in working
        }
        return _Day(day, midnight_us, by_id, crews, standings, problem, timed(problem, orders, Why.NO_ROOM))

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

    def _at_work(self, day: date, crews: Mapping[str, int]) -> list[Crew]:
        """The crews that work on a day, as they leave in the morning. Those whose hours are the town's do not on public
        holidays."""
        registry, zone = self._engine.registry, self._engine.zone
        midnight_us, town = hours.instant(day, 0, zone), self._engine.cases.week
        if (day - EPOCH_DAY).days in self._calendar().public:
            town = town and ((),) * 7
        said_of, said = self._sources.facts.attributes(CrewKind, ("hours", "skills", "capacity"))
        row = {int(no): n for n, no in enumerate(said_of)}
        found = list[Crew]()
        for name, no in crews.items():
            n = row.get(no)
            if n is None:
                # It was made a moment ago, and what is said of it is not written down yet.
                continue
            spans = _spans(str(said["hours"][n]), town, day)
            if not spans:
                continue
            capacity = float(said["capacity"][n])
            here = Place(float(registry.lon[no]), float(registry.lat[no]))
            # A break in the middle is the crew's own to take: it is not planned.
            starts_us, ends_us = (hours.instant(day, each, zone) for each in (spans[0][0], spans[-1][1]))
            shift = ((starts_us - midnight_us) // SECOND_US, min((ends_us - midnight_us) // SECOND_US, HORIZON_S))
            room = None if np.isnan(capacity) else int(capacity)
            found.append(Crew(name, skills_of(str(said["skills"][n])), here, here, shift, room))
        return found

    def _limits(self, numbers: Any) -> Any:
        assets, said = self._sources.facts.attributes(Street, ("speed_limit",))
        limit = np.full(int(max(numbers.max(initial=0), assets.max(initial=0))) + 1, np.nan)
        limit[assets] = said["speed_limit"]
        return limit[numbers]

    def _told(
        self, caller: Caller, planned: _Day, proposal: Proposal, found: Sequence[Finding], moved: list[MovedForm]
    ) -> RoundsForm:
        def at(second: int) -> str:
            return rfc3339(planned.midnight_us + second * SECOND_US)

        def row(task: str) -> CaseRow:
            return self._telling.row(caller, planned.cases[task])

        def sees(task: str) -> bool:
            return self._telling.sees(caller, planned.cases[task])

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
                stops=[
                    StopForm(case=row(each.task), arrival=at(each.arrival_s), start=at(each.start_s),
                             leave=at(each.leave_s))
                    for each in (own.stops if own else ())
                ],
            )
            for name in planned.crews
            if name in rounds or name in under_way
        ]  # fmt: skip
        return RoundsForm(
            day=planned.day.isoformat(),
            rounds=told,
            left=[LeftForm(case=row(each.task), why=each.why.value) for each in proposal.left],
            findings=[
                FindingForm(rule=each.rule.value, crew=each.crew, case=each.task, over=each.over, skill=each.skill,
                            for_people=each.for_people)
                for each in found
            ],
            moved=moved,
        )  # fmt: skip

    def today(self) -> date:
        """The day that it is in the town."""
        return from_us(self._sources.clock.now_us()).astimezone(self._engine.zone).date()


def _day_of(form: OfDay, door: DispatchDoor) -> date:
    """The day that is meant. Raises Problem 422 for one that is over, or further ahead than is planned."""
    today = door.today()
    try:
        day = date.fromisoformat(form.day) if form.day else today
    except ValueError:
        raise Problem(422, "No such day", f"There is no day {form.day!r}.", rule="engine.rounds_day") from None
    if not today <= day <= today + timedelta(days=366):
        raise Problem(422, "Not that day", "Rounds are planned from today on, for a year.", rule="engine.rounds_day")
    return day


def _first(found: Sequence[Finding]) -> dict[str, Any]:
    """How much is wrong, and the first of it, for a sentence."""
    return {"count": len(found), "rule": f"rounds.rule.{found[0].rule.value}"}


def _too_many() -> Problem:
    return Problem(422, "Too many", f"At most {TASKS_MAX} work orders and {CREWS_MAX} crews are planned at once.",
                   mend="Name those that are meant.", rule="engine.rounds_many",
                   values={"cases": TASKS_MAX, "crews": CREWS_MAX})  # fmt: skip


def _spans(own: str, town: hours.Week, day: date) -> hours.Spans:
    """When a crew works on a day: by its own hours, else by the town's; where nobody has any, all day."""
    try:
        week = hours.read(own) if own else town
    except hours.HoursWrong:
        # The inventory is of a time in which this was hours.
        return ()
    return week[day.weekday()] if week else ((0, 24 * 60),)


def _is_placed(case: Case) -> bool:
    return bool(np.isfinite(case.lon) and np.isfinite(case.lat))


def _takes_min(case: Case) -> int:
    return case.document.takes_min if isinstance(case.document, WorkOrder) else 0


def _task(case: Case) -> Task:
    skills = case.document.skills if isinstance(case.document, WorkOrder) else ()
    return Task(
        case.id, Place(case.lon, case.lat), _takes_min(case) * 60, (), frozenset(skills), 0, case.priority,
        must=case.priority == 1,
    )  # fmt: skip
