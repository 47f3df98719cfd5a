"""What the faults that stand make of each lamp and each cabinet."""

from __future__ import annotations

import numpy as np

from vigie.core.times import DAY_US, MINUTE_US, SECOND_US
from vigie.services.lighting.kinds import Luminaire
from vigie.sim.city.city import City
from vigie.sim.life.columns import Ints, Mask
from vigie.sim.life.faults import LOSSES, Breakdowns, Fault, Faults, Type

NONE, LAMP, DRIVER, UNKNOWN = (Luminaire.fault.code(name) for name in ("none", "lamp", "driver", "unknown"))
LIT, DARK = 1, -1
"""How a photocell is stuck."""

_GROWN_US = 3 * DAY_US
_DOOR_US = 20 * MINUTE_US
_SHORT_CIRCUIT = 0.6
_CABINET_OPENED = 0.3
_LEAST_PERIOD_S, _MOST_PERIOD_S = 240.0, 10_800.0
_LEAST_OFF_US = 40 * SECOND_US
_DRAWN = np.iinfo(np.int64).max


class Wiring:
    """Which lamps hang on which circuit, the nearest to the cabinet first."""

    def __init__(self, city: City) -> None:
        lighting = city.lighting
        self.cabinet, self.circuit = lighting.cabinet, lighting.circuit
        far = np.hypot(*(lighting.xy - lighting.cabinet_xy[lighting.cabinet]).T)
        order = np.lexsort((far, self.circuit, self.cabinet))
        own = self.cabinet[order] * 100 + self.circuit[order]
        first = np.flatnonzero(np.diff(own, prepend=-1))
        number = np.diff(np.append(first, len(own)))
        self.along = np.empty(len(own))
        self.along[order] = (np.arange(len(own)) - np.repeat(first, number)) / np.repeat(number, number)
        """Of each lamp, which share of its circuit's lamps is before it."""

    def behind(self, cabinet: int, circuit: int, share: float) -> Mask:
        """The lamps of a circuit, 0 for all of a cabinet's, that lie beyond a share of it."""
        own = self.cabinet == cabinet
        return own & ((self.circuit == circuit) & (self.along >= share) if circuit else True)


class State:
    """The columns of what is broken, of lamps and of cabinets, as they are until `until_us`.

    word: the fault that a lamp tells. dead: gives no light. left_w: what a dead one draws. gain, grows_us, from_us: by
    how much a lamp's power is changed in the end, how long that takes, since when. heat_k: at full light. by_day: the
    share of its rated power that it draws though it is told off. on_us, period_us: of one that cycles; 0 for none.
    cut: without supply though its cabinet feeds. breath: the share of the last breaths that are heard. tapped_w: what
    others than lamps draw from a cabinet's circuits.
    """

    def __init__(self, city: City, breakdowns: Breakdowns) -> None:
        self._wiring, self._breakdowns = Wiring(city), breakdowns
        self._lamps, self._cabinets = len(city.lighting.cabinet), len(city.lighting.cabinet_xy)
        self._known, self._known_from_us, self._known_until_us = Faults.of_labels([]), 0, 0
        self.until_us = -_DRAWN
        self._clear()

    def _clear(self) -> None:
        lamps, cabinets = self._lamps, self._cabinets
        self.word, self.dead, self.left_w = np.full(lamps, NONE), np.zeros(lamps, np.bool_), np.zeros(lamps)
        self.gain, self.grows_us, self.from_us = np.ones(lamps), np.ones(lamps, np.int64), np.zeros(lamps, np.int64)
        self.heat_k, self.by_day = np.zeros(lamps), np.zeros(lamps)
        self.on_us, self.period_us = np.zeros(lamps, np.int64), np.zeros(lamps, np.int64)
        self.silent, self.stuck, self.cut = (np.zeros(lamps, np.bool_) for _ in range(3))
        self.breath = np.ones(lamps)
        self.photocell = np.zeros(cabinets, np.int64)
        self.tapped_w = np.zeros(cabinets)
        self.breaker, self.residual, self.contactor, self.lost, self.door = (
            np.zeros(cabinets, np.bool_) for _ in range(5)
        )

    def at(self, at_us: int) -> bool:
        """Brings it to an instant; returns whether anything has changed."""
        if at_us < self.until_us:
            return False
        if not self._known_from_us <= at_us < self._known_until_us - DAY_US // 24:
            self._known_from_us, self._known_until_us = at_us, at_us + DAY_US
            self._known = self._breakdowns.during(at_us, self._known_until_us)
        known = self._known
        instants = np.concatenate([known.from_us, known.until_us, self._doors_close(known)])
        self.until_us = int(instants[instants > at_us].min(initial=self._known_until_us - DAY_US // 24))
        self._clear()
        standing = known.standing(at_us)
        self._lamps_of(standing)
        self._cabinets_of(standing, at_us)
        return True

    @staticmethod
    def _doors_close(faults: Faults) -> Ints:
        return faults.of(Type.THEFT).from_us + _DOOR_US

    def _lamps_of(self, faults: Faults) -> None:
        said, dead = faults.of(Type.SAID), faults.of(Type.SAID, Type.DEAD)
        self.word[said.index] = np.select([said.dice < 0.6, said.dice < 0.9], [LAMP, DRIVER], UNKNOWN)
        self.dead[dead.index], self.left_w[dead.index] = True, dead.size
        for each in (faults.of(Type.STRING), faults.of(Type.DRIFT)):
            self.gain[each.index], self.from_us[each.index] = each.size, each.from_us
        drifting = faults.of(Type.DRIFT)
        self.grows_us[drifting.index] = 1 + (drifting.dice * _GROWN_US).astype(np.int64)
        hot, welded = faults.of(Type.HEAT), faults.of(Type.BY_DAY)
        self.heat_k[hot.index], self.by_day[welded.index] = hot.size, welded.size
        self.silent[faults.of(Type.SILENT).index] = True
        self.stuck[faults.of(Type.STUCK).index] = True
        cycling = faults.of(Type.CYCLING)
        period_us, on_us = rhythm(cycling)
        self.period_us[cycling.index], self.on_us[cycling.index] = period_us, on_us

    def _cabinets_of(self, faults: Faults, at_us: int) -> None:
        for column, what in (
            (self.residual, Type.RESIDUAL), (self.contactor, Type.CONTACTOR), (self.lost, Type.SUPPLY),
            (self.door, Type.DOOR), (self.breaker, Type.BREAKER),
        ):  # fmt: skip
            column[faults.of(what).index] = True
        self.photocell[faults.of(Type.PHOTOCELL_LIT).index] = LIT
        self.photocell[faults.of(Type.PHOTOCELL_DARK).index] = DARK
        tapped = faults.of(Type.TAP)
        self.tapped_w[tapped.index] = tapped.size
        for each in faults.of(*LOSSES).labels():
            behind = self._wiring.behind(each.index, each.circuit, 0.0 if trips(each) else each.size)
            self.breath[behind] = 0.2 + 0.8 * (each.dice * 7 % 1)
            if each.circuit:
                self.cut |= behind
            self.breaker[each.index] |= trips(each)
            if each.type is Type.THEFT and each.dice < _CABINET_OPENED and at_us < each.from_us + _DOOR_US:
                self.door[each.index] = True


def trips(fault: Fault) -> bool:
    """Whether a loss of one circuit trips its breaker, so that the whole of the circuit is dead."""
    return fault.type is Type.BREAKER or (fault.type is Type.CUT and fault.dice < _SHORT_CIRCUIT)


def rhythm(cycling: Faults) -> tuple[Ints, Ints]:
    """How long a lamp that cycles takes for one round, and how much of it it is lit, in microseconds."""
    period_us = _LEAST_PERIOD_S * (_MOST_PERIOD_S / _LEAST_PERIOD_S) ** cycling.dice * SECOND_US
    on_us = np.minimum(period_us * cycling.size, period_us - _LEAST_OFF_US)
    return period_us.astype(np.int64), on_us.astype(np.int64)
