"""The next hour's traffic at each detector: what is usual then, and what is left of how today differs from it.

Today's differences are the detector's own in the last two hours and at this hour yesterday, and the whole town's: a day
on which all of it is quiet, a detector that fell silent an hour ago still hears of. How much each of them says about
the next hour is learned from the days that are known, by least absolute deviations (reweighted least squares:
Schlossmacher, "An iterative technique for absolute deviations curve fitting", JASA 68, 1973): an accident counts once,
and no more.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from vigie.core.observations import Floats, Int64s
from vigie.services.signals.flow.usual import HOURS, usual

DAYS_MIN = 14
"""So many days are to be known before anything is foretold: two of each day of the week, of which one is learned
from."""

LEARNED_AFTER_DAYS = 7
FEW_AN_HOUR = 20.0
"""Where less is usual, a difference is set against so much."""

RATIO = (0.2, 4.0)
"""How much more or less traffic the next hour usually has than this one, at the most."""

ROUNDS = 15
LITTLE = 0.01
"""Residuals, as a share of a detector's mean, below which all count alike."""

RIDGE = 1e-5
BETWEEN = (0.1, 0.9)
"""The interval that is told holds four hours of five."""


class TooFewDays(ValueError):
    """There are not yet enough days to learn from. known, wanted: how many."""

    def __init__(self, known: int, wanted: int = DAYS_MIN) -> None:
        super().__init__(f"{known} days of counts are known, {wanted} are needed")
        self.known, self.wanted = known, wanted


@dataclass(frozen=True, slots=True)
class Learned:
    """What the differences say: a weight for each of them. below, above: the interval's ends about a forecast, as
    multiples of the root of what is forecast."""

    weights: Floats
    below: float
    above: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Vehicles in the next hour, by detector: the middle, and the ends of an interval that holds four of five. NaN for
    a detector of which too little is known."""

    vehicles: Floats
    low: Floats
    high: Floats


def learn(counts: Floats, days: Int64s, public: AbstractSet[int]) -> Learned:
    """Learns from some days, (day, 24, detector). days: their numbers since the epoch, one after the other. public: the
    public holidays among them. Raises TooFewDays."""
    if len(days) < DAYS_MIN:
        raise TooFewDays(len(days))
    expected, differences = _seen(counts, usual(counts, days, public))
    there = _flat(counts)
    scale = np.maximum(_mean(there), FEW_AN_HOUR)
    known = ~np.isnan(there - expected)
    known[: LEARNED_AFTER_DAYS * HOURS] = False
    if not known.any():
        raise TooFewDays(0)
    x = (differences / scale[None, :, None])[known]
    y = ((there - expected) / scale)[known]
    weights = _least_deviations(x, y)
    foretold = _foretold(expected, differences, weights)
    off = ((there - foretold) / _spread(foretold))[known]
    below, above = np.quantile(off, BETWEEN)
    return Learned(weights, float(below), float(above))


def forecasts(learned: Learned, counts: Floats, days: Int64s, public: AbstractSet[int]) -> Forecast:
    """What would have been foretold of every hour of these days, an hour before it began; rows are hours, (day * 24,
    detector). The last hour may be one that is still to come, and unknown."""
    expected, differences = _seen(counts, usual(counts, days, public))
    vehicles = _foretold(expected, differences, learned.weights)
    spread = _spread(vehicles)
    low = np.maximum(vehicles + learned.below * spread, 0.0)
    return Forecast(vehicles, low, vehicles + learned.above * spread)


def _seen(counts: Floats, expected: Floats) -> tuple[Floats, Floats]:
    """What was usual at each hour, (hour, detector), and what could be seen of today an hour before it, (hour,
    detector, difference): vehicles."""
    there, usually = _flat(counts), _flat(expected)
    off = there - usually
    relative = off / np.maximum(usually, FEW_AN_HOUR)
    town = np.zeros(len(off))
    heard = ~np.isnan(relative).all(1)
    town[heard] = np.nanmedian(relative[heard], 1)
    ratio = np.clip(usually / np.maximum(_ago(usually, 1), FEW_AN_HOUR / 2), *RATIO)
    last = _ago(off, 1)
    columns = [
        last, _ago(off, 2), ratio * last, usually * _ago(town[:, None], 1), usually * _ago(town[:, None], 2),
        _ago(off, HOURS),
    ]  # fmt: skip
    return usually, np.nan_to_num(np.stack(columns, -1))


def _ago(values: Floats, hours: int) -> Floats:
    earlier = np.full(values.shape, np.nan)
    earlier[hours:] = values[:-hours]
    return earlier


def _flat(counts: Floats) -> Floats:
    return counts.reshape(-1, counts.shape[2])


def _mean(there: Floats) -> Floats:
    known = ~np.isnan(there)
    total: Floats = np.where(known, there, 0.0).sum(0)
    return total / np.maximum(known.sum(0), 1)


def _least_deviations(x: Floats, y: Floats) -> Floats:
    weights = _least_squares(x, y, np.ones(len(y)))
    for _ in range(ROUNDS):
        weights = _least_squares(x, y, 1 / np.maximum(np.abs(y - x @ weights), LITTLE))
    return weights


def _least_squares(x: Floats, y: Floats, weight: Floats) -> Floats:
    of_x = x * weight[:, None]
    found: Floats = np.linalg.solve(of_x.T @ x + RIDGE * len(y) * np.eye(x.shape[1]), of_x.T @ y).astype(np.float64)
    return found


def _foretold(expected: Floats, differences: Floats, weights: Floats) -> Floats:
    foretold: Floats = np.maximum(expected + differences @ weights, 0.0)
    return foretold


def _spread(vehicles: Floats) -> Floats:
    """Counts scatter about as the root of their size, and no detector less than a few vehicles."""
    spread: Floats = np.sqrt(np.maximum(vehicles, FEW_AN_HOUR))
    return spread
