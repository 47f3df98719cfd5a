"""Green waves: the offsets of a corridor's junctions by which as many as may be drive through in both directions.

The band of a direction is the part of a cycle in which whoever passes the first stop line meets nothing but green, at
the speed of the wave (J. T. Morgan and J. D. C. Little, Synchronizing Traffic Signals for Maximal Bandwidth, Operations
Research 12, 1964). Offsets are sought one junction at a time, from several beginnings, as long as anything becomes
better; cycles are of whole seconds, so that each offset can be looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vigie.core.observations import Int64s, Mask
from vigie.services.signals.control.site import Plan

ROUNDS_MAX = 20


@dataclass(frozen=True, slots=True)
class Crossing:
    """A junction of a corridor. there, back: the groups that let pass who drives along it, empty where nobody may.
    there_s, back_s: how long one drives to it from the first junction, and from it to the first."""

    plan: Plan
    there: frozenset[int]
    back: frozenset[int]
    there_s: int
    back_s: int


@dataclass(frozen=True, slots=True)
class Wave:
    """offsets_s: of each plan, the first of `wave` is 0. there_s, back_s: the bands, in seconds of the cycle."""

    offsets_s: tuple[int, ...]
    cycle_s: int
    there_s: int
    back_s: int


def wave(crossings: Sequence[Crossing], there: float = 1.0, back: float = 1.0) -> Wave:
    """The offsets with the widest bands. there, back: what a second of each band is worth: who drives, for instance.

    Raises ValueError where there is no junction, or their cycles are not the same.
    """
    corridor = _Corridor(crossings, there, back)
    best = max((corridor.improved(start) for start in corridor.starts()), key=corridor.worth)
    offsets = (best - best[0]) % corridor.cycle_s
    there_s, back_s = corridor.bands(offsets)
    return Wave(tuple(int(each) for each in offsets), corridor.cycle_s, there_s, back_s)


def wave_as_it_is(crossings: Sequence[Crossing]) -> Wave:
    """The bands of plans with the offsets that they have. Raises ValueError as `wave` does."""
    corridor = _Corridor(crossings, 1.0, 1.0)
    offsets = np.array([each.plan.offset_s for each in crossings]) % corridor.cycle_s
    return Wave(tuple(int(each) for each in offsets), corridor.cycle_s, *corridor.bands(offsets))


class _Corridor:
    """there, back: who passes each stop line green, (junction, second), as the seconds are counted at the first
    junction by who drives that way."""

    def __init__(self, crossings: Sequence[Crossing], there: float, back: float) -> None:
        cycles = {each.plan.cycle_s for each in crossings}
        if len(cycles) != 1:
            raise ValueError(f"a wave needs one cycle; there are {sorted(cycles)}")
        self.cycle_s = cycle_s = cycles.pop()
        self._weights = there, back
        self._greens = (
            np.array([_green(each.plan, each.there, each.there_s) for each in crossings]),
            np.array([_green(each.plan, each.back, -each.back_s) for each in crossings]),
        )
        self._second = np.arange(cycle_s)

    def starts(self) -> list[Int64s]:
        """Where to begin: a wave there, a wave back, all at once."""
        count = len(self._greens[0])
        perfect = [np.array([-_middle(row) for row in greens]) % self.cycle_s for greens in self._greens]
        return [*perfect, np.zeros(count, np.int64)]

    def improved(self, offsets: Int64s) -> Int64s:
        """The best that is reached by changing one junction at a time."""
        now = offsets.copy()
        for _ in range(ROUNDS_MAX):
            before = self.worth(now)
            for at in range(1, len(now)):
                tried = np.repeat(now[None, :], self.cycle_s, 0)
                tried[:, at] = self._second
                now = max(tried, key=self.worth)
            if self.worth(now) <= before:
                break
        return now

    def worth(self, offsets: Int64s) -> tuple[float, float]:
        """What offsets are worth: the bands; and, among those of the same bands, the seconds in which neighbours are
        green together, which are all there is to go by where there is no band through all of them."""
        bands = links = 0.0
        for weight, greens in zip(self._weights, self._greens, strict=True):
            shifted = self._shifted(greens, offsets)
            bands += weight * _longest(_all(shifted))
            links += weight * float((shifted[1:] & shifted[:-1]).sum())
        return bands, links

    def bands(self, offsets: Int64s) -> tuple[int, int]:
        """The band there, and the band back."""
        there, back = (_longest(_all(self._shifted(greens, offsets))) for greens in self._greens)
        return there, back

    def _shifted(self, greens: Mask, offsets: Int64s) -> Mask:
        rows = np.arange(len(greens))[:, None]
        return greens[rows, (self._second[None, :] - offsets[:, None]) % self.cycle_s]


def _green(plan: Plan, groups: frozenset[int], after_s: int) -> Mask:
    """In which seconds one may leave the first junction and meet green here, with no offset."""
    green = np.array([bool(groups) and groups <= plan.greens(plan.offset_s + s) for s in range(plan.cycle_s)])
    return np.roll(green, -after_s)


def _all(greens: Mask) -> Mask:
    """In which seconds every row is green."""
    return np.logical_and.reduce(greens, axis=0, dtype=np.bool_)


def _longest(green: Mask) -> int:
    """The longest run of green seconds of a cycle, which goes round."""
    if green.all():
        return len(green)
    red = np.flatnonzero(~green)
    return int(np.diff(np.append(red, red[0] + len(green))).max() - 1)


def _middle(green: Mask) -> int:
    """The middle of the longest run of green."""
    red = np.flatnonzero(~green)
    if not len(red):
        return 0
    gaps = np.diff(np.append(red, red[0] + len(green)))
    at = int(gaps.argmax())
    return int(red[at] + gaps[at] // 2) % len(green)
