"""What reading a feed may cost, and how it says no."""

from __future__ import annotations

from dataclasses import dataclass


class FeedError(Exception):
    """A feed or its mapping that cannot be used. It is raised before anything is sent.

    problem: what is wrong, with the file's name and the place in it.
    mend: what a person can do about it.
    """

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(f"{problem}. {mend}.")
        self.problem = problem
        self.mend = mend


@dataclass(frozen=True, slots=True)
class FeedLimits:
    """The most that one file may ask for; what is over it is refused, not cut."""

    file_bytes_max: int = 256 << 20
    unpacked_bytes_max: int = 512 << 20
    rows_max: int = 2_000_000
    members_max: int = 100
    rejections_listed_max: int = 100


DEFAULT = FeedLimits()
