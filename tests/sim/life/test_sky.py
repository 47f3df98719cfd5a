"""The sun sets when it sets."""

from __future__ import annotations

from datetime import UTC, datetime

import ephem
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, to_us
from vigie.sim.city.facts import CENTRE
from vigie.sim.life.sky import Sky, dark, local_hour, sun_elevation_deg, traffic

INSTANTS = st.integers(*(to_us(datetime.fromisoformat(f"{year}-01-01T00:00:00Z")) for year in (2020, 2040)))


@pytest.mark.parametrize("day", ["2026-01-15", "2026-03-29", "2026-06-21", "2026-09-23", "2026-11-24", "2027-12-21"])
def test_lamps_switch_within_a_minute_of_an_ephemeris(day: str) -> None:
    dijon = ephem.Observer()
    dijon.lon, dijon.lat, dijon.pressure, dijon.horizon = str(CENTRE[0]), str(CENTRE[1]), 0, "-4"
    dijon.date = f"{day.replace('-', '/')} 12:00"
    for event, lit in ((dijon.next_setting, True), (dijon.previous_rising, False)):
        at_us = to_us(event(ephem.Sun(), use_center=True).datetime().replace(tzinfo=UTC))
        assert dark(at_us + MINUTE_US) is lit
        assert dark(at_us - MINUTE_US) is not lit


def test_local_time_follows_the_change_of_the_clock() -> None:
    winter = to_us(datetime.fromisoformat("2026-10-25T02:30:00Z"))
    summer = to_us(datetime.fromisoformat("2026-10-25T00:30:00Z"))
    assert (local_hour(summer), local_hour(winter)) == (2.5, 3.5)


@given(INSTANTS)
def test_weather_stays_within_what_a_station_can_measure(at_us: int) -> None:
    sky = Sky(3)
    assert -25 < sky.temperature_c(at_us)[0] < 42
    assert 0 <= sky.rain_mm_h(at_us)[0] < 30
    assert 0 < sky.wind_m_s(at_us)[0] < 20
    assert 0 < sky.illuminance_lx(at_us)[0] < 140_000
    assert 0 <= sky.smog(at_us)[0] <= 1
    assert -90 <= float(sun_elevation_deg(at_us)) <= 67
    assert 0 < traffic(at_us) <= 1


@given(INSTANTS)
def test_the_weather_does_not_jump(at_us: int) -> None:
    sky = Sky(3)
    minutes = at_us + np.arange(10) * MINUTE_US
    assert np.abs(np.diff(sky.temperature_c(minutes))).max() < 0.5
    assert np.abs(np.diff(sky.wind_m_s(minutes))).max() < 0.5


def test_peaks_of_a_working_day_are_in_the_morning_and_the_evening() -> None:
    monday = to_us(datetime.fromisoformat("2026-11-23T00:00:00+01:00"))
    hours = [traffic(monday + hour * HOUR_US) for hour in range(24)]
    assert hours[8] > hours[10]
    assert max(hours) in (hours[17], hours[18])
    assert hours[3] < 0.1
    sunday = monday - DAY_US
    assert traffic(sunday + 8 * HOUR_US) < hours[8] / 2
