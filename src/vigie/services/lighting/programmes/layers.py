"""Layers: the programmes that speak for a lamp lie over each other, and the topmost with something to say is heard.

The lowest is the plain night: full light from dusk to dawn. Lamps under the same programmes at the same place are one
group, and what is found for a group holds for each of its lamps: a town has a few hundred groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vigie.core.observations import Int64s, Mask
from vigie.services.lighting.programmes.model import Programme, Rank, Switching
from vigie.services.lighting.programmes.nights import Edges, Nights, Place
from vigie.services.lighting.programmes.park import Park

PLAIN = -1
"""The layer under all programmes: full light from dusk to dawn."""
PLAIN_LEVEL = 100

_RANKS = tuple(Rank)
_NEWEST = "~"
"""Sorts behind every id."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A programme as one layer. id: what it is known by, "" for a draft that has no id yet."""

    id: str
    programme: Programme

    @property
    def precedence(self) -> tuple[int, int, int, str]:
        """What sorts layers from the lowest to the topmost: rank, then how small its area is, then how closely it names
        its lamps, then its id: ids grow with time, so that of two alike the newer is heard, and the order never depends
        on how they were read. A draft without an id is the newest."""
        target, area = self.programme.target, self.programme.area
        named = 3 if target.assets else 2 if target.streets else 1 if target.classes else 0
        return _RANKS.index(self.programme.rank), area.count("/") + 1 if area else 0, named, self.id or _NEWEST


@dataclass(frozen=True)
class Group:
    """Lamps that are alike: their layers from the lowest to the topmost (indices), and their place for the sun."""

    layers: tuple[int, ...]
    place: Place
    rows: Int64s


@dataclass(frozen=True)
class Schedule:
    """What some nights are like for a group, as spans of one level in the order of time.

    night: index into the nights. layer: who says so (`PLAIN`: nobody but dusk and dawn). rule: which of its rules.
    Outside the spans the lamps are off.
    """

    night: Int64s
    start_us: Int64s
    end_us: Int64s
    level: Int64s
    layer: Int64s
    rule: Int64s

    def __len__(self) -> int:
        return len(self.night)

    def at(self, instant_us: int) -> int | None:
        """The span that an instant lies in, or None."""
        found = np.flatnonzero((self.start_us <= instant_us) & (instant_us < self.end_us))
        return int(found[0]) if len(found) else None


def stack(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Layers from the lowest to the topmost."""
    return tuple(sorted(layers, key=lambda each: each.precedence))


def groups(park: Park, layers: Sequence[Layer]) -> list[Group]:
    """The lamps of a park, by what speaks for them."""
    if not len(park):
        return []
    sites, places = park.sites
    named = [park.named(layer.programme) for layer in layers]
    columns = np.stack([sites.astype(np.int64), *(each.astype(np.int64) for each in named)], 1)
    alike, which = np.unique(columns, axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(which.ravel()))[:-1])
    return [
        Group(tuple(np.flatnonzero(row[1:]).tolist()), places[int(row[0])], rows)
        for row, rows in zip(alike, parts, strict=True)
    ]


def switching_of(layers: Sequence[Layer], own: Sequence[int]) -> Switching:
    """How a group is switched: as the topmost layer says that says it."""
    said = (layers[index].programme.switching for index in reversed(own))
    return next((each for each in said if each is not None), Switching())


class Sunlit:
    """The edges of nights, remembered by place and way of switching: many groups share them."""

    def __init__(self, nights: Nights) -> None:
        self.nights = nights
        self._known: dict[tuple[Place, Switching], Edges] = {}

    def edges(self, place: Place, switching: Switching) -> Edges:
        """When the lights come on and go out there."""
        key = (place, switching)
        if key not in self._known:
            self._known[key] = Edges.of(self.nights, place, switching)
        return self._known[key]


def schedule(group: Group, layers: Sequence[Layer], sunlit: Sunlit) -> Schedule:
    """What each night is like for a group."""
    nights, count = sunlit.nights, len(sunlit.nights)
    edges = sunlit.edges(group.place, switching_of(layers, group.layers))
    # All windows of all rules, each with the nights it holds in, from the lowest layer to the topmost.
    said = list(_windows(group, layers, nights, edges))
    instants = np.stack([edges.on_us, edges.off_us, *(each for window in said for each in window.bounds)], 1)
    instants.sort(axis=1)
    start, end = instants[:, :-1], instants[:, 1:]
    level = np.full(start.shape, PLAIN_LEVEL, np.int64)
    layer, rule = np.full(start.shape, PLAIN, np.int64), np.full(start.shape, PLAIN, np.int64)
    for window in said:
        first, last = (each[:, None] for each in window.bounds)
        inside = window.nights[:, None] & (first <= start) & (end <= last)
        level[inside], layer[inside], rule[inside] = window.level, window.layer, window.rule
    night = np.broadcast_to(np.arange(count)[:, None], start.shape)
    return _joined(*(each[start < end] for each in (night, start, end, level, layer, rule)))


@dataclass(frozen=True, slots=True)
class _Said:
    nights: Mask
    bounds: tuple[Int64s, Int64s]
    level: int
    layer: int
    rule: int


def _windows(group: Group, layers: Sequence[Layer], nights: Nights, edges: Edges):
    for index in group.layers:
        left = np.ones(len(nights), np.bool_)
        for number, rule in enumerate(layers[index].programme.rules):
            holds = left & nights.match(rule.when)
            left &= ~holds
            if not holds.any():
                continue
            for window in rule.windows:
                # Nobody lights a street by day with a window: that is said by `Switching`.
                start, end = (
                    np.clip(edges.moment(each, nights), edges.on_us, edges.off_us)
                    for each in (window.start, window.end)
                )
                yield _Said(holds & (start < end), (start, np.maximum(start, end)), window.level, index, number)


def _joined(night: Int64s, start: Int64s, end: Int64s, level: Int64s, layer: Int64s, rule: Int64s) -> Schedule:
    """The same with neighbours of one night that say the same as one."""
    if not len(night):
        return Schedule(night, start, end, level, layer, rule)
    same = (np.diff(night) == 0) & (np.diff(level) == 0) & (np.diff(layer) == 0) & (np.diff(rule) == 0)
    first = np.concatenate([[True], ~same])
    last = np.concatenate([~same, [True]])
    return Schedule(night[first], start[first], end[last], level[first], layer[first], rule[first])
