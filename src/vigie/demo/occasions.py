"""The markets of the demo, and its year's calendar of works."""

from __future__ import annotations

import numpy as np

from vigie.core.arrays import ints
from vigie.services.roads.works.coordination import Coordination
from vigie.services.roads.works.occasions import Occasion
from vigie.sim.city import City
from vigie.sim.city.facts import COMMUNES
from vigie.sim.city.inventory import AREAS, asset_id
from vigie.sim.city.network import LOCAL

MARKETS = (
    ("Marché du centre", "dijon", "tue 06:00-14:00; fri-sat 06:00-14:00"),
    ("Marché de Quetigny", "quetigny", "thu 07:00-13:00"),
    ("Marché de Chenôve", "chenove", "sun 07:00-13:00"),
)
"""Name, commune, hours."""

STREETS_EACH = 3


def markets(city: City) -> list[Occasion]:
    """The markets of three communes, each in small streets at its middle."""
    slugs = [commune.slug for commune in COMMUNES]
    return [_market(city, name, slugs.index(commune), hours) for name, commune, hours in MARKETS]


def calendar(year: int) -> Coordination:
    """The calendar of the year that comes after one."""
    return Coordination(year + 1, f"{year + 1}-01-31")


def _market(city: City, name: str, commune: int, hours: str) -> Occasion:
    network = city.network
    own = np.flatnonzero((network.commune == commune) & (network.rank == LOCAL))
    nearest = own[np.argsort(network.centre_m[own], kind="stable")[:STREETS_EACH]]
    streets = tuple(asset_id("street", arc) for arc in ints(nearest))
    return Occasion(name, "market", streets, AREAS[commune], hours)
