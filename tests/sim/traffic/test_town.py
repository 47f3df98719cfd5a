"""The generated city as a town of SUMO's: all its junctions may be controlled, their plans can be followed to the
second, and its streets lead everywhere."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from vigie.services.signals.control.sitecheck import site_problems
from vigie.services.signals.design.fixed import CYCLE_S_MAX
from vigie.services.signals.junction import Colour, Users
from vigie.services.signals.sequencer import Sequencer
from vigie.sim.city import City
from vigie.sim.city.network import LOCAL
from vigie.sim.life.crossings import CYCLE_S
from vigie.sim.traffic import sumotools
from vigie.sim.traffic import town as made
from vigie.sim.traffic.demand import demand_of
from vigie.sim.traffic.roads import ONE_CROSSING_M, roads_of
from vigie.sim.traffic.town import Town, TownFailed, make_town, network_file, town_in

# The streets of the whole city are made for these, beside two other workers.
pytestmark = pytest.mark.timeout(240)

MOST_H = 1_900.0
"""What a lane at most discharges in an hour that is green from end to end."""


@pytest.fixture(scope="module")
def folder(streets_folder: Path) -> Path:
    return streets_folder


@pytest.fixture(scope="module")
def town(streets: Town) -> Town:
    return streets


def test_each_junction_of_the_city_is_a_light_that_may_be_controlled(city: City, town: Town) -> None:
    assert sorted(town.junctions) == list(range(len(city.signals.node)))
    assert [light.name for light in town.lights] == [f"junction-{number + 1:03d}" for number in town.junctions]
    assert [problem for light in town.lights for problem in site_problems(light.site)] == []
    # Over each arm walkers cross.
    for light, number in zip(town.lights, town.junctions, strict=True):
        crossings = [group for group in light.site.junction.groups if group.users is Users.PEDESTRIANS]
        assert len(crossings) >= min(3, int(city.signals.arms[number]))
    # A platoon is announced from next door, or control would see no further than its loops.
    assert sum(bool(light.site.feeders) for light in town.lights) > len(town.lights) / 2
    assert set(town.counters) == set(range(len(city.signals.detector_arc)))


@pytest.mark.parametrize("number", [3, 5])
def test_a_plan_wishes_what_can_be_shown_to_the_second(town: Town, number: int) -> None:
    for light, plans in zip(town.lights[::4], town.plans[::4], strict=True):
        plan, sequencer = plans[number], Sequencer(light.site.junction)
        if plan.cycle_s != CYCLE_S[number]:
            continue  # It has no second to spare: what once is late stays so.
        for now_s in range(3 * plan.cycle_s):
            second = sequencer.step(plan.greens(now_s))
            green = {group for group, colour in enumerate(second) if colour is Colour.GREEN}
            assert now_s < 2 * plan.cycle_s or green == plan.greens(now_s), (light.name, now_s)


def test_each_plan_is_there_with_its_cycle_or_the_nearest_that_has_room(town: Town) -> None:
    others = Counter[int]()
    for plans in town.plans:
        assert list(plans) == list(range(1, len(CYCLE_S)))
        for number, plan in plans.items():
            assert plan.cycle_s <= CYCLE_S_MAX
            others[number] += plan.cycle_s != CYCLE_S[number]
    assert all(others[number] < len(town.plans) / 2 for number in others)


def test_traffic_reaches_all_of_the_town_and_asks_no_road_for_more_than_it_has(city: City) -> None:
    roads = roads_of(city)
    demand = demand_of(roads, city.seed)
    flows_h: dict[int, float] = defaultdict(float)
    for route in demand.routes:
        driven = [roads.roads[number] for number in route.roads]
        assert all(before.end == after.start for before, after in pairwise(driven))
        for number in route.roads:
            flows_h[number] += route.peak_h
    inflow_h: dict[int, float] = defaultdict(float)
    for number, flow_h in flows_h.items():
        road = roads.roads[number]
        assert flow_h < MOST_H * road.pieces[-1].lanes
        inflow_h[road.end] += flow_h
    assert all(inflow_h[node] > 50 for node in roads.lights)
    # In the morning more drive into the centre than in the evening.
    centre = min(roads.lights, key=lambda node: sum(part**2 for part in roads.nodes[node]))

    def into(tide: float) -> float:
        turns = demand.turns(tide)
        return sum(flow for (before, _), flow in turns.items() if roads.roads[before].end == centre)

    assert into(1.0) > 1.02 * into(-1.0)


def test_two_crossings_next_to_each_other_are_one(city: City) -> None:
    """On a road of ten metres before a light nobody could change lanes: one by the wrong lane stood there for good."""
    roads = roads_of(city)
    arms = Counter(road.start for road in roads.roads)
    crossings = [road for road in roads.roads if min(arms[road.start], arms[road.end]) > 2 and road.rank != LOCAL]
    assert not [road for road in crossings if road.end in roads.lights and road.length_m < ONE_CROSSING_M]
    assert roads.within
    assert not roads.within & roads.along.keys()
    assert all(city.network.length_m[arc] < ONE_CROSSING_M for arc, _ in roads.within)
    assert set(roads.counters) == set(range(len(city.signals.detector_arc)))


def test_a_detector_within_a_crossing_counts_on_the_road_that_goes_on_from_there(city: City) -> None:
    """By where that road passes, not by where it happens to have a corner. Signals are put beside each stretch that
    lies within a crossing, and a detector on it: that of this seed has none there."""
    network, signals = city.network, city.signals
    ways = sorted({(arc, int(network.head[arc]), int(network.tail[arc])) for arc, _ in roads_of(city).within})
    node, at, on, spot = (
        each.copy() for each in (signals.node, signals.detector_junction, signals.detector_arc, signals.detector_xy)
    )
    for n, (arc, own, other) in enumerate(ways):
        node[n], at[n], on[n] = own, n, arc
        spot[n] = 0.75 * network.nodes[own] + 0.25 * network.nodes[other]
    moved = replace(signals, node=node, detector_junction=at, detector_arc=on, detector_xy=spot)
    roads = roads_of(replace(city, signals=moved))
    number_of = {piece.name: number for number, road in enumerate(roads.roads) for piece in road.pieces}
    meets: dict[int, set[int]] = defaultdict(set)
    for (arc, _), number in roads.along.items():
        meets[number] |= {int(network.tail[arc]), int(network.head[arc])}
    within = [(n, other) for n, (arc, own, other) in enumerate(ways) if (arc, own) in roads.within]
    assert len(within) > 10
    assert not [n for n, other in within if other not in meets[number_of[roads.counters[n].piece]]]


def test_the_same_seed_has_the_same_traffic(city: City) -> None:
    some = roads_of(city, range(6))
    assert demand_of(some, 3) == demand_of(some, 3) != demand_of(some, 4)


def test_what_is_kept_is_taken_only_as_it_was_made(
    city: City, folder: Path, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert town_in(folder, city.seed + 1) is None
    assert town_in(folder.parent, city.seed) is None
    assert network_file(folder) == town.scenario.network
    monkeypatch.setattr(made, "MADE", "another")
    assert town_in(folder, city.seed) is None


def test_without_the_program_that_makes_networks_there_is_no_town(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(sumotools, "import_module", missing)
    network_file(tmp_path).write_text("of before", "utf-8")
    with pytest.raises(TownFailed, match="eclipse-sumo"):
        make_town(city, tmp_path, [4])
    assert town_in(tmp_path, city.seed) is None
    assert not network_file(tmp_path).exists()
