"""What breaks in street lighting, when, and how badly.

Each type is described as makers, managers and the press describe it, and drawn from the whole range that they leave
open. Whether any of it can be found is no business of this module: nothing here was chosen to be found, or not to be.

Lamps
- `said`: source or control gear is dead, and the controller says so, as `lampFailure` and `controlGearCommFailure` of
  TALQ 2.7.1. What is left of the gear draws 0.2 to 4 W.
- `dead`: the same without a word: a controller that only measures does not know. The level goes on as told.
- `string`: a part of the LEDs is out. Boards of strings whose segments go one after the other are described by EDN
  ("Capacitor selection helps achieve long lifetimes for LED lights"); how many strings a board has is the maker's.
  15 to 85 % of the power is left, at an unchanged level.
- `drift`: gear draws more, by 12 to 60 %: electrolytic capacitors dry out, resistance and ripple grow (Han and
  Narendran, "An Accelerated Test Method for Predicting the Useful Life of an LED Driver", 2011), and the voltage of
  sodium lamps rises all their life (Dynamic Ballast, "HPS lamp cycling"). It grows for up to three days.
- `heat`: the gear's heat does not get out: 18 to 50 K more at full light. Beyond 85 degrees it gives less (OSRAM,
  Optotronic 3DIM, "Thermal derating").
- `silent`: the controller's radio is dead. The lamp goes on as programmed, and says nothing.
- `cycling`: the lamp goes out, cools and starts again: sodium lamps at the end of their life when their voltage passes
  what the ballast gives (Dynamic Ballast, above; "HPS Servicing Guide"), LED gear whose capacitor is gone (O. Duffy,
  "LED plate driver failure", 2022). Every 4 minutes to 3 hours, lit for 30 to 95 % of it.
- `by_day`: a relay that is welded: the lamp is fed though it is told off, and draws 10 to 100 % of its rated power.
  Only where the cabinet feeds by day too.
- `stuck`: an order that stays beyond its end, for the controller's clock is wrong or its programme gone.

Cabinets
- `photocell_lit`, `photocell_dark`: what switches the whole of it fails on or off (Long-Join, "Photocontrol failure
  mode selection"; the town of Southbury had streets lit by day from ten cabinets' sensors, 2020).
- `breaker`: of one circuit, for a short circuit in a column or a cable (Feuille d'avis de la vallee de Joux, 21 January
  2022) or an insulation that gave way (stchalifert.blogspot.com, January 2019).
- `residual`: the residual current device of all circuits; moisture in fittings makes it trip, mostly at the onset of
  rain, and some close again by themselves. In nine of ten it is wet.
- `contactor`: it does not hold, or does not close: all circuits are cut as by day.
- `supply`: the mains are gone.
- `cut`: a digger meets the cable, in working hours (more than 100,000 networks a year in France, says Visioreso): a
  short circuit that trips the breaker in six of ten, else the lamps beyond it are dark and no contact moves.
- `theft`: the cable is taken, from the columns, and no contact moves; seen by night and in plain day, for a switched
  circuit is dead by day (Syndicat d'energies de Maine-et-Loire; Haute-Savoie; Saint-Ave, 2023). In three of ten the
  cabinet was opened for it. Until it is laid again.
- `door`: of the cabinet, left open by day.
- `tap`: somebody draws from its circuits who is no lamp: a cable that was tapped, a market's stalls, a sign, lamps that
  nobody listed. 0.15 to 2.5 kW, for as long as the circuits are fed; hours to a week.

Lamps that lose their supply say so with their last breath, if it is heard: 20 to 100 % of those of one loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Protocol

import numpy as np

from vigie.core.arrays import floats, ints
from vigie.core.times import DAY_US, HOUR_US, SECOND_US
from vigie.sim.city.city import City
from vigie.sim.city.lighting import circuits_of
from vigie.sim.life.columns import Floats, Ints, Mask, key_of, struck, uniform
from vigie.sim.life.sky import Sky, dark, local_hour

_HOUR_S, _DAY_S = 3_600.0, 86_400.0
WET_US = 3 * HOUR_US
"""So long after rain things are wet."""


class Type(StrEnum):
    """What can be broken; see the module's own text."""

    SAID = "said"
    DEAD = "dead"
    STRING = "string"
    DRIFT = "drift"
    HEAT = "heat"
    SILENT = "silent"
    CYCLING = "cycling"
    BY_DAY = "by_day"
    STUCK = "stuck"
    PHOTOCELL_LIT = "photocell_lit"
    PHOTOCELL_DARK = "photocell_dark"
    BREAKER = "breaker"
    RESIDUAL = "residual"
    CONTACTOR = "contactor"
    SUPPLY = "supply"
    CUT = "cut"
    THEFT = "theft"
    DOOR = "door"
    TAP = "tap"


TYPES = tuple(Type)


@dataclass(frozen=True, slots=True)
class Nature:
    """What is thrown for a type.

    a_day: the chance that it begins on a day, for each lamp or cabinet of a town that is looked after. least_s, most_s:
    how long it stands. low, high: between which its size lies; what that is, the type says: the share of power that is
    left or drawn, watts, kelvin, the share of a period or of a circuit.
    """

    a_day: float
    least_s: float
    most_s: float
    low: float = 0.0
    high: float = 1.0


NATURES: dict[Type, Nature] = {
    Type.SAID: Nature(0.0011, _DAY_S, 6 * _DAY_S, 0.2, 4.0),
    Type.DEAD: Nature(0.0002, _DAY_S, 6 * _DAY_S, 0.2, 4.0),
    Type.STRING: Nature(0.0001, 2 * _DAY_S, 8 * _DAY_S, 0.15, 0.85),
    Type.DRIFT: Nature(0.00005, 3 * _DAY_S, 8 * _DAY_S, 1.12, 1.6),
    Type.HEAT: Nature(0.00005, _DAY_S, 6 * _DAY_S, 18.0, 50.0),
    Type.SILENT: Nature(0.0001, _DAY_S, 8 * _DAY_S),
    Type.CYCLING: Nature(0.0001, _DAY_S, 6 * _DAY_S, 0.3, 0.95),
    Type.BY_DAY: Nature(0.0001, _DAY_S, 4 * _DAY_S, 0.1, 1.0),
    Type.STUCK: Nature(0.0004, _DAY_S, 3 * _DAY_S),
    Type.PHOTOCELL_LIT: Nature(0.0002, 0.8 * _DAY_S, 3 * _DAY_S),
    Type.PHOTOCELL_DARK: Nature(0.0001, 0.8 * _DAY_S, 2 * _DAY_S),
    Type.BREAKER: Nature(0.0004, 2 * _HOUR_S, 20 * _HOUR_S),
    Type.RESIDUAL: Nature(0.0003, 0.4 * _HOUR_S, 14 * _HOUR_S),
    Type.CONTACTOR: Nature(0.0001, 3 * _HOUR_S, 24 * _HOUR_S),
    Type.SUPPLY: Nature(0.0009, 1_200.0, 3 * _HOUR_S),
    Type.CUT: Nature(0.00005, 4 * _HOUR_S, 30 * _HOUR_S, 0.0, 0.7),
    Type.THEFT: Nature(0.00003, _DAY_S, 8 * _DAY_S, 0.0, 0.5),
    Type.DOOR: Nature(0.006, 420.0, 2_400.0),
    Type.TAP: Nature(0.0002, 6 * _HOUR_S, 7 * _DAY_S, 150.0, 2_500.0),
}

OF_CABINETS = frozenset(TYPES[TYPES.index(Type.PHOTOCELL_LIT) :])
OF_ONE_CIRCUIT = frozenset({Type.BREAKER, Type.CUT, Type.THEFT})
LOSSES = frozenset({Type.BREAKER, Type.RESIDUAL, Type.CONTACTOR, Type.SUPPLY, Type.CUT, Type.THEFT})
"""What takes the supply from lamps that would have it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is broken: the label that a bench reads.

    index: the nth lamp, or the nth cabinet. circuit: of the cabinet, 0 for a lamp or for all circuits. size: see
    `Nature`. dice: from 0 to 1, for what else is chance about it.
    """

    type: Type
    index: int
    from_us: int
    until_us: int
    circuit: int = 0
    size: float = 0.0
    dice: float = 0.0

    @property
    def of_cabinet(self) -> bool:
        """Whether `index` is a cabinet's."""
        return self.type in OF_CABINETS


@dataclass(frozen=True, slots=True)
class Faults:
    """Some of them, in columns. type: index into TYPES."""

    type: Ints
    index: Ints
    from_us: Ints
    until_us: Ints
    circuit: Ints
    size: Floats
    dice: Floats

    def __len__(self) -> int:
        return len(self.type)

    def take(self, rows: Mask) -> Faults:
        """The rows chosen."""
        return Faults(*(getattr(self, each.name)[rows] for each in fields(self)))

    def of(self, *types: Type) -> Faults:
        """Those of some types."""
        return self.take(np.isin(self.type, [TYPES.index(each) for each in types]))

    def standing(self, at_us: int) -> Faults:
        """Those that stand at an instant."""
        return self.take((self.from_us <= at_us) & (at_us < self.until_us))

    def during(self, from_us: int, until_us: int) -> Faults:
        """Those that stand at any instant in [from, until)."""
        return self.take((self.from_us < until_us) & (self.until_us > from_us))

    def labels(self) -> list[Fault]:
        """One by one, the earliest first."""
        what, how = (
            zip(ints(self.type), ints(self.index), strict=True),
            zip(floats(self.size), floats(self.dice), strict=True),
        )
        spans = zip(ints(self.from_us), ints(self.until_us), ints(self.circuit), strict=True)
        made = [
            Fault(TYPES[sort], index, *span, *rest) for (sort, index), span, rest in zip(what, spans, how, strict=True)
        ]
        return sorted(made, key=lambda each: (each.from_us, each.type, each.index))

    @staticmethod
    def of_labels(labels: Sequence[Fault]) -> Faults:
        """The same, in columns."""

        def whole(column: list[int]) -> Ints:
            return np.array(column, np.int64)

        return Faults(
            whole([TYPES.index(each.type) for each in labels]),
            whole([each.index for each in labels]),
            whole([each.from_us for each in labels]),
            whole([each.until_us for each in labels]),
            whole([each.circuit for each in labels]),
            np.array([each.size for each in labels], np.float64),
            np.array([each.dice for each in labels], np.float64),
        )

    @staticmethod
    def joined(parts: Iterable[Faults]) -> Faults:
        """All of them, one after the other."""
        known = [*parts, NO_FAULTS]
        return Faults(*(np.concatenate([getattr(part, each.name) for part in known]) for each in fields(Faults)))


_NOTHING, _NO_REAL = np.empty(0, np.int64), np.empty(0)
NO_FAULTS = Faults(_NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING, _NO_REAL, _NO_REAL)


class Breakdowns(Protocol):
    """What breaks, and when."""

    def during(self, from_us: int, until_us: int) -> Faults:
        """All that stands at any instant in [from, until)."""
        ...


class Wear:
    """What breaks in a town that is looked after: a matter of chance, and of nothing but the seed."""

    def __init__(self, city: City, sky: Sky) -> None:
        self._city, self._sky = city, sky
        self._counts = {True: len(city.lighting.cabinet_xy), False: len(city.lighting.cabinet)}
        self._circuits = circuits_of(np.bincount(city.lighting.cabinet, minlength=self._counts[True]))
        self._keys = {each: (key_of(city.seed, f"lamp.{each}"), key_of(city.seed, f"size.{each}")) for each in TYPES}
        self._days: dict[tuple[Type, int], Faults] = {}

    def during(self, from_us: int, until_us: int) -> Faults:
        """What stands at any instant in [from, until)."""
        parts: list[Faults] = []
        for each in TYPES:
            back = int(NATURES[each].most_s * SECOND_US) // DAY_US + 1
            parts += [self._of_a_day(each, turn) for turn in range(from_us // DAY_US - back, until_us // DAY_US + 1)]
        return Faults.joined(parts).during(from_us, until_us)

    def _of_a_day(self, what: Type, turn: int) -> Faults:
        """What of a type begins on a day since the epoch."""
        if (what, turn) not in self._days:
            nature, (key, own) = NATURES[what], self._keys[what]
            who, begin, end = struck(
                key, self._counts[what in OF_CABINETS], turn, _DAY_S, nature.a_day, nature.least_s, nature.most_s
            )
            size = nature.low + uniform(own, who, turn * 3) * (nature.high - nature.low)
            circuit = np.zeros(len(who), np.int64)
            if what in OF_ONE_CIRCUIT:
                circuit = 1 + (uniform(own, who, turn * 3 + 1) * self._circuits[who]).astype(np.int64)
            made = Faults(
                np.full(len(who), TYPES.index(what)), who, begin.astype(np.int64), end.astype(np.int64), circuit, size,
                uniform(own, who, turn * 3 + 2),
            )  # fmt: skip
            self._days[what, turn] = made.take(self._can_be(what, made))
            if len(self._days) > 60 * len(TYPES):
                del self._days[next(iter(self._days))]
        return self._days[what, turn]

    def _can_be(self, what: Type, made: Faults) -> Mask:
        """Which of what chance has thrown can be: by the hour, the weather, and how the lamp is fed."""
        return np.array(
            [
                possible(self._city, self._sky, what, index, from_us, dice)
                for index, from_us, dice in zip(
                    ints(made.index), ints(made.from_us), made.dice.tolist(), strict=True
                )
            ],
            np.bool_,
        )  # fmt: skip


def possible(city: City, sky: Sky, what: Type, index: int, at_us: int, dice: float) -> bool:
    """Whether a thing can break so at an instant: by the hour, the weather, and how it is fed."""
    lighting = city.lighting
    match what:
        case Type.STRING:
            return bool(lighting.lamp[index] == 0)
        case Type.CYCLING:
            return bool(lighting.lamp[index] != 0 or dice < 0.25)
        case Type.BY_DAY:
            return not lighting.switched[lighting.cabinet[index]]
        case Type.CONTACTOR:
            return bool(lighting.switched[index])
        case Type.RESIDUAL:
            wet = sky.rain_mm_h(np.arange(at_us - WET_US, at_us, HOUR_US // 4)).max() > 0.2
            return bool(wet or dice < 0.1)
        case Type.CUT:
            return 7.5 < local_hour(at_us) < 17.5
        case Type.THEFT:
            return bool(lighting.switched[index]) or dark(at_us)
        case Type.DOOR:
            return 6 < local_hour(at_us) < 20
        case _:
            return True


class Told:
    """What somebody has written down to break."""

    def __init__(self, labels: Sequence[Fault]) -> None:
        self._faults = Faults.of_labels(labels)

    def during(self, from_us: int, until_us: int) -> Faults:
        """What stands at any instant in [from, until)."""
        return self._faults.during(from_us, until_us)
