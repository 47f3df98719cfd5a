"""Our controller: looks ahead from what detectors count, each second, at all junctions at once.

How it works, why, and where it loses: docs/explanation/signals-control.md.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from vigie.core.arrays import ints
from vigie.core.compiled import compiled
from vigie.services.signals.control.asking import ask, nobody_asks
from vigie.services.signals.control.calls import Calls
from vigie.services.signals.control.claims import NO_CLAIMS, Claim, as_records, fits
from vigie.services.signals.control.clearing import hold_back
from vigie.services.signals.control.estimate import ahead, nothing_known, see
from vigie.services.signals.control.layout import Bools, Floats, Ints, Layout, Records
from vigie.services.signals.control.rollout import STEP_S, STEPS, Stages, first_moves, stages_of
from vigie.services.signals.control.site import Approach, Plan, Site, Step, Way
from vigie.services.signals.junction import Colour, Junction, Meeting, Second, SignalGroup, Stage


class Adaptive:
    """The controller of some junctions that know of each other.

    stay_cost, change_cost: of each junction, what was weighed when it last chose (`rollout.Moves`); NaN before.
    """

    def __init__(self, sites: Sequence[Site]) -> None:
        self._layout = Layout(sites)
        self._known = _Known(self._layout)
        self._shown: list[Second] = [()] * len(sites)
        self._calls = Calls(sites)
        self._heard: Sequence[Claim] = ()
        self.stay_cost, self.change_cost = self._known.stay_cost, self._known.change_cost
        # What is compiled is made, or fetched from where it is kept, before the first second and not in it.
        rehearsed = _Known(self._layout)
        rehearsed.green[:], rehearsed.age_s[:] = True, self._layout.green_min_s.max(initial=0)
        rehearsed.decide(np.zeros(self._layout.detectors, np.int64))

    def hear(self, claims: Sequence[Claim]) -> None:
        """Who comes with a right to go first, as it stands now, in place of what was heard before; those whom the
        points of a way tell of are known besides. Raises ValueError for one that does not fit (`claims.fits`)."""
        groups = ints(self._layout.group_count)
        for claim in claims:
            if not fits(claim, groups):
                raise ValueError(f"no such claim: {claim}")
        self._heard = tuple(claims)

    def decide(self, now_s: int, counts: Sequence[Sequence[int]], shown: Sequence[Second]) -> list[frozenset[int]]:
        """The stage that each junction stays in or goes for, without who may not set out yet to walk. Raises ValueError
        for counts that are not of these junctions' detectors."""
        every = array("q")
        for own in counts:
            every += array("q", own)
        if len(every) != self._layout.detectors:
            raise ValueError(f"{len(every)} counts of {self._layout.detectors} detectors")
        for at, second in enumerate(shown):
            if second is not self._shown[at]:
                self._shown[at] = second
                self._known.green[at, : len(second)] = [colour is Colour.GREEN for colour in second]
        self._calls.see(counts, shown)
        self._known.claims = as_records([*self._heard, *self._calls.claims()])
        chosen = self._known.decide(np.frombuffer(every, np.int64))
        wishes: list[frozenset[int]] = [
            stages[at] for stages, at in zip(self._layout.stages, chosen.tolist(), strict=True)
        ]
        held = self._known.held
        if held.any():
            wishes = [wish - frozenset(np.flatnonzero(own).tolist()) for wish, own in zip(wishes, held, strict=True)]
        return wishes


def prepare() -> None:
    """Compiles what control needs where it is kept, so that no process has to in its first seconds: once after an
    installation, some ten seconds."""
    groups = (SignalGroup("a"), SignalGroup("b"))
    meetings = ((Meeting.APART, Meeting.CONFLICTS), (Meeting.CONFLICTS, Meeting.APART))
    stages = tuple(Stage(group.name, frozenset({at})) for at, group in enumerate(groups))
    junction = Junction("two streets", groups, (), (), (), meetings, ((None, 5), (5, None)), stages)
    approaches = tuple(
        Approach(group.name, (Way(at, "away"),), (), None, None, None, 50.0, 50.0, 13.9)
        for at, group in enumerate(groups)
    )
    Adaptive([Site(junction, Plan(0, (Step(60, frozenset({0})),)), approaches, gives_way=(frozenset(), frozenset()))])


class _Known:
    """What is known of the junctions as arrays; green, by junction and group, and claims are set from outside. held:
    like green, who may not begin in the second that comes."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._stages = stages_of(layout)
        self._traffic = nothing_known(layout.roads)
        self._waiting = nobody_asks(layout.junctions, layout.groups)
        self._walks = bool(layout.walkers.crossed.any())
        self._stage: Ints = np.zeros(layout.junctions, np.int64)
        self.green: Bools = np.zeros((layout.junctions, layout.groups), bool)
        self.age_s: Ints = np.zeros((layout.junctions, layout.groups), np.int64)
        self._red_s: Ints = np.zeros((layout.junctions, layout.groups), np.int64)
        self.held: Bools = np.zeros((layout.junctions, layout.groups), bool)
        self.claims: Records = NO_CLAIMS
        self.stay_cost: Floats = np.full(layout.junctions, np.nan)
        self.change_cost: Floats = np.full(layout.junctions, np.nan)

    def decide(self, counts: Ints) -> Ints:
        """The stages by their number. counts: of all junctions in a row."""
        roads, traffic = self._layout.roads, self._traffic
        rate = self._layout.rate
        free, going = _pass(self._stages, self._stage, self.green, self.age_s, self._red_s, rate)
        see(roads, traffic, counts, going)
        if self._walks:
            ask(self._layout.walkers, self._waiting, counts, self.green, self._red_s)
            hold_back(self.held, self._layout.walkers, counts, self.green, self._red_s, self._layout.red_max_s)
        if free.any():
            arrivals, blocked = ahead(roads, traffic, counts, free, STEP_S, STEPS)
            self._stage, stay_cost, change_cost = first_moves(
                self._stages, free, self._stage, traffic.lanes["standing"], arrivals, rate, blocked, self._red_s,
                self._waiting.weight, self._waiting.rate_s, self.claims,
            )  # fmt: skip
            np.copyto(self.stay_cost, stay_cost, where=free)
            np.copyto(self.change_cost, change_cost, where=free)
        return self._stage


@compiled
def _pass(stages: Stages, stage: Ints, green: Bools, age_s: Ints, red_s: Ints, rate: Floats) -> tuple[Bools, Bools]:
    """A second goes by: whether a junction may choose anew, since no clearing is under way and every green has had its
    minimum; and the lanes, in a row, that may go."""
    count, lanes = len(stage), rate.shape[2]
    free = np.empty(count, np.bool_)
    going = np.zeros(count * lanes, np.bool_)
    for j in range(count):
        runs, free[j] = True, True
        for group in range(stages.group_count[j]):
            age_s[j, group] = age_s[j, group] + 1 if green[j, group] else 0
            red_s[j, group] = 0 if green[j, group] else red_s[j, group] + 1
            if stages.greens[j, stage[j], group]:
                runs &= green[j, group]
                free[j] &= age_s[j, group] >= stages.green_min_s[j, group]
        for lane in range(lanes):
            going[j * lanes + lane] = runs and rate[j, stage[j], lane] > 0
    return free, going
