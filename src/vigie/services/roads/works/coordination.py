"""The year's calendar of works: until when they were to be told for it, and what stands in it.

The mayor says each year by when owners and occupants of the roads tell their works, and publishes the calendar of all
of them (Code de la voirie routière, L115-1, R*115-1 to R*115-4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from vigie.core.calendar import date_of, day_number
from vigie.core.plans import Finding, Known, PlanKind
from vigie.services.roads.works.permits import Roadworks
from vigie.services.roads.works.windows import DAY_MIN


class Coordination(Struct, frozen=True, forbid_unknown_fields=True):
    """The year's calendar. asked_by: the last day on which works of that year were to be told. area: the part of the
    town; empty for all of it. answer: what is answered in writing to what is found wrong."""

    year: Annotated[int, Meta(ge=2000, le=2200)]
    asked_by: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
    area: Annotated[str, Meta(max_length=300)] = ""
    answer: Annotated[str, Meta(max_length=2_000)] = ""


def check(calendar: Coordination, plan: str, known: Known) -> list[Finding]:
    """Everything that is wrong with a year's calendar."""
    found = list[Finding]()
    standing = (each.in_force for each in known.plans(COORDINATION) if each.id != plan and each.in_force)
    if any((each.year, each.area) == (calendar.year, calendar.area) for each in standing):
        found.append(Finding("roads.coordination_twice", True, detail={"year": str(calendar.year)}))
    try:
        asked_by = date_of(day_number(calendar.asked_by))
    except ValueError:
        return [*found, Finding("roads.coordination_day", True, detail={"day": calendar.asked_by})]
    if asked_by.year > calendar.year:
        found.append(Finding("roads.coordination_late", True, detail={"day": calendar.asked_by}))
    return found


COORDINATION = PlanKind(
    "coordination", "roads", Coordination,
    area=lambda body: body.area, title=lambda body: str(body.year), rank=lambda _: "",
    answer=lambda body: body.answer, check=check,
    brief=lambda body: {"asked_by": body.asked_by},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Week:
    """A week of a year, of a street: which works take it up. monday: its first day."""

    street: str
    monday: date
    works: tuple[str, ...]


def asked_late(works: Roadworks, calendars: Sequence[Coordination], asked: date) -> list[Coordination]:
    """The calendars of years in which works are to be, and for which they were asked too late. Works that bear no delay
    stand in none."""
    if works.urgent:
        return []
    years = {year for phase in works.phases for year in range(int(phase.begins[:4]), int(phase.ends[:4]) + 1)}
    own = {year: found for year in years if (found := narrowest(calendars, year)) is not None}
    return [own[year] for year in sorted(own) if asked.isoformat() > own[year].asked_by]


def narrowest(calendars: Iterable[Coordination], year: int) -> Coordination | None:
    """Of the calendars of a year that hold a place, the one of the narrowest area."""
    return max((each for each in calendars if each.year == year), key=lambda each: len(each.area), default=None)


def weeks(works: Sequence[tuple[str, Roadworks]], year: int) -> list[Week]:
    """The weeks of a year in which works take up streets, by street and then by week. works: with their ids."""
    found: dict[tuple[str, date], dict[str, None]] = {}
    first, last = date(year, 1, 1), date(year, 12, 31)
    for name, document in works:
        for phase in document.phases:
            window = phase.window
            begin = max(date_of(window.begin // DAY_MIN), first)
            end = min(date_of((window.end - 1) // DAY_MIN), last)
            monday = begin - timedelta(days=begin.weekday())
            while monday <= end:
                for stretch in phase.stretches:
                    found.setdefault((stretch.street, monday), {})[name] = None
                monday += timedelta(days=7)
    return [Week(street, monday, tuple(found[street, monday])) for street, monday in sorted(found)]
