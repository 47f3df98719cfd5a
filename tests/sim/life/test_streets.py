"""Junctions and detectors that follow simulated streets: they tell what is there, and live by themselves again when the
streets have gone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US
from vigie.services.roads import Bus
from vigie.services.signals import Detector, Junction
from vigie.sim.city import City
from vigie.sim.city.frame import to_degrees
from vigie.sim.life import Life, Reports
from vigie.sim.life.columns import DEMO
from vigie.sim.traffic.shown import Asked, Counted, Driven, Frame, Shown

HERE, OTHER = 3, 8


@pytest.fixture
def life(city: City, afternoon_us: int) -> Life:
    return Life(city, afternoon_us, DEMO)


def shown(second: int, stage: int = 2, plan: int = 3, mode: str = "colours") -> Shown:
    return Shown(second, "GR", stage, plan, mode, "plan", (0,), (0,), ((3, 77), (plan, 77)))


def told(said: Iterable[Reports], point: object, who: int) -> list[float]:
    return [
        float(value)
        for reports in said
        if reports.point is point
        for index, value in zip(reports.index, reports.value, strict=True)
        if index == who
    ]


def followed(life: Life) -> list[Asked]:
    """A life whose junction HERE is followed; all that is asked of the streets from now on."""
    asked: list[Asked] = []
    life.crossings.streets.ask = asked.append
    second = life.now_us // SECOND_US
    life.crossings.follow(Frame(second, {HERE: shown(second)}))
    asked.clear()
    return asked


def test_a_junction_tells_the_stages_plan_and_mode_of_its_streets_and_no_other(life: Life) -> None:
    life.step(life.now_us + MINUTE_US)
    followed(life)
    second = life.now_us // SECOND_US
    life.crossings.follow(Frame(second + 1, {HERE: shown(second + 1, stage=0)}))
    life.crossings.follow(Frame(second + 2, {HERE: shown(second + 2, stage=7, plan=9)}))
    said = life.step(life.now_us + 30 * SECOND_US)
    assert told(said, Junction.stage, HERE) == [2, 0, 7]
    assert told(said, Junction.plan, HERE)[-1] == 9
    assert told(said, Junction.cycle_time, HERE)[-1] == 77
    life.crossings.follow(Frame(second + 31, {HERE: shown(second + 31, 0, 9, "flashing")}))
    said = life.step(life.now_us + 2 * MINUTE_US)
    assert told(said, Junction.mode, HERE)[-1] == Junction.mode.code("flashing")
    assert told(said, Junction.stage, OTHER)


def test_orders_and_the_calendar_go_to_the_streets(life: Life) -> None:
    asked = followed(life)
    assert life.order("junction", HERE, "run_plan", {"plan": 9}) == ""
    assert life.order("junction", HERE, "set_mode", {"mode": "flashing"}) == ""
    assert life.order("junction", OTHER, "run_plan", {"plan": 9}) == ""
    assert asked == [Asked(HERE, plan=9), Asked(HERE, mode="flashing")]
    assert life.crossings.plan[HERE] == 3, "until the streets say so"
    asked.clear()
    # The evening's peak begins at half past four.
    for _ in range(24):
        life.step(life.now_us + 10 * MINUTE_US)
    plans = [each.plan for each in asked if each.plan is not None]
    assert plans[0] == 6
    assert {each.junction for each in asked} == {HERE}


def test_a_junction_that_begins_to_be_followed_is_asked_to_be_as_it_was(life: Life) -> None:
    life.order("junction", HERE, "run_plan", {"plan": 9})
    life.order("junction", HERE, "set_mode", {"mode": "flashing"})
    life.step(life.now_us + 5 * MINUTE_US)
    asked: list[Asked] = []
    life.crossings.streets.ask = asked.append
    second = life.now_us // SECOND_US
    life.crossings.follow(Frame(second, {HERE: shown(second)}))
    assert asked == [Asked(HERE, plan=9), Asked(HERE, mode="flashing")]


def test_a_detector_tells_what_was_counted_while_it_is_fresh(life: Life) -> None:
    life.step(life.now_us + MINUTE_US)
    second = life.now_us // SECOND_US
    life.crossings.follow(Frame(second, {}, (Counted(5, 1_260, 23.4, 17.5), Counted(6, 0, 0.0, 100.0))))
    said = life.step(life.now_us + MINUTE_US)
    assert set(told(said, Detector.flow, 5)) == {1_260}
    assert set(told(said, Detector.speed, 5)) == {23.4}
    assert set(told(said, Detector.occupancy, 5)) == {17.5}
    # Nobody came by: no speed is made up for that.
    assert (set(told(said, Detector.flow, 6)), told(said, Detector.speed, 6)) == ({0}, [])
    assert set(told(said, Detector.occupancy, 6)) == {100}
    life.step(life.now_us + 5 * MINUTE_US)
    assert told(life.step(life.now_us + MINUTE_US), Detector.speed, 6)


def test_a_bus_that_is_driven_tells_where_it_is_and_no_other_tells_it_for_it(city: City, afternoon_us: int) -> None:
    life = Life(city, afternoon_us, DEMO)
    life.step(afternoon_us + MINUTE_US)
    second = life.now_us // SECOND_US
    for at in (0, 10, 20, 30):
        life.follow(Frame(second + at, {}, buses=(Driven(HERE, 100.0, 200.0 + at, 359.7, 77),)))
    said = life.step(life.now_us + MINUTE_US)
    assert told(said, Bus.heading, HERE) == [0, 0, 0, 0]
    assert told(said, Bus.position, HERE) == [pytest.approx(to_degrees(np.array([[100.0, 200.0]]))[0, 0], abs=1e-4)] * 4
    assert set(told(said, Bus.delay, HERE)) == {77}
    assert len(told(said, Bus.position, OTHER)) == 6
    life.unfollow()
    assert len(told(life.step(life.now_us + MINUTE_US), Bus.position, HERE)) == 6


def test_when_the_streets_go_all_is_as_without_them(city: City, afternoon_us: int) -> None:
    life, alone = Life(city, afternoon_us, DEMO), Life(city, afternoon_us, DEMO)
    followed(life)
    for each in (life, alone):
        each.step(afternoon_us + MINUTE_US)
    life.crossings.unfollow()
    for each in (life, alone):
        each.step(afternoon_us + 5 * MINUTE_US)
    later_us = afternoon_us + HOUR_US
    said = [each.step(later_us) for each in (life, alone)]
    for one, other in zip(*said, strict=True):
        if one.kind in (Junction, Detector):
            assert (one.point, one.index.tolist()) == (other.point, other.index.tolist())
            assert np.array_equal(one.value, other.value)
