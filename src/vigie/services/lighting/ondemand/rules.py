"""Rules as they are applied: the lamps of each, and its hours of a night.

Prepared apart from the engine's own thread, whenever the inventory or what is in force has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from vigie.core.arrays import ints
from vigie.core.calendar import Calendar
from vigie.core.ground import M_PER_DEGREE
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.plans import Finding
from vigie.core.service import Lines
from vigie.services.lighting.ondemand.graph import NEAR_M, Graph
from vigie.services.lighting.ondemand.model import OnDemand, Trigger
from vigie.services.lighting.ondemand.planned import Planned
from vigie.services.lighting.programmes.checks import NAMED_MOST, dates, names
from vigie.services.lighting.programmes.layers import Layer, Sunlit, groups, schedule
from vigie.services.lighting.programmes.model import Switching
from vigie.services.lighting.programmes.moment import OnCall
from vigie.services.lighting.programmes.nights import Edges, Nights, Place
from vigie.services.lighting.programmes.park import Park


class Spread:
    """Where the lamps of a rule stand, in coarse cells: most places of a town are far from all of them, which is known
    without a look along its streets."""

    def __init__(self, lon: Floats, lat: Floats, reach_m: float) -> None:
        """reach_m: how far along the streets the rule looks."""
        # Streets are drawn with joints of a metre or so, and both who calls and a lamp stand beside theirs.
        self._cell_m = 1.1 * reach_m + 2 * NEAR_M
        self._east_m = M_PER_DEGREE * float(np.cos(np.radians(lat.mean()))) if len(lat) else M_PER_DEGREE
        cells = np.floor(np.stack([lon * self._east_m, lat * M_PER_DEGREE], 1) / self._cell_m).astype(np.int64)
        self._cells = {(east, north) for east, north in np.unique(cells, axis=0).tolist()}

    def is_near(self, lon: float, lat: float) -> bool:
        """Whether some of the lamps may be within reach of a place (degrees)."""
        east, north = int(lon * self._east_m // self._cell_m), int(lat * M_PER_DEGREE // self._cell_m)
        steps = (-1, 0, 1)
        return any((east + right, north + up) in self._cells for right in steps for up in steps)


@dataclass(frozen=True)
class Rule:
    """A rule in force. plan: its id. lamps: which rows of the park it may raise. spread: where those stand."""

    plan: str
    body: OnDemand
    lamps: Mask
    spread: Spread


Reached = dict[tuple[float, float], Int64s]
"""How far ahead and behind somebody looks, in metres -> the rows of the park that lie there."""


@dataclass(frozen=True)
class Prepared:
    """What is in force, the streets that it is in force on, and what the programmes have their lamps do. reached: what
    was found around each sensor so far, for those do not move."""

    park: Park
    graph: Graph
    planned: Planned
    rules: Sequence[Rule]
    calendar: Calendar
    reached: dict[int, Reached] = field(default_factory=dict[int, Reached])

    @cached_property
    def place(self) -> Place:
        """Where the sun is looked at."""
        return middle(self.park)


def prepare(
    park: Park, rules: Sequence[tuple[str, OnDemand]], layers: Sequence[Layer], lines: Lines, calendar: Calendar
) -> Prepared:
    """Rules by the ids of their plans, in force on streets above the layers of programmes. Raises Unanswerable."""
    made = [_made(plan, body, park) for plan, body in rules]
    return Prepared(park, Graph(park, lines), Planned(park, layers, calendar), made, calendar)


def _made(plan: str, body: OnDemand, park: Park) -> Rule:
    lamps = park.named(body)
    return Rule(plan, body, lamps, Spread(park.lon[lamps], park.lat[lamps], max(body.ahead_m, body.behind_m)))


def spans(rule: OnDemand, nights: Nights, place: Place) -> list[tuple[int, int]]:
    """When a rule raises in the first of some nights, in microseconds: its hours, as far as the lights are on."""
    if not nights.match(rule.when)[0]:
        return []
    edges = Edges.of(nights, place, Switching())
    lit = int(edges.on_us[0]), int(edges.off_us[0])
    said = [tuple(int(edges.moment(each, nights)[0]) for each in (hours.start, hours.end)) for hours in rule.hours]
    cut = [(max(start, lit[0]), min(end, lit[1])) for start, end in said]
    return sorted((start, end) for start, end in cut if start < end)


def on_call(
    park: Park, row: int, in_force: Sequence[tuple[str, OnDemand]], calendar: Calendar, at_us: int
) -> list[OnCall]:
    """The rules that may raise the lamp in a row of a park, the highest level first."""
    nights, place = Nights.at(at_us, calendar), middle(park)
    found: list[OnCall] = []
    for plan, body in in_force:
        if park.named(body)[row]:
            now = any(start <= at_us < end for start, end in spans(body, nights, place))
            found.append(OnCall(plan, body.name, body.level, [str(each) for each in body.triggers], now))
    return sorted(found, key=lambda each: (-each.level, each.plan))


def check(rule: OnDemand, park: Park, layers: Sequence[Layer], nights: Nights) -> list[Finding]:
    """Everything that is wrong with a rule among the programmes in force, in the nights asked about."""
    found = list(dates((rule.when,)))
    if found:
        return found  # Nothing else can be computed with a day that does not exist.
    mine = park.named(rule)
    found += names(rule.target, rule.area, park, mine)
    if mine.any():
        dimmed, dark = _dimmed(rule, park, layers, nights, mine)
        if not (dimmed | dark).any():
            found.append(Finding("lighting.on_demand_idle", False))
        elif rule.leave and not dark.any():
            found.append(Finding("lighting.on_demand_leave_idle", False))
        elif dark.any() and not rule.leave:
            ids = [park.ids[row] for row in ints(np.flatnonzero(dark)[:NAMED_MOST])]
            found.append(Finding("lighting.on_demand_dark", False, assets=ids, count=int(dark.sum())))
    if Trigger.MOTION in rule.triggers and rule.hold_s < 60:
        found.append(Finding("lighting.on_demand_short", False, detail={"hold_s": rule.hold_s}))
    return found


def _dimmed(rule: OnDemand, park: Park, layers: Sequence[Layer], nights: Nights, mine: Mask) -> tuple[Mask, Mask]:
    """The lamps that programmes have below its level at some moment of its hours: those that burn, and those that are
    out."""
    dimmed, dark = np.zeros(len(park), np.bool_), np.zeros(len(park), np.bool_)
    sunlit = Sunlit(nights)
    hours = [spans(rule, Nights(nights.days[n : n + 1], nights.calendar), middle(park)) for n in range(len(nights))]
    for group in groups(park, layers):
        own: Int64s = group.rows[mine[group.rows]]
        if not len(own):
            continue
        planned = schedule(group, layers, sunlit)
        touched = np.zeros(len(planned), np.bool_)
        for night, said in enumerate(hours):
            for start, end in said:
                touched |= (planned.night == night) & (planned.start_us < end) & (start < planned.end_us)
        low = touched & (planned.level < rule.level)
        dimmed[own] = bool((low & (planned.level > 0)).any())
        dark[own] = bool((low & (planned.level == 0)).any())
    return dimmed, dark


def middle(park: Park) -> Place:
    """The middle of the lamps: a town is small to the sun."""
    return Place(float(park.lon.mean()), float(park.lat.mean()))
