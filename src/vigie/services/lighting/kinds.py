"""What lighting owns."""

from vigie.core.kinds import Action, AssetKind, Hazard, Param, Proof, Sort, attribute, choice, flag, number
from vigie.services.lighting.programmes.model import CLASSES

LIGHTS = ("road", "crossing", "school_route", "path", "park", "tunnel", "car_park", "heritage")
"""What stands under a lamp, as far as it decides what may be done with it."""

_LAMP_REPORT_S = 1_800.0
"""Lamps report each 15 minutes; one report may be lost before a value is old."""


class Luminaire(AssetKind, name="luminaire", service="lighting", shown="level", public=True):
    """A light point: one head on its support.

    lighting_class: of EN 13201-2. category: of article 1 of the order of 27 December 2018.
    """

    lamp = attribute()
    lighting_class = attribute(Sort.CHOICE, choices=CLASSES)
    lights = attribute(Sort.CHOICE, choices=LIGHTS)
    category = attribute(Sort.CHOICE, choices=("a", "b", "c", "d", "e", "f", "g"))
    rated_power = attribute(Sort.NUMBER, unit="W")
    flux = attribute(Sort.NUMBER, unit="lm")
    colour_temperature = attribute(Sort.NUMBER, unit="K")
    upward_light_share = attribute(Sort.NUMBER, unit="%")
    flux_code_3 = attribute(Sort.NUMBER)
    installed = attribute()

    level = number(unit="%", low=0, high=100, valid_s=_LAMP_REPORT_S)
    power = number(unit="W", low=0, high=5_000, valid_s=_LAMP_REPORT_S)
    fault = choice("none", "lamp", "driver", "supply", "unknown", valid_s=_LAMP_REPORT_S)
    driver_temperature = number(unit="Cel", low=-60, high=150, valid_s=_LAMP_REPORT_S)

    dim = Action(
        params=(Param("level", unit="%", low=0, high=100),),
        proof=Proof("level", param="level", tolerance=1.0),
    )


class Cabinet(AssetKind, name="cabinet", service="lighting", shown="supply"):
    """A street cabinet: it feeds circuits of luminaires, and meters them."""

    circuits = attribute(Sort.NUMBER)
    rating = attribute(Sort.NUMBER, unit="A")
    phases = attribute(Sort.NUMBER)
    switching = attribute(Sort.CHOICE, choices=("permanent", "switched"))

    supply = choice("on", "off", "lost", valid_s=_LAMP_REPORT_S)
    door = choice("closed", "open", valid_s=_LAMP_REPORT_S)
    power = number(unit="W", low=0, high=200_000, valid_s=_LAMP_REPORT_S)
    energy = number(unit="kWh", low=0, valid_s=_LAMP_REPORT_S)
    full_light = flag(valid_s=_LAMP_REPORT_S)

    set_full_light = Action(
        params=(Param("on", Sort.FLAG),), proof=Proof("full_light", param="on"), hazard=Hazard.CONFIRM
    )
