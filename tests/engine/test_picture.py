"""The live picture against the plainest model of it: a dict of the newest value of each slot."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.assets import AssetRecord
from vigie.core.kinds import AssetKind, Catalogue, number
from vigie.core.observations import FUTURE_US_MAX, Batch
from vigie.engine.picture import NEVER_US, Picture
from vigie.engine.registry import Registry


class Meter(AssetKind, name="meter", service="water"):
    """Something with two points."""

    flow = number()
    level = number()


ASSETS = 3
SLOTS = ASSETS * 2

Row = tuple[int, int, float]


def new_picture() -> Picture:
    registry = Registry(Catalogue({"meter": Meter}), {("meter", "flow"): 1, ("meter", "level"): 2})
    registry.add(meter(no) for no in range(1, ASSETS + 1))
    return Picture(registry)


def meter(no: int) -> AssetRecord:
    return AssetRecord(
        no=no, id=f"m{no}", kind="meter", name="", area="", street="", parent=0, reporter=0, lon=0, lat=0,
        attributes={}, made_us=0,
    )  # fmt: skip


def batch_of(rows: list[Row], texts: dict[int, str] | None = None) -> Batch:
    count = len(rows)
    return Batch(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.float64),
        np.full(count, np.nan),
        np.zeros(count, np.uint8),
        texts or {},
    )


batches = st.lists(
    st.lists(
        st.tuples(st.integers(0, SLOTS - 1), st.integers(-5, 5), st.integers(0, 2).map(float)), max_size=8
    ),
    max_size=8,
)  # fmt: skip


@settings(deadline=None)
@given(batches)
def test_the_picture_is_the_newest_of_each_slot(given_batches: list[list[Row]]) -> None:
    picture = new_picture()
    newest: dict[int, tuple[int, float]] = {}
    for received_us, rows in enumerate(given_batches, 1):
        before, version = dict(newest), picture.version
        moved = picture.fold(batch_of(rows), received_us)
        for slot, observed_us, value in rows:
            if slot not in newest or observed_us > newest[slot][0]:
                newest[slot] = (observed_us, value)
        changed = {slot for slot in newest if newest[slot] != before.get(slot)}

        assert set(moved.slot.tolist()) == changed
        assert len(moved.slot) == len(changed)
        assert picture.version == version + bool(changed)
        for slot, was, value, observed_us in zip(
            moved.slot.tolist(), moved.before.tolist(), moved.value.tolist(), moved.observed_us.tolist(), strict=True
        ):
            assert (observed_us, value) == newest[slot]
            assert was == before[slot][1] if slot in before else np.isnan(was)
            assert picture.changed[slot] == picture.version
            assert picture.received_us[slot] == received_us
        for slot in range(SLOTS):
            known = newest.get(slot)
            assert picture.observed_us[slot] == (NEVER_US if known is None else known[0])
            assert np.isnan(picture.value[slot]) if known is None else picture.value[slot] == known[1]


def test_what_a_clock_that_was_set_back_has_left_ahead_gives_way() -> None:
    picture = new_picture()
    picture.fold(batch_of([(0, 10 + 2 * FUTURE_US_MAX, 1.0), (1, 10 + FUTURE_US_MAX, 2.0)]), 10 + 2 * FUTURE_US_MAX)
    again = batch_of([(0, 9, 3.0), (1, 9, 4.0)])
    assert picture.sort(again, 10).fresh.tolist() == [True, False]
    assert picture.fold(again, 10).slot.tolist() == [0]
    assert picture.value[:2].tolist() == [3.0, 2.0]


@settings(deadline=None)
@given(batches)
def test_each_row_is_fresh_late_or_a_duplicate(given_batches: list[list[Row]]) -> None:
    picture = new_picture()
    for received_us, rows in enumerate(given_batches, 1):
        batch = batch_of(rows)
        known = {slot: (int(picture.observed_us[slot]), float(picture.value[slot])) for slot in range(SLOTS)}
        sorting = picture.sort(batch, received_us)
        assert (sorting.fresh.astype(int) + sorting.late + sorting.duplicate == 1).all()
        seen: set[Row] = set()
        for at, (slot, observed_us, value) in enumerate(rows):
            repeated = (slot, observed_us, value) in seen or known[slot] == (observed_us, value)
            assert sorting.duplicate[at] == repeated
            assert sorting.late[at] == (not repeated and observed_us <= known[slot][0])
            seen.add((slot, observed_us, value))
        picture.fold(batch, received_us)


@settings(deadline=None)
@given(batches)
def test_what_was_folded_is_not_fresh_again(given_batches: list[list[Row]]) -> None:
    picture = new_picture()
    for rows in given_batches:
        batch = batch_of(rows)
        picture.fold(batch, 1)
        assert not picture.sort(batch, 2).fresh.any()
        version = picture.version
        assert len(picture.fold(batch, 2).slot) == 0
        assert picture.version == version


def test_another_value_of_the_same_instant_is_late_and_the_first_said_stands() -> None:
    picture = new_picture()
    picture.fold(batch_of([(0, 10, 1.0)]), 1)
    sorting = picture.sort(batch_of([(0, 10, 2.0), (0, 10, 1.0), (0, 9, 1.0), (0, 11, 1.0)]), 2)
    assert sorting.late.tolist() == [True, False, True, False]
    assert sorting.duplicate.tolist() == [False, True, False, False]
    picture.fold(batch_of([(0, 10, 2.0)]), 2)
    assert picture.value[0] == 1.0


def test_texts_are_told_apart_and_kept() -> None:
    picture = new_picture()
    picture.fold(batch_of([(0, 10, np.nan)], {0: "one"}), 1)
    again = batch_of([(0, 10, np.nan), (0, 10, np.nan)], {0: "one", 1: "two"})
    assert picture.sort(again, 2).duplicate.tolist() == [True, False]
    assert picture.sort(again, 2).late.tolist() == [False, True]
    picture.fold(batch_of([(0, 12, np.nan), (0, 11, np.nan)], {0: "new", 1: "older"}), 1)
    assert picture.texts == {0: "new"}


def test_a_picture_grows_with_the_registry() -> None:
    picture = new_picture()
    picture.fold(batch_of([(1, 10, 7.0)]), 1)
    picture.registry.add(meter(no) for no in range(ASSETS + 1, 3_000))
    slot = picture.registry.slot(2_999, Meter.level)
    picture.fold(batch_of([(slot, 5, 3.0)]), 2)
    assert (picture.value[1], picture.value[slot]) == (7.0, 3.0)
    assert np.isnan(picture.value[slot - 1])
    assert picture.observed_us[slot - 1] == NEVER_US
