"""What is on the lanes and what is to come, from counts: nobody is followed, and a dead detector is made up for.

Three sources, the first that speaks: an area on the lane; loops at its entry and stop line, as in less out; what
neighbours released and what came before, against what a green lane discharges.
"""

from __future__ import annotations

import numpy as np

from vigie.services.signals.control.layout import SATURATION_S, Bools, Floats, Ints, Layout
from vigie.services.signals.control.site import OCCUPIED, UNKNOWN

AHEAD_S = 80
"""How far ahead arrivals are kept; who comes later is not foreseen."""

SMOOTHED_S = 120
"""Time constant of a lane's mean inflow."""

SILENT_S = 4
"""A green lane whose stop line nobody passed for so long is empty, or blocked: whatever was reckoned to be on it."""


STANDS_S = 3
"""Whoever is on the entry's loop for so long stands there, at the end of a queue."""

HEARD = 0.5
"""A lane is seen if so much of its areas' length says anything."""

QUEUED = 1.5
"""Vehicles that stand where a queue's discharge is learned from; whoever stands at a stop line is taken for as many."""

FULL = 0.85
"""An area that holds so much of what it has room for may hide a queue behind it."""

HIDDEN = 1.0
HIDDEN_MAX = 20.0
"""No more vehicles than this are supposed behind an area."""


class Estimate:
    """Vehicles on each lane, those of them that are still driving up, and arrivals to come."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        count = layout.junctions * layout.lanes
        self.present: Floats = np.zeros(count)
        self.passed: Floats = np.zeros(count)
        self.inflow_s: Floats = np.full(count, 0.02)
        self._foreseen_s: Floats = np.zeros(count)
        self._share: Floats = np.full(count, 0.1)
        self._reckoned: Floats = np.zeros(count)
        self._reached_s: Ints = np.zeros(count, np.int64)
        self._to_loop = layout.entry_room.ravel()
        self.out_heard: Bools = np.zeros(count, bool)
        self._area_m: Floats = np.maximum(np.bincount(layout.area_lane, layout.area_m, minlength=count), 1e-9)
        self._hidden: Floats = np.zeros(count)
        self._room = layout.room.ravel()
        self._silent_s: Ints = np.zeros(count, np.int64)
        self._travel_s = layout.travel_s.ravel()
        self._young: Floats = np.zeros((int(self._travel_s.max(initial=1)), count))
        self._coming: Floats = np.zeros((AHEAD_S, count))

    def see(self, counts: Ints, green: Bools) -> None:
        """Takes in a second. counts: of all junctions in a row. green: lanes of which somebody may go."""
        layout = self._layout
        heard = counts[layout.area_at] >= 0 if len(layout.area_at) else np.zeros(0, bool)
        size = len(self.present)
        on = np.bincount(
            layout.area_lane, np.where(heard, counts[layout.area_at] * layout.area_share, 0.0), minlength=size
        )
        # Of a lane of several areas the living ones stand for the dead, if they are the greater part.
        part = np.bincount(layout.area_lane, heard * layout.area_m, minlength=size) / self._area_m
        silent = part < HEARD
        on = on / np.where(silent, 1.0, part)
        out, out_heard, standing = self._loops(counts, layout.stop.ravel())
        up, up_heard, reached = self._loops(counts, layout.entry.ravel())
        foreseen = self._coming[0]
        # Reckoned: in less out, each as well as it is known.
        usual_s = np.maximum(self.inflow_s, self._usual_s(silent))
        came = np.where(up_heard, up, foreseen + np.maximum(usual_s - self._foreseen_s, 0.0))
        went = np.where(out_heard, out, np.where(green, np.minimum(self._reckoned, SATURATION_S), 0.0))
        self._silent_s = np.where(green & (out <= 0) & ~standing, self._silent_s + 1, 0)
        self._reached_s = np.where(reached, self._reached_s + 1, 0)
        self._reckoned = np.maximum(self._reckoned + came - went, 0.0)
        self._reckoned[(self._silent_s >= SILENT_S) & out_heard] = 0.0
        # Who stands on a loop is there, whatever in less out says; from the upper one a queue reaches to the line.
        self._reckoned = np.where(standing, np.maximum(self._reckoned, QUEUED), self._reckoned)
        queue = self._reached_s >= STANDS_S
        self._reckoned = np.where(queue, np.maximum(self._reckoned, self._to_loop) + self.inflow_s, self._reckoned)
        present = np.where(silent, self._reckoned, on)
        self.passed = np.where(out_heard, out, np.maximum(self.present - present, 0.0))
        entered = np.where(silent, came, np.maximum(present - self.present + self.passed, 0.0))
        self.present = present
        self._reckoned = np.where(silent, self._reckoned, on)
        # Behind a full area a queue grows as the lane's traffic comes, and who enters comes out of it.
        full = ~silent & (present >= FULL * self._room)
        hidden = self._hidden + np.where(full, self.inflow_s, 0.0) - entered
        self._hidden = np.where(full | (self._hidden > 0), np.clip(hidden, 0.0, HIDDEN_MAX), 0.0)
        self._hidden[present < FULL * self._room / 2] = 0.0
        self._young[1:] = self._young[:-1]
        self._young[0] = entered
        self.out_heard = out_heard
        # Of a lane that nobody sees, what goes out is what came in.
        counted = np.where(silent & ~up_heard & out_heard, out, entered)
        self.inflow_s += (counted - self.inflow_s) / SMOOTHED_S
        self._foreseen_s += (foreseen - self._foreseen_s) / SMOOTHED_S
        self._share += (entered - self._share) / (5 * SMOOTHED_S)
        self._coming[:-1] = self._coming[1:]
        self._coming[-1] = 0.0
        self._from_next_door()

    def _usual_s(self, silent: Bools) -> Floats:
        """The mean inflow of those lanes of each lane's junction that are seen. A lane that nobody sees is taken for
        one of them at least: little green lets little out, and by that alone it would be forgotten."""
        shape = (self._layout.junctions, self._layout.lanes)
        seen = (~silent).reshape(shape)
        means = (self.inflow_s.reshape(shape) * seen).sum(1) / np.maximum(seen.sum(1), 1)
        return np.repeat(means, self._layout.lanes)

    def _loops(self, counts: Ints, at: Ints) -> tuple[Floats, Bools, Bools]:
        """Who left each loop, whether it says anything, and whether somebody is on it."""
        found = np.where(at >= 0, counts[np.maximum(at, 0)], UNKNOWN)
        return np.maximum(found, 0).astype(float), found != UNKNOWN, found == OCCUPIED

    def _from_next_door(self) -> None:
        """Who left a neighbour is on the way here; which lane it will take goes by what each lane had before."""
        layout = self._layout
        if not layout.feeders:
            return
        left = self.passed[layout.fed_from]
        now = np.flatnonzero(left)
        if not len(now):
            return
        share = np.maximum(self._share[layout.fed_lane], 1e-4)
        of_all = np.bincount(layout.fed_group, share, minlength=layout.feeders)[layout.fed_group]
        part = left * layout.fed_share * share / of_all
        after = np.minimum(layout.fed_after_s + 2, AHEAD_S - 1)
        np.add.at(self._coming, (after[now], layout.fed_lane[now]), part[now])

    def ahead(self, which: Ints, horizon_s: int) -> tuple[Floats, Floats]:
        """Of some lanes: who stands, and who arrives at the stop line in each of the next seconds (second, lane)."""
        queued = self.present[which].copy()
        arrivals = np.zeros((horizon_s, len(which)))
        travel_s = self._travel_s[which]
        lane = np.arange(len(which))
        for age_s in range(len(self._young)):
            driving = np.where(age_s < travel_s, np.minimum(self._young[age_s, which], queued), 0.0)
            queued -= driving
            arrivals[np.minimum(np.maximum(travel_s - age_s - 1, 0), horizon_s - 1), lane] += driving
        queued += HIDDEN * self._hidden[which]
        second = np.arange(horizon_s)[:, None]
        beyond = second >= travel_s
        arrivals += np.where(beyond, self._coming[:horizon_s, which], 0.0)
        near_s = self._layout.near_s[which]
        foreseen_s = np.minimum(self._foreseen_s[which], self.inflow_s[which])
        # What no neighbour announces comes evenly, and what one will announce comes as it came before.
        arrivals += np.where(beyond, self.inflow_s[which] - foreseen_s, 0.0)
        arrivals += np.where(beyond & (second >= near_s), foreseen_s, 0.0)
        return queued, arrivals

    def blocked(self, counts: Ints) -> Floats:
        """Of each lane, the part of its ways whose exits are full of vehicles."""
        layout = self._layout
        if not len(layout.exit_at):
            return np.zeros(len(self.present))
        full = counts[layout.exit_at] >= np.floor(layout.exit_room)
        part: Floats = np.bincount(layout.exit_lane, full * layout.exit_share, len(self.present)).astype(np.float64)
        return part
