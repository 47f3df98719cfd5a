"""What an import may cost, and how it says no."""

from __future__ import annotations

from dataclasses import dataclass


class SourceError(Exception):
    """A file or a mapping that cannot be used. It is raised before anything is changed.

    problem: what is wrong, with the file's name and the place in it.
    mend: what a person can do about it.
    """

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(f"{problem}. {mend}.")
        self.problem = problem
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one file may ask for; what is over it is refused before it is read."""

    file_bytes_max: int = 1 << 30
    unzipped_bytes_max: int = 1 << 30
    unzipped_ratio_max: int = 200
    members_max: int = 1_000
    rows_max: int = 2_000_000
    rejections_listed_max: int = 100


DEFAULT = Limits()
