"""The coverage of rounds at the post: positions as they come, matched beside the loop, and what is kept of them.

As long as no circuit is in force, nothing of it runs. After a start, and where streets or circuits have changed, it is
made anew from what is kept of positions.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import structlog

from vigie.api.roads.streets import Streets
from vigie.core.arrays import ints
from vigie.core.kinds import Point, Quality
from vigie.core.observations import Batch, Bytes, Floats, Int64s
from vigie.core.times import DAY_US, MINUTE_US, SECOND_US
from vigie.engine.loop import Engine
from vigie.engine.ports import Clock
from vigie.services.roads import TOOL_VALID_S, Vehicle
from vigie.services.roads.rounds.circuits import CIRCUIT, TASKS, Circuit
from vigie.services.roads.rounds.driving import Driving, Passed, Positions, held
from vigie.services.roads.rounds.turns import Course, Progress, Seen, State, served, turn_at
from vigie.store.history import History
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
"""A change of the inventory has it made anew, but no sooner."""

ROWS_MAX = 200_000
"""Observations that wait; after more it is made anew from the disk."""
POSITIONS_MAX = 60_000

TOOLS: Sequence[Point[bool]] = (Vehicle.brush, Vehicle.salting, Vehicle.collecting)
"""What says that each of TASKS is done."""

_VALID_US = TOOL_VALID_S * SECOND_US

_log = structlog.get_logger("vigie.rounds")

Keep = Callable[[Sequence[ServedStreet], Sequence[PastTurn]], Awaitable[None]]
Circuits = Mapping[str, tuple[int, int, Circuit]]
"""Those in force by the ids of their plans, each with its version, and since when there is a plan."""


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

    def newest(self) -> Said:
        """Of each asset and point, the last."""
        order = np.lexsort((self.at_us, self.point, self.asset))
        changes = (np.diff(self.asset[order], append=-1) != 0) | (np.diff(self.point[order], append=-1) != 0)
        last = order[np.flatnonzero(changes)]
        return Said(self.asset[last], self.point[last], self.at_us[last], self.value[last], self.value2[last])


_NOTHING = Said(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0))


@dataclass
class _Made:
    """What is followed: of which inventory and which circuits, since when."""

    version: int
    circuits: Circuits
    at_us: int
    driving: Driving
    numbers: Int64s
    under_way: dict[str, Progress]
    tools: Said = field(default_factory=lambda: Said.joined([]))
    kept: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Told:
    """A circuit as it stands in its turn."""

    progress: Progress
    seen: Seen
    states: Sequence[State]


class Covering:
    """Follows the rounds of a post."""

    def __init__(
        self, engine: Engine, clock: Clock, streets: Streets, history: History, past: DuckPast, keep: Keep
    ) -> None:
        self._engine, self._clock, self._streets = engine, clock, streets
        self._history, self._past, self._keep = history, past, keep
        registry, code = engine.registry, engine.registry.kind_codes[Vehicle.kind]

        def number(point: Point[Any]) -> int:
            return int(registry.point_number[code, registry.ordinal[code, registry.point_codes[point.name]]])

        self._position, self._dosage = number(Vehicle.position), number(Vehicle.dosage)
        self._tools = [number(each) for each in TOOLS]
        self._wanted = np.zeros(max(registry.by_number) + 1, np.bool_)
        self._wanted[[self._position, self._dosage, *self._tools]] = True
        self._heard: deque[Said] = deque()
        self._waiting = 0
        self._made: _Made | None = None
        self._beats = 0
        self._lock = Lock()

    def hear(self, batch: Batch, now_us: int) -> None:
        """Takes note of what was reported; cheap, for all of it passes here."""
        if self._made is None:
            return
        registry = self._engine.registry
        rows = np.flatnonzero(self._wanted[registry.slot_point[batch.slot]] & (batch.quality != Quality.BAD))
        if not len(rows) or self._waiting > ROWS_MAX:
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
        """Takes in what was heard, and keeps what it comes to. Raises HistoryTooLong, StorageFull, OSError."""
        circuits = self._in_force()
        if not circuits:
            self._made = None
            self._heard.clear()
            self._waiting = 0
            return
        proofs, turns = await asyncio.to_thread(self._beat, circuits, self._clock.now_us())
        if proofs or turns:
            await self._keep(proofs, turns)
            if self._made is not None:
                self._made.kept |= {each.circuit: each.start_us for each in turns}

    def told(self, circuit: str, now_us: int) -> Told | None:
        """A circuit as it stands; None where its turn is long over, or nothing is known yet. From any thread."""
        with self._lock:
            made = self._made
            progress = None if made is None else made.under_way.get(circuit)
            if made is None or progress is None:
                return None
            seen = progress.now(made.driving.now(progress.task))
            return Told(progress, seen, progress.states(seen, now_us))

    def _in_force(self) -> Circuits:
        return {
            plan.id: (plan.in_force.number, plan.made_us, plan.in_force.body)
            for plan in self._engine.plans
            if plan.kind is CIRCUIT and plan.in_force is not None
        }

    def _beat(self, circuits: Circuits, now_us: int) -> tuple[list[ServedStreet], list[PastTurn]]:
        with self._lock:
            made, version = self._made, self._engine.registry.version
            old = made is not None and made.version != version and now_us - made.at_us > REMADE_US
            proofs = list[ServedStreet]()
            if made is None or old or made.circuits != circuits or self._waiting > ROWS_MAX:
                made = self._made = self._anew(circuits, now_us)
                proofs += self._read_past(made, self._clock.now_us())
            said = Said.joined([self._heard.popleft() for _ in range(len(self._heard))])
            self._waiting = 0
            positions = self._positions(made, said)
            stands, late = made.driving.take(positions, now_us)
            proofs += self._proofs(made, stands)
            if len(late):
                passed = made.driving.past(late, now_us)
                made.driving.fold(passed)
                proofs += self._proofs(made, passed)
            self._beats += 1
            return proofs, self._noted(made, now_us) if self._beats % NOTED_EACH == 0 else []

    def _anew(self, circuits: Circuits, now_us: int) -> _Made:
        network, numbers = self._streets.network()
        made = _Made(self._engine.registry.version, circuits, now_us, Driving(network), numbers, {})
        self._begin(made, now_us)
        return made

    def _begin(self, made: _Made, now_us: int) -> None:
        """Has those circuits under way that are in another turn than before."""
        lines: dict[str, int] | None = None
        for plan, (_, made_us, circuit) in made.circuits.items():
            turn = turn_at(circuit, now_us, self._engine.zone)
            before = made.under_way.get(plan)
            # Nobody left out what was over before anybody had planned it.
            if turn is None or turn.end_us <= made_us or (before is not None and before.turn == turn):
                continue
            if before is None and turn.start_us < now_us - LIVE_US:
                continue
            if lines is None:
                ids = self._engine.registry.ids
                lines = {ids[no]: row for row, no in enumerate(ints(made.numbers))}
            course = Course.on(circuit, made.driving.cells, lines, made.numbers)
            made.under_way[plan] = Progress(circuit, course, turn)

    def _read_past(self, made: _Made, now_us: int) -> list[ServedStreet]:
        """Reads what was said since the first of the turns that are under way began."""
        since_us = min((each.turn.start_us for each in made.under_way.values()), default=now_us)
        parts = list[Said]()
        for number, point in zip([*self._tools, self._dosage], [*TOOLS, Vehicle.dosage], strict=True):
            told = self._past.told(Vehicle, point, since_us, now_us)
            many = len(told.asset)
            parts.append(Said(told.asset, np.full(many, number), told.observed_us, told.value, np.full(many, np.nan)))
        of_tools = Said.joined(parts[:-1])
        at_work: Int64s = np.unique(of_tools.asset[of_tools.value > 0])
        for vehicle in ints(at_work):
            at_us, lon, lat = self._history.of_places(vehicle, self._position, [(since_us, now_us)], POSITIONS_MAX)
            many = len(at_us)
            parts.append(Said(np.full(many, vehicle), np.full(many, self._position), at_us, lon, lat))
        passed = made.driving.past(self._positions(made, Said.joined(parts)), now_us)
        proofs, low = list[ServedStreet](), 0
        while low < len(passed):
            high = int(np.searchsorted(passed.at_us, int(passed.at_us[low]) + NOTED_US))
            some = passed.take(np.arange(low, high))
            made.driving.fold(some)
            proofs += self._proofs(made, some)
            for each in made.under_way.values():
                each.note(made.driving.layers[each.task])
            low = high
        return proofs

    def _positions(self, made: _Made, said: Said) -> Positions:
        """Positions, each with what its vehicle did there."""
        tools = Said.joined([made.tools, said])
        places = said.of(self._position)
        tasks: Bytes = np.zeros(len(places.asset), np.uint8)
        for task, number in enumerate(self._tools):
            own = tools.of(number)
            at_work = held(places.asset, places.at_us, own.asset, own.at_us, own.value, _VALID_US) > 0
            tasks |= (at_work.astype(np.uint8) << task).astype(np.uint8)
        own = tools.of(self._dosage)
        dosage = held(places.asset, places.at_us, own.asset, own.at_us, own.value, _VALID_US)
        salting = (tasks >> TASKS.index("salting")) & 1 == 1
        others = tools.point != self._position
        made.tools = Said(
            tools.asset[others], tools.point[others], tools.at_us[others], tools.value[others], tools.value2[others]
        ).newest()
        return Positions(
            places.asset, places.at_us, places.value, places.value2, tasks, np.where(salting, dosage, np.nan)
        )

    @staticmethod
    def _proofs(made: _Made, passed: Passed) -> list[ServedStreet]:
        return [
            ServedStreet(int(made.numbers[line]), TASKS[each.task], hour_us, None if np.isnan(dosage) else dosage)
            for each in served(made.driving, passed)
            for line, hour_us, dosage in zip(ints(each.line), ints(each.hour_us), each.dosage.tolist(), strict=True)
        ]

    def _noted(self, made: _Made, now_us: int) -> list[PastTurn]:
        """Notes what is done; returns the turns that are over, and begins those whose time has come."""
        over = list[PastTurn]()
        for plan, each in made.under_way.items():
            each.note(made.driving.layers[each.task])
            if now_us >= each.turn.end_us + AFTER_US and made.kept.get(plan) != each.turn.start_us:
                turn = _over(plan, each, each.now(made.driving.layers[each.task]))
                # A circuit that is driven as need be has no gaps on a day without.
                if each.circuit.hours or len(turn.gaps) < turn.streets:
                    over.append(turn)
                else:
                    made.kept[plan] = each.turn.start_us
        self._begin(made, now_us)
        return over


def _over(plan: str, progress: Progress, seen: Seen) -> PastTurn:
    """A turn as it is kept. What was done after its end was a gap at its end."""
    left = np.flatnonzero(~seen.done | (seen.at_us > progress.turn.end_us))
    streets = progress.circuit.streets
    gaps = [Gap(streets[n].street, round(float(seen.share[n]), 3)) for n in ints(left)]
    return PastTurn(plan, progress.turn.start_us, progress.turn.end_us, len(streets), gaps)
