"""The store of observations. Written once; the backend is a parameter."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.city import NOW_US, open_observations
from vigie.core.kinds import Quality
from vigie.core.observations import Batch
from vigie.core.times import DAY_US, day_of
from vigie.engine.ports import PictureFrame, StorageFull, StoredBatch
from vigie.store.observations import DuckObservations

Open = Callable[[Path], DuckObservations]


@pytest.fixture(params=["duckdb"], scope="session")
def open_store(request: pytest.FixtureRequest) -> Open:
    """How a store of each backend is opened."""
    return open_observations


@pytest.fixture
def store(open_store: Open, tmp_path: Path) -> Iterator[DuckObservations]:
    """An empty store."""
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def stored(n: int, rows: list[tuple[int, int, int, float, float | None, str | None]]) -> StoredBatch:
    """rows: asset, point, observed_us, value, value2, text."""
    count = len(rows)
    return StoredBatch(
        n,
        NOW_US + n,
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        Batch(
            np.full(count, -1, np.int64),
            np.array([row[2] for row in rows], np.int64),
            np.array([row[3] for row in rows], np.float64),
            np.array([np.nan if row[4] is None else row[4] for row in rows]),
            np.zeros(count, np.uint8),
            {i: row[5] for i, row in enumerate(rows) if row[5] is not None},
        ),
    )


def said(batch: StoredBatch) -> list[tuple[object, ...]]:
    """What a stored batch says, in an order that does not depend on how it is kept."""
    rows = zip(
        batch.asset.tolist(),
        batch.point.tolist(),
        batch.batch.observed_us.tolist(),
        [None if np.isnan(v) else v for v in batch.batch.value.tolist()],
        [None if np.isnan(v) else v for v in batch.batch.value2.tolist()],
        [batch.batch.texts.get(row) for row in range(len(batch.batch))],
        strict=True,
    )
    return sorted(rows, key=str)


ROW = st.one_of(
    st.tuples(
        st.integers(1, 50),
        st.integers(1, 9),
        st.integers(NOW_US - 3 * DAY_US, NOW_US),
        st.floats(-1e6, 1e6),
        st.none(),
        st.none(),
    ),
    st.tuples(
        st.integers(1, 50),
        st.just(10),
        st.integers(NOW_US - 3 * DAY_US, NOW_US),
        st.floats(-180, 180),
        st.floats(-90, 90),
        st.none(),
    ),
    st.tuples(
        st.integers(1, 50),
        st.just(11),
        st.integers(NOW_US - 3 * DAY_US, NOW_US),
        st.just(float("nan")),
        st.none(),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    ),
)


@given(batches=st.lists(st.lists(ROW, min_size=1, max_size=20), min_size=1, max_size=5), sealed=st.booleans())
@settings(max_examples=25, deadline=None)
def test_what_was_appended_is_read_again_also_from_sealed_days(
    open_store: Open,
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[list[tuple[int, int, int, float, float | None, str | None]]],
    sealed: bool,
) -> None:
    folder = tmp_path_factory.mktemp("store")
    store = open_store(folder)
    given_batches = [stored(n, rows) for n, rows in enumerate(batches, 1)]
    for each in given_batches:
        store.append(each)
    store.close()
    store = open_store(folder)
    if sealed:
        assert store.seal(NOW_US + 1) == sum(len(rows) for rows in batches)
    read = store.since(0)
    assert [(each.ingest, each.received_us) for each in read] == [
        (each.ingest, each.received_us) for each in given_batches
    ]
    assert [said(each) for each in read] == [said(each) for each in given_batches]
    assert [each.ingest for each in store.since(1)] == [each.ingest for each in given_batches[1:]]
    store.close()


def test_ingest_numbers_only_grow(store: DuckObservations) -> None:
    store.append(stored(1, [(1, 1, NOW_US, 1.0, None, None)]))
    with pytest.raises(ValueError, match="after 1"):
        store.append(stored(1, [(1, 1, NOW_US, 2.0, None, None)]))


def test_a_file_that_no_row_names_is_removed_at_the_start(open_store: Open, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.append(stored(1, [(1, 1, NOW_US - DAY_US, 1.0, None, None)]))
    assert store.seal(NOW_US) == 1
    named = list(store.sealed.glob("day=*/*.parquet"))
    stray = named[0].with_name("number-000099.parquet")
    stray.write_bytes(b"half a segment")
    store.close()
    store = open_store(tmp_path)
    assert list(store.sealed.glob("day=*/*.parquet")) == named
    assert [said(each) for each in store.since(0)] == [[(1, 1, NOW_US - DAY_US, 1.0, None, None)]]
    store.close()


def test_late_rows_make_a_further_segment_and_compacting_joins_them_without_repeats(store: DuckObservations) -> None:
    at = NOW_US - DAY_US
    store.append(stored(1, [(1, 1, at, 1.0, None, None), (2, 1, at, 5.0, None, None)]))
    store.seal(NOW_US)
    store.append(stored(2, [(1, 1, at, 1.0, None, None), (1, 1, at + 1, 2.0, None, None)]))
    store.seal(NOW_US)
    folder = store.sealed / f"day={day_of(at)}"
    parts = set(folder.glob("number-*.parquet"))
    assert len(parts) == 2
    assert store.days_in_parts(day_of(NOW_US)) == [day_of(at)]
    store.compact(day_of(at))
    assert store.days_in_parts(day_of(NOW_US)) == []
    (whole,) = folder.glob("number-*.parquet")
    store.append(stored(3, [(1, 1, at + 2, 3.0, None, None)]))
    store.seal(NOW_US)
    # What is kept of a file is found by its name: no file ever has the name of one that is gone.
    assert not parts & set(folder.glob("number-*.parquet")) - {whole}
    assert whole not in parts
    store.compact(day_of(at))
    with store.reading() as read:
        rows = read.execute(f"SELECT asset, observed_us, value FROM ({store.union('number')}) ORDER BY ALL").fetchall()
    assert rows == [(1, at, 1.0), (1, at + 1, 2.0), (1, at + 2, 3.0), (2, at, 5.0)]


def test_old_days_are_dropped_whole(store: DuckObservations) -> None:
    for n, back in enumerate((40, 2), 1):
        store.append(stored(n, [(1, 1, NOW_US - back * DAY_US, 1.0, None, None)]))
    store.seal(NOW_US)
    assert store.drop_before(day_of(NOW_US - 30 * DAY_US)) == [day_of(NOW_US - 40 * DAY_US)]
    with store.reading() as read:
        assert read.execute(f"SELECT count(*) FROM ({store.union('number')})").fetchall() == [(1,)]


def test_where_things_were_is_dropped_before_what_they_said(store: DuckObservations) -> None:
    at = NOW_US - 40 * DAY_US
    store.append(stored(1, [(1, 1, at, 5.0, 47.0, None), (1, 2, at, 1.0, None, None)]))
    store.seal(NOW_US)
    assert store.drop_before(day_of(NOW_US - 30 * DAY_US), sorts=["place"]) == [day_of(at)]
    assert store.drop_before(day_of(NOW_US - 50 * DAY_US)) == []
    with store.reading() as read:
        assert read.execute(f"SELECT count(*) FROM ({store.union('place')})").fetchall() == [(0,)]
        assert read.execute(f"SELECT count(*) FROM ({store.union('number')})").fetchall() == [(1,)]


def test_what_tells_where_somebody_was_is_taken_out_of_its_day_and_the_rest_stays_in_order(
    store: DuckObservations,
) -> None:
    old, new = NOW_US - 40 * DAY_US, NOW_US - 2 * DAY_US
    said = [(asset, point) for asset in (1, 2) for point in (1, 2, 3)]
    for n, at in enumerate((old, new), 1):
        store.append(stored(n, [(asset, point, at, 1.0, None, None) for asset, point in said]))
    store.append(stored(3, [(1, 2, old - DAY_US, 1.0, None, None)]))
    store.seal(NOW_US)
    before = day_of(NOW_US - 30 * DAY_US)
    assert store.forget_points(before, []) == []
    assert store.forget_points(before, [2, 9]) == [day_of(old - DAY_US), day_of(old)]
    assert store.forget_points(before, [2, 9]) == []
    with store.reading() as read:
        rows = read.execute(f"SELECT observed_us, point, asset FROM ({store.union('number')}) ORDER BY ALL").fetchall()
    kept = [(old, point, asset) for point in (1, 3) for asset in (1, 2)]
    assert rows == kept + [(new, point, asset) for point in (1, 2, 3) for asset in (1, 2)]
    (segment,) = (store.sealed / f"day={day_of(old)}").glob("*")
    with store.reading() as read:
        lie = read.execute("SELECT observed_us, point, asset FROM read_parquet(?)", [str(segment)]).fetchall()
    assert lie == kept


def test_the_numbers_go_on_after_the_last_even_where_all_is_dropped(open_store: Open, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for n in (1, 2):
        store.append(stored(n, [(1, 1, NOW_US - 40 * DAY_US, float(n), None, None)]))
    store.seal(NOW_US)
    store.drop_before(day_of(NOW_US + DAY_US))
    store.close()
    store = open_store(tmp_path)
    assert store.last_ingest == 2
    store.close()


def test_of_an_instant_told_twice_compacting_keeps_what_differs(store: DuckObservations) -> None:
    at = NOW_US - DAY_US
    for n, (value, quality) in enumerate([(0.0, Quality.BAD), (60.0, Quality.GOOD), (60.0, Quality.GOOD)], 1):
        batch = stored(n, [(1, 1, at, value, None, None)])
        batch.batch.quality[:] = quality
        store.append(batch)
        store.seal(NOW_US)
    store.compact(day_of(at))
    with store.reading() as read:
        rows = read.execute(f"SELECT value, quality FROM ({store.union('number')}) ORDER BY n").fetchall()
    assert rows == [(0.0, int(Quality.BAD)), (60.0, int(Quality.GOOD))]


def frame(ingest: int) -> PictureFrame:
    return PictureFrame(
        ingest,
        NOW_US,
        np.array([1, 2]),
        np.array([1, 3]),
        np.array([NOW_US, NOW_US]),
        np.array([NOW_US, NOW_US]),
        np.array([60.0, np.nan]),
        np.array([np.nan, np.nan]),
        np.array([0, 1], np.uint8),
        {1: "été"},
    )


def test_the_newest_whole_picture_is_found(store: DuckObservations) -> None:
    for n in range(1, 6):
        store.append(stored(n, [(1, 1, NOW_US + n, 1.0, None, None)]))
        store.keep_frame(frame(n))
    kept = store.newest_frame()
    assert kept is not None
    assert (kept.ingest, kept.texts, kept.value.tolist()[0]) == (5, {1: "été"}, 60.0)
    newest = sorted((store.folder / "frames").glob("*.npz"))[-1]
    newest.write_bytes(newest.read_bytes()[:100])
    kept = store.newest_frame()
    assert kept is not None
    assert kept.ingest == 4


def test_a_picture_ahead_of_the_observations_is_not_believed(store: DuckObservations) -> None:
    store.keep_frame(frame(9))
    assert store.newest_frame() is None


def test_a_full_disk_refuses_and_keeps_nothing(tmp_path: Path) -> None:
    store = DuckObservations(tmp_path / "o", reserve_bytes=1 << 60)
    assert not store.has_room
    with pytest.raises(StorageFull):
        store.append(stored(1, [(1, 1, NOW_US, 1.0, None, None)]))
    assert (store.last_ingest, store.since(0)) == (0, [])
    store.close()


def test_sealing_beside_appending_loses_nothing_and_doubles_nothing(store: DuckObservations) -> None:
    ended = threading.Event()

    def seal() -> None:
        while not ended.is_set():
            store.seal(NOW_US + DAY_US)
            for day in store.days_in_parts("9999"):
                store.compact(day)

    sealing = threading.Thread(target=seal)
    sealing.start()
    for n in range(1, 400):
        store.append(stored(n, [(1, 1, NOW_US + n, 1.0, None, None), (2, 10, NOW_US + n, 5.0, 47.0, None)]))
    ended.set()
    sealing.join()
    with store.reading() as read:
        for sort in ("number", "place"):
            rows = read.execute(f"SELECT count(*), count(DISTINCT n) FROM ({store.union(sort)})").fetchall()
            assert rows == [(399, 399)]
