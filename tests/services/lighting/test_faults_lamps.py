"""Faults of a lamp by itself: each is found, its look-alikes are not, and it is over when the lamp is well again."""

from __future__ import annotations

import pytest

from tests.services.lighting.town import NOON_US, Lamp, Town, row_of
from vigie.core.times import HOUR_US, MINUTE_US

EARLY_US = NOON_US - 5 * HOUR_US
"""Still dark, and day is coming."""


def town(count: int = 16, **said: object) -> Town:
    return Town(row_of(count), **said)  # pyright: ignore[reportArgumentType]


def by(made: Town, lamp: str) -> Lamp:
    return made.lamps[lamp]


def test_a_town_that_is_well_has_nothing_said_of_it() -> None:
    made = town(lost=0.05)
    made.run(6 * 60)
    assert made.told() == []


# Out.


def test_a_lamp_that_burns_by_its_word_and_draws_nothing_is_out_after_two_reports() -> None:
    made = town()
    made.run(60)
    by(made, "l03").power = 0.8
    made.run(16)
    assert made.open() == {}
    made.run(16)
    assert made.open() == {"lamp_out": ["l03"]}
    said = made.evidence("lamp_out")
    assert (said["power"], said["level"], said["expected_power"]) == (0.8, 100.0, 60.0)
    by(made, "l03").power = None
    made.run(35)
    assert made.open() == {}


def test_a_lamp_that_says_it_is_out_is_out_at_once_and_well_by_its_word() -> None:
    made = town()
    made.run(60)
    made.say("l03", fault="lamp")
    assert made.open() == {"lamp_out": ["l03"]}
    made.say("l03", fault="none")
    assert made.open() == {}


def test_a_lamp_that_takes_its_word_back_and_stays_dark_is_out_still() -> None:
    made = town()
    made.run(60)
    by(made, "l03").fault, by(made, "l03").power = "driver", 0.5
    made.run(40)
    by(made, "l03").fault = "none"
    made.run(60)
    assert made.open() == {"lamp_out": ["l03"]}
    assert made.told() == ["lamp_out l03"]


def test_a_lamp_that_is_dark_because_it_is_told_to_be_is_not_out() -> None:
    made = town()
    made.run(60)
    for lamp in made.lamps.values():
        lamp.level = 0.0
    made.run(120)
    assert made.open() == {}


def test_the_report_in_which_a_lamp_is_lit_says_nothing_of_its_power() -> None:
    made = town()
    made.run(60)
    for turn in range(8):
        lamp = by(made, "l03")
        lamp.level = 100.0 if turn % 2 else 0.0
        made.report(lamp, power=0.4)
        made.run(8)
    assert made.open() == {}


# Too little and too much.


@pytest.mark.parametrize(("factor", "condition"), [(0.8, "power_low"), (1.25, "power_high")])
def test_a_lamp_that_draws_otherwise_than_it_did_is_told_and_is_well_again(factor: float, condition: str) -> None:
    made = town(lost=0.05, seed=2)
    made.run(5 * 60)
    by(made, "l05").factor = factor
    made.run(75)
    assert made.open() == {condition: ["l05"]}
    by(made, "l05").factor = 1.0
    made.run(90)
    assert made.open() == {}


def test_a_kind_whose_curve_is_another_is_no_fault_and_what_parts_from_it_is() -> None:
    """A maker's curve that is a quarter above the plain one at a low level."""
    made = town()
    made.run(4 * 60)
    for lamp in made.lamps.values():
        lamp.level, lamp.factor = 30.0, 1.25
    made.run(6 * 60)
    assert made.open() == {}
    by(made, "l05").factor = 1.0
    made.run(75)
    assert made.open() == {"power_low": ["l05"]}


def test_a_lamp_that_was_always_a_little_off_is_its_own_measure() -> None:
    made = town()
    by(made, "l05").factor = 0.88
    made.run(6 * 60)
    assert made.open() == {}
    by(made, "l05").factor = 0.74
    made.run(60)
    assert made.open() == {"power_low": ["l05"]}


def test_an_order_to_another_level_is_held_against_that_level() -> None:
    made = town()
    made.run(5 * 60)
    for lamp in list(made.lamps.values())[:5]:
        lamp.level, lamp.control = 40.0, "order"
        made.report(lamp, power=60.0)
    made.run(3 * 60)
    assert made.open() == {}


def test_noise_is_no_fault() -> None:
    made = town()
    for _ in range(90):
        for lamp in made.lamps.values():
            lamp.factor = float(1 + 0.03 * made.dice.standard_normal())
        made.run(6, each_s=360)
    assert made.told() == []


def test_what_was_found_before_a_restart_is_not_learnt_as_usual() -> None:
    made = town()
    made.run(5 * 60)
    by(made, "l05").factor = 0.8
    made.run(60)
    made.restart()
    made.run(5 * 60)
    assert made.open() == {"power_low": ["l05"]}
    by(made, "l05").factor = 1.0
    made.run(60)
    assert made.open() == {}


def test_what_a_driver_draws_more_from_day_to_day_is_no_noise_in_which_it_hides() -> None:
    made = town(13)
    noise = [1 + 0.015 * made.dice.standard_normal(13) for _ in range(170)]
    for turn, each in enumerate(noise):
        for lamp, factor in zip(made.lamps.values(), each.tolist(), strict=True):
            lamp.factor = factor
        by(made, "l05").factor *= 1 + 0.15 * min(1.0, max(0.0, (turn - 65) / 90))
        made.at_us += 18 * HOUR_US if turn and turn % 24 == 0 else 0
        made.run(15, each_s=900)
    assert made.told() == ["power_high l05"]


# Too hot.


def test_a_driver_that_is_hotter_than_its_like_is_told() -> None:
    made = town()
    made.run(5 * 60)
    by(made, "l05").temperature = 45.0
    made.run(60)
    assert made.open() == {"driver_hot": ["l05"]}
    by(made, "l05").temperature = 25.0
    made.run(60)
    assert made.open() == {}


def test_a_driver_that_draws_more_and_is_hotter_for_it_has_one_condition_until_it_is_beyond_what_any_may_be() -> None:
    made = town()
    made.run(5 * 60)
    lamp = by(made, "l05")
    lamp.factor, lamp.temperature = 1.6, 45.0
    made.run(2 * 60)
    assert made.open() == {"power_high": ["l05"]}
    lamp.temperature = 96.0
    made.run(60)
    assert made.open() == {"power_high": ["l05"], "driver_hot": ["l05"]}


def test_a_warm_night_is_no_fault() -> None:
    made = town()
    for hour in range(8):
        for lamp in made.lamps.values():
            lamp.temperature = 25.0 + 5 * hour
        made.run(60)
    assert made.told() == []


# By day.


def test_a_lamp_that_burns_by_day_although_told_off_is_told() -> None:
    made = town(at_us=NOON_US)
    for lamp in made.lamps.values():
        lamp.level = 0.0
    by(made, "l05").power = 55.0
    made.run(40)
    assert made.open() == {"lamp_by_day": ["l05"]}
    by(made, "l05").power = None
    made.run(35)
    assert made.open() == {}


@pytest.mark.parametrize("control", ["order", "full_light", "local"])
def test_a_lamp_that_is_lit_by_day_on_purpose_is_no_fault(control: str) -> None:
    made = town(at_us=NOON_US)
    for lamp in made.lamps.values():
        lamp.level = 0.0
    by(made, "l05").level, by(made, "l05").control = 100.0, control
    made.run(120)
    assert made.open() == {}


def test_a_tunnel_burns_by_day() -> None:
    lamps = row_of(16)
    for lamp in lamps:
        lamp.level = 0.0
    lamps[5].level = 100.0
    lamps[5].attributes["lights"] = "tunnel"
    made = Town(lamps, at_us=NOON_US)
    made.run(120)
    assert made.open() == {}


def test_a_clock_that_is_hours_wrong_makes_no_day_of_a_night() -> None:
    made = town(at_us=NOON_US + 10 * HOUR_US)
    by(made, "l05").skew_us = -9 * HOUR_US
    made.run(120)
    assert made.told() == []


def test_a_report_of_the_night_that_comes_by_day_is_of_the_night() -> None:
    made = town(at_us=NOON_US)
    for lamp in made.lamps.values():
        lamp.skew_us = -8 * HOUR_US
    made.run(120)
    assert made.told() == []


# Cycling.


def test_a_lamp_that_starts_again_and_again_is_told_and_is_not_out_meanwhile() -> None:
    made = town()
    made.run(60)
    for turn in range(16):
        lamp = by(made, "l05")
        lamp.switch_ons += 1
        lamp.power = 0.5 if turn % 3 == 0 else None
        made.run(15)
    assert made.open() == {"lamp_cycling": ["l05"]}
    said = made.evidence("lamp_cycling")
    assert float(said["switch_ons_more"]) >= 4
    by(made, "l05").power = None
    made.run(30 * 60, each_s=900)
    assert "lamp_cycling" not in made.open()


def test_a_cabinet_whose_lamps_all_start_anew_has_no_cycling_lamps() -> None:
    made = town()
    made.run(60)
    for _ in range(8):
        for lamp in made.lamps.values():
            lamp.switch_ons += 1
        made.run(30)
    assert made.told() == []


def test_what_orders_light_is_no_cycling() -> None:
    made = town()
    made.run(60)
    for turn in range(12):
        lamp = by(made, "l05")
        lamp.control, lamp.level = "order", 100.0 if turn % 2 else 0.0
        lamp.switch_ons += turn % 2
        made.report(lamp)
        made.run(16)
    assert made.told() == []


def test_a_new_controller_counts_from_nothing() -> None:
    made = town()
    made.run(60)
    by(made, "l05").switch_ons = 4_000.0
    made.run(60)
    by(made, "l05").switch_ons = 0.0
    made.run(60)
    assert made.told() == []


def test_dusk_and_dawn_and_a_dark_hour_are_no_cycling() -> None:
    made = town(at_us=EARLY_US)
    for _ in range(3):
        for level in (0.0, 100.0, 0.0, 100.0):
            for lamp in made.lamps.values():
                lamp.level, lamp.switch_ons = level, lamp.switch_ons + (level > 0)
                made.report(lamp)
            made.run(4 * 60, each_s=600)
            made.at_us += MINUTE_US
    assert "lamp_cycling" not in made.open()
