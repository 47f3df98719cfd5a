"""Counts by the town's clock, at whichever quarter of an hour the hours begin."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.past import Means
from vigie.core.times import DAY_US, to_us
from vigie.services.signals.flow.counted import QUARTER_US, Counted

PARIS = ZoneInfo("Europe/Paris")


def us(text: str) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=PARIS))


def means(values: list[float], asset: int = 7) -> Means:
    return Means(np.array([asset]), np.array([values]))


@settings(max_examples=30, deadline=None)
@given(st.integers(100, 2 * 96 - 1))
def test_an_hour_is_the_mean_of_the_quarters_before_its_end_and_the_next_is_unknown(until: int) -> None:
    counted, start_us = Counted(PARIS, 35), us("2026-11-02T00:00")
    values = [float(n * n % 97) for n in range(2 * 96)]
    counted.take(start_us, means(values))
    hours = counted.hours(start_us + until * QUARTER_US)
    flat = hours.counts.reshape(-1)
    assert np.isnan(flat[hours.next :]).all()
    assert flat[hours.next - 1] == np.mean(values[until - 4 : until])
    assert flat[hours.next - 24] == np.mean(values[until - 96 : until - 92])


def test_the_hour_that_a_clock_change_leaves_out_is_unknown_and_what_it_doubles_is_a_mean() -> None:
    counted = Counted(PARIS, 400)
    counted.take(us("2026-03-29T00:00"), means([4.0] * 92))
    spring = counted.hours(us("2026-03-30T00:00"))
    assert np.flatnonzero(np.isnan(spring.counts[0, :, 0])).tolist() == [2]
    counted = Counted(PARIS, 400)
    counted.take(us("2026-10-25T00:00"), means([float(n // 4) for n in range(100)]))
    autumn = counted.hours(us("2026-10-26T00:00")).counts[0, :, 0].tolist()
    assert autumn == [0.0, 1.0, 2.5, *range(4, 25)]


def test_what_is_read_again_takes_the_place_of_what_was_known_and_old_days_go() -> None:
    counted, start_us = Counted(PARIS, 2), us("2026-11-02T00:00")
    counted.take(start_us, means([1.0] * 96))
    counted.take(start_us + 92 * QUARTER_US, means([5.0] * 4))
    counted.take(start_us + DAY_US, means([2.0] * 96, asset=9))
    hours = counted.hours(start_us + 2 * DAY_US)
    assert counted.detectors == (7, 9)
    assert hours.counts[0, [22, 23], 0].tolist() == [1.0, 5.0]
    assert np.isnan(hours.counts[0, :, 1]).all()
    counted.take(start_us + 2 * DAY_US, means([3.0] * 96))
    assert (
        counted.hours(start_us + 3 * DAY_US).days[0]
        == (datetime(2026, 11, 3, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
    )
    assert counted.days_before(int(counted.hours(start_us + 3 * DAY_US).days[-1])) == 2
