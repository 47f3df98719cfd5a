"""What is known of a gateway's devices, and how their functions and attributes are read and changed."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from vigie.protocols.talq.bindings import kind_of
from vigie.protocols.talq.messages import Attribute, Device, Function

GATEWAY = "GatewayFunction"
BASIC = "BasicFunction"
ACTUATOR = "LampActuatorFunction"


class Known(msgspec.Struct, frozen=True):
    """A device as far as the CMS needs it. kind: what of vigie's it is, "" for none. asset: the customer's own
    identifier (BasicFunction.assetId), or the address where there is none. functions: identifier -> type. calendars:
    actuator -> the calendar that it says rules it."""

    address: str
    name: str
    of_class: str
    kind: str
    asset: str
    functions: dict[str, str]
    calendars: dict[str, str]


def known(device: Device, before: Known | None = None) -> Known:
    """What is worth knowing of a device as it was announced; what it does not say stays as it was `before`."""
    functions = dict(before.functions) if before else {}
    calendars = dict(before.calendars) if before else {}
    asset = before.asset if before else device.address
    for function in device.functions:
        number, sort = identity(function)
        functions[number] = sort
        if sort == BASIC:
            asset = text_of(function, "assetId") or asset
        said = function.get("calendarID")
        if isinstance(said, Attribute):
            calendars[number] = said.value if isinstance(said.value, str) else ""
    kind = kind_of(frozenset(functions.values()))
    return Known(device.address, device.name, device.class_, kind, asset, functions, calendars)


def identity(function: Function) -> tuple[str, str]:
    """The identifier and the type of a function; empty for what is missing."""
    number, sort = function.get("id"), function.get("type")
    return number if isinstance(number, str) else "", sort if isinstance(sort, str) else ""


def is_whole(device: Device) -> bool:
    """Whether each function has an identifier of its own and a type, as the data model demands."""
    numbers: set[str] = set()
    for function in device.functions:
        number, sort = identity(function)
        if not number or not sort or number in numbers:
            return False
        numbers.add(number)
    return True


def attributes(function: Function) -> Iterator[tuple[str, Attribute]]:
    """The attributes of a function, by name."""
    return ((name, said) for name, said in function.items() if isinstance(said, Attribute))


def text_of(function: Function, name: str) -> str:
    """The value of an attribute that is a text; empty where it is missing or is none."""
    said = function.get(name)
    return said.value if isinstance(said, Attribute) and isinstance(said.value, str) else ""


def first(device: Device, sort: str) -> Function | None:
    """The first function of a type."""
    return next((function for function in device.functions if identity(function)[1] == sort), None)


def split(address: str) -> tuple[str, str, str]:
    """(device, function, attribute) of an address such as `device/function`; some write `/devices/` before it."""
    parts = address.strip("/").removeprefix("devices/").split("/", 2)
    return parts[0], parts[1] if len(parts) > 1 else "", parts[2] if len(parts) > 2 else ""


_MEASURED = frozenset(
    "actualLightState feedbackLightCommand activePower activeEnergy apparentPower powerFactor supplyVoltage "
    "supplyCurrent operatingHours switchOnCounter temperature totalPower totalActiveEnergy totalCurrent "
    "actualState".split()
)
_OPERATED = frozenset({"targetLightCommand", "calendarID"})
_SIGNS = frozenset(
    "supplyLoss lampFailure cyclingFailure controlGearCommFailure dimmingFailure relayFailure cabinetDoorOpen "
    "communicationFailure deviceReset lightStateChange circuitBreakerTripped leakageDetected".split()
)


def scope_of(attribute: str) -> str:
    """What an attribute of our own gateways is for: measurement, operational, event or configuration (x-talq-scope)."""
    for scope, names in (("measurement", _MEASURED), ("operational", _OPERATED), ("event", _SIGNS)):
        if attribute in names:
            return scope
    return "configuration"
