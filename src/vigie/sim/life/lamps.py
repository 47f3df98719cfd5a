"""Luminaires and cabinets: dusk and dawn, the communes' policies, what breaks, and orders obeyed.

What is broken and how badly is `vigie.sim.life.faults`; what is drawn and metered is `vigie.sim.life.power`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US
from vigie.services.lighting.kinds import Cabinet, Luminaire
from vigie.sim.city.city import City
from vigie.sim.city.facts import COMMUNES
from vigie.sim.life.columns import Floats, Habits, Ints, Mask, Reports, due, key_of, normal, phases, uniform
from vigie.sim.life.faults import Breakdowns
from vigie.sim.life.power import Lit, Power
from vigie.sim.life.sky import Sky, dark, local_hour
from vigie.sim.life.state import DARK, LIT, NONE, State

SUPPLY = Luminaire.fault.code("supply")
PROGRAMME, ORDER, FULL = (Luminaire.control.code(name) for name in ("programme", "order", "full_light"))
ON, OFF, LOST = (Cabinet.supply.code(name) for name in ("on", "off", "lost"))
CLOSED, OPEN = (Cabinet.contactor.code(name) for name in ("closed", "open"))
CONTACTS = (Cabinet.supply, Cabinet.door, Cabinet.breaker, Cabinet.residual_current, Cabinet.contactor)
"""What a cabinet says at once when it changes."""
_NEVER = np.iinfo(np.int64).max
_COUNTED_EACH = 4
_ALL = slice(None)
"""All of a column, without a copy of it."""
_SUN_K = 12.0
_BRIGHT_LX = 80_000.0


def policy_level(slug: str, hour: float, *, quiet: bool = False) -> float:
    """What a commune's decision asks of its lamps at an hour of the night, in percent. quiet: of those of its ways."""
    late = hour >= 22 or hour < 5
    if slug == "sennecey-les-dijon" and hour < 5:
        return 0.0
    if quiet and late:
        return 30.0
    return 70.0 if late and slug in ("dijon", "quetigny") else 100.0


class LampLife:
    """All luminaires and cabinets. A luminaire without supply says so with its last breath, then is silent."""

    def __init__(self, city: City, sky: Sky, habits: Habits, start_us: int, breakdowns: Breakdowns) -> None:
        lighting = city.lighting
        self._sky, self._habits = sky, habits
        self._state, self._power = State(city, breakdowns), Power(city)
        self._commune, self._cabinet = lighting.commune, lighting.cabinet
        self._quiet = np.isin(lighting.arc, city.ways.arc).astype(np.int64)
        self._permanent = ~lighting.switched
        lamps, cabinets = np.arange(len(self._cabinet)), np.arange(len(lighting.cabinet_xy))
        names = ("breath", "door", "lag", "noise", "phase", "skew")
        self._key = {name: key_of(city.seed, f"lamp.{name}") for name in names}
        self._phase = phases(self._key["phase"], len(lamps), habits.lamp_s)
        self._cabinet_phase = phases(self._key["door"], len(cabinets), habits.lamp_s)
        lag = uniform(self._key["lag"], lamps, 0)
        self._change_lag = ((4 + 86 * lag) * SECOND_US).astype(np.int64)
        self._breath_lag = ((0.5 + 19.5 * lag) * SECOND_US).astype(np.int64)
        self._order_lag = ((0.4 + 1.8 * lag) * SECOND_US).astype(np.int64)
        self._ramp_us = int(habits.ramp_s * SECOND_US)
        self._skew = (normal(self._key["skew"], lamps, 0) * habits.skew_s * SECOND_US).astype(np.int64)
        count, fed = len(lamps), len(cabinets)
        self.programmed: Callable[[int], Floats] | None = None
        """What is programmed for each luminaire at an instant, in percent; not a number where the commune's policy
        rules."""
        self._asked = np.full(count, np.nan)
        self._held = np.zeros(count, np.bool_)
        self._pending = np.full(count, np.nan)
        self._pending_us = np.full(count, _NEVER)
        self._until_us, self._pending_until_us = np.full(count, _NEVER), np.full(count, _NEVER)
        self.level, self.fault, self.control = np.zeros(count), np.zeros(count, np.int64), np.zeros(count, np.int64)
        self._full = np.zeros(fed, np.bool_)
        self._full_us = np.full(fed, _NEVER)
        self._full_next = np.zeros(fed, np.bool_)
        self._contacts = np.zeros((len(CONTACTS), fed), np.int64)
        # A lamp is lit about 4,100 hours a year, once a night.
        years = 2026.5 - np.array([float(each[:4]) for each in lighting.installed])
        self._lit_us = np.full(count, -1, np.int64)
        self._rhythm: tuple[Ints, Ints] = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self._burnt_us = (years * (3_900 + 400 * lag) * HOUR_US).astype(np.int64)
        self._switch_ons = np.rint(years * (365 + 20 * lag))
        self._energy_kwh = 2_000 + 40_000 * uniform(self._key["noise"], cabinets, 1)
        self._metered_us, self._meters = -1, (np.zeros(fed), np.zeros(fed))
        self._night: bool = dark(start_us)
        self.now_us = start_us
        self._say = np.full(count, _NEVER)
        self._cabinet_say = np.full(fed, _NEVER)
        self._settle(start_us, silently=True)
        self._lit_us[self._lit_us >= 0] -= HOUR_US  # Who is lit has been for a while.
        self._say = start_us + 1 + (lag * habits.hello_s * SECOND_US).astype(np.int64)
        self._cabinet_say = start_us + 1 + (uniform(self._key["lag"], cabinets, 1)
                                            * habits.hello_s * SECOND_US).astype(np.int64)  # fmt: skip

    def advance(self, until_us: int) -> list[Reports]:
        """All that lamps and cabinets say in (now, until]."""
        said: list[Reports] = []
        while self.now_us < until_us:
            step = min(until_us, (self.now_us // MINUTE_US + 1) * MINUTE_US)
            self._obey(step)
            said += self._lamp_reports(step) + self._cabinet_reports(step)
            if step % MINUTE_US == 0:
                self._energy_kwh += self._metered(step)[0] / 60_000
                self._settle(step)
            self.now_us = step
        return said

    @property
    def supply(self) -> Ints:
        """What each cabinet says of its supply."""
        return self._contacts[CONTACTS.index(Cabinet.supply)]

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
            done_us = self._pending_us[lamps] + self._ramp_us
            self._pending_us[lamps] = _NEVER
            self._settle(until_us)
            self._tell(lamps, done_us)
        over = np.flatnonzero((self._until_us <= until_us) & ~self._state.stuck)
        if len(over):
            done_us = self._until_us[over] + self._ramp_us
            self._asked[over], self._until_us[over] = np.nan, _NEVER
            self._settle(until_us)
            self._tell(over, done_us)

    def _tell(self, lamps: Ints, at_us: Ints) -> None:
        """Those of these lamps that can will say what they are at from an instant on."""
        able = (self.fault[lamps] == NONE) & ~self._state.silent[lamps]
        self._say[lamps[able]] = at_us[able]

    def _settle(self, at_us: int, *, silently: bool = False) -> None:
        """Brings every lamp to what clock, sun, orders and breakdowns make of it; whoever changed will say so."""
        state = self._state
        if state.at(at_us):
            self._reckon(np.flatnonzero(state.period_us != self._rhythm[0]), at_us)
            self._rhythm = state.period_us, state.on_us
        night = dark(at_us)
        if night != self._night:  # A level that has no end of its own, and that nobody holds, lasts until then.
            self._night = night
            self._asked[(self._until_us == _NEVER) & ~self._held] = np.nan
        night_here = np.select([state.photocell == LIT, state.photocell == DARK], [True, False], night)
        closed = (self._permanent | night_here | self._full) & ~state.contactor & ~state.lost
        supply = np.select([state.lost, closed], [LOST, ON], OFF)
        wanted, control = self._wanted(at_us, night_here)
        alive = (closed & ~state.residual)[self._cabinet] & ~state.cut
        fault = np.where(alive, state.word, SUPPLY)
        level = np.where(fault == NONE, wanted, 0.0)
        contacts = np.array([supply, state.door, state.breaker, state.residual, np.where(closed, CLOSED, OPEN)])
        if not silently:
            self._notice(at_us, level, fault, control)
            self._cabinet_say[(contacts != self._contacts).any(axis=0)] = at_us + 2 * SECOND_US
        self.level, self.fault, self.control, self._contacts = level, fault, control, contacts.astype(np.int64)
        self._count(at_us)

    def _wanted(self, at_us: int, night: Mask) -> tuple[Floats, Ints]:
        """What each lamp is to be at, and what decides that. night: whether it is for each cabinet."""
        hour = local_hour(at_us)
        plan = np.array([[policy_level(each.slug, hour, quiet=quiet) for each in COMMUNES] for quiet in (False, True)])
        wanted = np.where(night[self._cabinet], plan[self._quiet, self._commune], 0.0)
        if self.programmed is not None:
            programmed = self.programmed(at_us)
            wanted = np.where(np.isnan(programmed), wanted, programmed)
        full, asked = self._full[self._cabinet], ~np.isnan(self._asked)
        control = np.select([full, asked], [FULL, ORDER], PROGRAMME)
        return np.select([full, asked], [100.0, self._asked], wanted), control

    def _notice(self, at_us: int, level: Floats, fault: Ints, control: Ints) -> None:
        """Who has changed will say so; who has lost its supply says it at once, if anybody hears it."""
        changed = (level != self.level) | (fault != self.fault) | (control != self.control)
        self._say[changed] = np.minimum(self._say[changed], at_us + self._change_lag[changed])
        last = np.flatnonzero((fault == SUPPLY) & (self.fault != SUPPLY))
        heard = uniform(self._key["breath"], last, at_us // MINUTE_US) < self._state.breath[last]
        self._say[last] = np.where(heard, at_us + self._breath_lag[last], _NEVER)

    def _count(self, at_us: int) -> None:
        """Counts who is lit and who is put out, and for how long they were lit."""
        state = self._state
        lit = ((self.level > 0) | ((state.by_day > 0) & (self.fault != SUPPLY))) & ~state.dead
        ends = np.flatnonzero(~lit & (self._lit_us >= 0))
        self._reckon(ends, at_us)
        self._lit_us[ends] = -1
        begins = np.flatnonzero(lit & (self._lit_us < 0))
        self._lit_us[begins] = at_us
        self._switch_ons[begins] += 1

    def _reckon(self, who: Ints, at_us: int) -> None:
        """Closes the account of lamps that go on otherwise from now on; those that are lit go on being lit."""
        who = who[self._lit_us[who] >= 0]
        self._switch_ons[who], self._burnt_us[who] = self._counters(who, at_us)
        self._lit_us[who] = at_us

    def _counters(self, who: Ints, at_us: Ints | int) -> tuple[Floats, Ints]:
        """How often lamps were lit, and for how many microseconds, each until its instant."""
        lit_us, (period_us, on_us) = self._lit_us[who], (each[who] for each in self._rhythm)
        since_us = np.where(lit_us >= 0, at_us - lit_us, 0)
        rounds, rest_us = np.divmod(since_us, np.maximum(period_us, 1))
        cycling = period_us > 0
        burnt_us = np.where(cycling, rounds * on_us + np.minimum(rest_us, on_us), since_us)
        return self._switch_ons[who] + np.where(cycling, rounds, 0), self._burnt_us[who] + burnt_us

    def power_w(self) -> Floats:
        """What each luminaire draws now."""
        return self._drawn_w(_ALL, self.now_us)

    def _drawn_w(self, who: Ints | slice, at_us: Ints | int) -> Floats:
        lit = Lit(self.level[who], self._lit_us[who], self.fault[who] != SUPPLY)
        return self._power.lamps_w(who, at_us, lit, self._state, float(self._sky.temperature_c(self.now_us)[0]))

    def _metered(self, at_us: int) -> tuple[Floats, Floats]:
        """What each cabinet's meter shows, before anything changes at this instant: watts and amperes."""
        if at_us != self._metered_us:
            drawn_w, mains = self._drawn_w(_ALL, at_us), self.supply != LOST
            tapped_w = np.where(self.supply == ON, self._state.tapped_w, 0.0)
            self._meters = self._power.cabinets(drawn_w, tapped_w, self.level, mains, at_us)
            self._metered_us = at_us
        return self._meters

    def _lamp_reports(self, until_us: int) -> list[Reports]:
        regular, at = due(self.now_us, until_us, self._habits.lamp_s, self._phase)
        fed = (self.fault[regular] != SUPPLY) & ~self._state.silent[regular]
        changed = np.flatnonzero(self._say <= until_us)
        said_us = self._say[changed]
        self._say[changed] = _NEVER
        heard: Mask = ~self._state.silent[changed]
        who = np.concatenate([regular[fed], changed[heard]])
        if not len(who):
            return []
        true_us = np.concatenate([at[fed], said_us[heard]])
        seen = true_us + self._skew[who]
        drawn_w = self._drawn_w(who, true_us)
        power = drawn_w * (1 + 0.015 * normal(self._key["noise"], who, seen // SECOND_US))
        air_c = float(self._sky.temperature_c(until_us)[0])
        sun_k = _SUN_K * min(1.0, float(self._sky.illuminance_lx(until_us)[0]) / _BRIGHT_LX)
        warm = air_c + sun_k + self._power.warm_k(who, drawn_w, self._state)
        warm = warm + 1.5 * normal(self._key["noise"], who, seen // HOUR_US)
        points = (
            (Luminaire.level, self.level[who]), (Luminaire.power, np.round(power, 1)),
            (Luminaire.fault, self.fault[who].astype(np.float64)), (Luminaire.driver_temperature, np.round(warm, 1)),
            (Luminaire.control, self.control[who].astype(np.float64)),
        )  # fmt: skip
        # What only ever grows is told with each change, and else with every fourth report.
        turn = (at[fed] - self._phase[regular[fed]]) // int(self._habits.lamp_s * SECOND_US)
        told = np.concatenate([turn % _COUNTED_EACH == 0, np.ones(len(who) - len(turn), np.bool_)])
        counted, counted_us = who[told], seen[told]
        switch_ons, burnt_us = self._counters(counted, true_us[told])
        counts = ((Luminaire.switch_ons, switch_ons), (Luminaire.burning, np.round(burnt_us / HOUR_US, 2)))
        return [
            *(Reports(Luminaire, point, who, seen, value) for point, value in points),
            *(Reports(Luminaire, point, counted, counted_us, value) for point, value in counts),
        ]

    def _cabinet_reports(self, until_us: int) -> list[Reports]:
        regular, at = due(self.now_us, until_us, self._habits.lamp_s, self._cabinet_phase)
        changed = np.flatnonzero(self._cabinet_say <= until_us)
        who = np.concatenate([regular, changed])
        if not len(who):
            return []
        seen = np.concatenate([at, self._cabinet_say[changed]])
        self._cabinet_say[changed] = _NEVER
        power_w, current_a = self._metered(until_us)
        points = [
            *((point, self._contacts[row][who].astype(np.float64)) for row, point in enumerate(CONTACTS)),
            (Cabinet.power, np.rint(power_w[who])), (Cabinet.energy, np.round(self._energy_kwh[who], 2)),
            (Cabinet.full_light, self._full[who].astype(np.float64)), (Cabinet.current, np.round(current_a[who], 2)),
        ]  # fmt: skip
        said = [Reports(Cabinet, point, who, seen, value) for point, value in points]
        # Without the mains nobody reads the contactor's contact.
        read = self.supply[who] != LOST
        return [
            Reports(Cabinet, each.point, who[read], seen[read], each.value[read])
            if each.point is Cabinet.contactor else each
            for each in said
        ]  # fmt: skip
