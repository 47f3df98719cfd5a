"""The versions of the core that are spoken, and in what they differ: data, asked by both ends.

Source: the change log of RSMP core 3.2.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Core:
    """One version of the core.

    exact_words: enumerated words must have the casing of the text (3.2: "RSMP is now case sensitive").
    arrays: a status may be a list of records (3.2: "Array type").
    marks_old: what was kept through a loss is sent with quality `old` (3.2: "Buffered messages").
    changes_rates: a second subscription changes the interval of the first (3.2, issue 52); before, the first stands.
    change_restarts_interval: an update on change begins the interval anew (3.2.2, issue 157).
    """

    version: str
    exact_words: bool = True
    arrays: bool = True
    marks_old: bool = True
    changes_rates: bool = True
    change_restarts_interval: bool = False


CORES: tuple[Core, ...] = (
    Core("3.1.5", exact_words=False, arrays=False, marks_old=False, changes_rates=False),
    Core("3.2.0"),
    # 3.2.1 reworded the data types and error handling; nothing on the wire changed.
    Core("3.2.1"),
    Core("3.2.2", change_restarts_interval=True),
)
"""From the oldest to the newest."""

BY_VERSION: dict[str, Core] = {core.version: core for core in CORES}

_SHORT = {"3.2": "3.2.0"}
"""3.2.0 calls itself 3.2 on its title page, and some sites in their messages too."""


def in_order(versions: Iterable[str]) -> tuple[str, ...]:
    """The versions from the oldest to the newest, each once. Raises KeyError for one that is not spoken."""
    wanted = {BY_VERSION[each].version for each in versions}
    return tuple(each for each in BY_VERSION if each in wanted)


def newest_common(ours: Iterable[str], theirs: Iterable[str]) -> Core | None:
    """The newest version that both ends speak, which is thereby chosen (3.2.2, "Communication establishment", 5)."""
    both = set(ours) & {_SHORT.get(each, each) for each in theirs}
    return next((core for core in reversed(CORES) if core.version in both), None)
