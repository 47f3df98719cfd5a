"""The digest of readings tells what is kept, and not how it came or where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.test_history import START_US, Row, store_in_parts
from vigie.core.kinds import Quality
from vigie.core.times import MINUTE_US
from vigie.store.digest import of_assets

ROWS = st.lists(
    st.builds(
        Row,
        asset=st.integers(1, 4),
        point=st.just(7),
        at_us=st.integers(0, 200).map(lambda minute: START_US + minute * MINUTE_US),
        value=st.floats(-1e6, 1e6),
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda row: (row.asset, row.at_us),
)


def told(parts: Sequence[tuple[str, Sequence[Row]]]) -> tuple[list[int], list[int]]:
    """Sums and counts by asset of what is kept when batches came so."""
    with store_in_parts(parts) as store:
        sums, counts = of_assets(store)
        return sums.tolist(), counts.tolist()


@settings(max_examples=10, deadline=None)
@given(rows=ROWS, data=st.data())
def test_order_repetition_and_sealing_change_nothing(rows: list[Row], data: st.DataObject) -> None:
    at_once = told([("", rows)])
    assert sum(at_once[1]) == len(rows)
    mixed = data.draw(st.permutations(rows))
    half = len(mixed) // 2
    # The later half comes again, as gateways send again what was not acknowledged.
    assert told([("", mixed[:half]), ("seal", mixed[half:]), ("compact", mixed[half:])]) == at_once


@settings(max_examples=10, deadline=None)
@given(rows=ROWS, data=st.data())
def test_any_other_reading_changes_it(rows: list[Row], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(rows) - 1))
    row = rows[place]
    others = [
        replace(row, value=row.value + 1), replace(row, at_us=row.at_us + 1), replace(row, asset=row.asset + 4),
        replace(row, point=8), replace(row, quality=Quality.UNCERTAIN),
    ]  # fmt: skip
    kept = told([("", rows)])
    for other in others:
        assert told([("", [*rows[:place], other, *rows[place + 1 :]])]) != kept
    assert told([("", rows[:-1])]) != kept


def test_two_readings_that_change_places_change_it() -> None:
    first, second = Row(1, 7, START_US, 1.0), Row(1, 7, START_US + MINUTE_US, 2.0)
    swapped = [replace(first, value=2.0), replace(second, value=1.0)]
    assert told([("", [first, second])]) != told([("", swapped)])


def test_the_value_that_came_first_stands() -> None:
    first, other = Row(1, 7, START_US, 1.0), Row(1, 7, START_US, 2.0)
    assert told([("", [first]), ("", [other])]) == told([("", [first])])
