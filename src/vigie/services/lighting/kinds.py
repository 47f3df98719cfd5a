"""What lighting owns."""

from vigie.core.kinds import (
    Action,
    AssetKind,
    Default,
    Hazard,
    Hold,
    Keeper,
    Pace,
    Param,
    Preset,
    Proof,
    Sort,
    attribute,
    choice,
    flag,
    number,
)
from vigie.services.lighting.programmes.model import CLASSES

LIGHTS = ("road", "crossing", "school_route", "path", "park", "tunnel", "car_park", "heritage")
"""What stands under a lamp, as far as it decides what may be done with it."""

_LAMP_REPORT_S = 1_800.0
"""Lamps report each 15 minutes; one report may be lost before a value is old."""

_SENSOR_REPORT_S = 7_200.0
"""A sensor speaks when something changes, and at night that may be seldom."""

UNTIL = Param("until", Sort.INSTANT, default=Default.DAWN, ahead_s=48 * 3_600)
"""Until when what an order sets lasts. Longer than two nights is a programme's business."""

FADE = Param("fade", unit="s", low=0, high=60, default=Default.UNSAID)
"""How long the change of level takes. Whoever cannot be told does it as it is set up."""

_LIGHT = "light"
"""What orders to a luminaire decide: of a level and a release, the newer counts."""

_AT_ONCE, _EVERY_S = 8, 1.5
"""So many luminaires of a cabinet are lit within so many seconds. For some hundred microseconds a driver draws tens of
times its rated current, and what their makers let one breaker of 16 A start at once is of the order of ten."""


class Luminaire(AssetKind, name="luminaire", service="lighting", shown="level", public=True):
    """A light point: one head on its support.

    control: what rules its level now; "local" is whatever is decided on the spot, such as by a key in the cabinet.
    switch_ons, burning: how often it was lit, and for how many hours, since it was installed; both begin anew where a
    controller is replaced. circuit: which outgoing circuit of its cabinet feeds it, from 1. lighting_class: of EN
    13201-2. category: of article 1 of the order of 27 December 2018. upward_light_share, flux_code_3: as the maker
    states them (ULR; CIE flux code no. 3). installed: when the head was, a day, a month or a year (2021-05-12).
    lit_area: the ground that it is meant to light. setting: within the signs at which the town begins, or outside.
    former_power: of the lamp that it took the place of, as printed on it, without its gear: what a saving is reckoned
    against.
    """

    lamp = attribute()
    lighting_class = attribute(Sort.CHOICE, choices=CLASSES)
    lights = attribute(Sort.CHOICE, choices=LIGHTS)
    category = attribute(Sort.CHOICE, choices=("a", "b", "c", "d", "e", "f", "g"))
    rated_power = attribute(Sort.NUMBER, unit="W")
    flux = attribute(Sort.NUMBER, unit="lm")
    colour_temperature = attribute(Sort.NUMBER, unit="K")
    upward_light_share = attribute(Sort.NUMBER, unit="%")
    flux_code_3 = attribute(Sort.NUMBER, unit="%")
    installed = attribute()
    lit_area = attribute(Sort.NUMBER, unit="m2")
    setting = attribute(Sort.CHOICE, choices=("in_town", "out_of_town"))
    circuit = attribute(Sort.NUMBER)
    former_power = attribute(Sort.NUMBER, unit="W")

    level = number(unit="%", low=0, high=100, valid_s=_LAMP_REPORT_S)
    power = number(unit="W", low=0, high=5_000, valid_s=_LAMP_REPORT_S)
    fault = choice("none", "lamp", "driver", "supply", "unknown", valid_s=_LAMP_REPORT_S)
    driver_temperature = number(unit="Cel", low=-60, high=150, valid_s=_LAMP_REPORT_S)
    control = choice("programme", "order", "full_light", "local", valid_s=_LAMP_REPORT_S)
    switch_ons = number(low=0, valid_s=_LAMP_REPORT_S)
    burning = number(unit="h", low=0, valid_s=_LAMP_REPORT_S)

    dim = Action(
        params=(Param("level", unit="%", low=0, high=100), UNTIL, FADE),
        proof=Proof("level", param="level", tolerance=1.0),
        settles=_LIGHT,
        holds=Hold(
            until=UNTIL.name, point="control", held="order", free="programme", ends="release",
            grace_s=_LAMP_REPORT_S, overdue="not_returned",
        ),
        pace=Pace(at_once=_AT_ONCE, every_s=_EVERY_S, point="level", param="level"),
        presets=(Preset(name="work_zone", params=(("level", 100.0),), lasts_s=7_200.0),),
    )  # fmt: skip
    release = Action(
        proof=Proof("control", equals="programme"),
        settles=_LIGHT,
        # What the programme says is the device's to know: a lamp that is dark may be lit by it.
        pace=Pace(at_once=_AT_ONCE, every_s=_EVERY_S, point="level"),
    )


class MotionSensor(AssetKind, name="motion_sensor", service="lighting", shown="motion"):
    """A sensor that sees that somebody passes, and never who.

    motion: somebody is there. passages: how often somebody was seen since it was installed; a sensor that counts may
    say this alone. Neither is more than that, and less is enough: no direction, no speed, no picture.
    """

    installed = attribute()

    motion = flag(valid_s=_SENSOR_REPORT_S, traces=True)
    passages = number(low=0, valid_s=_SENSOR_REPORT_S, traces=True)


class Cabinet(AssetKind, name="cabinet", service="lighting", shown="supply"):
    """A street cabinet: it feeds circuits of luminaires, and meters them.

    supply: "off" is the mains there and the circuits cut by the contactor, "lost" is the mains gone. breaker: of any of
    its outgoing circuits. residual_current: its residual current device. contactor: what stands between the mains and
    all its circuits; where they are switched, it is open by day. current: of all outgoing circuits together.
    former_energy: what was metered here in the year former_year, when all its lamps were still the old ones;
    former_meter: whether it was the meter that is there now.
    """

    circuits = attribute(Sort.NUMBER)
    rating = attribute(Sort.NUMBER, unit="A")
    phases = attribute(Sort.NUMBER)
    switching = attribute(Sort.CHOICE, choices=("permanent", "switched"))
    former_energy = attribute(Sort.NUMBER, unit="kWh")
    former_year = attribute(Sort.NUMBER)
    former_meter = attribute(Sort.CHOICE, choices=("same", "other"))

    supply = choice("on", "off", "lost", valid_s=_LAMP_REPORT_S)
    door = choice("closed", "open", valid_s=_LAMP_REPORT_S)
    power = number(unit="W", low=0, high=200_000, valid_s=_LAMP_REPORT_S)
    energy = number(unit="kWh", low=0, valid_s=_LAMP_REPORT_S)
    full_light = flag(valid_s=_LAMP_REPORT_S)
    breaker = choice("closed", "tripped", valid_s=_LAMP_REPORT_S)
    residual_current = choice("closed", "tripped", valid_s=_LAMP_REPORT_S)
    contactor = choice("closed", "open", valid_s=_LAMP_REPORT_S)
    current = number(unit="A", low=0, high=1_000, valid_s=_LAMP_REPORT_S)

    set_full_light = Action(
        params=(Param("on", Sort.FLAG), UNTIL),
        proof=Proof("full_light", param="on"),
        hazard=Hazard.CONFIRM,
        # Whoever lights a district against every programme answers for it. Cabinets know no end, and light too long
        # harms nobody: so the post gives the order that ends it.
        holds=Hold(
            until=UNTIL.name, point="full_light", held=True, free=False, ends="set_full_light",
            end_params=(("on", False),), keeper=Keeper.POST,
        ),
        answered=True,
    )  # fmt: skip
