"""Who passes along the quiet ways, on foot or by bicycle, and the motion sensors that see them.

Most people walk at 1.1 to 1.6 m/s and ride at 3.5 to 6 m/s; a sensor on a lamp's column sees a dozen metres of its
street. A sensor says at once that somebody is there and that nobody is any more, and from time to time that it lives.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import numpy as np

from vigie.core.arrays import ints
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.services.lighting.kinds import MotionSensor
from vigie.sim.city.city import City
from vigie.sim.life.columns import Habits, Ints, Reports, key_of, uniform
from vigie.sim.life.others import Clock
from vigie.sim.life.sky import traffic

_BLOCK_US = 10 * MINUTE_US
"""The time in which passers are drawn together: the longest way takes a slow walker less."""
_MOST, _LEAST_EXPECTED, _MORE_BY_DAY = 6, 0.4, 3.0
"""How many set out on a way in a block: at most; on average where there is no traffic; and so many more at its peak."""
_CYCLISTS = 0.3
_SEES_M = 12.0

_Event = tuple[int, int, int]
"""When, at which sensor, how many more are before it: 1 or -1; 0 where it says that it lives."""


class PasserLife:
    """The sensors of a city. What they see is a function of the seed and the instant."""

    def __init__(self, city: City, habits: Habits, start_us: int) -> None:
        self._ways = city.ways
        self._key = key_of(city.seed, "passers")
        self._clock = Clock(key_of(city.seed, "sensors"), len(city.ways.xy), habits.idle_s, habits.hello_s, start_us)
        self._there = np.zeros(len(city.ways.xy), np.int64)
        block = start_us // _BLOCK_US
        self._next_us = (block + 1) * _BLOCK_US
        self._coming = self._passing(block - 1) + self._passing(block)
        heapify(self._coming)
        self._saw(start_us)

    def advance(self, until_us: int) -> list[Reports]:
        """Who is there and who is there no more."""
        while self._next_us <= until_us:
            for event in self._passing(self._next_us // _BLOCK_US):
                heappush(self._coming, event)
            self._next_us += _BLOCK_US
        for sensor, at_us in zip(*map(ints, self._clock.strike(until_us)), strict=True):
            heappush(self._coming, (at_us, sensor, 0))
        said = self._saw(until_us)
        if not said:
            return []
        at_us, sensor, there = (np.array(column, np.int64) for column in zip(*said, strict=True))
        return [Reports(MotionSensor, MotionSensor.motion, sensor, at_us, there.astype(np.float64))]

    def _saw(self, until_us: int) -> list[_Event]:
        """What sensors say until an instant: when, which, and whether somebody is there."""
        said: list[_Event] = []
        while self._coming and self._coming[0][0] <= until_us:
            at_us, sensor, more = heappop(self._coming)
            before = bool(self._there[sensor])
            self._there[sensor] += more
            there = bool(self._there[sensor])
            if there != before or not more:
                said.append((at_us, sensor, int(there)))
        return said

    def _passing(self, block: int) -> list[_Event]:
        """All that happens before sensors for those who set out in a block."""
        ways, key = self._ways, self._key
        slots = np.arange(len(ways.length_m) * _MOST)

        def drawn(turn: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
            return uniform(key, slots, block * 4 + turn)

        expected = _LEAST_EXPECTED + _MORE_BY_DAY * traffic(block * _BLOCK_US)
        who = np.flatnonzero(drawn(0) < expected / _MOST)
        start_us = block * _BLOCK_US + drawn(1)[who] * _BLOCK_US
        pace = drawn(2)[who]
        rides = pace < _CYCLISTS
        speed = np.where(rides, 3.5 + 2.5 * pace / _CYCLISTS, 1.1 + 0.5 * (pace - _CYCLISTS) / (1 - _CYCLISTS))
        back = drawn(3)[who] < 0.5
        # Each passer meets each sensor of the way.
        passer, sensor = np.nonzero((who // _MOST)[:, None] == ways.way[None, :])
        far_m = np.where(back[passer], ways.length_m[ways.way[sensor]] - ways.at_m[sensor], ways.at_m[sensor])
        seen_us: Ints = (start_us[passer] + (far_m - _SEES_M / 2) / speed[passer] * SECOND_US).astype(np.int64)
        gone_us: Ints = seen_us + (_SEES_M / speed[passer] * SECOND_US).astype(np.int64)
        sensors = ints(sensor)
        return [*zip(ints(seen_us), sensors, [1] * len(sensors), strict=True),
                *zip(ints(gone_us), sensors, [-1] * len(sensors), strict=True)]  # fmt: skip
