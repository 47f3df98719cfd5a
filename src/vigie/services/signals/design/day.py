"""A day cut into a few periods, each of which has a plan of its own: as few and as alike in themselves as pays.

What a plan is made for are a junction's critical flows: of each stage the fullest lane. A period's plan is made for
their mean, so what a cut costs is how far they are from it: the sum of the squares, times the hours; and a fixed cost
for each change of plan, in which a corridor loses its wave and each junction a part of a cycle. The best of all cuts is
found by dynamic programming (W. D. Fisher, On Grouping for Maximum Homogeneity, Journal of the American Statistical
Association 53, 1958; R. Bellman, On the Approximation of Curves by Line Segments Using Dynamic Programming,
Communications of the ACM 4, 1961). A whole day goes round: a period may go over midnight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vigie.core.observations import Floats, Int64s
from vigie.services.signals.control.site import Site
from vigie.services.signals.design.fixed import served_part

HOUR_S, DAY_S = 3_600, 86_400

PERIOD_S_MIN = HOUR_S
"""No period is shorter: a corridor takes minutes to be in step again."""

PERIODS_MIN, PERIODS_MAX = 1, 6
SLOTS_MAX = 288
"""Counts of five minutes."""

CHANGE_H = 100.0
"""A change of plan costs as much as an hour in which one critical flow is so many vehicles an hour from what its plan
was made for."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A time of a day in which was counted. flows_h: critical flows, in vehicles an hour; as many in each slot."""

    begin_s: int
    end_s: int
    flows_h: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """A time of a day with one plan. slots: those of which it is, by their place; where it goes over midnight its end
    is before its begin."""

    begin_s: int
    end_s: int
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """A day in periods, in their order. off_h: how far a critical flow is from what its plan was made for, in vehicles
    an hour, the root of the mean of the squares; whole_off_h: if one plan ran all day."""

    periods: tuple[Period, ...]
    off_h: float
    whole_off_h: float


def critical_h(site: Site, comes_h: Sequence[float]) -> tuple[float, ...]:
    """Of each stage of a junction's plan the flow of its fullest lane, in vehicles an hour. comes_h: by each of the
    site's approaches. Who has green in several stages comes in all of them in equal parts; who gives way counts for as
    much more as takes longer to go."""
    stages = list(dict.fromkeys(site.plan.stages))
    found = [0.0] * len(stages)
    for approach, comes in zip(site.approaches, comes_h, strict=True):
        parts = [served_part(site, approach, stage) for stage in stages]
        for at, part in enumerate(parts):
            if part:
                found[at] = max(found[at], comes / sum(parts))
    return tuple(found)


def cut(slots: Sequence[Slot], least: int = PERIODS_MIN, most: int = PERIODS_MAX, change_h: float = CHANGE_H) -> Cut:
    """The cut that costs least, into so many periods; into fewer where the time has no room for them.

    slots: one after the other, with no gap. Raises ValueError where they are not, are more than SLOTS_MAX or of more
    than a day, or none.
    """
    _need_fit(slots)
    count = len(slots)
    goes_round = slots[-1].end_s - slots[0].begin_s == DAY_S
    cost = _costs([*slots, *slots] if goes_round else slots)
    whole = float(_squares(slots)[0, count])
    found: dict[int, tuple[float, list[int]]] = {1: (whole, [0, count])}
    for start in range(count if goes_round else 1):
        own = cost[start : start + count + 1, start : start + count + 1]
        for number, (squares, ends) in _best(own, most).items():
            # In a day that goes round its last period changes to the first.
            total = squares + change_h**2 * (number if goes_round else number - 1)
            if number > 1 and (number not in found or total < found[number][0] - _TIE):
                found[number] = total, [start + end for end in ends]
    allowed = {number: each for number, each in found.items() if least <= number <= most} or {
        max(found): found[max(found)]
    }
    number = min(allowed, key=lambda each: (allowed[each][0], each))
    total, ends = allowed[number]
    changes = 0 if number == 1 else number if goes_round else number - 1
    hours = (slots[-1].end_s - slots[0].begin_s) / HOUR_S * max(1, len(slots[0].flows_h))
    periods = [_period(slots, range(begin, end)) for begin, end in pairwise(ends)]
    return Cut(
        tuple(sorted(periods, key=lambda each: each.begin_s)),
        float(np.sqrt(max(0.0, total - change_h**2 * changes) / hours)),
        float(np.sqrt(whole / hours)),
    )


_TIE = 1e-6


def mean_h(slots: Sequence[Slot], period: Period, of: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """The mean of something in a period, weighed by time. of: its values in each slot."""
    seconds = [slots[at].end_s - slots[at].begin_s for at in period.slots]
    rows = [of[at] for at in period.slots]
    return tuple(
        sum(value * own_s for value, own_s in zip(column, seconds, strict=True)) / sum(seconds)
        for column in zip(*rows, strict=True)
    )


def _period(slots: Sequence[Slot], places: Sequence[int]) -> Period:
    own = tuple(place % len(slots) for place in places)
    return Period(slots[own[0]].begin_s, slots[own[-1]].end_s, own)


def _need_fit(slots: Sequence[Slot]) -> None:
    if not slots or len(slots) > SLOTS_MAX:
        raise ValueError(f"a day is cut of 1 to {SLOTS_MAX} times in which was counted, not of {len(slots)}")
    if any(slot.end_s <= slot.begin_s for slot in slots) or slots[-1].end_s - slots[0].begin_s > DAY_S:
        raise ValueError("what is cut is a day at most, of times that end after they begin")
    for one, other in pairwise(slots):
        if one.end_s != other.begin_s or len(one.flows_h) != len(other.flows_h):
            raise ValueError(f"the counts up to {one.end_s} s are not followed by those of the same flows from then on")


def _squares(slots: Sequence[Slot]) -> Floats:
    """Of each run of slots, (first, behind the last), the squares of how far flows are from their mean in it, times the
    hours."""
    hours = np.array([slot.end_s - slot.begin_s for slot in slots]) / HOUR_S
    flows = np.array([slot.flows_h for slot in slots], np.float64).reshape(len(slots), -1)
    took = np.maximum(_between(hours), 1e-9)
    found = np.zeros_like(took)
    # Flow by flow: of a corridor's hundred in counts of five minutes all at once are hundreds of megabytes.
    for flow in flows.T:
        # From the mean of all: squares of small numbers lose fewer digits.
        off = flow - flow.mean()
        found += _between(hours * off**2) - _between(hours * off) ** 2 / took
    return np.maximum(0.0, found)


def _between(values: Floats) -> Floats:
    """Of each run, (first, behind the last), the sum of its values."""
    until = np.concatenate([[0.0], values.cumsum()])
    return until[None, :] - until[:, None]


def _costs(slots: Sequence[Slot]) -> Floats:
    """The same, without end where a run is none, or too short for a period."""
    passed_s = np.concatenate([[0], np.cumsum([slot.end_s - slot.begin_s for slot in slots])])
    fits = passed_s[None, :] - passed_s[:, None] >= PERIOD_S_MIN
    return np.where(fits, _squares(slots), np.inf)


def _best(cost: Floats, most: int) -> dict[int, tuple[float, list[int]]]:
    """Of each number of periods that there is room for: what the best cut from the first slot to the last costs, and
    where it cuts."""
    last = len(cost) - 1
    reached = cost[0]
    came: list[Int64s] = []
    found: dict[int, tuple[float, list[int]]] = {}
    for number in range(1, most + 1):
        if number > 1:
            further = reached[:, None] + cost
            came.append(further.argmin(0))
            reached = further.min(0)
        if np.isfinite(reached[last]):
            ends = [last]
            for back in reversed(came):
                ends.append(int(back[ends[-1]]))
            found[number] = float(reached[last]), [0, *reversed(ends)]
    return found
