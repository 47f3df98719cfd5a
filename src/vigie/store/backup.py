"""Copies of the stores while they are written to: cut at one instant, whole and synced when they are there.

The cut is made in the one thread that writes, between two commits: the facts are held as they are by a read
transaction of their own, the observations by the number of the newest batch. Then facts never know of an observation
that the copy lacks, nor an observation of an asset, and the copies themselves may take as long as they take.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from vigie.store.files import sync_folder
from vigie.store.observations import DuckObservations

_PAGES = 4_096
_READ_BYTES = 1 << 20


def hold_facts(path: Path) -> sqlite3.Connection:
    """The facts as they are now, for as long as the connection is open."""
    held = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    held.execute("BEGIN")
    held.execute("SELECT count(*) FROM meta").fetchone()
    return held


def copy_facts(held: sqlite3.Connection, target: Path, say: Callable[[int, int], None]) -> None:
    """Copies facts that are held, as a file that needs no log beside it. say(pages done, pages)."""
    with closing(sqlite3.connect(target)) as copy:
        held.backup(copy, pages=_PAGES, progress=lambda status, left, total: say(total - left, total))
        copy.execute("PRAGMA journal_mode=DELETE")
    sync_file(target)


@contextmanager
def held_observations(store: DuckObservations, staging: Path) -> Generator[Callable[[], int]]:
    """While this is open, nothing is sealed, joined or dropped. Gives what makes the cut, to be called in the writer's
    thread: it links the kept pictures into `staging` and returns the number of the newest batch."""
    frames = staging / "frames"
    frames.mkdir(parents=True)

    def cut() -> int:
        for path in store.frames.glob("*.npz"):
            link(path, frames / path.name)
        return store.last_ingest

    with store.sealing:
        yield cut


def copy_observations(store: DuckObservations, upto: int, staging: Path) -> None:
    """The hot tables up to a batch, and the sealed days and what is kept as links, within `held_observations`."""
    store.copy_hot(staging / "hot.duckdb", upto)
    sync_file(staging / "hot.duckdb")
    for path in (*store.sealed.glob("day=*/*.parquet"), *store.kept.glob("*.parquet")):
        target = staging / path.relative_to(store.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        link(path, target)


def link(source: Path, target: Path) -> None:
    """A second name for a file that is never written to again; a copy where the disk has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        sync_file(target)


def sync_file(path: Path) -> None:
    """Makes a file survive a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    whole = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_READ_BYTES):
            whole.update(part)
    return whole.hexdigest()


def copy_digested(source: Path, target: Path) -> str:
    """Copies a file, synced, and returns the hex SHA-256 of what was copied."""
    whole = hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as read, target.open("xb") as write:
        while part := read.read(_READ_BYTES):
            whole.update(part)
            write.write(part)
        write.flush()
        os.fsync(write.fileno())
    return whole.hexdigest()


def sync_folders(folder: Path) -> None:
    """Makes all names below a folder survive a loss of power."""
    for path in sorted((each for each in folder.rglob("*") if each.is_dir()), reverse=True):
        sync_folder(path)
    sync_folder(folder)


def files_below(folder: Path) -> Sequence[Path]:
    """All files below a folder, by their path in it, in a stable order."""
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
