"""The markets of the demo, and its year's calendar of works."""

from __future__ import annotations

from vigie.core.arrays import ints
from vigie.services.roads.works.coordination import Coordination
from vigie.services.roads.works.occasions import Occasion
from vigie.sim.city import City
from vigie.sim.city.facts import COMMUNES
from vigie.sim.city.inventory import AREAS, asset_id
from vigie.sim.city.markets import MARKETS, streets_of


def markets(city: City) -> list[Occasion]:
    """The markets of three communes, each in small streets at its middle."""
    slugs = [commune.slug for commune in COMMUNES]
    return [_market(city, name, slugs.index(commune), hours) for name, commune, hours in MARKETS]


def calendar(year: int) -> Coordination:
    """The calendar of the year that comes after one."""
    return Coordination(year + 1, f"{year + 1}-01-31")


def _market(city: City, name: str, commune: int, hours: str) -> Occasion:
    streets = tuple(asset_id("street", arc) for arc in ints(streets_of(city.network, commune)))
    return Occasion(name, "market", streets, AREAS[commune], hours)
