"""Whether a record holds at an instant, by what its keeper says of it and by the times that it tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta, tzinfo

from vigie.core.times import from_us
from vigie.protocols.datex2.model import Days, Period, Validity
from vigie.protocols.datex2.vocabulary import DAYS, MONTHS


def holds(validity: Validity, at_us: int, zone: tzinfo) -> bool:
    """Whether it holds. zone: of the clock that hours and days are told by.

    The keeper's word goes before the times: what is suspended or planned does not hold, what is active does. Only an
    end is believed against it: what is over is often left as it was.
    """
    if validity.status in ("suspended", "planned") or (validity.ends_us is not None and validity.ends_us <= at_us):
        return False
    if validity.status == "active":
        return True
    if validity.periods and not any(_lies_in(each, at_us, zone) for each in validity.periods):
        return False
    return validity.begins_us <= at_us and not any(_lies_in(each, at_us, zone) for each in validity.exceptions)


def _lies_in(period: Period, at_us: int, zone: tzinfo) -> bool:
    if (period.begins_us or at_us) > at_us or (period.ends_us is not None and period.ends_us <= at_us):
        return False
    there = from_us(at_us).astimezone(zone)
    today, second = there.date(), there.hour * 3_600 + there.minute * 60 + there.second
    if not period.hours:
        return _has(period.days, today)
    # Hours that go on past midnight belong to the day on which they began.
    for hours in period.hours:
        ends_s = hours.ends_s if hours.ends_s > hours.begins_s else hours.ends_s + 86_400
        if hours.begins_s <= second < ends_s and _has(period.days, today):
            return True
        if second < ends_s - 86_400 and _has(period.days, today - timedelta(days=1)):
            return True
    return False


def _has(days: Sequence[Days], day: date) -> bool:
    """Whether a day is among some; without any, all are. Names that nobody knows limit nothing."""

    def fits(each: Days) -> bool:
        weekdays = [DAYS.index(name) for name in each.days if name in DAYS]
        months = [MONTHS.index(name) + 1 for name in each.months if name in MONTHS]
        return (not weekdays or day.weekday() in weekdays) and (not months or day.month in months)

    return not days or any(fits(each) for each in days)
