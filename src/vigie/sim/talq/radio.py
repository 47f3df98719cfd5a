"""Between a gateway and its lamps: a message may be lost either way, and what is not answered is said again.

So does a gateway on a mesh or a long-range radio network with confirmed downlinks: it repeats an order until the lamp's
own answer has come, or until it has tried often enough.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vigie.core.kinds import Point
from vigie.core.times import SECOND_US
from vigie.services.lighting.kinds import Luminaire
from vigie.sim.life.columns import Floats, Ints, Mask, key_of, uniform
from vigie.sim.life.lamps import LampLife

REPEAT_US = 4 * SECOND_US
"""A lamp hears, does it and has said so within this time, if nothing is lost."""
TRIES = 5


class Radio:
    """All lamps of a city, and what they have not answered yet."""

    def __init__(self, lamps: LampLife, seed: int, lost: float) -> None:
        """lost: the share of messages, each way. Nothing is lost, and so nothing repeated, at 0."""
        self._lamps, self._lost = lamps, lost
        self._down, self._up = key_of(seed, "radio.down"), key_of(seed, "radio.up")
        count = len(lamps.level)
        self._tries = np.zeros(count, np.int64)
        self._again_us = np.zeros(count, np.int64)
        self._wanted, self._level = np.full(count, np.nan), np.full(count, np.nan)

    def order(self, lamps: Ints, level: float, at_us: int) -> None:
        """Sets lamps to a level until they are released; not a number is their release."""
        self._tries[lamps], self._wanted[lamps] = TRIES, level
        self._send(lamps, at_us)

    def heard(self, lamps: Ints, said_us: Ints) -> Mask:
        """Whether what each says comes to its gateway. All that a lamp says at one instant is one message."""
        if not self._lost:
            return np.ones(len(lamps), np.bool_)
        return uniform(self._up, lamps, said_us // 1_000) >= self._lost

    def answered(self, point: Point[Any], lamps: Ints, value: Floats) -> None:
        """What gateways have heard. A lamp says its level first and then what rules it: who is where it was told last
        to be has heard that."""
        if point is Luminaire.level:
            self._level[lamps] = value
        elif point is Luminaire.control:
            ordered, wanted = value == Luminaire.control.code("order"), self._wanted[lamps]
            self._tries[lamps[np.where(np.isnan(wanted), ~ordered, ordered & (self._level[lamps] == wanted))]] = 0

    def tick(self, now_us: int) -> None:
        """Time has passed: what was not answered in time is said again."""
        due = np.flatnonzero((self._tries > 0) & (self._again_us <= now_us))
        if len(due):
            self._send(due, now_us)

    def _send(self, lamps: Ints, at_us: int) -> None:
        if not self._lost:
            self._tries[lamps] = 0
        else:
            self._tries[lamps] -= 1
            self._again_us[lamps] = at_us + REPEAT_US
            lamps = lamps[uniform(self._down, lamps, at_us // 1_000) >= self._lost]
        for level in np.unique(self._wanted[lamps]):
            alike = lamps[np.isnan(self._wanted[lamps]) if np.isnan(level) else self._wanted[lamps] == level]
            self._lamps.order_lamps(alike, float(level), at_us, held=not np.isnan(level))
