"""What lamps draw, and what the meter of a cabinet makes of it.

A meter shows the lamps, what the cabinet needs itself, and what its cables turn into heat: at full load 0.5 to 2.5 %,
for the standard NF C 15-100 lets the voltage fall by 3 % on the way to a lamp. Load lost so grows with the square.
And it shows them as wrong as its class allows: of class 2 (EN 50470-3 class A), by up to 2 % either way, for good.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vigie.core.times import SECOND_US
from vigie.sim.city.city import City
from vigie.sim.life.columns import Floats, Ints, Mask, drift, key_of, uniform
from vigie.sim.life.state import State

VOLTS = 230.0
_LED = 0
_RUN_UP_US = 100 * SECOND_US
_RUN_UP_LONGEST_US = 40 * _RUN_UP_US
"""After which what is still to come is less than a number can hold."""
_TOO_WARM_C, _GIVES_LESS_PER_K = 85.0, 0.02
_WARM_K, _HOUSING_K = 26.0, 3.0
_COIL_W = 5.0


@dataclass(frozen=True, slots=True)
class Lit:
    """What lamps are at, in columns of one length. level: in per cent, as they are told. lit_us: since when they give
    light, -1 for those that do not. fed: have their supply."""

    level: Floats
    lit_us: Ints
    fed: Mask


class Power:
    """The lamps and cabinets of a city as electrical loads."""

    def __init__(self, city: City) -> None:
        lighting = city.lighting
        lamps, cabinets = np.arange(len(lighting.cabinet)), np.arange(len(lighting.cabinet_xy))
        key = key_of(city.seed, "lamp.power")
        self._cabinet, self._rated_w, self._led = lighting.cabinet, lighting.power_w, lighting.lamp == _LED
        # Makers grant 10 % on rated power (IEC 62722-2-1); lamps of one street are of one make, and dim by one curve.
        self._own = 0.92 + 0.16 * uniform(key, lamps, 0)
        curve = uniform(key, lighting.arc, 1)
        self._least = np.where(self._led, 0.04 + 0.06 * curve, 0.12 + 0.13 * curve)
        self._standby_w = 0.3 + 0.9 * uniform(key, lamps, 2)
        self.offset_k = 8 * uniform(key, lamps, 3) - 4
        self._needs_w = 3 + 9 * uniform(key, cabinets, 4) + _COIL_W * lighting.switched
        full_w = np.bincount(self._cabinet, self._rated_w, len(cabinets))
        self._lost_per_w = (0.005 + 0.02 * uniform(key, cabinets, 5)) / full_w
        self._meter = 0.98 + 0.04 * uniform(key, cabinets, 6)
        self._volts_key = key_of(city.seed, "lamp.volts")

    def lamps_w(self, who: Ints | slice, at_us: Ints | int, lit: Lit, state: State, air_c: float) -> Floats:
        """What lamps draw, each at its instant, in watts. air_c: the temperature outside."""
        at_us = np.broadcast_to(np.asarray(at_us, np.int64), lit.lit_us.shape)
        round_us = state.period_us[who]
        burning_us = at_us - lit.lit_us
        gives = lit.lit_us >= 0
        cycling = np.flatnonzero(round_us)
        if len(cycling):
            burning_us[cycling] %= round_us[cycling]
            gives[cycling] &= burning_us[cycling] < state.on_us[who][cycling]
        least = self._least[who]
        share = np.where(lit.level > 0, least + (1 - least) * lit.level / 100, state.by_day[who]) * self._own[who]
        gain = state.gain[who]
        other = np.flatnonzero(gain != 1)
        grown = np.clip((at_us[other] - state.from_us[who][other]) / state.grows_us[who][other], 0, 1)
        share[other] *= 1 + (gain[other] - 1) * grown
        # An arc takes minutes to be what it will be; LEDs are at once.
        arcs = np.flatnonzero(~self._led[who] & (burning_us < _RUN_UP_LONGEST_US))
        share[arcs] *= 1 - 0.5 * np.exp(-np.maximum(burning_us[arcs], 0) / _RUN_UP_US)
        heat_k = state.heat_k[who]
        hot = np.flatnonzero(heat_k)
        if len(hot):
            warm = air_c + _HOUSING_K + self.offset_k[who][hot] + share[hot] * (_WARM_K + heat_k[hot])
            share[hot] *= np.clip(1 - (warm - _TOO_WARM_C) * _GIVES_LESS_PER_K, 0.5, 1)
        idle_w = np.where(state.dead[who], state.left_w[who], self._standby_w[who])
        return np.where(lit.fed, np.where(gives, share * self._rated_w[who], idle_w), 0.0)

    def warm_k(self, who: Ints, watts: Floats, state: State) -> Floats:
        """How much warmer than the air the gear of lamps is that draw so much."""
        share = watts / self._rated_w[who]
        return _HOUSING_K + self.offset_k[who] + share * (_WARM_K + state.heat_k[who])

    def cabinets(
        self, lamps_w: Floats, tapped_w: Floats, level: Floats, mains: Mask, at_us: int
    ) -> tuple[Floats, Floats]:
        """What the meters of all cabinets show in watts, and the current of their circuits in amperes. tapped_w: what
        others than lamps draw from them. mains: which have them."""
        count = len(mains)
        load_w = np.bincount(self._cabinet, lamps_w, count) + tapped_w
        share = np.clip(lamps_w / self._rated_w, 0, 1)
        # Light loads are less well corrected; gear that waits is little more than its filter.
        factor = np.where(level > 0, np.where(self._led, 0.97 - 0.35 * (1 - share) ** 2, 0.88), 0.45)
        apparent_va = np.bincount(self._cabinet, lamps_w / factor, count) + tapped_w
        volts = VOLTS * (1 + 0.03 * drift(self._volts_key, np.arange(count), at_us, 5_400.0))
        power_w = load_w + self._lost_per_w * load_w**2 + self._needs_w
        return np.where(mains, power_w * self._meter, 0.0), np.where(mains, apparent_va / volts, 0.0)
