"""Student's distribution (W. S. Gosset, "The probable error of a mean", Biometrika 6, 1908): how wide an interval of a
mean is, when all that is known of the scatter are the values themselves."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_ROUNDS = 300
"""What the continued fraction needs of terms grows with the root of the degrees of freedom: enough for thousands."""

_NORMAL_FROM = 10_000.0
"""From so many degrees of freedom on the normal distribution differs by less than 0.0005 of a standard deviation."""

_TINY = 1e-300


@lru_cache(1_024)
def student(freedom: float, share: float = 0.95) -> float:
    """How many standard errors around a mean hold it with this chance, both sides together.

    freedom: degrees of freedom, whole or not; raises ValueError for none. Solved from the distribution function
    (Abramowitz and Stegun 26.7.1, by the incomplete beta function, 26.5.8), to 1e-9 of itself.
    """
    if not freedom > 0:
        raise ValueError(f"{freedom} degrees of freedom say nothing of a scatter")
    if freedom > _NORMAL_FROM:
        return NormalDist().inv_cdf(0.5 + share / 2)
    low, high = 0.0, 1.0
    while _beyond(high, freedom) > 1 - share:
        low, high = high, 2 * high
    while high - low > 1e-10 * high:
        middle = (low + high) / 2
        if _beyond(middle, freedom) > 1 - share:
            low = middle
        else:
            high = middle
    return high


def _beyond(errors: float, freedom: float) -> float:
    """The chance to lie further from the middle than so many standard errors, on either side."""
    part = freedom / (freedom + errors * errors)
    # The fraction converges quickly on one side of its middle; the function mirrors itself around it.
    if part < (freedom / 2 + 1) / (freedom / 2 + 2.5):
        return _beta(part, freedom / 2, 0.5)
    return 1 - _beta(1 - part, 0.5, freedom / 2)


def _beta(x: float, a: float, b: float) -> float:
    """The incomplete beta function I_x(a, b), by its continued fraction (modified Lentz)."""
    if x <= 0:
        return 0.0
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    numerator, denominator, value = 1.0, 0.0, 1.0
    for term in range(_ROUNDS):
        n = term // 2
        if term == 0:
            factor = 1.0
        elif term % 2 == 0:
            factor = n * (b - n) * x / ((a + 2 * n - 1) * (a + 2 * n))
        else:
            factor = -(a + n) * (a + b + n) * x / ((a + 2 * n) * (a + 2 * n + 1))
        denominator = 1 / (1 + factor * denominator or _TINY)
        numerator = 1 + factor / numerator or _TINY
        step = numerator * denominator
        value *= step
        if term and abs(step - 1) < 1e-14:
            break
    return math.exp(scale) / a * (value - 1)
