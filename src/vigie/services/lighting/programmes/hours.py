"""The hours of a programme held against those that the order of 27 December 2018 sets for some categories (article 2),
and against those that the commune itself has decided.

Hours that depend on when an activity or a park closes are nobody's to compute here: past one o'clock they are to be
answered for in writing. What another programme says is that one's to answer for: a programme is held to what it says
itself, and to the plain night that it leaves as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vigie.core import sun
from vigie.core.observations import Int64s, Mask
from vigie.core.plans import Finding
from vigie.core.times import MINUTE_US
from vigie.services.lighting.programmes.layers import PLAIN, Group, Layer, Schedule, switching_of
from vigie.services.lighting.programmes.model import MINUTES_A_DAY, Programme, Rank
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.park import Park

ORDER = "27.12.2018"
COMMUNE = "CGCT L2212-2"
OFF_BY_MIN = 60
"""What lights heritage, buildings, parks and gardens is off at 1 h at the latest."""
NAMED_MOST = 20

ROAD, HERITAGE, BUILDING, CAR_PARK = "a", "b", "d", "e"
"""Categories of article 1 of the order."""
_PARK, _TUNNEL = "park", "tunnel"

Planned = Sequence[tuple[Group, Schedule]]
"""The lamps of a town in groups, and what the nights of each are like."""


@dataclass(frozen=True)
class Hours:
    """A category's hours. parks: whether this is about what stands in parks, the rest, or both. strict: nothing that
    somebody answers makes it lawful, but for an event."""

    rule: str
    article: str
    category: str
    strict: bool
    parks: bool | None = None

    def rows(self, park: Park, rows: Int64s) -> Int64s:
        """Those of some lamps that it is about."""
        mine = park.category_of[rows] == self.category
        if self.parks is not None:
            mine &= (park.lit_thing[rows] == _PARK) == self.parks
        return rows[mine]


LATE: Sequence[Hours] = (
    Hours("lighting.heritage_late", f"{ORDER}, art. 2, II", HERITAGE, strict=True, parks=False),
    Hours("lighting.park_late", f"{ORDER}, art. 2, II", HERITAGE, strict=False, parks=True),
    # A façade goes out at one whatever goes on inside, a shop window later: the inventory does not tell them apart.
    Hours("lighting.building_late", f"{ORDER}, art. 2, III", BUILDING, strict=False),
    Hours("lighting.car_park_late", f"{ORDER}, art. 2, IV", CAR_PARK, strict=False),
)
EARLY: Sequence[Hours] = (
    Hours("lighting.heritage_early", f"{ORDER}, art. 2, II", HERITAGE, strict=True),
    Hours("lighting.building_early", f"{ORDER}, art. 2, III", BUILDING, strict=True),
    Hours("lighting.car_park_early", f"{ORDER}, art. 2, IV", CAR_PARK, strict=False),
)


@dataclass(frozen=True)
class Own:
    """A programme among those planned with it. own: which of the layers it is."""

    park: Park
    layers: Sequence[Layer]
    own: int
    nights: Nights
    planned: Planned

    @property
    def programme(self) -> Programme:
        """The programme itself."""
        return self.layers[self.own].programme

    def touched(self) -> Iterator[tuple[Group, Schedule]]:
        """The groups that it speaks for."""
        return ((group, found) for group, found in self.planned if self.own in group.layers)

    def told(self, rule: str, refuses: bool, article: str, rows: Sequence[Int64s], **detail: str) -> Iterator[Finding]:
        """A finding about some lamps, where there are any."""
        every = np.concatenate(rows) if rows else np.empty(0, np.int64)
        if len(every):
            ids = [self.park.ids[int(row)] for row in every[:NAMED_MOST]]
            yield Finding(rule, refuses, article, dict(detail), assets=ids, count=len(every))


def hours(mine: Own) -> Iterator[Finding]:
    """Everything that is wrong with the hours of a programme."""
    one = mine.nights.clock_us(OFF_BY_MIN)

    def late(group: Group, found: Schedule) -> Mask:
        lit = (found.end_us > one[found.night]) & (found.level > 0)
        return lit & ((found.layer == mine.own) | (found.layer == PLAIN))

    yield from _at_wrong_hours(mine, LATE, late)
    if mine.programme.switching is not None:
        yield from _at_wrong_hours(mine, EARLY, lambda group, found: _by_day(mine, group, found))
    yield from _darkened(mine)


def _at_wrong_hours(mine: Own, table: Sequence[Hours], wrong: Callable[[Group, Schedule], Mask]) -> Iterator[Finding]:
    groups = [group for group, found in mine.touched() if wrong(group, found).any()]
    for each in table:
        refuses = each.strict and mine.programme.rank is not Rank.EVENT
        rows = [each.rows(mine.park, group.rows) for group in groups]
        yield from mine.told(each.rule, refuses, each.article, [some for some in rows if len(some)])


def _by_day(mine: Own, group: Group, found: Schedule) -> Mask:
    """The spans that are lit before the sun has set, where it is this programme that switches the group on: whatever
    its level is then, and whoever says that."""
    if switching_of(mine.layers, group.layers) != mine.programme.switching:
        return np.zeros(len(found), np.bool_)
    sunset, _ = sun.evening_us(mine.nights.days, group.place.lon, group.place.lat)
    return (found.level > 0) & (found.start_us < sunset[found.night] - MINUTE_US)


def _darkened(mine: Own) -> Iterator[Finding]:
    """Roads that it switches off in the night: by the commune's decision alone, and within the hours of that."""
    decision = mine.programme.decision
    dark = [(group, found, (found.level == 0) & (found.layer == mine.own)) for group, found in mine.touched()]
    roads = [(_roads(mine.park, group.rows), found, off) for group, found, off in dark if off.any()]
    if decision is None:
        undecided = [rows[mine.park.lit_thing[rows] != "crossing"] for rows, _, _ in roads]
        yield from mine.told("lighting.dark_undecided", False, COMMUNE, [rows for rows in undecided if len(rows)])
    elif decision.dark_from is not None and decision.dark_to is not None:
        first, last = (mine.nights.clock_us(minute) for minute in (decision.dark_from, decision.dark_to))
        beyond = [
            rows
            for rows, found, off in roads
            if len(rows) and (off & ((found.start_us < first[found.night]) | (found.end_us > last[found.night]))).any()
        ]
        between = {"from": _clock(decision.dark_from), "to": _clock(decision.dark_to)}
        yield from mine.told("lighting.beyond_decision", True, COMMUNE, beyond, **between)


def _roads(park: Park, rows: Int64s) -> Int64s:
    return rows[(park.category_of[rows] == ROAD) & (park.lit_thing[rows] != _TUNNEL)]


def _clock(minute: int) -> str:
    hour, rest = divmod(minute % MINUTES_A_DAY, 60)
    return f"{hour:02d}:{rest:02d}"
