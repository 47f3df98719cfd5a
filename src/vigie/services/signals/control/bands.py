"""Adaptive control where a junction takes no stages: once a minute it is told plan, cycle, offset and bands.

Most roadside controllers take no more (RSMP: M0002, M0018, M0015, M0014 and M0023). A band says between which seconds
of the cycle a green may end; where in it, the roadside decides by its own loops. From what is estimated of the lanes,
greens are shared out so that the fullest lanes are equally full, a group of neighbours has the cycle of the one that
needs the longest, and offsets let most of those whom a neighbour releases come at green.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from vigie.services.signals.control.estimate import nothing_known, see
from vigie.services.signals.control.layout import Bools, Floats, Layout, released
from vigie.services.signals.control.site import Plan, Site, Step
from vigie.services.signals.design.fixed import delay_s, plan_of
from vigie.services.signals.junction import Colour, Second

EVERY_S = 60
"""So often bands are said anew."""

CYCLES_EVERY_S = 300
"""So often cycle and offset are: to get to them costs a junction some cycles that fit nobody."""

CYCLE_CHANGE_S = 10
"""A cycle that would change by less stays."""

BAND_S = 8
"""So far before and after its place in the plan a green may end."""

CLEARED_S = 180.0
"""Who stands now is to be gone in such a time, beside those who come."""

CYCLE_STEP_S, CYCLE_S_MAX = 5, 70
LEAST_S = 0.005
"""So many vehicles a second come by each lane, whatever was counted."""

NEAR_S = 40
"""Who is so near to a neighbour, by the time that it takes to drive there, has its cycle."""

GAIN = 1.05
"""An offset is left for one that lets so many times as many come at green."""

FLAT_H = 300.0


class Bands(NamedTuple):
    """What a roadside controller is told. plan: which of its plans, by its place. offset_s: when its cycles begin, on
    the clock; None where it keeps step with nobody. earliest_s, latest_s: of each stage of the plan, between which
    seconds of the cycle its green ends; of the last they are the same, so that the cycle is as long as said."""

    cycle_s: int
    offset_s: int | None
    earliest_s: tuple[int, ...]
    latest_s: tuple[int, ...]
    plan: int = 0


class Frame(NamedTuple):
    """A plan without its times: the stages in their order, the way from each to the next, and the least green of each
    stage. No order changes any of it: intergreens are the roadside's."""

    stages: tuple[frozenset[int], ...]
    clears: tuple[tuple[Step, ...], ...]
    least_s: tuple[int, ...]

    def cycle_s(self, greens_s: Sequence[int]) -> int:
        """How long a cycle with such greens takes."""
        return sum(greens_s) + sum(step.seconds for steps in self.clears for step in steps)

    def ends_s(self, greens_s: Sequence[int]) -> tuple[int, ...]:
        """Where in the cycle such greens end."""
        ends: list[int] = []
        at_s = 0
        for green_s, steps in zip(greens_s, self.clears, strict=True):
            ends.append(at_s + green_s)
            at_s += green_s + sum(step.seconds for step in steps)
        return tuple(ends)

    def plan(self, greens_s: Sequence[int], offset_s: int = 0) -> Plan:
        """The same as a plan."""
        parts = zip(self.stages, greens_s, self.clears, strict=True)
        return Plan(offset_s, tuple(step for stage, green_s, clear in parts for step in (Step(green_s, stage), *clear)))


def frames_of(site: Site) -> tuple[Frame, ...]:
    """The plans of a junction without their times: that of all its stages, and that of the few that serve everybody,
    where these are fewer."""
    flat_h = [FLAT_H] * len(site.approaches)
    frames = [_frame(site, plan_of(site, cycle_s, flat_h)) for cycle_s in (site.plan.cycle_s, 0)]
    return tuple(frames if frames[0].stages != frames[1].stages else frames[:1])


def _frame(site: Site, plan: Plan) -> Frame:
    stages: list[frozenset[int]] = []
    clears: list[list[Step]] = []
    for step in plan.steps:
        if step.clears:
            clears[-1].append(step)
        else:
            stages.append(step.greens)
            clears.append([])
    least_s = (max(site.junction.groups[g].green_min_s for g in stage) for stage in stages)
    return Frame(tuple(stages), tuple(map(tuple, clears)), tuple(least_s))


def bands_of(frame: Frame, greens_s: Sequence[int], offset_s: int | None, plan: int = 0) -> Bands:
    """Bands about the ends of such greens: no green in them is shorter than its least, whatever the others do."""
    halves_s = [(green_s - least_s) // 2 for green_s, least_s in zip(greens_s, frame.least_s, strict=True)]
    widths_s = [*(min(BAND_S, own, after) for own, after in pairwise(halves_s)), 0]
    ends_s = [*zip(frame.ends_s(greens_s), widths_s, strict=True)]
    return Bands(
        frame.cycle_s(greens_s),
        offset_s,
        tuple(end_s - width_s for end_s, width_s in ends_s),
        tuple(end_s + width_s for end_s, width_s in ends_s),
        plan,
    )


def fits(frame: Frame, bands: Bands) -> bool:
    """Whether bands are of a plan: one for each stage, no green in them shorter than its least, and the cycle as long
    as they say."""
    count = len(frame.stages)
    if len(bands.earliest_s) != count or len(bands.latest_s) != count or bands.earliest_s[-1] != bands.latest_s[-1]:
        return False
    begins_s = 0
    for earliest_s, latest_s, least_s, steps in zip(
        bands.earliest_s, bands.latest_s, frame.least_s, frame.clears, strict=True
    ):
        if earliest_s > latest_s or earliest_s - begins_s < least_s:
            return False
        begins_s = latest_s + sum(step.seconds for step in steps)
    return begins_s == bands.cycle_s


def shared_out(frame: Frame, serves: Floats, comes_s: Floats, cycle_s: int) -> tuple[int, ...]:
    """The greens of a cycle: each second beyond the least goes to the stage of the lane that has least for who comes by
    it; in equal parts where no lane is. serves: (stage, lane), part of the flow at saturation. comes_s: (lane),
    vehicles a second."""
    greens_s = list(frame.least_s)
    if not len(comes_s):
        spare_s, stages = max(0, cycle_s - frame.cycle_s(greens_s)), len(greens_s)
        return tuple(green_s + (spare_s + stages - 1 - k) // stages for k, green_s in enumerate(greens_s))
    had: Floats = np.array(greens_s, float) @ serves
    for _ in range(max(0, cycle_s - frame.cycle_s(greens_s))):
        needy = int(np.argmax(comes_s / np.maximum(had, 0.1)))
        best = int(np.argmax(serves[:, needy]))
        greens_s[best] += 1
        had += serves[best]
    return tuple(greens_s)


class BandControl:
    """Says bands for some junctions that know of each other: seconds in, as `Adaptive` takes them, and now and then
    what each is to be told."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self._sites = sites
        self._layout = Layout(sites)
        self._traffic = nothing_known(self._layout.roads)
        self._plans = [frames_of(site) for site in sites]
        self._plan = [0] * len(sites)
        self._offset_s = [site.plan.offset_s for site in sites]
        self._served = [
            tuple(
                np.array([[released(site, each, stage) for each in site.approaches] for stage in frame.stages], float)
                for frame in frames
            )
            for site, frames in zip(sites, self._plans, strict=True)
        ]
        self._together = self._groups()
        self._cycle_s = [max(self._sites[j].plan.cycle_s for j in group) for group in self._together]
        even_s: Floats = np.full(self._layout.lanes, FLAT_H / 3_600)
        self._greens_s = [
            shared_out(self._frame(j), self._serves(j), even_s[: len(site.approaches)], site.plan.cycle_s)
            for j, site in enumerate(sites)
        ]
        self._seconds = 0

    def decide(self, now_s: int, counts: Sequence[Sequence[int]], shown: Sequence[Second]) -> list[Bands] | None:
        """Takes in a second; of each junction what it is told, None in most seconds."""
        every = array("q")
        for own in counts:
            every += array("q", own)
        see(self._layout.roads, self._traffic, np.frombuffer(every, np.int64), self._going(shown))
        self._seconds += 1
        if self._seconds % EVERY_S:
            return None
        comes_s = [self._comes_s(j) for j in range(len(self._sites))]
        for at, group in enumerate(self._together):
            if self._seconds % CYCLES_EVERY_S == 0:
                wanted_s = 0
                for j in group:
                    self._plan[j], own_s = self._wanted(j, comes_s[j])
                    wanted_s = max(wanted_s, own_s)
                if abs(wanted_s - self._cycle_s[at]) >= CYCLE_CHANGE_S:
                    self._cycle_s[at] = wanted_s
            for j in group:
                self._greens_s[j] = shared_out(self._frame(j), self._serves(j), comes_s[j], self._cycle_s[at])
        if self._seconds % CYCLES_EVERY_S == 0:
            self._offsets()
        alone = {group[0] for group in self._together if len(group) == 1}
        return [
            bands_of(self._frame(j), self._greens_s[j], None if j in alone else self._offset_s[j], self._plan[j])
            for j in range(len(self._sites))
        ]

    def _frame(self, j: int) -> Frame:
        return self._plans[j][self._plan[j]]

    def _serves(self, j: int) -> Floats:
        return self._served[j][self._plan[j]]

    def _going(self, shown: Sequence[Second]) -> Bools:
        """The lanes, in a row, that may go."""
        going: Bools = np.zeros((self._layout.junctions, self._layout.lanes), bool)
        for j, second in enumerate(shown):
            green = [colour is Colour.GREEN for colour in second]
            going[j] = self._layout.serves[j, : len(green)][green].any(0) if any(green) else False
        return going.ravel()

    def _comes_s(self, j: int) -> Floats:
        own = slice(j * self._layout.lanes, j * self._layout.lanes + len(self._sites[j].approaches))
        lanes = self._traffic.lanes[own]
        comes_s: Floats = lanes["inflow_s"] + lanes["standing"] / CLEARED_S
        return np.maximum(comes_s, LEAST_S)

    def _wanted(self, j: int, comes_s: Floats) -> tuple[int, int]:
        """The plan and the cycle by which a junction's own traffic waits least (`design.fixed.delay_s`)."""
        comes_h: list[float] = (comes_s * 3_600).tolist()
        found: list[tuple[float, int, int]] = []
        for number, (frame, serves) in enumerate(zip(self._plans[j], self._served[j], strict=True)):
            shortest_s = frame.cycle_s(frame.least_s)
            for cycle_s in range(shortest_s, max(shortest_s, CYCLE_S_MAX) + 1, CYCLE_STEP_S):
                plan = frame.plan(shared_out(frame, serves, comes_s, cycle_s))
                found.append((delay_s(self._sites[j], plan, comes_h), number, cycle_s))
        _, number, cycle_s = min(found)
        return number, cycle_s

    def _groups(self) -> list[list[int]]:
        """Junctions that are near to each other, from one to the next."""
        names = {site.junction.name: j for j, site in enumerate(self._sites)}
        group_of = [*range(len(self._sites))]
        for j, site in enumerate(self._sites):
            for feeder in site.feeders:
                other = names.get(feeder.neighbour)
                if other is not None and feeder.travel_s <= NEAR_S:
                    kept, left = group_of[j], group_of[other]
                    group_of = [kept if each == left else each for each in group_of]
        return [[j for j, each in enumerate(group_of) if each == group] for group in dict.fromkeys(group_of)]

    def _offsets(self) -> None:
        """Moves each junction, one after the other, to where most come at green from their neighbours and to them."""
        for group in self._together:
            cycle_s = {self._frame(j).cycle_s(self._greens_s[j]) for j in group}
            if len(group) > 1 and len(cycle_s) == 1:
                (length_s,) = cycle_s
                for j in group:
                    tried = [self._offset_s[j] + length_s * part // 12 for part in range(12)]
                    worths = [self._worth(j, offset_s, length_s) for offset_s in tried]
                    best = int(np.argmax(worths))
                    if worths[best] > GAIN * worths[0]:
                        self._offset_s[j] = tried[best] % length_s

    def _worth(self, j: int, offset_s: int, cycle_s: int) -> float:
        """How many come at green, a second, from and to a junction with such an offset."""
        worth, width = 0.0, self._layout.lanes
        for feed in self._layout.roads.feeds:
            source, lane = divmod(int(feed["source"]), width), divmod(int(feed["lane"]), width)
            if j in (source[0], lane[0]) and source[0] != lane[0]:
                leaves, comes = (
                    np.roll(self._green(*at, cycle_s), offset_s if at[0] == j else self._offset_s[at[0]])
                    for at in (source, lane)
                )
                if len(leaves) == len(comes) and leaves.sum():
                    many_s = self._traffic.lanes[feed["source"]]["inflow_s"] * feed["share"]
                    worth += float(many_s * (np.roll(leaves, feed["after_s"] + 2) * comes).sum() / leaves.sum())
        return worth

    def _green(self, j: int, lane: int, cycle_s: int) -> Floats:
        """What part of its flow a lane lets go in each second of its junction's cycle; nothing where that is not so
        long."""
        frame, greens_s = self._frame(j), self._greens_s[j]
        if frame.cycle_s(greens_s) != cycle_s:
            return np.zeros(0)
        found: Floats = np.zeros(cycle_s)
        for k, end_s in enumerate(frame.ends_s(greens_s)):
            found[end_s - greens_s[k] : end_s] = self._serves(j)[k, lane]
        return found
