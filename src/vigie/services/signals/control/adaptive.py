"""Our controller: looks ahead from what detectors count, each second, at all junctions at once.

How it works, why, and where it loses: docs/explanation/signals-control.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vigie.services.signals.control.estimate import QUEUED, Estimate
from vigie.services.signals.control.layout import Bools, Floats, Ints, Layout
from vigie.services.signals.control.rollout import HORIZON_S, first_moves
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

PATIENT_S = 80
URGENT = 3.0
"""A group that has been red for longer than PATIENT_S weighs as much as vehicles that wait, up to URGENT of them at its
longest red: it is served when that costs little, and the kernel need not break in when it costs much."""

AT_ONCE_S = 10.0
"""Such a wait ends with the first second of green."""

BLOCKED = 0.1
"""What is left of a lane's discharge where all its exits are full."""


class Adaptive:
    """The controller of some junctions that know of each other.

    stay_cost, change_cost: of each junction, what was weighed when it last chose (`rollout.Moves`); NaN before.
    """

    def __init__(self, sites: Sequence[Site]) -> None:
        self._layout = Layout(sites)
        self._estimate = Estimate(self._layout)
        layout = self._layout
        self._stage: Ints = np.zeros(layout.junctions, np.int64)
        self._age_s: Ints = np.zeros((layout.junctions, layout.groups), np.int64)
        self._red_s: Ints = np.zeros((layout.junctions, layout.groups), np.int64)
        self._owed = layout.greens * AT_ONCE_S
        self._rows: list[dict[Second, Bools]] = [{} for _ in sites]
        self._rate: Floats = layout.rate.copy()
        self._weight: Floats = np.full(layout.rate.shape, LEARNED_S)
        self._standing: Floats = np.zeros((layout.junctions, layout.lanes))
        self.stay_cost: Floats = np.full(layout.junctions, np.nan)
        self.change_cost: Floats = np.full(layout.junctions, np.nan)

    def decide(self, now_s: int, counts: Sequence[Sequence[int]], shown: Sequence[Second]) -> list[frozenset[int]]:
        """The stage that each junction stays in or goes for."""
        layout = self._layout
        j = np.arange(layout.junctions)
        every: Ints = np.array([count for own in counts for count in own], np.int64)
        green: Bools = np.array([self._row(at, second) for at, second in enumerate(shown)])
        self._age_s = np.where(green, self._age_s + 1, 0)
        self._red_s = np.where(green, 0, self._red_s + 1)
        wanted = layout.greens[j, self._stage]
        settled_s = np.where(wanted, self._age_s, 1_000).min(1)
        running = layout.rate[j, self._stage] > 0
        self._estimate.see(every, (running & (settled_s > 0)[:, None]).ravel())
        self._learn(settled_s)
        free = np.flatnonzero((np.where(wanted, self._age_s - layout.green_min_s, 1_000) >= 0).all(1))
        if len(free):
            self._move(free, every)
        return [layout.stages[at][stage] for at, stage in enumerate(self._stage.tolist())]

    def _row(self, at: int, second: Second) -> Bools:
        row = self._rows[at].get(second)
        if row is None:
            row = np.zeros(self._layout.groups, bool)
            row[: len(second)] = [colour is Colour.GREEN for colour in second]
            self._rows[at][second] = row
        return row

    def _learn(self, settled_s: Ints) -> None:
        """Takes in what lanes discharged in the last second, where a queue stood behind the stop line."""
        layout = self._layout
        shape = (layout.junctions, layout.lanes)
        at = np.flatnonzero(settled_s > SETTLED_S)
        if len(at):
            stage = self._stage[at]
            seen = (self._standing[at] >= QUEUED) & (layout.rate[at, stage] > 0)
            weight = self._weight[at, stage]
            # Without a loop at the line a queue that is fed from behind seems to stand still.
            seen &= self._estimate.out_heard.reshape(shape)[at]
            passed = self._estimate.passed.reshape(shape)[at]
            rate = self._rate[at, stage]
            learned = np.minimum(rate + (passed - rate) / (weight + 1), RATE_MAX_S)
            self._rate[at, stage] = np.where(seen, learned, rate)
            self._weight[at, stage] = np.where(seen, np.minimum(weight + 1, FORGOTTEN_S), weight)
        queued, _ = self._estimate.ahead(np.arange(layout.junctions * layout.lanes), 1)
        self._standing = queued.reshape(shape)

    def _move(self, free: Ints, counts: Ints) -> None:
        """Chooses anew where no clearing is under way and every green has had its minimum."""
        layout = self._layout
        lanes = (free[:, None] * layout.lanes + np.arange(layout.lanes)).ravel()
        queued, arrivals = self._estimate.ahead(lanes, HORIZON_S)
        open_: Floats = 1 - (1 - BLOCKED) * self._estimate.blocked(counts)[lanes].reshape(len(free), 1, layout.lanes)
        overdue = np.maximum(self._red_s[free] - PATIENT_S, 0) / (layout.red_max_s[free] - PATIENT_S)
        moves = first_moves(
            self._stage[free],
            np.concatenate([queued.reshape(len(free), layout.lanes), URGENT * overdue], axis=1),
            np.pad(
                np.swapaxes(arrivals.reshape(HORIZON_S, len(free), layout.lanes), 0, 1),
                ((0, 0), (0, 0), (0, layout.groups)),
            ),
            np.concatenate([self._rate[free] * open_, self._owed[free]], axis=2, dtype=np.float64),
            layout.change_s[free],
            layout.green_min_s[free].max(1),
        )
        self._stage[free], self.stay_cost[free], self.change_cost[free] = moves
