"""What is made of spans that are over, and kept for longer than the observations themselves: a Parquet file a span.

What is kept of a span stands as long as nothing of the span came after it was made, or its observations are gone: then
it is all there is. Sealing and dropping note both (`vigie.store.observations`). A file is named in one transaction,
after it is whole; a crash before that leaves a file that no row names, which is removed with the next that is kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

import duckdb
import numpy as np
import structlog
from numpy.typing import NDArray

from vigie.core.past import Kept, KeptUnreadable, TooLong
from vigie.store.asking import asked
from vigie.store.files import write_whole
from vigie.store.observations import DuckObservations

DEADLINE_S = 30.0
_TYPES = {
    "part": np.uint8, "asset": np.uint32, "at": np.int64, "known": np.uint32, "total": np.uint32, "value": np.float64,
}  # fmt: skip
_FORMAT = "FORMAT parquet, PARQUET_VERSION V2, COMPRESSION zstd, ROW_GROUP_SIZE 122880"
"""Read once a month or so, and kept for years: as small as it gets."""


_log = structlog.get_logger("vigie")


@dataclass(frozen=True, slots=True)
class KeptSpan:
    """A span of which something is kept. sound: nothing came of it since, and it was made by the rule of now. alone:
    its observations are gone."""

    start_us: int
    end_us: int
    sound: bool
    alone: bool


class KeptSums:
    """What is kept of one sort. May be asked from any thread.

    what: its name. points: the numbers of those it is made of; beside_us: from how long before a span to how long after
    it; rule: how, as a text that changes when the rule does.
    """

    def __init__(
        self, observations: DuckObservations, what: str, points: Collection[int], beside_us: int, rule: str
    ) -> None:
        self._observations, self._what, self._beside_us, self._rule = observations, what, beside_us, rule
        self._points = ", ".join(map(str, sorted(points)))
        self._unreadable: set[str] = set()  # files that were found damaged or missing, of this process
        # No file ever gets the name of one that was read: its foot is remembered.
        numbers = (int(path.stem.rpartition("-")[2]) for path in observations.kept.glob("*.parquet"))
        self._numbers = itertools.count(max(numbers, default=-1) + 1)

    def spans(self) -> Sequence[KeptSpan]:
        """All of which something is kept that can be read, as far as was tried, or made again; the oldest first."""
        query = "SELECT start_us, end_us, NOT late AND rule = ?, alone, file FROM kept WHERE what = ? ORDER BY start_us"
        with self._observations.reading() as read:
            rows = read.execute(query, [self._rule, self._what]).fetchall()
        return [
            KeptSpan(start_us, end_us, sound and file not in self._unreadable, alone)
            for start_us, end_us, sound, alone, file in rows
            if not (alone and file in self._unreadable)
        ]

    def find(self, start_us: int, end_us: int) -> Kept | None:
        """What is kept of a span, and may be told in the place of its observations. A file that is damaged or missing
        is noted and not read again: the span is made anew, as long as its observations are there. Raises
        KeptUnreadable where that comes out and they are gone, TooLong, duckdb.Error."""
        named, alone = "", False

        def ask(read: duckdb.DuckDBPyConnection) -> Kept | None:
            nonlocal named, alone
            named = ""
            row = read.execute(
                "SELECT file, alone, NOT late AND rule = ? FROM kept WHERE what = ? AND start_us = ? AND end_us = ?",
                [self._rule, self._what, start_us, end_us],
            ).fetchone()
            if row is None or not (row[1] or (row[2] and not self._came(read, start_us, end_us))):
                return None
            named, alone, _ = row
            if named in self._unreadable:
                return None
            found = read.execute("SELECT * FROM read_parquet(?)", [str(self._observations.kept / named)])
            return Kept(**cast("dict[str, NDArray[Any]]", found.fetchnumpy()))  # pyright: ignore[reportUnknownMemberType]

        try:
            return asked(self._observations, ask, DEADLINE_S, TooLong)
        except duckdb.Error as error:
            if not named or isinstance(error, duckdb.OutOfMemoryException):
                raise
            _log.error("what was kept cannot be read", file=named, alone=alone, reason=str(error))
            self._unreadable.add(named)
            if alone:
                raise KeptUnreadable(named) from error
            return None

    def keep(self, start_us: int, end_us: int, make: Callable[[], Kept]) -> bool:
        """Makes and keeps what is to be kept of a span that is sealed, in the place of what was. Whether it was done:
        not where something of it came that is not sealed yet, nor where its observations are gone. Nothing is sealed or
        dropped meanwhile; batches go on being appended. Raises OSError, duckdb.Error, and what `make` raises."""
        with self._observations.sealing, self._observations.reading() as read:
            mine = [self._what, start_us]
            gone = read.execute("SELECT 1 FROM kept WHERE what = ? AND start_us = ? AND alone", mine).fetchall()
            if gone or self._came(read, start_us, end_us):
                return False
            made = make()
            file = f"{self._what}-{start_us}-{next(self._numbers)}.parquet"
            write_whole(self._observations.kept / file, lambda path: _write(read, str(path), made))
            read.execute("BEGIN")
            read.execute("DELETE FROM kept WHERE what = ? AND start_us = ?", mine)
            read.execute(
                "INSERT INTO kept VALUES (?, ?, ?, ?, ?, ?, ?, false, false, ?, ?)",
                [*mine, end_us, self._points, *self._beside(start_us, end_us), self._rule, file, len(made.part)],
            )
            read.execute("COMMIT")
            self._drop_unnamed(read)
        return True

    def drop_before(self, before_us: int) -> int:
        """Forgets what is kept of spans that were over by an instant. Returns how many."""
        with self._observations.sealing, self._observations.reading() as read:
            old = "what = ? AND end_us < ?"
            count = len(read.execute(f"SELECT 1 FROM kept WHERE {old}", [self._what, before_us]).fetchall())
            if count:
                read.execute(f"DELETE FROM kept WHERE {old}", [self._what, before_us])
                self._drop_unnamed(read)
        return count

    def _beside(self, start_us: int, end_us: int) -> tuple[int, int]:
        return start_us - self._beside_us, end_us + self._beside_us

    def _came(self, read: duckdb.DuckDBPyConnection, start_us: int, end_us: int) -> bool:
        """Whether something of a span is not sealed yet."""
        within = f"point IN ({self._points}) AND observed_us >= ? AND observed_us < ?"
        return bool(
            read.execute(f"SELECT 1 FROM number WHERE {within} LIMIT 1", self._beside(start_us, end_us)).fetchall()
        )

    def _drop_unnamed(self, read: duckdb.DuckDBPyConnection) -> None:
        named = {file for (file,) in read.execute("SELECT file FROM kept").fetchall()}
        for path in self._observations.kept.iterdir():
            if path.name not in named:
                path.unlink()


def _write(read: duckdb.DuckDBPyConnection, path: str, made: Kept) -> None:
    # DuckDB finds the columns by this name in this frame, and reads the arrays in place.
    columns = {name: vars(made)[name].astype(dtype) for name, dtype in _TYPES.items()}
    rows = 'SELECT * FROM columns ORDER BY part, "at", asset'
    read.execute(f"COPY ({rows}) TO '{path.replace(chr(39), chr(39) * 2)}' ({_FORMAT})")
    del columns
