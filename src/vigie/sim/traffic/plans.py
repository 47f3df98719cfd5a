"""Fixed plans for a junction: for each cycle the stages of its network's programme, greens shared out by who comes.

What a plan wishes can be followed to the second: from one stage to the next each green ends so early that exactly the
intergreens pass until the next stage begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vigie.services.signals.control.site import Approach, Plan, Site, Step
from vigie.services.signals.junction import Junction, Users
from vigie.services.signals.rounds import cover

Turn = tuple[str, str]
"""From a road into another, by their names in the network."""

SATURATION_H = 1_800.0
"""What a lane discharges in an hour of green."""

YIELDING = 0.4
"""What part of that where those who turn give way to others."""

LEAST_H = 20.0
"""So many come by each lane, whatever the demand says: no group is left without."""


def plan_of(site: Site, cycle_s: int, flows_h: Mapping[Turn, float], offset_s: int = 0) -> Plan:
    """A plan of a cycle, or of the shortest that the junction has room in. flows_h: vehicles an hour of each turn.

    The stages are the programme's; where the cycle is too short for all of them, the few that serve everybody. Each has
    the minimum that its groups need, and each further second goes to the lane that has least for who comes by it
    (F. V. Webster, Traffic Signal Settings, 1958: equal degrees of saturation).
    """
    junction = site.junction
    own = list(dict.fromkeys(site.plan.stages))
    few = [frozenset(g for g in range(len(junction.groups)) if bits >> g & 1) for bits in cover(junction)]
    for stages in (_without_remains(junction, own), few):
        clears = [_clearing(junction, stages, at) for at in range(len(stages))]
        greens_s = [_least_s(junction, stage) for stage in stages]
        spare_s = cycle_s - sum(greens_s) - sum(step.seconds for steps in clears for step in steps)
        if spare_s >= 0 or stages is few:
            break
    _share_out(site, stages, greens_s, max(0, spare_s), flows_h)
    steps = [
        step
        for stage, seconds, clear in zip(stages, greens_s, clears, strict=True)
        for step in (Step(seconds, stage), *clear)
    ]
    return Plan(offset_s, tuple(steps))


def _without_remains(junction: Junction, stages: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """Stages without those that are what another leaves on its way to the next: vehicles go on, but no walker may set
    out any more. A plan makes that way itself."""
    walkers = {g for g, group in enumerate(junction.groups) if group.users is Users.PEDESTRIANS}
    return [
        stage for at, stage in enumerate(stages) if not (stage < stages[at - 1] and stages[at - 1] - stage <= walkers)
    ]


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
    for at_s, next_s in zip(ends, [*ends[1:], 0], strict=True):
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
    site: Site,
    stages: Sequence[frozenset[int]],
    greens_s: list[int],
    spare_s: int,
    flows_h: Mapping[Turn, float],
) -> None:
    """Gives each spare second to the stage of the lane that is served least for who comes by it."""
    comes = [max(LEAST_H, _comes_h(site, approach, flows_h)) for approach in site.approaches]
    serves = [[_serves(site, approach, stage) for stage in stages] for approach in site.approaches]
    for _ in range(spare_s):
        served = [sum(part * green for part, green in zip(row, greens_s, strict=True)) for row in serves]
        needy = max(range(len(comes)), key=lambda lane: comes[lane] / max(served[lane], 0.1), default=0)
        best = max(range(len(stages)), key=lambda k: serves[needy][k] if serves else 0.0)
        greens_s[best] += 1


def _comes_h(site: Site, approach: Approach, flows_h: Mapping[Turn, float]) -> float:
    """Who comes by a lane: of each turn that it has, its share among the lanes that have the same."""
    total = 0.0
    for turn in _turns(approach):
        total += flows_h.get(turn, 0.0) / sum(turn in _turns(each) for each in site.approaches)
    return total


def _turns(approach: Approach) -> set[Turn]:
    return {(_road(approach.lane), _road(way.exit)) for way in approach.ways}


def _road(lane: str) -> str:
    """The road of a lane, as SUMO names them."""
    return lane.rpartition("_")[0]


def _serves(site: Site, approach: Approach, stage: frozenset[int]) -> float:
    """What part of a lane's flow at saturation a stage lets go."""
    if not approach.groups <= stage:
        return 0.0
    yielding = any(site.gives_way and site.gives_way[group] & stage for group in approach.groups)
    return YIELDING if yielding else 1.0
