"""The town itself: its communes, districts, streets and buildings."""

from vigie.core.calendar import day_number
from vigie.core.kinds import AssetKind, Shape, Sort, attribute
from vigie.core.service import Service


class Commune(AssetKind, name="commune", service="places", shape=Shape.SURFACE, public=True, area=True):
    """A municipality of the metropolis."""

    population = attribute(Sort.NUMBER)
    insee = attribute()


class District(AssetKind, name="district", service="places", shape=Shape.SURFACE, public=True, area=True):
    """A part of a commune."""


def _check_day(text: str) -> None:
    day_number(text)


class Street(AssetKind, name="street", service="places", shape=Shape.LINE, public=True, street=True):
    """A stretch of a street between two nodes; streets of one name are many of these. surfaced: the day on which its
    surface was laid, such as 2025-06-30."""

    street_class = attribute(Sort.CHOICE, choices=("motorway", "primary", "secondary", "local", "path"))
    length = attribute(Sort.NUMBER, unit="m")
    one_way = attribute(Sort.FLAG)
    speed_limit = attribute(Sort.NUMBER, unit="km/h")
    surfaced = attribute(check=_check_day)


class Building(AssetKind, name="building", service="places", shape=Shape.SURFACE, public=True):
    """A building, drawn on the map."""

    height = attribute(Sort.NUMBER, unit="m")


class Crossing(AssetKind, name="crossing", service="places", public=True):
    """A pedestrian crossing."""


class Water(AssetKind, name="water", service="places", shape=Shape.SURFACE, public=True):
    """A lake, a canal or a river's bed."""


class Green(AssetKind, name="green", service="places", shape=Shape.SURFACE, public=True):
    """A park, a garden or a wood."""


service = Service(name="places", assets=(Commune, District, Street, Building, Crossing, Water, Green))
