"""Which attribute or event of a TALQ device is which point of vigie: data, checked against the Kinds in a test.

Source of the attributes, their types and units: the TALQ 2.7.1 data model (`x-talq-unit`).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import StrEnum

LUMINAIRE, CABINET, MOTION = "luminaire", "cabinet", "motion_sensor"

KINDS: tuple[tuple[str, frozenset[str]], ...] = (
    (CABINET, frozenset({"CabinetMonitorFunction", "CabinetConfigurationFunction", "SegmentMonitorFunction"})),
    (LUMINAIRE, frozenset({"LampActuatorFunction", "LampMonitorFunction", "LuminaireAssetFunction"})),
    (CABINET, frozenset({"ElectricalMeterFunction"})),
    (MOTION, frozenset({"PresenceSensorFunction"})),
)
"""What a device is, by its functions: the first line of which it has any. A cabinet may have an actuator of its own."""


class As(StrEnum):
    """How the value of an attribute becomes the value of a point."""

    NUMBER = "number"
    """A number, times `scale`."""
    LEVEL = "level"
    """The level of a LevelState, in per cent."""
    CHOICE = "choice"
    """One of `choices`."""
    FULL = "full"
    """Whether a command is an order to give full light."""
    FLAG = "flag"
    """A yes or a no."""
    CONTROL = "control"
    """Whether a command is an order, or what is programmed."""


@dataclass(frozen=True, slots=True)
class Measure:
    """An attribute of a function that is a point."""

    kind: str
    function: str
    attribute: str
    point: str
    form: As
    unit: str
    """TALQ's own name of the unit."""
    scale: float = 1.0
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Sign:
    """An event, or the status attribute of the same name, while which a point has a value."""

    kind: str
    event: str
    point: str
    value: str


@dataclass(frozen=True, slots=True)
class Rest:
    """The value that a point of signs has while none of them stands and no measure says otherwise."""

    kind: str
    point: str
    value: str


MEASURES: tuple[Measure, ...] = (
    Measure(LUMINAIRE, "LampActuatorFunction", "actualLightState", "level", As.LEVEL, "Percent"),
    Measure(LUMINAIRE, "LampActuatorFunction", "feedbackLightCommand", "control", As.CONTROL, "None"),
    Measure(LUMINAIRE, "LampMonitorFunction", "activePower", "power", As.NUMBER, "Watts"),
    Measure(LUMINAIRE, "LampMonitorFunction", "switchOnCounter", "switch_ons", As.NUMBER, "None"),
    Measure(LUMINAIRE, "LampMonitorFunction", "operatingHours", "burning", As.NUMBER, "Hours"),
    Measure(LUMINAIRE, "LampMonitorFunction", "temperature", "driver_temperature", As.NUMBER, "DegreesCelcius"),
    Measure(LUMINAIRE, "TemperatureSensorFunction", "temperature", "driver_temperature", As.NUMBER, "DegreesCelcius"),
    Measure(CABINET, "ElectricalMeterFunction", "totalPower", "power", As.NUMBER, "KiloWatt", scale=1_000.0),
    Measure(CABINET, "ElectricalMeterFunction", "totalActiveEnergy", "energy", As.NUMBER, "KiloWattHours"),
    Measure(CABINET, "ElectricalMeterFunction", "totalCurrent", "current", As.NUMBER, "Amperes"),
    # "The physical relay state of the source": what it is, and what it leaves to the circuits behind it.
    Measure(
        CABINET, "SegmentMonitorFunction", "actualState", "supply", As.CHOICE, "None",
        choices=(("ON", "on"), ("OFF", "off")),
    ),
    Measure(
        CABINET, "SegmentMonitorFunction", "actualState", "contactor", As.CHOICE, "None",
        choices=(("ON", "closed"), ("OFF", "open")),
    ),
    Measure(CABINET, "LampActuatorFunction", "feedbackLightCommand", "full_light", As.FULL, "None"),
    Measure(MOTION, "PresenceSensorFunction", "presenceStatus", "motion", As.FLAG, "None"),
)  # fmt: skip

SIGNS: tuple[Sign, ...] = (
    # Of several that stand, the first here is shown: a lamp without supply says nothing about itself.
    Sign(LUMINAIRE, "supplyLoss", "fault", "supply"),
    Sign(LUMINAIRE, "lampFailure", "fault", "lamp"),
    Sign(LUMINAIRE, "cyclingFailure", "fault", "lamp"),
    Sign(LUMINAIRE, "controlGearCommFailure", "fault", "driver"),
    Sign(LUMINAIRE, "controlGearComFailure", "fault", "driver"),
    Sign(LUMINAIRE, "dimmingFailure", "fault", "driver"),
    Sign(LUMINAIRE, "relayFailure", "fault", "unknown"),
    Sign(LUMINAIRE, "deviceMalfunction", "fault", "unknown"),
    Sign(CABINET, "supplyLoss", "supply", "lost"),
    Sign(CABINET, "cabinetDoorOpen", "door", "open"),
    Sign(CABINET, "circuitBreakerTripped", "breaker", "tripped"),
    Sign(CABINET, "leakageDetected", "residual_current", "tripped"),
)

RESTS: tuple[Rest, ...] = (
    Rest(LUMINAIRE, "fault", "none"),
    Rest(CABINET, "supply", "on"),
    Rest(CABINET, "door", "closed"),
    Rest(CABINET, "breaker", "closed"),
    Rest(CABINET, "residual_current", "closed"),
)

NOTICES: frozenset[str] = frozenset(
    "communicationFailure functionError invalidAddress invalidCalendar invalidConfig invalidLampType "
    "invalidLoggerConfig invalidProgram newCmsAttached".split()
)
"""Events that are no point's, and say that something asked for was not done, or that a device cannot be reached."""

TELLERS: tuple[str, ...] = (
    "CabinetMonitorFunction", "ElectricalMeterFunction", "LampMonitorFunction", "SegmentMonitorFunction",
)  # fmt: skip
"""The functions that have a status attribute for signs: it says again, while nothing changes, what stands."""

MEASURES_OF: dict[tuple[str, str, str], tuple[Measure, ...]] = {
    (each.kind, each.function, each.attribute): tuple(
        other for other in MEASURES
        if (other.kind, other.function, other.attribute) == (each.kind, each.function, each.attribute)
    )
    for each in MEASURES
}  # fmt: skip
"""An attribute may be several points."""
SIGN_OF: dict[tuple[str, str], Sign] = {(each.kind, each.event): each for each in SIGNS}
REST_OF: dict[tuple[str, str], str] = {(each.kind, each.point): each.value for each in RESTS}
RANK: dict[tuple[str, str], int] = {(each.kind, each.event): rank for rank, each in enumerate(SIGNS)}


@functools.lru_cache(maxsize=1_024)
def bound_of(kind: str, function: str) -> frozenset[str]:
    """The names of attributes and events that a function of this type tells of a device of this kind."""
    measured = {attribute for of, type_, attribute in MEASURES_OF if (of, type_) == (kind, function)}
    return frozenset(measured | {event for of, event in SIGN_OF if of == kind})


@functools.lru_cache(maxsize=1_024)
def kind_of(types: frozenset[str]) -> str:
    """The kind of a device with functions of these types; empty for one that is no asset of vigie's."""
    return next((kind for kind, any_of in KINDS if types & any_of), "")
