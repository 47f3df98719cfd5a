"""Files that are there whole or not at all, and room on the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Makes a rename in the folder survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Writes beside, syncs, and puts in place: a reader sees the old file or the new, never a part."""
    beside = path.with_name(f".{path.name}.new")
    try:
        write(beside)
        handle = os.open(beside, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def append_lines(path: Path, lines: Sequence[bytes]) -> None:
    """Appends whole lines and syncs them, after what a crash may have left of an unfinished one."""
    new = not path.exists()
    with path.open("a+b") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.writelines(line + b"\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    if new:
        sync_folder(path.parent)


def last_lines(path: Path, count: int, *, bytes_max: int) -> list[bytes]:
    """The last lines of a file, oldest first, within its last so many bytes; none where there is no file. A crash may
    have cut the very last."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        start = max(0, file.seek(0, os.SEEK_END) - bytes_max)
        file.seek(start)
        lines = file.read().split(b"\n")
    # The first is cut by where the reading began; what follows the last end of a line is nothing, or a cut line.
    return [line for line in lines[1 if start else 0 :] if line][-count:]


def free_bytes(folder: Path) -> int:
    """What is left on the disk for us."""
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize
