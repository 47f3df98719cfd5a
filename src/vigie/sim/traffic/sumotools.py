"""SUMO's own programs and tools, as they come with the package: started, waited for, and their words taken up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

CALL_S_MAX = 1_800.0


class ToolFailed(RuntimeError):
    """A program of SUMO's is missing or has failed. The text is its own."""


def call(name: str, arguments: Sequence[str], folder: Path, timeout_s: float = CALL_S_MAX) -> None:
    """Runs a program such as netconvert, or a tool that is named as its file is, such as routeSampler.py, in a folder.

    Raises ToolFailed.
    """
    try:
        home = Path(import_module("sumo").SUMO_HOME)
    except ImportError:
        raise ToolFailed("eclipse-sumo is not installed") from None
    begin = [sys.executable, str(home / "tools" / name)] if name.endswith(".py") else [str(home / "bin" / name)]
    around = {**os.environ, "SUMO_HOME": str(home)}
    try:
        done = subprocess.run(
            [*begin, *arguments], cwd=folder, env=around, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        raise ToolFailed(f"{name}: {error}") from None
    if done.returncode:
        said = [line.removeprefix("Error: ").strip() for line in done.stderr.splitlines() if line.strip()]
        said = [line for line in said if line != "Quitting (on error)."]
        raise ToolFailed(f"{name}: {' '.join(said[-3:]) or f'it ended with {done.returncode}'}")
