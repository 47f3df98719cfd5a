"""The days of the town that are not as others, for as long as a plan may look ahead."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

import holidays

from vigie.core.calendar import Calendar, day_number
from vigie.core.times import from_us
from vigie.engine.ports import Clock
from vigie.settings import Settings, SettingsWrong

YEARS_BACK, YEARS_AHEAD = 2, 11
SPAN_DAYS_MAX = 366


def town_calendar(settings: Settings, clock: Clock) -> Callable[[], Calendar]:
    """What gives the town's calendar, made anew when a year has begun.

    Public holidays are the country's (library `holidays`), school holidays as the settings name them. Raises
    SettingsWrong.
    """
    zone = ZoneInfo(settings.zone)
    known: dict[int, Calendar] = {}

    def calendar() -> Calendar:
        year = from_us(clock.now_us()).astimezone(zone).year
        if year not in known:
            known.clear()
            known[year] = _made(settings, zone, year)
        return known[year]

    calendar()
    return calendar


def _made(settings: Settings, zone: ZoneInfo, year: int) -> Calendar:
    public: dict[int, str] = {}
    if settings.country:
        country, _, part = settings.country.partition("-")
        years = range(year - YEARS_BACK, year + YEARS_AHEAD + 1)
        try:
            # In the country's own language, whatever the machine's is.
            own = holidays.country_holidays(country).default_language
            found = holidays.country_holidays(country, subdiv=part or None, years=years, language=own)
        except NotImplementedError as error:
            raise SettingsWrong(f"country: no public holidays are known of {settings.country!r}") from error
        public = {day_number(day.isoformat()): name for day, name in found.items()}
    school: set[int] = set()
    for span in settings.school_holidays:
        try:
            first, last = map(day_number, span.split("/"))
        except ValueError as error:
            raise SettingsWrong(f"school_holidays: {span!r}: {error}") from error
        if not 0 <= last - first <= SPAN_DAYS_MAX:
            raise SettingsWrong(f"school_holidays: {span!r} does not begin before it ends, or is longer than a year")
        school.update(range(first, last + 1))
    return Calendar(zone, public, frozenset(school))
