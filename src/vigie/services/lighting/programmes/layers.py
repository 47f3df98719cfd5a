"""Layers: the programmes that speak for a lamp lie over each other, and the topmost with something to say is heard.

The lowest is the plain night: full light from dusk to dawn. Lamps under the same programmes at the same place are one
group, and what is found for a group holds for each of its lamps: a town has a few hundred groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vigie.core.arrays import ints
from vigie.core.observations import Int64s
from vigie.core.plans import Unanswerable
from vigie.services.lighting.programmes.model import Programme, Rank, Switching, Window
from vigie.services.lighting.programmes.nights import Edges, Nights, Place
from vigie.services.lighting.programmes.park import Park

PLAIN = -1
"""The layer under all programmes: full light from dusk to dawn."""
PLAIN_LEVEL = 100

NO_RULE = -1
GROUPS_MAX = 4_000
"""More kinds of lamps than that are no policy: each takes a millisecond or two a year."""

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
    """The lamps of a park, by what speaks for them. Raises Unanswerable."""
    if not len(park):
        return []
    sites, places = park.sites
    # One bit a layer: thousands of programmes over a town of lamps are some megabytes.
    said = np.zeros((len(park), 4 + -(-len(layers) // 8)), np.uint8)
    said[:, :4] = sites.astype("<u4").view(np.uint8).reshape(-1, 4)
    for number, layer in enumerate(layers):
        said[:, 4 + number // 8] |= park.named(layer.programme).astype(np.uint8) << (number % 8)
    rows = np.ascontiguousarray(said).view(np.dtype((np.void, said.shape[1]))).ravel()
    _, first, which = np.unique(rows, return_index=True, return_inverse=True)
    if len(first) > GROUPS_MAX:
        raise Unanswerable("lighting.too_varied", most=GROUPS_MAX)
    order = np.argsort(which, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(which))[:-1])
    bits = np.unpackbits(said[first, 4:], axis=1, count=len(layers), bitorder="little")
    return [
        Group(tuple(ints(np.flatnonzero(own))), places[int(sites[one])], members)
        for own, one, members in zip(bits, first, parts, strict=True)
    ]


def switching_of(layers: Sequence[Layer], own: Sequence[int]) -> Switching:
    """How a group is switched: as the topmost layer says that says it."""
    said = (layers[index].programme.switching for index in reversed(own))
    return next((each for each in said if each is not None), Switching())


class Sunlit:
    """The edges of nights, remembered by place and way of switching, and whose rules are for which night: many groups
    share them."""

    def __init__(self, nights: Nights) -> None:
        self.nights = nights
        self._known: dict[tuple[Place, Switching], Edges] = {}
        self._rules: dict[int, tuple[Programme, Int64s]] = {}

    def rules(self, programme: Programme) -> Int64s:
        """Which of a programme's rules is for each night: the first that is, -1 for none."""
        if id(programme) not in self._rules:
            found = np.full(len(self.nights), NO_RULE, np.int64)
            for number, rule in enumerate(programme.rules):
                found[(found == NO_RULE) & self.nights.match(rule.when)] = number
            self._rules[id(programme)] = (programme, found)
        return self._rules[id(programme)][1]

    def edges(self, place: Place, switching: Switching) -> Edges:
        """When the lights come on and go out there."""
        key = (place, switching)
        if key not in self._known:
            self._known[key] = Edges.of(self.nights, place, switching)
        return self._known[key]


def schedule(group: Group, layers: Sequence[Layer], sunlit: Sunlit) -> Schedule:
    """What each night is like for a group.

    Of each layer one rule at most is for a night; nights with the same rules are painted together, each window over
    what lies under it.
    """
    edges = sunlit.edges(group.place, switching_of(layers, group.layers))
    count = len(sunlit.nights)
    rules = np.stack([sunlit.rules(layers[index].programme) for index in group.layers] or [np.zeros(count, np.int64)])
    alike, which = np.unique(rules, axis=1, return_inverse=True)
    parts = [
        _painted(np.flatnonzero(which.ravel() == number), group, alike[:, number], layers, sunlit, edges)
        for number in range(alike.shape[1])
    ]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(columns[1], kind="stable")
    return _joined(*(column[order] for column in columns))


_Columns = tuple[Int64s, Int64s, Int64s, Int64s, Int64s, Int64s]


def _painted(
    nights: Int64s, group: Group, rules: Int64s, layers: Sequence[Layer], sunlit: Sunlit, edges: Edges
) -> _Columns:
    """Night, start, end, level, layer and rule of each span of some nights that have the same rules."""
    on, off = edges.on_us[nights], edges.off_us[nights]
    said: list[tuple[Int64s, Int64s, Window, int, int]] = []
    for index, rule in zip(group.layers, ints(rules), strict=False):
        for window in layers[index].programme.rules[rule].windows if rule >= 0 else ():
            # Nobody lights a street by day with a window: that is said by `Switching`.
            start, end = (
                np.clip(edges.moment(each, sunlit.nights)[nights], on, off) for each in (window.start, window.end)
            )
            said.append((start, np.maximum(start, end), window, index, rule))
    instants = np.stack([on, off, *(each for window in said for each in window[:2])], 1)
    instants.sort(axis=1)
    start, end = instants[:, :-1], instants[:, 1:]
    level = np.full(start.shape, PLAIN_LEVEL, np.int64)
    layer, rule_of = np.full(start.shape, PLAIN, np.int64), np.full(start.shape, PLAIN, np.int64)
    for first, last, window, index, rule in said:
        inside = (first[:, None] <= start) & (end <= last[:, None]) & (first < last)[:, None]
        level[inside], layer[inside], rule_of[inside] = window.level, index, rule
    night = np.broadcast_to(nights[:, None], start.shape)
    real = start < end
    return night[real], start[real], end[real], level[real], layer[real], rule_of[real]


def _joined(night: Int64s, start: Int64s, end: Int64s, level: Int64s, layer: Int64s, rule: Int64s) -> Schedule:
    """The same with neighbours of one night that say the same as one."""
    if not len(night):
        return Schedule(night, start, end, level, layer, rule)
    same = (np.diff(night) == 0) & (np.diff(level) == 0) & (np.diff(layer) == 0) & (np.diff(rule) == 0)
    first = np.concatenate([[True], ~same])
    last = np.concatenate([~same, [True]])
    return Schedule(night[first], start[first], end[last], level[first], layer[first], rule[first])
