"""The past as services ask for it is what plain Python makes of the same rows, hot or sealed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.test_history import DAYS, POINT, START_US, Row, append, parts, store_in_parts, told_once
from vigie.core.kinds import Quality
from vigie.core.past import Line, TooLong
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US
from vigie.services.lighting.kinds import Luminaire
from vigie.services.roads import Vehicle
from vigie.store.past import DuckPast

NUMBERS = {("luminaire", "power"): POINT}
BIN_US = 30 * MINUTE_US
END_US = START_US + DAYS * 24 * HOUR_US
POWER = Luminaire.power
VALID_US = round(POWER.valid_s * SECOND_US)

report_rows = st.lists(
    st.builds(
        Row,
        asset=st.integers(1, 3),
        point=st.just(POINT),
        at_us=st.integers(-3, 20).map(lambda n: START_US + n * 11 * MINUTE_US),
        value=st.integers(-5, 100).map(float),
        quality=st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.GOOD, Quality.BAD]),
    ),
    max_size=30,
)


def by_hand(rows: Sequence[Row], start_us: int, end_us: int, line: Line) -> dict[int, dict[int, list[float]]]:
    """Asset -> bin -> seconds known and total, a value at a time."""
    found: dict[int, dict[int, list[float]]] = {}
    good = [row for row in rows if row.quality != Quality.BAD]
    for asset in {row.asset for row in good}:
        own = sorted((row for row in good if row.asset == asset), key=lambda row: row.at_us)
        for row, after in pairwise(own):
            a, b = max(row.at_us, start_us), min(after.at_us, end_us)
            if after.at_us - row.at_us > VALID_US or b <= a:
                continue
            weight = line.at_zero + line.slope * row.value if row.value > 0 else 0.0
            for number in range((a - start_us) // BIN_US, (b - 1 - start_us) // BIN_US + 1):
                first, last = start_us + number * BIN_US, start_us + (number + 1) * BIN_US
                seconds = (min(b, last) - max(a, first)) / SECOND_US
                sums = found.setdefault(asset, {}).setdefault(number, [0.0, 0.0])
                sums[0] += seconds
                sums[1] += weight * seconds
    return found


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["", "seal", "compact"]), report_rows), min_size=1, max_size=3),
    st.sampled_from([Line(), Line(0.07, 0.0093)]),
)
def test_a_value_holds_until_the_next_and_a_longer_silence_is_unknown(
    told: list[tuple[str, list[Row]]], line: Line
) -> None:
    told = told_once(told)
    rows = [row for _, each in told for row in each]
    start_us, end_us = START_US, START_US + 3 * HOUR_US + 10 * MINUTE_US
    with store_in_parts(told) as store:
        steps = DuckPast(store, NUMBERS).steps(Luminaire, POWER, start_us, end_us, BIN_US, line=line)
    expected = by_hand(rows, start_us, end_us, line)
    assert set(steps.asset.tolist()) == set(expected)
    known_s, total = steps.at(np.array([1, 2, 3, 4]))
    for row, asset in enumerate((1, 2, 3, 4)):
        for number in range(7):
            seconds, value = expected.get(asset, {}).get(number, [0.0, 0.0])
            assert known_s[row, number] == pytest.approx(seconds)
            assert total[row, number] == pytest.approx(value)


@settings(max_examples=6, deadline=None)
@given(parts)
def test_all_of_a_few_assets_is_told_in_order_each_instant_once(told: list[tuple[str, list[Row]]]) -> None:
    told = told_once(told)
    rows = {
        (r.asset, r.at_us): r.value for _, each in told for r in each if r.point == POINT and r.quality != Quality.BAD
    }
    with store_in_parts(told) as store:
        past = DuckPast(store, NUMBERS)
        found = past.told(Luminaire, POWER, START_US, END_US)
        few = past.told(Luminaire, POWER, START_US, END_US, only=found.asset[:1])
    keys = list(zip(found.asset.tolist(), found.observed_us.tolist(), strict=True))
    assert keys == sorted(rows)
    assert dict(zip(keys, found.value.tolist(), strict=True)) == rows
    assert [*zip(few.asset.tolist(), few.observed_us.tolist(), strict=True)] == [
        key for key in keys if key[0] == keys[0][0]
    ]


def test_only_what_was_asked_for_and_not_for_ever() -> None:
    rows = [Row(asset, POINT, START_US + n * 15 * MINUTE_US, 10.0) for asset in (1, 2) for n in range(5)]
    with store_in_parts([]) as store:
        append(store, rows)
        past = DuckPast(store, NUMBERS)
        steps = past.steps(Luminaire, POWER, START_US, START_US + HOUR_US, BIN_US, only=np.array([2]))
        assert steps.asset.tolist() == [2]
        assert steps.total.sum() == pytest.approx(10.0 * 3_600)
        with pytest.raises(ValueError, match="a bin"):
            past.steps(Luminaire, POWER, START_US, START_US + HOUR_US, BIN_US // 2)
        million = "range(1000000)"
        with pytest.raises(TooLong):
            DuckPast(store, NUMBERS, deadline_s=0.05)._asked(
                lambda read: read.execute(f"SELECT sum(a.range * b.range) FROM {million} a, {million} b")
            )


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["", "seal", "compact"]), report_rows), min_size=1, max_size=3))
def test_a_mean_is_of_what_was_told_up_to_the_end_of_its_bin_each_instant_once(
    told: list[tuple[str, list[Row]]],
) -> None:
    told = told_once(told)
    rows = [row for _, each in told for row in each if row.quality != Quality.BAD]
    start_us, bins = START_US, 6
    with store_in_parts(told) as store:
        past, until_us = DuckPast(store, NUMBERS), start_us + bins * BIN_US
        means = past.means(Luminaire, POWER, start_us, until_us, BIN_US)
        own = past.means(Luminaire, POWER, start_us, until_us, BIN_US, only=np.array([2]))
    assert set(own.asset.tolist()) <= {2}
    np.testing.assert_array_equal(own.at(np.array([2])), means.at(np.array([2])))
    assert np.isnan(own.at(np.array([1]))).all()
    expected: dict[tuple[int, int], list[float]] = {}
    for row in rows:
        if start_us < row.at_us <= start_us + bins * BIN_US:
            expected.setdefault((row.asset, (row.at_us - 1 - start_us) // BIN_US), []).append(row.value)
    found = {
        (int(asset), number): means.mean[at, number]
        for at, asset in enumerate(means.asset)
        for number in range(bins)
        if not np.isnan(means.mean[at, number])
    }
    assert found == pytest.approx({key: sum(own) / len(own) for key, own in expected.items()})


def test_the_places_of_some_assets_are_told_hot_and_sealed_alike_and_none_where_they_are_too_many() -> None:
    def place(asset: int, second: int, lon: float, quality: Quality = Quality.GOOD) -> Row:
        return Row(asset, POINT, START_US + second * SECOND_US, lon, quality, lat=40.0 + lon)

    sealed = [place(1, 20, 2.0), place(2, 10, 8.0), place(3, 10, 9.0)]
    late = [place(1, 20, 7.0), place(1, 10, 1.0), place(1, 30, 3.0, Quality.BAD), place(2, 60, 5.0)]
    with store_in_parts([("seal", sealed), ("", late)]) as store:
        past, end_us = DuckPast(store, {("vehicle", "position"): POINT}), START_US + MINUTE_US
        ask = partial(past.places, Vehicle, Vehicle.position, START_US, end_us, only=np.array([1, 2]))
        assert ask(most=2) is None
        for most in (3, None):
            found = ask(most=most)
            assert found is not None
            rows = sorted((no, (us - START_US) // SECOND_US, x, y) for no, us, x, y in zip(*found, strict=True))
            assert rows == [(1, 10, 1.0, 41.0), (1, 20, 2.0, 42.0), (2, 10, 8.0, 48.0)]
