"""When buses and trams are due where: to and fro on their line, all day long, and at rest from half past one to half
past four."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.times import DAY_US, HOUR_US, SECOND_US
from vigie.services.roads import Bus
from vigie.sim.city.transit import TransitLine
from vigie.sim.life.columns import Floats, Ints, Mask
from vigie.sim.life.sky import local_us

LAYOVER_S = 150.0
_PACE_M_S, _DWELL_S = {True: 6.4, False: 8.0}, {True: 14.0, False: 20.0}
"""Between stops and at them, of buses and of trams."""

_LAST_US, _REST_S = 3 * HOUR_US // 2, 3 * 3_600.0
"""When the night's rest begins, and how long it is."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """A whole round: there, layover, back, layover. clock_s: its corners; metres: how far along by then, to and fro on
    a line of length_m."""

    clock_s: Floats
    metres: Floats
    length_m: float

    @property
    def round_s(self) -> float:
        """How long a round takes."""
        return float(self.clock_s[-1])


def timetable_of(line: TransitLine) -> Timetable:
    """The timetable of a line."""
    stops, length_m = line.stop_at_m, line.course.length_m
    pace_m_s, dwell_s = _PACE_M_S[line.mode == Bus.kind], _DWELL_S[line.mode == Bus.kind]
    clock_s, metres, now_s = [0.0], [0.0], 0.0
    for leg in (stops, 2 * length_m - stops[::-1]):
        for at_m in leg.tolist():
            if at_m <= metres[-1] + 5:
                continue
            now_s += (at_m - metres[-1]) / pace_m_s
            clock_s.append(now_s)
            metres.append(at_m)
            now_s += dwell_s
            clock_s.append(now_s)
            metres.append(at_m)
        end_m = length_m if metres[-1] <= length_m else 2 * length_m
        now_s += max(end_m - metres[-1], 0) / pace_m_s + 0.1
        clock_s.append(now_s)
        metres.append(max(end_m, metres[-1]))
        now_s += LAYOVER_S
        clock_s.append(now_s)
        metres.append(metres[-1])
    return Timetable(np.array(clock_s), np.array(metres), length_m)


def worked_s(local: Ints, begin_s: Floats, end_s: Floats) -> tuple[Floats, Mask]:
    """Seconds that a device has been in service since the epoch, by its daily hours; and whether it is now."""
    day, second = local // DAY_US, local % DAY_US / SECOND_US
    into = np.clip(second - begin_s, 0, end_s - begin_s)
    return day * (end_s - begin_s) + into, (second >= begin_s) & (second < end_s)


def served_s(local: Ints) -> Floats:
    """Seconds of service since the epoch, at instants of the local clock: by these rounds run, one after the other."""
    # Shifted so that the night's end is a day's end.
    return worked_s(local - _LAST_US, np.full(len(local), _REST_S), np.full(len(local), 86_400.0))[0]


def served_now(now_s: int) -> float:
    """The same at one instant, in seconds of the clock that runs everywhere."""
    return float(served_s(np.array([local_us(now_s * SECOND_US)], np.int64))[0])
