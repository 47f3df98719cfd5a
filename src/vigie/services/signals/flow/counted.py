"""What was counted lately, by quarter of an hour of the town's clock, so that an hour may begin at any of them."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from vigie.core.calendar import EPOCH_DAY
from vigie.core.observations import Floats, Int64s
from vigie.core.past import Means
from vigie.core.times import MINUTE_US, from_us
from vigie.services.signals.flow.usual import HOURS

QUARTER_US = 15 * MINUTE_US
IN_AN_HOUR = 4
IN_A_DAY = HOURS * IN_AN_HOUR


@dataclass(frozen=True, slots=True)
class Hours:
    """Vehicles an hour, (day, 24, detector), NaN where nothing is known. days: their numbers since the epoch, one after
    the other. The hours begin as many minutes after the full hour as the next one does; next: its place among all hours
    of these days, of which it is the first that nothing is known of."""

    counts: Floats
    days: Int64s
    next: int


class Counted:
    """Counts of some weeks. The quarters that a clock change leaves out are unknown; of those that it doubles, the mean
    is kept."""

    def __init__(self, zone: ZoneInfo, days_kept: int) -> None:
        self._zone, self._days_kept = zone, days_kept
        self._quarters: dict[int, Floats] = {}
        self._column: dict[int, int] = {}

    @property
    def detectors(self) -> tuple[int, ...]:
        """The numbers of the detectors that were ever heard, in the order of the columns."""
        return tuple(self._column)

    def days_before(self, day: int) -> int:
        """How many days before one something is known of."""
        return sum(bool((~np.isnan(own)).any()) for each, own in self._quarters.items() if each < day)

    def take(self, start_us: int, means: Means) -> None:
        """Takes in the means of some quarters, one after the other from an instant on; what was known of them is
        forgotten."""
        for asset in means.asset.tolist():
            self._column.setdefault(asset, len(self._column))
        columns = [self._column[asset] for asset in means.asset.tolist()]
        taken: set[tuple[int, int]] = set()
        for nth in range(means.mean.shape[1]):
            day, slot = self._slot(start_us + nth * QUARTER_US)
            own = self._quarters.get(day)
            if own is None or own.shape[1] < len(self._column):
                own = self._quarters[day] = self._widened(own)
            heard = np.full(own.shape[1], np.nan)
            heard[columns] = means.mean[:, nth]
            if (day, slot) in taken:
                both = np.stack([own[slot], heard])
                known = (~np.isnan(both)).sum(0)
                heard = np.where(known > 0, np.nansum(both, 0) / np.maximum(known, 1), np.nan)
            taken.add((day, slot))
            own[slot] = heard
        newest = max(self._quarters, default=0)
        for day in [each for each in self._quarters if each <= newest - self._days_kept]:
            del self._quarters[day]

    def hours(self, until_us: int) -> Hours:
        """All full hours until an instant at which a quarter begins, and the hour after it."""
        today, slot = self._slot(until_us)
        first = min(self._quarters, default=today)
        days: Int64s = np.arange(first, today + 1, dtype=np.int64)
        empty = np.full((IN_A_DAY, len(self._column)), np.nan)
        every = np.concatenate([self._widened(self._quarters.get(day, empty)) for day in days.tolist()])
        every[(len(days) - 1) * IN_A_DAY + slot :] = np.nan
        after = slot % IN_AN_HOUR
        shifted = np.concatenate([every[after:], np.full((after, every.shape[1]), np.nan)])
        four = shifted.reshape(len(days), HOURS, IN_AN_HOUR, -1)
        known = (~np.isnan(four)).sum(2)
        counts = np.where(known > 0, np.nansum(four, 2) / np.maximum(known, 1), np.nan)
        return Hours(counts, days, (len(days) - 1) * HOURS + slot // IN_AN_HOUR)

    def _slot(self, at_us: int) -> tuple[int, int]:
        at = from_us(at_us).astimezone(self._zone)
        return (at.date() - EPOCH_DAY).days, at.hour * IN_AN_HOUR + at.minute // 15

    def _widened(self, own: Floats | None) -> Floats:
        wide = np.full((IN_A_DAY, len(self._column)), np.nan)
        if own is not None:
            wide[:, : own.shape[1]] = own
        return wide
