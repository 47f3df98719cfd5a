"""Each junction of the city as a site of its own: what its controller says, told in RSMP; what it is ordered, done.

A simulated controller has a signal group for each of its stages, which is green in it; its cycle table is that of the
city's plans. Where the traffic of its streets is simulated as well, it shows the groups of its document second by
second, counts at its loops, has the cycles of its own plans, and an input for each of its stages. While it runs its own
plan it lets those go first for whom the stage of an input is asked (M0022). It knows few orders, a plan, tables of
times by which it changes its plans, yellow flash, inputs and that one, and says of all others that it does not have
them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from time import monotonic_ns
from typing import Any

from vigie.core.arrays import ints
from vigie.core.times import MINUTE_US, SECOND_US, from_us
from vigie.protocols.rsmp import SXLS, Moment, Of, Setup, Site, Turn
from vigie.protocols.rsmp.events import Ordered, Step
from vigie.protocols.rsmp.inputs import INPUT_MAX, read, standing
from vigie.protocols.rsmp.messages import Value
from vigie.protocols.rsmp.priorities import ORDER, STATUS, Priorities
from vigie.protocols.rsmp.times import stamp
from vigie.protocols.rsmp.timetables import days_of
from vigie.services.signals import Junction
from vigie.services.signals.dayplans import plan_at
from vigie.sim.life import Reports
from vigie.sim.life.crossings import CYCLE_S
from vigie.sim.traffic.roadside import INPUTS_FRESH_S
from vigie.sim.traffic.shown import Shown, Streets
from vigie.transports.tcp import RsmpClient

CONTROLLER = "TC"
SXL = "1.2.1"
HAS = frozenset({"M0001", "M0002", "M0006", "M0013", "M0016", "M0017", ORDER})
KEPT = frozenset(code for code in SXLS[SXL].signals if code.startswith("S")) - {"S0002", "S0205", "S0207", STATUS}
"""The statuses that are kept through a loss of the connection: what loops counted in a second is nothing a minute
later, nor is who was to go first."""

WITHOUT = frozenset(code for code in SXLS[SXL].signals if code.startswith("M")) - HAS
"""The orders of the list that a simulated controller does not have."""

COMES_UP_S = 0.1
"""Sites connect one after another: the post has others to hear at its start."""

LOGICS_MAX = 48
"""So many detector logics a controller has a name for; what is wrong with a further one it does not tell."""

LOGICS = tuple(f"DL{number:03}" for number in range(1, LOGICS_MAX + 1))
_FAULTY = "A0301"

AWAITED_S_MAX = 60.0
_LOOK_S = 0.5

FIRST_INPUT = 1
"""The input that asks for the first stage of a junction; those of the others follow it."""

LIVE_S = 0.1
"""How often is looked whether the streets have moved on a second."""

NO_WEEK, NO_TABLES = ",".join(f"{day}-1" for day in range(7)), "1-0-0-0"
"""One table for each day, which selects no plan."""

_GREEN, _RED, _FLASH, _DARK, _YELLOW = "1", "B", "c", "a", "N"
_LETTERS = {"G": _GREEN, "R": _RED, "F": _FLASH, "X": _DARK, "Y": _YELLOW}
"""What a group shows, as S0001 says it, by the letters of `Junction.groups`."""

_CYCLES_S = tuple(enumerate(CYCLE_S))[1:]
"""Of the city's plans, by number."""

_COUNTS: Mapping[str, tuple[str, Callable[[Shown], Sequence[int]]]] = {
    "S0205": ("vehicles", lambda shown: shown.vehicles),
    "S0207": ("occupancy", lambda shown: shown.occupancies),
}
_MEASURED_MAX = 120
"""Of more seconds than this that nobody has asked for since, the oldest are let go."""

_MODES = {"NormalControl": "colours", "YellowFlash": "flashing"}


@dataclass
class Crossing:
    """One junction. index: its place in the city's life. groups: how many signal groups it has. shown: its last second,
    where the traffic of its streets is simulated. inputs: those that are active; set_s: in which second they were
    set. first: those whose stage is let go first, which are not active for that. plan: what it said last that it runs.
    week, tables: by which it changes its plans; by_hand: whether one was ordered, which those leave alone. measured: by
    the code of a status, what its loops counted since that was told last, where it is told by interval."""

    index: int
    site: Site
    client: RsmpClient
    groups: int
    mode: str = "colours"
    stage: int = 0
    shown: Shown | None = None
    inputs: frozenset[int] = frozenset()
    set_s: int = 0
    priorities: Priorities = field(default_factory=Priorities)
    first: frozenset[int] = frozenset()
    plan: int = 0
    week: str = NO_WEEK
    tables: str = NO_TABLES
    by_hand: bool = False
    measured: dict[str, list[Shown]] = field(default_factory=dict[str, list[Shown]])

    def measure(self, code: str, moment: Moment) -> Mapping[str, Value] | None:
        """What its loops counted since this was asked last; None where that is not counted."""
        if code not in _COUNTS or self.shown is None:
            return None
        seconds, self.measured[code] = self.measured.get(code), []
        if not seconds:
            return None
        name, of = _COUNTS[code]
        columns = zip(*(of(each) for each in seconds), strict=True)
        whole = [-1 if min(each) < 0 else sum(each) for each in columns]
        if code == "S0207":
            whole = [round(each / len(seconds)) if each >= 0 else each for each in whole]
        return {"start": stamp(seconds[0].second * SECOND_US), name: ",".join(map(str, whole))}


class Sites:
    """All junctions of a city that speak RSMP. Lives on one event loop."""

    def __init__(
        self,
        obeys: Callable[[int, str, Mapping[str, Any]], str],
        stages: Sequence[int],
        codes: Mapping[str, tuple[str, str]],
        host: str,
        port: int,
        now: Callable[[], int],
        streets: Streets | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        """obeys: gives the nth junction an order, by its action and parameters; why it cannot take it, empty if it can.
        stages: how many each junction has. codes: by site id, the security codes of each, in the order of the
        junctions. host, port: of the supervisor. now: the instant in microseconds. streets: where their traffic is
        simulated. zone: by whose clock plans change."""
        self._obey, self._now, self._streets = obeys, now, streets
        self._zone, self._minute = zone, 0
        self.crossings: list[Crossing] = []
        for index, (name, own) in enumerate(codes.items()):
            lacks = WITHOUT if streets is not None else WITHOUT | {ORDER, STATUS}
            components = {CONTROLLER: Of.CONTROLLER} | dict.fromkeys(LOGICS if streets is not None else (), Of.DETECTOR)
            setup = Setup((name,), components, SXL, without=lacks, codes=own, buffers=KEPT)
            site = Site(setup, self._moment(), seed=f"{name}/{now()}")
            client = RsmpClient(
                site, host, port, lambda events, index=index: self._hear_supervisor(index, events), moment=self._moment
            )
            self.crossings.append(Crossing(index, site, client, stages[index]))
            site.measured = self.crossings[-1].measure
            self._cycles(site, _CYCLES_S, self._moment())
            self._tables(self.crossings[-1])
            if streets is not None:
                self._priorities(self.crossings[-1], self._moment())

    async def run(self, ready: Callable[[], bool] = lambda: True) -> None:
        """Speaks until it is cancelled. ready: whether the sites may begin to connect; they do after a while anyway."""
        end = asyncio.get_running_loop().time() + AWAITED_S_MAX
        while not ready() and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(_LOOK_S)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._live())
            for each in self.crossings:
                tasks.create_task(each.client.run())
                await asyncio.sleep(COMES_UP_S)

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(LIVE_S)
            self.look()
            self.keep_time()

    def look(self) -> None:
        """Tells what the streets have shown since the last look."""
        if self._streets is None:
            return
        seconds = self._streets.seconds()
        for crossing in self.crossings:
            shown, before = seconds.get(crossing.index), crossing.shown
            if shown is not None and (before is None or before.second != shown.second):
                crossing.client.apply(self._second(crossing, shown))
            elif shown is None and before is not None:
                crossing.client.apply(self._alone(crossing))

    def keep_time(self) -> None:
        """Has each junction run what its tables say of this minute; a change of plan is its own sequence."""
        now_us = self._now()
        if now_us // MINUTE_US == self._minute:
            return
        self._minute = now_us // MINUTE_US
        local = from_us(now_us).astimezone(self._zone)
        for crossing in self.crossings:
            plan = plan_at(days_of(crossing.week, crossing.tables), local.weekday(), 60 * local.hour + local.minute)
            if plan and plan != crossing.plan and not crossing.by_hand:
                self._obey(crossing.index, "run_plan", {"plan": plan})

    def hear(self, reports: Reports) -> None:
        """What the junctions of the city say."""
        for row, index in enumerate(ints(reports.index)):
            crossing = self.crossings[index]
            at = self._moment(int(reports.observed_us[row]))
            crossing.client.apply(self._told(crossing, reports, float(reports.value[row]), at))

    def _told(self, crossing: Crossing, reports: Reports, value: float, at: Moment) -> Turn:
        site, point = crossing.site, reports.point
        if point is Junction.door:
            return site.alarm(CONTROLLER, "A0010", active=value == Junction.door.code("open"), moment=at)
        if crossing.shown is not None:
            # Its seconds say all else.
            return Turn()
        if point is Junction.stage:
            crossing.stage = int(value)
            return self._shows(crossing, at)
        if point is Junction.plan:
            return self._plan(crossing, int(value), at)
        if point is Junction.mode:
            crossing.mode = Junction.mode.choices[int(value)]
            return _joined([*self._mode(crossing, at), self._shows(crossing, at)])
        # Its cycle follows from its plan.
        return Turn()

    def _shows(self, crossing: Crossing, at: Moment) -> Turn:
        """What the signal groups show, and the stage."""
        letters = {"flashing": _FLASH, "dark": _DARK, "all_red": _RED}
        if crossing.mode in letters:
            groups = letters[crossing.mode] * crossing.groups
        elif crossing.stage:
            groups = "".join(_GREEN if n == crossing.stage else _RED for n in range(1, crossing.groups + 1))
        else:
            return Turn()
        values = {"signalgroupstatus": groups, "stage": str(crossing.stage)}
        return crossing.site.observe(CONTROLLER, "S0001", values, at)

    def _second(self, crossing: Crossing, shown: Shown) -> Turn:
        """A second of the streets: what the groups showed in it and what the loops counted, told as of one instant."""
        before, crossing.shown = crossing.shown, shown
        if shown.stage:
            # A stage that it has shown it can come to.
            crossing.priorities.serves |= {("inputId", str(FIRST_INPUT + shown.stage - 1))}
        at, turns = self._moment(), list[Turn]()
        if before is None or before.mode != shown.mode:
            crossing.mode = shown.mode
            turns += self._mode(crossing, at)
        # The table first: what a plan's cycle is follows from both.
        if shown.cycles_s and (before is None or before.cycles_s != shown.cycles_s):
            turns.append(self._cycles(crossing.site, shown.cycles_s, at))
        if before is None or before.plan != shown.plan:
            turns.append(self._plan(crossing, shown.plan, at))
        # By the clock of the streets: a second that comes late is the one it is.
        start = stamp(shown.second * SECOND_US)
        groups = "".join(_LETTERS[letter] for letter in shown.groups)
        # A detector logic for each loop and then each push-button, in their order.
        logics = "".join("1" if active > 0 else "0" for active in (*shown.occupancies, *shown.buttons))
        statuses = {
            "S0001": {"signalgroupstatus": groups, "stage": str(shown.stage)},
            "S0207": {"start": start, "occupancy": ",".join(map(str, shown.occupancies))},
            "S0205": {"start": start, "vehicles": ",".join(map(str, shown.vehicles))},
            "S0002": {"detectorlogicstatus": logics},
        }
        turns.append(crossing.site.observe_all(CONTROLLER, statuses, at))
        for seconds in crossing.measured.values():
            seconds.append(shown)
            del seconds[:-_MEASURED_MAX]
        turns += self._faults(crossing, () if before is None else before.vehicles, shown.vehicles, at)
        if before is None or shown.second - crossing.set_s >= INPUTS_FRESH_S:
            crossing.inputs = frozenset()
        return _joined([*turns, self._inputs(crossing, at), self._goes_first(crossing, shown, at)])

    @staticmethod
    def _faults(crossing: Crossing, before: Sequence[int], now: Sequence[int], at: Moment) -> list[Turn]:
        """What it says of loops that have died, and of those that count again."""
        changed = [n for n, count in enumerate(now) if (count < 0) != (n < len(before) and before[n] < 0)]
        values = {"type": "loop", "errormode": "on", "manual": "False"}
        return [
            crossing.site.alarm(
                LOGICS[n], _FAULTY, active=now[n] < 0, moment=at, values={"detector": f"{n + 1}", **values}
            )
            for n in changed
            if n < LOGICS_MAX
        ]

    def _alone(self, crossing: Crossing) -> Turn:
        """Its streets are simulated no more: nothing is counted, and its stages are the city's again."""
        crossing.shown, crossing.inputs, crossing.first = None, frozenset(), frozenset()
        for seconds in crossing.measured.values():
            seconds.clear()
        at = self._moment()
        crossing.priorities.turn(at.clock_us, works=False)
        statuses: dict[str, dict[str, Value]] = {
            "S0205": {"start": None, "vehicles": None},
            "S0207": {"start": None, "occupancy": None},
            "S0002": {"detectorlogicstatus": None},
            "S0003": {"inputstatus": standing(crossing.inputs, INPUT_MAX)},
        }
        told = crossing.site.observe_all(CONTROLLER, statuses, at)
        priorities, cycles = self._priorities(crossing, at), self._cycles(crossing.site, _CYCLES_S, at)
        return _joined([told, priorities, cycles, self._shows(crossing, at)])

    def _goes_first(self, crossing: Crossing, shown: Shown, at: Moment) -> Turn:
        """Has the streets let go who may go first, as long as the junction runs its own plan; and tells of it."""
        works = not crossing.inputs and shown.mode == "colours"
        asked = crossing.priorities.turn(at.clock_us, works=works)
        first = frozenset(int(number) for _, number in asked)
        if self._streets is not None and works and (first or crossing.first):
            # The roadside forgets what is not said again; its own plan goes on from where it would be.
            self._streets.set_inputs(crossing.index, first)
        crossing.first = first
        return self._priorities(crossing, at)

    @staticmethod
    def _priorities(crossing: Crossing, at: Moment) -> Turn:
        return crossing.site.observe(CONTROLLER, STATUS, {"status": crossing.priorities.told()}, at)

    @staticmethod
    def _inputs(crossing: Crossing, at: Moment) -> Turn:
        values = {"inputstatus": standing(crossing.inputs, INPUT_MAX)}
        return crossing.site.observe(CONTROLLER, "S0003", values, at)

    @staticmethod
    def _plan(crossing: Crossing, plan: int, at: Moment) -> Turn:
        crossing.plan = plan
        source = "forced" if crossing.by_hand else "calendar_clock"
        return crossing.site.observe(CONTROLLER, "S0014", {"status": str(plan), "source": source}, at)

    def _tables(self, crossing: Crossing) -> Turn:
        told: dict[str, dict[str, Value]] = {
            "S0026": {"status": crossing.week}, "S0027": {"status": crossing.tables},
        }  # fmt: skip
        return crossing.site.observe_all(CONTROLLER, told, self._moment())

    @staticmethod
    def _cycles(site: Site, cycles_s: Sequence[tuple[int, int]], at: Moment) -> Turn:
        table = ",".join(f"{plan}-{cycle_s}" for plan, cycle_s in cycles_s)
        return site.observe(CONTROLLER, "S0028", {"status": table}, at)

    def _mode(self, crossing: Crossing, at: Moment) -> list[Turn]:
        mode = crossing.mode
        modes = (("S0007", mode != "dark"), ("S0011", mode == "flashing"), ("S0012", mode == "all_red"))
        return [self._flag(crossing.site, code, on, at) for code, on in modes]

    @staticmethod
    def _flag(site: Site, code: str, on: bool, at: Moment) -> Turn:
        return site.observe(CONTROLLER, code, {"intersection": "0", "status": str(on), "source": "other"}, at)

    def _hear_supervisor(self, index: int, events: Sequence[Step]) -> None:
        crossing = self.crossings[index]
        for event in events:
            if isinstance(event, Ordered):
                done = all(self._obeys(crossing, code, values) for code, values in event.commands.items())
                crossing.client.apply(crossing.site.answered(event.number, self._moment(), done=done))

    def _obeys(self, crossing: Crossing, code: str, values: Mapping[str, str]) -> bool:
        """Has the junction do what it is ordered; whether it can."""
        if code == "M0002" and values["status"] != "True":
            # Back to the tables, at once.
            crossing.by_hand, self._minute = False, 0
            return True
        if code == "M0002" and int(values["timeplan"]) < len(CYCLE_S):
            done = not self._obey(crossing.index, "run_plan", {"plan": int(values["timeplan"])})
            # One that is refused leaves the plan that was ordered before.
            crossing.by_hand = crossing.by_hand or done
            return done
        if code in ("M0016", "M0017"):
            return self._takes_tables(crossing, code, values["status"])
        if code == "M0001" and values["status"] in _MODES:
            return not self._obey(crossing.index, "set_mode", {"mode": _MODES[values["status"]]})
        if code == "M0013":
            try:
                return self._sets(crossing, *read(values["status"]))
            except ValueError:
                return False
        if code == ORDER:
            done = crossing.priorities.order(values, self._moment().clock_us)
            crossing.client.apply(self._priorities(crossing, self._moment()))
            return done
        if code == "M0006":
            one, none = frozenset({int(values["input"])}), frozenset[int]()
            return self._sets(crossing, one, none) if values["status"] == "True" else self._sets(crossing, none, one)
        return False

    def _takes_tables(self, crossing: Crossing, code: str, said: str) -> bool:
        """Keeps a week or tables; whether they can be: of plans that it has, and a week of tables that there are."""
        week, tables = (said, crossing.tables) if code == "M0016" else (crossing.week, said)
        try:
            each_day = {each.partition("-")[0]: NO_WEEK.replace("-1", f"-{each.partition('-')[0]}") for each in
                        tables.split(",")}  # fmt: skip
            known = [days_of(all_week, tables) for all_week in each_day.values()]
            if code == "M0017" and not {each.partition("-")[2] for each in week.split(",")} <= each_day.keys():
                # A week of tables that are gone is the first of these, until it is said anew, which comes next.
                week = next(iter(each_day.values()))
            days_of(week, tables)
        except ValueError:
            return False
        if any(plan >= len(CYCLE_S) for days in known for _, plan in days[0]):
            return False
        crossing.week, crossing.tables, self._minute = week, tables, 0
        crossing.client.apply(self._tables(crossing))
        return True

    def _sets(self, crossing: Crossing, on: frozenset[int], off: frozenset[int]) -> bool:
        """Sets and unsets inputs; whether there is anybody whom they are asked of."""
        if self._streets is None or crossing.shown is None:
            # Nobody follows them; so none is active.
            return not on
        crossing.inputs, crossing.set_s = crossing.inputs - off | on, crossing.shown.second
        self._streets.set_inputs(crossing.index, crossing.inputs)
        crossing.client.apply(self._inputs(crossing, self._moment()))
        return True

    def _moment(self, at_us: int | None = None) -> Moment:
        return Moment(monotonic_ns() // 1_000, self._now() if at_us is None else at_us)


def _joined(turns: Sequence[Turn]) -> Turn:
    """What several steps came to, in their order."""
    events = tuple(event for each in turns for event in each.events)
    close = next((each.close for each in turns if each.close), "")
    return Turn(events, b"".join(each.data for each in turns), close)
