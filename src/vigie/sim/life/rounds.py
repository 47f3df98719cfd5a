"""Service vehicles on their circuits: street by street, telling what their tools do."""

from __future__ import annotations

import numpy as np

from vigie.core.arrays import ints
from vigie.core.kinds import Point
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from vigie.services.roads import Vehicle
from vigie.services.roads.rounds.circuits import Task
from vigie.sim.city.circuits import circuits
from vigie.sim.city.city import City
from vigie.sim.life.columns import Floats, Habits, Ints, Mask, Reports, due, key_of, phases, uniform
from vigie.sim.life.sky import Sky, local_us
from vigie.sim.life.tracks import Tracks

PARKED, DRIVING, WORKING = (Vehicle.activity.code(name) for name in ("parked", "driving", "working"))

COLD_C = 1.5
"""Salt is spread when the air is no warmer."""

_TRIP_US = 2 * HOUR_US
"""Whoever salts looks at the thermometer each two hours, and drives the circuit once where it is cold."""
_LATE_S_MAX = 1_500.0
"""A round begins so late at most."""
_LEFT_OUT = 0.03
"""Of the streets of a day: a car stands in the way."""
_DOSAGE = (10.0, 21.0)

_TOOLS: dict[Task, Point[bool]] = {
    "sweeping": Vehicle.brush, "salting": Vehicle.salting, "collection": Vehicle.collecting
}  # fmt: skip


class RoundLife:
    """Vehicles that sweep, collect and salt: on their circuit in its hours, parked and untracked outside them.

    vehicles: which they are.
    """

    def __init__(self, city: City, sky: Sky, habits: Habits, start_us: int) -> None:
        self._circuits = circuits(city)
        self._sky, self._habits, self.now_us = sky, habits, start_us
        self.vehicles: Ints = np.array([each.vehicle for each in self._circuits], np.int64)
        self._tracks = Tracks(tuple(each.course for each in self._circuits))
        self._key = key_of(city.seed, "round")
        self._phase = phases(self._key, len(self.vehicles), habits.mover_s)
        self._hello = start_us

    def advance(self, until_us: int) -> list[Reports]:
        """Positions, headings and tools of those on their circuit, and what all are doing."""
        who, at = due(self.now_us, until_us, self._habits.mover_s, self._phase)
        self.now_us = until_us
        return [report for n in ints(np.unique(who)) for report in self._of(n, at[who == n])]

    def _of(self, n: int, at: Ints) -> list[Reports]:
        circuit, vehicle = self._circuits[n], self.vehicles[n]
        local = at + (local_us(self.now_us) - self.now_us)
        out, into_s = self._out(n, local, at)
        done_m = into_s * circuit.trade.speed_m_s
        out &= (done_m < circuit.course.length_m) | (circuit.hours is not None)
        progress = done_m % circuit.course.length_m
        leg = np.searchsorted(circuit.course.node_at_m, progress, "right") - 1
        arc = circuit.arc[np.clip(leg, 0, len(circuit.arc) - 1)]
        work = uniform(self._key, arc, local // DAY_US) >= _LEFT_OUT
        shown = np.where(out, np.where(work, WORKING, DRIVING), PARKED).astype(np.float64)
        period_us = int(self._habits.mover_s * SECOND_US)
        slow = (at <= self._hello + period_us) | (at // MINUTE_US != (at - period_us) // MINUTE_US)
        told = [Reports(Vehicle, Vehicle.activity, np.full(int(slow.sum()), vehicle), at[slow], shown[slow])]
        if not out.any():
            return told
        places, heading = self._tracks.place(np.full(int(out.sum()), n), progress[out])
        at, work, arc = at[out], work[out], arc[out]
        who = np.full(len(at), vehicle)
        tool = _TOOLS[circuit.trade.task]
        told += [
            Reports(Vehicle, Vehicle.position, who, at, places[:, 0], places[:, 1]),
            Reports(Vehicle, Vehicle.heading, who, at, heading),
            Reports(Vehicle, tool, who, at, work.astype(np.float64)),
        ]
        if circuit.trade.task == "salting":
            low, high = _DOSAGE
            dosage = np.floor(low + (high - low) * uniform(self._key, arc, -1))
            told.append(Reports(Vehicle, Vehicle.dosage, who, at, np.where(work, dosage, 0.0)))
        return told

    def _out(self, n: int, local: Ints, at: Ints) -> tuple[Mask, Floats]:
        """Whether a vehicle is on its circuit, and for how many seconds."""
        hours = self._circuits[n].hours
        if hours is None:
            begun_us = at // _TRIP_US * _TRIP_US
            return self._sky.temperature_c(begun_us) <= COLD_C, (at - begun_us) / SECOND_US
        late_s = _LATE_S_MAX * uniform(self._key, np.full(len(local), n), local // DAY_US)
        into_s = (local % DAY_US - hours[0] * HOUR_US) / SECOND_US - late_s
        return (into_s >= 0) & (local % DAY_US < hours[1] * HOUR_US), into_s
