"""Two times meet exactly where a clock that is watched minute by minute says so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vigie.core.hours import read
from vigie.services.roads.works.windows import DAY_MIN, Window, minute_of, moment_of

MONDAY = minute_of("2026-12-07T00:00")
HOURS = ("", "mon-fri 08:00-17:00", "sat 06:00-14:00", "sun-thu 22:00-05:00", "mon 23:50-00:10; wed 12:00-12:01",
         "sun 23:00-01:00")  # fmt: skip

spans = st.builds(
    lambda begin, long, hours: Window(MONDAY + begin, MONDAY + begin + long, hours),
    st.integers(-DAY_MIN, 8 * DAY_MIN), st.integers(1, 9 * DAY_MIN), st.sampled_from(HOURS),
)  # fmt: skip


def minutes(window: Window) -> set[int]:
    """Every minute of a window, each asked for itself."""
    if not window.hours:
        return set(range(window.begin, window.end))
    week = read(window.hours)
    found = set[int]()
    for day in range(window.begin // DAY_MIN - 2, window.end // DAY_MIN + 1):
        # The first of January 1970 was a Thursday.
        for start, end in week[(day + 3) % 7]:
            found |= set(range(day * DAY_MIN + start, day * DAY_MIN + end))
    return {each for each in found if window.begin <= each < window.end}


@given(spans, spans)
def test_the_first_minute_in_both_is_that_of_a_clock_that_is_watched(one: Window, other: Window) -> None:
    both = minutes(one) & minutes(other)
    assert one.first_in_both(other) == other.first_in_both(one) == min(both, default=None)


@given(spans, st.integers(MONDAY, MONDAY + 9 * DAY_MIN))
def test_a_window_holds_the_minutes_that_such_a_clock_shows(window: Window, minute: int) -> None:
    assert window.holds(minute) == (minute in minutes(window))


def test_a_week_and_its_saturday_do_not_meet() -> None:
    week = Window(MONDAY, MONDAY + 28 * DAY_MIN, "mon-fri 08:00-17:00")
    assert week.first_in_both(Window(MONDAY, MONDAY + 28 * DAY_MIN, "sat 06:00-14:00")) is None
    assert week.first_in_both(Window(MONDAY, MONDAY + 28 * DAY_MIN, "sun 22:00-09:00")) == MONDAY + 480


def test_a_minute_is_written_as_it_is_read() -> None:
    assert moment_of(minute_of("2026-12-07T08:30")) == "2026-12-07T08:30"
