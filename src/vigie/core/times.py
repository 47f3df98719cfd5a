"""Instants. Inside, an instant is a whole number of microseconds since the epoch, UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def to_us(instant: datetime) -> int:
    """Microseconds since the epoch of an aware datetime. Raises ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("a time without a zone names no instant")
    return (instant - _EPOCH) // _MICROSECOND


def from_us(instant_us: int) -> datetime:
    """The aware UTC datetime of an instant."""
    return _EPOCH + timedelta(microseconds=instant_us)


def nameable_us(instant_us: int) -> int:
    """The instant, or the nearest to it that the calendar names: for what others said, and was kept."""
    return min(max(instant_us, to_us(_FIRST)), to_us(_LAST))


def rfc3339(instant_us: int) -> str:
    """The instant as text with microseconds, such as 2026-11-24T03:00:00.000000Z."""
    # strftime takes seven times as long, and a city stamps each reading.
    return from_us(instant_us).isoformat(timespec="microseconds")[:-6] + "Z"


def day_of(instant_us: int) -> str:
    """The UTC day of an instant, such as 2026-11-24."""
    return from_us(instant_us).strftime("%Y-%m-%d")


def start_of(day: str) -> int:
    """The first instant of a UTC day that is written as `day_of` does."""
    return to_us(datetime.fromisoformat(f"{day}T00:00:00+00:00"))
