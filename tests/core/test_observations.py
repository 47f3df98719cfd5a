"""Batches: what is taken or joined is what was there, texts and all."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.observations import Batch

Row = tuple[int, int, float, float, int, str | None]

numbers = st.floats(allow_nan=False)
rows_of = st.lists(
    st.tuples(
        st.integers(0, 9), st.integers(0, 2**60), numbers, numbers, st.integers(0, 2), st.none() | st.text(max_size=3)
    ),
    max_size=12,
)


def batch_of(rows: list[Row]) -> Batch:
    if not rows:
        return Batch.empty()
    slot, observed, value, value2, quality, texts = zip(*rows, strict=True)
    return Batch(
        np.array(slot, np.int64),
        np.array(observed, np.int64),
        np.array(value, np.float64),
        np.array(value2, np.float64),
        np.array(quality, np.uint8),
        {row: text for row, text in enumerate(texts) if text is not None},
    )


def rows_in(batch: Batch) -> list[Row]:
    columns = (batch.slot, batch.observed_us, batch.value, batch.value2, batch.quality)
    plain = zip(*(column.tolist() for column in columns), strict=True)
    return [(*each, batch.texts.get(row)) for row, each in enumerate(plain)]


@given(rows_of)
def test_a_batch_says_what_it_was_made_of(rows: list[Row]) -> None:
    assert rows_in(batch_of(rows)) == rows
    assert len(batch_of(rows)) == len(rows)


@given(rows_of, st.data())
def test_taking_by_mask_keeps_the_order(rows: list[Row], data: st.DataObject) -> None:
    mask = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    taken = batch_of(rows).take(np.array(mask, np.bool_))
    assert rows_in(taken) == [row for row, kept in zip(rows, mask, strict=True) if kept]


@given(rows_of.filter(bool), st.data())
def test_taking_by_index_takes_its_order_and_repetitions(rows: list[Row], data: st.DataObject) -> None:
    index = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=15))
    assert rows_in(batch_of(rows).take(np.array(index, np.intp))) == [rows[at] for at in index]


@given(st.lists(rows_of, min_size=1, max_size=5))
def test_joined_is_one_after_the_other(parts: list[list[Row]]) -> None:
    assert rows_in(Batch.joined([batch_of(part) for part in parts])) == [row for part in parts for row in part]


@given(rows_of, st.integers(0, 12))
def test_what_was_cut_and_joined_is_as_before(rows: list[Row], cut: int) -> None:
    batch, head = batch_of(rows), np.arange(len(rows)) < cut
    assert rows_in(Batch.joined([batch.take(head), batch.take(~head)])) == rows
