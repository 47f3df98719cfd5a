"""History from hot and sealed rows is what plain numpy reckons from what was told, late data included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.kinds import Quality
from vigie.core.observations import Batch
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, day_of
from vigie.engine.ports import StoredBatch
from vigie.store.history import ROWS_MAX, AllowedSpans, History, HistoryTooLong, widened
from vigie.store.observations import DuckObservations

START_US = 1_795_478_400_000_000 // DAY_US * DAY_US
DAYS = 3
POINT, OTHER = 7, 8


@dataclass(frozen=True)
class Row:
    """One observation as it is stored. lat: of a place, whose longitude is the value."""

    asset: int
    point: int
    at_us: int
    value: float
    quality: int = Quality.GOOD
    lat: float = np.nan


def append(store: DuckObservations, rows: Sequence[Row]) -> None:
    """Keeps rows as one batch."""
    count = len(rows)
    batch = Batch(
        np.zeros(count, np.int64),
        np.array([row.at_us for row in rows], np.int64),
        np.array([row.value for row in rows]),
        np.array([row.lat for row in rows]),
        np.array([row.quality for row in rows], np.uint8),
    )
    asset, point = np.array([row.asset for row in rows]), np.array([row.point for row in rows])
    store.append(StoredBatch(store.last_ingest + 1, START_US, asset, point, batch))


@contextmanager
def store_in_parts(parts: Sequence[tuple[str, Sequence[Row]]]) -> Iterator[DuckObservations]:
    """A store to which batches came, with something done after each: nothing, a sealing, a compaction."""
    with TemporaryDirectory() as folder:
        store = DuckObservations(Path(folder), reserve_bytes=0)
        try:
            for then, rows in parts:
                if rows:
                    append(store, rows)
                if then == "seal":
                    store.seal(START_US + 2 * DAY_US)
                if then == "compact":
                    store.seal(START_US + DAYS * DAY_US)
                    for day in store.days_in_parts(day_of(START_US + DAYS * DAY_US)):
                        store.compact(day)
            yield store
        finally:
            store.close()


rows_once = st.lists(
    st.builds(
        Row,
        asset=st.integers(1, 3),
        point=st.sampled_from([POINT, OTHER]),
        at_us=st.integers(START_US // SECOND_US, (START_US + DAYS * DAY_US) // SECOND_US - 1).map(
            lambda s: s * SECOND_US
        ),
        value=st.integers(-50, 50).map(float),
        quality=st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.UNCERTAIN, Quality.BAD]),
    ),
    max_size=25,
)
parts = st.lists(st.tuples(st.sampled_from(["", "seal", "compact"]), rows_once), min_size=1, max_size=4)


def told_once(parts: Sequence[tuple[str, Sequence[Row]]]) -> list[tuple[str, list[Row]]]:
    """The same without rows that say an instant of a point twice; the first one stands."""
    seen: set[tuple[int, int, int]] = set()
    kept: list[tuple[str, list[Row]]] = []
    for then, rows in parts:
        fresh: list[Row] = []
        for row in rows:
            key = (row.asset, row.point, row.at_us)
            if key not in seen:
                seen.add(key)
                fresh.append(row)
        kept.append((then, fresh))
    return kept


def spans_of(rows: Sequence[Row], width_us: int) -> dict[int, list[Row]]:
    """The rows by the first instant of their span."""
    found: dict[int, list[Row]] = {}
    for row in sorted(rows, key=lambda each: each.at_us):
        found.setdefault(row.at_us // width_us * width_us, []).append(row)
    return found


@settings(max_examples=30, deadline=None)
@given(parts, st.sampled_from([0, 15 * MINUTE_US, HOUR_US, 5 * HOUR_US]), st.booleans(), st.data())
def test_one_point_of_one_asset(
    parts: list[tuple[str, list[Row]]], width_us: int, named: bool, data: st.DataObject
) -> None:
    parts = told_once(parts)
    cuts = sorted(data.draw(st.sets(st.integers(0, DAYS * 24), min_size=2, max_size=4)))
    spans = [(START_US + a * HOUR_US, START_US + b * HOUR_US) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    mine = [
        row
        for _, rows in parts
        for row in rows
        if (row.asset, row.point) == (1, POINT)
        and row.quality != Quality.BAD
        and any(a <= row.at_us < b for a, b in spans)
    ]
    with store_in_parts(parts) as store:
        told = History(store).of_asset(1, POINT, spans, width_us, named=named)
    if not width_us:
        assert told.rows == [[row.at_us / 1000, row.value] for row in sorted(mine, key=lambda each: each.at_us)]
    elif named:
        assert told.rows == [[at / 1000, own[-1].value] for at, own in spans_of(mine, width_us).items()]
    else:
        expected = [
            [at / 1000, min(values), float(np.mean(values)), max(values), float(len(values))]
            for at, own in spans_of(mine, width_us).items()
            if (values := [row.value for row in own])
        ]
        assert np.allclose(told.rows, expected) if expected else told.rows == []
    assert told.bucket_us == width_us


@settings(max_examples=30, deadline=None)
@given(parts, st.lists(st.tuples(st.integers(1, 3), st.integers(0, 70), st.integers(1, 40)), max_size=4))
def test_one_point_of_all_assets_each_while_it_may_be_read(
    parts: list[tuple[str, list[Row]]], allowed: list[tuple[int, int, int]]
) -> None:
    parts = told_once(parts)
    first: dict[int, tuple[int, int]] = {}
    for asset, hour, length in allowed:
        first.setdefault(asset, (START_US + hour * HOUR_US, START_US + (hour + length) * HOUR_US))
    spans = AllowedSpans(
        np.array(list(first), np.uint32),
        np.array([a for a, _ in first.values()], np.int64),
        np.array([b for _, b in first.values()], np.int64),
    )
    good = [row for _, rows in parts for row in rows if row.point == POINT and row.quality != Quality.BAD]
    with store_in_parts(parts) as store:
        history = History(store)
        whole = (START_US, START_US + DAYS * DAY_US)
        for limits, mine in (
            (None, good),
            (
                spans,
                [row for row in good if row.asset in first and first[row.asset][0] <= row.at_us < first[row.asset][1]],
            ),
        ):
            told = history.of_kind(POINT, whole, HOUR_US, limits)
            expected = [
                [at / 1000, min(values), float(np.mean(values)), max(values), float(len(values))]
                for at, own in spans_of(mine, HOUR_US).items()
                if (values := [row.value for row in own])
            ]
            assert np.allclose(told.rows, expected) if expected else told.rows == []


def test_of_an_instant_told_twice_the_first_stands() -> None:
    at = START_US + HOUR_US
    parts = [("seal", [Row(1, POINT, at, 1.0)]), ("", [Row(1, POINT, at, 2.0), Row(1, POINT, at + 1, 3.0)])]
    with store_in_parts(parts) as store:
        told = History(store).of_asset(1, POINT, [(START_US, START_US + DAY_US)], 0, named=False)
    assert [value for _, value in told.rows] == [1.0, 3.0]


def test_places_are_told_in_their_order_hot_and_sealed_alike_and_one_more_where_there_are_too_many() -> None:
    def place(after_us: int, lon: float, asset: int = 1, quality: int = Quality.GOOD) -> Row:
        return Row(asset, POINT, START_US + after_us, lon, quality, 47.0 + lon)

    late = [place(30, 3.0), place(10, 9.0), place(40, 4.0, quality=Quality.BAD), place(DAY_US, 5.0)]
    parts = [("seal", [place(20, 2.0), place(10, 1.0), place(15, 8.0, asset=2)]), ("", late)]
    with store_in_parts(parts) as store:
        history = History(store)
        day = [(START_US, START_US + DAY_US)]
        at_us, lon, lat = history.of_places(1, POINT, day, 10)
        assert (at_us - START_US).tolist() == [10, 20, 30]
        assert lon.tolist() == [1.0, 2.0, 3.0]
        assert lat.tolist() == [48.0, 49.0, 50.0]
        assert len(history.of_places(1, POINT, day, 1)[0]) == 2
        assert len(history.of_places(1, POINT, [], 10)[0]) == 0


def test_too_many_rows_become_spans_and_that_is_said() -> None:
    rows = [Row(1, POINT, START_US + i * SECOND_US, float(i)) for i in range(ROWS_MAX + 1)]
    with store_in_parts([("", rows)]) as store:
        history = History(store)
        day = [(START_US, START_US + DAY_US)]
        told = history.of_asset(1, POINT, day, 0, named=False)
        assert told.bucket_us == widened(0, DAY_US) == 30 * SECOND_US
        assert sum(row[4] for row in told.rows) == len(rows)
        few = history.of_asset(1, POINT, [(START_US, START_US + ROWS_MAX * SECOND_US)], 0, named=False)
        assert (few.bucket_us, len(few.rows)) == (0, ROWS_MAX)


@pytest.mark.parametrize("days", [1, 30, 400])
@pytest.mark.parametrize("asked_us", [0, 1, SECOND_US, HOUR_US, DAY_US])
def test_no_answer_has_more_rows_than_it_may(days: int, asked_us: int) -> None:
    width = widened(asked_us, days * DAY_US)
    assert width >= asked_us
    assert days * DAY_US // width + 1 <= ROWS_MAX


def test_a_question_that_takes_too_long_is_given_up() -> None:
    rows = [Row(1, POINT, START_US + i, float(i)) for i in range(50)]
    with store_in_parts([("", rows)]) as store:
        history, million = History(store, deadline_s=0.05), "range(1000000)"
        with pytest.raises(HistoryTooLong):
            history._asked(lambda read: read.execute(f"SELECT sum(a.range * b.range) FROM {million} a, {million} b"))
        assert len(history.of_asset(1, POINT, [(START_US, START_US + DAY_US)], 0, named=False).rows) == 50


@pytest.mark.parametrize("then", ["", "seal", "compact"])
def test_history_begins_where_one_of_some_points_was_first_told(then: str) -> None:
    early, later = Row(1, OTHER, START_US, 1.0), Row(2, POINT, START_US + DAY_US + HOUR_US, 1.0)
    with store_in_parts([(then, [later, early]), ("", [Row(3, POINT, START_US + 2 * DAY_US, 1.0)])]) as store:
        history = History(store)
        assert history.first_us([POINT]) == later.at_us
        assert history.first_us([POINT, OTHER]) == START_US
        assert history.first_us([OTHER + 1]) is None
