"""What traffic usually is: by detector and hour, from the days before and by what kind of day it is.

Counts lie as hours of the town's clock: (day, 24, detector), vehicles an hour, NaN where nothing is known. The hour
that a clock change leaves out is unknown; of the one that it doubles the caller gives the mean.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from vigie.core.observations import Floats, Int64s

HOURS = 24
KEPT_A_DAY = 0.9
"""What a day weighs beside the one after it: what is usual drifts."""

SAME_WEEKDAY = 2.0
OTHER_KIND = 0.1
"""What the same day of the week, and a day of another kind, weigh beside another day of the same kind. The latter is
all there is before the first Sunday. The three were chosen on the third week of Berlin's March 2024."""

_EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday.


class Day(IntEnum):
    """Kinds of days. A public holiday is as a Sunday."""

    WORKING = 0
    SATURDAY = 1
    SUNDAY = 2


def kinds_of(days: Int64s, public: AbstractSet[int]) -> NDArray[np.int64]:
    """The kind of each day. days: numbers since the epoch. public: the public holidays among all days."""
    weekday = weekdays_of(days)
    kinds = np.where(weekday == 6, Day.SUNDAY, np.where(weekday == 5, Day.SATURDAY, Day.WORKING))
    return np.where([day in public for day in days.tolist()], Day.SUNDAY, kinds).astype(np.int64)


def weekdays_of(days: Int64s) -> NDArray[np.int64]:
    """The day of the week of each day, Monday is 0."""
    return (days + _EPOCH_WEEKDAY) % 7


def usual(counts: Floats, days: Int64s, public: AbstractSet[int]) -> Floats:
    """What was to be expected of each day, (day, 24, detector), from the days before it alone; NaN where no day before
    it has the hour. days: numbers since the epoch, one after the other."""
    kinds, weekday = kinds_of(days, public), weekdays_of(days)
    known = ~np.isnan(counts)
    found = np.where(known, counts, 0.0)
    expected = np.full(counts.shape, np.nan)
    for day in range(1, len(days)):
        before = slice(0, day)
        alike = np.where(weekday[before] == weekday[day], SAME_WEEKDAY, 1.0)
        weight = KEPT_A_DAY ** (day - 1 - np.arange(day)) * np.where(kinds[before] == kinds[day], alike, OTHER_KIND)
        of_all = np.tensordot(weight, known[before], 1)
        total = np.tensordot(weight, found[before], 1)
        expected[day] = np.where(of_all > 0, total / np.where(of_all > 0, of_all, 1.0), np.nan)
    return expected
