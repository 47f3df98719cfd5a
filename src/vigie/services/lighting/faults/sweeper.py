"""The sweep: everything that is looked for again and again, in the order in which one finding silences another."""

from __future__ import annotations

import numpy as np

from vigie.core.kinds import ConditionKind
from vigie.core.observations import Mask
from vigie.core.service import City, Clear, Effect, Sweep
from vigie.core.sun import elevation_deg
from vigie.services.lighting.conditions import (
    DRIVER_HOT,
    LAMP_BY_DAY,
    LAMP_CLOCK,
    LAMP_CYCLING,
    LAMP_OUT,
    LAMP_SILENT,
    POWER_HIGH,
    POWER_LOW,
)
from vigie.services.lighting.faults import clocks, places, silence
from vigie.services.lighting.faults.burning import Around, Burning
from vigie.services.lighting.faults.cycling import RESTLESS_US, Cycling
from vigie.services.lighting.faults.outages import Outages
from vigie.services.lighting.faults.park import ATTRIBUTES, park_of
from vigie.services.lighting.faults.photocell import Photocells
from vigie.services.lighting.faults.reports import NONE, Memory, Words, take
from vigie.services.lighting.faults.supply import Cabinets, Supply
from vigie.services.lighting.faults.unexplained import Unexplained
from vigie.services.lighting.power import expected_w

OF_LAMPS: tuple[ConditionKind, ...] = (
    LAMP_OUT, LAMP_BY_DAY, LAMP_CYCLING, POWER_LOW, POWER_HIGH, DRIVER_HOT, LAMP_SILENT, LAMP_CLOCK,
)  # fmt: skip


class Sweeper:
    """Looks over a city again and again. One an engine."""

    def __init__(self, city: City, now_us: int) -> None:
        self._inventory = city.inventory
        self._park = park = park_of(city)
        self._memory = Memory(len(park))
        self._burning, self._cycling = Burning(park), Cycling(park)
        self._supply, self._outages, self._photocells = Supply(park, now_us), Outages(city, park), Photocells(park)
        self._unexplained = Unexplained(park, now_us)
        self._remember(city)

    def __call__(self, city: City, now_us: int) -> list[Effect]:
        """All that is to be said now."""
        if city.inventory != self._inventory:
            self._move(city, now_us)
        park, memory = self._park, self._memory
        words, cabinets = Words.of(city, park), Cabinets.of(city, park, now_us)
        is_open: dict[str, Mask] = {each.name: city.is_open(each, park.lamp) for each in OF_LAMPS}
        self._supply.note(words, cabinets, now_us)
        covered = self._outages.covered(park, cabinets)
        living = (words.heard_us > 0) & ~is_open[LAMP_SILENT.name] & ~covered
        breaths = self._supply.breaths(park, words, cabinets, living)
        stuck = self._photocells.judge(city, park, words, cabinets, breaths, covered, now_us)
        losses = self._supply.losses(park, words, cabinets, living, breaths, stuck.opened, now_us)
        sun_deg = float(elevation_deg(now_us, *park.centre))
        effects = self._outages.judge(city, park, words, cabinets, losses, stuck.opened, sun_deg, now_us)
        effects += stuck.effects
        self._supply.mended(self._outages.mended, now_us)
        covered = self._outages.covered(park, cabinets)
        reports = take(city, park, words, memory)
        effects += self._cycling.judge(reports, memory, covered, is_open[LAMP_CYCLING.name], now_us)
        full_light = park.of_cabinet(cabinets.full_light.value == 1, False)
        around = Around(
            covered=covered,
            exempt=park.tunnel | full_light | stuck.with_cabinet,
            restless=is_open[LAMP_CYCLING.name] | (now_us - memory.restless_us < RESTLESS_US),
            now_us=now_us,
        )
        effects += self._burning.judge(reports, memory, around, is_open)
        ahead = clocks.ahead(city, park, now_us)
        effects += clocks.judge(city, park, words, ahead, is_open[LAMP_CLOCK.name], now_us)
        effects += silence.judge(
            park, words, cabinets, self._supply, memory, covered | ahead, is_open[LAMP_SILENT.name], now_us
        )
        effects += self._unmeasured(words, is_open[LAMP_OUT.name], now_us)
        effects += self._unexplained.judge(city, park, words, cabinets, memory, around.restless, now_us)
        effects += places.judge(city, park, words, self._supply.lit_since_us(park, cabinets, now_us), covered, now_us)
        return _once(effects)

    def _unmeasured(self, words: Words, out: Mask, now_us: int) -> list[Effect]:
        """A lamp that tells no power is out by its word alone."""
        well = out & np.isnan(words.power.value) & (words.fault.value == NONE)
        return [Clear(LAMP_OUT, int(no), now_us) for no in self._park.lamp[well].tolist()]

    def _move(self, city: City, now_us: int) -> None:
        before, self._inventory = self._park, city.inventory
        self._park = park = park_of(city)
        self._memory = self._memory.moved(before.lamp, park.lamp)
        self._cycling = self._cycling.moved(park, before.lamp)
        self._supply = self._supply.moved(park, before)
        self._photocells = self._photocells.moved(park, before)
        self._outages.moved(park, before)
        self._burning = Burning(park)
        self._unexplained = self._unexplained.moved(park, before, now_us)

    def _remember(self, city: City) -> None:
        """What was usual for lamps whose power was found to be off, before this process."""
        for kind in (POWER_LOW, POWER_HIGH):
            for each in city.present(kind):
                rows = self._park.rows_of([each.asset])
                said = [each.evidence.get(name) for name in ("expected_power", "level")]
                if len(rows) and all(isinstance(value, float | int) for value in said):
                    expected, level = (float(value) for value in said if value is not None)
                    row = int(rows[0])
                    plain = float(expected_w(self._park.rated_w[row], level))
                    if plain > 0:
                        self._burning.remember(row, expected / plain, self._memory)


def _once(effects: list[Effect]) -> list[Effect]:
    """The last word on each condition of an asset, in the order of the first."""
    said = {(each.condition.name, each.asset): each for each in effects}
    return list(said.values())


SWEEP = Sweep(make=Sweeper, attributes=ATTRIBUTES)
"""What lighting looks for."""
