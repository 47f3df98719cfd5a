"""Luminaires and cabinets: dusk and dawn, the communes' policies, breakdowns, and orders obeyed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US
from vigie.services.lighting.kinds import Cabinet, Luminaire
from vigie.sim.city.city import City
from vigie.sim.city.facts import COMMUNES
from vigie.sim.life.columns import Floats, Habits, Ints, Mask, Reports, broken, due, key_of, normal, phases, uniform
from vigie.sim.life.sky import Sky, dark, local_hour

NONE, LAMP, DRIVER, SUPPLY, UNKNOWN = (Luminaire.fault.code(n) for n in ("none", "lamp", "driver", "supply", "unknown"))
PROGRAMME, ORDER, FULL = (Luminaire.control.code(name) for name in ("programme", "order", "full_light"))
ON, OFF, LOST = (Cabinet.supply.code(name) for name in ("on", "off", "lost"))
CLOSED, OPEN = (Cabinet.contactor.code(name) for name in ("closed", "open"))
_NEVER = np.iinfo(np.int64).max
_STANDBY_W = 0.6
_RAMP_US = SECOND_US
_HARDWARE_EVERY_US = 5 * MINUTE_US
_VOLTS = 230.0


def policy_level(slug: str, hour: float) -> float:
    """What a commune's decision asks of its lamps at an hour of the night, in percent."""
    if slug in ("dijon", "quetigny"):
        return 70.0 if hour >= 22 or hour < 5 else 100.0
    if slug == "sennecey-les-dijon":
        return 0.0 if hour < 5 else 100.0
    return 100.0


class LampLife:
    """All luminaires and cabinets. A luminaire without supply says so with its last breath, then is silent."""

    def __init__(self, city: City, sky: Sky, habits: Habits, start_us: int) -> None:
        lighting = city.lighting
        self._sky, self._habits = sky, habits
        self._commune, self._cabinet, self._rated_w = lighting.commune, lighting.cabinet, lighting.power_w
        self._permanent = ~lighting.switched
        self._lamps, self._cabinets = np.arange(len(self._cabinet)), np.arange(len(lighting.cabinet_xy))
        names = ("lamp", "driver", "unknown", "dead", "cut", "door", "lag", "noise", "phase", "skew", "stuck")
        self._key = {name: key_of(city.seed, f"lamp.{name}") for name in names}
        self._phase = phases(self._key["phase"], len(self._lamps), habits.lamp_s)
        self._cabinet_phase = phases(self._key["door"], len(self._cabinets), habits.lamp_s)
        lag = uniform(self._key["lag"], self._lamps, 0)
        self._change_lag = ((4 + 86 * lag) * SECOND_US).astype(np.int64)
        self._order_lag = ((0.4 + 1.8 * lag) * SECOND_US).astype(np.int64)
        self._skew = (normal(self._key["skew"], self._lamps, 0) * habits.skew_s * SECOND_US).astype(np.int64)
        count, fed = len(self._lamps), len(self._cabinets)
        self.programmed: Callable[[int], Floats] | None = None
        """What is programmed for each luminaire at an instant, in percent; not a number where the commune's policy
        rules."""
        self._asked = np.full(count, np.nan)
        self._held = np.zeros(count, np.bool_)
        self._pending = np.full(count, np.nan)
        self._pending_us = np.full(count, _NEVER)
        self._until_us, self._pending_until_us = np.full(count, _NEVER), np.full(count, _NEVER)
        self._stuck = np.zeros(count, np.bool_)
        self.level, self.fault, self.control = np.zeros(count), np.zeros(count, np.int64), np.zeros(count, np.int64)
        self._mute = np.zeros(count, np.bool_)
        self._full = np.zeros(fed, np.bool_)
        self._full_us = np.full(fed, _NEVER)
        self._full_next = np.zeros(fed, np.bool_)
        self._worn, self._cut = np.zeros(count, np.int64), np.zeros(fed, np.bool_)
        self.supply, self._door = np.zeros(fed, np.int64), np.zeros(fed, np.int64)
        # A lamp is lit about 4,100 hours a year, once a night.
        years = 2026.5 - np.array([float(each[:4]) for each in lighting.installed])
        self._lit_us = np.full(count, -1, np.int64)
        self._burnt_us = (years * (3_900 + 400 * lag) * HOUR_US).astype(np.int64)
        self._switch_ons = np.rint(years * (365 + 20 * lag))
        self._energy_kwh = 2_000 + 40_000 * uniform(self._key["noise"], self._cabinets, 1)
        self._hardware_us = -_HARDWARE_EVERY_US
        self._night: bool = dark(start_us)
        self.now_us = start_us
        self._say = np.full(count, _NEVER)
        self._cabinet_say = np.full(fed, _NEVER)
        self._settle(start_us, silently=True)
        self._say = start_us + 1 + (lag * habits.hello_s * SECOND_US).astype(np.int64)
        self._cabinet_say = start_us + 1 + (uniform(self._key["lag"], self._cabinets, 1)
                                            * habits.hello_s * SECOND_US).astype(np.int64)  # fmt: skip

    def advance(self, until_us: int) -> list[Reports]:
        """All that lamps and cabinets say in (now, until]."""
        said: list[Reports] = []
        while self.now_us < until_us:
            step = min(until_us, (self.now_us // MINUTE_US + 1) * MINUTE_US)
            self._obey(step)
            said += self._lamp_reports(step) + self._cabinet_reports(step)
            if step % MINUTE_US == 0:
                self._settle(step)
            self.now_us = step
        return said

    def order_lamps(
        self, index: Ints, level: float, at_us: int, until_us: int | None = None, *, held: bool = False
    ) -> None:
        """Sets luminaires to a level until an instant; where none is said until the next dusk or dawn, or, where it is
        held, until they are released. NaN gives them back to their programme. A dead one just never answers."""
        self._pending[index], self._held[index] = level, held
        self._pending_us[index] = at_us + self._order_lag[index]
        self._pending_until_us[index] = _NEVER if until_us is None else until_us

    def release_lamps(self, index: Ints, at_us: int) -> None:
        """Luminaires go back to what is programmed for them, or to their commune's policy."""
        self.order_lamps(index, np.nan, at_us)

    def order_cabinet(self, index: int, params: Mapping[str, Any], at_us: int) -> None:
        """Full light on or off for all that a cabinet feeds."""
        self._full_next[index] = bool(params["on"])
        self._full_us[index] = at_us + 2 * SECOND_US

    def _obey(self, until_us: int) -> None:
        """Carries out the orders whose time has come; the proof follows as soon as the ramp is over."""
        cabinets = np.flatnonzero(self._full_us <= until_us)
        if len(cabinets):
            at = int(self._full_us[cabinets].max())
            self._full[cabinets] = self._full_next[cabinets]
            self._full_us[cabinets] = _NEVER
            self._cabinet_say[cabinets] = at
            self._settle(at)
        lamps = np.flatnonzero(self._pending_us <= until_us)
        if len(lamps):
            self._asked[lamps] = self._pending[lamps]
            self._until_us[lamps] = self._pending_until_us[lamps]
            done_us = self._pending_us[lamps] + _RAMP_US
            self._pending_us[lamps] = _NEVER
            self._settle(until_us)
            self._tell(lamps, done_us)
        over = np.flatnonzero((self._until_us <= until_us) & ~self._stuck)
        if len(over):
            done_us = self._until_us[over] + _RAMP_US
            self._asked[over], self._until_us[over] = np.nan, _NEVER
            self._settle(until_us)
            self._tell(over, done_us)

    def _tell(self, lamps: Ints, at_us: Ints) -> None:
        """Those of these lamps that can will say what they are at from an instant on."""
        able = (self.fault[lamps] == NONE) & ~self._mute[lamps]
        self._say[lamps[able]] = at_us[able]

    def _hardware(self, at_us: int) -> None:
        """What is broken, seen every five minutes."""
        key, day = self._key, 86_400.0
        lamps, cabinets = len(self._lamps), len(self._cabinets)
        worn = broken(key["lamp"], lamps, at_us, block_s=day, chance=0.0007, least_s=day, most_s=6 * day)
        driver = broken(key["driver"], lamps, at_us, block_s=day, chance=0.0003, least_s=day, most_s=5 * day)
        odd = broken(key["unknown"], lamps, at_us, block_s=day, chance=0.0001, least_s=3_600, most_s=2 * day)
        self._worn = np.select([worn, driver, odd], [LAMP, DRIVER, UNKNOWN], NONE)
        self._mute = broken(key["dead"], lamps, at_us, block_s=day, chance=0.0001, least_s=day, most_s=8 * day)
        # A clock that does not know that it is wrong, a programme that is not there: an order stays beyond its end.
        self._stuck = broken(key["stuck"], lamps, at_us, block_s=day, chance=0.0004, least_s=day, most_s=3 * day)
        cut = broken(key["cut"], cabinets, at_us, block_s=day, chance=0.0009, least_s=1_200, most_s=10_800)
        self._cut = cut
        opened = broken(key["door"], cabinets, at_us, block_s=day, chance=0.006, least_s=420, most_s=2_400)
        door = (opened & (6 < local_hour(at_us) < 20)).astype(np.int64)
        self._cabinet_say[door != self._door] = at_us + SECOND_US
        self._door = door
        self._hardware_us = at_us

    def _settle(self, at_us: int, *, silently: bool = False) -> None:
        """Brings every lamp to what clock, sun, orders and breakdowns make of it; whoever changed will say so."""
        if at_us - self._hardware_us >= _HARDWARE_EVERY_US:
            self._hardware(at_us)
        night = dark(at_us)
        if night != self._night:  # A level that has no end of its own, and that nobody holds, lasts until then.
            self._night = night
            self._asked[(self._until_us == _NEVER) & ~self._held] = np.nan
        hour = local_hour(at_us)
        plan = np.array([policy_level(commune.slug, hour) if night else 0.0 for commune in COMMUNES])
        fed = self._permanent | night | self._full
        supply = np.where(self._cut, LOST, np.where(fed, ON, OFF))
        wanted = plan[self._commune]
        if self.programmed is not None:
            programmed = self.programmed(at_us)
            wanted = np.where(np.isnan(programmed), wanted, programmed)
        full, asked = self._full[self._cabinet], ~np.isnan(self._asked)
        wanted = np.select([full, asked], [100.0, self._asked], wanted)
        control = np.select([full, asked], [FULL, ORDER], PROGRAMME)
        alive = supply[self._cabinet] == ON
        fault = np.where(alive, self._worn, SUPPLY)
        level = np.where(fault == NONE, wanted, 0.0)
        if not silently:
            changed = (level != self.level) | (fault != self.fault) | (control != self.control)
            self._say[changed] = np.minimum(self._say[changed], at_us + self._change_lag[changed])
            self._cabinet_say[supply != self.supply] = at_us + 2 * SECOND_US
        self._count(level, at_us)
        self.level, self.fault, self.control, self.supply = level, fault, control, supply

    def _count(self, level: Floats, at_us: int) -> None:
        """Counts who is lit and who is put out, and for how long they were lit."""
        lit = level > 0
        begins, ends = np.flatnonzero(lit & (self._lit_us < 0)), np.flatnonzero(~lit & (self._lit_us >= 0))
        self._burnt_us[ends] += at_us - self._lit_us[ends]
        self._lit_us[ends], self._lit_us[begins] = -1, at_us
        self._switch_ons[begins] += 1

    def power_w(self) -> Floats:
        """What each luminaire draws."""
        burning = self._rated_w * (0.08 + 0.92 * self.level / 100)
        return np.where(self.level > 0, burning, np.where(self.fault == SUPPLY, 0.0, _STANDBY_W))

    def _lamp_reports(self, until_us: int) -> list[Reports]:
        regular, at = due(self.now_us, until_us, self._habits.lamp_s, self._phase)
        fed = (self.fault[regular] != SUPPLY) & ~self._mute[regular]
        changed = np.flatnonzero(self._say <= until_us)
        said_us = self._say[changed]
        self._say[changed] = _NEVER
        heard: Mask = ~self._mute[changed]
        who = np.concatenate([regular[fed], changed[heard]])
        if not len(who):
            return []
        seen = np.concatenate([at[fed], said_us[heard]]) + self._skew[who]
        level = self.level[who]
        power = self.power_w()[who] * (1 + 0.015 * normal(self._key["noise"], who, seen // SECOND_US))
        warm = float(self._sky.temperature_c(until_us)[0]) + 3 + 0.24 * level
        warm = warm + 1.5 * normal(self._key["noise"], who, seen // HOUR_US)
        fault, lit_us = self.fault[who].astype(np.float64), self._lit_us[who]
        burnt_us = self._burnt_us[who] + np.where(lit_us >= 0, until_us - lit_us, 0)
        points = (
            (Luminaire.level, level), (Luminaire.power, np.round(power, 1)), (Luminaire.fault, fault),
            (Luminaire.driver_temperature, np.round(warm, 1)),
            (Luminaire.control, self.control[who].astype(np.float64)), (Luminaire.switch_ons, self._switch_ons[who]),
            (Luminaire.burning, np.round(burnt_us / HOUR_US, 2)),
        )  # fmt: skip
        return [Reports(Luminaire, point, who, seen, value) for point, value in points]

    def _cabinet_reports(self, until_us: int) -> list[Reports]:
        regular, at = due(self.now_us, until_us, self._habits.lamp_s, self._cabinet_phase)
        changed = np.flatnonzero(self._cabinet_say <= until_us)
        who = np.concatenate([regular, changed])
        if not len(who):
            return []
        seen = np.concatenate([at, self._cabinet_say[changed]])
        self._cabinet_say[changed] = _NEVER
        load: Floats = np.bincount(self._cabinet, self.power_w(), len(self._cabinets)).astype(np.float64)
        load = load * (self.supply == ON) + 6.0
        self._energy_kwh[regular] += load[regular] * self._habits.lamp_s / 3_600 / 1_000
        points = (
            (Cabinet.supply, self.supply[who].astype(np.float64)), (Cabinet.door, self._door[who].astype(np.float64)),
            (Cabinet.power, np.rint(load[who])), (Cabinet.energy, np.round(self._energy_kwh[who], 2)),
            (Cabinet.full_light, self._full[who].astype(np.float64)), (Cabinet.breaker, np.zeros(len(who))),
            (Cabinet.residual_current, np.zeros(len(who))), (Cabinet.current, np.round((load[who] - 6) / _VOLTS, 2)),
        )  # fmt: skip
        said = [Reports(Cabinet, point, who, seen, value) for point, value in points]
        read = self.supply[who] != LOST  # Without the mains nobody reads its contact.
        contactor = np.where(self.supply[who] == ON, CLOSED, OPEN)[read].astype(np.float64)
        return [*said, Reports(Cabinet, Cabinet.contactor, who[read], seen[read], contactor)]
