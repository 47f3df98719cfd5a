"""What lamps and meters told in a night, as the report reads it; and the same as it is kept when the reports are gone.

A night is kept in half hours of each lamp, and not summed by tariff and programme: both are corrected afterwards, and
what is kept must stand whatever they become. From both ways come the very same figures, since both are rounded alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vigie.core.observations import Int64s, Mask
from vigie.core.past import Kept, Line, Past, Steps, Told
from vigie.core.times import HOUR_US, MINUTE_US
from vigie.services.lighting.kinds import Cabinet, Luminaire
from vigie.services.lighting.power import STANDING_SHARE

BIN_US = 30 * MINUTE_US
BINS = 50
"""The longest night has 25 hours: the one in which the clock is set back."""

LEVEL = Line(STANDING_SHARE, (1 - STANDING_SHARE) / 100)
"""The share of its rated power that a lamp draws at a level: `power.expected_w`."""

BESIDE_US = HOUR_US
"""Meters are heard so long before and after a night too: the index at noon lies between two reports."""

OF = "energy"
"""What kept nights are called."""
POINTS = ((Luminaire, Luminaire.power), (Luminaire, Luminaire.level), (Cabinet, Cabinet.energy))
"""What a night is made of."""
RULE = f"1 {BIN_US} {Luminaire.power.valid_s} {Luminaire.level.valid_s} {LEVEL.at_zero} {LEVEL.slope}"
"""A night that was kept by another rule is made again, as long as its reports are there. The number is of what is
written here and in the store's own rule (`Past.steps`): who changes either counts it up."""

SILENT = Steps(np.empty(0, np.int64), *np.zeros((2, 0, BINS)))
"""A night in which no lamp told anything."""

_POWER, _LEVEL, _METER = range(3)
_MS = 1_000
_MOST = 2**32 - 1

Find = Callable[[int, int], Kept | None]
"""What is kept of a night, from its first to its last noon."""


class Heard:
    """What was told in some nights, read one after the other: from what is kept, or else from the reports."""

    def __init__(self, past: Past, find: Find) -> None:
        self._past, self._find = past, find
        self._meters: list[Told] = []
        self._raw_us: list[tuple[int, int]] = []
        self.kept_us: list[int] = []
        """When the nights began that were read from what is kept."""

    def lamps(self, lamps: Int64s, start_us: int, end_us: int) -> tuple[Steps, Steps]:
        """Of a night: watts, and for lamps that told no power the share of it by their level (`LEVEL`); in `BINS` bins.
        Raises TooLong."""
        kept = self._find(start_us, end_us)
        if kept is not None:
            self.kept_us.append(start_us)
            self._meters.append(_meters(kept))
            return _steps(kept, _POWER, 1), _steps(kept, _LEVEL, _MS)
        if self._raw_us and self._raw_us[-1][1] == start_us:
            self._raw_us[-1] = self._raw_us[-1][0], end_us
        else:
            self._raw_us.append((start_us, end_us))
        return lamps_told(self._past, lamps, start_us, end_us)

    def meters(self) -> Told:
        """The indexes of all meters, from somewhat before to somewhat after the nights that were read. Raises
        TooLong."""
        told = [*self._meters, *(meters_told(self._past, *each) for each in self._raw_us)]
        if len(told) == 1:
            return told[0]
        asset, at_us, value = (
            np.concatenate([getattr(each, name) for each in told]) for name in ("asset", "observed_us", "value")
        )
        order = np.lexsort((at_us, asset))
        asset, at_us, value = asset[order], at_us[order], value[order]
        # What was told about the noon between two nights is of both.
        once = np.concatenate([[True], (np.diff(asset) != 0) | (np.diff(at_us) != 0)])[: len(asset)]
        return Told(asset[once], at_us[once], value[once])


def lamps_told(past: Past, lamps: Int64s, start_us: int, end_us: int) -> tuple[Steps, Steps]:
    """See `Heard.lamps`, from the reports. Raises TooLong."""
    power = past.steps(Luminaire, Luminaire.power, start_us, end_us, BIN_US)
    rest = np.setdiff1d(lamps, power.asset)
    level = SILENT
    if len(rest):
        level = past.steps(Luminaire, Luminaire.level, start_us, end_us, BIN_US, line=LEVEL, only=rest)
    return _whole(power, 1), _whole(level, _MS)


def meters_told(past: Past, start_us: int, end_us: int) -> Told:
    """The indexes of all meters in a night and beside it. Raises TooLong."""
    return past.told(Cabinet, Cabinet.energy, start_us - BESIDE_US, end_us + BESIDE_US)


def kept_of(past: Past, lamps: Int64s, start_us: int, end_us: int) -> Kept:
    """A night as it is to be kept. lamps: all that there are or ever were. Raises TooLong."""
    power, level = lamps_told(past, lamps, start_us, end_us)
    meters = meters_told(past, start_us, end_us)
    none = np.zeros(len(meters.asset), np.int64)
    parts = [
        _rows(_POWER, power, 1),
        _rows(_LEVEL, level, _MS),
        Kept(none + _METER, meters.asset, meters.observed_us, none, none, meters.value),
    ]
    return Kept(
        *(
            np.concatenate([getattr(each, name) for each in parts])
            for name in ("part", "asset", "at", "known", "total", "value")
        )
    )


def _whole(steps: Steps, parts: int) -> Steps:
    """The same with `BINS` bins, in whole milliseconds and in whole parts of a total: joules, or thousandths of a
    second at the rated power."""
    known_s = np.rint(steps.known_s * _MS) / _MS
    total = np.rint(steps.total * parts).clip(0, _MOST) / parts
    short = BINS - known_s.shape[1]
    return Steps(steps.asset, *(np.pad(each, ((0, 0), (0, short))) for each in (known_s, total)))


def _rows(part: int, steps: Steps, parts: int) -> Kept:
    """Bin by bin, so that what is alike lies together."""
    at, row = np.nonzero(steps.known_s.T > 0)
    known, total = (
        np.rint(each[row, at] * scale).astype(np.int64) for each, scale in ((steps.known_s, _MS), (steps.total, parts))
    )
    return Kept(np.full(len(at), part), steps.asset[row], at.astype(np.int64), known, total, np.zeros(len(at)))


def _steps(kept: Kept, part: int, parts: int) -> Steps:
    rows = _of(kept, part)
    told = kept.asset[rows].astype(np.int64)
    # Numbers of assets are small: a table of them is made faster than a million of them are sorted.
    there = np.zeros(int(told.max(initial=0)) + 1, np.bool_)
    there[told] = True
    asset, row, at = np.flatnonzero(there), (np.cumsum(there) - 1)[told], kept.at[rows]
    known_s, total = np.zeros((2, len(asset), BINS))
    known_s[row, at], total[row, at] = kept.known[rows] / _MS, kept.total[rows] / parts
    return Steps(asset, known_s, total)


def _meters(kept: Kept) -> Told:
    rows = _of(kept, _METER)
    asset, at_us, value = kept.asset[rows].astype(np.int64), kept.at[rows].astype(np.int64), kept.value[rows]
    order = np.lexsort((at_us, asset))
    return Told(asset[order], at_us[order], value[order])


def _of(kept: Kept, part: int) -> Mask:
    """The rows of a part."""
    return kept.part == part


def runs(starts: Sequence[int], nights: Sequence[int]) -> list[tuple[int, int]]:
    """Which of some nights begin at these instants, as the first and the last row of each that follow each other.
    nights: when all of them begin, in their order."""
    known = set(starts)
    found: list[tuple[int, int]] = []
    for row, start_us in enumerate(nights):
        if start_us in known:
            follows = bool(found) and found[-1][1] == row - 1
            found[-1:] = [(found[-1][0], row)] if follows else [*found[-1:], (row, row)]
    return found
