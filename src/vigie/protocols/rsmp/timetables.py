"""Tables by which a controller changes its plans by itself: which table on which day of the week (M0016, S0026), and in
each of them when which plan begins (M0017, S0027).

A week is `d-t`, days 0 to 6 from Monday on; tables are `t-o-h-m`: table 1 to 12, plan (0 for none that the table
chooses), hour and minute of the local clock.
"""

from __future__ import annotations

from collections.abc import Sequence

TABLES_MAX = 12
FUNCTION_MAX = 16
TEXT_MAX = 4_000

Day = tuple[tuple[int, int], ...]
"""When plans begin, in minutes from midnight, and which."""


def tables_of(days: Sequence[Day]) -> tuple[str, str]:
    """The week and the tables that say seven days."""
    numbers = {day: at for at, day in enumerate(dict.fromkeys(days), 1)}
    week = ",".join(f"{at}-{numbers[day]}" for at, day in enumerate(days))
    tables = ",".join(
        f"{number}-{plan}-{minute // 60}-{minute % 60}" for day, number in numbers.items() for minute, plan in day
    )
    return week, tables


def days_of(week: str, tables: str) -> tuple[Day, ...]:
    """The seven days that a week and tables say. Raises ValueError for what is none, or does not say each day."""
    if len(week) > TEXT_MAX or len(tables) > TEXT_MAX:
        raise ValueError("tables of times are not so long")
    of_day: dict[int, int] = {}
    for day, table in (_numbers(each, 2) for each in week.split(",")):
        if not (0 <= day <= 6 and 1 <= table <= TABLES_MAX) or day in of_day:
            raise ValueError(f"{week[:60]!r} is no week")
        of_day[day] = table
    times: dict[int, dict[int, int]] = {}
    for table, plan, hour, minute in (_numbers(each, 4) for each in tables.split(",")):
        if not (1 <= table <= TABLES_MAX and plan <= FUNCTION_MAX and hour < 24 and minute < 60):
            raise ValueError(f"{tables[:60]!r} are no tables of times")
        times.setdefault(table, {})[hour * 60 + minute] = plan
    missing = [day for day in range(7) if of_day.get(day) not in times]
    if missing:
        raise ValueError(f"of day {missing[0]} nothing is said")
    return tuple(tuple(sorted(times[of_day[day]].items())) for day in range(7))


def _numbers(text: str, count: int) -> tuple[int, ...]:
    parts = text.split("-")
    if len(parts) != count or not all(each.isascii() and each.isdecimal() and len(each) < 4 for each in parts):
        raise ValueError(f"{text[:40]!r} is not {count} numbers")
    return tuple(map(int, parts))
