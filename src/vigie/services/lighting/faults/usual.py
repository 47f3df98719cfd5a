"""What is usual: what lamps of one kind draw, and how warm their drivers are, at each tenth of their level.

The plain curve of `services/lighting/power.py` is a maker's straight line; real curves bend, and a winter's night or a
weak mains moves all lamps of a kind alike. So a lamp is held against the median of its kind in the same band of levels,
and against what it drew itself when it was well; only what parts from both is a fault of the lamp.
"""

from __future__ import annotations

import numpy as np

from vigie.core.observations import Floats, Int64s
from vigie.core.times import HOUR_US
from vigie.services.lighting.faults.park import KIND_LAMPS_MIN, Park
from vigie.services.lighting.faults.reports import BANDS, Memory

HEAT_US = HOUR_US
"""A temperature older than that is of another hour of the night."""

TURN = 4
"""One band is looked at anew in each so many sweeps: what is usual moves in hours."""


class Usual:
    """The medians of each kind in each band; NaN where too few lamps have said it."""

    def __init__(self, park: Park) -> None:
        self.ratio = np.full((park.kinds, BANDS), np.nan)
        # What is rarer than a dozen lamps is held against the plain curve alone, and always was.
        self.ratio[park.kind_size < KIND_LAMPS_MIN] = 1.0
        self.heat = np.full((park.kinds, BANDS), np.nan)
        self._dirty = np.zeros(BANDS, np.bool_)
        self._turns = 0

    def note(self, bands: Int64s) -> None:
        """Lamps have reported in these bands."""
        self._dirty[bands] = True

    def look(self, park: Park, memory: Memory, now_us: int) -> None:
        """Looks at one band anew, when its turn has come: first at one of which nothing is known."""
        self._turns += 1
        waiting = np.flatnonzero(self._dirty)
        if not len(waiting) or self._turns % TURN != 1:
            return
        known = np.isfinite(self.ratio[:, waiting]).sum(0)
        band = (
            int(waiting[np.argmin(known)]) if (known < park.kinds).any() else int(waiting[self._turns % len(waiting)])
        )
        self._dirty[band] = False
        said = np.flatnonzero(~np.isnan(memory.ratio[:, band]))
        found = medians(memory.ratio[said, band].astype(np.float64), park.kind[said], park.kinds)
        self.ratio[:, band] = np.where(np.isnan(found), self.ratio[:, band], found)
        warm = np.flatnonzero((memory.heat_us > now_us - HEAT_US) & (memory.heat_band == band))
        self.heat[:, band] = medians(memory.heat[warm].astype(np.float64), park.kind[warm], park.kinds)


def medians(values: Floats, group: Int64s, count: int, least: int = KIND_LAMPS_MIN) -> Floats:
    """The median of each group, NaN where it has fewer than `least` values."""
    order = np.lexsort((values, group))
    size = np.bincount(group, minlength=count)
    first = np.cumsum(size) - size
    enough = size >= max(1, least)
    found = np.full(count, np.nan)
    low, high = first[enough] + (size[enough] - 1) // 2, first[enough] + size[enough] // 2
    found[enough] = (values[order[low]] + values[order[high]]) / 2
    return found
