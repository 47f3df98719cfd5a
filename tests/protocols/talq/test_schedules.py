"""Programmes and calendars: there and back without loss, within the standard, and what they come to."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.protocols.talq.standard import Standard
from vigie.protocols.talq.messages import Calendar, ControlProgramOne
from vigie.protocols.talq.schedules import (
    Hours,
    How,
    MonthDays,
    Night,
    NoLighting,
    Programme,
    Rule,
    Slot,
    Sun,
    SunSlot,
    WeekDays,
    Year,
    YearDays,
    day_of,
    level_at,
    programme_on,
    read,
    read_year,
    written,
    written_year,
)

OWNER = "6d3f2f6e-8f0a-4a53-9a3c-2a5d5d2f7c11"
REF = "./talq-data-model-2-7-1-online.json#/components/schemas/"

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
levels = st.integers(0, 100)
offsets = st.integers(-720, 720)
fades = st.integers(0, 3_600).map(float)
hours = st.builds(Hours, clocks, clocks)
nights = st.builds(Night, offsets, offsets)
sun_slots = st.builds(SunSlot, st.sampled_from(Sun), offsets, levels, st.sampled_from(How), fades)
programmes = st.builds(
    Programme,
    names,
    st.lists(hours | nights, max_size=4).map(tuple),
    st.lists(st.builds(Slot, clocks, levels, fades), max_size=8, unique_by=lambda slot: slot.start).map(
        lambda slots: tuple(sorted(slots, key=lambda slot: slot.start))
    ),
    st.lists(sun_slots, max_size=3).map(tuple),
)
days = st.integers(1, 31)
month_days = st.dates(date(2000, 1, 1), date(2000, 12, 31)).map(lambda day: (day.month, day.day))
spans = st.tuples(st.integers(1, 7), st.integers(1, 7)).map(lambda pair: (min(pair), max(pair)))
ons = (
    st.none()
    | st.builds(
        WeekDays,
        st.lists(spans, max_size=7).map(tuple),
        st.lists(st.sampled_from("12345L"), max_size=5, unique=True).map(tuple),
    )
    | st.lists(st.builds(MonthDays, days, days) | st.builds(YearDays, month_days, month_days), max_size=5).map(tuple)
)
bounds = st.none() | month_days | st.dates(date(1000, 1, 1))
years = st.builds(
    Year, names, st.lists(st.builds(Rule, names, ons, bounds, bounds), max_size=6).map(tuple), st.just("") | names
)

relaxed = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@relaxed
@given(programme=programmes)
def test_a_programme_goes_there_and_back(talq: Standard, programme: Programme) -> None:
    raw = msgspec.json.encode(written(programme, OWNER))
    talq.check(msgspec.json.decode(raw), {"$ref": f"{REF}ControlProgram"}, "program")
    assert read(msgspec.json.decode(raw, type=ControlProgramOne)) == programme


@relaxed
@given(year=years)
def test_a_calendar_goes_there_and_back(talq: Standard, year: Year) -> None:
    raw = msgspec.json.encode(written_year(year, OWNER))
    talq.check(msgspec.json.decode(raw), {"$ref": f"{REF}Calendar"}, "calendar")
    assert read_year(msgspec.json.decode(raw, type=Calendar)) == year


@given(programme=programmes, now=clocks, sunrise=clocks, sunset=clocks)
def test_a_level_is_one_whatever_the_sun_does(programme: Programme, now: time, sunrise: time, sunset: time) -> None:
    found = level_at(programme, now, sunrise, sunset)
    assert found is None or 0 <= found <= 100


@pytest.mark.parametrize(
    "make",
    [
        lambda: Programme("p", (), (Slot(time(5), 101),)),
        lambda: Programme("p", (), (Slot(time(5), 1, -1.0),)),
        lambda: Programme("p", (), (Slot(time(5), 1), Slot(time(5), 2))),
        lambda: Programme("p", (), (Slot(time(6), 1), Slot(time(5), 2))),
        lambda: Programme("p", (Hours(time(5, 0, 0, 1), time(6)),), ()),
        lambda: Programme("p", (Night(721, 0),), ()),
        lambda: Programme("p", (), (), (SunSlot(Sun.SET, -721, 1),)),
    ],
)
def test_what_no_gateway_may_be_given_is_no_programme(make: object) -> None:
    assert callable(make)
    with pytest.raises(NoLighting):
        make()


@pytest.mark.parametrize(
    "rule",
    [
        {"startDate": "2026-02-30"},
        {"endDate": "--02-30"},
        {"condition": {"type": "ccDay", "days": [{"start": 5, "end": 2}]}},
        {"condition": {"type": "ccDate", "dates": [{"start": "---05", "end": "--01-05"}]}},
        {"condition": {"type": "ccDate", "dates": [{"start": "--02-30"}]}},
    ],
)
def test_a_day_that_is_none_is_said_to_be_none(rule: dict[str, object]) -> None:
    calendar = msgspec.convert({"id": "c", "ownerCMS": OWNER, "rules": [{"program": "p", **rule}]}, Calendar)
    with pytest.raises(NoLighting):
        read_year(calendar)


@pytest.mark.parametrize(
    ("rule", "day", "holds"),
    [
        (Rule("p"), date(2026, 11, 26), True),
        (Rule("p", WeekDays(((4, 4),))), date(2026, 11, 26), True),
        (Rule("p", WeekDays(((5, 7),))), date(2026, 11, 26), False),
        (Rule("p", WeekDays(((4, 4),), ("4",))), date(2026, 11, 26), True),
        (Rule("p", WeekDays(((4, 4),), ("L",))), date(2026, 11, 26), True),
        (Rule("p", WeekDays(((4, 4),), ("L",))), date(2026, 11, 19), False),
        (Rule("p", WeekDays(((4, 4),), ("1", "2"))), date(2026, 11, 26), False),
        (Rule("p", WeekDays(((5, 5),), ("L",))), date(9999, 12, 31), True),
        (Rule("p", (MonthDays(24, 26),)), date(2026, 11, 26), True),
        (Rule("p", (MonthDays(24, 25),)), date(2026, 11, 26), False),
        (Rule("p", (YearDays((12, 24), (1, 2)),)), date(2026, 1, 1), True),
        (Rule("p", (YearDays((12, 24), (1, 2)),)), date(2026, 11, 26), False),
        (Rule("p", None, date(2026, 11, 26), date(2026, 11, 26)), date(2026, 11, 26), True),
        (Rule("p", None, date(2026, 11, 27)), date(2026, 11, 26), False),
        (Rule("p", None, None, date(2026, 11, 25)), date(2026, 11, 26), False),
        (Rule("p", None, (11, 1), (2, 1)), date(2026, 1, 26), True),
        (Rule("p", None, (11, 1), (2, 1)), date(2026, 3, 26), False),
        (Rule("p", None, date(2020, 1, 1), (6, 30)), date(2026, 11, 26), False),
    ],
)
def test_which_days_a_rule_is_for(rule: Rule, day: date, holds: bool) -> None:
    assert programme_on(Year("y", (rule,), "else"), day) == ("p" if holds else "else")


def test_of_the_rules_that_hold_the_first_decides() -> None:
    rules = (Rule("a", WeekDays(((1, 1),))), Rule("b"), Rule("c"))
    assert programme_on(Year("y", rules), date(2026, 11, 26)) == "b"
    assert programme_on(Year("y", ()), date(2026, 11, 26)) == ""


@given(year=years, day=st.dates())
def test_a_calendar_has_one_answer_for_any_day(year: Year, day: date) -> None:
    assert programme_on(year, day) in {year.otherwise, *(rule.programme for rule in year.rules)}


def test_a_day_may_be_a_night() -> None:
    early = datetime(2026, 11, 26, 3, tzinfo=UTC)
    assert [day_of(early, 0), day_of(early, 12)] == [date(2026, 11, 26), date(2026, 11, 25)]
    assert day_of(datetime(2026, 11, 26, 12, tzinfo=UTC), 12) == date(2026, 11, 26)


SUNRISE, SUNSET = time(7, 30), time(18)


@pytest.mark.parametrize(
    ("programme", "at", "wanted"),
    [
        (Programme("p", (Night(),), (Slot(time(5), 100), Slot(time(22), 70))), time(17, 59), None),
        (Programme("p", (Night(),), (Slot(time(5), 100), Slot(time(22), 70))), time(18), 100),
        (Programme("p", (Night(),), (Slot(time(5), 100), Slot(time(22), 70))), time(22), 70),
        (Programme("p", (Night(),), (Slot(time(5), 100), Slot(time(22), 70))), time(4, 59), 70),
        (Programme("p", (Night(),), (Slot(time(5), 100), Slot(time(22), 70))), time(7, 30), None),
        (Programme("p", (Night(-10, 15),), (Slot(time(5), 100),)), time(17, 50), 100),
        (Programme("p", (Night(-10, 15),), (Slot(time(5), 100),)), time(7, 44), 100),
        (Programme("p", (Hours(time(20), time(6)),), (Slot(time(0), 30),)), time(12), None),
        (Programme("p", (Hours(time(20), time(6)),), (Slot(time(0), 30),)), time(20), 30),
        (Programme("p", (Hours(time(6), time(6)),), (Slot(time(0), 30),)), time(12), 30),
        (Programme("p", (), (Slot(time(0), 60),), (SunSlot(Sun.SET, 60, 20),)), time(18, 30), 20),
        (Programme("p", (), (Slot(time(0), 60),), (SunSlot(Sun.RISE, 0, 90, How.MIN),)), time(12), 60),
        (Programme("p", (), (Slot(time(0), 60),), (SunSlot(Sun.RISE, 0, 90, How.ADD),)), time(12), 100),
        (Programme("p", (), (Slot(time(0), 60),), (SunSlot(Sun.RISE, 0, 90, How.SUB),)), time(12), 0),
        (Programme("p", (), ()), time(12), None),
    ],
)
def test_what_a_programme_comes_to(programme: Programme, at: time, wanted: int | None) -> None:
    assert level_at(programme, at, SUNRISE, SUNSET) == wanted
