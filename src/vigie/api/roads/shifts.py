"""When crews work, and what they are able to do, as the inventory has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from vigie.api.city.sources import Sources
from vigie.core import hours
from vigie.core.calendar import EPOCH_DAY, Calendar
from vigie.core.times import SECOND_US, from_us
from vigie.engine.cases import Case
from vigie.services.roads import Crew as CrewKind
from vigie.services.roads.crews import skills_of
from vigie.services.roads.dispatch.model import HORIZON_S, Crew, Place


@dataclass(frozen=True, slots=True)
class _Said:
    hours: str
    skills: str
    room: int | None


class Shifts:
    """Of each crew, its shifts. One that goes on past midnight is of the day on which it began.

    Those whose hours are the town's do not work on public holidays. Read anew for each question; not on the loop.
    """

    def __init__(self, sources: Sources, calendar: Calendar) -> None:
        self._registry, self._zone = sources.engine.registry, sources.engine.zone
        self._town, self._public = sources.engine.cases.week, calendar.public
        numbers, said = sources.facts.attributes(CrewKind, ("hours", "skills", "capacity"))
        # A crew that was made a moment ago is not among them: what is said of it is not written down yet.
        self._said = {
            int(no): _Said(str(own), str(skills), None if np.isnan(float(room)) else int(room))
            for no, own, skills, room in zip(numbers, said["hours"], said["skills"], said["capacity"], strict=True)
        }

    def of(self, crew: int, day: date) -> tuple[int, int] | None:
        """When a crew begins and ends on a day; None where it does not work. A break in the middle is the crew's own to
        take: it is not planned."""
        said = self._said.get(crew)
        if said is None:
            return None
        town = self._town and ((),) * 7 if (day - EPOCH_DAY).days in self._public else self._town
        spans = _spans(said.hours, town, day)
        if not spans:
            return None
        return hours.instant(day, spans[0][0], self._zone), hours.instant(day, spans[-1][1], self._zone)

    def is_under_way(self, crew: int, day: date, now_us: int) -> bool:
        """Whether a crew's shift of a day has not ended."""
        shift = self.of(crew, day)
        return shift is not None and now_us < shift[1]

    def any_under_way(self, day: date, now_us: int) -> bool:
        """Whether any crew's shift of a day has not ended."""
        return any(self.is_under_way(crew, day, now_us) for crew in self._said)

    def day_of(self, case: Case) -> date:
        """The day of the shift that a work order is planned in."""
        day = from_us(case.planned_us).astimezone(self._zone).date()
        before = self.of(case.crew, day - timedelta(days=1))
        own = self.of(case.crew, day)
        goes_on = before is not None and case.planned_us < before[1]
        return day - timedelta(days=1) if goes_on and not (own and own[0] <= case.planned_us) else day

    def crew(self, name: str, number: int, day: date) -> Crew | None:
        """A crew as it leaves on a day, with its shift in seconds from that day's midnight; None where it does not
        work."""
        shift = self.of(number, day)
        if shift is None:
            return None
        midnight_us, said = hours.instant(day, 0, self._zone), self._said[number]
        starts_s, ends_s = ((each - midnight_us) // SECOND_US for each in shift)
        here = Place(float(self._registry.lon[number]), float(self._registry.lat[number]))
        return Crew(name, skills_of(said.skills), here, here, (starts_s, min(ends_s, HORIZON_S)), said.room)


def _spans(own: str, town: hours.Week, day: date) -> hours.Spans:
    """When a crew works on a day: by its own hours, else by the town's; where nobody has any, all day."""
    try:
        week = hours.read(own) if own else town
    except hours.HoursWrong:
        # The inventory is of a time in which this was hours.
        return ()
    return week[day.weekday()] if week else ((0, 24 * 60),)
