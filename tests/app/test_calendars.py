"""The days of the town that are not as others."""

from __future__ import annotations

import pytest

from tests.city import NOW_US
from vigie.app.calendars import town_calendar
from vigie.core.calendar import day_number
from vigie.settings import Settings, SettingsWrong, load_settings


class Clock:
    def now_us(self) -> int:
        return NOW_US


def calendar(**said):
    return town_calendar(Settings(**said), Clock())()


def test_french_holidays_are_called_as_in_france() -> None:
    public = calendar().public
    assert public[day_number("2026-07-14")] == "Fête nationale"
    assert public[day_number("2027-03-29")] == "Lundi de Pâques"
    assert {day_number(f"{year}-12-25") for year in range(2024, 2038)} <= public.keys()


def test_a_part_of_a_country_has_its_own() -> None:
    assert day_number("2026-12-26") in calendar(country="FR-57").public
    assert day_number("2026-12-26") not in calendar().public
    assert calendar(country="").public == {}


def test_school_holidays_are_the_settings() -> None:
    school = calendar(school_holidays=("2026-10-17/2026-11-01",)).school
    assert len(school) == 16
    assert {day_number("2026-10-17"), day_number("2026-11-01")} <= school


@pytest.mark.parametrize(
    "said",
    [
        {"country": "XX"},
        {"country": "FR-ZZ"},
        {"school_holidays": ("2026-11-01/2026-10-17",)},
        {"school_holidays": ("2026-02-30/2026-03-01",)},
        {"school_holidays": ("2026-01-01/2029-01-01",)},
    ],
)
def test_what_cannot_be_is_told(said: dict) -> None:
    with pytest.raises(SettingsWrong):
        calendar(**said)


def test_the_environment_writes_a_list_with_commas() -> None:
    said = load_settings(environment={"VIGIE_SCHOOL_HOLIDAYS": "2026-10-17/2026-11-01, 2026-12-19/2027-01-03"})
    assert said.school_holidays == ("2026-10-17/2026-11-01", "2026-12-19/2027-01-03")
    with pytest.raises(SettingsWrong):
        load_settings(environment={"VIGIE_SCHOOL_HOLIDAYS": "in summer"})
