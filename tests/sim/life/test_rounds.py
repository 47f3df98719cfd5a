"""Vehicles on their circuits: what they drive and tell is what the post concludes from it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from vigie.core.observations import Int64s
from vigie.core.plans import Drawn, Known
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_us
from vigie.demo.rounds import documents
from vigie.services.air import WeatherStation
from vigie.services.roads import Vehicle
from vigie.services.roads.matching import network_of
from vigie.services.roads.rounds.circuits import CIRCUIT, TASKS, Circuit
from vigie.services.roads.rounds.driving import Driving, Positions
from vigie.services.roads.rounds.turns import Course, Progress, turns
from vigie.sim.city import City
from vigie.sim.city.facts import ZONE
from vigie.sim.city.frame import dice, to_degrees
from vigie.sim.city.inventory import AREAS, asset_id
from vigie.sim.city.inventory import ids as asset_ids
from vigie.sim.city.markets import held
from vigie.sim.city.rounds import LATE_S_MAX, TRADES, VEHICLE_TASKS, Planner
from vigie.sim.city.sectors import Ground
from vigie.sim.life.columns import Habits, Reports
from vigie.sim.life.rounds import COLD_C, RoundLife
from vigie.sim.life.sky import Sky

SWEEPING = TRADES[0]

# Five in the morning of a Tuesday in the town, when the first rounds begin.
FIVE_US = to_us(datetime(2026, 11, 24, 4, 0, tzinfo=UTC))


class Looking:
    """The streets of the city, as a check of plans is shown them."""

    def __init__(self, city: City) -> None:
        network = city.network
        lon, lat = to_degrees(network.xy).T
        ids = [asset_id("street", n) for n in range(len(network))]
        self.kinds, self._stations = [WeatherStation], asset_ids(WeatherStation.kind, len(city.weather.xy))
        self._drawn = Drawn(ids, network.commune, AREAS, network.rank == 0, network.start, lon, lat)

    def drawn(self) -> Drawn:
        """All of them."""
        return self._drawn

    def ids(self, _kind: object) -> list[str]:
        """The weather stations."""
        return list(self._stations)

    def plans(self, _kind: object) -> list[Any]:
        """None is in force."""
        return []


@pytest.fixture(scope="module")
def written(city: City) -> list[Circuit]:
    """The demo's circuits."""
    return documents(city)


def test_the_circuits_of_the_demo_are_found_right_but_for_ways_between_that_they_answer_for(
    city: City, written: list[Circuit]
) -> None:
    known = cast(Known, Looking(city))
    assert {each.task for each in written} == set(TASKS)
    assert len({each.name for each in written}) == len(written)
    for each in written:
        assert {found.rule for found in CIRCUIT.check(each, "", known)} <= {"roads.circuit_gap"}
        assert each.answer
        assert bool(each.hours) == (each.task != "salting")
    assert any(each.station for each in written)


def test_no_street_is_in_two_circuits_of_a_task(written: list[Circuit]) -> None:
    for task in TASKS:
        streets = [street.street for each in written if each.task == task for street in each.streets]
        assert len(streets) == len(set(streets))


def test_every_vehicle_has_a_round_or_a_crew_and_each_circuit_the_time_that_it_takes(city: City) -> None:
    rounds = city.rounds
    with_round = {each.vehicle for each in rounds.driven}
    assert with_round.isdisjoint(rounds.of_crew.tolist())
    assert with_round | set(rounds.of_crew.tolist()) == set(range(len(rounds.task)))
    for each in rounds.driven:
        assert np.isin(each.streets, each.arc).all()
        assert each.course.nodes[0] == each.course.nodes[-1] == rounds.home[each.vehicle]
        assert each.clock_s[-1] * each.laps < 10 * 3_600
        if each.trade is not None and each.begins_min is not None:
            assert each.clock_s[-1] + LATE_S_MAX < (each.ends_min - each.begins_min) * 60
            assert each.ends_min < 24 * 60
    for task in ("propreté", "collecte", "viabilité"):
        own = set(np.flatnonzero(rounds.task == VEHICLE_TASKS.index(task)).tolist()) - set(rounds.of_crew.tolist())
        assert own <= {each.vehicle for each in rounds.circuits}


def test_a_vehicle_for_which_no_street_is_left_has_no_round(city: City) -> None:
    ground = Ground(city.network)
    ground.streets_m[0] = 0.0
    planner = Planner(city.network, ground, city.rounds.home, dice(city.seed, "none left"))
    assert list(planner.patrols("voirie", 0, [0])) == list(planner.circuits(SWEEPING, 0, [0])) == []


def test_a_market_is_swept_after_it_on_its_days(city: City) -> None:
    swept = {arc: each for each in city.rounds.circuits if each.trade == SWEEPING for arc in each.streets.tolist()}
    found = [(days, swept[arc]) for arc, days in held(city.network).items() if arc in swept]
    assert found
    for days, each in found:
        assert set(days) <= set(each.days)
        assert each.begins_min is not None
        assert each.begins_min > 14 * 60


def test_the_same_hour_is_told_whether_it_is_lived_at_once_or_in_steps(city: City) -> None:
    until_us = FIVE_US + 3 * MINUTE_US

    def told(step_us: int) -> list[tuple[str, int, int, float]]:
        life, at_us = RoundLife(city, Sky(city.seed), Habits(), FIVE_US), FIVE_US
        rows: list[tuple[str, int, int, float]] = []
        while at_us < until_us:
            at_us += step_us
            for each in life.advance(at_us):
                columns = (each.index.tolist(), each.observed_us.tolist(), each.value.tolist())
                rows += [(each.point.name, *row) for row in zip(*columns, strict=True)]
        return sorted(rows)

    assert told(until_us - FIVE_US) == told(5 * SECOND_US)


def column(said: list[Reports], point: object, vehicle: int) -> Reports | None:
    """What a vehicle said of a point, if it said anything."""
    own = [each for each in said if each.point is point and vehicle in each.index]
    if not own:
        return None
    rows, value2 = own[0].index == vehicle, own[0].value2
    where = None if value2 is None else value2[rows]
    return Reports(own[0].kind, own[0].point, own[0].index[rows], own[0].observed_us[rows], own[0].value[rows], where)


def test_a_round_is_done_but_for_the_streets_in_which_something_stood(city: City, written: list[Circuit]) -> None:
    swept = [each for each in city.rounds.circuits if each.trade == SWEEPING]
    row, driven = next((n, each) for n, each in enumerate(swept) if each.begins_min == 300)
    document, until_us = written[row], FIVE_US + 4 * HOUR_US
    said = RoundLife(city, Sky(city.seed), Habits(), FIVE_US).advance(until_us)
    places, brush = (column(said, point, driven.vehicle) for point in (Vehicle.position, Vehicle.brush))
    assert places is not None
    assert places.value2 is not None
    assert brush is not None
    many = len(places)
    positions = Positions(
        np.full(many, 1), places.observed_us, places.value, places.value2,
        (brush.value.astype(np.uint8) << TASKS.index("sweeping")).astype(np.uint8), np.full(many, np.nan),
    )  # fmt: skip
    arcs = np.sort(driven.streets)
    lines = [to_degrees(city.network.line(int(arc))) for arc in arcs]
    start = np.append(0, np.cumsum([len(line) for line in lines]))
    corners = np.concatenate(lines)
    driving = Driving(network_of(corners[:, 0], corners[:, 1], start, np.zeros(len(arcs), np.bool_)))
    driving.fold(driving.past(positions, until_us))
    numbers: Int64s = np.arange(len(arcs))
    rows = {asset_id("street", int(arc)): n for n, arc in enumerate(arcs)}
    *_, turn = turns(document, until_us - DAY_US, until_us, ZoneInfo(ZONE))
    assert turn is not None
    assert turn.start_us == FIVE_US
    progress = Progress(document, Course.on(document, driving.cells, rows, numbers), turn)
    found = progress.now(driving.layers[progress.task])
    assert brush.value.mean() < 1, "something stood somewhere"
    assert 0.85 < found.done.mean() < 1


def test_who_salts_is_out_when_it_is_cold(city: City) -> None:
    sky = Sky(city.seed)
    salting = np.flatnonzero(city.rounds.task == VEHICLE_TASKS.index("viabilité")).tolist()
    days_us = FIVE_US + np.arange(60) * 24 * HOUR_US
    begun = days_us // (2 * HOUR_US) * (2 * HOUR_US)
    cold = sky.temperature_c(begun) <= COLD_C
    assert cold.any()
    assert not cold.all()
    for at_us, is_cold in ((int(begun[cold][0]), True), (int(begun[~cold][0]), False)):
        said = RoundLife(city, sky, Habits(), at_us).advance(at_us + 60 * SECOND_US)
        for vehicle in salting:
            dosage = column(said, Vehicle.dosage, vehicle)
            assert (dosage is not None) == is_cold
            assert dosage is None or (dosage.value <= 20).all()
            assert column(said, Vehicle.activity, vehicle) is not None
