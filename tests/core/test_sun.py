"""The sun, held against an ephemeris that shares nothing with ours (libastro's, VSOP87)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import ephem
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core import sun
from vigie.core.times import DAY_US, MINUTE_US, from_us

LON, LAT = 5.0415, 47.3220
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAYS = st.integers(*((datetime(year, 1, 1, tzinfo=UTC) - EPOCH).days for year in (2020, 2045)))
HEIGHTS = st.sampled_from([sun.RISE_AND_SET_DEG, -2.0, -4.0, -6.0])


def observer(lon: float, lat: float, height_deg: float, day: int) -> ephem.Observer:
    """Somebody there, at the true noon of a day, to whom air bends no light."""
    there = ephem.Observer()
    there.lon, there.lat, there.pressure, there.horizon = str(lon), str(lat), 0, str(height_deg)
    there.date = ephem.Date((EPOCH + timedelta(days=day + 0.5 - lon / 360)).replace(tzinfo=None))
    return there


def seconds(event: ephem.Date, ours_us: int) -> float:
    return abs((event.datetime().replace(tzinfo=UTC) - from_us(ours_us)).total_seconds())


@settings(max_examples=300, deadline=None)
@given(DAYS, st.floats(-180, 180), st.floats(-60, 60), HEIGHTS)
def test_evening_and_morning_are_within_a_quarter_minute_of_an_ephemeris(
    day: int, lon: float, lat: float, height_deg: float
) -> None:
    days = np.array([day])
    (evening,), (how,) = sun.evening_us(days, lon, lat, height_deg)
    (morning,), (how_too,) = sun.morning_us(days, lon, lat, height_deg)
    there = observer(lon, lat, height_deg, day)
    if how == how_too == sun.Passage.PASSES:
        # Where it only just sinks so low, a thousandth of a degree is a minute.
        slope = abs(float(np.diff(sun.elevation_deg(np.array([evening, evening + MINUTE_US]), lon, lat))[0]))
        if slope > 0.08:
            assert seconds(there.next_setting(ephem.Sun(), use_center=True), int(evening)) < 15
            assert seconds(there.previous_rising(ephem.Sun(), use_center=True), int(morning)) < 15


@pytest.mark.parametrize(
    ("day", "how"), [("2026-06-21", sun.Passage.STAYS_ABOVE), ("2026-12-21", sun.Passage.STAYS_BELOW)]
)
def test_far_north_the_sun_may_not_pass(day: str, how: sun.Passage) -> None:
    days = np.array([(datetime.fromisoformat(day).replace(tzinfo=UTC) - EPOCH).days])
    for passage in (sun.evening_us, sun.morning_us):
        assert passage(days, 25.0, 70.0)[1][0] == how


@given(DAYS, HEIGHTS)
def test_what_passes_has_the_height_that_was_asked_for(day: int, height_deg: float) -> None:
    for passage in (sun.evening_us, sun.morning_us):
        at_us, how = passage(np.array([day]), LON, LAT, height_deg)
        assert how[0] == sun.Passage.PASSES
        assert abs(float(sun.elevation_deg(at_us, LON, LAT)[0]) - height_deg) < 0.001


def test_evenings_follow_each_other() -> None:
    days = np.arange(20_000, 20_400)
    evening, _ = sun.evening_us(days, LON, LAT)
    morning, _ = sun.morning_us(days, LON, LAT)
    assert (evening > morning).all()
    assert (np.abs(np.diff(evening) - DAY_US) < 3 * MINUTE_US).all()
