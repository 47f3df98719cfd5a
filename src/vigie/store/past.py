"""The past as services ask for it (`vigie.core.past`), reduced by DuckDB where it lies.

A night of 34,000 lamps is 3.3 million values of one point. What comes back is a row for each lamp and half hour; no
more than one span is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

import duckdb
import numpy as np
from numpy.typing import NDArray

from vigie.core.kinds import AssetKind, Point, Quality
from vigie.core.observations import Floats, Int64s
from vigie.core.past import PLAIN, Line, Means, Steps, Told, TooLong
from vigie.core.times import SECOND_US, day_of
from vigie.store.asking import asked
from vigie.store.observations import DuckObservations

DEADLINE_S = 30.0
"""For one span. Asked on a machine with nothing else to do, a night of a town takes under two seconds."""

T = TypeVar("T")


class DuckPast:
    """See `vigie.core.past.Past`. May be asked from any thread; each question has a connection of its own.

    points: (kind, point) -> its number.
    """

    def __init__(
        self,
        observations: DuckObservations,
        points: Mapping[tuple[str, str], int],
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._observations, self._points, self._deadline_s = observations, points, deadline_s

    def steps(
        self,
        kind: type[AssetKind],
        point: Point[Any],
        start_us: int,
        end_us: int,
        bin_us: int,
        *,
        line: Line = PLAIN,
        only: Int64s | None = None,
    ) -> Steps:
        """The values of a span, each taken to hold until the next. Raises TooLong."""
        valid_us = round(point.valid_s * SECOND_US)
        if bin_us < valid_us:
            raise ValueError("a bin is as long as a value holds, at least")
        where = self._where(kind, point, start_us - valid_us, end_us + valid_us, only)

        def ask(read: duckdb.DuckDBPyConnection) -> dict[str, NDArray[Any]]:
            wanted = _wanted(only)
            days = (day_of(start_us - valid_us), day_of(end_us + valid_us))
            rows = self._observations.union("number", where, days=days, read=read)
            found = read.execute(_steps(rows, (start_us, end_us), bin_us, valid_us, line))
            del wanted
            return cast("dict[str, NDArray[Any]]", found.fetchnumpy())  # pyright: ignore[reportUnknownMemberType]

        columns = self._asked(ask)
        told = columns["asset"].astype(np.int64)
        # Numbers of assets are small: a table of them is made ten times faster than a million and a half are sorted.
        there = np.zeros(int(told.max(initial=0)) + 1, np.bool_)
        there[told] = True
        asset, row = np.flatnonzero(there), (np.cumsum(there) - 1)[told]
        bins = -(-(end_us - start_us) // bin_us)
        known_s, total = np.zeros((2, len(asset), bins + 1))
        # A value holds no longer than a bin is: it is of the bin it begins in, and of the next.
        at = columns["bin"].astype(np.int64)
        for after, part in ((0, "head"), (1, "tail")):
            known_s[row, at + after] += columns[f"{part}_us"] / SECOND_US
            total[row, at + after] += columns[f"{part}_total"] / SECOND_US
        return Steps(asset, known_s[:, :bins], total[:, :bins])

    def means(
        self,
        kind: type[AssetKind],
        point: Point[Any],
        start_us: int,
        end_us: int,
        bin_us: int,
        *,
        only: Int64s | None = None,
    ) -> Means:
        """The means of what was told in each bin of a span. Raises TooLong."""
        where = self._where(kind, point, start_us + 1, end_us + 1, only)

        def ask(read: duckdb.DuckDBPyConnection) -> dict[str, NDArray[Any]]:
            wanted = _wanted(only)
            rows = self._observations.union("number", where, days=(day_of(start_us + 1), day_of(end_us)), read=read)
            once = _once(rows)
            bin_of = f"(observed_us - {start_us + 1}) // {bin_us}"
            found = read.execute(f"SELECT asset, {bin_of} AS bin, avg(value) AS mean FROM ({once}) GROUP BY asset, bin")
            del wanted
            return cast("dict[str, NDArray[Any]]", found.fetchnumpy())  # pyright: ignore[reportUnknownMemberType]

        columns = self._asked(ask)
        asset, row = np.unique(columns["asset"].astype(np.int64), return_inverse=True)
        mean = np.full((len(asset), (end_us - start_us) // bin_us), np.nan)
        mean[row, columns["bin"].astype(np.int64)] = columns["mean"].astype(float)
        return Means(asset, mean)

    def told(
        self, kind: type[AssetKind], point: Point[Any], start_us: int, end_us: int, *, only: Int64s | None = None
    ) -> Told:
        """Every value of a span. Raises TooLong."""
        where = self._where(kind, point, start_us, end_us, only)

        def ask(read: duckdb.DuckDBPyConnection) -> dict[str, NDArray[Any]]:
            wanted = _wanted(only)
            days = (day_of(start_us), day_of(end_us - 1))
            rows = self._observations.union("number", where, days=days, read=read)
            once = _once(rows)
            found = read.execute(f"{once} ORDER BY asset, observed_us")
            del wanted
            return cast("dict[str, NDArray[Any]]", found.fetchnumpy())  # pyright: ignore[reportUnknownMemberType]

        columns = self._asked(ask)
        return Told(
            columns["asset"].astype(np.int64), columns["observed_us"].astype(np.int64), columns["value"].astype(float)
        )

    def places(
        self, kind: type[AssetKind], point: Point[Any], start_us: int, end_us: int, *, only: Int64s, most: int | None
    ) -> tuple[Int64s, Int64s, Floats, Floats] | None:
        """Where some assets were in a span, in no order: which, when, longitude and latitude in degrees. None where
        that is more than `most` of them. Raises TooLong."""
        where = self._where(kind, point, start_us, end_us, only)

        def ask(read: duckdb.DuckDBPyConnection) -> dict[str, NDArray[Any]]:
            wanted = _wanted(only)
            rows = self._observations.union("place", where, days=(day_of(start_us), day_of(end_us - 1)), read=read)
            limit = "" if most is None else f" LIMIT {int(most) + 1}"
            once = "asset, observed_us, arg_min(lon, n) AS lon, arg_min(lat, n) AS lat"
            found = read.execute(f"SELECT {once} FROM ({rows}) GROUP BY asset, observed_us{limit}")
            del wanted
            return cast("dict[str, NDArray[Any]]", found.fetchnumpy())  # pyright: ignore[reportUnknownMemberType]

        columns = self._asked(ask)
        if most is not None and len(columns["asset"]) > most:
            return None
        asset, at_us = (columns[name].astype(np.int64) for name in ("asset", "observed_us"))
        return asset, at_us, columns["lon"].astype(np.float64), columns["lat"].astype(np.float64)

    def _where(
        self, kind: type[AssetKind], point: Point[Any], start_us: int, end_us: int, only: Int64s | None = None
    ) -> str:
        number = self._points[kind.kind, point.name]
        where = (
            f"point = {int(number)} AND quality <> {int(Quality.BAD)} "
            f"AND observed_us >= {int(start_us)} AND observed_us < {int(end_us)}"
        )
        return where if only is None else f"{where} AND asset IN (SELECT asset FROM wanted)"

    def _asked(self, ask: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        return asked(self._observations, ask, self._deadline_s, TooLong)


def _wanted(only: Int64s | None) -> Mapping[str, NDArray[np.uint32]] | None:
    """What `only` names, for the SQL of `_where`: DuckDB finds it as `wanted` in the frame of whoever executes it, and
    reads the array in place."""
    return None if only is None else {"asset": only.astype(np.uint32)}


def _once(rows: str) -> str:
    """SQL for the values of these rows: of what was told twice of an instant, what came first stands."""
    return f"SELECT asset, observed_us, arg_min(value, n) AS value FROM ({rows}) GROUP BY asset, observed_us"


def _steps(rows: str, span: tuple[int, int], bin_us: int, valid_us: int, line: Line) -> str:
    """SQL for what each asset adds up to in each bin: of the values that begin in it, what lies in it (head) and what
    lies in the next (tail)."""
    start_us, end_us = span
    counts = f"CASE WHEN value > 0 THEN {line.at_zero!r} + {line.slope!r} * value ELSE 0 END"
    # Of what was told twice of an instant, what came first stands: as the last of its instant it is what lasts.
    after = "lead(observed_us) OVER (PARTITION BY asset ORDER BY observed_us, n DESC)"
    held = f"SELECT asset, {counts} AS w, observed_us AS since, {after} AS until FROM ({rows})"
    inside = (
        f"SELECT asset, w, greatest(since, {start_us}) AS a, least(until, {end_us}) AS b FROM ({held}) "
        f"WHERE until - since <= {valid_us}"
    )
    cut = f"least(b, {start_us} + (bin + 1) * {bin_us})"
    binned = f"SELECT *, (a - {start_us}) // {bin_us} AS bin FROM ({inside}) WHERE b > a"
    return (
        "SELECT asset, bin, sum(cut - a)::DOUBLE AS head_us, sum(w * (cut - a)) AS head_total, "
        "sum(b - cut)::DOUBLE AS tail_us, sum(w * (b - cut)) AS tail_total "
        f"FROM (SELECT *, {cut} AS cut FROM ({binned})) GROUP BY asset, bin"
    )
