"""What is usual: from the past alone, and by the kind of day."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.calendar import day_number
from vigie.services.signals.flow.usual import HOURS, Day, kinds_of, usual, weekdays_of

MONDAY = day_number("2026-11-23")


def test_kinds_follow_the_calendar_and_a_public_holiday_is_a_sunday() -> None:
    days = np.arange(day_number("2026-07-13"), day_number("2026-07-20"), dtype=np.int64)
    assert weekdays_of(days).tolist() == [0, 1, 2, 3, 4, 5, 6]
    kinds = kinds_of(days, {day_number("2026-07-14")}).tolist()
    assert kinds == [Day.WORKING, Day.SUNDAY, Day.WORKING, Day.WORKING, Day.WORKING, Day.SATURDAY, Day.SUNDAY]


@given(st.integers(0, 2**32 - 1), st.integers(1, 11))
def test_nothing_of_a_day_or_after_it_is_in_what_was_usual_for_it(seed: int, day: int) -> None:
    dice = np.random.default_rng(seed)
    days = np.arange(MONDAY, MONDAY + 12, dtype=np.int64)
    counts = dice.poisson(90, (12, HOURS, 3)).astype(float)
    other = counts.copy()
    other[day:] = np.where(dice.random(other[day:].shape) < 0.2, np.nan, other[day:] + 50)
    before, after = usual(counts, days, set()), usual(other, days, set())
    np.testing.assert_array_equal(before[: day + 1], after[: day + 1])


@given(st.integers(0, 2**32 - 1))
def test_what_is_usual_lies_between_what_was_and_unknown_hours_take_no_part(seed: int) -> None:
    dice = np.random.default_rng(seed)
    days = np.arange(MONDAY, MONDAY + 9, dtype=np.int64)
    counts = dice.poisson(90, (9, HOURS, 2)).astype(float)
    counts[dice.random(counts.shape) < 0.4] = np.nan
    found = usual(counts, days, set())
    for day in range(1, 9):
        known = ~np.isnan(counts[:day]).all(0)
        np.testing.assert_array_equal(~np.isnan(found[day]), known)
        low, high = np.nanmin(counts[:day][:, known], 0), np.nanmax(counts[:day][:, known], 0)
        assert ((found[day][known] >= low - 1e-9) & (found[day][known] <= high + 1e-9)).all()


def test_a_holiday_is_expected_to_be_as_the_sunday_before_it() -> None:
    days = np.arange(MONDAY, MONDAY + 9, dtype=np.int64)
    counts = np.where(weekdays_of(days) < 5, 500.0, 100.0)[:, None, None] * np.ones((9, HOURS, 1))
    tuesday = usual(counts, days, {MONDAY + 8})[8, 12, 0]
    as_any = usual(counts, days, set())[8, 12, 0]
    assert tuesday < 250 < 450 < as_any
