"""Day plans as one text: read as written, whatever they are; what is none says why, and each minute has its plan."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.service import Refusal
from vigie.protocols.rsmp.timetables import days_of, tables_of
from vigie.services.signals.dayplans import DAYS, DayPlansWrong, Week, plan_at, read, written

DAY = st.dictionaries(st.integers(0, 1_439), st.integers(1, 16), min_size=1, max_size=12).map(
    lambda day: tuple(sorted(day.items()))
)
WEEK = st.lists(DAY, min_size=1, max_size=3).flatmap(
    lambda days: st.lists(st.sampled_from(days), min_size=7, max_size=7).map(tuple)
)


@given(WEEK)
def test_a_week_is_read_as_it_is_written_and_so_are_its_tables(week: Week) -> None:
    assert read(written(week)) == week
    assert written(read(written(week))) == written(week)
    assert days_of(*tables_of(week)) == week


@given(WEEK, st.integers(0, 6), st.integers(0, 1_439))
def test_a_plan_goes_on_until_the_next_begins_over_midnight_too(week: Week, day: int, minute: int) -> None:
    all_changes = [(at, *change) for at, own in enumerate(week) for change in own]
    before = [plan for at, begins, plan in all_changes if (at, begins) <= (day, minute)]
    assert plan_at(week, day, minute) == (before or [all_changes[-1][2]])[-1]


def test_a_week_of_a_city_is_said_in_a_line() -> None:
    text = "mon-fri 06:30=2 09:00=1 16:00=3 19:00=1 22:00=4; sat 08:00=1 22:00=4; sun 09:00=5"
    week = read(text)
    assert written(week) == text
    assert (plan_at(week, 0, 389), plan_at(week, 0, 390), plan_at(week, 6, 0)) == (5, 2, 4)
    assert tables_of(week) == (
        "0-1,1-1,2-1,3-1,4-1,5-2,6-3",
        "1-2-6-30,1-1-9-0,1-3-16-0,1-1-19-0,1-4-22-0,2-1-8-0,2-4-22-0,3-5-9-0",
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not such as"),
        ("mon-sun", "is not such as"),
        ("mon-sun 6:30=2", "is not such as"),
        ("mon-fri 06:30=2", "of sat nothing is said"),
        ("mon-sun 06:30=2; wed 06:30=2", "wed is said twice"),
        ("sun-mon 06:30=2", "goes backwards"),
        ("mon-sun 06:30=17", "none of 1 to 16"),
        ("mon-sun 06:30=0", "none of 1 to 16"),
        ("mon-sun 09:00=2 06:30=1", "one after the other"),
        ("mon-sun 24:00=2", "the times of mon are none"),
        ("mon-sun " + " ".join(f"{hour:02}:00=1" for hour in range(13)), "1 to 12"),
        (f"{DAYS[0]}-xyz 06:30=2", "is not such as"),
    ],
)
def test_what_is_no_week_says_why(text: str, why: str) -> None:
    with pytest.raises(DayPlansWrong, match=why):
        read(text)


def test_each_reason_is_a_refusal_of_its_own() -> None:
    with pytest.raises(DayPlansWrong) as found:
        read("lun-ven 06:30=2")
    assert found.value.refusal == Refusal("signals.day_plans_form", {"part": "lun-ven 06:30=2"})
    with pytest.raises(DayPlansWrong) as found:
        read("mon-fri 06:30=2")
    assert found.value.refusal == Refusal("signals.day_plans_missing", {"day": "sat"})


@given(st.text("0123456789-, x", max_size=40), st.text("0123456789-, x", max_size=40))
def test_rubbish_is_no_table_or_seven_days(week: str, tables: str) -> None:
    try:
        days = days_of(week, tables)
    except ValueError:
        return
    assert len(days) == 7
