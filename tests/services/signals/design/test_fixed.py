"""Plans from counts: followed to the second, green where it is needed, and of the cycle that costs least."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.services.signals.control.sites import AXES, crossroads
from vigie.services.signals.control.site import Plan, Step
from vigie.services.signals.design.fixed import LEAST_H, SATURATION_H, best_plan, delay_s, plan_of
from vigie.services.signals.junction import Colour
from vigie.services.signals.rounds import Rounds
from vigie.services.signals.sequencer import Follows, Sequencer

SITE = crossroads()
COMES = st.tuples(*[st.floats(0, 1_700)] * 4)


def greens_s(plan: Plan) -> dict[frozenset[int], int]:
    """Seconds of green of each stage."""
    found: dict[frozenset[int], int] = {}
    for step in plan.steps:
        if not step.clears:
            found[step.greens] = found.get(step.greens, 0) + step.seconds
    return found


@settings(max_examples=25, deadline=None)
@given(COMES, st.integers(20, 120))
def test_a_plan_has_its_cycle_and_is_followed_to_the_second(comes: tuple[float, ...], cycle_s: int) -> None:
    plan = plan_of(SITE, cycle_s, comes)
    assert plan.cycle_s == max(cycle_s, 22)  # Two greens of 6 s and two intergreens of 5 s.
    sequencer = Sequencer(SITE.junction)
    for _ in range(20):
        sequencer.step(plan.greens(0))  # Its start-up is over, and its first stage green.
    for now_s in range(3 * plan.cycle_s):
        wish = plan.greens(now_s)
        second = sequencer.step(wish)
        if now_s < plan.cycle_s:
            continue  # At a start all others have been red for longer than they ever are again.
        assert sequencer.follows is Follows.WISH
        assert {g for g, colour in enumerate(second) if colour is Colour.GREEN} == wish


@settings(max_examples=25, deadline=None)
@given(COMES, st.integers(40, 120))
def test_greens_make_the_fullest_lanes_of_both_axes_equally_full(comes: tuple[float, ...], cycle_s: int) -> None:
    green = greens_s(plan_of(SITE, cycle_s, comes))
    needs = [max(LEAST_H, *(comes[g] for g in axis)) for axis in AXES]
    full = [need / green[axis] for need, axis in zip(needs, AXES, strict=True)]
    least_s = max(6, cycle_s - 3 - (120 - Rounds(SITE.junction).round_s))
    for mine, other, axis in ((0, 1, AXES[0]), (1, 0, AXES[1])):
        # Its last second was given when it was the fuller one.
        assert green[axis] in (6, least_s) or needs[mine] / (green[axis] - 1) >= full[other] - 1e-9


def test_websters_delay_is_his() -> None:
    # His own example's terms, for one lane: a cycle of 60 s, half of it green, 600 vehicles an hour.
    plan = plan_of(SITE, 60, (600.0, 600.0, 600.0, 600.0))
    assert greens_s(plan) == {AXES[0]: 25, AXES[1]: 25}
    x = 600 / (SATURATION_H * 25 / 60)
    even = 60 * (1 - 25 / 60) ** 2 / (2 * (1 - 25 / 60 * x))
    chance = x**2 / (2 * 600 / 3_600 * (1 - x))
    assert delay_s(SITE, plan, (600.0,) * 4) == pytest.approx(even + chance)


def test_the_best_cycle_grows_with_traffic_and_none_costs_less() -> None:
    cycles: list[int] = []
    for comes in (100.0, 300.0, 500.0, 650.0):
        plan = best_plan(SITE, (comes,) * 4)
        cycles.append(plan.cycle_s)
        costs = [delay_s(SITE, plan_of(SITE, cycle_s, (comes,) * 4), (comes,) * 4) for cycle_s in range(22, 121)]
        assert delay_s(SITE, plan, (comes,) * 4) == min(costs)
    assert cycles == sorted(cycles)
    assert cycles[0] < 35
    assert cycles[-1] > 60


def test_too_much_traffic_has_the_longest_cycle_and_not_an_endless_delay() -> None:
    comes = (1_700.0,) * 4
    plan = best_plan(SITE, comes)
    assert plan.cycle_s == 120
    assert 100 < delay_s(SITE, plan, comes) < 2_000


def test_a_cycle_without_room_for_all_stages_is_the_shortest_that_serves_everybody() -> None:
    four = tuple(Step(10, frozenset({group})) for group in (0, 2, 1, 3))
    one_by_one = replace(SITE, plan=Plan(0, four))
    assert set(greens_s(plan_of(one_by_one, 60, (300.0,) * 4))) == {frozenset({group}) for group in range(4)}
    assert greens_s(plan_of(one_by_one, 40, (300.0,) * 4)) == {AXES[0]: 15, AXES[1]: 15}
