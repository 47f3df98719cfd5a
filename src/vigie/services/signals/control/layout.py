"""All junctions of a controller as arrays: what never changes. Lanes, stages and groups are padded to the longest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vigie.services.signals.control.site import Approach, Site

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SATURATION_S = 0.5
"""Vehicles that leave a lane in a second of green with a queue: 1,800 an hour, the usual value of a lane."""

SPACE_M = 7.5
"""Length of road that a standing vehicle takes."""

YIELDING = 0.5
"""How much of the saturation flow a lane is given at first where its vehicles wait for gaps."""

PARTLY = 0.3
"""The same where some on the lane have red and stop those behind. Both are only where learning begins."""

START_S = 1
"""Lost from the beginning of a green until vehicles leave at the saturation flow, beyond the reaction of the first."""


class Layout:
    """The arrays. Indices: j a junction, l a lane at its stop line, k a stage, g a signal group."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self.sites = tuple(sites)
        self.stages = [tuple(stage.greens for stage in site.junction.stages) for site in sites]
        self.junctions = len(sites)
        self.lanes = max(1, *(len(site.approaches) for site in sites)) if sites else 1
        self.groups = max(1, *(len(site.junction.groups) for site in sites)) if sites else 1
        self.most_stages = max(1, *(len(stages) for stages in self.stages)) if sites else 1
        shape = (self.junctions, self.lanes)
        self.known_lane: Bools = np.zeros(shape, bool)
        self.travel_s: Ints = np.ones(shape, np.int64)
        self.room: Floats = np.ones(shape)
        self.entry_room: Floats = np.ones(shape)
        self.rate: Floats = np.zeros((self.junctions, self.most_stages, self.lanes))
        self.greens: Bools = np.zeros((self.junctions, self.most_stages, self.groups), bool)
        self.change_s: Ints = np.zeros((self.junctions, self.most_stages, self.most_stages), np.int64)
        self.green_min_s: Ints = np.zeros((self.junctions, self.groups), np.int64)
        self.red_max_s: Ints = np.full((self.junctions, self.groups), 120)
        for j, site in enumerate(sites):
            self._junction(j, site)
        self._detectors(sites)
        self._feeders(sites)

    def _junction(self, j: int, site: Site) -> None:
        junction = site.junction
        for g, group in enumerate(junction.groups):
            self.green_min_s[j, g] = group.green_min_s
            self.red_max_s[j, g] = group.red_max_s
        for at, approach in enumerate(site.approaches):
            self.known_lane[j, at] = True
            self.travel_s[j, at] = max(1, round(approach.seen_m / max(approach.speed_m_s, 3.0)))
            self.room[j, at] = max(1.0, approach.seen_m / SPACE_M)
            self.entry_room[j, at] = max(1.0, approach.entry_m / SPACE_M)
        for k, stage in enumerate(self.stages[j]):
            for g in stage:
                self.greens[j, k, g] = True
            for at, approach in enumerate(site.approaches):
                self.rate[j, k, at] = SATURATION_S * released(site, approach, stage)
            for other, after in enumerate(self.stages[j]):
                gaps = [junction.intergreens[a][b] for a in stage - after for b in after - stage]
                cleared_s = max((gap for gap in gaps if gap is not None), default=0)
                self.change_s[j, k, other] = cleared_s + START_S if after - stage else 0

    def _detectors(self, sites: Sequence[Site]) -> None:
        """Places in one row of all counts, junction after junction."""
        first = 0
        areas: list[tuple[int, int, float, float]] = []
        exits: list[tuple[int, int, float, float]] = []
        self.stop: Ints = np.full((self.junctions, self.lanes), -1)
        self.entry: Ints = np.full((self.junctions, self.lanes), -1)
        for j, site in enumerate(sites):
            for at, approach in enumerate(site.approaches):
                flat = j * self.lanes + at
                for area in approach.areas:
                    length_m = site.junction.detectors[area.detector].length_m
                    areas.append((flat, first + area.detector, 1 / area.feeds, length_m))
                self.stop[j, at] = first + approach.stop if approach.stop is not None else -1
                self.entry[j, at] = first + approach.entry if approach.entry is not None else -1
                for way in approach.ways:
                    if way.exit in site.exits:
                        detector = site.exits[way.exit]
                        room = max(1.0, site.junction.detectors[detector].length_m / SPACE_M)
                        exits.append((flat, first + detector, room, 1 / len(approach.ways)))
            first += len(site.junction.detectors)
        self.area_lane: Ints = np.array([each[0] for each in areas], np.int64)
        self.area_at: Ints = np.array([each[1] for each in areas], np.int64)
        self.area_share: Floats = np.array([each[2] for each in areas])
        self.area_m: Floats = np.array([each[3] for each in areas])
        self.exit_lane: Ints = np.array([each[0] for each in exits], np.int64)
        self.exit_at: Ints = np.array([each[1] for each in exits], np.int64)
        self.exit_room: Floats = np.array([each[2] for each in exits])
        self.exit_share: Floats = np.array([each[3] for each in exits])

    def _feeders(self, sites: Sequence[Site]) -> None:
        """Each pair of a neighbour's lane and a lane of ours that its vehicles may come to. near_s: the shortest of
        their ways, by lane of ours; 0 where nobody next door feeds it."""
        lane_at = {
            (site.junction.name, approach.lane): j * self.lanes + at
            for j, site in enumerate(sites)
            for at, approach in enumerate(site.approaches)
        }
        pairs: list[tuple[int, int, float, int, int]] = []
        self.near_s: Ints = np.zeros(self.junctions * self.lanes, np.int64)
        group = 0
        for j, site in enumerate(sites):
            for feeder in site.feeders:
                source = lane_at.get((feeder.neighbour, feeder.lane))
                if source is None:
                    continue
                for at in feeder.approaches:
                    flat = j * self.lanes + at
                    pairs.append((source, flat, feeder.share, feeder.travel_s, group))
                    near_s = self.near_s[flat]
                    self.near_s[flat] = min(near_s, feeder.travel_s) if near_s else max(1, feeder.travel_s)
                group += 1
        self.fed_from: Ints = np.array([each[0] for each in pairs], np.int64)
        self.fed_lane: Ints = np.array([each[1] for each in pairs], np.int64)
        self.fed_share: Floats = np.array([each[2] for each in pairs])
        self.fed_after_s: Ints = np.array([each[3] for each in pairs], np.int64)
        self.fed_group: Ints = np.array([each[4] for each in pairs], np.int64)
        self.feeders = group


def released(site: Site, approach: Approach, stage: frozenset[int]) -> float:
    """What part of a lane's saturation flow a stage is believed to release, before anything is learned."""
    going = [way for way in approach.ways if way.group in stage]
    if not going:
        return 0.0
    yielding = sum(bool(site.gives_way[way.group] & stage) for way in going) / len(going)
    part = 1.0 - (1.0 - YIELDING) * yielding
    return part if len(going) == len(approach.ways) else part * PARTLY
