"""When a record holds: by what its keeper says of it, its begin and end, and the hours, days and months within."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from tests.protocols.datex2.situations import instants, validities
from vigie.core.times import to_us
from vigie.protocols.datex2 import Days, Hours, Period, Validity, holds

PARIS = ZoneInfo("Europe/Paris")
NIGHTS = Hours(21 * 3_600, 6 * 3_600)
WEEKDAYS = Days(("monday", "tuesday", "wednesday", "thursday", "friday"))


def at(text: str) -> int:
    """An instant, by the clock of Paris."""
    return to_us(datetime.fromisoformat(text).replace(tzinfo=PARIS))


YEAR = Validity(at("2026-01-01"), at("2027-01-01"))


@pytest.mark.parametrize(
    ("period", "instant", "expected"),
    [
        (Period(hours=(NIGHTS,)), "2026-07-06T20:59", False),
        (Period(hours=(NIGHTS,)), "2026-07-06T21:00", True),
        (Period(hours=(NIGHTS,)), "2026-07-06T05:59", True),
        (Period(hours=(NIGHTS,)), "2026-07-06T06:00", False),
        # A Friday's night goes on into Saturday, and Saturday has none of its own.
        (Period(hours=(NIGHTS,), days=(WEEKDAYS,)), "2026-07-11T05:00", True),
        (Period(hours=(NIGHTS,), days=(WEEKDAYS,)), "2026-07-11T22:00", False),
        (Period(hours=(NIGHTS,), days=(WEEKDAYS,)), "2026-07-13T05:00", False),
        (Period(days=(WEEKDAYS,)), "2026-07-11T12:00", False),
        (Period(days=(Days(months=("july",)),)), "2026-07-11T12:00", True),
        (Period(days=(Days(months=("june",)),)), "2026-07-11T12:00", False),
        # A day that nobody knows limits nothing.
        (Period(days=(Days(("doomsday",)),)), "2026-07-11T12:00", True),
        (Period(begins_us=at("2026-07-12")), "2026-07-11T12:00", False),
        (Period(ends_us=at("2026-07-11")), "2026-07-11T12:00", False),
    ],
)
def test_a_period_holds_at_its_hours_on_its_days(period: Period, instant: str, expected: bool) -> None:
    assert holds(replace(YEAR, periods=(period,)), at(instant), PARIS) is expected
    # What an exception takes out is what a period of the same would hold.
    assert holds(replace(YEAR, exceptions=(period,)), at(instant), PARIS) is not expected


@given(validities, instants)
def test_what_is_over_or_suspended_never_holds_and_what_is_active_holds_until_its_end(
    validity: Validity, now_us: int
) -> None:
    is_over = validity.ends_us is not None and validity.ends_us <= now_us
    assert not holds(replace(validity, status="suspended"), now_us, UTC)
    assert holds(replace(validity, status="active"), now_us, UTC) is not is_over
    if is_over or validity.begins_us > now_us:
        assert not holds(replace(validity, status="definedByValidityTimeSpec"), now_us, UTC)
