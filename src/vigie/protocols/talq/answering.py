"""What a gateway answers to its CMS: one method for each request, over the network behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from vigie.core.times import to_us
from vigie.protocols.talq.devices import attributes, identity, is_whole, scope_of
from vigie.protocols.talq.differences import Sort
from vigie.protocols.talq.events import Assigned, Configured, GatewayEvent, Stored
from vigie.protocols.talq.limits import REMEMBERED_MAX
from vigie.protocols.talq.messages import (
    AssignCommand,
    Attribute,
    Device,
    LoggerConfig,
    OverrideCommand,
    ResourceReference,
)
from vigie.protocols.talq.network import Network
from vigie.protocols.talq.requests import Answer, Call, Refused, paged, yes
from vigie.protocols.talq.schedules import NoLighting, level

_NOUN = {each.value: each for each in (Sort.PROGRAM, Sort.CALENDAR, Sort.GROUP)}


class Answers:
    """The gateway's side of all requests but who may ask."""

    def __init__(self, network: Network, own: Device, *, follows: bool) -> None:
        """own: the gateway as a device. follows: whether orders are accepted first and done later."""
        self.network, self.own, self.follows = network, own, follows
        self.cms = ""
        self._assigns: dict[str, AssignCommand] = {}

    def answer(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        """Does what is asked, whole or not at all. Raises Refused."""
        return self._HANDLERS[call.route.name](self, call, now_us)

    def _give_all(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        items: Mapping[str, Any] = self._shelf(call)
        return yes(call.route, list(items.values())), ()

    def _give_count(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        return yes(call.route, len(self._shelf(call))), ()

    def _give_one(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        found = self._shelf(call).get(call.values[0])
        if found is None:
            raise Refused("resourceNotFound", "it is not there")
        return yes(call.route, found.config if call.route.name == "getLoggerConfig" else found), ()

    def _shelf(self, call: Call) -> Mapping[str, Any]:
        noun = call.route.template.split("/")[1]
        if noun in _NOUN:
            return self.network.holding.shelves[_NOUN[noun]]
        shelves: dict[str, Mapping[str, Any]] = {
            "services": self.network.services,
            "device-classes": self.network.classes,
            "assign-commands": self._assigns,
            "logger-configs": self.network.loggers.loggers,
            "log-reports": self.network.loggers.loggers,
        }
        return shelves[noun]

    def _give_devices(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        classes = call.asked.get("deviceClasses")
        chosen = [each for each in self.network.devices.values() if not classes or each.class_ in classes]
        if call.route.name == "getDevicesCount":
            return yes(call.route, len(chosen)), ()
        page, headers = paged(call, chosen)
        return yes(call.route, [self.network.device(each) for each in page], headers=headers), ()

    def _give_device(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        if call.values[0] == self.own.address:
            return yes(call.route, self.own), ()
        self.network.function(call.values[0])
        return yes(call.route, self.network.device(self.network.devices[call.values[0]])), ()

    def _give_function(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        function, scope = self.network.function(*call.values), call.asked.get("attributeScope")
        if scope:
            chosen = {name for name, _ in attributes(function) if scope_of(name) == scope[0]} | {"id", "type"}
            function = {name: value for name, value in function.items() if name in chosen}
        return yes(call.route, function), ()

    def _give_attribute(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        found = self.network.function(*call.values[:2]).get(call.values[2])
        if not isinstance(found, Attribute):
            raise Refused("resourceNotFound", "no such attribute")
        return yes(call.route, found), ()

    def _set_devices(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        devices: tuple[Device, ...] = (call.payload,) if call.values else call.payload
        if not all(map(is_whole, devices)) or (call.values and devices[0].address != call.values[0]):
            raise Refused("payloadError", "the device in the path is another, or a function of it is not whole")
        changes = [
            (device.address, identity(each)[0], name, value)
            for device in devices
            for each in device.functions
            for name, value in attributes(each)
        ]
        return yes(call.route), self._set(changes)

    def _set_function(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        device, function = call.values
        return yes(call.route), self._set([(device, function, *said) for said in attributes(call.payload)])

    def _set_attribute(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        device, function, name = call.values
        return yes(call.route), self._set([(device, function, name, call.payload)])

    def _set(self, changes: Sequence[tuple[str, str, str, Attribute]]) -> tuple[GatewayEvent, ...]:
        """What the CMS tells of itself (cmsUri, its patience) is for whoever runs the session."""
        own = [each for each in changes if each[0] == self.own.address]
        return (
            *self.network.configure([each for each in changes if each[0] != self.own.address]),
            *(Configured(*each) for each in own),
        )

    def _put(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        sort = _NOUN[call.route.template.split("/")[1]]
        single = bool(call.values)
        items = (call.payload,) if single else call.payload
        if single and (call.payload.address if sort is Sort.GROUP else call.payload.id) != call.values[0]:
            raise Refused("payloadError", "the one in the path is another")
        names = self.network.holding.put(sort, items, self.cms, adds=call.route.method == "POST")
        if sort is Sort.GROUP:
            self.network.loggers.regrouped()
        return yes(call.route, call.payload), (Stored(sort.value, changed=names),)

    def _remove(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        sort = _NOUN[call.route.template.split("/")[1]]
        used = self.network.assigned.values() if sort is Sort.CALENDAR else ()
        gone = self.network.holding.remove(sort, call.values[0], self.cms, used)
        if sort is Sort.GROUP:
            self.network.loggers.regrouped()
        return yes(call.route, gone), (Stored(sort.value, removed=(call.values[0],)),)

    def _join_group(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        self.network.holding.join(call.values[0], call.payload)
        self.network.loggers.regrouped()
        return yes(call.route, call.payload), (Stored("groups", changed=(call.values[0],)),)

    def _leave_group(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        member = ResourceReference(call.values[1], call.values[2])
        self.network.holding.leave(call.values[0], member)
        self.network.loggers.regrouped()
        return yes(call.route, member), (Stored("groups", changed=(call.values[0],)),)

    def _give_members_count(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        group = self.network.holding.groups.get(call.values[0])
        if group is None:
            raise Refused("resourceNotFound", "no such group", (ResourceReference("groups", call.values[0]),))
        return yes(call.route, len(group.members)), ()

    def _assign(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        command: AssignCommand = call.payload
        calendar = command.entity.address
        if command.entity.resource != Sort.CALENDAR.value:
            raise Refused("assignmentEntityNotValid", "only calendars are assigned here", (command.entity,))
        if calendar and calendar not in self.network.holding.calendars:
            raise Refused("relatedResourceNotFound", "no such calendar", (command.entity,))
        actuators = self.network.actuators(command.addresses, "assignmentAddressNotValid")
        self.network.assign(actuators, calendar, now_us)
        self._assigns[call.number] = command
        if len(self._assigns) > REMEMBERED_MAX:
            self._assigns.pop(next(iter(self._assigns)))
        return yes(call.route, status=202 if self.follows else 201), (Assigned(actuators, calendar, command),)

    def _override(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        order: OverrideCommand = call.payload
        command = order.target_command
        if not order.addresses:
            raise Refused("overrideAddressNotValid", "nobody is addressed; external sensors are not spoken here")
        if command is not None:
            try:
                level(command.state)
            except NoLighting as error:
                raise Refused("overrideCommandNotValid", str(error)) from error
            if command.expiration is not None and to_us(command.expiration) <= now_us:
                raise Refused("overrideCommandNotValid", "it has expired")
        actuators = self.network.actuators(order.addresses, "overrideAddressNotValid")
        event = self.network.override(actuators, command, call.number, now_us)
        return yes(call.route, status=202 if self.follows else 201), (event,)

    def _put_logger(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        config: LoggerConfig = call.payload
        known = config.address in self.network.loggers.loggers
        if call.route.method == "POST" and known:
            raise Refused("resourceConflict", "a logger of that address is there")
        if call.route.method == "PUT" and (not known or config.address != call.values[0]):
            raise Refused("resourceNotFound", "no such logger")
        if config.owner_cms != self.cms:
            raise Refused("parameterValueNotValid", "it belongs to another CMS")
        self.network.loggers.put(config, now_us)
        return yes(call.route), (Stored("logger-configs", changed=(config.address,)),)

    def _remove_logger(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        found = self.network.loggers.loggers.get(call.values[0])
        if found is None:
            raise Refused("resourceNotFound", "no such logger")
        del self.network.loggers.loggers[call.values[0]]
        return yes(call.route, found.config), (Stored("logger-configs", removed=(call.values[0],)),)

    def _give_report(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        if call.values[0] not in self.network.loggers.loggers:
            raise Refused("resourceNotFound", "no such logger")
        return yes(call.route, self.network.loggers.snapshot(call.values[0], self.network.values, now_us)), ()

    _HANDLERS: ClassVar[dict[str, Callable[[Answers, Call, int], tuple[Answer, tuple[GatewayEvent, ...]]]]] = {
        "getServices": _give_all,
        "getService": _give_one,
        "getDeviceClasses": _give_all,
        "getDeviceClassesCount": _give_count,
        "getDeviceClass": _give_one,
        "getDevices": _give_devices,
        "getDevicesCount": _give_devices,
        "getDevice": _give_device,
        "partialUpdateDevices": _set_devices,
        "partialUpdateDevice": _set_devices,
        "partialUpdateFunction": _set_function,
        "getDeviceFunction": _give_function,
        "getDeviceAttribute": _give_attribute,
        "partialUpdateAttribute": _set_attribute,
        **dict.fromkeys(("getControlPrograms", "getCalendars", "getGroups", "getAssignCommands"), _give_all),
        **dict.fromkeys(("getControlProgramsCount", "getCalendarsCount", "getGroupsCount"), _give_count),
        **dict.fromkeys(("getControlProgram", "getCalendar", "getGroup", "getLoggerConfig"), _give_one),
        **dict.fromkeys(("addControlPrograms", "addCalendars", "addGroups"), _put),
        **dict.fromkeys(("updateControlPrograms", "updateCalendars", "updateGroups"), _put),
        **dict.fromkeys(("updateControlProgram", "updateCalendar", "updateGroup"), _put),
        **dict.fromkeys(("deleteControlProgram", "deleteCalendar", "deleteGroup"), _remove),
        "addGroupMembers": _join_group,
        "deleteGroupMember": _leave_group,
        "getGroupMembersCount": _give_members_count,
        "assignCommand": _assign,
        "sendCommand": _override,
        "addLoggerConfig": _put_logger,
        "updateLoggerConfig": _put_logger,
        "deleteLoggerConfig": _remove_logger,
        "getLogReport": _give_report,
        "getLogReportsCount": _give_count,
    }
