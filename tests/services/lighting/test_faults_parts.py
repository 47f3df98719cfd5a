"""Parts of circuits that fall silent, last breaths of whole cabinets, and switched cabinets that go off by night: what
is enough to tell, and that accidents of radio are not."""

from __future__ import annotations

from math import ceil, comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.lighting.test_faults_circuits import come_back, evening, lose, of, street, switch
from tests.services.lighting.town import EVENING_US, HOUR_US, NOON_US, Town, row_of
from vigie.core.times import DAY_US, MINUTE_US
from vigie.services.lighting.faults.reports import REPORT_US
from vigie.services.lighting.faults.supply import (
    BREATHS_MIN,
    BREATHS_US,
    CIRCUIT_LAMPS_MIN,
    PART_APART_US,
    PART_EACH,
    PART_MISSED,
)

LAMPS, A_YEAR = 34_000, 365 * DAY_US // REPORT_US


def long_circuit(count: int = 24, **said: float) -> Town:
    """One circuit, and a cabinet beside it that goes on speaking."""
    return Town([*row_of(count), *row_of(6, "c2", first=count)], {"c1": "permanent", "c2": "permanent"}, **said)  # pyright: ignore[reportArgumentType]


# How rare accidents are.


def false_parts(size: int, lost: float) -> float:
    """How many parts of circuits of a size a city would take for lost in a year, by lost reports alone."""
    apart = PART_APART_US / REPORT_US
    total = 0.0
    for lamps in range(CIRCUIT_LAMPS_MIN, size + 1):
        each = max(PART_EACH, ceil(PART_MISSED / lamps))
        total += comb(size - 1, lamps - 1) * apart ** (lamps - 1) * lost ** (lamps * each)
    return LAMPS * A_YEAR * total


@pytest.mark.parametrize(("size", "lost", "most"), [(24, 0.05, 0.006), (24, 0.07, 0.4), (100, 0.05, 0.5)])
def test_a_part_that_is_not_lost_is_told_less_than_once_a_year_of_a_city(size: int, lost: float, most: float) -> None:
    assert false_parts(size, lost) < most < 1


def test_three_last_breaths_by_accident_are_one_in_centuries_and_three_of_a_lost_cabinet_are_heard() -> None:
    fuses_a_day, size = 0.001, 60
    others = comb(size - 1, BREATHS_MIN - 1) * (fuses_a_day * BREATHS_US / DAY_US) ** (BREATHS_MIN - 1)
    assert LAMPS * fuses_a_day * others * 365 < 1 / 500
    heard = 0.2 * 0.95
    too_few = sum(comb(size, n) * heard**n * (1 - heard) ** (size - n) for n in range(BREATHS_MIN))
    assert too_few < 0.0005


# Parts of a circuit.


def test_four_lamps_of_a_long_circuit_are_a_part_of_it_after_three_reports() -> None:
    made = long_circuit()
    made.run(60)
    lose(made, of(made, "c1")[20:], breaths=0)
    made.run(66)
    assert made.told() == ["circuit_lost c1"]
    said = made.evidence("circuit_lost")
    assert (said["lamps"], said["circuit"], said["first_lamps"]) == (4, "1", "l20, l21, l22, l23")
    assert {said["cause_1"], said["cause_2"]} == {"cut", "theft"}
    made.run(4 * 60)
    assert made.told() == ["circuit_lost c1"]
    come_back(made, of(made, "c1")[20:])
    made.run(20)
    assert made.open() == {}


def test_three_lamps_of_a_long_circuit_are_a_part_of_it_after_four_reports() -> None:
    made = long_circuit()
    made.run(60)
    lose(made, of(made, "c1")[21:], breaths=0)
    made.run(45)
    assert made.told() == []
    made.run(30)
    assert made.told() == ["circuit_lost c1"]
    assert made.evidence("circuit_lost")["lamps"] == 3
    made.run(3 * 60)
    assert made.told() == ["circuit_lost c1"]


def test_a_lamp_of_the_part_whose_last_report_was_lost_is_of_it_too() -> None:
    made = long_circuit()
    made.run(60)
    part = of(made, "c1")[21:]
    part[0].silent = True
    made.run(14)
    lose(made, part, breaths=0)
    made.run(85)
    assert made.told() == ["circuit_lost c1"]
    made.run(3 * 60)
    assert made.told() == ["circuit_lost c1"]


@settings(max_examples=4)
@given(lamps=st.integers(3, 12), seed=st.integers(0, 1_000), breaths=st.integers(0, 2))
def test_of_lamps_that_are_lost_together_none_is_said_to_be_silent_by_itself(
    lamps: int, seed: int, breaths: int
) -> None:
    made = long_circuit(14, seed=seed)
    made.run(45)
    part = of(made, "c1")[14 - lamps :]
    for lamp in part:
        lamp.silent = made.dice.random() < 0.15  # Its last report is lost.
    made.run(13)
    lose(made, part, breaths=breaths)
    made.run(4 * 60, each_s=150)
    assert made.told() == ["circuit_lost c1"]


def test_lamps_that_fall_silent_one_by_one_are_silent_lamps() -> None:
    made = long_circuit()
    made.run(60)
    for lamp in of(made, "c1")[20:]:
        lamp.silent = True
        made.run(35)
    made.run(3 * 60)
    assert made.open() == {"lamp_silent": ["l20", "l21", "l22", "l23"]}


# Last breaths.


def cabinet(circuits: int, lamps: int, switching: str) -> Town:
    """Cabinet c0 with some circuits, and five neighbours of one part of the town."""
    rows = [lamp for n in range(circuits) for lamp in row_of(lamps, "c0", circuit=n + 1, first=n * lamps)]
    first = circuits * lamps
    rows += [lamp for n in range(5) for lamp in row_of(2, f"c{n + 1}", first=first + 2 * n)]
    return Town(rows, {f"c{n}": switching for n in range(6)}, at_us=EVENING_US)


def breathe(made: Town, heard: list[str]) -> None:
    """All lamps of c0 lose their supply, the cabinet says nothing of it, and some breaths are heard."""
    for lamp in of(made, "c0"):
        lamp.silent = True
    for id in heard:
        made.say(id, fault="supply", level=0.0, power=0.0)


def test_a_breath_of_each_of_three_circuits_is_the_loss_of_the_cabinet() -> None:
    made = cabinet(3, 16, "permanent")
    made.run(60)
    breathe(made, ["l03", "l20", "l40"])
    made.run(0.5, each_s=30)
    assert made.told() == ["circuit_lost c0"]
    assert (made.evidence("circuit_lost")["lamps"], made.evidence("circuit_lost")["circuit"]) == (48, "all")
    made.words["c0"]["supply"] = "lost"
    made.run(3 * 60)
    assert made.told() == ["circuit_lost c0"], "the word that comes later is of the same loss"


def test_two_breaths_are_two_fuses() -> None:
    made = cabinet(3, 16, "permanent")
    made.run(60)
    for id in ("l03", "l20"):
        made.lamps[id].silent = True
        made.say(id, fault="supply", level=0.0, power=0.0)
    made.run(100)
    assert made.told() == []


def test_a_switched_cabinet_whose_lamps_breathe_their_last_alone_in_the_evening_is_lost() -> None:
    made = cabinet(2, 8, "switched")
    made.at_us -= 4 * HOUR_US
    made.run(2 * 60)
    made.at_us = EVENING_US
    made.run(20)
    breathe(made, ["l01", "l04", "l12"])
    made.run(1, each_s=30)
    assert made.told() == ["circuit_lost c0"]
    assert made.evidence("circuit_lost")["lamps"] == 16


def test_lamps_of_all_switched_cabinets_that_breathe_their_last_are_switched_off() -> None:
    made = evening()
    for each in made.cabinets:
        switch(made, each, on=False, told=False)
    made.run(10, each_s=30)
    for each in made.cabinets:
        made.say(each, **made.words[each])
    made.run(60)
    assert made.told() == []


# Switched cabinets that go off late in the night.


def second_night(*, off_at_min: int | None = None) -> Town:
    """The street two hours before midnight of its second night. off_at_min: c2 goes off by itself in the first, so long
    after that hour, and stays so until the next evening."""
    made = street(at_us=EVENING_US)
    made.run(180)
    if off_at_min is not None:
        made.run(off_at_min)
        switch(made, "c2", on=False)
        made.run(180 - off_at_min)
    else:
        made.run(180)
    made.at_us = NOON_US + DAY_US
    for each in made.cabinets:
        switch(made, each, on=False)
    made.run(20)
    made.at_us = EVENING_US + DAY_US - MINUTE_US
    for each in made.cabinets:
        switch(made, each, on=True)
    made.run(181)
    return made


def test_a_contactor_that_opens_alone_late_in_the_night_is_told_within_a_minute_if_it_was_lit_then_before() -> None:
    made = second_night()
    assert made.told() == []
    switch(made, "c2", on=False)
    made.run(1, each_s=30)
    assert made.told() == ["circuit_lost c2"]
    assert made.evidence("circuit_lost")["cause_1"] == "contactor"


def test_a_cabinet_that_goes_off_at_the_same_hour_each_night_is_no_fault() -> None:
    made = second_night(off_at_min=8)
    told = made.told()
    made.run(8)
    switch(made, "c2", on=False)
    made.run(90)
    assert made.told() == told


def test_a_cabinet_whose_word_that_it_is_on_again_is_lost_is_no_fault() -> None:
    made = second_night()
    for each in made.cabinets:
        switch(made, each, on=False)
    made.run(60)
    for each in made.cabinets:
        if each != "c2":
            switch(made, each, on=True)
    made.run(1, each_s=30)
    switch(made, "c2", on=True, told=False)
    made.run(60)
    assert made.told() == []


# What is not of the lamp itself.


def test_a_lamp_whose_clock_is_behind_burns_by_day_with_its_cabinet_and_not_by_itself() -> None:
    made = street(at_us=NOON_US - HOUR_US)
    made.run(20)
    for each in made.cabinets:
        switch(made, each, on=False)
    of(made, "c2")[1].skew_us = -90 * MINUTE_US
    made.run(20)
    switch(made, "c2", on=True)
    made.run(100)
    assert made.told() == ["photocell_stuck c2"]


def test_a_lamp_that_comes_back_after_days_has_counted_its_nights_and_is_not_cycling() -> None:
    made = long_circuit(8)
    made.run(60)
    away = of(made, "c1")[3]
    away.silent = True
    for _ in range(5):
        for lamp in made.lamps.values():
            lamp.switch_ons += 1
        made.run(24 * 60, each_s=3_600)
    away.silent = False
    made.report(away)
    made.run(60)
    assert "lamp_cycling l03" not in made.told()
