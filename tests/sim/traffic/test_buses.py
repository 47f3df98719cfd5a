"""Buses on the roads of the town: they stop where their line does, keep to the timetable, and come back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from math import dist
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from vigie.services.roads import Bus
from vigie.sim.city import City
from vigie.sim.city.inventory import fleet_of
from vigie.sim.city.network import MOTORWAY
from vigie.sim.traffic import buses as driven
from vigie.sim.traffic.buses import TOLD_S, Buses
from vigie.sim.traffic.roads import arcs_between, arcs_of
from vigie.sim.traffic.shown import Driven
from vigie.sim.traffic.town import Town
from vigie.sim.traffic.world import World

# The streets of the whole city are made for these, beside two other workers.
pytestmark = pytest.mark.timeout(240)

NOON_S = int(datetime(2026, 11, 24, 12, 0, tzinfo=ZoneInfo("Europe/Paris")).timestamp())
NIGHT_S = NOON_S - 10 * 3_600


@pytest.fixture
def world(streets: Town, tmp_path: Path) -> Iterator[World]:
    """Streets on which nobody else drives, under the network's own programmes."""
    with World(streets.scenario, streets.lights, tmp_path, seed=1, endless=True) as world:
        yield world


def told(buses: Buses, world: World, from_s: int, seconds: int) -> list[Driven]:
    """All that is told in so many seconds."""
    found: list[Driven] = []
    for now_s in range(from_s, from_s + seconds):
        buses.step(now_s)
        world.step()
        found += buses.told(now_s)
    return found


def test_all_lines_that_stay_on_streets_are_driven_whole(city: City, streets: Town) -> None:
    between = arcs_between(city.network)
    fleet = fleet_of(city, Bus.kind)
    on_streets = {
        number
        for number in fleet.line.tolist()
        if all(city.network.rank[arc] != MOTORWAY for arc, _ in arcs_of(city.lines[number].course, between))
    }
    driven = {int(fleet.line[bus.number]): bus.line for bus in streets.service.buses}
    assert driven.keys() == on_streets
    assert len(streets.service.buses) == sum(line in on_streets for line in fleet.line.tolist())
    for number, line in driven.items():
        has = streets.service.lines[line]
        for leg in has.legs:
            halts = [halt for part in leg.parts for halt in part.halts]
            # The first stop is where it sets out.
            assert len(halts) == len(city.lines[number].stop_names) - 1
            assert all(halt.lane.rpartition("_")[0] in part.edges for part in leg.parts for halt in part.halts)
            assert all(20 < b - a < 120 for a, b in pairwise([leg.begins_s, *(halt.due_s for halt in halts)]))
            assert leg.begins_s < leg.ends_s < halts[-1].due_s < has.round_s


def test_buses_drive_and_stop_and_are_late_by_what_holds_them_up(streets: Town, world: World) -> None:
    buses = Buses(streets.service, world, 1, NOON_S)
    found = told(buses, world, NOON_S, 360)
    for number in {bus.number for bus in streets.service.buses}:
        own = [each for each in found if each.bus == number]
        places = [(each.east_m, each.north_m) for each in own]
        assert 360 // TOLD_S - 6 < len(own) <= 360 // TOLD_S
        assert max(dist(a, b) for a, b in pairwise(places)) < 20 * TOLD_S
        assert all(0 <= each.late_s < 400 for each in own)
    # Who is late waits for nothing but his passengers.
    assert sum(bus.sent for bus in buses.all) > len(buses.all)
    halted = [bus for bus in buses.all if bus.since_s is not None]
    assert 0 < len(halted) < len(buses.all) / 2


def test_one_that_sumo_has_lost_begins_its_next_leg(streets: Town, world: World) -> None:
    buses = Buses(streets.service, world, 1, NOON_S)
    told(buses, world, NOON_S, 20)
    bus = next(each for each in buses.all if each.name and each.part == len(each.way.parts) - 1)
    leg = bus.leg
    world.remove(bus.name)
    (said,) = (each for each in told(buses, world, NOON_S + 20, TOLD_S) if each.bus == bus.own.number)
    assert (bus.name, bus.leg) == ("", leg + 1)
    assert (said.east_m, said.north_m) == pytest.approx(bus.way.start[:2], abs=0.1)


def test_one_that_could_be_back_in_time_leaves_a_round_out(
    streets: Town, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    buses = Buses(streets.service, world, 1, NOON_S)
    told(buses, world, NOON_S, 2)
    bus = next(each for each in buses.all if each.name and each.part == len(each.way.parts) - 1)
    leg, round_s = bus.leg, bus.line.round_s
    late_s = bus.due_s(bus.way.ends_s) + 1.5 * round_s
    monkeypatch.setattr(driven, "served_now", lambda now_s: late_s)
    world.remove(bus.name)
    buses.step(NOON_S + 2)
    assert (bus.leg - leg) in (3, 5)
    assert late_s - bus.due_s(bus.way.begins_s) <= round_s


def test_by_night_they_wait_at_their_stops(streets: Town, world: World) -> None:
    buses = Buses(streets.service, world, 1, NIGHT_S)
    told(buses, world, NIGHT_S, 240)
    one, other = (sorted(told(buses, world, NIGHT_S + 240 + at, TOLD_S), key=lambda e: e.bus) for at in (0, TOLD_S))
    stood = sum((a.east_m, a.north_m) == (b.east_m, b.north_m) for a, b in zip(one, other, strict=True))
    assert stood > 0.95 * len(one)
