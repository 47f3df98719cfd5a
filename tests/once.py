"""What is made once in a run of the suite, by whichever of its processes asks first; the others wait for it.

A town of the metropolis's size takes longer to make than most tests of it to run, and what is made from a seed is the
same whoever makes it. What is here is read, or copied first: nobody changes it.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Made = TypeVar("Made")

_folder: Path | None = None


def lie_in(folder: Path) -> None:
    """Says where things are kept: a folder of this run alone, which all of its processes see."""
    global _folder
    folder.mkdir(exist_ok=True)
    _folder = folder


def folder(name: str, make: Callable[[Path], object]) -> Path:
    """A folder that `make` has filled. Where it fails, whoever asks next tries again."""
    assert _folder is not None, "asked before the run has begun"
    found = _folder / name
    with (_folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            begun = _folder / f"{name}.{os.getpid()}"
            shutil.rmtree(begun, ignore_errors=True)
            begun.mkdir()
            make(begun)
            begun.rename(found)
    return found


def value(name: str, make: Callable[[], Made]) -> Made:
    """What `make` returns; outside of a run it is made at each asking."""
    if _folder is None:
        return make()
    kept: list[Any] = []

    def write(begun: Path) -> None:
        kept.append(make())
        with (begun / "value").open("wb") as file:
            pickle.dump(kept[0], file, pickle.HIGHEST_PROTOCOL)

    found = folder(name, write)
    if kept:
        return kept[0]
    with (found / "value").open("rb") as file:
        return pickle.load(file)
