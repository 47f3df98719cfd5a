"""Circuits and cabinets: one alarm for one outage, its causes ranked, and silence that is normal left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.lighting.town import EVENING_US, NOON_US, Lamp, Town, row_of
from vigie.core.times import HOUR_US, SECOND_US
from vigie.services.lighting.faults.causes import Cause, Signs, rank
from vigie.services.lighting.guards import supply_is_on

SWEEP_S = 30.0


def two_circuits(**said: object) -> Town:
    """Two circuits of one cabinet that is always on, and a cabinet beside it that goes on speaking."""
    lamps = [*row_of(8), *row_of(8, circuit=2, first=8), *row_of(6, "c2", first=16)]
    return Town(lamps, {"c1": "permanent", "c2": "permanent"}, **said)  # pyright: ignore[reportArgumentType]


def lose(made: Town, lamps: list[Lamp], *, breaths: int | None = None) -> None:
    """Lamps lose their supply; so many of them say so with their last breath."""
    for place, lamp in enumerate(lamps):
        lamp.silent = True
        if breaths is None or place < breaths:
            made.say(lamp.id, fault="supply", level=0.0, power=0.0)


def come_back(made: Town, lamps: list[Lamp]) -> None:
    for lamp in lamps:
        lamp.silent = False
        made.report(lamp)


def of(made: Town, cabinet: str, circuit: float | None = None) -> list[Lamp]:
    return [
        lamp
        for lamp in made.lamps.values()
        if lamp.cabinet == cabinet and circuit in (None, lamp.attributes["circuit"])
    ]


# A circuit.


def test_a_circuit_that_breathes_its_last_is_one_alarm_within_half_a_minute() -> None:
    made = two_circuits()
    made.run(60)
    lose(made, of(made, "c1", 2.0))
    made.run(0.5, each_s=SWEEP_S)
    assert made.open() == {"circuit_lost": ["c1"]}
    said = made.evidence("circuit_lost")
    assert (said["circuit"], said["lamps"]) == ("2", 8)
    assert str(said["first_lamps"]).startswith("l08, l09")
    made.run(5 * 60)
    assert made.told() == ["circuit_lost c1"], "nor is any of its lamps blamed later"
    come_back(made, of(made, "c1", 2.0))
    made.run(10)
    assert made.open() == {}
    made.run(60)
    assert made.told() == ["circuit_lost c1", "clear"]


def test_a_few_last_breaths_are_enough() -> None:
    made = two_circuits()
    made.run(60)
    lose(made, of(made, "c1", 2.0), breaths=3)
    made.run(0.5, each_s=SWEEP_S)
    assert made.open() == {"circuit_lost": ["c1"]}
    assert made.evidence("circuit_lost")["lamps"] == 8


def test_a_circuit_that_goes_without_a_word_is_known_by_the_reports_that_are_missing() -> None:
    made = two_circuits()
    made.run(60)
    lose(made, of(made, "c1", 2.0), breaths=0)
    made.run(50)
    assert made.open() == {"circuit_lost": ["c1"]}
    made.run(4 * 60)
    assert made.told() == ["circuit_lost c1"]


def test_a_part_of_a_circuit_that_is_cut_off_is_told_as_a_part() -> None:
    made = two_circuits()
    made.run(60)
    lose(made, of(made, "c1", 2.0)[4:], breaths=0)
    made.run(70)
    assert made.open() == {"circuit_lost": ["c1"]}
    said = made.evidence("circuit_lost")
    assert (said["circuit"], said["lamps"]) == ("2", 4)
    assert {said["cause_1"], said["cause_2"]} == {"cut", "theft"}
    made.run(4 * 60)
    assert made.told() == ["circuit_lost c1"]


def test_a_lamp_that_is_silent_for_long_makes_no_circuit_lost_of_a_few_reports_that_are_late() -> None:
    made = two_circuits()
    made.run(60)
    of(made, "c1", 2.0)[0].silent = True
    made.run(125)
    for lamp in of(made, "c1", 2.0)[1:]:
        made.report(lamp)
    for lamp in of(made, "c1", 2.0)[1:]:
        lamp.silent = True
    made.run(22)
    assert made.open() == {"lamp_silent": ["l08"]}


def test_lamps_of_an_outage_that_is_over_have_the_time_of_a_report_to_come_back() -> None:
    made = two_circuits()
    made.run(60)
    lose(made, of(made, "c1", 2.0))
    made.run(10 * 60)
    come_back(made, of(made, "c1", 2.0)[:7])
    made.run(30)
    assert made.open() == {}
    made.run(2 * 60)
    assert made.open() == {"lamp_silent": ["l15"]}


def test_two_lamps_that_are_gone_are_two_silent_lamps() -> None:
    made = two_circuits()
    made.run(60)
    lose(made, of(made, "c1", 2.0)[:2])
    made.run(100)
    assert made.open() == {}
    made.run(60)
    assert made.open() == {"lamp_silent": ["l08", "l09"]}
    assert made.evidence("lamp_silent")["last_word"] == "supply"
    come_back(made, of(made, "c1", 2.0)[:2])
    made.run(40)
    assert made.open() == {}


def test_circuits_that_are_lost_one_after_the_other_are_one_alarm() -> None:
    made = two_circuits()
    made.run(60)
    lose(made, of(made, "c1", 2.0))
    made.run(10)
    lose(made, of(made, "c1", 1.0))
    made.run(3 * 60)
    assert made.told() == ["circuit_lost c1"]


def test_an_outage_is_known_after_a_restart_and_ends_then() -> None:
    made = two_circuits()
    made.run(60)
    lose(made, of(made, "c1", 2.0))
    made.run(5)
    made.restart()
    made.run(4 * 60)
    assert made.told() == ["circuit_lost c1"]
    come_back(made, of(made, "c1", 2.0))
    made.run(10)
    assert made.open() == {}


# A cabinet.


def test_a_cabinet_that_says_it_has_no_supply_is_one_alarm_at_once() -> None:
    made = two_circuits()
    made.run(60)
    made.words["c1"]["supply"] = "lost"
    made.say("c1", supply="lost")
    assert made.told() == ["supply_lost c1"]
    lose(made, of(made, "c1"))
    made.mute.add("c1")
    made.run(5 * 60)
    assert made.told() == ["supply_lost c1"]
    made.mute.clear()
    made.words["c1"]["supply"] = "on"
    come_back(made, of(made, "c1"))
    made.run(60)
    assert made.open() == {}


def test_a_cabinet_whose_lamps_speak_before_it_does_is_one_alarm_too() -> None:
    made = two_circuits()
    made.run(60)
    lose(made, of(made, "c1"))
    made.run(0.5, each_s=SWEEP_S)
    assert made.told() == ["circuit_lost c1"]
    assert made.evidence("circuit_lost")["circuit"] == "all"
    made.words["c1"]["supply"] = "lost"
    made.say("c1", supply="lost")
    made.run(3 * 60)
    assert made.told() == ["circuit_lost c1"]


def test_a_gateway_that_is_gone_makes_no_lamp_silent_and_no_circuit_lost() -> None:
    made = two_circuits()
    made.run(60)
    made.mute |= {"c1", "c2"}
    for lamp in made.lamps.values():
        lamp.silent = True
    made.run(6 * 60)
    assert made.told() == []
    made.mute.clear()
    for lamp in made.lamps.values():
        lamp.silent = False
    made.run(60)
    assert made.told() == []


def test_a_cabinet_that_is_silent_with_all_its_lamps_is_one_alarm_while_its_gateway_lives() -> None:
    made = two_circuits()
    made.run(60)
    made.mute.add("c1")
    lose(made, of(made, "c1"), breaths=0)
    made.run(4 * 60)
    assert made.told() == ["circuit_lost c1"]
    assert made.evidence("circuit_lost")["cause_1"] == "supply"


# Contacts.


@pytest.mark.parametrize(("contact", "cause"), [("breaker", "breaker"), ("residual_current", "residual_current")])
def test_a_contact_that_has_tripped_is_told_within_a_minute_and_names_the_cause(contact: str, cause: str) -> None:
    made = two_circuits()
    made.run(60)
    made.words["c1"][contact] = "tripped"
    made.say("c1", **{contact: "tripped"})
    lose(made, of(made, "c1", 1.0))
    made.run(1, each_s=SWEEP_S)
    said = made.evidence("circuit_lost")
    assert (made.open(), said["cause_1"]) == ({"circuit_lost": ["c1"]}, cause)
    assert float(said["cause_1_confidence"]) >= 80
    made.run(60)
    come_back(made, of(made, "c1", 1.0))
    made.run(30)
    assert made.open() == {"circuit_lost": ["c1"]}, "as long as the contact says so"
    made.words["c1"][contact] = "closed"
    made.run(30)
    assert made.open() == {}


def test_a_contact_that_trips_while_no_lamp_says_anything_is_told_too() -> None:
    made = two_circuits()
    made.run(60)
    made.words["c1"]["breaker"] = "tripped"
    made.say("c1", breaker="tripped")
    made.run(1, each_s=SWEEP_S)
    assert made.evidence("circuit_lost")["circuit"] == "unknown"


def test_the_hour_the_rain_the_door_and_the_current_rank_the_causes() -> None:
    night = Signs(breaker=False, residual_current=False, contactor=False, current_gone=True, night=True)
    assert rank(night)[0].cause in (Cause.CUT, Cause.THEFT)
    theft = rank(Signs(False, False, False, door_open=True, current_gone=True, night=True))[0]
    assert (theft.cause, theft.because) == (Cause.THEFT, "night_current_door")
    dry, wet = (rank(Signs(night=True, rain=rain)) for rain in (False, True))
    share = {each.cause: each.confidence for each in dry}[Cause.RESIDUAL_CURRENT]
    assert {each.cause: each.confidence for each in wet}[Cause.RESIDUAL_CURRENT] > share
    assert rank(Signs(residual_current=True, rain=True, whole=True))[0].because == "residual_current_after_rain"
    assert rank(Signs(contactor=True, whole=True))[0].cause is Cause.CONTACTOR
    assert rank(Signs(supply_lost=True, whole=True))[0].cause is Cause.SUPPLY


@given(st.builds(Signs))
@settings(max_examples=50)
def test_causes_are_always_ranked_and_each_is_there_once(signs: Signs) -> None:
    found = rank(signs)
    assert [each.confidence for each in found] == sorted((each.confidence for each in found), reverse=True)
    assert len({each.cause for each in found}) == len(found) >= 1
    assert sum(each.confidence for each in found) <= 103


# Switched at the cabinet.


def switched(**said: object) -> Town:
    lamps = [*row_of(8), *row_of(8, "c2", first=8)]
    return Town(lamps, {"c1": "switched", "c2": "switched"}, **said)  # pyright: ignore[reportArgumentType]


def switch(made: Town, cabinet: str, on: bool, *, told: bool = True, breaths: bool = True) -> None:
    """A cabinet's contactor closes, or opens. told: whether the cabinet's word for it arrives at once."""
    words = {"supply": "on" if on else "off", "contactor": "closed" if on else "open", "current": 10.0 if on else 0.0}
    lamps = of(made, cabinet)
    if not on:
        for lamp in lamps:
            lamp.silent = True
            if breaths:
                made.say(lamp.id, fault="supply", level=0.0, power=0.0)
    made.words[cabinet] |= words
    if told:
        made.say(cabinet, **words)
    if on:
        come_back(made, lamps)


def test_lamps_of_a_cabinet_that_is_off_are_neither_silent_nor_lost() -> None:
    made = switched()
    made.run(60)
    for cabinet in ("c1", "c2"):
        switch(made, cabinet, on=False)
    made.at_us = NOON_US + 24 * HOUR_US
    made.run(8 * 60)
    assert made.told() == []
    made.at_us = EVENING_US + 24 * HOUR_US
    for cabinet in ("c1", "c2"):
        switch(made, cabinet, on=True)
    made.run(3 * 60)
    assert made.told() == []


@settings(max_examples=8)
@given(
    lost=st.sampled_from([0.0, 0.05, 0.3]),
    told=st.booleans(),
    breaths=st.booleans(),
    seed=st.integers(0, 1_000),
    hours=st.integers(1, 5),
    restart=st.booleans(),
)
def test_no_fault_from_silence_while_a_switched_circuit_is_off(
    lost: float, told: bool, breaths: bool, seed: int, hours: int, restart: bool
) -> None:
    made = switched(lost=lost, seed=seed)
    made.run(45)
    for cabinet in ("c1", "c2"):
        switch(made, cabinet, on=False, told=told, breaths=breaths)
    made.run(20, each_s=60)
    if restart:
        made.restart()
    made.run(hours * 60)
    assert made.told() == []


def test_a_circuit_that_does_not_come_on_with_its_cabinet_is_lost() -> None:
    made = switched()
    made.run(30)
    for cabinet in ("c1", "c2"):
        switch(made, cabinet, on=False)
    made.run(60)
    switch(made, "c2", on=True)
    made.words["c1"] |= {"supply": "on", "contactor": "closed"}
    made.say("c1", supply="on", contactor="closed")
    made.run(60)
    assert made.open() == {"circuit_lost": ["c1"]}


def test_a_lamp_of_a_switched_circuit_is_silent_while_its_cabinet_is_on() -> None:
    made = switched()
    made.run(30)
    of(made, "c1")[3].silent = True
    made.run(3 * 60)
    assert made.open() == {"lamp_silent": ["l03"]}


def test_a_lamp_whose_clock_is_ahead_is_told_for_its_clock_and_is_not_silent() -> None:
    made = switched()
    made.run(30)
    lamp = of(made, "c1")[3]
    lamp.silent = True

    def speaks_of_the_future() -> None:
        made.say_too_early(lamp, by_us=2 * HOUR_US)

    for _ in range(4 * 4):
        speaks_of_the_future()
        made.run(15)
    assert made.open() == {"lamp_clock": ["l03"]}
    assert made.evidence("lamp_clock")["clock_ahead"] == 7_200
    # Its clock is set: what it says is taken again.
    lamp.silent = False
    made.run(90)
    assert made.open() == {"lamp_clock": ["l03"]}
    made.run(60)
    assert made.open() == {}
    # And what was ahead and falls silent is silent in the end.
    lamp.silent = True
    speaks_of_the_future()
    made.run(3 * 60)
    assert made.open() == {"lamp_clock": ["l03"], "lamp_silent": ["l03"]}


def test_an_order_by_day_to_a_circuit_that_is_off_is_refused_because_it_has_no_supply() -> None:
    made = switched()
    made.run(30)
    lamps = np.array([made.engine.registry.numbers[lamp.id] for lamp in made.lamps.values()])
    assert [refused.any() for refused, _ in supply_is_on({}, lamps, made.engine, made.at_us)] == [False]
    switch(made, "c1", on=False, breaths=False)
    made.run(20)
    ((refused, why),) = supply_is_on({}, lamps, made.engine, made.at_us)
    assert (refused.tolist(), why.rule) == ([True] * 8 + [False] * 8, "lighting.supply_off")
    switch(made, "c1", on=True, told=False)
    ((refused, _),) = supply_is_on({}, lamps, made.engine, made.at_us)
    assert not refused.any(), "a lamp that is heard has supply, whatever its cabinet has not said yet"


# Photocells, clocks and contactors of whole cabinets.


def street(count: int = 6, *, at_us: int = EVENING_US) -> Town:
    """Some switched cabinets of one part of the town."""
    names = [f"c{n}" for n in range(count)]
    lamps = [lamp for n, name in enumerate(names) for lamp in row_of(5, name, first=5 * n)]
    return Town(lamps, dict.fromkeys(names, "switched"), at_us=at_us)


def all_off(made: Town) -> None:
    for cabinet in made.cabinets:
        switch(made, cabinet, on=False)


def test_a_cabinet_that_is_lit_by_day_as_a_whole_is_one_condition_and_not_one_of_each_lamp() -> None:
    made = street(at_us=NOON_US - HOUR_US)
    made.run(20)
    all_off(made)
    made.run(20)
    switch(made, "c2", on=True)
    made.run(2 * 60)
    assert made.told() == ["photocell_stuck c2"]
    assert made.evidence("photocell_stuck")["state"] == "lit_by_day"
    switch(made, "c2", on=False)
    made.run(60)
    assert made.open() == {}


def test_a_cabinet_that_crews_have_lit_by_day_is_no_fault() -> None:
    made = street(at_us=NOON_US - HOUR_US)
    made.run(20)
    all_off(made)
    made.words["c2"]["door"] = "open"
    made.say("c2", door="open")
    switch(made, "c2", on=True)
    made.run(90)
    assert made.open() == {"door_open": ["c2"]}


def test_a_cabinet_that_does_not_come_on_with_its_neighbours_is_stuck() -> None:
    made = street()
    made.run(20)
    made.at_us = EVENING_US + 20 * HOUR_US
    all_off(made)
    made.run(2 * 60 + 10)
    assert made.told() == []
    for cabinet in ("c0", "c1", "c3", "c4", "c5"):
        switch(made, cabinet, on=True)
    made.run(70)
    assert made.open() == {"photocell_stuck": ["c2"]}
    assert made.evidence("photocell_stuck")["state"] == "dark_by_night"
    switch(made, "c2", on=True)
    made.run(60)
    assert made.open() == {}


def test_a_commune_that_is_dark_after_midnight_has_no_stuck_cabinets() -> None:
    made = street()
    made.run(4 * 60)
    all_off(made)
    made.run(4 * 60)
    assert made.told() == []


def test_a_contactor_that_opens_in_the_night_is_a_lost_circuit() -> None:
    made = street()
    made.run(2 * 60)
    made.at_us = NOON_US + 24 * HOUR_US
    all_off(made)
    made.run(30)
    made.at_us = EVENING_US + 23 * HOUR_US
    for cabinet in made.cabinets:
        switch(made, cabinet, on=True)
    made.run(90)
    assert made.told() == []
    switch(made, "c2", on=False)
    made.run(20)
    assert made.open() == {"circuit_lost": ["c2"]}
    said = made.evidence("circuit_lost")
    assert (made.open(), said["circuit"], said["cause_1"]) == ({"circuit_lost": ["c2"]}, "all", "contactor")
    switch(made, "c2", on=True)
    made.run(30)
    assert made.open() == {}


def evening() -> Town:
    """The street on the first evening that the post sees, lit for two hours."""
    all_off(made := street(at_us=EVENING_US - 4 * HOUR_US))
    made.run(90)
    for each in made.cabinets:
        switch(made, each, on=True)
    made.run(2 * 60)
    return made


def test_a_contactor_that_opens_alone_in_the_evening_is_told_within_a_minute() -> None:
    made = evening()
    assert made.told() == []
    switch(made, "c2", on=False)
    made.run(1, each_s=SWEEP_S)
    assert (made.open(), made.evidence("circuit_lost")["cause_1"]) == ({"circuit_lost": ["c2"]}, "contactor")
    switch(made, "c2", on=True)
    made.run(30)
    assert not made.open()


@pytest.mark.parametrize("others", [("c3",), ("c0", "c1", "c3", "c4", "c5")])
def test_contactors_that_open_together_may_be_a_programme(others: tuple[str, ...]) -> None:
    made = evening()
    switch(made, "c2", on=False)
    made.at_us += 10 * SECOND_US
    for cabinet in others:
        switch(made, cabinet, on=False)
    made.run(60)
    assert made.told() == []


# Places.


def places() -> Town:
    """A street of four lamps, a crossing of two lamps in another, and a third street."""
    lamps = row_of(16)
    for place, lamp in enumerate(lamps):
        lamp.attributes |= {"street": "Rue Courte" if place < 4 else "Rue Longue", "lights": "road"}
    for lamp in lamps[6:8]:
        lamp.attributes["lights"] = "crossing"
    lamps[12].attributes["lights"] = "school_route"
    return Town(lamps)


def darken(made: Town, *lamps: str) -> None:
    for lamp in lamps:
        made.lamps[lamp].fault, made.lamps[lamp].power = "lamp", 0.5
        made.say(lamp, fault="lamp")


def test_a_crossing_is_dark_when_all_its_lamps_are() -> None:
    made = places()
    made.run(40)
    darken(made, "l06")
    made.run(30)
    assert made.open() == {"lamp_out": ["l06"]}
    darken(made, "l07")
    made.run(1, each_s=SWEEP_S)
    assert made.open() == {"lamp_out": ["l06", "l07"], "crossing_dark": ["l06"]}
    assert made.evidence("crossing_dark")["first_lamps"] == "l06, l07"
    made.lamps["l06"].fault, made.lamps["l06"].power = "none", None
    made.run(60)
    assert made.open() == {"lamp_out": ["l07"]}


def test_a_school_route_and_a_whole_street_are_alarms() -> None:
    made = places()
    made.run(40)
    darken(made, "l12", "l00", "l01", "l02")
    made.run(10)
    assert set(made.open()) == {"lamp_out", "school_route_dark"}
    darken(made, "l03")
    made.run(10)
    assert made.open()["street_dark"] == ["l00"]


def test_a_place_is_not_dark_by_day() -> None:
    made = places()
    made.at_us = NOON_US
    for lamp in made.lamps.values():
        lamp.level = 0.0
    darken(made, "l12")
    made.run(40)
    assert made.open() == {"lamp_out": ["l12"]}


def test_a_street_that_is_switched_off_is_not_dark_for_one_lamp_that_is_out() -> None:
    made = switched()
    made.run(30)
    darken(made, "l00", "l03", "l06")
    for cabinet in ("c1", "c2"):
        switch(made, cabinet, on=False)
    made.run(2 * 60)
    assert set(made.open()) == {"lamp_out"}
    for cabinet in ("c1", "c2"):
        switch(made, cabinet, on=True)
    made.run(60)
    assert set(made.open()) == {"lamp_out"}


def test_silence_is_no_darkness() -> None:
    made = places()
    made.run(40)
    made.lamps["l12"].silent = True
    made.run(4 * 60)
    assert made.open() == {"lamp_silent": ["l12"]}


def test_places_that_are_dark_with_their_circuit_are_told_with_it() -> None:
    made = places()
    made.run(40)
    lose(made, list(made.lamps.values()))
    made.run(60)
    assert made.told() == ["circuit_lost c1"]
    said = made.evidence("circuit_lost")
    assert (said["dark_crossing"], said["dark_street"]) == ("Rue Longue", "Rue Courte, Rue Longue")
