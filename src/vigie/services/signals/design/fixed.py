"""Fixed plans of a junction from what comes by its lanes: greens for a cycle, and the cycle itself.

What a plan wishes can be followed to the second: from one stage to the next each green ends so early that exactly the
intergreens pass until the next stage begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace as changed

from vigie.services.signals.control.site import Approach, Plan, Site, Step
from vigie.services.signals.junction import Junction, Users, members
from vigie.services.signals.rounds import Rounds, cover
from vigie.services.signals.sequencer import Follows, Sequencer

SATURATION_H = 1_800.0
"""What a lane discharges in an hour of green."""

YIELDING = 0.4
"""What part of that where those who turn give way to others."""

LEAST_H = 20.0
"""So many come by each lane, whatever was counted: no group is left without."""

CYCLE_S_MAX = 120
"""No cycle is longer: whoever waits has the longest red of `SignalGroup`."""

FOLLOWED_CYCLES = 3

FULL = 0.95
"""Above this degree of saturation Webster's delay grows beyond all measure; from here on it grows as a queue does that
is left over each cycle, which orders cycles by how much too little they let through."""

OVERFLOW_S = 900.0
"""What a vehicle waits for each part of its lane's flow that does not get through: half of half an hour of growing."""


def plan_of(site: Site, cycle_s: int, comes_h: Sequence[float], offset_s: int = 0) -> Plan:
    """A plan of a cycle, or of the nearest that the junction has room in. comes_h: vehicles an hour by each of the
    site's approaches.

    The stages are those of the site's own plan; where the cycle has no room for all of them, the few that serve
    everybody. Each has the minimum that its groups need; each further second goes to the lane that has least for who
    comes by it (F. V. Webster, Traffic Signal Settings, Road Research Technical Paper 39, 1958: equal degrees of
    saturation). Where the safety kernel would break into that, since a red is too long for it, no red is so long that
    it could.
    """
    plan, careful = (_made(site, cycle_s, comes_h, careful=careful) for careful in (False, True))
    return changed(plan if plan == careful or is_followed(site, plan) else careful, offset_s=offset_s)


def best_plan(site: Site, comes_h: Sequence[float], longest_s: int = CYCLE_S_MAX) -> Plan:
    """The plan of all cycles up to the longest by which who comes waits least, by Webster's formula (`delay_s`). It has
    no offset."""
    for careful in (False, True):
        shortest_s = _made(site, 0, comes_h, careful=careful).cycle_s
        cycles_s = range(shortest_s, max(shortest_s, longest_s) + 1)
        plans = [_made(site, cycle_s, comes_h, careful=careful) for cycle_s in cycles_s]
        best = min(plans, key=lambda plan: (delay_s(site, plan, comes_h), plan.cycle_s))
        if is_followed(site, best):
            break
    return best


def is_followed(site: Site, plan: Plan) -> bool:
    """Whether a roadside controller follows a plan to the second, cycle after cycle; in the first, reds are longer than
    they ever are again."""
    sequencer = Sequencer(site.junction)
    times = [seconds or 0 for row in site.junction.intergreens for seconds in row]
    for _ in range(max(times, default=0) + max(group.green_min_s for group in site.junction.groups)):
        sequencer.step(plan.greens(plan.offset_s))
    for second in range(FOLLOWED_CYCLES * plan.cycle_s):
        sequencer.step(plan.greens(plan.offset_s + second))
        if second >= plan.cycle_s and sequencer.follows is not Follows.WISH:
            return False
    return True


def _made(site: Site, cycle_s: int, comes_h: Sequence[float], *, careful: bool) -> Plan:
    """A plan of a cycle. careful: whether it leaves no red so long that the kernel could ever break in."""
    junction = site.junction
    own = _Cycle(junction, _without_remains(junction, list(dict.fromkeys(site.plan.stages))), careful=careful)
    if own.spare_s(cycle_s) < 0:
        few = [frozenset(members(stage)) for stage in cover(junction)]
        own = _Cycle(junction, few, careful=careful)
        nearest_s = own.nearest(cycle_s)
        if nearest_s is None:
            # Nothing is gained by greens that only make the others' reds longer.
            own = _Cycle(junction, few, careful=False)
            nearest_s = own.nearest(0) or 0
        cycle_s = nearest_s
    greens_s = own.greens_s(cycle_s)
    _share_out(site, own.stages, greens_s, own.spare_s(cycle_s), comes_h)
    steps = [
        step
        for stage, seconds, clear in zip(own.stages, greens_s, own.clears, strict=True)
        for step in (Step(seconds, stage), *clear)
    ]
    return Plan(0, tuple(steps))


def delay_s(site: Site, plan: Plan, comes_h: Sequence[float]) -> float:
    """What a vehicle waits at a junction under a plan, in the mean.

    Webster's two terms for a lane of flow q that has green for the share g of the cycle c, at a degree of saturation x
    (paper 39, equation 3): c (1 - g)^2 / (2 (1 - g x)), as if arrivals were even, and x^2 / (2 q (1 - x)) for their
    chance. Above x = `FULL` see there.
    """
    waited = total = 0.0
    for approach, comes in zip(site.approaches, comes_h, strict=True):
        flow_h = max(LEAST_H, comes)
        served = [served_part(site, approach, step.greens) for step in plan.steps]
        green = sum(step.seconds for step, part in zip(plan.steps, served, strict=True) if part) / plan.cycle_s
        capacity_h = (
            SATURATION_H
            * sum(step.seconds * part for step, part in zip(plan.steps, served, strict=True))
            / plan.cycle_s
        )
        full = flow_h / max(capacity_h, 1.0)
        x = min(full, FULL)
        even_s = plan.cycle_s * (1 - green) ** 2 / (2 * (1 - green * x))
        chance_s = x**2 / (2 * flow_h / 3_600 * (1 - x))
        waited += flow_h * (even_s + chance_s + OVERFLOW_S * (full - x))
        total += flow_h
    return waited / max(total, 1.0)


def _without_remains(junction: Junction, stages: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """Stages without those that are what another leaves on its way to the next: vehicles go on, but no walker may set
    out any more. A plan makes that way itself."""
    walkers = {g for g, group in enumerate(junction.groups) if group.users is Users.PEDESTRIANS}
    return [
        stage for at, stage in enumerate(stages) if not (stage < stages[at - 1] and stages[at - 1] - stage <= walkers)
    ]


class _Cycle:
    """Stages one after the other, and what they take. clears: the way from each to the next. careful: as of `_made`."""

    def __init__(self, junction: Junction, stages: Sequence[frozenset[int]], *, careful: bool) -> None:
        self.stages = stages
        self.clears = [_clearing(junction, stages, at) for at in range(len(stages))]
        self._clear_s = sum(step.seconds for steps in self.clears for step in steps)
        self._least_s = [_least_s(junction, stage) for stage in stages]
        # From here on the kernel must have a whole round in hand for a group that is red: its longest, of which it
        # most often needs a part.
        round_s = Rounds(junction).round_s if careful else 0
        self._reds = [
            ([at for at, stage in enumerate(stages) if g in stage], group.yellow_s + group.red_max_s - round_s)
            for g, group in enumerate(junction.groups)
        ]

    def greens_s(self, cycle_s: int) -> list[int]:
        """The least green of each stage in a cycle."""
        found = self._least_s.copy()
        for own, red_s in self._reds:
            if own:
                found[own[0]] += max(0, cycle_s - red_s - sum(found[at] for at in own))
        return found

    def spare_s(self, cycle_s: int) -> int:
        """What is left of a cycle when each stage has its least; below 0 where there is no room."""
        return cycle_s - sum(self.greens_s(cycle_s)) - self._clear_s

    def nearest(self, cycle_s: int) -> int | None:
        """The nearest cycle that has room: the longest below, or else the shortest above; None where none has."""
        tried = (*range(cycle_s, 0, -1), *range(cycle_s + 1, CYCLE_S_MAX + 1))
        return next((each for each in tried if self.spare_s(each) >= 0), None)


def _least_s(junction: Junction, stage: frozenset[int]) -> int:
    return max(junction.groups[g].green_min_s for g in stage)


def _clearing(junction: Junction, stages: Sequence[frozenset[int]], at: int) -> list[Step]:
    """From one stage to the next: who has longest to clear ends first, and exactly the intergreens pass. Whoever is
    still clearing when the next stage has begun holds nobody back in the stages after it."""
    stage, after = stages[at], stages[(at + 1) % len(stages)]
    ahead_s = {g: _ahead_s(junction, stages, at, g) for g in stage - after}
    found: list[Step] = []
    left = stage
    ends = sorted({*ahead_s.values()}, reverse=True)
    for at_s, next_s in pairwise([*ends, 0]):
        left = left - {g for g, seconds in ahead_s.items() if seconds == at_s}
        if at_s > next_s:
            found.append(Step(at_s - next_s, left, clears=True))
    return found


def _ahead_s(junction: Junction, stages: Sequence[frozenset[int]], at: int, group: int) -> int:
    """How long before the next stage a group ends that is not of it."""
    ahead_s = passed_s = 0
    green = stages[at]
    for later in (*stages[at + 1 :], *stages[:at]):
        if group in later:
            break
        for other in later - green:
            ahead_s = max(ahead_s, (junction.intergreens[group][other] or 0) - passed_s)
        green, passed_s = later, passed_s + _least_s(junction, later)
    return ahead_s


def _share_out(
    site: Site, stages: Sequence[frozenset[int]], greens_s: list[int], spare_s: int, comes_h: Sequence[float]
) -> None:
    """Gives each spare second to the stage of the lane that is served least for who comes by it."""
    comes = [max(LEAST_H, each) for each in comes_h]
    serves = [[served_part(site, approach, stage) for stage in stages] for approach in site.approaches]
    for _ in range(max(0, spare_s)):
        served = [sum(part * green for part, green in zip(row, greens_s, strict=True)) for row in serves]
        needy = max(range(len(comes)), key=lambda lane: comes[lane] / max(served[lane], 0.1), default=0)
        best = max(range(len(stages)), key=lambda k: serves[needy][k] if serves else 0.0)
        greens_s[best] += 1


def served_part(site: Site, approach: Approach, stage: frozenset[int]) -> float:
    """What part of a lane's flow at saturation a stage lets go."""
    if not approach.groups <= stage:
        return 0.0
    yielding = any(site.gives_way and site.gives_way[group] & stage for group in approach.groups)
    return YIELDING if yielding else 1.0
