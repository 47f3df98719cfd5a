"""A cold evening at a post: the alarm, the orders, and what the API says of both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.city.desk import Desk, desk
from tests.api.roads.test_rounds import AREA, ELSEWHERE, HERE, put_in_force
from tests.city import NOW_US
from vigie.core.drafts import Draft
from vigie.core.times import HOUR_US, MINUTE_US
from vigie.engine.cases import Case
from vigie.services.air import WeatherStation
from vigie.services.roads.orders import LIFE
from vigie.services.roads.rounds.circuits import Circuit, Stretch
from vigie.services.roads.winter.stations import ICE_RISK, LASTS_US, OVER_US
from vigie.store.past import DuckPast


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Two stations, one of them silent, and a circuit of each task."""
    stations = [
        Draft(key=name, id=name, kind="weather_station", name=name.title(), lon=lon, lat=47.35, area=AREA)
        for name, lon in (("meteo-1", 5.15), ("meteo-2", 5.16))
    ]
    with desk(tmp_path_factory.mktemp("winter"), stations) as made:
        put_in_force(made, "salt", Circuit("Salage est", "salting", (Stretch("street-1"),), area=AREA))
        put_in_force(made, "sweep", Circuit("Balayage est", "sweeping", (Stretch("street-1"),), area=AREA))
        made.engine.attributes.read(made.engine.registry.version)
        yield made


def look(town: Desk, after_us: int, **said: float | str) -> None:
    """The station says something, and the post looks at it so long after now."""
    town.report([("meteo-1", point, value, NOW_US + after_us) for point, value in said.items()])
    town.engine.sweep(NOW_US + after_us)
    town.engine.settle()


def orders(town: Desk) -> list[Case]:
    """The orders of winter service; lamps have their own."""
    return [each for each in town.engine.cases if each.category == "winter"]


def test_ice_raises_an_alarm_and_calls_the_salting_circuit_out_until_it_is_over(town: Desk) -> None:
    for after_us in (0, LASTS_US):
        look(town, after_us, surface=-1.2, temperature=0.4, humidity=88.0, surface_state="wet")
    look(town, LASTS_US + MINUTE_US)
    (condition,) = [each for each in town.engine.conditions if each.kind.name == "ice_risk"]
    assert condition.evidence == {
        "ice": "ice", "ice_cause": "black_ice", "surface": -1.2, "temperature": 0.4, "dew_point": -1.4,
        "humidity": 88.0, "ice_in_min": 0.0,
    }  # fmt: skip
    rounds = {each["id"]: each["called"] for each in town.ask(HERE, "roads/rounds").body["items"]}
    assert rounds["sweep"] is None
    assert rounds["salt"] is not None
    (order,) = orders(town)
    assert rounds["salt"] | {"due": ""} == {"case": order.id, "number": order.no, "state": "open", "due": ""}
    assert (order.title, order.area, order.source) == ("Salage est", AREA, "ice:salt")
    assert town.ask(HERE, "roads/rounds/salt").body["called"]["number"] == order.no
    look(town, LASTS_US + 2 * MINUTE_US, surface=6.0, temperature=7.0, surface_state="dry")
    for n in range(2):
        look(town, LASTS_US + 3 * MINUTE_US + (n + 1) * OVER_US, surface=6.0, temperature=7.0, surface_state="dry")
    assert town.engine.present(ICE_RISK) == []
    assert [(each.state, LIFE.allows(each.state, "archive")) for each in orders(town)] == [("cancelled", True)]
    assert town.ask(HERE, "roads/rounds/salt").body["called"] is None
    # Nobody has seen the alarm when it comes back: the same order is opened again.
    back_us = LASTS_US + 4 * OVER_US
    for after_us in (back_us, back_us + LASTS_US, back_us + LASTS_US + MINUTE_US):
        look(town, after_us, surface=-1.2, temperature=0.4, surface_state="wet")
    assert [(each.id, each.state) for each in orders(town)] == [(order.id, "open")]


def test_each_station_is_told_with_what_is_not_known(town: Desk) -> None:
    town.report([("meteo-1", "surface", -0.5, NOW_US), ("meteo-1", "surface_state", "ice", NOW_US)])
    first, second = town.ask(HERE, "roads/ice").body["items"]
    assert (first["station"], second["station"], second["name"]) == ("meteo-1", "meteo-2", "Meteo-2")
    assert (second["level"], second["speaks"], second["surface"], second["since"]) == ("not_known", False, None, None)
    assert first["speaks"] is True
    # A weather station is public: whoever has an account sees it.
    assert len(town.ask(ELSEWHERE, "roads/ice").body["items"]) == 2
    assert town.ask(None, "roads/ice").status == 401


def test_what_stations_said_before_a_start_is_read_from_history(town: Desk) -> None:
    now_us = NOW_US + 30 * HOUR_US
    said = [("meteo-2", "rain", 1.2, -4), ("meteo-2", "rain", 0.4, -2), ("meteo-2", "rain", 0.0, -1)]
    town.report([(name, point, value, now_us + hours * HOUR_US) for name, point, value, hours in said])
    town.engine.recall(DuckPast(town.observations, town.facts.point_numbers()), now_us)
    told = town.engine.recalled(WeatherStation, WeatherStation.rain)
    assert (told.observed_us - now_us).tolist() == [-2 * HOUR_US, -HOUR_US]
    assert told.value.tolist() == [0.4, 0.0]
    # Nothing recalls the air's own temperature.
    assert len(town.engine.recalled(WeatherStation, WeatherStation.temperature).value) == 0
