"""All junctions of a controller as arrays: what never changes. Lanes, stages and groups are padded to the longest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vigie.services.signals.control.site import Approach, Site
from vigie.services.signals.junction import Users

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Records = npt.NDArray[np.void]

SATURATION_S = 0.5
"""Vehicles that leave a lane in a second of green with a queue: 1,800 an hour, the usual value of a lane."""

CAR_PERSONS = 1.3
"""Persons in a vehicle that is no bus: a round figure below the 1.4 to 1.6 that countries count over all trips
(European Environment Agency, TERM 029), since most wait at signals on the way to work, which most drive alone.
"""

SPACE_M = 7.5
"""Length of road that a standing vehicle takes."""

HOLDS_M = 1.5
"""A loop nearer to the stop line than this is not stood on by whoever stops as far before the line as is usual."""

YIELDING = 0.5
"""How much of the saturation flow a lane has where its vehicles wait for gaps."""

YIELDING_TO_WALKERS = 0.9
"""The same where they wait for walkers alone, who are few and come in the first seconds of their green."""

PARTLY = 0.3
"""The same where some on the lane have red and stop those behind."""

START_S = 1
"""Lost from the beginning of a green until vehicles leave at the saturation flow, beyond the reaction of the first."""


ROAD = np.dtype(
    [
        ("travel_s", np.int64),
        ("near_s", np.int64),
        ("stop", np.int64),
        ("entry", np.int64),
        ("room", np.float64),
        ("entry_room", np.float64),
        ("area_m", np.float64),
        ("holds", np.bool_),
    ]
)
"""A lane. travel_s: to drive what areas see of it. near_s: the shortest way from a neighbour; 0 where none feeds it.
stop, entry: its loops, -1 without one. room, entry_room: vehicles that stand as far back as areas see, and as the loop
at the entry is. area_m: all its areas together. holds: whoever waits at its stop line stands on the loop there."""

AREA = np.dtype([("lane", np.int64), ("at", np.int64), ("share", np.float64), ("area_m", np.float64)])
"""An area of a lane. at: the detector. share: the part of its vehicles that are the lane's."""

EXIT = np.dtype([("lane", np.int64), ("at", np.int64), ("room", np.float64), ("share", np.float64)])
"""An exit of a lane. at: the detector. share: the part of the lane's ways that lead there."""

FEED = np.dtype(
    [("source", np.int64), ("lane", np.int64), ("share", np.float64), ("after_s", np.int64), ("group", np.int64)]
)
"""A neighbour's lane that may lead to a lane of ours. share: the part of its vehicles that come our way. group: numbers
the sets of lanes among which they spread."""


BUTTON = np.dtype([("junction", np.int64), ("group", np.int64), ("at", np.int64), ("counts", np.bool_)])
"""What tells that somebody waits to walk. at: the detector. counts: it counts persons; else it tells that there is one.
"""


INSIDE = np.dtype([("junction", np.int64), ("group", np.int64), ("over", np.int64), ("at", np.int64)])
"""What counts inside a junction. at: the detector. group: that let them in whom it counts. over: of walkers, over whose
crossing they are to come."""


class Walkers(NamedTuple):
    """What never changes of those who walk. afoot: (junction, group), whether the group is theirs. crossed: (junction),
    whether any is. inside: `INSIDE` of junctions where somebody walks. driven_s: (junction, group, group), from the end
    of the first's green to the start of the second's, 0 where they do not meet or the second does not walk. clear_s:
    (junction, group, stage), from the end of a walkers' green to the start of a stage, 0 of all others. without:
    (junction, stage, stage), the first without those of its walkers whom the second ends; itself where it has none, or
    there is no such stage."""

    buttons: Records
    afoot: Bools
    crossed: Bools
    inside: Records
    driven_s: Ints
    clear_s: Ints
    without: Ints


class Roads(NamedTuple):
    """What never changes of lanes and detectors: records as above. Lanes and detectors of all junctions stand in a row,
    junction after junction, lanes padded to the same number of each, width; lane_count: (junction), without those that
    pad. Compiled code believes what stands here: that each number is that of a lane or a detector."""

    width: int
    lane_count: Ints
    lanes: Records
    areas: Records
    exits: Records
    feeds: Records


class Layout:
    """The arrays of junctions. Indices: j a junction, l a lane at its stop line, k a stage, g a signal group.

    Raises IndexError for a site that names a detector, an approach or a group that it has not.
    """

    def __init__(self, sites: Sequence[Site]) -> None:
        self.detectors = sum(len(site.junction.detectors) for site in sites)
        self.stages = [tuple(stage.greens for stage in site.junction.stages) for site in sites]
        self.junctions = len(sites)
        self.lanes = max(1, *(len(site.approaches) for site in sites)) if sites else 1
        self.groups = max(1, *(len(site.junction.groups) for site in sites)) if sites else 1
        self.most_stages = max(1, *(len(stages) for stages in self.stages)) if sites else 1
        self.stage_count: Ints = np.array([len(stages) for stages in self.stages], np.int64)
        self.group_count: Ints = np.array([len(site.junction.groups) for site in sites], np.int64)
        self.rate: Floats = np.zeros((self.junctions, self.most_stages, self.lanes))
        self.serves: Bools = np.zeros((self.junctions, self.groups, self.lanes), bool)
        self.greens: Bools = np.zeros((self.junctions, self.most_stages, self.groups), bool)
        self.change_s: Ints = np.zeros((self.junctions, self.most_stages, self.most_stages), np.int64)
        self.green_min_s: Ints = np.zeros((self.junctions, self.groups), np.int64)
        self.red_max_s: Ints = np.full((self.junctions, self.groups), 120)
        for j, site in enumerate(sites):
            self._junction(j, site)
        self.roads = self._roads(sites)
        self.walkers = self._walkers(sites)

    def _junction(self, j: int, site: Site) -> None:
        junction = site.junction
        for g, group in enumerate(junction.groups):
            self.green_min_s[j, g] = group.green_min_s
            self.red_max_s[j, g] = group.red_max_s
        for at, approach in enumerate(site.approaches):
            for g in approach.groups:
                self.serves[j, g, at] = True
        for k, stage in enumerate(self.stages[j]):
            for g in stage:
                self.greens[j, k, g] = True
            for at, approach in enumerate(site.approaches):
                self.rate[j, k, at] = SATURATION_S * released(site, approach, stage)
            for other, after in enumerate(self.stages[j]):
                gaps = [junction.intergreens[a][b] for a in stage - after for b in after - stage]
                cleared_s = max((gap for gap in gaps if gap is not None), default=0)
                self.change_s[j, k, other] = cleared_s + START_S if after - stage else 0

    def _walkers(self, sites: Sequence[Site]) -> Walkers:
        afoot: Bools = np.zeros((self.junctions, self.groups), bool)
        clear_s: Ints = np.zeros((self.junctions, self.groups, self.most_stages), np.int64)
        without: Ints = np.zeros((self.junctions, self.most_stages, self.most_stages), np.int64)
        without[:] = np.arange(self.most_stages)[:, None]
        driven_s: Ints = np.zeros((self.junctions, self.groups, self.groups), np.int64)
        buttons: list[tuple[int, int, int, bool]] = []
        inside: dict[tuple[int, int, int, int], None] = {}
        first = 0
        for j, site in enumerate(sites):
            junction = site.junction
            for g, group in enumerate(junction.groups):
                if group.users is Users.PEDESTRIANS:
                    afoot[j, g] = True
                    for other, gaps_s in enumerate(junction.intergreens):
                        driven_s[j, other, g] = gaps_s[g] or 0
                    for k, stage in enumerate(self.stages[j]):
                        gaps = [junction.intergreens[g][other] for other in stage - {g}]
                        cleared_s = max((gap for gap in gaps if gap is not None), default=0)
                        clear_s[j, g, k] = cleared_s + START_S if cleared_s else 0
            afoot_here = frozenset(np.flatnonzero(afoot[j]).tolist())
            number = {stage: k for k, stage in reversed([*enumerate(self.stages[j])])}
            for k, stage in enumerate(self.stages[j] if afoot_here else ()):
                for other, after in enumerate(self.stages[j]):
                    without[j, k, other] = number.get(stage - (afoot_here - after), k)
            for g, places in enumerate(site.buttons):
                for at in places:
                    counts = junction.detectors[_place(at, junction.detectors)].length_m > 0
                    buttons.append((j, _place(g, junction.groups), first + at, counts))
            for way in (way for each in site.approaches for way in each.ways):
                for at in way.inside:
                    for over in way.over & afoot_here:
                        inside[j, way.group, over, first + _place(at, junction.detectors)] = None
            first += len(junction.detectors)
        crossed: Bools = np.array([own.any() for own in afoot], bool)
        return Walkers(
            np.array(buttons, BUTTON), afoot, crossed, np.array([*inside], INSIDE), driven_s, clear_s, without
        )

    def _roads(self, sites: Sequence[Site]) -> Roads:
        lanes: Records = np.zeros(self.junctions * self.lanes, ROAD)
        lanes["travel_s"], lanes["stop"], lanes["entry"] = 1, -1, -1
        areas: list[tuple[float, ...]] = []
        exits: list[tuple[float, ...]] = []
        first = 0
        for j, site in enumerate(sites):
            lengths_m = [detector.length_m for detector in site.junction.detectors]
            for at, approach in enumerate(site.approaches, j * self.lanes):
                own = [(at, first + area.detector, 1 / area.feeds, lengths_m[area.detector]) for area in approach.areas]
                areas += own
                lanes[at] = (
                    max(1, round(approach.seen_m / max(approach.speed_m_s, 3.0))),
                    0,
                    first + _place(approach.stop, lengths_m) if approach.stop is not None else -1,
                    first + _place(approach.entry, lengths_m) if approach.entry is not None else -1,
                    max(1.0, approach.seen_m / SPACE_M),
                    max(1.0, approach.entry_m / SPACE_M),
                    sum(area_m for *_, area_m in own),
                    approach.stop is not None and site.junction.detectors[approach.stop].from_stop_m >= HOLDS_M,
                )
                ways = [site.exits[way.exit] for way in approach.ways if way.exit in site.exits]
                exits += [(at, first + out, max(1.0, lengths_m[out] / SPACE_M), 1 / len(approach.ways)) for out in ways]
            first += len(lengths_m)
        feeds = self._feeds(sites)
        for _, at, _, after_s, _ in feeds:
            lanes["near_s"][at] = min(lanes["near_s"][at] or after_s, max(1, after_s))
        count: Ints = np.array([len(site.approaches) for site in sites], np.int64)
        return Roads(self.lanes, count, lanes, np.array(areas, AREA), np.array(exits, EXIT), np.array(feeds, FEED))

    def _feeds(self, sites: Sequence[Site]) -> list[tuple[int, int, float, int, int]]:
        """Each pair of a neighbour's lane and a lane of ours that its vehicles may come to."""
        lane_at = {
            (site.junction.name, approach.lane): j * self.lanes + at
            for j, site in enumerate(sites)
            for at, approach in enumerate(site.approaches)
        }
        pairs: list[tuple[int, int, float, int, int]] = []
        group = 0
        for j, site in enumerate(sites):
            for feeder in site.feeders:
                source = lane_at.get((feeder.neighbour, feeder.lane))
                if source is not None:
                    pairs += [
                        (source, j * self.lanes + _place(at, site.approaches), feeder.share, feeder.travel_s, group)
                        for at in feeder.approaches
                    ]
                    group += 1
        return pairs


def _place(at: int, among: Sequence[object]) -> int:
    if not 0 <= at < len(among):
        raise IndexError(f"{at} of {len(among)}")
    return at


def released(site: Site, approach: Approach, stage: frozenset[int]) -> float:
    """What part of a lane's saturation flow a stage is believed to release."""
    going = [way for way in approach.ways if way.group in stage]
    if not going:
        return 0.0
    drives = frozenset(g for g in stage if site.junction.groups[g].users is not Users.PEDESTRIANS)
    yielding = sum(bool(site.gives_way[way.group] & drives) for way in going) / len(going)
    for_walkers = sum(bool(site.gives_way[way.group] & stage) for way in going) / len(going) - yielding
    part = 1.0 - (1.0 - YIELDING) * yielding - (1.0 - YIELDING_TO_WALKERS) * for_walkers
    return part if len(going) == len(approach.ways) else part * PARTLY
