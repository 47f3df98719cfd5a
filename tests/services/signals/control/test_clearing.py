"""Who is still inside a junction is waited for by who would walk before him, and not for ever."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from tests.services.signals.control.sites import AXES
from tests.services.signals.control.test_asking import BUTTON, WALK, crossed
from vigie.services.signals.control.adaptive import Adaptive
from vigie.services.signals.control.clearing import WAITED_S_MAX, hold_back
from vigie.services.signals.control.layout import Layout
from vigie.services.signals.control.site import UNKNOWN, Site
from vigie.services.signals.control.sitecheck import site_problems
from vigie.services.signals.control.steering import Because, Heard, Steering, Told, counts_of, loops_of
from vigie.services.signals.junction import Colour, Detector, Lane, Second
from vigie.services.signals.sequencer import Sequencer

NORTH_SOUTH, EAST_WEST = AXES
INSIDE = 17
INTERGREEN_S = 5


def seen_inside() -> Site:
    """The cross-roads with a crossing over its north, and an area on the way from there to the south."""
    site = crossed()
    junction = msgspec.structs.replace(
        site.junction,
        detectors=(*site.junction.detectors, Detector("inside", "north inside", 0.0, 20.0)),
        lanes=(*site.junction.lanes, Lane("north inside", 20.0, 13.9)),
    )
    north, *others = site.approaches
    way = msgspec.structs.replace(north.ways[0], over=frozenset({WALK}), inside=(INSIDE,))
    return msgspec.structs.replace(
        site, junction=junction, approaches=(msgspec.structs.replace(north, ways=(way,)), *others)
    )


def held(inside: int, red_s: int, walkers_red_s: int = 30, green: frozenset[int] = frozenset()) -> list[int]:
    """Who may not begin when so many are inside of whom the north let in, which has been red for so long."""
    layout = Layout([seen_inside()])
    reds = np.array([[red_s, red_s, 0, 0, walkers_red_s]], np.int64)
    shown, found = np.zeros((1, 5), bool), np.zeros((1, 5), bool)
    shown[0, [*green]] = True
    counts = np.zeros(18, np.int64)
    counts[INSIDE] = inside
    hold_back(found, layout.walkers, counts, shown, reds, layout.red_max_s)
    return np.flatnonzero(found[0]).tolist()


def test_the_junction_may_be_controlled() -> None:
    assert [each for each in site_problems(seen_inside()) if each.refuses] == []


def test_walkers_wait_for_who_is_inside_and_those_who_drive_do_not() -> None:
    assert held(1, INTERGREEN_S) == [WALK]
    assert held(0, INTERGREEN_S) == []


def test_nobody_waits_for_an_area_that_says_nothing() -> None:
    assert held(UNKNOWN, INTERGREEN_S) == []


def test_no_green_is_cut_and_whoever_drives_through_in_green_holds_nobody() -> None:
    assert held(1, 0, green=NORTH_SOUTH) == []
    assert held(1, INTERGREEN_S, 0, green=frozenset({WALK})) == []


def test_they_do_not_wait_for_ever_nor_until_the_kernel_must_break_in() -> None:
    assert held(1, INTERGREEN_S + WAITED_S_MAX - 1) == [WALK]
    assert held(1, INTERGREEN_S + WAITED_S_MAX) == []
    assert held(1, INTERGREEN_S, 120 - WAITED_S_MAX) == []


@pytest.mark.parametrize("leaves_s", [0, 9])
def test_those_who_drive_begin_without_the_walkers_until_nobody_is_inside(leaves_s: int) -> None:
    """East waits and somebody wants to walk; one from the north is inside until so long after his green."""
    site = seen_inside()
    controller, sequencer = Adaptive([site]), Sequencer(site.junction)
    counts = [0] * 18
    counts[0], counts[INSIDE] = 3, 1
    second: Second = (Colour.RED,) * 5
    ended_s = 0
    began: dict[int, int] = {}
    for now_s in range(60):
        if now_s == 20:
            counts[0], counts[BUTTON], counts[6] = 0, 1, 3
        before, second = second, sequencer.step(controller.decide(now_s, [counts], [second])[0])
        if before[0] is Colour.GREEN and second[0] is not Colour.GREEN:
            ended_s = now_s
        if ended_s and now_s >= ended_s + leaves_s:
            counts[INSIDE] = 0
        for group in (2, WALK):
            if ended_s and second[group] is Colour.GREEN:
                began.setdefault(group, now_s - ended_s)
    assert began == {2: INTERGREEN_S, WALK: max(INTERGREEN_S, leaves_s + 1)}


def test_where_a_stage_without_its_walkers_is_none_the_post_goes_on_and_such_a_document_is_refused() -> None:
    """A document may come from anybody: here who is inside is told by a loop, and east and west are green with walkers
    alone."""
    site = seen_inside()
    junction = msgspec.structs.replace(
        site.junction,
        detectors=(*site.junction.detectors[:INSIDE], Detector("inside", "north inside", 0.0)),
        stages=tuple(stage for stage in site.junction.stages if stage.greens != EAST_WEST),
    )
    site = msgspec.structs.replace(site, junction=junction)
    assert "inside_is_loop" in {problem.code for problem in site_problems(site) if problem.refuses}

    steering, sequencer = Steering(), Sequencer(junction)
    steering.keep({"one": site})
    loops = loops_of(site)
    vehicles = [int(at == INSIDE) for at in loops]
    occupied = [100 * junction.detectors[at].name.endswith("stop") for at in loops]
    asked: list[int | None] = [None]
    for _ in range(300):
        stage = asked[-1]
        second = sequencer.step(None if stage is None else junction.stages[stage].greens)
        standing = frozenset() if stage is None else frozenset({stage})
        told = Told(True, [Heard(second, counts_of(site, vehicles, occupied))], standing=standing)
        asked += [each.stage for each in steering.step({"one": told})]
    assert steering.junctions["one"].because is Because.ORDERED
    assert len(set(asked)) > 2
