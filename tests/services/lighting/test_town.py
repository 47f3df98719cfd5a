"""The programmes of the demo, on its whole town: they stand up to their own checks, and its lamps keep them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests import metropolis
from vigie.core.arrays import ints
from vigie.core.calendar import Calendar, day_number
from vigie.core.drafts import Draft
from vigie.core.times import HOUR_US, MINUTE_US, start_of
from vigie.demo.town import on_demand, programmes
from vigie.services.lighting.ondemand import rules
from vigie.services.lighting.programmes.checks import check
from vigie.services.lighting.programmes.layers import Layer, stack
from vigie.services.lighting.programmes.moment import levels_at
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.park import Park
from vigie.sim.city import City
from vigie.sim.city.facts import COMMUNES
from vigie.sim.life.lamps import policy_level
from vigie.sim.life.sky import dark, local_hour

CALENDAR = Calendar(ZoneInfo("Europe/Paris"))
LAYERS = stack([Layer(str(n), each) for n, each in enumerate(programmes())])


@pytest.fixture(scope="module")
def city() -> City:
    return metropolis.city()


@pytest.fixture(scope="module")
def park(city: City) -> Park:
    made = metropolis.inventory()
    lamps: list[Draft] = [each for each in made if each.kind == "luminaire"]
    cabinets = {each.id: (n, each) for n, each in enumerate(made) if each.kind == "cabinet"}
    areas, streets = (sorted({getattr(each, name) for each in lamps}) for name in ("area", "street"))
    texts = {name: [str(each.attributes[name]) for each in lamps] for name in ("lighting_class", "lights", "category")}
    return Park(
        no=np.arange(len(lamps)),
        ids=[each.id for each in lamps],
        area=np.searchsorted(areas, [each.area for each in lamps]),
        street=np.searchsorted(streets, [each.street for each in lamps]),
        lon=np.array([each.lon for each in lamps]),
        lat=np.array([each.lat for each in lamps]),
        lighting_class=texts["lighting_class"],
        rated_w=np.array([float(each.attributes["rated_power"]) for each in lamps]),
        lights=texts["lights"],
        category=texts["category"],
        cabinet=np.array([cabinets[each.parent][0] for each in lamps]),
        areas=areas,
        streets=streets,
        rating_w={n: float(each.attributes["rating"]) * 230.0 for n, each in cabinets.values()},
    )


def test_some_lamps_light_crossings(park: Park) -> None:
    assert 113 < (park.lit_thing == "crossing").sum() < 1_000


def test_the_policies_of_the_communes_stand_up_to_their_checks(park: Park) -> None:
    nights = Nights(np.arange(day_number("2026-11-26"), day_number("2026-11-26") + 30), CALENDAR)
    for own, layer in enumerate(LAYERS):
        wrong = [each for each in check(park, LAYERS, own, nights) if each.refuses or not layer.programme.answer]
        assert wrong == [], layer.programme.name


def test_the_rules_of_light_on_demand_find_lamps_that_are_dimmed_and_only_those(park: Park) -> None:
    nights = Nights(np.arange(day_number("2026-11-26"), day_number("2027-11-26"), 60), CALENDAR)
    for rule in on_demand():
        wrong = [each for each in rules.check(rule, park, LAYERS, nights) if each.refuses or not rule.answer]
        assert wrong == [], rule.name


@pytest.mark.parametrize("day", ["2026-06-21", "2026-11-26"])
def test_the_simulated_lamps_keep_them(city: City, park: Park, day: str) -> None:
    """A minute of the town's dusk apart at most: the simulator has one sun for all."""
    commune = np.array(ints(city.lighting.commune))
    quiet = np.isin(city.lighting.arc, city.ways.arc).astype(np.int64)
    wrong_us = 0
    for at in range(start_of(day), start_of(day) + 24 * HOUR_US, 10 * MINUTE_US):
        hour = local_hour(at)
        policy = np.array([[dark(at) * policy_level(each.slug, hour, quiet=way) for each in COMMUNES]
                           for way in (False, True)])  # fmt: skip
        level, _ = levels_at(park, LAYERS, CALENDAR, at)
        if (level != policy[quiet, commune]).any():
            wrong_us += 10 * MINUTE_US
    assert wrong_us <= 10 * MINUTE_US
