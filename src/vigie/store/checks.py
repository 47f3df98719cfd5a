"""Whether the stores are whole: what can be told in seconds, while they are written to."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import duckdb

from vigie.store.observations import DuckObservations

PROBLEMS_TOLD_MAX = 5


def facts_damage(path: Path) -> list[str]:
    """What SQLite's own quick check says is wrong with the database."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as read:
            rows = read.execute(f"PRAGMA quick_check({PROBLEMS_TOLD_MAX})").fetchall()
    except sqlite3.Error as error:
        return [str(error)]
    return [str(said) for (said,) in rows if said != "ok"]


def segments_damage(store: DuckObservations, say: Callable[[int, int], None]) -> list[str]:
    """The sealed days, and the kept sums, that are not there or not whole: each file's own count of rows against what
    was noted of it."""
    wrong: list[str] = []
    with store.sealing, store.reading() as read:
        files = "SELECT 'sealed/' || file AS file, rows FROM segment UNION ALL SELECT 'kept/' || file, rows FROM kept"
        noted: list[tuple[str, int]] = read.execute(f"{files} ORDER BY file").fetchall()
        for done, (file, rows) in enumerate(noted, 1):
            path = store.folder / file
            if not path.exists():
                wrong.append(f"{file} is not there")
                continue
            try:
                found = read.execute("SELECT num_rows FROM parquet_file_metadata(?)", [str(path)]).fetchone()
            except duckdb.Error as error:
                wrong.append(f"{file} cannot be read: {str(error).splitlines()[0]}")
                continue
            if found is None or int(found[0]) != rows:
                wrong.append(f"{file} does not hold the {rows} rows that were noted")
            say(done, len(noted))
    return wrong


def frames_damage(store: DuckObservations) -> list[str]:
    """The kept pictures that cannot be read."""
    wrong: list[str] = []
    for path in sorted(store.frames.glob("*.npz")):
        try:
            with ZipFile(path) as file:
                bad = file.testzip()
        except FileNotFoundError:
            continue  # A newer one has taken its place meanwhile.
        except (OSError, BadZipFile) as error:
            bad = str(error)
        if bad is not None:
            wrong.append(f"{path.name}: {bad}")
    return wrong
