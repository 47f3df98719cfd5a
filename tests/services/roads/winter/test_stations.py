"""Stations through nights: nobody who slips was not warned, few are woken for nothing, and none twice.

How many nights were judged how, of other seeds: `python -m tests.services.roads.winter.test_stations 5000 5299`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from tests.services.roads.winter.skies import EACH_US, NOON_US, Hour, Town, night
from vigie.core.service import Effect, Present, Raise
from vigie.core.times import MINUTE_US
from vigie.services.air import WeatherStation
from vigie.services.roads.winter.stations import OVER_US, Sweeper, readings, speaking

NIGHTS = range(40)
"""The same was measured on 300 more when this was written: see docs/explanation/winter.md."""


def look(town: Town, sweep: Sweeper, now_us: int) -> list[Effect]:
    """One sweep, and what it finds put into the town."""
    effects = sweep(town, now_us)  # type: ignore[arg-type]
    for each in effects:
        if isinstance(each, Raise):
            town.open[each.asset] = Present(each.asset, now_us, each.evidence)
        else:
            town.open.pop(each.asset)
    return effects


def through(hours: list[Hour]) -> list[int]:
    """When a night's ice was told, each time."""
    town = Town()
    sweep, told = Sweeper(town, NOON_US), list[int]()  # type: ignore[arg-type]
    for hour in hours:
        town.hear(hour)
        told += [each.at_us for each in look(town, sweep, hour.at_us) if isinstance(each, Raise)]
    return told


@dataclass
class Judged:
    """Nights, by their seeds. icy: those with ice, and how many minutes before it was told; less than 0 where after.
    missed: those of which it was not. quiet: without ice; for_nothing: those of them in which some was told. twice:
    with two alarms or more."""

    icy: dict[int, float] = field(default_factory=dict[int, float])
    missed: list[int] = field(default_factory=list[int])
    quiet: list[int] = field(default_factory=list[int])
    for_nothing: list[int] = field(default_factory=list[int])
    twice: list[int] = field(default_factory=list[int])


def judged(seeds: Iterable[int]) -> Judged:
    found = Judged()
    for seed in seeds:
        hours = night(seed)
        told = through(hours)
        if len(told) > 1:
            found.twice.append(seed)
        icy = next((hour.at_us for hour in hours if hour.slippery), None)
        if icy is None:
            found.quiet.append(seed)
            if told:
                found.for_nothing.append(seed)
        elif told:
            found.icy[seed] = (icy - told[0]) / MINUTE_US
        else:
            found.missed.append(seed)
    return found


def test_no_ice_is_missed_and_few_are_woken_for_nothing() -> None:
    found = judged(NIGHTS)
    assert found.missed == []
    assert min(found.icy.values()) >= -EACH_US / MINUTE_US
    assert len(found.quiet) >= 20
    assert len(found.for_nothing) / len(found.quiet) <= 0.25
    assert all(len(through(night(seed))) == 2 for seed in found.twice)


def test_ice_is_told_when_it_lasts_and_over_when_it_is_well_for_an_hour() -> None:
    town = Town()
    sweep = Sweeper(town, NOON_US)  # type: ignore[arg-type]
    told: list[tuple[int, str]] = []
    surfaces = [5.0] * 3 + [-0.5] * 6 + [1.6] * 20 + [2.6] * 20
    for n, surface_c in enumerate(surfaces):
        at_us = NOON_US + n * EACH_US
        town.say(1, at_us, surface=surface_c, temperature=3.0, humidity=70.0, rain=0.0, surface_state=2.0)
        told += [(n, type(each).__name__) for each in look(town, sweep, at_us)]
    # 1.6 is over the line, but not by a degree: nothing is said until it is.
    assert told == [(4, "Raise"), (29 + OVER_US // EACH_US, "Clear")]


def test_a_station_that_falls_silent_begins_and_ends_nothing() -> None:
    town = Town()
    sweep = Sweeper(town, NOON_US)  # type: ignore[arg-type]
    for n in range(3):
        town.say(1, NOON_US + n * EACH_US, surface=-1.0, temperature=0.0, humidity=70.0, surface_state=2.0)
        look(town, sweep, NOON_US + n * EACH_US)
    assert set(town.open) == {1}
    for n in range(3, 100):
        assert look(town, sweep, NOON_US + n * EACH_US) == []
    assert readings(town, WeatherStation, np.array([1]), NOON_US + 100 * EACH_US)[0].surface_c != -1.0  # type: ignore[arg-type]


def test_what_was_well_before_a_silence_does_not_count_after_it() -> None:
    town = Town()
    sweep = Sweeper(town, NOON_US)  # type: ignore[arg-type]
    silence = range(4, 40)
    told: list[tuple[int, str]] = []
    for n in range(60):
        at_us = NOON_US + n * EACH_US
        if n not in silence:
            town.say(1, at_us, surface=-1.0 if n < 3 else 4.0, temperature=5.0, humidity=50.0, surface_state=2.0)
        told += [(n, type(each).__name__) for each in look(town, sweep, at_us)]
    assert [what for _, what in told] == ["Raise", "Clear"]
    assert told[1][0] == silence.stop + OVER_US // EACH_US


def test_it_is_remembered_that_it_rained() -> None:
    town = Town()
    sweep = Sweeper(town, NOON_US)  # type: ignore[arg-type]
    town.say(1, NOON_US, surface=4.0, temperature=6.0, humidity=60.0, rain=1.0)
    look(town, sweep, NOON_US)
    for n in range(1, 30):
        at_us = NOON_US + n * EACH_US
        town.say(1, at_us, surface=-0.5, temperature=1.5, humidity=60.0, rain=0.0)
        look(town, sweep, at_us)
        assert bool(town.open) == (2 <= n < 24)


def test_rain_and_a_cooling_road_from_before_a_start_are_known() -> None:
    town = Town()
    town.say(1, NOON_US, surface=4.0, temperature=6.0, humidity=60.0, rain=1.0)
    for n in range(1, 7):
        town.say(1, NOON_US + n * EACH_US, surface=4.0 - 0.5 * n, temperature=3.0, humidity=60.0, rain=0.0)
    start_us = NOON_US + 6 * EACH_US
    kept, anew = town.before, Sweeper(town, start_us)  # type: ignore[arg-type]
    town.before = []
    for n in range(3):
        at_us = start_us + n * EACH_US // 2
        # 1 degree, wet, and three degrees an hour colder: it freezes within the half hour.
        effects = look(town, anew, at_us)
    (told,) = effects
    assert isinstance(told, Raise)
    assert (told.evidence["ice_cause"], told.evidence["ice_in_min"]) == ("black_ice", 30.0)
    # What is older than a road is wet for counts for nothing.
    town.open, town.before = {}, [each for each in kept if each[0] == "rain"]
    late_us = NOON_US + 19 * EACH_US
    sweep = Sweeper(town, late_us)  # type: ignore[arg-type]
    for n in range(3):
        town.say(1, late_us + n * EACH_US, surface=-0.5, temperature=1.5, humidity=60.0, rain=0.0)
        assert look(town, sweep, late_us + n * EACH_US) == []


def test_air_alone_speaks_where_no_road_is_measured_nearby() -> None:
    town = Town(stations=4, apart_deg=0.04)
    every = np.arange(1, 5)
    town.say(1, NOON_US, surface=2.0)
    town.say(2, NOON_US, temperature=2.0)
    town.say(4, NOON_US, temperature=2.0)

    def spoken() -> list[bool]:
        return speaking(town, WeatherStation, every, readings(town, WeatherStation, every, NOON_US))  # type: ignore[arg-type]

    assert spoken() == [True, False, False, True]
    town.told.pop(("surface", 1))
    assert spoken() == [False, True, False, True]


if __name__ == "__main__":
    first, last = map(int, sys.argv[1:])
    nights = judged(range(first, last + 1))
    late = [each for each in nights.icy.values() if each < 0]
    sys.stdout.write(
        f"with ice: {len(nights.icy) + len(nights.missed)}, missed: {len(nights.missed)}, late: {len(late)} "
        f"(by {-min(late, default=0):.0f} min at most), before, median: {median(nights.icy.values()):.0f} min; "
        f"without: {len(nights.quiet)}, for nothing: {len(nights.for_nothing)}; "
        f"two alarms or more: {len(nights.twice)}\n"
    )
