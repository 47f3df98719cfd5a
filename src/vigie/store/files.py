"""Files that are there whole or not at all, and room on the disk."""

from __future__ import annotations

import os
from collections.abc import Callable
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


def free_bytes(folder: Path) -> int:
    """What is left on the disk for us."""
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize
