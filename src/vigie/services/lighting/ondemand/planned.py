"""What the programmes in force have each lamp do tonight: a raise is over where they would have it brighter, or out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vigie.core.arrays import ints
from vigie.core.calendar import Calendar
from vigie.core.observations import Int64s, Mask
from vigie.services.lighting.programmes.layers import Layer, Schedule, Sunlit, groups, schedule
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.park import Park

NEVER_US = int(np.iinfo(np.int64).max)


class Planned:
    """The nights of the lamps of a park. Lamps that are alike are painted together, and only when one of them is asked
    for: a call is for a few of a town's hundreds of groups.

    bare: which rows no programme speaks for. What rules those is not known here.
    """

    def __init__(self, park: Park, layers: Sequence[Layer], calendar: Calendar) -> None:
        """Raises Unanswerable."""
        self._layers, self._calendar = layers, calendar
        self._groups = groups(park, layers)
        self._group = np.zeros(len(park), np.int64)
        self.bare: Mask = np.zeros(len(park), np.bool_)
        for number, each in enumerate(self._groups):
            self._group[each.rows], self.bare[each.rows] = number, not each.layers
        self._night: tuple[int, int] = (0, 0)
        self._sunlit: Sunlit | None = None
        self._painted: dict[int, Schedule] = {}

    def ends_us(self, rows: Int64s, level: int, now_us: int, *, leave: bool) -> Int64s:
        """Until when some rows may be raised to a level (%): the next instant at which their programmes have them as
        bright, or out without leave. `now_us` where that is so already, `NEVER_US` for the bare."""
        ends_us = np.full(len(rows), NEVER_US)
        own = self._group[rows]
        for number in ints(np.unique(own[~self.bare[rows]])):
            ends_us[own == number] = _end_us(self._tonight(number, now_us), level, now_us, leave=leave)
        return ends_us

    def _tonight(self, number: int, now_us: int) -> Schedule:
        if self._sunlit is None or not self._night[0] <= now_us < self._night[1]:
            nights = Nights.at(now_us, self._calendar)
            begin_us, end_us = nights.bounds_us
            self._night, self._sunlit, self._painted = (int(begin_us[0]), int(end_us[0])), Sunlit(nights), {}
        if number not in self._painted:
            self._painted[number] = schedule(self._groups[number], self._layers, self._sunlit)
        return self._painted[number]


def _end_us(tonight: Schedule, level: int, now_us: int, *, leave: bool) -> int:
    """The first instant from now on at which a night has its lamps as bright as a level, or out without leave."""
    at_us = now_us
    for start_us, end_us, planned in zip(
        ints(tonight.start_us), ints(tonight.end_us), ints(tonight.level), strict=True
    ):
        if end_us <= at_us:
            continue
        if start_us > at_us and not leave:
            return at_us  # Between its spans it is out.
        if planned >= level or (planned == 0 and not leave):
            return max(start_us, at_us)
        at_us = end_us
    return NEVER_US if leave else at_us
