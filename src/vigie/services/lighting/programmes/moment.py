"""One moment: the level that each lamp should have, and why."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec
import numpy as np

from vigie.core.calendar import Calendar, date_of
from vigie.core.observations import Int64s
from vigie.core.times import rfc3339
from vigie.services.lighting.programmes.layers import (
    PLAIN,
    PLAIN_LEVEL,
    Layer,
    Sunlit,
    groups,
    schedule,
    switching_of,
)
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.park import Park


class Says(StrEnum):
    """What a layer says of a lamp at a moment."""

    LEVEL = "level"
    NOT_THIS_NIGHT = "not_this_night"
    OUTSIDE_ITS_WINDOWS = "outside_its_windows"
    BY_DAY = "by_day"


class Opinion(msgspec.Struct, frozen=True):
    """One layer's word. layer: the programme's id, "" for the plain night. level: None where it has nothing to say.

    heard: whether this is the word that counts.
    """

    layer: str
    name: str
    rank: str
    rule: str
    says: str
    level: int | None
    heard: bool


class OnCall(msgspec.Struct, frozen=True):
    """A rule of light on demand that may raise a lamp above its programme. plan: its id. triggers: what calls. now:
    whether its hours are now; a lock-out, full light or a person's order stands above it even then."""

    plan: str
    name: str
    level: int
    triggers: list[str]
    now: bool


class Reasons(msgspec.Struct, frozen=True):
    """Why a lamp should be as it should: all that speaks for it, the topmost first.

    night: the date that the night is called by. on, off: when the lights come on and go out in it. holiday: what the
    day is called, "" for a day as others. on_demand: what may raise it for a moment.
    """

    level: int
    night: str
    holiday: str
    on: str
    off: str
    opinions: list[Opinion]
    on_demand: list[OnCall] = []


def levels_at(park: Park, layers: Sequence[Layer], calendar: Calendar, instant_us: int) -> tuple[Int64s, Int64s]:
    """The level of each lamp of a park at an instant, and the layer that says so (`PLAIN`: none; by day too)."""
    level, layer = np.zeros(len(park), np.int64), np.full(len(park), PLAIN, np.int64)
    sunlit = Sunlit(Nights.at(instant_us, calendar))
    for group in groups(park, layers):
        found = schedule(group, layers, sunlit)
        span = found.at(instant_us)
        if span is not None:
            level[group.rows], layer[group.rows] = found.level[span], found.layer[span]
    return level, layer


def reasons(park: Park, row: int, layers: Sequence[Layer], calendar: Calendar, instant_us: int) -> Reasons:
    """Why the lamp in a row of a park should be as it should at an instant."""
    one = park.only(row)
    (group,) = groups(one, layers)
    nights = Nights.at(instant_us, calendar)
    sunlit = Sunlit(nights)
    edges = sunlit.edges(group.place, switching_of(layers, group.layers))
    lit = bool(edges.on_us[0] <= instant_us < edges.off_us[0])
    found: list[Opinion] = []
    heard = False
    for index in reversed(group.layers):
        layer = layers[index]
        rule = next((each for each in layer.programme.rules if nights.match(each.when)[0]), None)
        level: int | None = None
        for window in rule.windows if rule is not None else ():
            start, end = (int(edges.moment(each, nights)[0]) for each in (window.start, window.end))
            if start <= instant_us < end:
                level = window.level
        if rule is None:
            says, level = Says.NOT_THIS_NIGHT, None
        elif not lit:
            says, level = Says.BY_DAY, None
        else:
            says = Says.OUTSIDE_ITS_WINDOWS if level is None else Says.LEVEL
        heard_now = level is not None and not heard
        heard = heard or heard_now
        found.append(
            Opinion(
                layer.id, layer.programme.name, layer.programme.rank, rule.name if rule else "", says, level, heard_now
            )
        )
    plain = PLAIN_LEVEL if lit else 0
    says = Says.LEVEL if lit else Says.BY_DAY
    found.append(Opinion("", "", "", "", says, plain if lit else None, not heard))
    day = int(nights.days[0])
    return Reasons(
        level=next((each.level for each in found if each.heard and each.level is not None), 0),
        night=date_of(day).isoformat(),
        holiday=calendar.public.get(day, ""),
        on=rfc3339(int(edges.on_us[0])),
        off=rfc3339(int(edges.off_us[0])),
        opinions=found,
    )
