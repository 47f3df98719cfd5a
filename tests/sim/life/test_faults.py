"""What breaks shows in what lamps and cabinets say as its description has it, and nothing else does."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.metropolis import small
from tests.sim.life.street import EVENING_US, NOON_US, Street, some_cabinets
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from vigie.services.lighting.kinds import Cabinet, Luminaire
from vigie.sim.city import City
from vigie.sim.life import Life
from vigie.sim.life.columns import DAY
from vigie.sim.life.faults import LOSSES, NATURES, TYPES, Fault, Faults, Type, Wear, possible
from vigie.sim.life.lamps import SUPPLY
from vigie.sim.life.sky import Sky, dark
from vigie.sim.life.state import State, rhythm
from vigie.sim.life.trials import SHARES, cabinet_of, shown, throw, unseen

ALWAYS = (0, NOON_US + 30 * DAY_US)
SWITCHED, PERMANENT = 0, 1
NONE = Luminaire.fault.code("none")


@pytest.fixture(scope="module")
def few(city: City) -> City:
    """Six switched and six permanent cabinets."""
    return small(city, some_cabinets(city))


@pytest.fixture(scope="module")
def sound(few: City) -> Street:
    """The same evening when nothing is broken."""
    return Street.of(few, EVENING_US).until(EVENING_US + 2 * HOUR_US)


def lamp_of(few: City, *, led: bool, cabinet: int | None = None) -> int:
    lighting = few.lighting
    good = (lighting.lamp == 0) == led
    return int(np.flatnonzero(good if cabinet is None else good & (lighting.cabinet == cabinet))[0])


def evening(few: City, *faults: Fault) -> Street:
    return Street.of(few, EVENING_US, *faults).until(EVENING_US + 2 * HOUR_US)


def of_lamp(what: Type, lamp: int, size: float = 1.0, dice: float = 0.0, from_us: int = 0) -> Fault:
    return Fault(what, lamp, from_us, ALWAYS[1], size=size, dice=dice)


def test_a_part_of_the_leds_is_out_and_the_level_goes_on(few: City, sound: Street) -> None:
    lamp = lamp_of(few, led=True)
    street = evening(few, of_lamp(Type.STRING, lamp, 0.6))
    assert street.lamp("level", lamp) == sound.lamp("level", lamp) == [100.0] * len(sound.lamp("level", lamp))
    assert np.mean(street.lamp("power", lamp)) == pytest.approx(0.6 * np.mean(sound.lamp("power", lamp)), rel=0.01)
    assert set(street.lamp("fault", lamp)) == {NONE}
    other = lamp + 1
    assert street.lamp("power", other) == sound.lamp("power", other)


def test_gear_that_drifts_draws_more_and_more(few: City, sound: Street) -> None:
    lamp = lamp_of(few, led=False)
    grown = evening(few, of_lamp(Type.DRIFT, lamp, 1.4, 0.1))
    assert np.mean(grown.lamp("power", lamp)) == pytest.approx(1.4 * np.mean(sound.lamp("power", lamp)), rel=0.01)
    begun = evening(few, of_lamp(Type.DRIFT, lamp, 1.4, 0.5, EVENING_US - 18 * HOUR_US))
    assert np.mean(begun.lamp("power", lamp)) == pytest.approx(1.21 * np.mean(sound.lamp("power", lamp)), rel=0.02)
    assert grown.lamp("level", lamp) == sound.lamp("level", lamp)


def test_hot_gear_is_warmer_by_so_much_at_full_light_and_gives_less_where_it_is_too_warm(
    few: City, sound: Street
) -> None:
    lamp = lamp_of(few, led=True)
    share = np.mean(sound.lamp("power", lamp)) / few.lighting.power_w[lamp]
    warm = np.mean(evening(few, of_lamp(Type.HEAT, lamp, 30.0)).lamp("driver_temperature", lamp))
    assert warm - np.mean(sound.lamp("driver_temperature", lamp)) == pytest.approx(30 * share, abs=0.5)
    scorched = evening(few, of_lamp(Type.HEAT, lamp, 95.0))
    assert np.mean(scorched.lamp("power", lamp)) < 0.95 * np.mean(sound.lamp("power", lamp))


def test_a_dead_lamp_draws_next_to_nothing_and_says_so_or_goes_on_as_told(few: City) -> None:
    said, silent, lamp = 5, 6, 7
    street = evening(
        few, of_lamp(Type.SAID, said, 2.5), of_lamp(Type.DEAD, silent, 2.5), of_lamp(Type.SAID, lamp, 2.5, 0.8)
    )
    assert {street.lamp("fault", each)[0] for each in (said, silent, lamp)} == {
        Luminaire.fault.code("lamp"), NONE, Luminaire.fault.code("driver"),
    }  # fmt: skip
    assert set(street.lamp("level", said)) == {0.0}
    assert set(street.lamp("level", silent)) == {100.0}
    for each in (said, silent):
        assert np.mean(street.lamp("power", each)) == pytest.approx(2.5, rel=0.03)
        assert len(set(street.lamp("burning", each))) == len(set(street.lamp("switch_ons", each))) == 1


def test_a_lamp_whose_radio_is_dead_says_nothing_and_is_metered_all_the_same(few: City, sound: Street) -> None:
    lamp = 9
    street = evening(few, of_lamp(Type.SILENT, lamp))
    assert street.lamp("level", lamp) == []
    cabinet = int(few.lighting.cabinet[lamp])
    assert street.cabinet("power", cabinet) == sound.cabinet("power", cabinet)


@pytest.mark.parametrize("dice", [0.05, 0.4])
def test_a_lamp_that_cycles_counts_each_start_and_the_time_it_was_lit(few: City, dice: float) -> None:
    lamp = lamp_of(few, led=False)
    fault = of_lamp(Type.CYCLING, lamp, 0.6, dice, EVENING_US + 10 * MINUTE_US)
    street = Street.of(few, EVENING_US, fault).until(EVENING_US + 6 * HOUR_US)
    period_us, on_us = (int(each[0]) for each in rhythm(Faults.of_labels([fault])))
    assert 4 * MINUTE_US <= period_us <= 3 * HOUR_US
    since_us = EVENING_US + 20 * MINUTE_US
    starts, hours = street.lamp("switch_ons", lamp, since_us), street.lamp("burning", lamp, since_us)
    heard_us = [at_us for at_us, _ in street.lamps["burning", lamp] if at_us >= since_us]
    took_us = heard_us[-1] - heard_us[0]
    assert starts[-1] - starts[0] == pytest.approx(took_us / period_us, abs=1)
    assert (hours[-1] - hours[0]) * HOUR_US == pytest.approx(took_us * on_us / period_us, abs=on_us + MINUTE_US)
    assert set(street.lamp("level", lamp)) <= {100.0, 70.0}
    watts = np.array(street.lamp("power", lamp, since_us))
    assert 0.25 < (watts > 5).mean() < 0.95


def test_a_welded_relay_feeds_a_lamp_that_is_told_off(few: City) -> None:
    lamp = lamp_of(few, led=True, cabinet=PERMANENT)
    street = Street.of(few, NOON_US, of_lamp(Type.BY_DAY, lamp, 0.5)).until(NOON_US + 3 * HOUR_US)
    assert set(street.lamp("level", lamp)) == {0.0}
    watts = few.lighting.power_w[lamp]
    assert np.mean(street.lamp("power", lamp)) == pytest.approx(0.5 * watts, rel=0.1)
    hours = street.lamp("burning", lamp)
    assert hours[-1] - hours[0] > 2
    street.until(NOON_US + 7 * HOUR_US)
    assert len(set(street.lamp("switch_ons", lamp))) == 1, "it was never put out"


def lamps_at(few: City, cabinet: int, circuit: int = 0) -> list[int]:
    own = few.lighting.cabinet == cabinet
    return np.flatnonzero(own & ((few.lighting.circuit == circuit) if circuit else True)).tolist()


def test_a_photocell_that_is_stuck_lights_all_by_day(few: City) -> None:
    faults = [Fault(Type.PHOTOCELL_LIT, each, *ALWAYS) for each in (SWITCHED, PERMANENT)]
    street = Street.of(few, NOON_US, *faults).until(NOON_US + HOUR_US)
    for cabinet in (SWITCHED, PERMANENT):
        assert set(street.cabinet("supply", cabinet)) == {"on"}
        assert set(street.cabinet("contactor", cabinet)) == {"closed"}
        assert {street.lamp("level", each)[-1] for each in lamps_at(few, cabinet)} == {100.0}
    assert set(street.cabinet("supply", 2)) == {"off"}


def test_a_photocell_that_is_stuck_keeps_all_dark_by_night(few: City) -> None:
    faults = [Fault(Type.PHOTOCELL_DARK, each, *ALWAYS) for each in (SWITCHED, PERMANENT)]
    street = Street.of(few, EVENING_US, *faults).until(EVENING_US + HOUR_US)
    assert set(street.cabinet("supply", SWITCHED)) == {"off"}
    assert set(street.cabinet("contactor", SWITCHED)) == {"open"}
    soon_us = EVENING_US + MINUTE_US
    assert not any(street.lamp("level", each, soon_us) for each in lamps_at(few, SWITCHED))
    assert {street.lamp("level", each, soon_us)[-1] for each in lamps_at(few, PERMANENT)} == {0.0}
    assert set(street.cabinet("supply", PERMANENT)) == {"on"}


CONTACTS: dict[Type, dict[str, str]] = {
    Type.BREAKER: {"breaker": "tripped"},
    Type.RESIDUAL: {"residual_current": "tripped"},
    Type.CONTACTOR: {"contactor": "open", "supply": "off"},
    Type.SUPPLY: {"supply": "lost"},
    Type.CUT: {},
    Type.THEFT: {},
}
WELL = {
    "breaker": "closed", "residual_current": "closed", "contactor": "closed", "supply": "on", "door": "closed",
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(LOSSES))
def test_a_loss_reads_as_what_was_lost(few: City, sound: Street, what: Type) -> None:
    one = what in (Type.BREAKER, Type.CUT, Type.THEFT)
    begins_us = EVENING_US + 30 * MINUTE_US
    fault = Fault(what, SWITCHED, begins_us, ALWAYS[1], 2 if one else 0, size=0.4, dice=0.9)
    street = evening(few, fault)
    later_us = begins_us + 25 * MINUTE_US
    for point, name in (WELL | CONTACTS[what]).items():
        wanted = set() if (what, point) == (Type.SUPPLY, "contactor") else {name}
        assert set(street.cabinet(point, SWITCHED, later_us)) == wanted, point
        assert set(street.cabinet(point, SWITCHED)) - {name} <= {WELL[point]}
    own = lamps_at(few, SWITCHED, 2 if one else 0)
    lost = [each for each in own if street.life.fault[each] == SUPPLY]
    if what in (Type.CUT, Type.THEFT):
        assert len(own) * 0.55 < len(lost) < len(own) * 0.7, "the lamps before the cut go on"
    else:
        assert lost == own
    breaths = [each for each in lost if street.lamp("fault", each)[-1] == SUPPLY]
    assert 0.1 < len(breaths) / len(lost) <= 1
    told_us = [at_us for each in breaths for at_us, value in street.lamps["fault", each] if value == SUPPLY]
    assert max(told_us) - begins_us < 90 * SECOND_US
    assert not any(street.lamp("level", each, begins_us + 2 * MINUTE_US) for each in lost)
    others = [each for each in range(len(few.lighting.cabinet)) if each not in lost]
    assert all(street.life.fault[each] == NONE for each in others)
    share = street.cabinet("current", SWITCHED)[-1] / sound.cabinet("current", SWITCHED)[-1]  # type: ignore[operator]
    rated = few.lighting.power_w
    fed = 1 - rated[lost].sum() / rated[lamps_at(few, SWITCHED)].sum()
    assert share == pytest.approx(fed, abs=0.05)
    assert len(others) + len(lost) == len(few.lighting.cabinet)


def test_a_digger_mostly_trips_the_breaker_and_a_thief_may_leave_the_door_open(few: City) -> None:
    cut = Fault(Type.CUT, PERMANENT, EVENING_US, ALWAYS[1], 1, size=0.6, dice=0.2)
    theft = Fault(Type.THEFT, PERMANENT + 2, EVENING_US, ALWAYS[1], 1, size=0.0, dice=0.2)
    street = evening(few, cut, theft)
    assert set(street.cabinet("breaker", PERMANENT, EVENING_US + 5 * MINUTE_US)) == {"tripped"}
    assert all(street.life.fault[each] == SUPPLY for each in lamps_at(few, PERMANENT, 1))
    assert "open" in street.cabinet("door", PERMANENT + 2)
    assert set(street.cabinet("door", PERMANENT + 2, EVENING_US + 21 * MINUTE_US)) == {"closed"}
    assert set(street.cabinet("breaker", PERMANENT + 2)) == {"closed"}


def test_a_supply_that_returns_lights_its_lamps_again_and_they_say_so(few: City) -> None:
    fault = Fault(Type.SUPPLY, PERMANENT, EVENING_US + 10 * MINUTE_US, EVENING_US + 40 * MINUTE_US)
    street = evening(few, fault)
    lamps = lamps_at(few, PERMANENT)
    back_us = EVENING_US + 42 * MINUTE_US
    assert all(street.lamp("level", each, back_us - MINUTE_US)[0] == 100.0 for each in lamps)
    assert street.cabinet("supply", PERMANENT)[-1] == "on"
    starts = [street.lamp("switch_ons", each) for each in lamps]
    assert all(each[-1] - each[0] == 1 for each in starts)
    said = [street.lamp("fault", each, EVENING_US + 12 * MINUTE_US)[0] for each in lamps]
    assert set(said) == {NONE}, "whoever is dark is silent"


def test_a_meter_shows_its_lamps_its_own_need_and_what_cables_lose_as_wrong_as_its_class_allows(few: City) -> None:
    street = Street.of(few, NOON_US).until(NOON_US + 8 * HOUR_US)
    own_w = np.bincount(few.lighting.cabinet, street.life.power_w(), 12)
    shown_w = np.array([street.cabinet("power", each)[-1] for each in range(12)], float)
    assert (shown_w > own_w * 0.98).all()
    assert (shown_w < (own_w * 1.03 + 20) * 1.02).all()
    assert (shown_w < own_w * 1.005).any(), "a meter may show less than there is"
    amperes = np.array([street.cabinet("current", each)[-1] for each in range(12)], float)
    assert (amperes * 230 > own_w * 0.95).all()
    assert (amperes * 230 < own_w * 1.35 + 5).all()
    by_day = [street.cabinet("power", each)[0] for each in (SWITCHED, 2, 4)]
    assert all(3 <= float(each) <= 17 for each in by_day)
    assert {street.cabinet("current", each)[0] for each in (SWITCHED, 2)} == {0.0}
    for each in range(12):
        hours = np.diff([at_us for at_us, _ in street.cabinets["energy", each]]) / HOUR_US
        watts = np.array([value for _, value in street.cabinets["power", each]])
        kwh = [value for _, value in street.cabinets["energy", each]]
        assert kwh[-1] - kwh[0] == pytest.approx((hours * (watts[:-1] + watts[1:]) / 2).sum() / 1_000, abs=0.35)


def test_what_somebody_draws_from_a_cabinet_is_in_its_meter_while_it_feeds_and_in_no_lamp(few: City) -> None:
    tap = Fault(Type.TAP, PERMANENT, EVENING_US + 10 * MINUTE_US, EVENING_US + 5 * HOUR_US, size=1_200.0)
    street = evening(few, tap)
    more_w, before_w = (float(street.cabinet("power", PERMANENT)[at]) for at in (-1, 0))
    more_w -= before_w
    assert 1_150 < more_w < 1_300
    lamps = [street.lamp("power", lamp) for lamp in lamps_at(few, PERMANENT)]
    assert sum(each[-1] - each[0] for each in lamps) < 100


def test_an_arc_takes_minutes_to_its_power(few: City) -> None:
    dusk_us = next(t for t in range(NOON_US, NOON_US + 9 * HOUR_US, MINUTE_US) if dark(t))
    street = Street.of(few, dusk_us - 5 * MINUTE_US).until(dusk_us + 50 * MINUTE_US)
    for led, least in ((True, 0.9), (False, 0.45)):
        own = [lamp for lamp in range(len(few.lighting.cabinet)) if (few.lighting.lamp[lamp] == 0) == led]
        lit = [np.array(street.lamp("power", lamp, dusk_us))[[0, -1]] for lamp in own]
        first = np.array([begin / end for begin, end in lit])
        assert first.min() > least
        assert (first.max() < 0.99) == (not led)


def test_steps_of_any_length_count_alike(few: City) -> None:
    faults = [of_lamp(Type.CYCLING, 3, 0.5, 0.3), of_lamp(Type.BY_DAY, lamp_of(few, led=True, cabinet=PERMANENT), 0.4)]
    ends: list[object] = []
    for step_us in (MINUTE_US, HOUR_US):
        street = Street.of(few, NOON_US, *faults).until(NOON_US + 7 * HOUR_US, step_us)
        told = {key: sorted(rows) for key, rows in (street.lamps | street.cabinets).items()}
        ends.append({key: rows for key, rows in told.items() if key[0] in {"switch_ons", "burning", "current"}})
    assert ends[0] == ends[1]


# What is thrown, and what labels say of it.


def test_wear_is_little_and_the_same_whenever_it_is_asked_for(city: City) -> None:
    wear = Wear(city, Sky(city.seed))
    whole = wear.during(NOON_US, NOON_US + 3 * DAY_US)
    late = Wear(city, Sky(city.seed)).during(NOON_US + 2 * DAY_US, NOON_US + 3 * DAY_US)
    assert late.labels() == whole.during(NOON_US + 2 * DAY_US, NOON_US + 3 * DAY_US).labels()
    standing = Counter(each.type for each in whole.standing(NOON_US + DAY_US).labels())
    lamps = sum(number for what, number in standing.items() if what not in LOSSES)
    assert 100 < lamps < 34_000 / 60
    assert sum(standing[each] for each in LOSSES) < 10
    for label in whole.labels():
        nature = NATURES[label.type]
        assert nature.low <= label.size <= nature.high
        assert nature.least_s <= (label.until_us - label.from_us) / SECOND_US <= nature.most_s
        assert possible(city, Sky(city.seed), label.type, label.index, label.from_us, label.dice)


def test_labels_are_what_a_life_lives_by(city: City) -> None:
    life = Life(city, EVENING_US, DAY, lighting_alone=True)
    labels = life.labels(EVENING_US, EVENING_US + 1)
    assert {each.index for each in labels if each.type is Type.SAID} == set(
        np.flatnonzero(~np.isin(life.lamps.fault, (NONE, SUPPLY))).tolist()
    )
    state = State(city, Wear(city, Sky(city.seed)))
    assert state.at(EVENING_US)
    assert not state.at(EVENING_US + 1)
    assert {each.index for each in labels if each.type is Type.SILENT} == set(np.flatnonzero(state.silent).tolist())
    assert {each.index for each in labels if each.type is Type.CYCLING} == set(
        np.flatnonzero(state.period_us > 0).tolist()
    )


def test_a_trial_is_its_seeds_own_and_each_label_stands_alone(city: City) -> None:
    thrown = throw(city, 5, NOON_US, 30, 300)
    assert thrown == throw(city, 5, NOON_US, 30, 300) != throw(city, 6, NOON_US, 30, 300)
    assert Counter(each.type for each in thrown) == SHARES
    assert sum(SHARES.values()) == 300
    assert Faults.of_labels(thrown).labels() == thrown
    assert len({cabinet_of(city, each) for each in thrown}) == 300
    assert all(NOON_US + 12 * HOUR_US <= each.from_us < NOON_US + 29 * DAY_US for each in thrown)
    assert {each.circuit > 0 for each in thrown if each.type is Type.CUT} == {True}
    assert set(Counter(each.type for each in throw(city, 5, NOON_US, 3, 30))) <= set(TYPES)
    seen = [each for each in thrown if not unseen(city, each, NOON_US + 30 * DAY_US, 900.0)]
    assert 270 < len(seen) <= 300


def test_what_falls_between_two_reports_cannot_be_seen(few: City) -> None:
    def why(what: Type, cabinet: int, hours: float, begin_us: int = NOON_US, circuit: int = 0, dice: float = 0) -> str:
        index = cabinet if what in LOSSES | {Type.PHOTOCELL_LIT} else lamps_at(few, cabinet)[0]
        fault = Fault(what, index, begin_us, begin_us + int(hours * HOUR_US), circuit, dice=dice)
        return unseen(few, fault, NOON_US + 9 * DAY_US, 900.0)

    assert "fewer than 1" in why(Type.BREAKER, SWITCHED, 3, circuit=1)
    assert why(Type.BREAKER, SWITCHED, 9, circuit=1) == why(Type.BREAKER, PERMANENT, 3, circuit=1) == ""
    assert "fewer than 2" in why(Type.THEFT, PERMANENT, 0.3, circuit=1)
    assert why(Type.STRING, PERMANENT, 4) != ""
    assert why(Type.STRING, PERMANENT, 8) == ""
    assert why(Type.BY_DAY, PERMANENT, 3) == why(Type.PHOTOCELL_LIT, SWITCHED, 3) == ""
    assert "starts again" in why(Type.CYCLING, PERMANENT, 4, EVENING_US, dice=1.0)
    assert why(Type.CYCLING, PERMANENT, 4, EVENING_US, dice=0.1) == ""
    assert shown(few, Fault(Type.STRING, 0, NOON_US, NOON_US + HOUR_US), NOON_US + DAY_US, 900.0).since_us == -1


def test_a_cabinets_points_are_all_said(sound: Street) -> None:
    assert {point for point, _ in sound.cabinets} == set(Cabinet.points)
    assert {point for point, _ in sound.lamps} == set(Luminaire.points)
