"""Service vehicles on their rounds: street by street, telling what their tools do."""

from __future__ import annotations

from itertools import accumulate

import numpy as np

from vigie.core.arrays import ints
from vigie.core.kinds import Point
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from vigie.services.roads import Vehicle
from vigie.services.roads.rounds.circuits import TASKS, Task
from vigie.sim.city.city import City
from vigie.sim.city.rounds import LATE_S_MAX
from vigie.sim.life.columns import Floats, Habits, Ints, Mask, Reports, due, key_of, phases, uniform
from vigie.sim.life.sky import Sky, local_us
from vigie.sim.life.tracks import Tracks

PARKED, DRIVING, WORKING = (Vehicle.activity.code(name) for name in ("parked", "driving", "working"))

COLD_C = 1.5
"""Salt is spread when the air is no warmer."""

_TRIP_US = 2 * HOUR_US
"""Whoever salts looks at the thermometer each two hours, and drives the circuit once where it is cold."""
_LEFT_OUT = 0.03
"""Of the streets of a day: a car stands in the way."""
_DOSAGE = (10.0, 21.0)
_THURSDAY = 3
"""The first day since the epoch."""

_TOOLS: dict[Task, Point[bool]] = {
    "sweeping": Vehicle.brush, "salting": Vehicle.salting, "collection": Vehicle.collecting
}  # fmt: skip
_SALTING = TASKS.index("salting")


class RoundLife:
    """Vehicles that have a round: on it in its hours, parked and untracked outside them.

    vehicles: which they are.
    """

    def __init__(self, city: City, sky: Sky, habits: Habits, start_us: int) -> None:
        self._sky, self._habits, self.now_us = sky, habits, start_us
        driven = city.rounds.driven
        self.vehicles: Ints = np.unique([each.vehicle for each in driven])
        row = {vehicle: n for n, vehicle in enumerate(ints(self.vehicles))}
        self._tracks = Tracks(tuple(each.course for each in driven))
        # Of each vehicle and weekday its round, -1 for none; a vehicle begins at one time on all days.
        self._round = np.full((len(row), 7), -1)
        self._begins_us = np.zeros(len(row), np.int64)
        for n, each in enumerate(driven):
            self._round[row[each.vehicle], list(each.days)] = n
            self._begins_us[row[each.vehicle]] = (each.begins_min or 0) * MINUTE_US
        self._task = np.array([TASKS.index(each.trade.task) if each.trade else -1 for each in driven])
        self._lap_s = np.array([each.clock_s[-1] for each in driven])
        self._long_s = self._lap_s * [each.laps for each in driven]
        # All rounds' spans one after the other, so that all vehicles find theirs in one look-up.
        self._base_s = np.array([*accumulate(self._lap_s[:-1] + 1.0, initial=0.0)])
        self._clock_s = np.concatenate([each.clock_s + base for each, base in zip(driven, self._base_s, strict=True)])
        self._driven_m = np.concatenate([each.driven_m for each in driven])
        self._last = np.cumsum([len(each.clock_s) for each in driven]) - 2
        self._arc = np.concatenate([np.append(each.arc, -1) for each in driven])
        self._works = np.concatenate([np.append(each.works, False) for each in driven])
        self._key = key_of(city.seed, "round")
        self._phase = phases(self._key, len(self.vehicles), habits.mover_s)
        self._hello = start_us

    def advance(self, until_us: int) -> list[Reports]:
        """Positions, headings and tools of those on their round, and what all are doing."""
        who, at = due(self.now_us, until_us, self._habits.mover_s, self._phase)
        self.now_us = until_us
        if not len(who):
            return []
        local = at + (local_us(until_us) - until_us)
        # A shift that goes on past midnight belongs to the day on which it began.
        day = (local - self._begins_us[who]) // DAY_US
        driven = self._round[who, (day + _THURSDAY) % 7]
        out, into_s = self._out(who, at, local, day, driven)
        on = np.flatnonzero(out)
        driven, clock_s = driven[on], into_s[on] % self._lap_s[driven[on]] + self._base_s[driven[on]]
        span = np.minimum(np.searchsorted(self._clock_s, clock_s, "right") - 1, self._last[driven])
        share = (clock_s - self._clock_s[span]) / np.maximum(self._clock_s[span + 1] - self._clock_s[span], 1e-9)
        progress = self._driven_m[span] + share * (self._driven_m[span + 1] - self._driven_m[span])
        arc, task = self._arc[span], self._task[driven]
        left_out = (task >= 0) & (uniform(self._key, arc, local[on] // DAY_US) < _LEFT_OUT)
        works = self._works[span] & ~left_out
        shown = np.full(len(who), float(PARKED))
        shown[on] = np.where(works, WORKING, DRIVING)
        period_us = int(self._habits.mover_s * SECOND_US)
        slow = (at <= self._hello + period_us) | (at // MINUTE_US != (at - period_us) // MINUTE_US)
        told = [Reports(Vehicle, Vehicle.activity, self.vehicles[who[slow]], at[slow], shown[slow])]
        if not len(on):
            return told
        places, heading = self._tracks.place(driven, progress)
        vehicle, at = self.vehicles[who[on]], at[on]
        return [
            *told,
            Reports(Vehicle, Vehicle.position, vehicle, at, places[:, 0], places[:, 1]),
            Reports(Vehicle, Vehicle.heading, vehicle, at, heading),
            *self._tools(task, vehicle, at, arc, works),
        ]

    def _tools(self, task: Ints, vehicle: Ints, at: Ints, arc: Ints, works: Mask) -> list[Reports]:
        told: list[Reports] = []
        for code, name in enumerate(TASKS):
            own = np.flatnonzero(task == code)
            if len(own):
                told.append(Reports(Vehicle, _TOOLS[name], vehicle[own], at[own], works[own].astype(np.float64)))
        own = np.flatnonzero(task == _SALTING)
        if len(own):
            low, high = _DOSAGE
            dosage = np.floor(low + (high - low) * uniform(self._key, arc[own], -1))
            told.append(Reports(Vehicle, Vehicle.dosage, vehicle[own], at[own], np.where(works[own], dosage, 0.0)))
        return told

    def _out(self, who: Ints, at: Ints, local: Ints, day: Ints, driven: Ints) -> tuple[Mask, Floats]:
        """Whether each is on its round, and for how many seconds."""
        late_s = LATE_S_MAX * uniform(self._key, who, day) * (self._task[driven] >= 0)
        into_s = (local - self._begins_us[who] - day * DAY_US) / SECOND_US - late_s
        out = driven >= 0
        salts = np.flatnonzero(out & (self._task[driven] == _SALTING))
        if len(salts):
            begun_us = at[salts] // _TRIP_US * _TRIP_US
            into_s[salts] = (at[salts] - begun_us) / SECOND_US
            out[salts] = self._sky.temperature_c(begun_us) <= COLD_C
        return out & (into_s >= 0) & (into_s < self._long_s[driven]), into_s
