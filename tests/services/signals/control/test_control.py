"""What each controller wishes, at a cross-roads that is told what is on it."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from tests.services.signals.control.sites import AXES, counts, crossroads, shown
from vigie.services.signals.completeness import problems
from vigie.services.signals.control.adaptive import Adaptive, prepare
from vigie.services.signals.control.baselines import Actuated, FixedPlan, Greedy, MaxPressure
from vigie.services.signals.control.claims import Claim
from vigie.services.signals.control.estimate import ahead, nothing_known, see
from vigie.services.signals.control.layout import Layout
from vigie.services.signals.control.rollout import first_moves
from vigie.services.signals.control.site import OCCUPIED, UNKNOWN, Area, Feeder
from vigie.services.signals.junction import Detector

NORTH_SOUTH, EAST_WEST = AXES


def settled(controller: Adaptive, on: list[int], seconds: int = 8) -> frozenset[int]:
    """What is wished after so many seconds that were all alike."""
    wish = NORTH_SOUTH
    for now_s in range(seconds):
        wish = controller.decide(now_s, [on], [shown(NORTH_SOUTH)])[0]
    return wish


def test_the_cross_roads_may_be_controlled() -> None:
    assert [each for each in problems(crossroads().junction) if each.refuses] == []


def test_the_plan_goes_by_the_clock() -> None:
    plan = FixedPlan(crossroads())
    wishes = [plan.decide(now_s, counts(), shown(NORTH_SOUTH)) for now_s in range(140)]
    assert wishes[:30] == [NORTH_SOUTH] * 30
    assert wishes[30:35] == [frozenset()] * 5
    assert wishes[35:65] == [EAST_WEST] * 30
    assert wishes[70:] == wishes[:70]


def test_actuation_keeps_a_green_while_vehicles_follow() -> None:
    site = crossroads()
    follow = counts()
    follow[2] = 1  # Somebody passes the upstream loop of the north.
    alone, busy = Actuated(site), Actuated(site)
    for now_s in range(5):
        assert alone.decide(now_s, counts(), shown(NORTH_SOUTH)) == busy.decide(now_s, follow, shown(NORTH_SOUTH))
    assert alone.decide(5, counts(), shown(NORTH_SOUTH)) == EAST_WEST
    wishes = [busy.decide(now_s, follow, shown(NORTH_SOUTH)) for now_s in range(5, 60)]
    assert wishes.index(EAST_WEST) + 5 == 49  # The fiftieth second of green ends it, whoever follows.


@pytest.mark.parametrize("made", [Greedy, MaxPressure])
def test_greedy_and_pressure_go_where_most_wait(made: type[Greedy] | type[MaxPressure]) -> None:
    controller = made(crossroads())
    wishes = [controller.decide(now_s, counts(north=1, east=4), shown(NORTH_SOUTH)) for now_s in range(11)]
    assert wishes[0] == NORTH_SOUTH
    assert wishes[-1] == EAST_WEST


def test_pressure_does_not_press_into_a_full_road() -> None:
    on = counts(east=4, exit_west=4, north=1)
    greedy, pressure = Greedy(crossroads()), MaxPressure(crossroads())
    for now_s in range(11):
        wishes = [each.decide(now_s, on, shown(NORTH_SOUTH)) for each in (greedy, pressure)]
    assert wishes == [EAST_WEST, NORTH_SOUTH]


def test_what_is_prepared_is_all_that_is_compiled() -> None:
    prepare()
    functions: list[Any] = [see, ahead, first_moves]
    before = [len(each.signatures) for each in functions]
    controller = Adaptive([crossroads()])
    controller.hear([Claim(0, 0, 3.0, 4.0)])
    for now_s in range(12):
        controller.decide(now_s, [counts(east=2)], [shown(NORTH_SOUTH)])
    assert [len(each.signatures) for each in functions] == before


def test_adaptive_stays_where_nobody_else_waits() -> None:
    assert settled(Adaptive([crossroads()]), counts(north=3), 40) == NORTH_SOUTH


def test_adaptive_goes_where_somebody_waits_and_nobody_comes() -> None:
    assert settled(Adaptive([crossroads()]), counts(east=1)) == EAST_WEST


def test_adaptive_does_not_stop_a_queue_that_flows_for_one_who_waits() -> None:
    controller = Adaptive([crossroads()])
    wish = NORTH_SOUTH
    for now_s in range(12):
        on = counts(north=7, south=7, east=1)
        on[1] = on[4] = now_s % 2  # One leaves each lane every two seconds.
        wish = controller.decide(now_s, [on], [shown(NORTH_SOUTH)])[0]
    assert wish == NORTH_SOUTH


def test_adaptive_gives_a_group_its_minimum() -> None:
    controller = Adaptive([crossroads()])
    wishes = [controller.decide(now_s, [counts(east=6)], [shown(NORTH_SOUTH)])[0] for now_s in range(7)]
    assert wishes[:5] == [NORTH_SOUTH] * 5
    assert wishes[-1] == EAST_WEST


def test_adaptive_does_not_serve_who_cannot_leave() -> None:
    """Two stand in the north, seven in the east and in the west: green goes to the axis that can leave."""
    free = settled(Adaptive([crossroads()]), counts(north=2, east=7, west=7), 20)
    full = settled(Adaptive([crossroads()]), counts(north=2, east=7, west=7, exit_west=4, exit_east=4), 20)
    assert (free, full) == (EAST_WEST, NORTH_SOUTH)


def test_adaptive_serves_who_was_forgotten_before_the_kernel_must() -> None:
    controller = Adaptive([crossroads()])
    wishes = [controller.decide(now_s, [counts()], [shown(NORTH_SOUTH)])[0] for now_s in range(121)]
    assert EAST_WEST in wishes[80:]


def test_adaptive_knows_who_comes_from_next_door() -> None:
    """The neighbour's south lets four go north; they come to our south in ten seconds, and it waits for them with green
    that it would else have given away."""
    feeder = Feeder("two", "south", 1.0, (1,), 10)
    near, far = crossroads("one", (feeder,)), crossroads("two")
    told, untold = Adaptive([near, far]), Adaptive([crossroads("one"), far])
    asked: dict[Adaptive, list[int]] = {told: [], untold: []}
    for controller, changes in asked.items():
        for now_s in range(16):
            next_door = counts()
            next_door[4] = int(4 <= now_s < 10)
            here = counts(east=1) if now_s >= 8 else counts()
            wish = controller.decide(now_s, [here, next_door], [shown(NORTH_SOUTH)] * 2)[0]
            changes.append(int(wish == EAST_WEST))
    assert sum(asked[told]) <= sum(asked[untold])
    assert sum(asked[untold]) > 0


def test_adaptive_lives_with_dead_detectors() -> None:
    """With no word from anywhere it goes round by what a green discharges and what red collects."""
    controller = Adaptive([crossroads()])
    silent = [UNKNOWN] * 16
    second, wishes = shown(NORTH_SOUTH), []
    for now_s in range(240):
        wish = controller.decide(now_s, [silent], [second])[0]
        second = shown(wish)
        wishes.append(wish)
    assert wishes.count(EAST_WEST) > 40
    assert wishes.count(NORTH_SOUTH) > 40


def loops(stop_east: int = 0, entry_east: int = 0) -> list[int]:
    """Counts where no area says anything; nobody is on any loop but the east's."""
    on = counts(stop_east=stop_east, entry_east=entry_east)
    for area in (0, 3, 6, 9):
        on[area] = UNKNOWN
    return on


def test_who_came_and_does_not_stand_at_the_line_went_elsewhere() -> None:
    """Three pass the loop up the east's road, whose light is red. Where nobody then stands on the one at the line, they
    have changed lanes; as long as they may still drive up they are counted."""
    roads = Layout([crossroads()]).roads
    there, gone = nothing_known(roads), nothing_known(roads)
    standing: list[tuple[float, float]] = []
    for now_s in range(24):
        entry = int(now_s in (2, 4, 6))
        see(roads, there, np.array(loops(OCCUPIED if now_s > 7 else 0, entry)), np.zeros(4, bool))
        see(roads, gone, np.array(loops(0, entry)), np.zeros(4, bool))
        standing.append((there.lanes["present"][2], gone.lanes["present"][2]))
    assert standing[6] == pytest.approx((3, 3), rel=0.1)
    assert standing[23] == pytest.approx((3, 0), rel=0.1)


def test_who_stands_on_a_dead_area_is_seen_by_the_loop_at_the_line() -> None:
    """The east's lane has a second area up the road, which lives and is empty."""
    site = crossroads()
    detectors = (*site.junction.detectors, Detector("east far", "east", 9.0, 41.0))
    near = msgspec.structs.replace(detectors[6], length_m=9.0)
    junction = msgspec.structs.replace(site.junction, detectors=(*detectors[:6], near, *detectors[7:]))
    east = msgspec.structs.replace(site.approaches[2], areas=(Area(6, 1), Area(16, 1)))
    site = msgspec.structs.replace(site, junction=junction, approaches=(*site.approaches[:2], east, site.approaches[3]))
    on = [*counts(stop_east=OCCUPIED), 0]
    on[6] = UNKNOWN
    assert settled(Adaptive([site]), on, 12) == EAST_WEST


def test_junctions_of_different_size_are_decided_together() -> None:
    one, two = crossroads("one"), crossroads("two")
    controller = Adaptive([one, two])
    for now_s in range(8):
        wishes = controller.decide(now_s, [counts(east=3), counts(south=3)], [shown(NORTH_SOUTH)] * 2)
    assert wishes == [EAST_WEST, NORTH_SOUTH]
