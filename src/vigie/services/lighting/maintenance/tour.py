"""The round that mends most for the least travel within a crew's hours: an orienteering problem (T. Tsiligirides,
Journal of the Operational Research Society 35, 1984), solved well enough and always alike.

Three first rounds are made (by worth for the time that a stop costs, by worth alone, to the nearest), each is
shortened (2-opt, or-opt), filled with what fits now, and stops are exchanged for worthier ones, until nothing is
gained. The best is kept: most worth, then least time. Nothing is left to chance or to a clock, so that the same faults
give the same round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vigie.core.arrays import ints
from vigie.core.observations import Floats, Int64s

PASSES_MAX = 30
_TINY = 1e-9


@dataclass(frozen=True)
class Job:
    """What could be mended. travel_min: minutes between any two places, the crew's own as the last row and column.
    work_min, worth: of each stop. hours_min: from leaving to being back."""

    travel_min: Floats
    work_min: Floats
    worth: Floats
    hours_min: float

    @property
    def home(self) -> int:
        """The row of where the crew begins and ends."""
        return len(self.work_min)

    def length(self, tour: Sequence[int]) -> float:
        """The minutes of a round, from leaving to being back."""
        if not tour:
            return 0.0
        way = np.array([self.home, *tour, self.home])
        return float(self.travel_min[way[:-1], way[1:]].sum() + self.work_min[list(tour)].sum())

    def value(self, tour: Sequence[int]) -> float:
        """What a round is worth."""
        return float(self.worth[list(tour)].sum())


def best_tour(job: Job) -> list[int]:
    """The stops of a round in their order; none where none fits."""
    firsts = (_filled(job, [], _by_share), _filled(job, [], _by_worth), _nearest(job))
    tours = [_improved(job, first) for first in firsts]
    best = max(tours, key=lambda tour: (round(job.value(tour), 6), -round(job.length(tour), 6)))
    # As long in both directions: the one in which what is worth most waits least.
    return min(best, best[::-1], key=lambda tour: round(_waited(job, tour), 6))


def _waited(job: Job, tour: Sequence[int]) -> float:
    """Minutes until each stop is mended, weighed by its worth."""
    way = np.array([job.home, *tour], np.int64)
    mended = np.cumsum(job.travel_min[way[:-1], way[1:]] + job.work_min[way[1:]]) if tour else np.zeros(0)
    return float((job.worth[list(tour)] * mended).sum())


def _by_share(worth: Floats, extra_min: Floats) -> Floats:
    return worth / np.maximum(extra_min, _TINY)


def _by_worth(worth: Floats, extra_min: Floats) -> Floats:
    return worth - extra_min * 1e-6


def _filled(job: Job, tour: list[int], rank: Callable[[Floats, Floats], Floats]) -> list[int]:
    """A round with more stops, the best by rank first, each where it costs least, as long as any fits."""
    tour, left = list(tour), np.setdiff1d(np.arange(job.home), tour)
    used = job.length(tour)
    while len(left):
        extra, where = _cheapest(job, tour, left)
        fits = used + extra <= job.hours_min + _TINY
        if not fits.any():
            break
        pick = int(np.argmax(np.where(fits, rank(job.worth[left], extra), -np.inf)))
        tour.insert(int(where[pick]), int(left[pick]))
        used = job.length(tour)
        left = np.delete(left, pick)
    return tour


def _cheapest(job: Job, tour: Sequence[int], stops: Int64s) -> tuple[Floats, Int64s]:
    """What each stop adds to a round at the least, and in which place."""
    way = np.array([job.home, *tour, job.home])
    before, after = way[:-1], way[1:]
    detour = job.travel_min[before][:, stops] + job.travel_min[after][:, stops] - job.travel_min[before, after][:, None]
    where = np.argmin(detour, axis=0)
    return detour[where, np.arange(len(stops))] + job.work_min[stops], where


def _nearest(job: Job) -> list[int]:
    """Always on to the nearest that still fits."""
    tour: list[int] = []
    left = np.arange(job.home)
    here = job.home
    while len(left):
        order = left[np.argsort(job.travel_min[here, left], kind="stable")]
        stop = next((each for each in ints(order) if job.length([*tour, each]) <= job.hours_min + _TINY), None)
        if stop is None:
            break
        tour.append(stop)
        here, left = stop, left[left != stop]
    return tour


def _improved(job: Job, tour: list[int]) -> list[int]:
    for _ in range(PASSES_MAX):
        before = (job.value(tour), job.length(tour))
        tour = _exchanged(job, _filled(job, _shortened(job, tour), _by_share))
        value, length = job.value(tour), job.length(tour)
        if value < before[0] + _TINY and length > before[1] - _TINY:
            break
    return _shortened(job, tour)


def _shortened(job: Job, tour: list[int]) -> list[int]:
    """The same stops in a shorter order: parts turned round (2-opt), and parts of one to three moved (or-opt)."""
    tour = list(tour)
    for _ in range(PASSES_MAX):
        shorter = _turned(job, tour) or _moved(job, tour)
        if shorter is None:
            break
        tour = shorter
    return tour


def _turned(job: Job, tour: list[int]) -> list[int] | None:
    """With the part turned round that gains most; None where none gains. Ways are as long in both directions."""
    way = np.array([job.home, *tour, job.home])
    first, last = np.triu_indices(len(tour), 1)
    if not len(first):
        return None
    travel = job.travel_min
    cut = travel[way[first], way[first + 1]] + travel[way[last + 1], way[last + 2]]
    joined = travel[way[first], way[last + 1]] + travel[way[first + 1], way[last + 2]]
    best = int(np.argmax(cut - joined))
    if cut[best] - joined[best] <= _TINY:
        return None
    a, b = int(first[best]), int(last[best])
    return [*tour[:a], *reversed(tour[a : b + 1]), *tour[b + 1 :]]


def _moved(job: Job, tour: list[int]) -> list[int] | None:
    """With the first part moved that gains; None where none does."""
    length = job.length(tour)
    for size in (1, 2, 3):
        for start in range(len(tour) - size + 1):
            part, rest = tour[start : start + size], tour[:start] + tour[start + size :]
            way = np.array([job.home, *rest, job.home])
            joins = (
                job.travel_min[way[:-1], part[0]]
                + job.travel_min[part[-1], way[1:]]
                - job.travel_min[way[:-1], way[1:]]
            )
            where = int(np.argmin(joins))
            found = [*rest[:where], *part, *rest[where:]]
            if job.length(found) < length - _TINY:
                return found
    return None


def _exchanged(job: Job, tour: list[int]) -> list[int]:
    """With one stop given up for worthier ones, where that gains."""
    best, worth = tour, job.value(tour)
    for at in range(len(tour)):
        without = tour[:at] + tour[at + 1 :]
        left = np.setdiff1d(np.arange(job.home), tour)
        if not len(left):
            break
        extra, where = _cheapest(job, without, left)
        fits = job.length(without) + extra <= job.hours_min + _TINY
        gain = np.where(fits, job.worth[left], -np.inf)
        pick = int(np.argmax(gain))
        if job.value(without) + gain[pick] > worth + _TINY:
            best = [*without[: int(where[pick])], int(left[pick]), *without[int(where[pick]) :]]
            worth = job.value(best)
    return best
