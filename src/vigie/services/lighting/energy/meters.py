"""What the meters of cabinets counted in some nights and days, and what is the matter with them.

A meter tells an index that only grows, so what was counted while nobody heard it is not lost: it is in the next index.
Unknown is what lies before the first and after the last, and what a meter counted before it was replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.past import Told
from vigie.core.times import HOUR_US

BACK_KWH = 0.5
"""Less is a rounding, or two reports that came in the wrong order."""

HEARD_MIN = 0.5
"""What is known of less than half of the time is not reckoned with."""

BACK_AGAIN = 0.5
"""An index that fell, and makes good for so much of it in one step that it is where it was, had not fallen: what came
between was never counted. A new meter that grows past the index of the old one does so by its own small steps."""

GAPS_MIN = 0.02
"""So much that is filled in is said."""

GAP_US = 3 * HOUR_US
"""A meter that was not heard for so long has a gap; what it counted in it is known, when it did is not."""

REPORT_H = 0.25
"""Cabinets report each quarter of an hour; in less, the index may jump by its last digit."""

STUCK_US, STUCK_KWH = 20 * HOUR_US, 1.0
"""An index that stands still for so long, a night in it whenever it begins, in which its lamps used more than that, is
stuck. An index of few digits stands still by itself: it must be more than two of its smallest steps, too."""


@dataclass(frozen=True)
class Metered:
    """Of each cabinet, in the order they were asked for: what it counted (NaN where that cannot be told), the share of
    it in off-peak hours, the share of the time that its index spans, and what is the matter (`model.WHY`)."""

    kwh: Floats
    off_share: Floats
    known_share: Floats
    why: list[str]


@dataclass(frozen=True)
class Span:
    """The nights and days asked about, and their off-peak hours, one after the other."""

    start_us: int
    end_us: int
    off_start_us: Int64s
    off_end_us: Int64s

    def off_us(self, start_us: Int64s, end_us: Int64s) -> Floats:
        """How much of each interval is off-peak, in microseconds."""
        return self._before(end_us) - self._before(start_us)

    def _before(self, at_us: Int64s) -> Floats:
        """Off-peak microseconds before each instant."""
        if not len(self.off_start_us):
            return np.zeros(len(at_us))
        length = self.off_end_us - self.off_start_us
        whole = np.concatenate([[0], np.cumsum(length)])
        row = np.searchsorted(self.off_start_us, at_us, side="right")
        inside = np.clip(at_us - self.off_start_us[np.maximum(row - 1, 0)], 0, length[np.maximum(row - 1, 0)])
        return whole[np.maximum(row - 1, 0)] + np.where(row > 0, inside, 0.0)


def metered(cabinets: Int64s, told: Told, span: Span, most_w: Floats, lamps_kwh: Floats) -> Metered:
    """What each cabinet counted.

    told: of the span, and of somewhat before and after it. most_w: what it can draw at most, NaN where unknown.
    lamps_kwh: what its lamps used by their own account, for telling a meter that stands still from a cabinet at which
    nothing burns.
    """
    count = len(cabinets)
    kwh, off, known = np.full(count, np.nan), np.zeros(count), np.zeros(count)
    why = ["no_meter"] * count
    first = np.searchsorted(told.asset, cabinets, side="left")
    after = np.searchsorted(told.asset, cabinets, side="right")
    for row in range(count):
        rows = slice(int(first[row]), int(after[row]))
        at_us, index = told.observed_us[rows], told.value[rows]
        if len(at_us):
            kwh[row], off[row], known[row], why[row] = _one(
                at_us, index, span, float(most_w[row]), float(lamps_kwh[row])
            )
    return Metered(kwh, off, known, why)


def _one(at_us: Int64s, index: Floats, span: Span, most_w: float, lamps_kwh: float) -> tuple[float, float, float, str]:
    """kWh, off-peak share, known share and what is the matter, of one meter."""
    length_us = span.end_us - span.start_us
    sound = _sound(index)
    at_us, index = at_us[sound], index[sound]
    since_us, until_us, step = at_us[:-1], at_us[1:], np.diff(index)
    back = step < -BACK_KWH
    # Of what was counted across the edge of the span, the part of the time that lies in it.
    start_us, end_us = np.maximum(since_us, span.start_us), np.minimum(until_us, span.end_us)
    inside = (end_us > start_us) & ~back
    since_us, until_us, step = since_us[inside], until_us[inside], np.maximum(step[inside], 0.0)
    start_us, end_us = start_us[inside], end_us[inside]
    known = float((end_us - start_us).sum()) / length_us
    if known < HEARD_MIN:
        return np.nan, 0.0, known, "silent"
    hours = (until_us - since_us) / HOUR_US
    if (step * 1_000 > 1.1 * most_w * np.maximum(hours, REPORT_H)).any():
        return np.nan, 0.0, known, "meter_wrong"
    if _stuck(at_us, index, lamps_kwh / length_us):
        return np.nan, 0.0, known, "meter_stuck"
    counted = step * (end_us - start_us) / (until_us - since_us)
    off_kwh = float((counted * span.off_us(start_us, end_us) / (end_us - start_us)).sum())
    kwh = float(counted.sum())
    late = 1 - known > GAPS_MIN or bool((until_us - since_us > GAP_US).any())
    why = "meter_went_back" if back.any() else "gaps" if late else ""
    # What is not known is as what is: nights and days are missing alike as far as anybody can tell.
    return kwh / known, off_kwh / kwh if kwh > 0 else 0.0, known, why


def _sound(index: Floats) -> Mask:
    """Which of the indexes a meter showed: not those between a fall and its return to where it was."""
    sound = np.ones(len(index), np.bool_)
    for at in np.flatnonzero(np.diff(index) < -BACK_KWH).tolist():
        if not sound[at]:
            continue
        again = at + 1 + np.flatnonzero(index[at + 1 :] >= index[at] - BACK_KWH)[:1]
        fell = index[at] - index[at + 1]
        if len(again) and index[again[0]] - index[again[0] - 1] >= BACK_AGAIN * fell:
            sound[at + 1 : again[0]] = False
    return sound


def _stuck(at_us: Int64s, index: Floats, lamps_kwh_us: float) -> bool:
    """Whether the index stood still in reports of so long a time, in which lamps burnt. lamps_kwh_us: what they used
    in each microsecond, on the whole."""
    step = np.diff(index)
    moved = np.flatnonzero(step > 0)
    edges = np.concatenate([[0], moved + 1, [len(index)]])
    longest_us = max(int(at_us[b - 1] - at_us[a]) for a, b in pairwise(edges.tolist()))
    least_kwh = max(STUCK_KWH, 2 * float(step[moved].min())) if len(moved) else STUCK_KWH
    return longest_us >= STUCK_US and lamps_kwh_us * longest_us > least_kwh
