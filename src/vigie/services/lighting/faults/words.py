"""What devices say of themselves, taken at their word and at once: a lamp that is out, a cabinet without supply."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vigie.core.observations import Mask
from vigie.core.service import Change, City, Clear, Effect, Raise, Step
from vigie.core.watch import watching
from vigie.services.lighting.conditions import CIRCUIT_LOST, LAMP_OUT, SUPPLY_LOST, WATCHES
from vigie.services.lighting.faults.reports import NONE, OWN_WORDS
from vigie.services.lighting.kinds import Cabinet, Luminaire

LOST = float(Cabinet.supply.code("lost"))

_DARK_W = 2.5
"""What a controller draws on its own, at most: no more than that beside a level is darkness."""

_watched: Step = watching(*WATCHES)


def step(changes: Sequence[Change], city: City, now_us: int) -> list[Effect]:
    """What a service of lighting does when a device speaks."""
    effects = _watched(changes, city, now_us)
    for change in changes:
        if change.point is Luminaire.fault:
            effects += _lamp_words(change, city)
        elif change.point is Cabinet.supply:
            effects += _supply_words(change, city)
    return effects


def _lamp_words(change: Change, city: City) -> list[Effect]:
    """A lamp that says it is out is; one that takes it back is not, unless it is seen to be dark by its power. Its last
    breath takes nothing back."""
    says, said = np.isin(change.value, OWN_WORDS), np.isin(change.before, OWN_WORDS)
    well = said & (change.value == NONE)
    is_open = city.is_open(LAMP_OUT, change.asset)
    effects: list[Effect] = []
    for row in np.flatnonzero(says & ~is_open).tolist():
        word = Luminaire.fault.choices[int(change.value[row])]
        evidence = {"fault": word, "confidence": 95.0 if word != "unknown" else 80.0}
        effects.append(Raise(LAMP_OUT, int(change.asset[row]), int(change.observed_us[row]), evidence))
    for row in np.flatnonzero(is_open & well & ~_dark(change, city)).tolist():
        effects.append(Clear(LAMP_OUT, int(change.asset[row]), int(change.observed_us[row])))
    return effects


def _dark(change: Change, city: City) -> Mask:
    level = city.value(Luminaire, Luminaire.level, change.asset)
    power = city.value(Luminaire, Luminaire.power, change.asset)
    return (level > 0) & (power <= _DARK_W)


def _supply_words(change: Change, city: City) -> list[Effect]:
    """A cabinet without supply is one alarm: where its circuits were found to be lost a moment before, it is that
    one."""
    lost = change.value == LOST
    is_open, known = city.is_open(SUPPLY_LOST, change.asset), city.is_open(CIRCUIT_LOST, change.asset)
    effects: list[Effect] = []
    for row in np.flatnonzero(lost & ~is_open & ~known).tolist():
        evidence = {"supply": "lost", "confidence": 99.0}
        effects.append(Raise(SUPPLY_LOST, int(change.asset[row]), int(change.observed_us[row]), evidence))
    for row in np.flatnonzero(is_open & ~lost).tolist():
        effects.append(Clear(SUPPLY_LOST, int(change.asset[row]), int(change.observed_us[row])))
    return effects
