"""Which nights are meant, and of which of them there is something to tell."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vigie.api.energy.spans import Span, bounds_of, nights_of, span_of, told_of
from vigie.api.problems import Problem
from vigie.core.calendar import Calendar
from vigie.core.times import to_us

PARIS = Calendar(ZoneInfo("Europe/Paris"))
NOW_US = to_us(datetime(2026, 11, 26, 20, 0, tzinfo=UTC))


def days(*said: str) -> Span:
    first, last = map(date.fromisoformat, said)
    return Span(first, last)


@pytest.mark.parametrize(
    ("start", "end", "meant"),
    [
        ("", "", days("2026-10-01", "2026-10-31")),
        ("2026-10", "", days("2026-10-01", "2026-10-31")),
        ("2028-02", "", days("2028-02-01", "2028-02-29")),
        ("2026-09", "2026-10", days("2026-09-01", "2026-10-31")),
        ("2026-10-05", "", days("2026-10-05", "2026-10-05")),
        ("2026-10-05", "2026-11", days("2026-10-05", "2026-11-30")),
    ],
)
def test_a_month_or_a_day_is_its_nights(start: str, end: str, meant: Span) -> None:
    assert span_of(start, end, PARIS, NOW_US) == meant


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-13", ""), ("2026-02-30", ""), ("october", ""), ("", "2026-10"), ("2026-10", "2026-09"), ("2020-01", "2026"),
     ("2026-07", "2026-10"), ("0000-01", ""), ("9999-12", "0001-01"), ("٢٠٢٦-10", "")],
)  # fmt: skip
def test_what_is_no_span_is_said_so(start: str, end: str) -> None:
    with pytest.raises(Problem) as wrong:
        span_of(start, end, PARIS, NOW_US)
    assert wrong.value.status == 400


def at(*when: int) -> int:
    return to_us(datetime(*when, tzinfo=ZoneInfo("Europe/Paris")))  # type: ignore[arg-type, misc]


def told(asked: Span, now_us: int, since_us: int | None, kept: Collection[date] = ()) -> Any:
    try:
        return told_of(asked, PARIS, now_us, since_us, kept)
    except Problem as problem:
        return problem.rule, problem.values.get("day")


def test_only_nights_that_are_over_and_reported_whole_are_told() -> None:
    october, november = days("2026-10-01", "2026-10-31"), days("2026-11-01", "2026-11-30")
    ever = at(2026, 1, 1, 0)
    assert told(october, NOW_US, ever) == october
    # A night is over at noon.
    assert told(november, at(2026, 11, 26, 11, 59), ever) == days("2026-11-01", "2026-11-24")
    assert told(november, at(2026, 11, 26, 12), ever) == days("2026-11-01", "2026-11-25")
    # What was first heard at noon sharp is heard of a whole night; later, of the next.
    assert told(october, NOW_US, at(2026, 10, 27, 12)) == days("2026-10-27", "2026-10-31")
    assert told(october, NOW_US, at(2026, 10, 27, 12, 0, 1)) == days("2026-10-28", "2026-10-31")
    assert told(october, NOW_US, at(2026, 11, 5, 3)) == ("lighting.energy_before", "2026-11-05")
    assert told(days("2026-12-01", "2026-12-31"), NOW_US, ever) == ("lighting.energy_ahead", "2026-11-25")
    assert told(november, NOW_US, None) == ("lighting.energy_none", None)
    assert told(november, NOW_US, at(2026, 11, 26, 15)) == ("lighting.energy_none", None)


def test_nights_that_are_kept_are_told_though_what_was_reported_is_gone() -> None:
    october, since_us = days("2026-10-01", "2026-10-31"), at(2026, 10, 20, 2)
    kept = {date(2026, 10, day) for day in range(1, 20)}
    assert told(october, NOW_US, since_us, kept) == october
    assert told(october, NOW_US, None, kept) == days("2026-10-01", "2026-10-19")
    assert told(october, NOW_US, since_us, kept - {date(2026, 10, 7)}) == days("2026-10-08", "2026-10-31")
    assert told(days("2026-09-01", "2026-09-30"), NOW_US, since_us, kept) == ("lighting.energy_before", "2026-10-01")


def test_a_span_that_was_kept_by_another_clock_is_no_night_of_this_one() -> None:
    night, earlier = date(2026, 10, 24), date(2026, 10, 23)
    assert bounds_of(PARIS, night) == (at(2026, 10, 24, 12), at(2026, 10, 25, 12))
    helsinki = Calendar(ZoneInfo("Europe/Helsinki"))
    assert nights_of(PARIS, [bounds_of(helsinki, night), bounds_of(PARIS, earlier)]) == {earlier}
