"""Walkers: drawn from a seed over the pavements of a network, and counted as they wait at crossings."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from math import nan
from pathlib import Path

import pytest

from vigie.sim.traffic import run as running
from vigie.sim.traffic.netfile import Network, NetworkWrong, read_network
from vigie.sim.traffic.network import lights_of
from vigie.sim.traffic.run import Asked, run
from vigie.sim.traffic.scenario import read_scenario
from vigie.sim.traffic.walks import WALK_M_MAX, walks_of
from vigie.sim.traffic.world import World

WALKERS_H = 600


@pytest.fixture(scope="module")
def network(town: Path) -> Network:
    return read_network(town.with_name("town.net.xml"))


def test_the_same_seed_walks_the_same_ways(network: Network) -> None:
    walks = walks_of(network, WALKERS_H, 100, 3_700, 1)
    assert len(walks) == WALKERS_H
    assert walks == walks_of(network, WALKERS_H, 100, 3_700, 1) != walks_of(network, WALKERS_H, 100, 3_700, 2)
    departs = [each.depart_s for each in walks]
    assert departs == sorted(departs)
    assert 100 <= departs[0] < 110
    assert 3_690 < departs[-1] <= 3_700


def test_a_walk_goes_along_pavements_that_join_and_is_no_longer_than_people_walk(network: Network) -> None:
    meets: dict[str, set[str]] = {}
    for step in network.steps:
        road, other = (network.lanes[lane].edge for lane in step)
        # What lies between pavements belongs to a node, whose name it begins with.
        meets.setdefault(road, set()).add(other.split("_")[0])
        meets.setdefault(other, set()).add(road.split("_")[0])
    lengths_m = {lane.edge: lane.length_m for lane in network.lanes.values() if lane.name.endswith("_0")}
    for walk in walks_of(network, WALKERS_H, 0, 3_600, 3):
        assert len(walk.roads) > 1
        for road, after in pairwise(walk.roads):
            assert meets[road] & meets[after] or after in meets[road]
        assert sum(lengths_m[road] for road in walk.roads[1:]) <= WALK_M_MAX
        assert 0 <= walk.from_m <= lengths_m[walk.roads[0]]
        assert 0 <= walk.to_m <= lengths_m[walk.roads[-1]]


def test_each_metre_of_pavement_is_as_likely_to_be_set_out_from(network: Network) -> None:
    starts = Counter(walk.roads[0] for walk in walks_of(network, 4_000, 0, 3_600, 1))
    pavements = {network.lanes[lane] for step in network.steps for lane in step if not lane.startswith(":")}
    all_m = sum(each.length_m for each in pavements)
    # Pieces with turning lanes are short, and all others are long.
    short = {each.edge: each.length_m for each in pavements if each.length_m < 60}
    assert len(short) == 36
    assert sum(starts[road] for road in short) / 4_000 == pytest.approx(sum(short.values()) / all_m, rel=0.15)


def test_where_nobody_can_cross_it_is_said(network: Network) -> None:
    without = replace(network, steps=())
    with pytest.raises(NetworkWrong, match=r"netconvert .* --sidewalks\.guess --crossings\.guess"):
        walks_of(without, WALKERS_H, 0, 3_600, 1)
    assert walks_of(without, 0, 0, 3_600, 1) == []
    odd = {name: replace(lane, length_m=nan) for name, lane in network.lanes.items()}
    with pytest.raises(NetworkWrong, match="nobody can walk"):
        walks_of(replace(network, lanes=odd), WALKERS_H, 0, 3_600, 1)


@pytest.mark.parametrize("scale", [0.7, 1.2])
def test_all_who_walk_are_counted_however_many_drive(town: Path, scale: float) -> None:
    found = run(Asked(read_scenario(town, end_s=120), "plan", scale=scale, pedestrians=WALKERS_H), 101).outcome
    assert (found.walkers, found.walkers_left, found.unfinished, found.violations) == (20, 0, 0, 0)
    assert found.ped_mean_wait_s is not None
    assert found.ped_p95_wait_s is not None
    assert found.ped_max_wait_s is not None
    assert found.ped_delay_s is not None
    assert found.person_delay_s is not None
    # The plan has everybody's green within a cycle of 112 s; who walks far waits more than once.
    assert 0 < found.ped_mean_wait_s < found.ped_p95_wait_s
    assert found.ped_mean_wait_s < found.ped_delay_s
    assert 20 < found.ped_max_wait_s <= 112
    of_drivers = found.mean_delay_s * found.vehicles * 1.3
    of_all = (of_drivers + found.ped_delay_s * found.walkers) / (found.vehicles * 1.3 + found.walkers)
    assert found.person_delay_s == pytest.approx(of_all, abs=0.02)


def test_adaptive_control_keeps_nobody_at_a_crossing_for_long(town: Path) -> None:
    """Who asks is served, though control sees no walker and knows of no walk."""
    found = run(Asked(read_scenario(town, end_s=120), "adaptive", pedestrians=WALKERS_H), 101).outcome
    assert (found.walkers, found.walkers_left, found.unfinished, found.violations) == (20, 0, 0, 0)
    assert found.ped_max_wait_s is not None
    assert found.ped_max_wait_s < 80


def test_who_never_arrives_has_lost_what_he_stood(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SUMO says of a walk that never ended that it lost no time."""
    monkeypatch.setattr(running, "CAP_S", 0)
    found = run(Asked(read_scenario(town, end_s=60), "plan", pedestrians=WALKERS_H), 1).outcome
    assert found.walkers_left == found.walkers > 0
    assert found.ped_mean_wait_s == found.ped_delay_s
    assert (found.ped_delay_s or 0) > 0


def test_the_longest_wait_is_that_of_the_window(town: Path, network: Network, tmp_path: Path) -> None:
    lights, walks = lights_of(network), walks_of(network, WALKERS_H, 0, 60, 1)
    longest_s: list[float] = []
    for end_s in (round(walks[0].depart_s), 60):
        with World(read_scenario(town, end_s=end_s), lights, tmp_path, seed=1, walkers=walks) as world:
            for _ in range(120):
                world.step()
            longest_s.append(world.stood_s_max)
    assert longest_s[0] == 0 < longest_s[1]
