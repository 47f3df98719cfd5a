"""Which gateway speaks for which cabinet, and so for which lamps: a lamp goes with the cabinet that feeds it."""

from __future__ import annotations

import numpy as np

from vigie.core.arrays import ints
from vigie.sim.city import City
from vigie.sim.city.facts import COMMUNES

LAMPS_A_GATEWAY = 1_000
"""What a commune's lamps are divided by, rounded: so many gateways it has, and one at least."""


def lighting_gateways(city: City) -> dict[str, list[str]]:
    """By kind, the gateway of each luminaire and of each cabinet, by its number. A commune with several gateways has
    its cabinets, which are numbered by neighbourhood, cut into pieces of about as many lamps."""
    lighting = city.lighting
    lamps = np.bincount(lighting.cabinet, minlength=len(lighting.cabinet_xy))
    names = [""] * len(lamps)
    for number, commune in enumerate(COMMUNES):
        own = np.flatnonzero(lighting.cabinet_commune == number)
        total = int(lamps[own].sum())
        pieces = max(1, round(total / LAMPS_A_GATEWAY))
        before = np.cumsum(lamps[own]) - lamps[own]
        for cabinet, piece in zip(ints(own), ints(before * pieces // max(1, total)), strict=True):
            names[cabinet] = f"lighting-{commune.slug}" + (f"-{piece + 1}" if pieces > 1 else "")
    return {"luminaire": [names[cabinet] for cabinet in ints(lighting.cabinet)], "cabinet": names}
