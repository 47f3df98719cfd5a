"""Ice by what a station says: each cause at its edge, what is not known, and what is to come."""

from __future__ import annotations

from itertools import pairwise
from math import isnan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.roads.winter.skies import vapour_hpa
from vigie.services.roads.winter.risk import LEVELS, Reading, dew_point_c, expected_min, frost_point_c, judge, outlook

DEGREES = st.floats(-20, 20)
HUMIDITY = st.floats(20, 100)


@pytest.mark.parametrize(("reading", "level", "cause"), [
    (Reading(), "not_known", ""),
    (Reading(humidity=95, rain_mm_h=0, wet=False), "not_known", ""),
    (Reading(surface_c=3.1, air_c=-1, humidity=99), "none", ""),
    (Reading(surface_c=2.0, air_c=3.0, humidity=70), "watch", "cold"),
    (Reading(surface_c=-4.0, air_c=-1.0, humidity=50, wet=False), "watch", "cold"),
    (Reading(surface_c=-0.1, air_c=1.0, humidity=50, wet=True), "ice", "black_ice"),
    (Reading(surface_c=0.6, air_c=3.0, humidity=50, wet=True), "likely", "black_ice"),
    (Reading(surface_c=-0.1, air_c=3.0, humidity=60, rain_mm_h=0.4), "ice", "black_ice"),
    (Reading(surface_c=0.0, air_c=0.4, rain_mm_h=1.0), "ice", "snow"),
    (Reading(surface_c=0.8, air_c=0.4, rain_mm_h=1.0), "likely", "snow"),
    (Reading(surface_c=-3.0, air_c=-1.0, humidity=96, wet=False), "ice", "hoar_frost"),
    (Reading(surface_c=-3.0, dew_point_c=-3.6, wet=False), "likely", "hoar_frost"),
    (Reading(surface_c=-3.0, dew_point_c=-3.2, wet=False), "ice", "hoar_frost"),
    (Reading(surface_c=0.5, dew_point_c=0.8, wet=False), "likely", "hoar_frost"),
    (Reading(surface_c=-1.0), "likely", "cold"),
    (Reading(surface_c=0.9, icy=True), "ice", "black_ice"),
    (Reading(icy=True), "ice", "black_ice"),
    (Reading(air_c=4.5), "none", ""),
    (Reading(air_c=2.0, humidity=99, wet=True), "watch", "cold"),
    (Reading(air_c=0.8, humidity=60, wet=True), "likely", "black_ice"),
    (Reading(air_c=0.8, rain_mm_h=0.3), "likely", "snow"),
    (Reading(air_c=-1.0, humidity=95, wet=False), "likely", "hoar_frost"),
    (Reading(air_c=-1.0, wet=False), "likely", "hoar_frost"),
    (Reading(air_c=-1.0, humidity=60, wet=False), "watch", "cold"),
])  # fmt: skip
def test_each_cause_at_its_edge(reading: Reading, level: str, cause: str) -> None:
    found = judge(reading)
    assert (found.level, found.cause) == (level, cause)


@given(DEGREES, HUMIDITY)
def test_the_dew_point_is_where_the_air_is_full(air_c: float, humidity: float) -> None:
    """Held against another's formula, that of Buck."""
    dew_c = dew_point_c(air_c, humidity)
    assert dew_c <= air_c + 1e-9
    held = vapour_hpa(air_c, ice=False) * humidity / 100
    assert vapour_hpa(dew_c, ice=False) == pytest.approx(held, rel=0.01)
    if dew_c < 0:
        assert vapour_hpa(frost_point_c(dew_c), ice=True) == pytest.approx(held, rel=0.01)
        assert frost_point_c(dew_c) >= dew_c


@settings(max_examples=60)
@given(DEGREES, HUMIDITY, st.sampled_from([None, False, True]), st.sampled_from([0.0, 1.0]))
def test_a_colder_road_is_never_less_likely_to_be_icy(
    air_c: float, humidity: float, wet: bool | None, rain_mm_h: float
) -> None:
    """Of the same air."""
    levels = [
        LEVELS.index(judge(Reading(surface_c, air_c, humidity, rain_mm_h=rain_mm_h, wet=wet)).level)
        for surface_c in (8.0, 3.0, 1.5, 1.0, 0.5, 0.0, -0.5, -3.0, -9.0)
    ]
    assert all(a <= b for a, b in pairwise(levels))


@given(st.floats(-20, 20) | st.just(float("nan")))
def test_what_is_missing_is_never_no_ice_below_freezing(surface_c: float) -> None:
    found = judge(Reading(surface_c=surface_c)).level
    assert found == "not_known" if isnan(surface_c) else (found != "none" or surface_c > 3)


def test_what_is_to_come_is_a_straight_line_and_frost_is_not_looked_for_far_ahead() -> None:
    wet = Reading(surface_c=1.8, air_c=4.0, humidity=80, wet=True)
    assert expected_min(wet, -1.2) == 90
    assert outlook(wet, -1.2)[0].level == "likely"
    assert (expected_min(wet, -0.5), expected_min(wet, 0.0), expected_min(wet, float("nan"))) == (None, None, None)
    damp = Reading(surface_c=2.0, air_c=1.0, humidity=95, wet=False)
    assert expected_min(damp, -2.7) == 45
    assert expected_min(damp, -2.0) is None
    assert expected_min(Reading(surface_c=-1, wet=True), float("nan")) == 0
