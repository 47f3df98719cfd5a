"""Which requests there are: one table for both APIs, read by the end that sends and by the end that answers.

Source: the OpenAPI files of TALQ 2.7.1 for the CMS and for the gateway. `name` is their operationId.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from vigie.protocols.talq.limits import DEVICES_MAX, ITEMS_MAX
from vigie.protocols.talq.messages import (
    AssignCommand,
    Attribute,
    Calendar,
    ControlProgramOne,
    Device,
    DeviceClass,
    Function,
    Group,
    LoggerConfig,
    LogReport,
    OverrideCommand,
    ResourceReference,
    Service,
)


class Side(StrEnum):
    """Whose API it is: the one who answers."""

    CMS = "cms"
    GATEWAY = "gateway"


_Up = msgspec.Meta(max_length=ITEMS_MAX)
_Devices = Annotated[tuple[Device, ...], msgspec.Meta(max_length=DEVICES_MAX)]
_Classes = Annotated[tuple[DeviceClass, ...], _Up]
_Services = Annotated[tuple[Service, ...], _Up]
_Groups = Annotated[tuple[Group, ...], _Up]
_References = Annotated[tuple[ResourceReference, ...], _Up]
# What another maker's programme or calendar says may be beyond us: read one by one, such a one is known by its text
# alone.
_Each = Annotated[tuple[msgspec.Raw, ...], _Up]
_Programs = Annotated[tuple[ControlProgramOne, ...], _Up]
_Calendars = Annotated[tuple[Calendar, ...], _Up]


@dataclass(frozen=True, slots=True)
class Route:
    """One request of an API.

    template: the path; a part in braces stands for anything. takes, gives: what the body of the request and of the
    answer is; None for no body. done: the statuses of success, the usual one first; 202 means that it is accepted,
    and that what became of it follows. asks: further names in the query.
    """

    side: Side
    name: str
    method: str
    template: str
    takes: Any = None
    gives: Any = None
    done: tuple[int, ...] = (200,)
    asks: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether it changes something, and so has an identifier of its own (talqRequestId)."""
        return self.method != "GET"


_PAGE = ("deviceClasses", "offset", "limit")
_SCOPE = ("attributeScope",)


def _cms(name: str, method: str, template: str, takes: Any = None, gives: Any = None, **more: Any) -> Route:
    return Route(Side.CMS, name, method, template, takes, gives, **more)


def _gateway(name: str, method: str, template: str, takes: Any = None, gives: Any = None, **more: Any) -> Route:
    return Route(Side.GATEWAY, name, method, template, takes, gives, **more)


def _kept(noun: str, address: str, one: Any, many: Any, names: str, key: str) -> tuple[Route, ...]:
    """The requests about things that a CMS puts into a gateway: programs, calendars, groups."""
    base, single = f"/{noun}", f"/{noun}/{{{address}}}"
    return (
        _gateway(f"get{names}", "GET", base, gives=_Each),
        _gateway(f"add{names}", "POST", base, many, many, done=(201,)),
        _gateway(f"update{names}", "PUT", base, many, many),
        _gateway(f"get{names}Count", "GET", f"{base}/count", gives=int),
        _gateway(f"get{key}", "GET", single, gives=one),
        _gateway(f"update{key}", "PUT", single, one, one),
        _gateway(f"delete{key}", "DELETE", single, gives=one),
    )


ROUTES: tuple[Route, ...] = (
    # What a gateway asks of the CMS.
    _cms("announceServices", "POST", "/services", _Services, done=(201,)),
    _cms("addDeviceClasses", "POST", "/device-classes", _Classes, _Classes, done=(201,)),
    _cms("updateDeviceClasses", "PUT", "/device-classes", _Classes, _Classes),
    _cms("updateDeviceClass", "PUT", "/device-classes/{className}", DeviceClass, DeviceClass),
    _cms("deleteDeviceClass", "DELETE", "/device-classes/{className}", gives=DeviceClass),
    _cms("getDevices", "GET", "/devices", gives=_Devices, asks=_PAGE),
    _cms("addDevices", "POST", "/devices", _Devices, _Devices, done=(201,)),
    _cms("updateDevices", "PUT", "/devices", _Devices, _Devices),
    _cms("partialUpdateDevices", "PATCH", "/devices", _Devices),
    _cms("getDevice", "GET", "/devices/{deviceAddress}", gives=Device),
    _cms("getDeviceFunction", "GET", "/devices/{deviceAddress}/{functionId}", gives=Function, asks=_SCOPE),
    _cms("getDeviceAttribute", "GET", "/devices/{deviceAddress}/{functionId}/{attributeName}", gives=Attribute),
    _cms("updateDevice", "PUT", "/devices/{deviceAddress}", Device, Device),
    _cms("partialUpdateDevice", "PATCH", "/devices/{deviceAddress}", Device),
    _cms("deleteDevice", "DELETE", "/devices/{deviceAddress}", gives=Device),
    _cms("getGroups", "GET", "/groups", gives=_Groups),
    _cms("getGroup", "GET", "/groups/{groupAddress}", gives=Group),
    _cms("sendLogReport", "POST", "/log-reports", LogReport, done=(201,)),
    _cms("getLoggerConfig", "GET", "/logger-configs/{loggerAddress}", gives=LoggerConfig),
    # What a CMS asks of a gateway.
    _gateway("getServices", "GET", "/services", gives=_Services),
    _gateway("getService", "GET", "/services/{serviceName}", gives=Service),
    _gateway("getDeviceClasses", "GET", "/device-classes", gives=_Classes),
    _gateway("getDeviceClassesCount", "GET", "/device-classes/count", gives=int),
    _gateway("getDeviceClass", "GET", "/device-classes/{className}", gives=DeviceClass),
    _gateway("getDevices", "GET", "/devices", gives=_Devices, asks=_PAGE),
    _gateway("getDevicesCount", "GET", "/devices/count", gives=int, asks=("deviceClasses",)),
    _gateway("getDevice", "GET", "/devices/{deviceAddress}", gives=Device),
    _gateway("partialUpdateDevices", "PATCH", "/devices", _Devices, done=(200, 202)),
    _gateway("partialUpdateDevice", "PATCH", "/devices/{deviceAddress}", Device, done=(200, 202)),
    _gateway("getDeviceFunction", "GET", "/devices/{deviceAddress}/{functionId}", gives=Function, asks=_SCOPE),
    _gateway("getDeviceAttribute", "GET", "/devices/{deviceAddress}/{functionId}/{attributeName}", gives=Attribute),
    _gateway("partialUpdateFunction", "PATCH", "/devices/{deviceAddress}/{functionId}", Function, done=(200, 202)),
    _gateway(
        "partialUpdateAttribute",
        "PATCH",
        "/devices/{deviceAddress}/{functionId}/{attributeName}",
        Attribute,
        done=(200, 202),
    ),
    *_kept(
        "control-programs", "controlProgramAddress", ControlProgramOne, _Programs, "ControlPrograms", "ControlProgram"
    ),
    *_kept("calendars", "calendarAddress", Calendar, _Calendars, "Calendars", "Calendar"),
    *_kept("groups", "groupAddress", Group, _Groups, "Groups", "Group"),
    _gateway("addGroupMembers", "PUT", "/groups/{groupAddress}/members", _References, _References),
    _gateway("getGroupMembersCount", "GET", "/groups/{groupAddress}/members/count", gives=int),
    _gateway(
        "deleteGroupMember",
        "DELETE",
        "/groups/{groupAddress}/members/{memberResource}/{memberAddress}",
        gives=ResourceReference,
    ),
    _gateway("getAssignCommands", "GET", "/assign-commands", gives=Annotated[tuple[AssignCommand, ...], _Up]),
    _gateway("assignCommand", "POST", "/assign-commands", AssignCommand, done=(201, 202)),
    _gateway("sendCommand", "POST", "/override-commands", OverrideCommand, done=(201, 202)),
    _gateway("addLoggerConfig", "POST", "/logger-configs", LoggerConfig, done=(201,)),
    _gateway("getLoggerConfig", "GET", "/logger-configs/{loggerAddress}", gives=LoggerConfig),
    _gateway("updateLoggerConfig", "PUT", "/logger-configs/{loggerAddress}", LoggerConfig),
    _gateway("deleteLoggerConfig", "DELETE", "/logger-configs/{loggerAddress}", gives=LoggerConfig),
    _gateway("getLogReport", "GET", "/log-reports/{loggerAddress}", gives=LogReport),
    _gateway("getLogReportsCount", "GET", "/log-reports/count", gives=int),
)

BY_NAME: dict[tuple[Side, str], Route] = {(route.side, route.name): route for route in ROUTES}

_PARTS: dict[tuple[Side, int], list[tuple[tuple[str, ...], Route]]] = {}
# A path that is written out comes before one with braces, so that `/groups/count` is no group's name.
for _route in sorted(ROUTES, key=lambda route: route.template.count("{")):
    _split = tuple(_route.template.split("/")[1:])
    _PARTS.setdefault((_route.side, len(_split)), []).append((_split, _route))


def find(side: Side, parts: tuple[str, ...]) -> dict[str, tuple[Route, tuple[str, ...]]]:
    """The routes of a path by method, each with what stands where its braces are; empty for a path that is none."""
    found: dict[str, tuple[Route, tuple[str, ...]]] = {}
    for wanted, route in _PARTS.get((side, len(parts)), ()):
        if all(want == part or want.startswith("{") for want, part in zip(wanted, parts, strict=True)):
            values = tuple(part for want, part in zip(wanted, parts, strict=True) if want.startswith("{"))
            found.setdefault(route.method, (route, values))
    return found
