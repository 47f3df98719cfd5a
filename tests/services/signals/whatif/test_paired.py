"""Differences of pairs: the interval is the one of the textbook, and what is said of it is no more than it says."""

from __future__ import annotations

from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.services.signals.whatif.paired import Says, interval, paired

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20)


def test_the_interval_is_the_one_that_is_reckoned_by_hand() -> None:
    """Five differences with the mean 2 and the standard deviation 1.5811: 2 +- 2.7764 x 1.5811 / 2.2361."""
    found = paired((1, 2, 3, 4, 5), [10.0] * 5, [10.0, 11.0, 12.0, 13.0, 14.0])
    assert (found.before, found.after, found.difference, found.share_percent) == (10.0, 12.0, 2.0, 20.0)
    assert found.low == pytest.approx(2 - 1.9632, abs=1e-4)
    assert found.high == pytest.approx(2 + 1.9632, abs=1e-4)
    assert (found.worst_seed, found.says) == (5, Says.WORSE)


def test_pairs_see_what_seeds_by_themselves_would_hide() -> None:
    """Days differ by tens of seconds, and the change by half of one on each of them."""
    before = [40.0, 80.0, 55.0, 95.0]
    found = paired((1, 2, 3, 4), before, [each - 0.5 - 0.01 * at for at, each in enumerate(before)])
    assert found.says is Says.BETTER
    apart = paired((1, 2, 3, 4), before, [79.5, 39.5, 94.5, 54.5])
    assert apart.difference == pytest.approx(-0.5)
    assert apart.says is Says.OPEN


def test_one_seed_has_no_interval_and_no_change_is_none() -> None:
    found = paired((7,), [40.0], [20.0])
    assert (found.difference, found.low, found.high, found.says) == (-20.0, None, None, Says.ONE_SEED)
    assert paired((1, 2), [3.0, 4.0], [3.0, 4.0]).says is Says.SAME
    assert paired((1, 2), [0.0, 0.0], [1.0, 3.0]).share_percent is None
    with pytest.raises(ValueError, match="no seed"):
        paired((), [], [])


@given(VALUES, st.floats(-1e3, 1e3), st.floats(0.1, 10))
def test_the_interval_holds_its_mean_and_moves_and_grows_with_the_values(
    values: list[float], shift: float, scale: float
) -> None:
    ends = interval(values)
    assert ends is not None
    assert ends[0] <= fmean(values) <= ends[1] or ends[1] - ends[0] < 1e-9
    moved = interval([scale * each + shift for each in values])
    assert moved == pytest.approx([scale * each + shift for each in ends], rel=1e-6, abs=1e-6)


@given(VALUES, st.data())
def test_the_other_way_round_is_the_opposite(before: list[float], data: st.DataObject) -> None:
    after = data.draw(st.lists(st.floats(-1e3, 1e3), min_size=len(before), max_size=len(before)))
    seeds = range(len(before))
    there, back = paired(seeds, before, after), paired(seeds, after, before)
    assert there.difference == pytest.approx(-back.difference)
    assert (there.says is Says.BETTER) == (back.says is Says.WORSE)


def test_nineteen_intervals_of_twenty_hold_what_is_true() -> None:
    dice = Random(5)
    tried = [interval([dice.gauss(3.0, 2.0) for _ in range(6)]) for _ in range(2_000)]
    share = sum(ends is not None and ends[0] <= 3.0 <= ends[1] for ends in tried) / len(tried)
    assert share == pytest.approx(0.95, abs=0.015)
