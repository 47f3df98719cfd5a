"""A small park of lamps: two communes with a street each, a crossing, a park's lamp, two cabinets."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np

from vigie.core.calendar import Calendar, day_number
from vigie.services.lighting.programmes.layers import Layer, stack
from vigie.services.lighting.programmes.model import (
    Clock,
    Dawn,
    Dusk,
    Level,
    Programme,
    Rank,
    Rule,
    Switching,
    Target,
    When,
    Window,
)
from vigie.services.lighting.programmes.park import Park

ALWAYS = When()
TOWN, DIJON, SENNECEY = "metropole", "metropole/dijon", "metropole/sennecey"
CALENDAR = Calendar(
    ZoneInfo("Europe/Paris"),
    {day_number("2026-07-14"): "Fête nationale", day_number("2026-12-25"): "Noël"},
    frozenset(range(day_number("2026-07-04"), day_number("2026-09-01"))),
)


def park(*, rating_w: float = 5_000.0) -> Park:
    """Twelve lamps: 0 to 5 in Dijon (class M3), 6 to 11 in Sennecey (class P4); lamp 8 lights a crossing, lamp 11 a
    park. They stand 30 m apart on a street from west to east."""
    count = 12
    second = np.arange(count) >= 6
    lights = ["road"] * count
    lights[8], lights[11] = "crossing", "park"
    return Park(
        no=np.arange(100, 100 + count),
        ids=[f"lamp-{n}" for n in range(count)],
        area=second.astype(np.int64),
        street=second.astype(np.int64),
        lon=5.03 + np.arange(count) * 30 * 1.3246e-5,
        lat=np.full(count, 47.32),
        lighting_class=["P4" if each else "M3" for each in second],
        rated_w=np.where(second, 40.0, 100.0),
        lights=lights,
        category=["b" if each == "park" else "a" for each in lights],
        cabinet=np.where(second, 8, 7),
        areas=[DIJON, SENNECEY],
        streets=["Rue Verte", "Route de Beaune"],
        rating_w={7: rating_w, 8: rating_w},
        cabinets={7: "cabinet-7", 8: "cabinet-8"},
    )


def window(start: Clock | Dusk | Dawn | str, end: Clock | Dusk | Dawn | str, level: Level) -> Window:
    """A window; a text is a time of the clock."""
    return Window(*(clock(each) if isinstance(each, str) else each for each in (start, end)), level)


def clock(text: str) -> Clock:
    hour, minute = text.split(":")
    return Clock(int(hour) * 60 + int(minute))


def programme(
    name: str,
    rank: Rank,
    on: str | Target,
    *windows: Window,
    when: When = ALWAYS,
    switching: Switching | None = None,
) -> Programme:
    """A programme of one rule. on: an area, or what is named of the whole town."""
    area, target = (on, Target()) if isinstance(on, str) else ("", on)
    return Programme(name, rank, area, target, (Rule(name, windows, when),), switching)


def p4() -> Programme:
    """The default of a class: half of the light from ten in the evening."""
    return programme("P4", Rank.CLASS, Target(classes=("P4",)), window("22:00", Dawn(), 50))


def dark() -> Programme:
    """A commune's policy: dark from midnight to five."""
    return programme("Sennecey", Rank.AREA, SENNECEY, window("00:00", "05:00", 0))


def layers(*programmes: Programme) -> tuple[Layer, ...]:
    return stack([Layer(each.name, each) for each in programmes])
