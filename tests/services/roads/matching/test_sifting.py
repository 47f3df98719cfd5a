"""What cannot be true of a trail is set aside, and each of its positions is counted once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.services.roads.matching.towns import degrees
from vigie.core.times import SECOND_US
from vigie.services.roads.matching.sifting import sift

NOW_US = 1_800_000_000 * SECOND_US


def at(*seconds_ago: float) -> np.ndarray:
    """Times before now."""
    return NOW_US - (np.array(seconds_ago) * SECOND_US).astype(np.int64)


def test_nowhere_tomorrow_twice_and_a_jump_are_set_aside_and_counted() -> None:
    lon, lat = degrees([(0, 0), (0, 0), (100, 0), (100, 0), (9_000, 0), (200, 0), (210, 0)])
    lon[1], lat[1] = 0.0, 0.0
    times = at(90, 80, 75, 75, 60, 45, -3_600)
    found = sift(lon, lat, times, now_us=NOW_US)
    assert found.kept.tolist() == [0, 2, 5]
    assert (found.nowhere, found.future, found.stale, found.jumps) == (1, 1, 1, 1)


def test_what_is_no_number_is_nowhere() -> None:
    found = sift(np.array([np.nan, 500.0, 5.0]), np.array([47.0, 47.0, np.inf]), at(3, 2, 1), now_us=NOW_US)
    assert found.nowhere == 3
    assert not len(found.kept)


def test_a_vehicle_that_was_carried_is_believed_once_its_positions_agree() -> None:
    lon, lat = degrees([(0, 0), (50, 0), (30_000, 0), (30_040, 0), (30_090, 0), (30_150, 0)])
    assert sift(lon, lat, at(75, 60, 45, 30, 15, 0), now_us=NOW_US).kept.tolist() == [0, 1, 2, 3, 4, 5]


position = st.tuples(
    st.one_of(st.floats(4.9, 5.2), st.sampled_from([0.0, 200.0, float("nan")])),
    st.one_of(st.floats(47.2, 47.4), st.sampled_from([0.0, -91.0])),
    st.integers(-1_000, 300),
)


@given(st.lists(position, max_size=40))
def test_each_position_is_kept_or_counted_and_what_is_kept_stays_kept(rows: list[tuple[float, float, int]]) -> None:
    lon, lat = (np.array([row[n] for row in rows], np.float64) for n in (0, 1))
    times = np.array([NOW_US + row[2] * SECOND_US for row in rows], np.int64)
    found = sift(lon, lat, times, now_us=NOW_US)
    assert len(found.kept) + found.nowhere + found.future + found.stale + found.jumps == len(rows)
    assert (np.diff(times[found.kept]) > 0).all()
    again = sift(lon[found.kept], lat[found.kept], times[found.kept], now_us=NOW_US)
    assert again.kept.tolist() == list(range(len(found.kept)))
