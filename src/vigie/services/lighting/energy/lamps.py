"""What each lamp used in some nights, from what it told; where it was silent, from its programme.

A night goes from noon to noon, in bins of half an hour. In each bin a lamp was heard for so many seconds and drew so
much in them; for the rest of the bin it is taken to follow its programme, drawing what is usual for it: what it drew
when it was heard, over what its programme made of the same time. A lamp that was hardly heard draws its rated power.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vigie.core.observations import Floats, Int64s
from vigie.core.past import Steps
from vigie.core.times import HOUR_US, SECOND_US
from vigie.services.lighting.energy.heard import BIN_US, BINS, Heard
from vigie.services.lighting.power import expected_w
from vigie.services.lighting.programmes.layers import Layer, Sunlit, groups, schedule
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.park import Park
from vigie.services.lighting.programmes.year import Tariff

USUAL_H = 1.0
"""So long at full light a lamp was heard at least, for what is usual for it to be known."""


@dataclass(frozen=True)
class Lamps:
    """What each lamp of a park used, in rows.

    kwh, off_kwh: in all, and of it in off-peak hours. filled_kwh: of it, what was not heard. known_h, dark_h: hours
    between its dusk and dawn, and of them those it was heard in. by_level: it told its level only, never its power.
    programme: the topmost that speaks for it, an index into the layers, -1 for none.
    """

    kwh: Floats
    off_kwh: Floats
    filled_kwh: Floats
    known_h: Floats
    dark_h: Floats
    by_level: np.ndarray
    programme: Int64s


class Sums:
    """Adds up nights, one after the other, so that no more than one is in memory."""

    def __init__(self, park: Park, layers: Sequence[Layer], nights: Nights, tariff: Tariff | None) -> None:
        self._park, self._nights = park, nights
        count = len(park)
        start_us, self._end_us = nights.bounds_us
        self._start_us = start_us
        bins = start_us[:, None] + np.arange(BINS + 1) * BIN_US
        self._bins_us = np.minimum(bins, self._end_us[:, None])
        """The edges of the bins of each night."""
        self._off = np.zeros((len(nights), BINS))
        if tariff is not None:
            for first_us, last_us in zip(
                *(each.T for each in nights.hours_us(tariff.off_peak_from, tariff.off_peak_to)), strict=True
            ):
                self._off += _overlap(first_us[:, None], last_us[:, None], self._bins_us) / BIN_US
        self._group, self.programme = np.zeros(count, np.int64), np.full(count, -1, np.int64)
        found, sunlit = groups(park, layers), Sunlit(nights)
        self._share_h, self._dark_h = np.zeros((2, max(1, len(found)), len(nights), BINS))
        for number, group in enumerate(found):
            self._group[group.rows] = number
            self.programme[group.rows] = group.layers[-1] if group.layers else -1
            plan = schedule(group, layers, sunlit)
            inside = _overlap(plan.start_us[:, None], plan.end_us[:, None], self._bins_us[plan.night]) / HOUR_US
            np.add.at(self._dark_h[number], plan.night, inside)
            drawn = expected_w(1.0, plan.level.astype(np.float64))
            np.add.at(self._share_h[number], plan.night, inside * drawn[:, None])
        self._heard_wh, self._heard_off_wh, self._at_night_wh, self._at_night_h = np.zeros((4, count))
        self._missing_h, self._missing_off_h, self._known_h, self._dark_sum_h = np.zeros((4, count))
        self._told_power, self._told_level = np.zeros((2, count), np.bool_)

    def add(self, night: int, power: Steps, level: Steps) -> None:
        """What lamps told in a night: their power, and the share of it by their level (`heard.LEVEL`) for those that
        told no power."""
        park = self._park
        known_s, joules = power.at(park.no)
        silent = np.flatnonzero(~known_s.any(1))
        self._told_power |= known_s.any(1)
        if len(silent):
            more_s, share_s = level.at(park.no[silent])
            known_s[silent] = more_s
            joules[silent] = share_s * np.nan_to_num(park.rated_w[silent])[:, None]
            self._told_level[silent] |= more_s.any(1)
        bins_s = np.diff(self._bins_us[night]) / SECOND_US
        known = np.divide(known_s, bins_s, out=np.zeros_like(known_s), where=bins_s > 0).clip(0, 1)
        wh = joules / 3_600
        off, share_h, dark_h = self._off[night], self._share_h[self._group, night], self._dark_h[self._group, night]
        self._heard_wh += wh.sum(1)
        self._heard_off_wh += wh @ off
        self._at_night_wh += (wh * (share_h > 0)).sum(1)
        self._at_night_h += (share_h * known).sum(1)
        missing_h = share_h * (1 - known)
        self._missing_h += missing_h.sum(1)
        self._missing_off_h += missing_h @ off
        self._known_h += (dark_h * known).sum(1)
        self._dark_sum_h += dark_h.sum(1)

    def lamps(self) -> Lamps:
        """All nights that were added."""
        usual = self._at_night_h >= USUAL_H
        rated_w = np.nan_to_num(self._park.rated_w)
        watts = np.where(usual, self._at_night_wh / np.maximum(self._at_night_h, USUAL_H), rated_w)
        filled_wh, filled_off_wh = watts * self._missing_h, watts * self._missing_off_h
        return Lamps(
            kwh=(self._heard_wh + filled_wh) / 1_000,
            off_kwh=(self._heard_off_wh + filled_off_wh) / 1_000,
            filled_kwh=filled_wh / 1_000,
            known_h=self._known_h,
            dark_h=self._dark_sum_h,
            by_level=self._told_level & ~self._told_power,
            programme=self.programme,
        )


def lamps_of(park: Park, layers: Sequence[Layer], nights: Nights, tariff: Tariff | None, heard: Heard) -> Lamps:
    """What each lamp used in some nights. Raises TooLong, Unanswerable."""
    sums = Sums(park, layers, nights, tariff)
    for night, (start_us, end_us) in enumerate(zip(*(each.tolist() for each in nights.bounds_us), strict=True)):
        sums.add(night, *heard.lamps(park.no, start_us, end_us))
    return sums.lamps()


def _overlap(start_us: Int64s, end_us: Int64s, edges_us: Int64s) -> Floats:
    """How much of each interval (rows) lies in each bin (columns)."""
    return np.maximum(np.minimum(end_us, edges_us[:, 1:]) - np.maximum(start_us, edges_us[:, :-1]), 0).astype(float)
