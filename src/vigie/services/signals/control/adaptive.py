"""Our controller: looks ahead from what detectors count, each second, at all junctions at once.

How it works, why, and where it loses: docs/explanation/signals-control.md.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from vigie.services.signals.control.compiled import compiled
from vigie.services.signals.control.estimate import QUEUED, ahead, nothing_known, see
from vigie.services.signals.control.layout import Bools, Floats, Ints, Layout, Records
from vigie.services.signals.control.rollout import STEP_S, STEPS, Stages, first_moves, stages_of
from vigie.services.signals.control.site import Site
from vigie.services.signals.junction import Colour, Second

LEARNED_S = 60.0
FORGOTTEN_S = 200.0
"""What a lane discharges in a stage: the first guess weighs as much as so many seconds of watching, and what was seen
so many seconds of queue ago hardly counts."""

SETTLED_S = 3
"""Seconds of green before a queue's discharge says anything."""

RATE_MAX_S = 0.7
"""No lane discharges more vehicles a second than this: what looks like it was miscounted."""


class Adaptive:
    """The controller of some junctions that know of each other.

    stay_cost, change_cost: of each junction, what was weighed when it last chose (`rollout.Moves`); NaN before.
    """

    def __init__(self, sites: Sequence[Site]) -> None:
        self._layout = Layout(sites)
        self._known = _Known(self._layout)
        self._shown: list[Second] = [()] * len(sites)
        self.stay_cost, self.change_cost = self._known.stay_cost, self._known.change_cost
        # What is compiled is made, or fetched from where it is kept, before the first second and not in it.
        rehearsed = _Known(self._layout)
        rehearsed.green[:], rehearsed.age_s[:] = True, self._layout.green_min_s.max(initial=0)
        rehearsed.decide(np.zeros(self._layout.detectors, np.int64))

    def decide(self, now_s: int, counts: Sequence[Sequence[int]], shown: Sequence[Second]) -> list[frozenset[int]]:
        """The stage that each junction stays in or goes for. Raises ValueError for counts that are not of these
        junctions' detectors."""
        every = array("q")
        for own in counts:
            every += array("q", own)
        if len(every) != self._layout.detectors:
            raise ValueError(f"{len(every)} counts of {self._layout.detectors} detectors")
        for at, second in enumerate(shown):
            if second is not self._shown[at]:
                self._shown[at] = second
                self._known.green[at, : len(second)] = [colour is Colour.GREEN for colour in second]
        chosen = self._known.decide(np.frombuffer(every, np.int64))
        return [stages[at] for stages, at in zip(self._layout.stages, chosen.tolist(), strict=True)]


class _Known:
    """What is known of the junctions as arrays; green, by junction and group, is set from outside."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._stages = stages_of(layout)
        self._traffic = nothing_known(layout.roads)
        self._stage: Ints = np.zeros(layout.junctions, np.int64)
        self.green: Bools = np.zeros((layout.junctions, layout.groups), bool)
        self.age_s: Ints = np.zeros((layout.junctions, layout.groups), np.int64)
        self._red_s: Ints = np.zeros((layout.junctions, layout.groups), np.int64)
        self._rate: Floats = layout.rate.copy()
        self._weight: Floats = np.full(layout.rate.shape, LEARNED_S)
        self.stay_cost: Floats = np.full(layout.junctions, np.nan)
        self.change_cost: Floats = np.full(layout.junctions, np.nan)

    def decide(self, counts: Ints) -> Ints:
        """The stages by their number. counts: of all junctions in a row."""
        roads, traffic = self._layout.roads, self._traffic
        settled_s, free, going = _pass(
            self._stages, self._stage, self.green, self.age_s, self._red_s, self._layout.rate
        )
        see(roads, traffic, counts, going)
        _learn(settled_s, self._stage, traffic.lanes, self._rate, self._weight)
        if free.any():
            arrivals, blocked = ahead(roads, traffic, counts, free, STEP_S, STEPS)
            self._stage, stay_cost, change_cost = first_moves(
                self._stages, free, self._stage, traffic.lanes["standing"], arrivals, self._rate, blocked, self._red_s
            )
            np.copyto(self.stay_cost, stay_cost, where=free)
            np.copyto(self.change_cost, change_cost, where=free)
        return self._stage


@compiled
def _pass(
    stages: Stages, stage: Ints, green: Bools, age_s: Ints, red_s: Ints, rate: Floats
) -> tuple[Ints, Bools, Bools]:
    """A second goes by: for how long all that a junction's stage wants has been green; whether it may choose anew,
    since no clearing is under way and every green has had its minimum; and the lanes, in a row, that may go."""
    count, lanes = len(stage), rate.shape[2]
    settled_s = np.empty(count, np.int64)
    free = np.empty(count, np.bool_)
    going = np.zeros(count * lanes, np.bool_)
    for j in range(count):
        settled_s[j], free[j] = 1_000, True
        for group in range(stages.group_count[j]):
            age_s[j, group] = age_s[j, group] + 1 if green[j, group] else 0
            red_s[j, group] = 0 if green[j, group] else red_s[j, group] + 1
            if stages.greens[j, stage[j], group]:
                settled_s[j] = min(settled_s[j], age_s[j, group])
                free[j] &= age_s[j, group] >= stages.green_min_s[j, group]
        for lane in range(lanes):
            going[j * lanes + lane] = settled_s[j] > 0 and rate[j, stage[j], lane] > 0
    return settled_s, free, going


@compiled
def _learn(settled_s: Ints, stage: Ints, lanes: Records, rate: Floats, weight: Floats) -> None:
    """Takes in what lanes discharged in the last second, where a queue stood behind the stop line. Without a loop at
    the line a queue that is fed from behind seems to stand still: nothing is learned there."""
    width = rate.shape[2]
    for j in range(len(stage)):
        if settled_s[j] > SETTLED_S:
            for at in range(width):
                lane, before = lanes[j * width + at], rate[j, stage[j], at]
                if before > 0 and lane["counted"] and lane["stood"] >= QUEUED:
                    learned = before + (lane["passed"] - before) / (weight[j, stage[j], at] + 1)
                    rate[j, stage[j], at] = min(learned, RATE_MAX_S)
                    weight[j, stage[j], at] = min(weight[j, stage[j], at] + 1, FORGOTTEN_S)
