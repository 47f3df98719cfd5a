"""Observations in DuckDB: a durable hot table, and sealed days in Parquet, read in one query.

Hot rows stand in the order of their ingest numbers. Sealing writes all rows of a UTC day up to an instant as one
Parquet segment sorted by (point, asset, observed), so that one asset's day is a few row groups, and drops
them from the hot table in the same transaction that names the segment. A crash between the two leaves a file that
no row names: it is removed at the next start.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from zipfile import BadZipFile

import duckdb
import numpy as np
from numpy.typing import NDArray

from vigie.core.observations import Batch
from vigie.core.times import DAY_US, day_of, start_of
from vigie.engine.ports import PictureFrame, StorageFull, StoredBatch
from vigie.store.files import free_bytes, sync_folder, write_whole

_SCHEMA = """
CREATE TABLE IF NOT EXISTS ingest (n BIGINT NOT NULL, received_us BIGINT NOT NULL, rows BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS number (
    n BIGINT NOT NULL, asset UINTEGER NOT NULL, point USMALLINT NOT NULL, observed_us BIGINT NOT NULL,
    value DOUBLE NOT NULL, quality UTINYINT NOT NULL);
CREATE TABLE IF NOT EXISTS place (
    n BIGINT NOT NULL, asset UINTEGER NOT NULL, point USMALLINT NOT NULL, observed_us BIGINT NOT NULL,
    lon DOUBLE NOT NULL, lat DOUBLE NOT NULL, quality UTINYINT NOT NULL);
CREATE TABLE IF NOT EXISTS text (
    n BIGINT NOT NULL, asset UINTEGER NOT NULL, point USMALLINT NOT NULL, observed_us BIGINT NOT NULL,
    value VARCHAR NOT NULL, quality UTINYINT NOT NULL);
CREATE TABLE IF NOT EXISTS segment (
    day VARCHAR NOT NULL, sort VARCHAR NOT NULL, file VARCHAR NOT NULL, rows BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS kept (
    what VARCHAR NOT NULL, start_us BIGINT NOT NULL, end_us BIGINT NOT NULL, points VARCHAR NOT NULL,
    first_us BIGINT NOT NULL, last_us BIGINT NOT NULL, rule VARCHAR NOT NULL, late BOOLEAN NOT NULL,
    alone BOOLEAN NOT NULL, file VARCHAR NOT NULL, rows BIGINT NOT NULL);
"""

SORTS = ("number", "place", "text")
"""The three tables, and the three sorts of segments."""

_COLUMNS = {
    "number": "n, asset, point, observed_us, value, quality",
    "place": "n, asset, point, observed_us, lon, lat, quality",
    "text": "n, asset, point, observed_us, value, quality",
}

SEGMENT_FORMAT = "FORMAT parquet, PARQUET_VERSION V2, COMPRESSION lz4_raw, ROW_GROUP_SIZE 122880"
"""How a segment is written. The encodings of version 2 pack instants and repeated values themselves; LZ4 on top of them
is 5 % larger than zstd, and is written and read in two thirds of the time."""

FRAMES_KEPT = 3


class DuckObservations:
    """One folder of observations. It belongs to one process.

    sealing: held while segments are written, joined or dropped.
    """

    def __init__(self, folder: Path, *, memory_mb: int = 256, threads: int = 2, reserve_bytes: int = 256 << 20) -> None:
        """reserve_bytes: what stays free for facts; observations are refused before it is touched."""
        self.folder = folder
        self.sealed = folder / "sealed"
        self.frames = folder / "frames"
        self.kept = folder / "kept"
        self.sealed.mkdir(parents=True, exist_ok=True)
        self.frames.mkdir(exist_ok=True)
        self.kept.mkdir(exist_ok=True)
        self._reserve_bytes = reserve_bytes
        self.sealing = threading.Lock()
        self._database = duckdb.connect(
            str(folder / "hot.duckdb"),
            config={
                "memory_limit": f"{memory_mb}MB",
                "threads": threads,
                # A checkpoint rewrites what the log holds; a large log keeps that off the path of each commit.
                "checkpoint_threshold": "256MB",
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        # The feet of the sealed days are read once, so no segment ever gets the name of one that is gone: two of one
        # name within a second would be taken for the same.
        numbers = (int(path.stem.rpartition("-")[2]) for path in self.sealed.glob("day=*/*-*.parquet"))
        self._segment_numbers = itertools.count(max(numbers, default=-1) + 1)
        # The points that were to be forgotten, and the segments that have none of them: those never change.
        self._forgotten: tuple[int, ...] = ()
        self._without: set[Path] = set()
        self._database.execute("SET GLOBAL parquet_metadata_cache = true")
        self._write = self._database.cursor()
        self._write.execute(_SCHEMA)
        self._last_ingest: int = self._one("SELECT coalesce(max(n), 0) FROM ingest")
        self._drop_unnamed()

    @property
    def last_ingest(self) -> int:
        """The number of the newest batch that is on disk."""
        return self._last_ingest

    @property
    def has_room(self) -> bool:
        """Whether a batch would be taken now."""
        return free_bytes(self.folder) >= self._reserve_bytes

    def close(self) -> None:
        """Lets go of the files; everything is on disk already."""
        self._write.close()
        self._database.close()

    def append(self, stored: StoredBatch) -> None:
        """Keeps a batch: when this returns it is synced to disk. Raises StorageFull."""
        if not self.has_room:
            raise StorageFull(f"less than {self._reserve_bytes >> 20} MiB are free in {self.folder}")
        if stored.ingest <= self._last_ingest:
            raise ValueError(f"ingest number {stored.ingest} after {self._last_ingest}")
        batch, write = stored.batch, self._write
        is_place = ~np.isnan(batch.value2)
        is_text = np.zeros(len(batch), np.bool_)
        is_text[list(batch.texts)] = True
        is_number = ~is_place & ~is_text
        write.execute("BEGIN")
        try:
            write.execute("INSERT INTO ingest VALUES (?, ?, ?)", [stored.ingest, stored.received_us, len(batch)])
            if is_number.any():
                columns = _common(stored, is_number) | {"value": batch.value[is_number]}
                self._insert("number", columns)
            if is_place.any():
                columns = _common(stored, is_place) | {"lon": batch.value[is_place], "lat": batch.value2[is_place]}
                self._insert("place", columns)
            if is_text.any():
                said = [batch.texts[row] for row in np.flatnonzero(is_text).tolist()]
                self._insert("text", _common(stored, is_text) | {"value": np.array(said, np.object_)})
            write.execute("COMMIT")
        except duckdb.Error as error:
            self._roll_back()
            if "space" in str(error).lower():
                raise StorageFull(str(error)) from error
            raise
        self._last_ingest = stored.ingest

    def since(self, ingest: int) -> list[StoredBatch]:
        """The batches after this ingest number, in their order; those sealed meanwhile are read from their day."""
        with self.reading() as read:
            numbers: list[tuple[int, int]] = read.execute(
                "SELECT n, received_us FROM ingest WHERE n > ? ORDER BY n", [ingest]
            ).fetchall()
            if not numbers:
                return []
            wanted = f"n > {int(ingest)}"
            number = _numpy(read, f"SELECT * FROM ({self.union('number', wanted)}) ORDER BY n")
            place = _numpy(read, f"SELECT * FROM ({self.union('place', wanted)}) ORDER BY n")
            text = _numpy(read, f"SELECT * FROM ({self.union('text', wanted)}) ORDER BY n")
        return [_batch_of(n, received_us, number, place, text) for n, received_us in numbers]

    @contextmanager
    def reading(self) -> Generator[duckdb.DuckDBPyConnection]:
        """A connection of its own for one reader; writers do not wait for it."""
        cursor = self._database.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def union(
        self,
        sort: str,
        where: str = "true",
        *,
        days: tuple[str, str] | None = None,
        read: duckdb.DuckDBPyConnection | None = None,
    ) -> str:
        """SQL for all rows of a sort, hot and sealed, that fulfil a condition.

        days: first and last UTC day that the rows can be of, so that no other segment is opened. read: a connection
        within a transaction in which the SQL will run too: then what is sealed meanwhile is neither missed nor told
        twice.
        """
        columns = _COLUMNS[sort]
        if read is None:
            with self.reading() as own:
                return self.union(sort, where, days=days, read=own)
        between = "" if days is None else " AND day BETWEEN ? AND ?"
        files = read.execute(
            f"SELECT file FROM segment WHERE sort = ?{between} ORDER BY file", [sort, *(days or ())]
        ).fetchall()
        parts = [f"SELECT {columns} FROM {sort} WHERE {where}"]
        if files:
            parts.append(f"SELECT {columns} FROM {_parquet([self.sealed / file for (file,) in files])} WHERE {where}")
        return " UNION ALL ".join(parts)

    def seal(self, until_us: int) -> int:
        """Moves all rows observed before `until_us` to sealed segments. Returns how many rows moved."""
        with self.sealing:
            return sum(self._seal_sort(sort, until_us) for sort in SORTS)

    def days_in_parts(self, before: str) -> list[str]:
        """The sealed days before this one that are still in more than one segment of a sort."""
        query = "SELECT DISTINCT day FROM segment WHERE day < ? GROUP BY day, sort HAVING count(*) > 1 ORDER BY day"
        with self.reading() as read:
            return [day for (day,) in read.execute(query, [before]).fetchall()]

    def compact(self, day: str) -> None:
        """Joins the segments of a day into one a sort, without rows that say the very same thing twice."""
        with self.sealing:
            for sort in SORTS:
                with self.reading() as read:
                    files = [
                        self.sealed / file
                        for (file,) in read.execute(
                            "SELECT file FROM segment WHERE day = ? AND sort = ?", [day, sort]
                        ).fetchall()
                    ]
                    if len(files) < 2:
                        continue
                    # The pieces are in order each, and one after the other.
                    self._replace(read, sort, day, files, self._joined(read, sort, day, files))
            self._drop_unnamed()

    def _joined(self, read: duckdb.DuckDBPyConnection, sort: str, day: str, files: Sequence[Path]) -> str:
        """SQL for what these files say, each once, in the order of a segment.

        One point at a time: to find what comes twice, all that is looked at is held in memory, and the whole day of a
        town is more than that. The pieces lie beside the segments, named by nobody, until the next clearing.
        """
        source, columns = _parquet(files), _COLUMNS[sort]
        said = columns.removeprefix("n, ")
        points = read.execute(f"SELECT DISTINCT point FROM {source} ORDER BY point").fetchall()
        pieces: list[Path] = []
        for (point,) in points:
            piece = self.sealed / f"day={day}" / f"{sort}-{next(self._segment_numbers):06d}.piece"
            once = f"SELECT DISTINCT ON ({said}) {columns} FROM {source} WHERE point = {point} ORDER BY n"
            read.execute(f"COPY ({_in_order(once)}) TO {_quoted(piece)} ({SEGMENT_FORMAT})")
            pieces.append(piece)
        return f"SELECT {columns} FROM {_parquet(pieces)}"

    def drop_before(self, day: str, *, sorts: Sequence[str] = SORTS) -> list[str]:
        """Forgets the sealed days before this one, of all sorts or of some. Returns which."""
        dropped = f"day < ? AND sort IN {(*sorts, '')}"
        with self.sealing:
            with self.reading() as read:
                named = read.execute(f"SELECT DISTINCT day FROM segment WHERE {dropped} ORDER BY day", [day])
                days = [name for (name,) in named.fetchall()]
                read.execute("BEGIN")
                read.execute(f"DELETE FROM segment WHERE {dropped}", [day])
                # The newest number stays, however old: the numbers go on from it.
                older = "received_us < ? AND n < (SELECT max(n) FROM ingest)"
                read.execute(f"DELETE FROM ingest WHERE {older}", [start_of(day)])
                if "number" in sorts:
                    read.execute("UPDATE kept SET alone = true WHERE first_us < ? AND NOT alone", [start_of(day)])
                read.execute("COMMIT")
            self._drop_unnamed()
        return days

    def forget_points(self, day: str, points: Sequence[int]) -> list[str]:
        """Forgets what some points, by their numbers, said on the sealed days before this one: their segments are
        written anew without it. Returns which days. Raises OSError, duckdb.Error: the first that befell a segment, once
        all the others are done."""
        those = f"({', '.join(map(str, points))})"
        days: list[str] = []
        failed: list[OSError | duckdb.Error] = []
        with self.sealing:
            if self._forgotten != tuple(points):
                self._forgotten, self._without = tuple(points), set()
            with self.reading() as read:
                query = "SELECT file, day FROM segment WHERE day < ? AND sort = 'number' ORDER BY file"
                for file, of in read.execute(query, [day]).fetchall() if points else ():
                    path = self.sealed / file
                    if path in self._without:
                        continue
                    said = f"FROM {_parquet([path])} WHERE point"
                    try:
                        if read.execute(f"SELECT 1 {said} IN {those} LIMIT 1").fetchall():
                            rows = f"SELECT {_COLUMNS['number']} {said} NOT IN {those}"
                            path = self._replace(read, "number", of, [path], rows)
                            days.append(of)
                    except (OSError, duckdb.Error) as error:
                        failed.append(error)
                        continue
                    self._without.add(path)
            self._drop_unnamed()
            self._without = {path for path in self._without if path.exists()}
        if failed:
            raise failed[0]
        return days

    def copy_hot(self, path: Path, upto: int) -> None:
        """Copies the hot rows up to a batch, and the names of the segments, into a new database, while batches go on
        being appended. Under `sealing`, so that the names are those of the files that are there."""
        with self.reading() as read:
            read.execute(f"ATTACH {_quoted(path)} AS copied")
            try:
                read.execute("BEGIN")
                read.execute(_SCHEMA.replace("EXISTS ", "EXISTS copied."))
                for table in ("ingest", *SORTS):
                    read.execute(f"INSERT INTO copied.{table} SELECT * FROM {table} WHERE n <= ? ORDER BY n", [upto])
                for table in ("segment", "kept"):
                    read.execute(f"INSERT INTO copied.{table} SELECT * FROM {table}")
                read.execute("COMMIT")
                read.execute("CHECKPOINT copied")
            except duckdb.Error:
                read.execute("ROLLBACK")
                raise
            finally:
                read.execute("DETACH copied")

    def keep_frame(self, frame: PictureFrame) -> None:
        """Keeps the live picture; the few before it are kept too, should this file be damaged."""

        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(
                    file,
                    head=np.array([frame.ingest, frame.at_us], np.int64),
                    asset=frame.asset.astype(np.uint32),
                    point=frame.point.astype(np.uint16),
                    observed_us=frame.observed_us,
                    received_us=frame.received_us,
                    value=frame.value,
                    value2=frame.value2,
                    quality=frame.quality,
                    texts=np.frombuffer(json.dumps(frame.texts).encode(), np.uint8),
                )

        write_whole(self.frames / f"{frame.ingest:020d}.npz", write)
        for old in sorted(self.frames.glob("*.npz"))[:-FRAMES_KEPT]:
            old.unlink()

    def newest_frame(self) -> PictureFrame | None:
        """The newest picture that can be read and that is not ahead of the observations."""
        for path in sorted(self.frames.glob("*.npz"), reverse=True):
            try:
                with np.load(path) as columns:
                    ingest, at_us = columns["head"].tolist()
                    if ingest > self._last_ingest:
                        continue
                    texts = json.loads(bytes(columns["texts"]))
                    return PictureFrame(
                        ingest,
                        at_us,
                        columns["asset"].astype(np.int64),
                        columns["point"].astype(np.int64),
                        columns["observed_us"],
                        columns["received_us"],
                        columns["value"],
                        columns["value2"],
                        columns["quality"],
                        {int(row): value for row, value in texts.items()},
                    )
            except (OSError, ValueError, KeyError, BadZipFile):
                continue
        return None

    def _seal_sort(self, sort: str, until_us: int) -> int:
        with self.reading() as read:
            days: list[int] = [
                day
                for (day,) in read.execute(
                    f"SELECT DISTINCT observed_us // {DAY_US} AS day FROM {sort} WHERE observed_us < ? ORDER BY day",
                    [until_us],
                ).fetchall()
            ]
            moved = 0
            for number in days:
                low, high = number * DAY_US, min((number + 1) * DAY_US, until_us)
                # What comes in while the segment is written has a higher ingest number and stays hot.
                upto: int = self._last_ingest
                where = f"observed_us >= {low} AND observed_us < {high} AND n <= {upto}"
                day = day_of(low)
                rows_of_day = _in_order(f"SELECT * FROM {sort} WHERE {where}")
                file, rows = self._write_segment(read, sort, day, rows_of_day)
                read.execute("BEGIN")
                read.execute("INSERT INTO segment VALUES (?, ?, ?, ?)", [day, sort, file, rows])
                if sort == "number":
                    _note_late(read, low, high, where)
                read.execute(f"DELETE FROM {sort} WHERE {where}")
                read.execute("COMMIT")
                moved += rows
        return moved

    def _replace(self, read: duckdb.DuckDBPyConnection, sort: str, day: str, files: Sequence[Path], rows: str) -> Path:
        """Puts one segment in the place of some of its day. rows: SQL that gives them in the order of a segment: to
        sort them all again would take a day's memory."""
        read.execute("SET GLOBAL preserve_insertion_order = true")
        try:
            file, count = self._write_segment(read, sort, day, rows)
        finally:
            read.execute("SET GLOBAL preserve_insertion_order = false")
        read.execute("BEGIN")
        for path in files:
            read.execute("DELETE FROM segment WHERE file = ?", [f"day={day}/{path.name}"])
        read.execute("INSERT INTO segment VALUES (?, ?, ?, ?)", [day, sort, file, count])
        read.execute("COMMIT")
        return self.sealed / file

    def _write_segment(self, read: duckdb.DuckDBPyConnection, sort: str, day: str, rows: str) -> tuple[str, int]:
        """rows: SQL that gives them in the order of a segment."""
        folder = self.sealed / f"day={day}"
        folder.mkdir(exist_ok=True)
        file = f"{sort}-{next(self._segment_numbers):06d}.parquet"
        path = folder / file

        def write(beside: Path) -> None:
            read.execute(f"COPY ({rows}) TO {_quoted(beside)} ({SEGMENT_FORMAT})")

        write_whole(path, write)
        sync_folder(self.sealed)
        count = read.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone()
        assert count is not None
        return f"day={day}/{file}", int(count[0])

    def _drop_unnamed(self) -> None:
        """Removes the files that no row of `segment` names."""
        with self.reading() as read:
            named = {file for (file,) in read.execute("SELECT file FROM segment").fetchall()}
        for path in self.sealed.glob("day=*/*"):
            if f"{path.parent.name}/{path.name}" not in named:
                path.unlink()
        for folder in self.sealed.glob("day=*"):
            if not any(folder.iterdir()):
                folder.rmdir()

    def _insert(self, table: str, columns: dict[str, NDArray[Any]]) -> None:
        # DuckDB finds `columns` by its name in this frame and reads the arrays in place.
        self._write.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM columns")

    def _roll_back(self) -> None:
        try:
            self._write.execute("ROLLBACK")
        except duckdb.Error:
            # The transaction is gone with the error that ended it.
            return

    def _one(self, sql: str) -> int:
        row = self._write.execute(sql).fetchone()
        return int(row[0]) if row else 0


def _note_late(read: duckdb.DuckDBPyConnection, low_us: int, high_us: int, where: str) -> None:
    """Notes of what is kept of a time of which these hot numbers are that they came after it was made."""
    made = "SELECT what, start_us, points, first_us, last_us FROM kept WHERE NOT late AND NOT alone"
    for what, start_us, points, first_us, last_us in read.execute(
        f"{made} AND first_us < ? AND last_us > ?", [high_us, low_us]
    ).fetchall():
        within = f"point IN ({points}) AND observed_us >= {first_us} AND observed_us < {last_us}"
        if read.execute(f"SELECT 1 FROM number WHERE {where} AND {within} LIMIT 1").fetchall():
            read.execute("UPDATE kept SET late = true WHERE what = ? AND start_us = ?", [what, start_us])


def _in_order(rows: str) -> str:
    """SQL for rows in the order that a segment has them in: what is asked for together lies together."""
    return f"SELECT * FROM ({rows}) ORDER BY point, asset, observed_us, n"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _parquet(paths: Sequence[Path]) -> str:
    """SQL for the rows of some files, in their order."""
    return f"read_parquet([{', '.join(map(_quoted, paths))}])"


def _common(stored: StoredBatch, rows: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    count = int(rows.sum())
    return {
        "n": np.full(count, stored.ingest, np.int64),
        "asset": stored.asset[rows].astype(np.uint32),
        "point": stored.point[rows].astype(np.uint16),
        "observed_us": stored.batch.observed_us[rows],
        "quality": stored.batch.quality[rows],
    }


def _numpy(read: duckdb.DuckDBPyConnection, sql: str) -> dict[str, NDArray[Any]]:
    return cast("dict[str, NDArray[Any]]", read.execute(sql).fetchnumpy())  # pyright: ignore[reportUnknownMemberType]


def _batch_of(
    n: int,
    received_us: int,
    number: dict[str, NDArray[Any]],
    place: dict[str, NDArray[Any]],
    text: dict[str, NDArray[Any]],
) -> StoredBatch:
    """One batch out of the rows of many, which are sorted by ingest number."""
    parts: Sequence[tuple[dict[str, NDArray[Any]], slice]] = [
        (rows, slice(*np.searchsorted(rows["n"], [n, n + 1]).tolist())) for rows in (number, place, text)
    ]
    (numbers, at_number), (places, at_place), (texts, at_text) = parts
    value = np.concatenate(
        [numbers["value"][at_number], places["lon"][at_place], np.full(at_text.stop - at_text.start, np.nan)]
    )
    value2 = np.full(len(value), np.nan)
    first_place = at_number.stop - at_number.start
    first_text = first_place + at_place.stop - at_place.start
    value2[first_place:first_text] = places["lat"][at_place]
    said = {first_text + i: str(each) for i, each in enumerate(texts["value"][at_text])}

    def joined(column: str, dtype: type[Any]) -> NDArray[Any]:
        return np.concatenate([rows[column][at] for rows, at in parts]).astype(dtype)

    batch = Batch(
        np.full(len(value), -1, np.int64),
        joined("observed_us", np.int64),
        value,
        value2,
        joined("quality", np.uint8),
        said,
    )
    return StoredBatch(n, received_us, joined("asset", np.int64), joined("point", np.int64), batch)
