"""What is on the lanes and what is to come, from counts: nobody is followed, and a dead detector is made up for.

Three sources, the first that speaks: an area on the lane; loops at its stop line and upstream, as in less out; what
neighbours released and what came before, against what a green lane discharges.
"""

from __future__ import annotations

import numpy as np

from vigie.services.signals.control.layout import SATURATION_S, Bools, Floats, Ints, Layout

AHEAD_S = 80
"""How far ahead arrivals are kept; who comes later is not foreseen."""

SMOOTHED_S = 120
"""Time constant of a lane's mean inflow."""

SILENT_S = 4
"""A green lane whose stop line nobody passed for so long is empty, or blocked: whatever was reckoned to be on it."""


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
        silent = np.bincount(layout.area_lane, ~heard, minlength=size) + ~layout.known_lane.ravel() > 0
        out, out_heard = self._loops(counts, layout.stop.ravel())
        up, up_heard = self._loops(counts, layout.upstream.ravel())
        foreseen = self._coming[0]
        # Reckoned: in less out, each as well as it is known.
        came = np.where(up_heard, up, np.maximum(foreseen, self.inflow_s))
        went = np.where(out_heard, out, np.where(green, np.minimum(self._reckoned, SATURATION_S), 0.0))
        self._silent_s = np.where(green & (out <= 0), self._silent_s + 1, 0)
        self._reckoned = np.maximum(self._reckoned + came - went, 0.0)
        self._reckoned[(self._silent_s >= SILENT_S) & out_heard] = 0.0
        present = np.where(silent, self._reckoned, on)
        self.passed = np.where(out_heard, out, np.maximum(self.present - present, 0.0))
        entered = np.where(silent, came, np.maximum(present - self.present + self.passed, 0.0))
        self.present = present
        self._reckoned = np.where(silent, self._reckoned, on)
        self._young[1:] = self._young[:-1]
        self._young[0] = entered
        self.inflow_s += (entered - self.inflow_s) / SMOOTHED_S
        self._foreseen_s += (foreseen - self._foreseen_s) / SMOOTHED_S
        self._share += (entered - self._share) / (5 * SMOOTHED_S)
        self._coming[:-1] = self._coming[1:]
        self._coming[-1] = 0.0
        self._from_next_door()

    def _loops(self, counts: Ints, at: Ints) -> tuple[Floats, Bools]:
        found = np.where(at >= 0, counts[np.maximum(at, 0)], -1)
        return np.maximum(found, 0).astype(float), found >= 0

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
