"""Days: their numbers, and the days of a town that are not as others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

EPOCH_DAY = date(1970, 1, 1)


def day_number(day: str) -> int:
    """The days since the epoch of a date such as 2026-07-14. Raises ValueError where there is no such day."""
    return (date.fromisoformat(day) - EPOCH_DAY).days


def date_of(number: int) -> date:
    """The date of a number of days since the epoch."""
    return EPOCH_DAY + timedelta(days=number)


@dataclass(frozen=True)
class Calendar:
    """The days of a town that are not as others, by number.

    zone: the town's, whose clock is meant wherever a time of day is said. public: public holidays, and what each is
    called. school: days of school holidays.
    """

    zone: ZoneInfo
    public: Mapping[int, str] = field(default_factory=dict[int, str])
    school: frozenset[int] = frozenset()
