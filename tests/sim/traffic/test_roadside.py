"""The roadside controller: whatever is asked of it, what it shows is safe; who falls silent costs it nothing more."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.signals.junctions import GREEN, RED, YELLOW, cross_roads
from vigie.services.signals.control.site import Plan, Site, Step
from vigie.services.signals.junction import Second
from vigie.services.signals.safety import Kernel
from vigie.sim.traffic.roadside import INPUTS_FRESH_S, Roadside

JUNCTION = cross_roads()
MAIN, SIDE, TRAM = (stage.greens for stage in JUNCTION.stages)
RED_ALL = (RED,) * len(JUNCTION.groups)
FIRST_INPUT = 40


def plan(*seconds: int, offset_s: int = 0) -> Plan:
    """A cycle of the junction's three stages, with enough between them."""
    steps = zip(seconds, (MAIN, frozenset[int](), SIDE, frozenset[int](), TRAM, frozenset[int]()), strict=True)
    return Plan(offset_s, tuple(Step(each, greens, not greens) for each, greens in steps))


PLANS = {1: plan(20, 10, 14, 14, 8, 14), 7: plan(30, 10, 20, 14, 12, 14, offset_s=13)}


def roadside() -> Roadside:
    return Roadside(Site(JUNCTION, PLANS[1], ()), PLANS, FIRST_INPUT)


def greens(second: Second) -> set[int]:
    return {group for group, colour in enumerate(second) if colour is GREEN}


def followed(controller: Roadside, first_s: int, last_s: int, on: set[int] | None = None) -> list[set[int]]:
    """The greens of some seconds; on: inputs that are set anew each of them."""
    found: list[set[int]] = []
    for now_s in range(first_s, last_s):
        if on is not None:
            controller.inputs(on, now_s)
        found.append(greens(controller.step(now_s)))
    return found


@given(seed=st.integers(0, 2**32), eager=st.sampled_from([0.02, 0.3, 1.0]))
@settings(max_examples=12, deadline=None)
def test_whatever_is_asked_of_it_no_second_is_unsafe(seed: int, eager: float) -> None:
    """Inputs, plans and modes at random; each time that colours begin, a judge that begins with them."""
    dice, controller = Random(seed), roadside()
    judge: Kernel | None = None
    for now_s in range(900):
        if dice.random() < eager:
            controller.inputs(
                set(dice.choices(range(FIRST_INPUT - 1, FIRST_INPUT + 5), k=dice.choice((0, 1, 1, 2)))), now_s
            )
        if dice.random() < 0.02:
            number = dice.choice((1, 7, 3))
            assert controller.order_plan(number) is (number != 3)
        if dice.random() < 0.02:
            controller.order_mode(dice.choice(("flashing", "colours")))
        second = controller.step(now_s)
        if controller.mode == "flashing":
            assert (second, controller.stage) == ((), 0)
            judge = None
            continue
        if judge is None:
            judge = Kernel(JUNCTION)
            judge.away()
            assert second == RED_ALL
        assert judge.see(second) == ()
        assert not controller.stage or greens(second) == JUNCTION.stages[controller.stage - 1].greens


def test_one_input_asks_for_its_stage_and_none_two_or_another_leave_it_to_the_plan() -> None:
    controller = roadside()
    planned = followed(controller, 0, 160)
    assert all(stage in planned for stage in (MAIN, SIDE, TRAM))
    assert followed(controller, 160, 210, {FIRST_INPUT + 2})[-1] == TRAM
    assert (controller.decides, controller.stage) == ("input", 3)
    for on in (set[int](), {FIRST_INPUT, FIRST_INPUT + 2}, {FIRST_INPUT - 1, FIRST_INPUT + 3}):
        controller.inputs(on, 210)
        controller.step(210)
        assert controller.decides == "plan"


def test_who_is_silent_is_forgotten_and_the_plan_goes_on_without_cutting_a_minimum() -> None:
    controller, undisturbed = roadside(), roadside()
    followed(controller, 0, 40, {FIRST_INPUT + 1})
    decided = []
    for now_s in range(40, 60):
        controller.step(now_s)
        decided.append(controller.decides)
    # The last time that it was asked was in second 39.
    assert decided == ["input"] * (INPUTS_FRESH_S - 1) + ["plan"] * (20 - INPUTS_FRESH_S + 1)
    # Within a cycle nothing is left of it. That no minimum is cut meanwhile is judged above, with any inputs.
    followed(controller, 60, 160)
    followed(undisturbed, 0, 160)
    assert followed(controller, 160, 300) == followed(undisturbed, 160, 300)


def test_a_clock_that_was_set_back_keeps_no_input_alive() -> None:
    controller = roadside()
    followed(controller, 5_000, 5_020, {FIRST_INPUT})
    controller.step(1_000)
    assert controller.decides == "plan"


def test_a_plan_begins_with_its_next_cycle_and_one_that_there_is_not_is_refused() -> None:
    controller = roadside()
    followed(controller, 0, 30)
    assert not controller.order_plan(2)
    assert controller.order_plan(7)
    begins_s = 13 + PLANS[7].cycle_s
    followed(controller, 30, begins_s)
    assert controller.plan == 1
    controller.step(begins_s)
    assert controller.plan == 7


def test_it_flashes_with_the_next_second_and_comes_back_through_all_red() -> None:
    controller = roadside()
    followed(controller, 0, 60)
    controller.order_mode("flashing")
    assert controller.step(60) == ()
    assert (controller.mode, controller.stage) == ("flashing", 0)
    controller.order_mode("colours")
    shown = [controller.step(now_s) for now_s in range(61, 121)]
    # As long as the longest that anybody takes to clear.
    first = next(at for at, second in enumerate(shown) if second != RED_ALL)
    assert first >= 6
    assert YELLOW in {colour for second in shown for colour in second}
    with pytest.raises(ValueError, match="dark"):
        controller.order_mode("dark")


def test_an_order_to_flash_that_is_taken_back_in_the_same_second_cuts_no_green() -> None:
    controller = roadside()
    before = followed(controller, 0, 15)[-1]
    controller.order_mode("flashing")
    controller.order_mode("colours")
    assert before == greens(controller.step(15)) == MAIN


def test_a_junction_without_a_plan_is_no_roadside() -> None:
    with pytest.raises(ValueError, match="plan"):
        Roadside(Site(JUNCTION, PLANS[1], ()), {})
