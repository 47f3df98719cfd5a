"""The coverage of rounds at the post: positions as they come, matched beside the loop, and what is kept of them.

As long as no circuit is in force, nothing of it runs. After a start, and where streets or circuits have changed, it is
made anew from what is kept of positions, an hour at a time, while the former is told; what is heard meanwhile waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from threading import Lock
from typing import Any

import msgspec
import numpy as np
import structlog

from vigie.api.city.sources import Sources
from vigie.api.roads.streets import Streets
from vigie.core.arrays import ints
from vigie.core.kinds import Point, Quality
from vigie.core.observations import Batch, Bytes, Floats, Int64s
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from vigie.services.places import Street
from vigie.services.roads import TOOL_VALID_S, Vehicle
from vigie.services.roads.rounds.circuits import CIRCUIT, TASKS, Circuit
from vigie.services.roads.rounds.driving import Driving, Layer, Passed, Positions, held
from vigie.services.roads.rounds.turns import Course, Progress, Seen, State, Turn, last_served, served, turns
from vigie.store.past import DuckPast
from vigie.store.rounds import Gap, PastTurn, ServedStreet

BEAT_S = 1.0
NOTED_EACH = 10
"""Beats: so often it is noted what is done, whose time is then that of the last position that made it so."""
NOTED_US = 10 * MINUTE_US
"""The same where the past is read."""

LIVE_US = 2 * DAY_US
"""A turn that began longer ago is told as it was kept when it ended."""
AFTER_US = 2 * MINUTE_US
"""So long after its end a turn is over: positions are under way, and the last of them are waited for."""
REMADE_US = 5 * MINUTE_US
"""A change of streets has it made anew, but no sooner."""
AGAIN_US = MINUTE_US
"""What could not be made anew is tried again after so long."""

ROWS_MAX = 200_000
"""Observations that wait; after more it is made anew from the disk."""
PIECE_US = HOUR_US
"""So much of the past is in memory at a time: of 205 vehicles that speak each five seconds 150,000 positions."""
POSITIONS_MAX = 300_000
"""More positions than these are taken in halves."""
MARGIN_US = 2 * MINUTE_US
"""What lies so close before and after a piece of the past is matched with it, for a trail does not end there."""

TOOLS: Sequence[Point[bool]] = (Vehicle.brush, Vehicle.salting, Vehicle.collecting)
"""What says that each of TASKS is done."""

_EVER_US = 1 << 62
_VALID_US = TOOL_VALID_S * SECOND_US

_log = structlog.get_logger("vigie.rounds")

Keep = Callable[[Sequence[ServedStreet], Sequence[PastTurn]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class InForce:
    """A version of a circuit, and from when until when it is what its turns are held against: those that end then."""

    circuit: Circuit
    number: int
    from_us: int
    until_us: int = _EVER_US

    def turns(self, after_us: int, now_us: int, zone: tzinfo) -> Iterator[Turn]:
        """Its turns that begin after an instant and not after now. Nobody left out what was over before it was in
        force."""
        for turn in turns(self.circuit, after_us, now_us, zone):
            if self.from_us < turn.end_us <= self.until_us:
                yield turn


Circuits = Mapping[str, InForce]
"""What is in force, by the ids of the plans."""


@dataclass(frozen=True)
class Said:
    """What vehicles said, in columns of one length. point: the number of a point of Vehicle."""

    asset: Int64s
    point: Int64s
    at_us: Int64s
    value: Floats
    value2: Floats

    @staticmethod
    def joined(parts: Sequence[Said]) -> Said:
        """All of it."""
        every = [_NOTHING, *parts]
        return Said(
            np.concatenate([each.asset for each in every]), np.concatenate([each.point for each in every]),
            np.concatenate([each.at_us for each in every]), np.concatenate([each.value for each in every]),
            np.concatenate([each.value2 for each in every]),
        )  # fmt: skip

    def of(self, point: int) -> Said:
        """Of one point."""
        mine = self.point == point
        return Said(self.asset[mine], self.point[mine], self.at_us[mine], self.value[mine], self.value2[mine])

    def but(self, point: int) -> Said:
        """Of all others."""
        other = self.point != point
        return Said(self.asset[other], self.point[other], self.at_us[other], self.value[other], self.value2[other])

    def newest(self) -> Said:
        """Of each asset and point, the last."""
        order = np.lexsort((self.at_us, self.point, self.asset))
        changes = (np.diff(self.asset[order], append=-1) != 0) | (np.diff(self.point[order], append=-1) != 0)
        last = order[np.flatnonzero(changes)]
        return Said(self.asset[last], self.point[last], self.at_us[last], self.value[last], self.value2[last])


_NOTHING = Said(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0))


@dataclass
class _Made:
    """What is followed: of which streets and which circuits, and when it was made. under_way: of each circuit, the last
    turn that began. followed: turns that another one has followed, and that are not kept yet."""

    version: int
    circuits: Circuits
    at_us: int
    driving: Driving
    numbers: Int64s
    under_way: dict[str, Progress] = field(default_factory=dict[str, Progress])
    followed: list[tuple[str, Progress]] = field(default_factory=list[tuple[str, Progress]])
    tools: Said = field(default_factory=lambda: Said.joined([]))

    @property
    def turns(self) -> list[tuple[str, Progress]]:
        """All of them, those that began first before."""
        return [*self.followed, *self.under_way.items()]


@dataclass(frozen=True)
class Told:
    """A circuit as it stands in its turn."""

    progress: Progress
    seen: Seen
    states: Sequence[State]


class Covering:
    """Follows the rounds of a post. What is heard, and when it is made anew, is the loop's; the rest is done beside
    it."""

    def __init__(self, sources: Sources, streets: Streets, past: DuckPast, keep: Keep) -> None:
        self._engine, self._clock, self._facts = sources.engine, sources.clock, sources.facts
        self._streets, self._past, self._keep = streets, past, keep
        registry = self._engine.registry
        code = registry.kind_codes[Vehicle.kind]

        def number(point: Point[Any]) -> int:
            return int(registry.point_number[code, registry.ordinal[code, registry.point_codes[point.name]]])

        self._position, self._dosage = number(Vehicle.position), number(Vehicle.dosage)
        self._tools = [number(each) for each in TOOLS]
        self._wanted = np.zeros(max(registry.by_number) + 1, np.bool_)
        self._wanted[[self._position, self._dosage, *self._tools]] = True
        self._heard = list[Said]()
        self._waiting = 0
        self._follows = False
        self._made: _Made | None = None
        self._again_us = 0
        self._beats = 0
        self._unkept = list[ServedStreet]()
        # Of each circuit, the end of its last turn that is kept.
        self._judged_us = dict[str, int]()
        self._lock = Lock()

    def hear(self, batch: Batch, now_us: int) -> None:
        """Takes note of what was reported, which is on disk; cheap, for all of it passes here."""
        if not self._follows or self._waiting > ROWS_MAX:
            return
        registry = self._engine.registry
        rows = np.flatnonzero(self._wanted[registry.slot_point[batch.slot]] & (batch.quality != Quality.BAD))
        if not len(rows):
            return
        slot = batch.slot[rows]
        self._waiting += len(rows)
        asset, point = registry.slot_asset[slot].astype(np.int64), registry.slot_point[slot].astype(np.int64)
        self._heard.append(Said(asset, point, batch.observed_us[rows], batch.value[rows], batch.value2[rows]))

    async def run(self) -> None:
        """Beats until it is cancelled. What fails is told, and tried again."""
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                await self.beat()
            except Exception as error:
                _log.error("rounds could not be followed", exc_info=error)

    async def beat(self) -> None:
        """Takes in what was heard, and keeps what it comes to. Raises HistoryTooLong, TooLong, StorageFull, OSError;
        then what was heard and what was to be kept waits for the next."""
        circuits, now_us = self._in_force(), self._clock.now_us()
        self._follows = bool(circuits)
        if not circuits:
            self._made = None
            self._heard, self._waiting = list[Said](), 0
            return
        if self._is_old(circuits, now_us) and now_us >= self._again_us:
            self._again_us = now_us + AGAIN_US
            if self._waiting > ROWS_MAX:
                self._heard, self._waiting, self._made = list[Said](), 0, None
            self._made, proofs = await asyncio.to_thread(self._anew, circuits, now_us)
            self._unkept += proofs
            self._again_us = 0
        made = self._made
        if made is None:
            return
        heard, self._heard, self._waiting = self._heard, list[Said](), 0
        try:
            proofs, over, idle = await asyncio.to_thread(self._beat, made, heard, now_us)
        except Exception:
            self._heard[:0] = heard
            self._waiting = sum(len(each.asset) for each in self._heard)
            raise
        self._unkept += proofs
        if self._unkept or over:
            await self._keep(self._unkept, over)
            self._unkept = []
        self._judged([*over, *idle])

    def told(self, circuit: str, now_us: int) -> Told | None:
        """A circuit as it stands; None where its turn is long over, or nothing is known yet. From any thread."""
        return self.told_of([circuit], now_us)[0]

    def told_of(self, circuits: Sequence[str], now_us: int) -> list[Told | None]:
        """The same of several. From any thread."""
        with self._lock:
            made = self._made
            if made is None:
                return [None] * len(circuits)
            under_way = [made.under_way.get(each) for each in circuits]
            # What may be taken back is laid over each task that is asked for once, not over each circuit.
            layers = {task: made.driving.now(task) for task in {each.task for each in under_way if each is not None}}
        # The layers are copies, and what stands as done is only added to: nobody need wait for the rest.
        return [self._told(each, layers, now_us) for each in under_way]

    @staticmethod
    def _told(progress: Progress | None, layers: Mapping[int, Layer], now_us: int) -> Told | None:
        if progress is None:
            return None
        seen = progress.now(layers[progress.task])
        return Told(progress, seen, progress.states(seen, now_us))

    def last_served(self, task: int) -> tuple[Int64s, Int64s]:
        """The streets that were served by a task since the first turn under way began, by the numbers of their assets,
        and when they last were; none as long as nothing is followed. From any thread."""
        with self._lock:
            if self._made is None:
                return np.empty(0, np.int64), np.empty(0, np.int64)
            lines, last_us = last_served(self._made.driving, task)
            return self._made.numbers[lines], last_us

    def _in_force(self) -> Circuits:
        return {
            plan.id: InForce(plan.in_force.body, plan.in_force.number, plan.in_force.approved_us)
            for plan in self._engine.plans
            if plan.kind is CIRCUIT and plan.in_force is not None
        }

    def _is_old(self, circuits: Circuits, now_us: int) -> bool:
        made = self._made
        if made is None or made.circuits != circuits or self._waiting > ROWS_MAX:
            return True
        return made.version != self._engine.registry.version_of(Street) and now_us - made.at_us > REMADE_US

    def _judged(self, over: Sequence[PastTurn]) -> None:
        for each in over:
            self._judged_us[each.circuit] = max(self._judged_us.get(each.circuit, 0), each.end_us)

    def _beat(
        self, made: _Made, heard: Sequence[Said], now_us: int
    ) -> tuple[list[ServedStreet], list[PastTurn], list[PastTurn]]:
        with self._lock:
            positions, tools = self._positions(Said.joined([made.tools, *heard]))
            stands, late = made.driving.take(positions, now_us)
            made.tools = tools
            proofs = self._proofs(made, stands)
            if len(late):
                passed = made.driving.past(late, now_us)
                made.driving.fold(passed)
                proofs += self._proofs(made, passed)
            self._beats += 1
            return proofs, *(self._noted(made, now_us) if self._beats % NOTED_EACH == 0 else ([], []))

    def _anew(self, circuits: Circuits, now_us: int) -> tuple[_Made, list[ServedStreet]]:
        """What is to be followed from now on, and what is concluded from the past."""
        version = self._engine.registry.version_of(Street)
        network, numbers = self._streets.network()
        self._judged_us = self._facts.rounds.judged_until(list(circuits)) | self._judged_us
        made = _Made(version, circuits, now_us, Driving(network), numbers)
        lines = self._lines(made)
        for plan, current in circuits.items():
            for each in self._former(plan, current, now_us):
                course = Course.on(each.circuit, made.driving.cells, lines, numbers)
                for turn in each.turns(now_us - LIVE_US, now_us, self._engine.zone):
                    self._follow(made, plan, Progress(each.circuit, course, turn))
        # What was under way of a former version is followed by a turn of the one in force, or by none.
        made.followed, made.under_way = self._open(made.turns), {}
        self._begin(made, now_us)
        return made, self._read_past(made, now_us)

    def _former(self, plan: str, current: InForce, now_us: int) -> Iterator[InForce]:
        """The versions of a circuit that were in force when turns ended that may not be kept yet."""
        for each in self._facts.plans.former(plan, now_us - LIVE_US):
            # The one in force may have been put there a moment ago, and not be written down.
            if each.version < current.number:
                circuit = msgspec.json.decode(each.body, type=Circuit)
                yield InForce(circuit, each.version, each.approved_us, min(each.ended_us, current.from_us))

    def _lines(self, made: _Made) -> dict[str, int]:
        ids = self._engine.registry.ids
        return {ids[no]: row for row, no in enumerate(ints(made.numbers))}

    def _open(self, turns: Sequence[tuple[str, Progress]]) -> list[tuple[str, Progress]]:
        """Those that are not kept."""
        return [(plan, each) for plan, each in turns if each.turn.end_us > self._judged_us.get(plan, 0)]

    def _follow(self, made: _Made, plan: str, progress: Progress) -> None:
        before = made.under_way.get(plan)
        if before is not None:
            made.followed += self._open([(plan, before)])
        made.under_way[plan] = progress

    def _begin(self, made: _Made, now_us: int) -> None:
        """Has those circuits under way that are in another turn than before."""
        lines: dict[str, int] | None = None
        for plan, current in made.circuits.items():
            before = made.under_way.get(plan)
            after_us = now_us - LIVE_US if before is None else before.turn.start_us
            for turn in current.turns(after_us, now_us, self._engine.zone):
                lines = lines or self._lines(made)
                course = Course.on(current.circuit, made.driving.cells, lines, made.numbers)
                self._follow(made, plan, Progress(current.circuit, course, turn))

    def _read_past(self, made: _Made, now_us: int) -> list[ServedStreet]:
        """Takes in what was said since the first of the turns that are followed began."""
        proofs = list[ServedStreet]()
        begin_us = min((each.turn.start_us for _, each in made.turns), default=now_us)
        while begin_us < now_us:
            end_us = min(begin_us + PIECE_US, now_us)
            passed = self._passed_in(made, begin_us, end_us, now_us)
            low = 0
            while low < len(passed):
                high = int(np.searchsorted(passed.at_us, int(passed.at_us[low]) + NOTED_US))
                some = passed.take(np.arange(low, high))
                made.driving.fold(some)
                proofs += self._proofs(made, some)
                for _, each in made.turns:
                    each.note(made.driving.layers[each.task])
                low = high
            begin_us = end_us
        return proofs

    def _passed_in(self, made: _Made, begin_us: int, end_us: int, now_us: int) -> Passed:
        """What was driven in a piece of the past. What vehicles last said of their tools there is taken note of."""
        until_us = min(end_us + MARGIN_US, now_us)
        parts = list[Said]()
        for number, point in zip([*self._tools, self._dosage], [*TOOLS, Vehicle.dosage], strict=True):
            told = self._past.told(Vehicle, point, begin_us - MARGIN_US - _VALID_US, until_us)
            many = len(told.asset)
            parts.append(Said(told.asset, np.full(many, number), told.observed_us, told.value, np.full(many, np.nan)))
        tools, of_tools = Said.joined(parts), Said.joined(parts[:-1])
        made.tools = tools.newest()
        at_work: Int64s = np.unique(of_tools.asset[of_tools.value > 0])
        if not len(at_work):
            return Passed.none()
        most = POSITIONS_MAX if end_us - begin_us > MARGIN_US else None
        found = self._past.places(Vehicle, Vehicle.position, begin_us - MARGIN_US, until_us, only=at_work, most=most)
        if found is None:
            middle_us = (begin_us + end_us) // 2
            halves = ((begin_us, middle_us), (middle_us, end_us))
            return Passed.joined(*(self._passed_in(made, one, other, now_us) for one, other in halves))
        asset, at_us, lon, lat = found
        places = Said(asset, np.full(len(asset), self._position), at_us, lon, lat)
        passed = made.driving.past(self._positions(Said.joined([tools, places]))[0], now_us)
        return passed.take((passed.at_us >= begin_us) & (passed.at_us < end_us))

    def _positions(self, said: Said) -> tuple[Positions, Said]:
        """Positions, each with what its vehicle did there, and what vehicles last said of their tools."""
        places = said.of(self._position)
        tasks: Bytes = np.zeros(len(places.asset), np.uint8)
        for task, number in enumerate(self._tools):
            own = said.of(number)
            at_work = held(places.asset, places.at_us, own.asset, own.at_us, own.value, _VALID_US) > 0
            tasks |= (at_work.astype(np.uint8) << task).astype(np.uint8)
        own = said.of(self._dosage)
        dosage = held(places.asset, places.at_us, own.asset, own.at_us, own.value, _VALID_US)
        salting = (tasks >> TASKS.index("salting")) & 1 == 1
        positions = Positions(
            places.asset, places.at_us, places.value, places.value2, tasks, np.where(salting, dosage, np.nan)
        )
        return positions, said.but(self._position).newest()

    @staticmethod
    def _proofs(made: _Made, passed: Passed) -> list[ServedStreet]:
        return [
            ServedStreet(int(made.numbers[line]), TASKS[each.task], hour_us, None if np.isnan(dosage) else dosage)
            for each in served(made.driving, passed)
            for line, hour_us, dosage in zip(ints(each.line), ints(each.hour_us), each.dosage.tolist(), strict=True)
        ]

    def _noted(self, made: _Made, now_us: int) -> tuple[list[PastTurn], list[PastTurn]]:
        """Notes what is done, and begins the turns whose time has come. Returns those that are over: to be kept, and
        without anything to keep."""
        made.followed = self._open(made.followed)
        for _, each in made.turns:
            each.note(made.driving.layers[each.task])
        over, idle = list[PastTurn](), list[PastTurn]()
        for plan, each in self._open(made.turns):
            if now_us >= each.turn.end_us + AFTER_US:
                turn = _over(plan, each, each.now(made.driving.layers[each.task]))
                # A circuit that is driven as need be has no gaps on a day without.
                (over if each.circuit.hours or len(turn.gaps) < turn.streets else idle).append(turn)
        self._begin(made, now_us)
        return over, idle


def _over(plan: str, progress: Progress, seen: Seen) -> PastTurn:
    """A turn as it is kept. What was done after its end was a gap at its end."""
    left = np.flatnonzero(~seen.done | (seen.at_us > progress.turn.end_us))
    streets = progress.circuit.streets
    gaps = [Gap(streets[n].street, round(float(seen.share[n]), 3)) for n in ints(left)]
    return PastTurn(plan, progress.turn.start_us, progress.turn.end_us, len(streets), gaps)
