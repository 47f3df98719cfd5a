"""Salting circuits called out: one order a circuit and night, and back where nobody has gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.services.roads.winter.skies import NOON_US, Town
from vigie.core.cases import MoveOn, Open, Opened
from vigie.core.service import Present
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US
from vigie.services.roads.orders import WORK_ORDER
from vigie.services.roads.rounds.circuits import Circuit, Stretch
from vigie.services.roads.winter.calling import called, source_of

EVENING_US = NOON_US + 9 * HOUR_US


def circuit(first: int, task: str = "salting", station: str = "") -> Circuit:
    return Circuit(f"Salage {first}", task, (Stretch("street-0"), Stretch(f"street-{first}")), station=station)  # type: ignore[arg-type]


PLANS = [("b", circuit(102)), ("a", circuit(101)), ("c", circuit(103, "sweeping"))]


def icy(town: Town, station: int, at_us: int, minutes: float = 90.0) -> None:
    town.open[station] = Present(station, at_us, {"ice": "likely", "ice_in_min": minutes})


def well(town: Town, station: int, at_us: int) -> None:
    town.open.pop(station, None)
    town.say(station, at_us, surface=6.0, temperature=7.0, humidity=60.0, rain=0.0)


def ask(town: Town, now_us: int, plans: list[tuple[str, Circuit]] = PLANS) -> list[Open | MoveOn]:
    """What is asked for, and done."""
    found = called(plans, town, town.cases, now_us)  # type: ignore[arg-type]
    for each in found:
        if isinstance(each, Open):
            name = f"case-{len(town.cases)}"
            case = Opened(name, WORK_ORDER, "open", each.source, each.assets, now_us, now_us, each.category)
            town.cases.append(case)
        elif isinstance(each, MoveOn):
            move(town, each.case, {"lapse": "cancelled", "reopen": "open"}[each.event], now_us)
    return found  # type: ignore[return-value]


def move(town: Town, case: str, state: str, at_us: int) -> None:
    town.cases = [replace(each, state=state, moved_us=at_us) if each.id == case else each for each in town.cases]


def test_ice_opens_an_order_for_each_salting_circuit_and_says_when_it_is_due() -> None:
    town = Town()
    assert ask(town, EVENING_US) == []
    icy(town, 1, EVENING_US)
    found = [each for each in ask(town, EVENING_US + MINUTE_US) if isinstance(each, Open)]
    assert [(each.source, each.assets, each.title, each.category, each.priority) for each in found] == [
        (source_of("a"), (101,), "Salage 101", "winter", 1), (source_of("b"), (102,), "Salage 102", "winter", 1),
    ]  # fmt: skip
    assert {each.due_us for each in found} == {EVENING_US + 90 * MINUTE_US}
    assert ask(town, EVENING_US + 2 * MINUTE_US) == []
    # Where it is icy already, nobody is there at once.
    there = Town()
    icy(there, 1, EVENING_US, 0.0)
    assert {each.due_us for each in ask(there, EVENING_US) if isinstance(each, Open)} == {EVENING_US + HOUR_US}


@pytest.mark.parametrize("state", ["assigned", "started", "done", "blocked"])
def test_nobody_is_called_twice_in_a_night(state: str) -> None:
    town = Town()
    icy(town, 1, EVENING_US)
    ask(town, EVENING_US)
    for case in [each.id for each in town.cases]:
        move(town, case, state, EVENING_US + HOUR_US)
    well(town, 1, EVENING_US + 2 * HOUR_US)
    assert ask(town, EVENING_US + 2 * HOUR_US) == []
    icy(town, 1, EVENING_US + 5 * HOUR_US)
    assert ask(town, EVENING_US + 5 * HOUR_US) == []
    # In the next night, if it is done with.
    next_us = EVENING_US + DAY_US
    assert len(ask(town, next_us)) == (2 if state == "done" else 0)


def test_what_nobody_has_begun_lapses_and_is_opened_again_when_ice_comes_back() -> None:
    town = Town()
    icy(town, 1, EVENING_US)
    ask(town, EVENING_US)
    town.open.clear()
    assert ask(town, EVENING_US + HOUR_US) == []  # the station says nothing: that is no all-clear
    well(town, 1, EVENING_US + HOUR_US)
    assert [each.event for each in ask(town, EVENING_US + HOUR_US) if isinstance(each, MoveOn)] == ["lapse"] * 2
    icy(town, 1, EVENING_US + 3 * HOUR_US)
    assert [each.event for each in ask(town, EVENING_US + 3 * HOUR_US) if isinstance(each, MoveOn)] == ["reopen"] * 2
    # What a person cancels while ice is told stays so.
    move(town, "case-0", "cancelled", EVENING_US + 4 * HOUR_US)
    assert ask(town, EVENING_US + 5 * HOUR_US) == []
    assert len(town.cases) == 2


def test_a_circuit_listens_to_the_nearest_station_or_to_the_one_that_it_names() -> None:
    town = Town(stations=3, apart_deg=0.05)
    for station in (1, 2, 3):
        well(town, station, EVENING_US)
    icy(town, 2, EVENING_US)
    plans = [("near", circuit(102)), ("other", circuit(101)), ("named", circuit(101, station="station-2")),
             ("gone", circuit(102, station="station-9")), ("far", circuit(104))]  # fmt: skip
    found = ask(town, EVENING_US, plans)
    assert [each.source for each in found if isinstance(each, Open)] == [source_of("named"), source_of("near")]
    # Kilometres away nobody knows.
    away = Town(streets=60, apart_deg=0.05)
    icy(away, 1, EVENING_US)
    assert ask(away, EVENING_US, [("far", circuit(150))]) == []
    assert len(ask(away, EVENING_US, [("near", circuit(103))])) == 1


def test_where_there_is_no_station_nothing_is_called() -> None:
    town = Town(stations=0)
    town.cases = [Opened("x", WORK_ORDER, "open", source_of("a"), (101,), EVENING_US, EVENING_US)]
    assert ask(town, EVENING_US) == []
