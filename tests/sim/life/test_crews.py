"""The vehicles of crews: at the order's place while it is worked on, and untracked when nobody has sent them."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from vigie.core.times import MINUTE_US, SECOND_US
from vigie.services.roads import Vehicle
from vigie.sim.city import City
from vigie.sim.city.frame import Floats, to_degrees, to_metres
from vigie.sim.city.network import LOCAL, MOTORWAY
from vigie.sim.city.routes import Router
from vigie.sim.city.sectors import UNSERVED
from vigie.sim.life.columns import Habits, Reports
from vigie.sim.life.crews import SPEED_M_S, CrewLife
from vigie.sim.life.rounds import DRIVING, PARKED, WORKING

CREW = 5
LONGEST_MIN = 60


def places(said: list[Reports]) -> Floats:
    """Where it was, in metres."""
    told = [(each.value, each.value2) for each in said if each.point is Vehicle.position]
    return to_metres(
        [(lon, lat) for lons, lats in told if lats is not None for lon, lat in zip(lons, lats, strict=True)]
    )


def activity(said: list[Reports], vehicle: int) -> float:
    """What it was doing last."""
    return float(next(e for e in said if e.point is Vehicle.activity and e.index[0] == vehicle).value[-1])


def work(city: City) -> list[tuple[float, float]]:
    """Places beside small streets all over the town."""
    network = city.network
    arcs = np.flatnonzero(network.rank == LOCAL)[::1_700]
    return [(lon, lat) for lon, lat in to_degrees(network.along(arcs, network.length_m[arcs] * 0.4)[0] + 4.0).tolist()]


def driven(city: City, start_us: int) -> list[list[Reports]]:
    """What a crew's vehicle says minute by minute: from one work to the next, and home."""
    life, told = CrewLife(city, Habits(), start_us), list[list[Reports]]()
    for lon, lat in work(city)[:3]:
        for minute in range(LONGEST_MIN):
            if life.send(CREW, lon, lat):
                assert minute
                break
            told.append(life.advance(life.now_us + MINUTE_US))
        told.append(life.advance(life.now_us + MINUTE_US))
        near_m = np.hypot(*(places(told[-1]) - to_metres([(lon, lat)])).T)
        assert near_m.max() < 40
        assert activity(told[-1], int(life.vehicles[CREW])) == WORKING
    life.home(CREW)
    told.append(life.advance(life.now_us + LONGEST_MIN * MINUTE_US))
    home = city.network.nodes[city.rounds.home[life.vehicles[CREW]]]
    assert np.hypot(*(places(told[-1])[-1] - home)) < 2 * SPEED_M_S * 10
    assert activity(told[-1], int(life.vehicles[CREW])) == PARKED
    told.append(life.advance(life.now_us + MINUTE_US))
    assert not any(each.point is Vehicle.position for each in told[-1])
    return told


def test_a_crew_drives_to_its_work_and_stands_there_and_comes_home(city: City, afternoon_us: int) -> None:
    told = driven(city, afternoon_us)
    went = places([each for said in told for each in said])
    # It never jumps: not when it is sent on, nor while it turns.
    assert np.hypot(*np.diff(went, axis=0).T).max() < 10 * SPEED_M_S + 8
    again = driven(city, afternoon_us)
    for one, other in zip(told, again, strict=True):
        assert [each.value.tolist() for each in one] == [each.value.tolist() for each in other]


def test_who_is_sent_elsewhere_on_the_way_turns_where_the_street_ends(city: City, afternoon_us: int) -> None:
    life, (first, second, *_) = CrewLife(city, Habits(mover_s=1.0), afternoon_us), work(city)
    said = list[Reports]()
    for place in (first, second, first):
        assert not life.send(CREW, *place)
        said += life.advance(life.now_us + 47 * SECOND_US)
        assert activity(said, int(life.vehicles[CREW])) == DRIVING
    assert np.hypot(*np.diff(places(said), axis=0).T).max() < SPEED_M_S + 8


def test_nobody_is_followed_who_was_sent_nowhere(city: City, afternoon_us: int) -> None:
    life = CrewLife(city, Habits(), afternoon_us)
    said = life.advance(afternoon_us + 5 * MINUTE_US)
    assert {each.point for each in said} == {Vehicle.activity}
    assert {int(each.index[0]) for each in said} == set(city.rounds.of_crew.tolist())
    assert sum(len(each) for each in said) == pytest.approx(6 * len(life.vehicles), abs=len(life.vehicles))


def test_who_is_there_is_so_for_that_place_alone(city: City, afternoon_us: int) -> None:
    life, (first, second, *_) = CrewLife(city, Habits(), afternoon_us), work(city)
    life.send(CREW, *first)
    life.advance(afternoon_us + LONGEST_MIN * MINUTE_US)
    assert life.send(CREW, *first)
    assert not life.send(CREW, *second), "what was moved elsewhere is not worked on where it was"


def on_motorway_m(city: City, way: list[tuple[int, int]]) -> float:
    """How much of a way is on the motorway."""
    arcs = np.array([arc for _, arc in way])
    return float(city.network.length_m[arcs[city.network.rank[arcs] == MOTORWAY]].sum())


def test_no_crew_drives_on_the_motorway_where_that_is_the_fastest_way(city: City, afternoon_us: int) -> None:
    network = city.network
    motorway = np.flatnonzero(network.rank == MOTORWAY)
    crossed = np.intersect1d(Router(network, UNSERVED).nodes, network.tail[motorway])
    first, *others = crossed.tolist()
    every = Router(network)
    ends = [first, max(others, key=lambda each: on_motorway_m(city, every.way(first, each)))]
    assert on_motorway_m(city, every.way(ends[0], ends[1])) > 1_000
    life, said = CrewLife(city, Habits(), afternoon_us), list[Reports]()
    for lon, lat in to_degrees(network.nodes[ends]).tolist():
        life.send(CREW, lon, lat)
        said = life.advance(life.now_us + LONGEST_MIN * MINUTE_US)
        assert life.send(CREW, lon, lat)
    lines = shapely.multilinestrings([shapely.linestrings(network.line(int(arc))) for arc in motorway])
    # Where it stood at last counts once; others cross the motorway on the level. It keeps to its side of a street.
    went = np.unique(places(said), axis=0)
    assert (shapely.distance(lines, shapely.points(went)) < 8).mean() < 0.05
