"""Failure rates of many batches at once, each with an interval, where most batches have few failures or none.

A batch's failures are counted over its exposure in years (Poisson), and the rates of all batches are taken to scatter
as a gamma distribution, whose mean and spread are estimated from the batches themselves by moments. Each batch's rate
is then the gamma distribution (shape + failures, rate + exposure): a batch of ten lamps with one failure is drawn to
the town's rate, one of a thousand with a hundred is not. This is the empirical Bayes of D. P. Gaver and I. G.
O'Muircheartaigh (Technometrics 29, 1987); the moments are those of R. J. Marshall (Applied Statistics 40, 1991). That
the town's own rate is an estimate widens each interval, as C. N. Morris has it (JASA 78, 1983).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.observations import Floats

Z_90 = 1.6449
"""Of the normal distribution, 5 % lie above it: between both ends of an interval lie nine tenths."""
_STEADY = 1e6
"""The prior shape where the batches scatter no more than chance: all have the town's rate."""


@dataclass(frozen=True)
class Rates:
    """Failures a lamp and year of each batch: what is likeliest on the whole, and where nine tenths of the probability
    lie. town: of all together."""

    mean: Floats
    low: Floats
    high: Floats
    town: float


def rates(failures: Floats, exposure_years: Floats) -> Rates:
    """The rates of some batches; exposure is above zero for each of them."""
    total, years = float(failures.sum()), float(exposure_years.sum())
    # Half a failure more than none: a town that has seen no failure yet is no town without failures.
    town = max(total, 0.5) / years
    raw = failures / exposure_years
    scatter = float((exposure_years * (raw - town) ** 2).sum()) / years - town / (years / len(failures))
    shape = min(_STEADY, town**2 / scatter) if scatter > 0 else _STEADY
    rate_of = shape / town + exposure_years
    mean = (shape + failures) / rate_of
    # Each is drawn to the town's rate, which is no surer than the failures that it was counted from.
    drawn = shape / town / rate_of
    shape_of = mean**2 / (mean / rate_of + drawn**2 * town / years)
    low, high = (gamma_quantile(shape_of, z) * mean / shape_of for z in (-Z_90, Z_90))
    return Rates(mean, low, high, town)


def gamma_quantile(shape: Floats, z: float) -> Floats:
    """The quantile of the gamma distribution of scale 1 at which the normal one has z, by the cube root of E. B.
    Wilson and M. M. Hilferty (PNAS 17, 1931): within 2 % from a shape of two and a half on; at a shape of one the low
    end is a quarter too low. Never below zero."""
    root = 1 - 1 / (9 * shape) + z / (3 * np.sqrt(shape))
    return shape * np.maximum(root, 0.0) ** 3
