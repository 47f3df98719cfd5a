"""Looks ahead: what each first move would cost, if a simple rule went on from there.

A move is "stay for so long, then that stage". After it a rule carries on to the horizon: serve until nobody is left,
then go to the stage with most to release. The rule alone is a fair controller; choosing the first move by its outcome
is better than the rule (a rollout: Bertsekas, Dynamic Programming and Optimal Control). Queues are real numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vigie.services.signals.control.layout import SATURATION_S, Floats, Ints

STEP_S = 2
HORIZON_S = 40
STAYS_S = (0, 2, 4, 8, 12, 18)
"""For how long a stage may be kept before the first change that is looked at."""

TARGETS = 6
"""So many stages are looked at as the next one: those that would release most."""

EMPTY = 0.5
WORTH = 0.9
"""The rule leaves a stage with fewer vehicles than EMPTY for one with more than WORTH."""

SOMEBODY = 0.05
"""Vehicles, now or soon, that make a stage a target."""

RULED = 2
"""The rule is asked at every so manieth step."""

LEFT_S = 5.0
"""What each vehicle that still waits at the horizon costs beyond it."""

MARGIN = 0.0
"""Vehicle-seconds that a change must save, so that equal chances do not flutter."""


class Moves(NamedTuple):
    """First moves, and what they were chosen for: of each junction the stage to go for now (the current one to stay),
    and the cost, in vehicle-seconds, of the best play that stays and of the best that changes at once (infinite where
    there is nothing to change to)."""

    stage: Ints
    stay_cost: Floats
    change_cost: Floats


def first_moves(
    current: Ints, queued: Floats, arrivals: Floats, rate: Floats, change_s: Ints, green_min_s: Ints
) -> Moves:
    """The first move of each junction.

    current: (j). queued: (j, l). arrivals: (j, second, l), HORIZON_S of them. rate: (j, k, l), vehicles a second.
    change_s: (j, k, k). green_min_s: (j), of any stage.
    """
    count, stages, lanes = rate.shape
    j: Ints = np.arange(len(current))
    steps = HORIZON_S // STEP_S
    inflow = arrivals.reshape(count, steps, STEP_S, lanes).sum(2)
    per_step = rate * STEP_S
    weight = np.swapaxes(np.minimum(rate / SATURATION_S, 1.0), 1, 2)
    worth = np.matmul((queued + inflow[:, :6].sum(1))[:, None, :], weight)[:, 0]
    worth[j, current] = -1.0
    targets = np.argsort(-worth, axis=1)[:, : min(TARGETS, stages)]
    # One that nobody waits for, or that is there to fill the table, is no target.
    targets = np.where(np.take_along_axis(worth, targets, 1) > SOMEBODY, targets, current[:, None])
    stays = np.repeat(np.array(STAYS_S) // STEP_S, targets.shape[1])
    # The last plan stays until the horizon: the rule may end it as any other.
    stays = np.append(stays, 0)
    target = np.concatenate([np.tile(targets, (1, len(STAYS_S))), current[:, None]], axis=1)
    cost = _cost(current, target, stays, queued, inflow, per_step, weight, change_s, green_min_s)
    best = cost[:, :-1].argmin(1)
    first = np.where(stays[best] == 0, target[j, best], current)
    stay_cost = np.where(stays[None, :-1] > 0, cost[:, :-1], np.inf).min(1)
    stay_cost = np.minimum(stay_cost, cost[:, -1])
    stage = np.where((stays[best] == 0) & (cost[j, best] < stay_cost - MARGIN), first, current)
    changes = (stays[None, :-1] == 0) & (target[:, :-1] != current[:, None])
    return Moves(stage, stay_cost, np.where(changes, cost[:, :-1], np.inf).min(1))


def _cost(
    current: Ints,
    target: Ints,
    stays: Ints,
    queued: Floats,
    inflow: Floats,
    per_step: Floats,
    weight: Floats,
    change_s: Ints,
    green_min_s: Ints,
) -> Floats:
    """Vehicle-seconds of waiting of each plan, (j, plan)."""
    count, plans = target.shape
    j: Ints = np.arange(len(current))[:, None]
    every: Ints = np.arange(len(stays))[None, :]
    stage = np.repeat(current[:, None], plans, axis=1)
    coming = per_step[j, stage]
    flow = coming.copy()
    ready = np.zeros((count, plans), np.int64)
    settled = np.full((count, plans), -1_000)
    queue = np.repeat(queued[:, None, :], plans, axis=1)
    cost = np.zeros((count, plans))
    change = -(-change_s // STEP_S)
    least = -(-green_min_s // STEP_S)[:, None]
    for step in range(inflow.shape[1]):
        moves = goal = None
        if step in stays:
            moves, goal = (stays == step) & (target != stage), target
        elif step % RULED == 0:
            load = np.matmul(queue, weight)
            fullest = load.argmax(2)
            moves = (stays < step) & (settled <= step) & (load[j, every, stage] < EMPTY) & (load.max(2) > WORTH)
            goal = fullest
        if moves is not None and goal is not None and moves.any():
            at, plan = np.nonzero(moves)
            before, after = stage[at, plan], goal[at, plan]
            clearing = change[at, before, after]
            new = per_step[at, after]
            # A lane that is green before and after goes on meanwhile.
            flow[at, plan] = np.where(clearing[:, None] > 0, np.minimum(coming[at, plan], new), new)
            coming[at, plan] = new
            stage[at, plan] = after
            ready[at, plan] = step + clearing
            settled[at, plan] = step + clearing + least[at, 0]
        if step:
            at, plan = np.nonzero(ready == step)
            flow[at, plan] = coming[at, plan]
        queue += inflow[:, step, None, :]
        queue -= flow
        np.maximum(queue, 0.0, out=queue)
        cost += queue.sum(2)
    return cost * STEP_S + queue.sum(2) * LEFT_S
