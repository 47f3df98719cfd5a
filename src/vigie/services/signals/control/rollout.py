"""Looks ahead: what each first move would cost, if a simple rule went on from there.

A move is "stay for so long, then that stage". After it a rule carries on to the horizon: serve until nobody is left,
then go to the stage with most to release. The rule alone is a fair controller; choosing the first move by its outcome
is better than the rule (a rollout: Bertsekas, Dynamic Programming and Optimal Control). Queues are real numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vigie.core.compiled import compiled
from vigie.services.signals.control.layout import (
    CAR_PERSONS,
    SATURATION_S,
    Bools,
    Floats,
    Ints,
    Layout,
    Records,
)

STEP_S = 2
STEPS = 20
HORIZON_S = STEPS * STEP_S
STAYS: Ints = np.array([0, 1, 2, 4, 6, 9])
"""For how many steps a stage may be kept before the first change that is looked at."""

TARGETS = 6
"""So many stages are looked at as the next one: those that would release most in the first SOON steps."""

TARGETS_WALKED = 12
"""The same where people walk: there each set of those who drive is a stage with walkers and one without."""

SOON = 6
EMPTY = 0.5
WORTH = 0.9
"""The rule leaves a stage with fewer vehicles than EMPTY for one with more than WORTH."""

SOMEBODY = 0.05
"""Vehicles, now or soon, that make a stage a target."""

LEFT_S = 5.0
"""What each vehicle that still waits at the horizon costs beyond it."""

MARGIN = 1e-6
"""Vehicle-seconds that a change must save: what is as good but for how numbers are rounded does not flutter."""

BLOCKED = 0.1
"""What is left of a lane's discharge where all its exits are full."""

PATIENT_S = 80
URGENT = 3.0
"""A group that has been red for longer than PATIENT_S weighs as much as vehicles that wait, up to URGENT of them at its
longest red: it is served when that costs little, and the kernel need not break in when it costs much."""

STRONG = 50.0
FORESTALLED, THROUGH_S = 50.0, 12
"""Before a claim that weighs STRONG at the least, a group that would come to its longest red before that is through
weighs so many vehicles: the kernel would break in just when it comes. To be through takes so long from the line on."""

AT_ONCE_S = 10.0
"""Such a wait ends with the first second of green, and so do those of all who wait to walk."""

RULED = tuple(step % 2 == 0 and step not in STAYS.tolist() for step in range(STEPS))
"""The steps at which the rule is asked."""


class Stages(NamedTuple):
    """What never changes of stages, by junction; padded.

    saturation_s: what a lane discharges at the most, vehicles a second. lane_count, stage_count, group_count:
    (junction). greens: (junction, stage, group). change: (junction, stage, stage), steps from a green to the next,
    least: (junction), steps of the longest minimum green. green_min_s, red_max_s: (junction, group). afoot, crossed,
    clear_s, without: as in `Walkers`. serves: (junction, group, lane). walker: what a person who walks weighs, in
    vehicles: as much as one in a vehicle.
    """

    saturation_s: float
    lane_count: Ints
    stage_count: Ints
    group_count: Ints
    greens: Bools
    change: Ints
    least: Ints
    green_min_s: Ints
    red_max_s: Ints
    afoot: Bools
    crossed: Bools
    clear_s: Ints
    without: Ints
    serves: Bools
    walker: float


def stages_of(layout: Layout) -> Stages:
    """The stages of some junctions."""
    return Stages(
        SATURATION_S,
        layout.roads.lane_count,
        layout.stage_count,
        layout.group_count,
        layout.greens,
        -(-layout.change_s // STEP_S),
        -(-layout.green_min_s.max(1) // STEP_S),
        layout.green_min_s,
        layout.red_max_s,
        layout.walkers.afoot,
        layout.walkers.crossed,
        layout.walkers.clear_s,
        layout.walkers.without,
        layout.serves,
        1 / CAR_PERSONS,
    )


class Moves(NamedTuple):
    """First moves, and what they were chosen for: of each junction the stage to go for now (the current one to stay),
    and the cost, in vehicle-seconds, of the best play that stays and of the best that changes at once (infinite where
    there is nothing to change to). Where staying was chosen it is the best of those plays that were needed to see that
    no change is better. Of a junction that is not free the stage is the current one and the costs are not numbers."""

    stage: Ints
    stay_cost: Floats
    change_cost: Floats


@compiled
def first_moves(
    stages: Stages,
    free: Bools,
    current: Ints,
    standing: Floats,
    arrivals: Floats,
    rate: Floats,
    blocked: Floats,
    red_s: Ints,
    walkers: Floats,
    rate_s: Floats,
    claims: Records,
) -> Moves:
    """The first move of each junction that is free to choose.

    standing: (lane), of all junctions in a row. arrivals: (junction, step, lane). rate: (junction, stage, lane),
    vehicles a second. blocked: (junction, lane), the part of its ways that lead nowhere. red_s: (junction, group).
    walkers: (junction, group), for how many persons those count who wait to walk; rate_s: how many come in a second.
    claims: `claims.CLAIM`.
    """
    count = len(free)
    moves = np.empty(count, np.int64)
    stay_cost, change_cost = np.empty(count), np.empty(count)
    for j in range(count):
        moves[j], stay_cost[j], change_cost[j] = current[j], np.nan, np.nan
        if free[j]:
            queued, inflow, per_step = _set_out(
                stages, j, standing, arrivals, rate, blocked, red_s, walkers, rate_s, claims
            )
            weight = np.empty_like(per_step)
            for stage in range(weight.shape[0]):
                for lane in range(weight.shape[1]):
                    weight[stage, lane] = min(per_step[stage, lane] / (stages.saturation_s * STEP_S), 1.0)
            moves[j], stay_cost[j], change_cost[j] = first_move(
                current[j], queued, inflow, per_step, weight, stages.change[j], stages.least[j],
                stages.without[j], _held(stages, j, red_s),
            )  # fmt: skip
    return Moves(moves, stay_cost, change_cost)


@compiled
def _held(stages: Stages, j: int, red_s: Ints) -> Ints:
    """For how many steps walkers who still clear hold back each stage; nothing where nobody walks."""
    held = np.zeros(stages.stage_count[j] if stages.crossed[j] else 0, np.int64)
    for stage in range(len(held)):
        for group in range(stages.group_count[j]):
            if stages.afoot[j, group] and red_s[j, group] > 0:
                left_s = stages.clear_s[j, group, stage] - red_s[j, group]
                held[stage] = max(held[stage], -(-left_s // STEP_S))
    return held


@compiled
def _set_out(
    stages: Stages,
    j: int,
    standing: Floats,
    arrivals: Floats,
    rate: Floats,
    blocked: Floats,
    red_s: Ints,
    walkers: Floats,
    rate_s: Floats,
    claims: Records,
) -> tuple[Floats, Floats, Floats]:
    """The lanes of a junction from which plans set out, after them the groups that have been red for too long, then
    those that walk, and then who claims to go first."""
    lanes, further = stages.lane_count[j], 0
    strong_s = np.inf
    for claim in claims:
        if claim["junction"] == j:
            further += 1
            if claim["weight"] >= STRONG:
                strong_s = min(strong_s, claim["eta_s"])
    for group in range(stages.group_count[j]):
        further += _pressing(stages, j, group, red_s, strong_s) > 0
        further += stages.afoot[j, group]
    queued = np.zeros(lanes + further)
    inflow = np.zeros((STEPS, lanes + further))
    per_step = np.zeros((stages.stage_count[j], lanes + further))
    for lane in range(lanes):
        queued[lane] = standing[j * blocked.shape[1] + lane]
        for step in range(STEPS):
            inflow[step, lane] = arrivals[j, step, lane]
        for stage in range(len(per_step)):
            per_step[stage, lane] = rate[j, stage, lane] * (1 - (1 - BLOCKED) * blocked[j, lane]) * STEP_S
    at = lanes
    for group in range(stages.group_count[j]):
        presses = _pressing(stages, j, group, red_s, strong_s)
        if presses > 0:
            queued[at] = presses
            for stage in range(len(per_step)):
                per_step[stage, at] = _at_once(presses) if stages.greens[j, stage, group] else 0.0
            at += 1
    for group in range(stages.group_count[j]):
        if stages.afoot[j, group]:
            queued[at] = walkers[j, group] * stages.walker
            inflow[:, at] = rate_s[j, group] * STEP_S * stages.walker
            for stage in range(len(per_step)):
                per_step[stage, at] = _at_once(float(queued[at])) if stages.greens[j, stage, group] else 0.0
            at += 1
    for claim in claims:
        if claim["junction"] == j:
            step = _wanted_at(stages, j, claim["group"], claim["eta_s"], standing, blocked.shape[1])
            if step <= 0:
                queued[at] = claim["weight"]
            elif step < STEPS:
                inflow[step, at] = claim["weight"]
            for stage in range(len(per_step)):
                if stages.greens[j, stage, claim["group"]]:
                    clear = _clear(stages, j, stage, claim["group"], rate)
                    per_step[stage, at] = _at_once(claim["weight"]) * clear
            at += 1
    return queued, inflow, per_step


@compiled
def _at_once(waiting: float) -> float:
    """What a step of green lets go of those whose wait ends with its first second."""
    return max(waiting, AT_ONCE_S * STEP_S)


@compiled
def _pressing(stages: Stages, j: int, group: int, red_s: Ints, strong_s: float) -> float:
    """As how many vehicles a group counts for its red alone. strong_s: until the next strong claim is at the line."""
    red, longest_s = red_s[j, group], stages.red_max_s[j, group]
    if red > 0 and np.isfinite(strong_s) and red + strong_s + THROUGH_S > longest_s:
        return FORESTALLED
    return URGENT * (red - PATIENT_S) / max(longest_s - PATIENT_S, 1) if red > PATIENT_S else 0.0


@compiled
def _clear(stages: Stages, j: int, stage: int, group: int, rate: Floats) -> float:
    """How clear the way of a group is in a stage, up to 1: who waits for gaps, or behind who has red, is held."""
    clear, lanes = 0.0, 0
    for lane in range(stages.lane_count[j]):
        if stages.serves[j, group, lane]:
            clear += rate[j, stage, lane] / stages.saturation_s
            lanes += 1
    return clear / lanes if lanes else 1.0


@compiled
def _wanted_at(stages: Stages, j: int, group: int, eta_s: float, standing: Floats, width: int) -> int:
    """The step by which a claim wants its green: early enough for the queue before it to have left, which is that of
    the group's lanes in their mean, since nobody says in which it comes."""
    queue, lanes = 0.0, 0
    for lane in range(stages.lane_count[j]):
        if stages.serves[j, group, lane]:
            queue += standing[j * width + lane]
            lanes += 1
    return int((eta_s - queue / max(lanes, 1) / stages.saturation_s) // STEP_S)


@compiled
def first_move(
    current: int,
    queued: Floats,
    inflow: Floats,
    per_step: Floats,
    weight: Floats,
    change: Ints,
    least: int,
    without: Ints,
    held: Ints,
) -> tuple[int, float, float]:
    """The stage to go for now, the current one to stay; and the vehicle-seconds that staying and changing would cost.

    queued: (lane), now. inflow: (step, lane). per_step: (stage, lane), vehicles that a step discharges. weight: (stage,
    lane), the same as a part of a lane's saturation flow. change: (stage, stage), in steps, as is least, the minimum
    green. held: (stage), steps before which it cannot begin; nothing where nobody walks. without: see `Walkers`.

    Staying is asked for first, then all changes at once, and then for how long to stay only until that is no dearer
    than the best of these: the answer is that of all plans, with a fifth of them played.
    """
    targets = _targets(current, queued, inflow, weight, TARGETS_WALKED if len(held) else TARGETS)
    best, stay_cost, change_cost = current, np.inf, np.inf
    for stay in STAYS:
        for target in targets:
            if stay > 0 and change_cost >= stay_cost - MARGIN:
                return current, stay_cost, change_cost
            cost = _cost(current, target, stay, queued, inflow, per_step, weight, change, least, without, held)
            if stay > 0 or target == current:
                stay_cost = min(stay_cost, cost)
            elif cost < change_cost - MARGIN:
                best, change_cost = target, cost
    if change_cost >= stay_cost - MARGIN:
        return current, stay_cost, change_cost
    if len(held):
        # Walkers clear for longer than vehicles: these go on until their own change takes as long as what is left.
        still = without[current, best]
        if max(change[current, best], held[best]) > change[still, best]:
            best = still
    return best, stay_cost, change_cost


@compiled
def _targets(current: int, queued: Floats, inflow: Floats, weight: Floats, most: int) -> Ints:
    """The stages that a plan may go for: the current one, which leaves all to the rule, and those that would release
    most, and somebody at all; of equal ones the first, and no more than most."""
    stages, lanes = weight.shape
    worth = np.zeros(stages)
    for lane in range(lanes):
        soon = queued[lane]
        for step in range(SOON):
            soon += inflow[step, lane]
        for stage in range(stages):
            worth[stage] += weight[stage, lane] * soon
    found = np.empty(most + 1, np.int64)
    found[0] = current
    for at in range(1, most + 1):
        worth[found[at - 1]] = -1.0
        best = 0
        for stage in range(stages):
            if worth[stage] > worth[best] + MARGIN:
                best = stage
        if worth[best] <= SOMEBODY:
            return found[:at]
        found[at] = best
    return found


@compiled
def _cost(
    current: int,
    target: int,
    stay: int,
    queued: Floats,
    inflow: Floats,
    per_step: Floats,
    weight: Floats,
    change: Ints,
    least: int,
    without: Ints,
    held: Ints,
) -> float:
    """Vehicle-seconds of waiting of a plan: so many steps in the current stage, then the target, -1 for whatever the
    rule says."""
    lanes = len(queued)
    queue = np.empty(lanes)
    for lane in range(lanes):
        queue[lane] = queued[lane]
    stage = before = left = current
    ready, late, settled, began = 0, 0, 0, 0
    waited = waits = 0.0
    for step in range(STEPS):
        goal = -1
        if step == stay:
            goal = target
        elif step > stay and RULED[step] and settled <= step and _load(queue, weight[stage]) < EMPTY:
            goal = _fullest(queue, weight)
        if goal >= 0 and goal != stage:
            ready, late = step + change[stage, goal], step
            if len(held):
                # Walkers whose green ended with an earlier change may clear for longer than this one takes.
                ready = max(ready, held[goal], began + change[left, goal])
                left, began = stage, step
                stage = without[stage, goal]
                late = ready - change[stage, goal]
            before, stage = stage, goal
            settled = ready + least
        waits = 0.0
        for lane in range(lanes):
            flow = per_step[stage, lane]
            if step < late:
                flow = per_step[before, lane]
            elif step < ready:
                # A lane that is green before and after goes on meanwhile.
                flow = min(flow, per_step[before, lane])
            queue[lane] = max(queue[lane] + inflow[step, lane] - flow, 0.0)
            waits += queue[lane]
        waited += waits
    return waited * STEP_S + waits * LEFT_S


@compiled
def _load(queue: Floats, weight: Floats) -> float:
    """Vehicles that a stage would release."""
    load = 0.0
    for lane in range(len(queue)):
        load += queue[lane] * weight[lane]
    return load


@compiled
def _fullest(queue: Floats, weight: Floats) -> int:
    """The stage with most to release, -1 where that is not worth a change."""
    best, most = -1, WORTH
    for stage in range(len(weight)):
        load = _load(queue, weight[stage])
        if load > most:
            best, most = stage, load
    return best
