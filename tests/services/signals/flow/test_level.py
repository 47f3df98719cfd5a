"""Levels of service: what nobody measures has none, and slower is never better."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vigie.services.signals.flow.level import LEVELS, densities, levels, speeds

NAN = np.array([np.nan])


def test_levels_go_by_the_share_of_the_free_speed() -> None:
    speed = np.array([50.0, 41.0, 40.0, 33.0, 25.0, 20.1, 16.0, 15.0, 0.0, np.nan])
    found = [LEVELS[level] if level >= 0 else "-" for level in levels(speed, np.full(10, 50.0)).tolist()]
    assert found == ["A", "A", "B", "C", "D", "D", "E", "F", "F", "-"]


@given(st.floats(0, 130), st.floats(0, 130), st.floats(10, 130))
def test_slower_is_never_better(one: float, other: float, free: float) -> None:
    slow, fast = sorted((one, other))
    low, high = levels(np.array([slow, fast]), np.full(2, free)).tolist()
    assert low >= high


def test_a_speed_that_is_told_stands_and_one_that_is_not_follows_from_flow_and_occupancy() -> None:
    one = np.ones(1)
    assert speeds(38.0 * one, 900 * one, 20 * one, one, 50 * one) == 38
    # 900 vehicles an hour on a lane that is occupied for a fifth of the time: 31 a kilometre.
    reckoned = speeds(NAN, 900 * one, 20 * one, one, 50 * one)
    assert round(float(reckoned[0]), 2) == 29.25
    assert round(float(densities(900 * one, reckoned, one)[0]), 1) == 30.8
    assert speeds(NAN, 30 * one, 1 * one, one, 50 * one) == 50
    assert speeds(NAN, NAN, 80 * one, one, 50 * one) == 0
    assert np.isnan(speeds(NAN, NAN, 10 * one, one, 50 * one))
    assert np.isnan(speeds(NAN, 500 * one, NAN, one, 50 * one))


@given(st.floats(0, 5_000), st.floats(0, 100), st.integers(1, 4), st.floats(20, 130))
def test_no_reckoned_speed_is_above_the_free_one(flow: float, occupancy: float, lanes: int, free: float) -> None:
    found = speeds(NAN, np.array([flow]), np.array([occupancy]), np.array([float(lanes)]), np.array([free]))
    assert (found >= 0).all()
    assert (found <= free).all()
