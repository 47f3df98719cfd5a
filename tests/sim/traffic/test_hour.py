"""An hour of the town written down: who sets out in it, in their order, and the same for the same seed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.sim.traffic.test_buses import NOON_S
from vigie.sim.traffic.hour import hour_of, plans_of, walkers_h
from vigie.sim.traffic.town import BUS, CAR, Town
from vigie.sim.traffic.xml import elements

# The streets of the whole city are made for these, beside two other workers.
pytestmark = pytest.mark.timeout(240)


def test_an_hour_has_the_vehicles_of_its_seed_and_the_legs_that_begin_in_it(
    streets: Town, streets_folder: Path
) -> None:
    scenario = hour_of(streets, streets_folder, NOON_S, 1)
    assert (scenario.begin_s, scenario.end_s, scenario.network) == (0, 3_600, streets.scenario.network)
    path = scenario.routes[-1]
    first = path.read_text("utf-8")
    vehicles = [dict(each) for each in elements(path, "vehicle")]
    departs_s = [float(each["depart"]) for each in vehicles]
    assert departs_s[0] >= 0
    assert all(one <= other for one, other in pairwise(departs_s))
    cars = [each for each in vehicles if each["type"] == CAR]
    assert 0.35 < len(cars) / sum(streets.rates_h) < 0.55, "at noon less than half of the peak"
    legs = {each["id"].rpartition(".")[0] for each in vehicles if each["type"] == BUS}
    expected = sum(2 * 3_600 / streets.service.lines[bus.line].round_s for bus in streets.service.buses)
    assert abs(len(legs) - expected) < 0.1 * expected
    hour_of(streets, streets_folder, NOON_S, 1)
    assert path.read_text("utf-8") == first
    assert set(plans_of(streets, NOON_S)) == {light.name for light in streets.lights}
    assert 200 < walkers_h(NOON_S) < 400
