"""How near a simulated count is to the one observed, as traffic engineers say it.

The statistic of G. E. Havers: GEH = sqrt(2 (M - C)^2 / (M + C)), M and C being vehicles an hour as modelled and as
counted. A model is taken for valid where it is below 5 for 85 % of the counts (UK Department for Transport, TAG unit
M3.1, section on link flow validation; before that DMRB volume 12).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

OK_BELOW = 5.0
SHARE_MIN = 0.85


def geh(modelled_h: float, counted_h: float) -> float:
    """The GEH of two numbers of vehicles an hour; 0 where both are none."""
    both_h = modelled_h + counted_h
    return sqrt(2 * (modelled_h - counted_h) ** 2 / both_h) if both_h > 0 else 0.0


def met_share(gehs: Sequence[float]) -> float:
    """Which share of the counts is met; 1 of none."""
    return sum(each < OK_BELOW for each in gehs) / len(gehs) if gehs else 1.0
