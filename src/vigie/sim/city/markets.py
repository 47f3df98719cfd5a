"""The markets of three communes: when they are held, and in which streets."""

from __future__ import annotations

import numpy as np

from vigie.core import hours
from vigie.sim.city.facts import COMMUNES
from vigie.sim.city.frame import Ints
from vigie.sim.city.network import LOCAL, Network

MARKETS = (
    ("Marché du centre", "dijon", "tue 06:00-14:00; fri-sat 06:00-14:00"),
    ("Marché de Quetigny", "quetigny", "thu 07:00-13:00"),
    ("Marché de Chenôve", "chenove", "sun 07:00-13:00"),
)
"""Name, commune, hours."""

STREETS_EACH = 3


def streets_of(network: Network, commune: int) -> Ints:
    """The small streets at the middle of a commune in which its market is held."""
    own = np.flatnonzero((network.commune == commune) & (network.rank == LOCAL))
    return own[np.argsort(network.centre_m[own], kind="stable")[:STREETS_EACH]]


def held(network: Network) -> dict[int, tuple[int, ...]]:
    """On which weekdays, from Monday on, there is a market in each of the streets that have one."""
    slugs = [commune.slug for commune in COMMUNES]
    return {
        arc: tuple(day for day, spans in enumerate(hours.read(when)) if spans)
        for _, commune, when in MARKETS
        for arc in streets_of(network, slugs.index(commune)).tolist()
    }
