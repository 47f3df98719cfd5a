"""When a vehicle is not followed: outside its working hours, and while its driver says so.

A position is personal data of whoever drives. What is observed when they do not work is dropped before anything is kept
of it, and so is what cannot be told apart from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from vigie.core import hours
from vigie.core.observations import Outcome


def check(text: str) -> None:
    """Raises ValueError for working hours that say none."""
    hours.read(text)


def withheld(worked: str, words: Sequence[tuple[int, bool]], at_us: int, zone: tzinfo) -> Outcome | None:
    """Why what was observed at an instant is not taken in; None: it may be.

    worked: the working hours, "" for always. words: when the vehicle said that it is private, or is not, as far as is
    known. The last word by then decides. What was observed before the first word that is known, and comes after it, may
    be of a private drive: the post knows no longer what held then.
    """
    if worked and not _working(worked, at_us, zone):
        return Outcome.OFF_HOURS
    if not words:
        return None
    spoken = [word for word in words if word[0] <= at_us]
    return Outcome.PRIVATE if not spoken or max(spoken)[1] else None


def _working(worked: str, at_us: int, zone: tzinfo) -> bool:
    try:
        return hours.are_open(hours.read(worked), at_us, zone)
    except hours.HoursWrong:
        # The inventory takes none such in; what an older one holds follows nobody.
        return False
