"""A roadside controller that runs its plan, and is told no more than cycle, offset and bands.

Within a band it ends a green by itself: at the first gap at its loops, at the latest where the band ends. What it is
told it does from its next cycle on. To another offset it gets by cycles that are longer or shorter by a fifth at the
most, and no green in them is shorter than its least. What is shown is the sequencer's, as of any wish.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from vigie.services.signals.control.bands import BandControl, Bands, bands_of, fits, frames_of
from vigie.services.signals.control.baselines import GAP_MAX_S
from vigie.services.signals.control.site import Site
from vigie.services.signals.junction import Second

STRETCHED = 5
"""A cycle is longer or shorter by no more than its part of so many."""


class Banded:
    """One junction's, second by second, from the beginning of a cycle on.

    bands: those in force, moved to where this cycle's greens end. into_s: seconds of the cycle so far. lag_s: how late
    this cycle began, or how early where that is less. stage: the place in the plan.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.frames = frames_of(site)
        self.frame = self.frames[0]
        spare_s = max(0, site.plan.cycle_s - self.frame.cycle_s(self.frame.least_s))
        greens_s = [least_s + spare_s // len(self.frame.stages) for least_s in self.frame.least_s]
        self.told = self.bands = bands_of(self.frame, greens_s, None)
        self.into_s = self.lag_s = self.stage = 0
        self._clearing: list[frozenset[int]] = []
        self._gap_s = [GAP_MAX_S + 1] * len(site.approaches)
        self._began = False

    def order(self, bands: Bands) -> bool:
        """Runs bands from the next cycle on; whether they are of its plan."""
        if not 0 <= bands.plan < len(self.frames) or not fits(self.frames[bands.plan], bands):
            return False
        self.told = bands
        return True

    def step(self, now_s: int, counts: Sequence[int]) -> frozenset[int]:
        """What it wishes green in the next second. counts: by detector; its own are `Approach.upstream`."""
        for at, approach in enumerate(self._site.approaches):
            # A loop that has failed calls, and so does a lane that has none: who cannot be seen is not cut short.
            nobody = approach.upstream is not None and counts[approach.upstream] == 0
            self._gap_s[at] = self._gap_s[at] + 1 if nobody else 0
        if not self._began:
            self._begin(now_s)
        if self._clearing:
            return self._cleared(now_s)
        greens = self.frame.stages[self.stage]
        self.into_s += 1
        if self.into_s >= self.bands.latest_s[self.stage] or (
            self.into_s >= self.bands.earliest_s[self.stage] and not self._followed()
        ):
            steps = self.frame.clears[self.stage]
            self._clearing = [step.greens for step in steps for _ in range(step.seconds)]
            if not self._clearing:
                self._next()
        return greens

    def _cleared(self, now_s: int) -> frozenset[int]:
        greens = self._clearing.pop(0)
        self.into_s += 1
        if not self._clearing:
            self._next()
        return greens

    def _next(self) -> None:
        self.stage = (self.stage + 1) % len(self.frame.stages)
        self._began = self.stage != 0

    def _followed(self) -> bool:
        """Whether somebody follows on a lane that would be stopped next."""
        stopped = self.frame.stages[self.stage] - self.frame.stages[(self.stage + 1) % len(self.frame.stages)]
        return any(
            gap_s <= GAP_MAX_S and approach.groups & stopped
            for approach, gap_s in zip(self._site.approaches, self._gap_s, strict=True)
        )

    def _begin(self, now_s: int) -> None:
        """A cycle begins: what was told is in force, as much longer or shorter as brings it nearer to its offset."""
        told = self.told
        self._began, self.into_s = True, 0
        self.frame = self.frames[told.plan]
        late_s = 0 if told.offset_s is None else (now_s - told.offset_s) % told.cycle_s
        most_s = told.cycle_s // STRETCHED
        greens_s = self._greens_s(told)
        spare_s = [green_s - least_s for green_s, least_s in zip(greens_s, self.frame.least_s, strict=True)]
        if 0 < late_s <= min(most_s, sum(spare_s)):
            self.lag_s = late_s
            for _ in range(late_s):
                longest = max(range(len(spare_s)), key=lambda k: spare_s[k])
                spare_s[longest] -= 1
                greens_s[longest] -= 1
        elif late_s:
            self.lag_s = late_s - told.cycle_s
            more_s = min(most_s, told.cycle_s - late_s)
            total_s = sum(greens_s)
            parts = [more_s * sum(greens_s[: k + 1]) // total_s for k in range(len(greens_s))]
            greens_s = [
                green_s + part - before for green_s, part, before in zip(greens_s, parts, (0, *parts), strict=False)
            ]
        else:
            self.lag_s = 0
        self.bands = told if not late_s else bands_of(self.frame, greens_s, told.offset_s, told.plan)

    def _greens_s(self, told: Bands) -> list[int]:
        """The greens in the middle of the bands."""
        found: list[int] = []
        at_s = 0
        for k, steps in enumerate(self.frame.clears):
            end_s = (told.earliest_s[k] + told.latest_s[k]) // 2
            found.append(end_s - at_s)
            at_s = end_s + sum(step.seconds for step in steps)
        return found


class OverBands:
    """Adaptive control of junctions that take bands: what it says reaches each of them so many seconds later."""

    def __init__(self, sites: Sequence[Site], delay_s: int) -> None:
        self._control = BandControl(sites)
        self._posts = [Banded(site) for site in sites]
        self._told: deque[list[Bands] | None] = deque([None] * delay_s)

    def decide(self, now_s: int, counts: Sequence[Sequence[int]], shown: Sequence[Second]) -> list[frozenset[int]]:
        """What the roadside wishes, junction by junction, as `Controller.decide`."""
        self._told.append(self._control.decide(now_s, counts, shown))
        for post, bands in zip(self._posts, self._told.popleft() or (), strict=False):
            post.order(bands)
        return [post.step(now_s, own) for post, own in zip(self._posts, counts, strict=True)]
