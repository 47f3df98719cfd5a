"""History: what a point was over a time, from the hot table and the sealed days in one query.

Raw rows are the observations themselves, at most so many; more become spans, each with the least, the mean, the
greatest and the number of its values, or the last value where values are names. A span begins at a whole multiple of
its length since 1970. What a device itself calls bad is left out. Of an instant that an asset reported twice, the value
that came first stands, as in the live picture; over many assets it counts twice until its day is compacted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import duckdb
import numpy as np
from numpy.typing import NDArray

from vigie.core.kinds import Quality
from vigie.core.observations import Floats, Int64s
from vigie.core.times import DAY_US, SECOND_US, day_of, start_of
from vigie.store.asking import asked
from vigie.store.observations import DuckObservations

ROWS_MAX = 5_000
DEADLINE_S = 10.0

_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400)
STEPS_US = tuple(SECOND_US * each for each in _STEPS_S)
"""The lengths that a span is widened to."""

_EVER_US = np.iinfo(np.int64).max
_SPAN_BITS = 16

T = TypeVar("T")

Span = tuple[int, int]
"""Microseconds since the epoch: the first, and the first that is no more of it."""


class HistoryTooLong(Exception):
    """A question took longer than it may, and was given up."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a point was. bucket_us: the length of a span, 0 for the observations themselves. rows: of floats; the first
    column is milliseconds since the epoch, the others see `forms.History`."""

    bucket_us: int
    rows: list[list[float]]


@dataclass(frozen=True, slots=True)
class AllowedSpans:
    """When each of some assets may be read: columns of one length."""

    asset: NDArray[np.uint32]
    from_us: NDArray[np.int64]
    until_us: NDArray[np.int64]


class History:
    """Questions about the past. Each has a connection of its own and a time after which it is given up."""

    def __init__(self, observations: DuckObservations, *, deadline_s: float = DEADLINE_S) -> None:
        self._observations, self._deadline_s = observations, deadline_s

    def of_asset(self, asset: int, point: int, spans: Sequence[Span], bucket_us: int, *, named: bool) -> Told:
        """One point of one asset within these spans, which follow each other. bucket_us: 0 for the observations
        themselves. named: values are names (choices, flags): of a span its last is told. Raises HistoryTooLong."""
        if not spans:
            return Told(bucket_us, [])
        first, last = spans[0][0], spans[-1][1]
        where = _within(asset, point, spans)

        def ask(read: duckdb.DuckDBPyConnection) -> Told:
            rows = self._observations.union("number", where, days=(day_of(first), day_of(last - 1)), read=read)
            once = f"SELECT observed_us, arg_min(value, n) AS value FROM ({rows}) GROUP BY observed_us"
            if not bucket_us:
                raw = f"SELECT observed_us / 1000 AS ms, value FROM ({once}) ORDER BY observed_us LIMIT {ROWS_MAX + 1}"
                told = _rows(read, raw)
                if len(told) <= ROWS_MAX:
                    return Told(0, told)
            width = widened(bucket_us, last - first)
            return Told(width, _rows(read, _spans(once, first, width, "last" if named else "number")))

        return self._asked(ask)

    def of_texts(self, asset: int, point: int, spans: Sequence[Span]) -> list[tuple[float, str]]:
        """What one point of one asset that is a text was within these spans, which follow each other: milliseconds
        since the epoch, and the text, the oldest first. One row more than ROWS_MAX where there are too many to be told.
        Raises HistoryTooLong."""
        if not spans:
            return []
        within = _within(asset, point, spans)

        def ask(read: duckdb.DuckDBPyConnection) -> list[tuple[float, str]]:
            days = day_of(spans[0][0]), day_of(spans[-1][1] - 1)
            rows = self._observations.union("text", within, days=days, read=read)
            once = f"SELECT observed_us, arg_min(value, n) AS value FROM ({rows}) GROUP BY observed_us"
            told = f"SELECT observed_us / 1000, value FROM ({once}) ORDER BY observed_us LIMIT {ROWS_MAX + 1}"
            return cast("list[tuple[float, str]]", read.execute(told).fetchall())

        return self._asked(ask)

    def of_places(self, asset: int, point: int, spans: Sequence[Span], most: int) -> tuple[Int64s, Floats, Floats]:
        """Where one point of one asset was within these spans, which follow each other: microseconds, longitude and
        latitude in degrees, the oldest first. One row more than `most` where there are more. Raises HistoryTooLong."""
        if not spans:
            return np.empty(0, np.int64), np.empty(0), np.empty(0)
        within = _within(asset, point, spans)

        def ask(read: duckdb.DuckDBPyConnection) -> tuple[Int64s, Floats, Floats]:
            days = day_of(spans[0][0]), day_of(spans[-1][1] - 1)
            rows = self._observations.union("place", within, days=days, read=read)
            once = "observed_us, arg_min(lon, n) AS lon, arg_min(lat, n) AS lat"
            told = f"SELECT {once} FROM ({rows}) GROUP BY observed_us ORDER BY observed_us LIMIT {int(most) + 1}"
            found = cast("dict[str, NDArray[Any]]", read.execute(told).fetchnumpy())  # pyright: ignore[reportUnknownMemberType]
            lon, lat = (found[name].astype(np.float64) for name in ("lon", "lat"))
            return found["observed_us"].astype(np.int64), lon, lat

        return self._asked(ask)

    def of_kind(self, point: int, span: Span, bucket_us: int, allowed: AllowedSpans | None) -> Told:
        """One point over all assets that have it, or over those allowed. Raises HistoryTooLong."""
        first, last = span
        where = (
            f"point = {int(point)} AND quality <> {int(Quality.BAD)} "
            f"AND observed_us >= {int(first)} AND observed_us < {int(last)}"
        )
        width = widened(bucket_us, last - first)

        def ask(read: duckdb.DuckDBPyConnection) -> Told:
            rows = self._observations.union("number", where, days=(day_of(first), day_of(last - 1)), read=read)
            if allowed is None:
                return Told(width, _rows(read, _spans(rows, first, width, "number")))
            dated = "h.asset = spans.asset AND h.observed_us >= spans.from_us AND h.observed_us < spans.until_us"
            seen = f"SELECT h.observed_us, h.value FROM ({rows}) h JOIN spans ON {dated}"
            return Told(width, _rows(read, _spans(seen, first, width, "number"), allowed))

        return self._asked(ask)

    def first_us(self, points: Collection[int]) -> int | None:
        """The first instant of which any of these points is kept; None where none is. Raises HistoryTooLong."""
        of_points = f"point IN ({', '.join(map(str, sorted(points)))})"

        def ask(read: duckdb.DuckDBPyConnection) -> int | None:
            days = read.execute("SELECT DISTINCT day FROM segment WHERE sort = 'number' ORDER BY day").fetchall()
            # Day by day, for most often the first has what is asked for. What is not sealed lies beside each of them.
            for day, end_us in [*((day, start_of(day) + DAY_US) for (day,) in days), ("", _EVER_US)]:
                where = f"{of_points} AND observed_us < {end_us}"
                rows = self._observations.union("number", where, days=(day, day), read=read)
                found: list[tuple[int | None]] = read.execute(f"SELECT min(observed_us) FROM ({rows})").fetchall()
                if found[0][0] is not None:
                    return found[0][0]
            return None

        return self._asked(ask)

    def _asked(self, ask: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        return asked(
            self._observations, ask, self._deadline_s, HistoryTooLong, f"SET perfect_ht_threshold = {_SPAN_BITS + 1}"
        )


def _within(asset: int, point: int, spans: Sequence[Span]) -> str:
    """SQL for what is told of one point of one asset."""
    within = " OR ".join(f"(observed_us >= {int(a)} AND observed_us < {int(b)})" for a, b in spans)
    return f"point = {int(point)} AND asset = {int(asset)} AND quality <> {int(Quality.BAD)} AND ({within})"


def widened(bucket_us: int, span_us: int) -> int:
    """The length of spans: what was asked for, or the next of STEPS_US that makes no more than ROWS_MAX of them."""
    least = -(-span_us // (ROWS_MAX - 1))
    if bucket_us >= max(least, 1):
        return bucket_us
    step = next((each for each in STEPS_US if each >= least), None)
    return step or -(-least // DAY_US) * DAY_US


def _spans(rows: str, first_us: int, bucket_us: int, what: str) -> str:
    """SQL for the spans of rows of observed_us and value, none before first_us."""
    told = {
        "number": "min(value), sum(value) / count(*), max(value), count(*)",
        "last": "arg_max(value, observed_us)",
    }[what]
    before = first_us // bucket_us
    start_us = before * bucket_us
    # A small whole number that counts the spans is grouped by without hashing, which halves the time. Floating point
    # divides faster than whole numbers, and its floor is exact: instants are below 2^53.
    span = f"floor(observed_us / {bucket_us} - {before})::USMALLINT"
    return f"SELECT {start_us / 1000} + span * {bucket_us / 1000} AS ms, * EXCLUDE (span) FROM (" + (
        f"SELECT {span} AS span, {told} FROM ({rows}) GROUP BY span) ORDER BY ms"
    )


def _rows(read: duckdb.DuckDBPyConnection, sql: str, allowed: AllowedSpans | None = None) -> list[list[float]]:
    """What the SQL tells. It may name `spans`, which are those that are allowed: DuckDB finds them by that name in this
    frame, and reads the arrays in place."""
    spans = allowed and {"asset": allowed.asset, "from_us": allowed.from_us, "until_us": allowed.until_us}
    columns = cast("dict[str, NDArray[Any]]", read.execute(sql).fetchnumpy())  # pyright: ignore[reportUnknownMemberType]
    del spans
    return np.column_stack([np.asarray(column, np.float64) for column in columns.values()]).tolist()
