"""What each lamp has been given in a night: raises are told apart, counted and summed in one way for all who ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from vigie.core.observations import Int64s, Mask
from vigie.core.plans import Given
from vigie.core.service import Numbers
from vigie.core.times import MINUTE_US, to_us
from vigie.services.lighting.kinds import UNTIL
from vigie.services.lighting.ondemand.model import OnDemand


@dataclass(frozen=True, slots=True)
class Added:
    """What an order added to each of its lamps: whether a raise began with it, and how much longer it lasts."""

    begun: Mask
    longer_us: Int64s


class Tally:
    """What each lamp has been given tonight, by its number. until_us: of its last raise. level: what it was raised to
    last. word_us: until when what it said by itself holds, before it was raised. leave: whether it may burn where its
    programme has it out."""

    def __init__(self) -> None:
        self.until_us, self.raised_us, self.raises, self.word_us = (np.zeros(1_024, np.int64) for _ in range(4))
        self.level, self.leave = np.zeros(1_024), np.ones(1_024, np.bool_)

    def fit(self, numbers: Numbers) -> None:
        """Makes room for these numbers."""
        more = int(numbers.max(initial=0)) + 1 - len(self.level)
        if more > 0:
            for name in ("until_us", "raised_us", "raises", "word_us", "leave", "level"):
                setattr(self, name, np.pad(getattr(self, name), (0, more + len(self.level))))

    def give(self, numbers: Numbers, at_us: int, until_us: Int64s | int, level: float, *, leave: bool = True) -> Added:
        """They are raised until instants that are no earlier than before. leave: as it was; where that is not known any
        more, no raise is ended for want of it."""
        self.fit(numbers)
        begun = self.until_us[numbers] <= at_us
        longer_us = np.maximum(until_us - np.maximum(self.until_us[numbers], at_us), 0)
        self.raises[numbers] += begun
        self.raised_us[numbers] += longer_us
        self.until_us[numbers] = np.maximum(self.until_us[numbers], until_us)
        self.level[numbers], self.leave[numbers] = level, leave
        return Added(begun, longer_us)

    def end(self, numbers: Numbers, at_us: int) -> Added:
        """Their raises are ended early: what was left of them was not given."""
        self.fit(numbers)
        left_us = np.maximum(self.until_us[numbers] - at_us, 0)
        self.raised_us[numbers] -= left_us
        self.until_us[numbers] -= left_us
        return Added(np.zeros(len(numbers), np.bool_), -left_us)

    def note(self, given: Given, *, leave: bool = True) -> Added:
        """What was given: now, or before, as it is on disk. leave: see `give`."""
        if UNTIL.name not in given.params:
            return self.end(given.assets, given.at_us)
        until_us = to_us(datetime.fromisoformat(str(given.params[UNTIL.name])))
        return self.give(given.assets, given.at_us, until_us, float(given.params["level"]), leave=leave)

    def spent(self, lamps: Numbers, body: OnDemand, until_us: Int64s | int, now_us: int) -> Mask:
        """Which of some lamps would have more than their night with a raise until then."""
        before_us = self.until_us[lamps]
        lasts_us = until_us - np.maximum(before_us, now_us)
        too_often = self.raises[lamps] + (before_us <= now_us) > body.raises_max
        return too_often | (self.raised_us[lamps] + lasts_us > body.minutes_max * MINUTE_US)

    def forget(self) -> None:
        """A new night."""
        self.raised_us[:], self.raises[:] = 0, 0


def within(given: Sequence[Given], begin_us: int, end_us: int) -> list[Given]:
    """Of some orders those of a night."""
    return [each for each in given if begin_us <= each.at_us < end_us]
