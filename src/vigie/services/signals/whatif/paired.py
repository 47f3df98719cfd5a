"""Two ways to run the same days, day by day: the mean of the differences, and how sure it is.

Each seed is a day: who sets out when, and who drives how. Both ways have the same days, so what one day has in excess
of another is in both and goes out of their difference. Of n differences with the mean m and the standard deviation s
the true mean lies within m +- t s / sqrt(n) with a chance of 95 %, t being Student's at n - 1 degrees of freedom
(NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.2, of the differences of pairs).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from math import sqrt
from statistics import fmean, stdev

import msgspec

from vigie.core.student import student

DIGITS = 4
"""What is told is told with so many digits after the point."""

SEEDS_MIN = 2
"""One day has no scatter: of it alone nothing can be said that is sure."""


class Says(StrEnum):
    """What the interval of a difference says, where less is better."""

    BETTER = "better"
    WORSE = "worse"
    OPEN = "cannot be told apart"
    SAME = "the same"
    ONE_SEED = "one seed cannot tell"


class Paired(msgspec.Struct, frozen=True):
    """Before and after in pairs. difference: after less before. low, high: the ends of its 95 % interval, None of one
    seed. share_percent: the difference in before's, None where that is 0. worst_seed: where after lost most."""

    seeds: int
    before: float
    after: float
    difference: float
    low: float | None
    high: float | None
    share_percent: float | None
    worst_seed: int
    says: Says


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Within which the mean lies with a chance of 95 %; None of fewer than two values."""
    if len(values) < SEEDS_MIN:
        return None
    middle, off = fmean(values), student(len(values) - 1) * stdev(values) / sqrt(len(values))
    return middle - off, middle + off


def paired(seeds: Sequence[int], before: Sequence[float], after: Sequence[float]) -> Paired:
    """Sets what came of each seed before beside what came of it after. Raises ValueError for no seed, or for lists of
    different lengths."""
    if not seeds:
        raise ValueError("of no seed there is nothing to compare")
    differences = [new - old for old, new in zip(before, after, strict=True)]
    was, difference, ends = fmean(before), fmean(differences), interval(differences)
    worst = max(zip(differences, seeds, strict=True), key=lambda each: each[0])[1]
    return Paired(
        seeds=len(seeds),
        before=round(was, DIGITS),
        after=round(fmean(after), DIGITS),
        difference=round(difference, DIGITS),
        low=round(ends[0], DIGITS) if ends else None,
        high=round(ends[1], DIGITS) if ends else None,
        share_percent=round(100 * difference / was, DIGITS) if was else None,
        worst_seed=worst,
        says=_says(differences, ends),
    )


def _says(differences: Sequence[float], ends: tuple[float, float] | None) -> Says:
    if ends is None:
        return Says.ONE_SEED
    if not any(differences):
        return Says.SAME
    if ends[1] < 0:
        return Says.BETTER
    return Says.WORSE if ends[0] > 0 else Says.OPEN
