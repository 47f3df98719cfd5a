"""The look ahead: what is answered after a few plays is what all plays together say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.services.signals.control.sites import counts, crossroads, shown
from vigie.core.compiled import compiled
from vigie.services.signals.control import rollout
from vigie.services.signals.control.adaptive import Adaptive
from vigie.services.signals.control.claims import NO_CLAIMS
from vigie.services.signals.control.layout import SATURATION_S, Floats, Ints
from vigie.services.signals.control.rollout import PATIENT_S, STAYS, STEP_S, STEPS, TARGETS, Stages, first_moves

Case = tuple[Stages, dict[str, Any]]
LANES, STAGES, GROUPS = 7, 9, 5


def junctions(seed: int, count: int = 40) -> Case:
    """Junctions of random stages, with random queues before them, that all are free to choose."""
    dice = np.random.default_rng(seed)
    serves = dice.random((count, STAGES, LANES)) < 0.35
    stages = Stages(
        SATURATION_S,
        np.full(count, LANES),
        dice.integers(2, STAGES + 1, count),
        np.full(count, GROUPS),
        dice.random((count, STAGES, GROUPS)) < 0.4,
        dice.integers(0, 4, (count, STAGES, STAGES)),
        dice.integers(2, 5, count),
        np.full((count, GROUPS), 6),
        np.full((count, GROUPS), 120),
        np.zeros((count, GROUPS), bool),
        np.zeros(count, bool),
        np.zeros((count, GROUPS, STAGES), np.int64),
        np.zeros((count, STAGES, STAGES), np.int64),
        dice.random((count, GROUPS, LANES)) < 0.35,
        0.75,
    )
    state = {
        "current": dice.integers(0, stages.stage_count),
        "standing": (dice.random((count, LANES)) * dice.choice([0.3, 3, 12], (count, 1))).ravel(),
        "arrivals": dice.random((count, STEPS, LANES)) * dice.choice([0.05, 0.4], (count, 1, 1)),
        "rate": serves * dice.uniform(0.1, 0.6, serves.shape),
        "blocked": (dice.random((count, LANES)) < 0.1).astype(float),
        "red_s": dice.integers(0, 120, (count, GROUPS)),
        "walkers": np.zeros((count, GROUPS)),
        "rate_s": np.zeros((count, GROUPS)),
        "claims": NO_CLAIMS,
    }
    return stages, state


def all_plays(case: Case, j: int) -> dict[tuple[int, int], float]:
    """What each play of a junction costs: for how many steps it stays, and where it then goes; all of them at once."""
    stages, state = case
    count = int(stages.stage_count[j])
    current = int(state["current"][j])
    urgent = np.maximum(state["red_s"][j] - PATIENT_S, 0) / (stages.red_max_s[j] - PATIENT_S) * rollout.URGENT
    queued = np.concatenate([state["standing"].reshape(-1, LANES)[j], urgent])
    inflow = np.pad(state["arrivals"][j], ((0, 0), (0, GROUPS)))
    flowing = state["rate"][j, :count] * (1 - (1 - rollout.BLOCKED) * state["blocked"][j])
    per_step = STEP_S * np.concatenate([flowing, rollout.AT_ONCE_S * stages.greens[j, :count]], axis=1)
    weight = np.minimum(per_step / STEP_S / SATURATION_S, 1.0)
    worth = weight @ (queued + inflow[: rollout.SOON].sum(0))
    worth[current] = -1.0
    targets = [stage for stage in np.argsort(-worth, kind="stable")[:TARGETS] if worth[stage] > rollout.SOMEBODY]
    plans = [(stay, int(target)) for stay in STAYS.tolist() for target in [current, *targets]]
    cost = _played(
        np.array([stay for stay, _ in plans]),
        np.array([target for _, target in plans]),
        np.full(len(plans), current),
        np.repeat(queued[None], len(plans), axis=0),
        (inflow, per_step, weight),
        stages.change[j],
        int(stages.least[j]),
    )
    return dict(zip(plans, cost.tolist(), strict=True))


def _played(
    stays: Ints, targets: Ints, stage: Ints, queue: Any, lanes: tuple[Any, ...], change: Ints, least: int
) -> Floats:
    inflow, per_step, weight = lanes
    every = np.arange(len(stays))
    before = stage.copy()
    ready, settled = np.zeros(len(stays), int), np.zeros(len(stays), int)
    cost = np.zeros(len(stays))
    for step in range(STEPS):
        load = queue @ weight.T
        ruled = (step % 2 == 0) and (step not in STAYS)
        free = ruled & (stays < step) & (settled <= step)
        tired = free & (load[every, stage] < rollout.EMPTY) & (load.max(1) > rollout.WORTH)
        goal = np.where(stays == step, targets, np.where(tired, load.argmax(1), stage))
        moves = goal != stage
        before, stage = np.where(moves, stage, before), np.where(moves, goal, stage)
        ready = np.where(moves, step + change[before, stage], ready)
        settled = np.where(moves, ready + least, settled)
        flow = np.minimum(per_step[stage], np.where((step < ready)[:, None], per_step[before], np.inf))
        queue = np.maximum(queue + inflow[step] - flow, 0.0)
        cost += queue.sum(1)
    return cost * STEP_S + queue.sum(1) * rollout.LEFT_S


@pytest.mark.parametrize("seed", range(5))
def test_what_a_few_plays_answer_is_what_all_say(seed: int) -> None:
    stages, state = case = junctions(seed)
    count = len(stages.stage_count)
    moves = first_moves(stages, np.ones(count, bool), **state)
    changed = 0
    for j in range(count):
        current, chosen = state["current"][j], moves.stage[j]
        plays = all_plays(case, j)
        stay_cost = min(cost for (stay, target), cost in plays.items() if stay or target == current)
        changes = {target: cost for (stay, target), cost in plays.items() if not stay and target != current}
        change_cost = min(changes.values(), default=np.inf)
        assert moves.change_cost[j] == pytest.approx(change_cost)
        if chosen != current:
            changed += 1
            assert changes[chosen] == pytest.approx(change_cost)
            assert moves.stay_cost[j] == pytest.approx(stay_cost)
        assert (chosen != current) == (change_cost < stay_cost - 2e-6) or abs(change_cost - stay_cost) < 1e-5
        assert stay_cost - 1e-6 <= moves.stay_cost[j]
    assert 5 < changed < count


def test_who_is_not_free_stays_and_weighs_nothing() -> None:
    stages, state = junctions(7)
    moves = first_moves(stages, np.zeros(len(stages.stage_count), bool), **state)
    assert (moves.stage == state["current"]).all()
    assert np.isnan(moves.stay_cost).all()
    assert np.isnan(moves.change_cost).all()


def test_what_has_no_place_of_its_own_is_compiled_all_the_same() -> None:
    made: dict[str, Any] = {}
    exec("def more(number):\n    return number + 1", made)
    assert compiled(made["more"])(1) == 2


def test_counts_that_are_not_of_its_detectors_are_refused() -> None:
    with pytest.raises(ValueError, match="15 counts of 16 detectors"):
        Adaptive([crossroads()]).decide(0, [counts()[:-1]], [shown(frozenset())])
