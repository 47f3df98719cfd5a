"""A trial: so many things that break within some nights, each by itself, so that a bench can tell what was found.

What was thrown is all that breaks. No two of it are at one cabinet, so none hides another; circuits of fewer than
`LEAST_LAMPS` lamps are left alone, for the loss of such a one is the loss of its lamps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vigie.core.arrays import ints
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from vigie.sim.city import City
from vigie.sim.city.facts import COMMUNES
from vigie.sim.city.frame import dice
from vigie.sim.life.columns import Ints, Mask
from vigie.sim.life.faults import LOSSES, NATURES, OF_CABINETS, OF_ONE_CIRCUIT, Fault, Faults, Type, possible
from vigie.sim.life.lamps import policy_level
from vigie.sim.life.sky import LIGHTS_ELEVATION_DEG, Sky, local_hour, sun_elevation_deg
from vigie.sim.life.state import rhythm

SHARES: Mapping[Type, int] = {
    Type.SAID: 30, Type.DEAD: 40, Type.STRING: 30, Type.DRIFT: 30, Type.HEAT: 25, Type.SILENT: 30, Type.CYCLING: 30,
    Type.BY_DAY: 25, Type.PHOTOCELL_LIT: 8, Type.PHOTOCELL_DARK: 8, Type.BREAKER: 10, Type.RESIDUAL: 8,
    Type.CONTACTOR: 6, Type.SUPPLY: 8, Type.CUT: 6, Type.THEFT: 6,
}  # fmt: skip
"""Of 300, so many of each type."""
LEAST_LAMPS = 5
_BY_CONTACT = frozenset({Type.BREAKER, Type.RESIDUAL, Type.CONTACTOR, Type.SUPPLY})
_TRIES = 4_000
_SETTLED_US = 12 * HOUR_US
_SAMPLE_US = 5 * MINUTE_US


def throw(city: City, seed: int, from_us: int, nights: int, count: int) -> list[Fault]:
    """So many faults that begin within some nights, the earliest first.

    None begins in the first half day, in which everything is heard for the first time, nor in the last day, so that a
    night lies behind each. Raises ValueError where the city has no room for so many.
    """
    rng, sky, lighting = dice(seed, "trial"), Sky(city.seed), city.lighting
    free = np.bincount(lighting.cabinet, minlength=len(lighting.cabinet_xy)) >= LEAST_LAMPS
    first_us, last_us = from_us + _SETTLED_US, from_us + (nights - 1) * DAY_US
    if last_us <= first_us:
        raise ValueError("a trial takes two nights at least")
    thrown: list[Fault] = []
    for what in _types(count):
        for _ in range(_TRIES):
            fault = _one(city, rng, what, int(rng.integers(first_us, last_us)))
            cabinet = cabinet_of(city, fault)
            if free[cabinet] and possible(city, sky, what, fault.index, fault.from_us, fault.dice):
                free[cabinet] = False
                thrown.append(fault)
                break
        else:
            raise ValueError(f"no room for a fault of type {what}")
    return sorted(thrown, key=lambda each: (each.from_us, each.type, each.index))


def _types(count: int) -> list[Type]:
    """So many types in their shares; what is left of a fraction goes to those that lost most of one."""
    whole = sum(SHARES.values())
    number = {each: share * count // whole for each, share in SHARES.items()}
    left = sorted(SHARES, key=lambda each: number[each] - SHARES[each] * count / whole)
    for each in left[: count - sum(number.values())]:
        number[each] += 1
    return [each for each, many in number.items() for _ in range(many)]


def _one(city: City, rng: np.random.Generator, what: Type, at_us: int) -> Fault:
    lighting, nature = city.lighting, NATURES[what]
    index = int(rng.integers(len(lighting.cabinet_xy) if what in OF_CABINETS else len(lighting.cabinet)))
    circuit = 0
    if what in OF_ONE_CIRCUIT:
        circuit = int(rng.choice(lighting.circuit[lighting.cabinet == index]))
    length_us = int(rng.uniform(nature.least_s, nature.most_s) * SECOND_US)
    size, chance = rng.uniform(nature.low, nature.high), rng.random()
    return Fault(what, index, at_us, at_us + length_us, circuit, float(size), float(chance))


def cabinet_of(city: City, fault: Fault) -> int:
    """The cabinet that a fault is at."""
    return fault.index if fault.of_cabinet else int(city.lighting.cabinet[fault.index])


@dataclass(frozen=True, slots=True)
class Shown:
    """When a fault shows at all: for how long the lamps of it would be otherwise, and how many reports fall into that.

    since_us: when that began, -1 for never.
    """

    since_us: int
    seconds: float
    reports: float


def shown(city: City, fault: Fault, until_us: int, lamp_s: float) -> Shown:
    """How much of a fault can be seen until an instant by lamps that report each `lamp_s`, whoever looks.

    A lamp that is dead shows it while it is to be lit; a welded one and a photocell that is stuck lit, while all is to
    be dark; a loss of supply and a dead radio, while there is supply to lose or something to say.
    """
    at_us = np.arange(fault.from_us, max(min(fault.until_us, until_us), fault.from_us + 1), _SAMPLE_US)
    lit, fed = _lit(city, fault, at_us)
    match fault.type:
        case Type.SILENT:
            seen = fed
        case Type.BY_DAY | Type.PHOTOCELL_LIT:
            seen = ~lit
        case each if each in LOSSES:
            seen = fed
        case _:
            seen = lit
    seconds = float(seen.sum()) * _SAMPLE_US / SECOND_US
    return Shown(int(at_us[seen][0]) if seen.any() else -1, seconds, seconds / lamp_s)


def _lit(city: City, fault: Fault, at_us: Ints) -> tuple[Mask, Mask]:
    """When the lamps of a fault are to be lit, and when their cabinet is to feed them."""
    lighting, cabinet = city.lighting, cabinet_of(city, fault)
    night = sun_elevation_deg(at_us) < LIGHTS_ELEVATION_DEG
    slug = COMMUNES[int(lighting.cabinet_commune[cabinet])].slug
    level = np.array([policy_level(slug, local_hour(each)) for each in ints(at_us)])
    return night & (level > 0), night | ~lighting.switched[cabinet]


def unseen(city: City, fault: Fault, until_us: int, lamp_s: float) -> str:
    """Why a fault cannot be told by anybody from what is reported so often; empty for one that can.

    One report may be lost, and may be a chance: so two of them must fall into the time in which it shows; one, where a
    contact of the cabinet says it in so many words. One that cycles has to start again twice, for once may be a moment
    without supply.
    """
    seen, least = shown(city, fault, until_us, lamp_s), 1 if fault.type in _BY_CONTACT else 2
    if seen.reports < least:
        return f"shows for {seen.seconds / 60:.0f} min, in which fewer than {least} reports fall"
    if fault.type is Type.CYCLING:
        period_s = float(rhythm(Faults.of_labels([fault]))[0][0]) / SECOND_US
        if seen.seconds < 2 * period_s:
            return f"starts again each {period_s / 60:.0f} min, and shows for {seen.seconds / 60:.0f} min"
    return ""
