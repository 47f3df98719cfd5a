"""The next hour: foretold from what was known before it began, and never more sure than it was right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.calendar import day_number
from vigie.core.observations import Floats, Int64s
from vigie.services.signals.flow.forecast import DAYS_MIN, TooFewDays, forecasts, learn
from vigie.services.signals.flow.usual import HOURS, weekdays_of

FIRST = day_number("2026-11-02")


def a_town(seed: int, days: int, detectors: int = 8) -> tuple[Floats, Int64s]:
    """Counts with a morning and an evening, quieter weekends, days that differ as a whole, and chance."""
    dice = np.random.default_rng(seed)
    numbers: Int64s = np.arange(FIRST, FIRST + days, dtype=np.int64)
    hour = np.arange(HOURS)
    shape = 0.1 + np.exp(-((hour - 8) ** 2) / 6) + 1.2 * np.exp(-((hour - 17.5) ** 2) / 10)
    size = dice.uniform(80, 900, detectors)
    week = np.where(weekdays_of(numbers) < 5, 1.0, 0.6)
    drift = np.exp(np.cumsum(dice.normal(0, 0.03, (days * HOURS, 1)), 0) * 0.6).reshape(days, HOURS, 1)
    mean = week[:, None, None] * shape[None, :, None] * size * drift
    return dice.poisson(mean).astype(float), numbers


def test_a_day_that_differs_as_a_whole_is_followed_better_than_by_what_is_usual_or_what_was() -> None:
    counts, days = a_town(1, 35)
    learned = learn(counts[:28], days[:28], set())
    made = forecasts(learned, counts, days, set())
    there, test = counts.reshape(-1, counts.shape[2]), slice(28 * HOURS, None)
    error = np.abs(made.vehicles[test] - there[test]).mean()
    persistence = np.abs(there[test.start - 1 : -1] - there[test]).mean()
    last_week = np.abs(there[test.start - 168 : -168] - there[test]).mean()
    assert error < 0.75 * min(persistence, last_week)
    inside = ((made.low <= there) & (there <= made.high))[test].mean()
    assert 0.7 < inside < 0.9


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(15 * HOURS, 17 * HOURS - 1))
def test_nothing_of_an_hour_or_after_it_is_in_its_forecast(seed: int, hour: int) -> None:
    counts, days = a_town(seed, 17, 3)
    learned = learn(counts[:15], days[:15], set())
    other = counts.copy().reshape(-1, 3)
    other[hour:] = np.nan
    made, then = forecasts(learned, counts, days, set()), forecasts(learned, other.reshape(counts.shape), days, set())
    day = hour // HOURS
    np.testing.assert_allclose(made.vehicles[hour], then.vehicles[hour])
    np.testing.assert_allclose(made.high[: day * HOURS], then.high[: day * HOURS])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.5))
def test_holes_leave_finite_forecasts_in_their_intervals(seed: int, holes: float) -> None:
    counts, days = a_town(seed, 16, 3)
    counts[np.random.default_rng(seed).random(counts.shape) < holes] = np.nan
    counts[:, :, 2] = np.nan
    made = forecasts(learn(counts, days, set()), counts, days, set())
    known = ~np.isnan(made.vehicles)
    assert not known[:, 2].any()
    assert known[15 * HOURS :, :2].mean() > 0.9
    assert (made.low[known] <= made.high[known]).all()
    assert (made.low[known] >= 0).all()
    assert np.isfinite(made.high[known]).all()


def test_less_than_two_weeks_or_nothing_at_all_is_too_little() -> None:
    counts, days = a_town(2, DAYS_MIN - 1)
    with pytest.raises(TooFewDays, match="13 days of counts are known, 14 are needed"):
        learn(counts, days, set())
    counts, days = a_town(2, DAYS_MIN)
    with pytest.raises(TooFewDays):
        learn(np.full_like(counts, np.nan), days, set())
