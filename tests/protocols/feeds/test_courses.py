"""How a feed is moved in time: order kept, nothing from the future, weekdays and hours where they are promised."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vigie.core.times import DAY_US, HOUR_US, from_us, to_us
from vigie.protocols.feeds import FeedError, Observation, Shift, course_of
from vigie.protocols.feeds.courses import AT_ONCE, SPEED_MAX

NOW = to_us(datetime(2026, 11, 25, 4, 0, tzinfo=UTC))
MARCH = to_us(datetime(2024, 3, 1, tzinfo=UTC))


def rows(*instants: int) -> list[Observation]:
    return [("a", "flow", 1.0, at) for at in instants]


MONTH = rows(*(MARCH + hour * HOUR_US for hour in range(24 * 31)))
INSTANTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=30, unique=True).map(
    lambda seconds: [MARCH + each * 1_000_000 for each in sorted(seconds)]
)
WAYS = [(Shift.NOW, 60.0), (Shift.NOW, SPEED_MAX), (Shift.WEEK, 1.0), (Shift.WEEK, AT_ONCE), (Shift.END, AT_ONCE),
        (Shift.END, 60.0), (Shift.NONE, AT_ONCE), (Shift.NONE, 3.0)]  # fmt: skip


@given(INSTANTS, st.sampled_from(WAYS), st.integers(0, 10**15))
def test_order_is_kept_and_nothing_is_sent_before_it_is_observed(
    instants: list[int], way: tuple[Shift, float], later_us: int
) -> None:
    now_us = max(NOW, instants[-1])
    course = course_of(*way, rows(*instants), zone="Europe/Paris", now_us=now_us)
    observed = [course.observed_us(at) for at in instants]
    assert observed == sorted(set(observed))
    due = [course.due_us(at) for at in instants]
    assert due == sorted(due)
    assert all(max(sent, now_us) >= seen for sent, seen in zip(due, observed, strict=True))
    if way[0] in (Shift.END, Shift.WEEK):
        steps = {seen - at for seen, at in zip(observed, instants, strict=True)}
        assert len(steps) == 1, "true spacing"


@given(INSTANTS, st.sampled_from(["Europe/Paris", "America/Chicago", "UTC"]), st.integers(0, 400))
def test_week_keeps_weekday_and_local_hour_of_the_end(instants: list[int], zone: str, days: int) -> None:
    now_us = max(NOW, instants[-1]) + days * DAY_US
    course = course_of(Shift.WEEK, 1.0, rows(*instants), zone=zone, now_us=now_us)
    there = ZoneInfo(zone)
    was, seems = from_us(instants[-1]).astimezone(there), from_us(course.observed_us(instants[-1])).astimezone(there)
    assume(seems.fold == was.fold == 0)
    assert (was.weekday(), was.time()) == (seems.weekday(), seems.time()) or was.utcoffset() != seems.utcoffset()
    assert 0 <= course.observed_us(instants[-1]) - now_us <= 7 * DAY_US + HOUR_US


def test_a_month_that_ends_now_begins_before_the_raw_history() -> None:
    course = course_of(Shift.END, AT_ONCE, MONTH, zone="Europe/Berlin", now_us=NOW)
    assert course.observed_us(MONTH[-1][3]) == NOW
    assert course.due_us(MONTH[-1][3]) == NOW
    assert [course.too_old(row[3], NOW) for row in MONTH].count(True) == 24


def test_a_repetition_follows_a_usual_step_after_the_end() -> None:
    course = course_of(Shift.NOW, 60.0, MONTH, zone="UTC", now_us=NOW)
    again = course.again()
    assert again.observed_us(MONTH[0][3]) - course.observed_us(MONTH[-1][3]) == HOUR_US // 60
    weekly = course_of(Shift.WEEK, 1.0, MONTH, zone="UTC", now_us=NOW)
    assert weekly.again().observed_us(MONTH[0][3]) - weekly.observed_us(MONTH[0][3]) == 35 * DAY_US
    with pytest.raises(FeedError, match="say the same again"):
        course_of(Shift.END, AT_ONCE, MONTH, zone="UTC", now_us=NOW).again()


@pytest.mark.parametrize(
    ("shift", "speed"), [(Shift.NOW, AT_ONCE), (Shift.WEEK, 60.0), (Shift.NOW, -1.0), (Shift.END, 2 * SPEED_MAX)]
)
def test_a_speed_that_does_not_go_with_the_shift_is_refused(shift: Shift, speed: float) -> None:
    with pytest.raises(FeedError):
        course_of(shift, speed, MONTH, zone="UTC", now_us=NOW)
