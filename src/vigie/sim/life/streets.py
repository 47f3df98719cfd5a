"""What simulated streets show and count, in place of what junctions and detectors make up by themselves.

The streets may come later than the city, and go: whoever is not followed lives as ever.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vigie.core.times import MINUTE_US, SECOND_US
from vigie.services.signals import Junction
from vigie.sim.life.columns import Ints
from vigie.sim.traffic.shown import Asked, Frame

COUNTED_FRESH_US = 3 * MINUTE_US
"""What a detector counted is told for so long."""


class Followed:
    """The last second of each junction, and the last minute of each detector, of those that streets are simulated for.

    ask: what is asked of the streets goes there. junction: which junctions are followed; stage, plan, mode (its code),
    cycle_s: of those. flow_h, speed_km_h (NaN where nobody came), occupancy_pct: of detectors; see `counts`.
    """

    def __init__(self, junctions: int, detectors: int) -> None:
        self.ask: Callable[[Asked], None] = _nobody
        self.junction = np.zeros(junctions, np.bool_)
        self.stage, self.plan, self.mode, self.cycle_s = (np.zeros(junctions, np.int64) for _ in range(4))
        self.flow_h, self.speed_km_h, self.occupancy_pct = (np.zeros(detectors) for _ in range(3))
        self._counted_us = np.full(detectors, -COUNTED_FRESH_US)
        self._stages: list[tuple[int, int, int]] = []

    def take(self, frame: Frame) -> tuple[Ints, Ints]:
        """Takes a second in. Returns the junctions that are followed from now on, and those of which anything but the
        stage is other than before."""
        at_us = frame.second * SECOND_US
        new, changed = list[int](), list[int]()
        for number, shown in frame.junctions.items():
            mode = Junction.mode.code(shown.mode)
            if not self.junction[number]:
                self.junction[number] = True
                new.append(number)
            elif (self.plan[number], self.mode[number]) != (shown.plan, mode):
                changed.append(number)
            if self.stage[number] != shown.stage:
                self._stages.append((number, at_us, shown.stage))
            self.stage[number], self.plan[number] = shown.stage, shown.plan
            self.mode[number], self.cycle_s[number] = mode, shown.cycle_s
        for counted in frame.counted:
            at = counted.detector
            self.flow_h[at], self.occupancy_pct[at] = counted.flow_h, counted.occupancy_pct
            self.speed_km_h[at] = counted.speed_km_h if counted.flow_h else np.nan
            self._counted_us[at] = at_us
        return np.array(new, np.int64), np.array([*new, *changed], np.int64)

    def end(self) -> None:
        """The streets have gone."""
        self.junction[:] = False
        self._stages.clear()

    def changes(self) -> tuple[Ints, Ints, Ints]:
        """Who has begun another stage since it was asked last, when, and which."""
        said, self._stages = self._stages, []
        columns = np.array(said, np.int64).reshape(-1, 3)
        return columns[:, 0], columns[:, 1], columns[:, 2]

    def counts(self, who: Ints, at_us: Ints) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Which of some detectors have counted in the minutes before an instant."""
        return at_us - self._counted_us[who] < COUNTED_FRESH_US


def _nobody(asked: Asked) -> None:
    """Where no streets are, nothing is asked of them."""
