"""What is wrong with a programme before it is approved: what refuses it, and what must be answered in writing.

Each finding names its rule (a text's key) and the article it comes from, where there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import shapely

from vigie.core.arrays import ints
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.plans import Finding
from vigie.services.lighting.power import expected_w
from vigie.services.lighting.programmes.hours import COMMUNE, NAMED_MOST, Own, Planned, hours
from vigie.services.lighting.programmes.layers import (
    Layer,
    Schedule,
    Sunlit,
    groups,
    schedule,
)
from vigie.services.lighting.programmes.model import CLASSES, Programme, Target, When
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.park import Park

CROSSING = "crossing"
NEIGHBOUR_M = 60.0
"""Lamps so near to a crossing make the dark on it darker; two distances between lamps of a town's street."""
_M_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class _Under:
    """A programme in its place among the others, and the nights it is looked at in."""

    park: Park
    layers: Sequence[Layer]
    own: int
    nights: Nights

    @property
    def programme(self) -> Programme:
        return self.layers[self.own].programme


def check(park: Park, layers: Sequence[Layer], own: int, nights: Nights) -> list[Finding]:
    """Everything that is wrong with one of some layers (see `stack`), in the nights asked about."""
    under = _Under(park, layers, own, nights)
    programme = under.programme
    decided = () if programme.decision is None else (programme.decision.date,)
    found = list(dates([rule.when for rule in programme.rules], *decided))
    if found:
        return found  # Nothing else can be computed with a day that does not exist.
    mine = park.named(programme)
    found += names(programme.target, programme.area, park, mine)
    if mine.any():
        sunlit = Sunlit(nights)
        planned = [(group, schedule(group, layers, sunlit)) for group in groups(park, layers)]
        if programme.rules and not any((each.layer == own).any() for _, each in planned):
            found.append(Finding("lighting.never_heard", False))
        found += _crossings(under, mine, planned)
        found += hours(Own(park, layers, own, nights, planned))
        found += _ratings(under, mine, planned)
    return found


def dates(whens: Sequence[When], *others: str) -> Iterator[Finding]:
    """What nights say that no calendar has: of rules, and of days besides."""
    said = [*others, *(day for when in whens for span in when.dates for day in (span.first, span.last))]
    # Of a season only the day of the year is said; a leap year has all of them.
    said += [f"2024-{day}" for when in whens for each in when.seasons for day in (each.first, each.last)]
    for day in said:
        try:
            date.fromisoformat(day)
        except ValueError:
            yield Finding("lighting.no_such_day", True, detail={"day": day})
    for when in whens:
        for span in when.dates:
            if span.last < span.first:
                yield Finding("lighting.span_backwards", True, detail={"first": span.first, "last": span.last})


def names(target: Target, area: str, park: Park, mine: Mask) -> Iterator[Finding]:
    """What is named that there is not. mine: the lamps that are meant."""
    if not mine.any():
        yield Finding("lighting.speaks_for_none", True)
    if area and not park.within(area).any():
        yield Finding("lighting.unknown_area", True, detail={"area": area})
    for street in target.streets:
        if street not in park.streets:
            yield Finding("lighting.unknown_street", False, detail={"street": street})
    for name in (*target.classes, *target.except_classes):
        if name not in CLASSES:
            yield Finding("lighting.unknown_class", True, detail={"class": name})
    lost = [id for id in (*target.assets, *target.except_assets) if park.row(id) is None]
    if lost:
        yield Finding("lighting.unknown_lamps", False, assets=lost[:NAMED_MOST], count=len(lost))


def _dark(found: Schedule, own: int) -> Mask:
    return (found.level == 0) & (found.layer == own)


def _crossings(under: _Under, mine: Mask, planned: Planned) -> Iterator[Finding]:
    """Crossings that it leaves dark, and those of them whose neighbours stay lit."""
    park, own = under.park, under.own
    crossing = (park.lit_thing == CROSSING) & mine
    dark_rows = [
        group.rows[crossing[group.rows]] for group, found in planned if own in group.layers and _dark(found, own).any()
    ]
    dark = np.concatenate(dark_rows) if dark_rows else np.empty(0, np.int64)
    if not len(dark):
        return
    ids = [park.ids[int(row)] for row in dark[:NAMED_MOST]]
    if under.programme.decision is None:
        yield Finding("lighting.crossing_dark", True, COMMUNE, assets=ids, count=len(dark))
    lit = _lit_neighbours(under, dark, planned)
    if len(lit):
        ids = [park.ids[int(row)] for row in lit[:NAMED_MOST]]
        yield Finding("lighting.crossing_dark_among_lit", False, COMMUNE, assets=ids, count=len(lit))


def _lit_neighbours(under: _Under, dark: Int64s, planned: Planned) -> Int64s:
    """The dark crossings that have a lamp near them which is lit while they are dark."""
    park = under.park
    scale = np.array([np.cos(np.radians(float(np.mean(park.lat)))), 1.0]) * _M_PER_DEGREE
    spots = shapely.points(np.stack([park.lon, park.lat], 1) * scale)
    tree = shapely.STRtree(np.asarray(spots))
    which, near = tree.query(np.asarray(spots)[dark], "dwithin", distance=NEIGHBOUR_M)
    group_of = np.zeros(len(park), np.int64)
    for number, (group, _) in enumerate(planned):
        group_of[group.rows] = number
    pairs = list(zip(ints(group_of[dark[which]]), ints(group_of[near]), strict=True))
    known = {pair: _lit_while_dark(planned[pair[0]][1], planned[pair[1]][1], under.own) for pair in set(pairs)}
    lit = np.array([known[pair] for pair in pairs], np.bool_)
    return dark[np.unique(which[lit])]


def _lit_while_dark(mine: Schedule, other: Schedule, own: int) -> bool:
    """Whether the other is lit at some instant at which the first is dark."""
    dark, lit = np.flatnonzero(_dark(mine, own)), np.flatnonzero(other.level > 0)
    if not len(dark) or not len(lit):
        return False
    # Both are in the order of time: the first lit span that ends after a dark one begins is the one that may touch it.
    next_lit = np.searchsorted(other.end_us[lit], mine.start_us[dark], side="right")
    inside = next_lit < len(lit)
    return bool((other.start_us[lit[next_lit[inside]]] < mine.end_us[dark[inside]]).any())


def _ratings(under: _Under, mine: Mask, planned: Planned) -> Iterator[Finding]:
    """Cabinets that would feed more than they may. What each lamp draws at most is summed: a bound from above, and what
    is drawn at dusk, when all burn."""
    park = under.park
    most: Floats = np.zeros(len(park))
    for group, found in planned:
        level = float(found.level.max()) if len(found) else 0.0
        most[group.rows] = expected_w(np.nan_to_num(park.rated_w[group.rows]), np.full(len(group.rows), level))
    touched = np.unique(park.cabinet[mine])
    load = dict(zip(*(each.tolist() for each in _summed(park.cabinet, most)), strict=True))
    over = [no for no in touched.tolist() if no in park.rating_w and load.get(no, 0.0) > park.rating_w[no]]
    for no in over[:NAMED_MOST]:
        yield Finding(
            "lighting.cabinet_overloaded", True,
            detail={"load_w": round(load[no]), "rating_w": round(park.rating_w[no])},
            assets=[park.cabinets.get(no, str(no))], count=len(over),
        )  # fmt: skip


def _summed(keys: Int64s, values: Floats) -> tuple[Int64s, Floats]:
    found, which = np.unique(keys, return_inverse=True)
    return found, np.bincount(which.ravel(), values, len(found)).astype(np.float64)
