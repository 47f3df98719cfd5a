"""Which plan a junction runs by itself, when, on each day of the week: as one text that people read and orders carry.

`mon-fri 06:30=2 09:00=1; sat-sun 08:00=1` says at which times of the town's clock a plan begins. Where a day's first
time is later than midnight, what the day before ended with goes on. Each text has one form (`written`), so that two
can be held against each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np

from vigie.core.observations import Mask
from vigie.core.service import City, Numbers, Refusal
from vigie.services.signals.kinds import Junction

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PLAN_MAX = 16
CHANGES_MAX = 12
"""So many times a day: a plan that runs for minutes is none that a street gets used to."""

Day = tuple[tuple[int, int], ...]
"""When plans begin, in minutes from midnight, and which."""

Week = tuple[Day, ...]
"""Seven days from Monday on."""

_PART = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?((?: \d\d:\d\d=\d{1,2})+)")
_TIME = re.compile(r"(\d\d):(\d\d)=(\d{1,2})")

NO_DAY_PLANS = Refusal("signals.no_day_plans")
FORM = Refusal("signals.day_plans_form")
TWICE = Refusal("signals.day_plans_twice")
BACKWARDS = Refusal("signals.day_plans_backwards")
MISSING = Refusal("signals.day_plans_missing")
COUNT = Refusal("signals.day_plans_count")
TIMES = Refusal("signals.day_plans_times")
NO_PLAN = Refusal("signals.day_plans_plan")
OTHERWISE = Refusal("signals.day_plans_otherwise")


class DayPlansWrong(ValueError):
    """A text that says no day plans; says why, as a sentence and as a refusal."""

    def __init__(self, why: str, refusal: Refusal, **detail: str | float) -> None:
        super().__init__(why)
        self.refusal = replace(refusal, detail=detail)


def read(text: str) -> Week:
    """The week that a text says. Raises DayPlansWrong."""
    found: dict[int, Day] = {}
    for part in text.split("; "):
        said = _PART.fullmatch(part)
        if said is None or said[1] not in DAYS or (said[2] or said[1]) not in DAYS:
            raise DayPlansWrong(f"{part[:60]!r} is not such as 'mon-fri 06:30=2 09:00=1'", FORM, part=part[:60])
        first, last = DAYS.index(said[1]), DAYS.index(said[2] or said[1])
        times = tuple((int(hour) * 60 + int(minute), int(plan)) for hour, minute, plan in _TIME.findall(said[3]))
        for day in range(first, last + 1):
            if day in found:
                raise DayPlansWrong(f"{DAYS[day]} is said twice", TWICE, day=DAYS[day])
            found[day] = times
        if last < first:
            raise DayPlansWrong(f"{said[1]}-{said[2]} goes backwards", BACKWARDS, days=f"{said[1]}-{said[2]}")
    missing = [each for at, each in enumerate(DAYS) if at not in found]
    if missing:
        raise DayPlansWrong(f"of {missing[0]} nothing is said", MISSING, day=missing[0])
    week = tuple(found[day] for day in range(len(DAYS)))
    need_fit(week)
    return week


def need_fit(week: Week) -> None:
    """Raises DayPlansWrong for times that are none or not in their order, for a plan that no table has, for too many
    changes."""
    for name, day in zip(DAYS, week, strict=True):
        minutes = [minute for minute, _ in day]
        if not day or len(day) > CHANGES_MAX:
            why = f"{name} has {len(day)} times, and may have 1 to {CHANGES_MAX}"
            raise DayPlansWrong(why, COUNT, day=name, max=CHANGES_MAX)
        if minutes != sorted(set(minutes)) or minutes[-1] >= 24 * 60:
            raise DayPlansWrong(f"the times of {name} are none, or not one after the other", TIMES, day=name)
        if any(not 1 <= plan <= PLAN_MAX for _, plan in day):
            raise DayPlansWrong(f"a plan of {name} is none of 1 to {PLAN_MAX}", NO_PLAN, day=name, max=PLAN_MAX)


def written(week: Week) -> str:
    """The one text of a week."""
    parts: list[str] = []
    at = 0
    for day, same in groupby(week):
        last = at + len(list(same)) - 1
        days = DAYS[at] if at == last else f"{DAYS[at]}-{DAYS[last]}"
        parts.append(" ".join([days, *(f"{minute // 60:02}:{minute % 60:02}={plan}" for minute, plan in day)]))
        at = last + 1
    return "; ".join(parts)


def plan_at(week: Week, weekday: int, minute: int) -> int:
    """The plan that is to run then."""
    own = [plan for begins, plan in week[weekday] if begins <= minute]
    return own[-1] if own else week[weekday - 1][-1][1]


def fits_a_table(params: Mapping[str, Any], assets: Numbers, city: City, now_us: int) -> Sequence[tuple[Mask, Refusal]]:
    """Day plans that cannot be read reach nobody; nor does anything reach a controller that has never told its own."""
    everybody = np.ones(len(assets), np.bool_)
    try:
        week = read(str(params["days"]))
    except DayPlansWrong as error:
        return [(everybody, error.refusal)]
    if written(week) != params["days"]:
        return [(everybody, replace(OTHERWISE, detail={"days": written(week)}))]
    return [(np.isnan(city.value(Junction, Junction.day_table, assets)), NO_DAY_PLANS)]
