"""A gateway's end: it announces itself, holds what its CMS puts into it, obeys and reports.

The device end of the protocol, which the simulator speaks through. It keeps the devices' values, the programmes,
groups and loggers; what a lamp does with an order is told as an event, and decided by whoever runs the session.

Laws: the bootstrap is a sequence (announcement, services, classes, devices in pages), each request after the answer
to the one before; a request that comes again is answered, not done, again; what is refused changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from typing import Any, ClassVar

import msgspec

from vigie.core.times import rfc3339, to_us
from vigie.protocols.talq.devices import ACTUATOR, GATEWAY, attributes, identity, is_whole, scope_of
from vigie.protocols.talq.differences import Sort
from vigie.protocols.talq.events import (
    Assigned,
    Configured,
    Failed,
    GatewayEvent,
    GatewayTurn,
    Joined,
    Live,
    Overridden,
    Stored,
)
from vigie.protocols.talq.holding import Holding
from vigie.protocols.talq.limits import PAGE_DEVICES, REMEMBERED_MAX, TEXT_CHARS_MAX
from vigie.protocols.talq.loggers import Loggers, report
from vigie.protocols.talq.messages import (
    NIL,
    AssignCommand,
    Attribute,
    Command,
    Device,
    DeviceClass,
    EventLogData,
    Function,
    LogEntry,
    LoggerConfig,
    OverrideCommand,
    ResourceReference,
    Service,
    State,
    StateChangeEventLogData,
)
from vigie.protocols.talq.requests import (
    Answer,
    Call,
    Caller,
    Incoming,
    Misunderstood,
    Refusal,
    Refused,
    Remembered,
    Request,
    paged,
    read,
    shown,
    understand,
    yes,
)
from vigie.protocols.talq.routes import Side
from vigie.protocols.talq.schedules import NoLighting, day_of, level, level_at, level_state, programme_on, read_year
from vigie.protocols.talq.schedules import read as read_program

Actuator = tuple[str, str]
"""(device, function)."""

_NOUN = {each.value: each for each in (Sort.PROGRAM, Sort.CALENDAR, Sort.GROUP)}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a gateway is. uri, cms_uri: where it is reached, and where it reaches its CMS. token: what it shows to the
    CMS. cms_token_sha256: `digest` of what the CMS must show to it; empty where the transport has verified a
    certificate.

    follows: whether orders are accepted first (202) and done later, as over a slow radio network.
    """

    name: str
    uri: str
    cms_uri: str
    vendor: str
    token: str = ""
    cms_token_sha256: str = ""
    follows: bool = False


class Gateway:
    """One gateway."""

    def __init__(
        self,
        identity: Identity,
        services: Sequence[Service],
        classes: Sequence[DeviceClass],
        devices: Iterable[Device],
        *,
        zone: tzinfo = UTC,
        seed: str = "",
    ) -> None:
        """zone: the local time of its reports. seed: another for each start."""
        self.identity, self._seed = identity, seed
        self.services = {service.name: service for service in services}
        self.classes = {each.name: each for each in classes}
        self.devices = {device.address: device for device in devices}
        self._values: dict[str, dict[str, Function]] = {
            address: {_id(function): dict(function) for function in device.functions}
            for address, device in self.devices.items()
        }
        self.address, self.cms = "", ""
        self.holding = Holding(self.services, self.devices.__contains__)
        self.loggers = Loggers(self.holding.resolve, zone)
        self.assigned: dict[Actuator, str] = {}
        self.overrides: dict[Actuator, Command] = {}
        self._later: dict[Actuator, tuple[Command, str]] = {}
        self._assigns: dict[str, AssignCommand] = {}
        self._starts = 0
        self._caller = self._caller_of(NIL)
        self._announcing: set[str] = set()
        self._reports: dict[str, tuple[str, list[LogEntry]]] = {}
        self._remembered = Remembered(REMEMBERED_MAX)

    # What the gateway asks.

    def start(self) -> Request:
        """The announcement, with which everything begins. A gateway that was known starts over, and keeps what it
        holds."""
        self.address, self.cms = "", ""
        self._announcing.clear()
        self._caller = self._caller_of(NIL)
        return self._caller.ask("addDevices", body=[self._self(NIL, NIL)])

    def _caller_of(self, own: str) -> Caller:
        """Each start has numbers of its own: a repeated one would be answered as what it was the first time."""
        self._starts += 1
        seed = f"{self._seed} {self.identity.name} {self._starts}"
        return Caller(Side.CMS, own, token=self.identity.token, seed=seed)

    def _self(self, own: str, cms: str) -> Device:
        who = self.identity
        values = {
            "cmsUri": Attribute("AttributeUri", who.cms_uri),
            "cmsAddress": Attribute("AttributeString", cms),
            "gatewayUri": Attribute("AttributeUri", who.uri),
            "gatewayAddress": Attribute("AttributeString", own),
            "vendor": Attribute("AttributeString", who.vendor),
        }
        return Device(own, who.name, GATEWAY, (Function(id="gateway", type=GATEWAY, **values),))

    def answered(self, request: Request, answer: Answer, now_us: int) -> GatewayTurn:
        """What an answer of the CMS means, and what to send next because of it."""
        name, number = request.route.name, request.number
        try:
            said = understand(request, answer)
        except Misunderstood as error:
            self.unanswered(request, now_us)
            return GatewayTurn((Failed(name, number, 0, str(error)),))
        if isinstance(said, Refusal):
            return self._refused(request, said)
        self._reports.pop(number, None)
        if name == "addDevices" and not self.address:
            return self._joined(request, said)
        return GatewayTurn(self._announced(number))

    def _announced(self, number: str) -> tuple[GatewayEvent, ...]:
        if number not in self._announcing:
            return ()
        self._announcing.discard(number)
        return () if self._announcing else (Live(),)

    def _joined(self, request: Request, devices: Sequence[Device]) -> GatewayTurn:
        function: Function = devices[0].functions[0] if devices and devices[0].functions else {}
        said = {name: value.value for name, value in attributes(function)}
        own, cms = said.get("gatewayAddress"), said.get("cmsAddress")
        if not _is_address(own) or not _is_address(cms):
            return GatewayTurn((Failed(request.route.name, request.number, 0, "the CMS gave no address"),))
        self.address, self.cms = str(own), str(cms)
        self._caller = self._caller_of(self.address)
        ask, devices = self._caller.ask, list(self.devices.values())
        requests = [
            ask("announceServices", body=list(self.services.values())),
            ask("addDeviceClasses", body=list(self.classes.values())),
        ]
        for start in range(0, len(devices), PAGE_DEVICES):
            page = [self._device(device) for device in devices[start : start + PAGE_DEVICES]]
            requests.append(ask("addDevices", body=page))
        self._announcing = {each.number for each in requests}
        return GatewayTurn((Joined(self.address),), tuple(requests))

    def _refused(self, request: Request, said: Refusal) -> GatewayTurn:
        name = request.route.name
        detail = "; ".join(f"{error.key}: {error.description}" for error in said.errors)
        if name in ("addDeviceClasses", "addDevices") and self.address and said.status == 409:
            # Known from before: said again as a change.
            again = self._caller.ask(name.replace("add", "update"), body=msgspec.json.decode(request.body))
            self._announcing.discard(request.number)
            self._announcing.add(again.number)
            return GatewayTurn((), (again,))
        self._reports.pop(request.number, None)
        return GatewayTurn((Failed(name, request.number, said.status, detail),))

    def unanswered(self, request: Request, now_us: int) -> None:
        """A request got no answer, or none that is understood: a report goes back to its logger."""
        sent = self._reports.pop(request.number, None)
        if sent is not None:
            self.loggers.give_back(*sent, now_us)

    def tick(self, now_us: int) -> GatewayTurn:
        """Time has passed: overrides begin and end, samples are taken, and these are the reports that are due."""
        events = (*self._begun(now_us), *self._ended(now_us))
        self.loggers.sample(self._values, now_us)
        if not self.address:
            return GatewayTurn(events)
        requests: list[Request] = []
        for address, entries in self.loggers.due(now_us):
            request = self._caller.ask("sendLogReport", body=report(address, entries))
            self._reports[request.number] = address, entries
            requests.append(request)
        return GatewayTurn(events, tuple(requests))

    def _begun(self, now_us: int) -> list[GatewayEvent]:
        """Overrides whose start has come."""
        due = [(actuator, *later) for actuator, later in self._later.items() if _reached(later[0].start, now_us)]
        for actuator, command, _ in due:
            del self._later[actuator]
            self.overrides[actuator] = command
        return [Overridden((actuator,), command, number) for actuator, command, number in due]

    def _ended(self, now_us: int) -> list[GatewayEvent]:
        """Overrides that are over: the control program rules again."""
        over = tuple(
            actuator
            for actuator, command in self.overrides.items()
            if command.expiration is not None and _reached(command.expiration, now_us)
        )
        for actuator in over:
            del self.overrides[actuator]
        return [Overridden(over, None, "")] if over else []

    def ruling(self, device: str, function: str, local: datetime, sunrise: time, sunset: time) -> Command | None:
        """What rules an actuator: an override, or the control program of its calendar; None for its default state.

        local: the local time. sunrise, sunset: of that day, in the same time.
        """
        override = self.overrides.get((device, function))
        return override or self.programmed(self.assigned.get((device, function), ""), local, sunrise, sunset)

    def programmed(self, calendar: str, local: datetime, sunrise: time, sunset: time) -> Command | None:
        """What a calendar wants of its actuators, in the words of `ruling`: asked once for all who have it."""
        held = self.holding.calendars.get(calendar)
        if held is None:
            return None
        service = self.services.get("ControlService")
        day = day_of(local, service.day_offset or 0 if service else 0)
        program = self.holding.programs.get(programme_on(read_year(held), day))
        wanted = level_at(read_program(program), local.time(), sunrise, sunset) if program else None
        if program is None or wanted is None:
            return None
        return Command(level_state(wanted), reason="program", ref_address=program.id)

    def followed(self, number: str, devices: Sequence[str]) -> Request:
        """Tells the CMS that an order that was accepted is done, by these devices. number: of the CMS's request."""
        held = [self.devices[each] for each in devices]
        body = [Device(each.address, each.name, each.class_, self._operated(each.address)) for each in held]
        return self._caller.ask("partialUpdateDevices", body=body, origin=number)

    def _operated(self, device: str) -> tuple[Function, ...]:
        names = ("id", "type", "targetLightCommand", "calendarID")
        functions = self._values[device].values()
        return tuple({name: each[name] for name in names if name in each} for each in functions)

    # What the devices do.

    def observed(self, device: str, function: str, name: str, value: Attribute, at_us: int) -> None:
        """A value of a device, as it is from now on. Raises KeyError for a device or function that there is not."""
        held = self._values[device][function]
        held[name] = value
        self.loggers.observed(device, held, name, value, at_us)

    def happened(self, device: str, function: str, event: str, begins: bool | None, at_us: int) -> None:
        """An event begins (true), ends (false) or has no length. Its status attribute goes with it."""
        held = self._values[device][function]
        if begins is not None:
            held[event] = Attribute("AttributeBoolean", begins, rfc3339(at_us))
        data = EventLogData(f"{device}/{function}", event, begins, rfc3339(at_us))
        self.loggers.happened(data, device, function, at_us)

    def changed(self, device: str, function: str, command: Command, state: State, at_us: int) -> None:
        """An actuator has come to a state, because of a command."""
        stamp = rfc3339(at_us)
        held = self._values[device][function]
        held["feedbackLightCommand"] = Attribute("AttributeCommand", msgspec.to_builtins(command), stamp)
        held["actualLightState"] = Attribute("AttributeLevelState", msgspec.to_builtins(state), stamp)
        data = StateChangeEventLogData(f"{device}/{function}", "lightStateChange", command, state, stamp)
        self.loggers.happened(data, device, function, at_us)

    # What the CMS asks.

    def receive(self, incoming: Incoming, now_us: int, *, certified: bool = False) -> GatewayTurn:
        """What the CMS asks. certified: whether the transport has verified its certificate."""
        try:
            token = self.identity.cms_token_sha256
            if not certified and token and shown(incoming.headers) != token:
                raise Refused("genericError", "this is not the CMS that is agreed", status=401)
            call = read(Side.GATEWAY, incoming)
            if not self.cms or call.client != self.cms:
                raise Refused("parameterValueNotValid", "clientAddress is not the CMS attached to", status=403)
            before = self._remembered.of(call)
            if before is not None:
                return GatewayTurn(answer=before)
            answer, events = self._HANDLERS[call.route.name](self, call, now_us)
            self._remembered.keep(call, answer)
            return GatewayTurn(events, answer=answer)
        except Refused as refusal:
            return GatewayTurn(answer=refusal.answer())

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
            return self.holding.shelves[_NOUN[noun]]
        shelves: dict[str, Mapping[str, Any]] = {
            "services": self.services,
            "device-classes": self.classes,
            "assign-commands": self._assigns,
            "logger-configs": self.loggers.loggers,
            "log-reports": self.loggers.loggers,
        }
        return shelves[noun]

    def _give_devices(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        classes = call.asked.get("deviceClasses")
        chosen = [each for each in self.devices.values() if not classes or each.class_ in classes]
        if call.route.name == "getDevicesCount":
            return yes(call.route, len(chosen)), ()
        page, headers = paged(call, chosen)
        return yes(call.route, [self._device(each) for each in page], headers=headers), ()

    def _device(self, device: Device) -> Device:
        return msgspec.structs.replace(device, functions=tuple(self._values[device.address].values()))

    def _give_device(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        if call.values[0] == self.address:
            return yes(call.route, self._self(self.address, self.cms)), ()
        self._function(call.values[0])
        return yes(call.route, self._device(self.devices[call.values[0]])), ()

    def _give_function(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        function, scope = self._function(*call.values), call.asked.get("attributeScope")
        if scope:
            chosen = {name for name, _ in attributes(function) if scope_of(name) == scope[0]} | {"id", "type"}
            function = {name: value for name, value in function.items() if name in chosen}
        return yes(call.route, function), ()

    def _give_attribute(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        found = self._function(*call.values[:2]).get(call.values[2])
        if not isinstance(found, Attribute):
            raise Refused("resourceNotFound", "no such attribute")
        return yes(call.route, found), ()

    def _function(self, device: str, function: str = "") -> Function:
        functions = self._values.get(device)
        if functions is None or (function and function not in functions):
            raise Refused("resourceNotFound", "no such device or function", (ResourceReference("devices", device),))
        return functions[function] if function else {}

    def _set_devices(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        devices: tuple[Device, ...] = (call.payload,) if call.values else call.payload
        if not all(map(is_whole, devices)) or (call.values and devices[0].address != call.values[0]):
            raise Refused("payloadError", "the device in the path is another, or a function of it is not whole")
        changes = [
            (device.address, _id(each), name, value)
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
        """Sets configuration; what is measured or operated is accepted and left as it is, as the standard says. What
        the CMS tells of itself (cmsUri, its patience) is for whoever runs the session."""
        chosen = [each for each in changes if each[0] == self.address or scope_of(each[2]) == "configuration"]
        for device, function, _, _ in changes:
            if device != self.address:
                self._function(device, function)
        for device, function, name, _ in chosen:
            if device != self.address and name not in self._values[device][function]:
                raise Refused("resourceNotFound", f"no attribute {name!r}", (ResourceReference("devices", device),))
        for device, function, name, value in chosen:
            if device != self.address:
                self._values[device][function][name] = value
        return tuple(Configured(*each) for each in chosen)

    def _put(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        sort = _NOUN[call.route.template.split("/")[1]]
        single = bool(call.values)
        items = (call.payload,) if single else call.payload
        if single and (call.payload.address if sort is Sort.GROUP else call.payload.id) != call.values[0]:
            raise Refused("payloadError", "the one in the path is another")
        names = self.holding.put(sort, items, self.cms, adds=call.route.method == "POST")
        if sort is Sort.GROUP:
            self.loggers.regrouped()
        return yes(call.route, call.payload), (Stored(sort.value, changed=names),)

    def _remove(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        sort = _NOUN[call.route.template.split("/")[1]]
        used = self.assigned.values() if sort is Sort.CALENDAR else ()
        gone = self.holding.remove(sort, call.values[0], self.cms, used)
        if sort is Sort.GROUP:
            self.loggers.regrouped()
        return yes(call.route, gone), (Stored(sort.value, removed=(call.values[0],)),)

    def _join_group(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        self.holding.join(call.values[0], call.payload)
        self.loggers.regrouped()
        return yes(call.route, call.payload), (Stored("groups", changed=(call.values[0],)),)

    def _leave_group(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        member = ResourceReference(call.values[1], call.values[2])
        self.holding.leave(call.values[0], member)
        self.loggers.regrouped()
        return yes(call.route, member), (Stored("groups", changed=(call.values[0],)),)

    def _give_members_count(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        group = self.holding.groups.get(call.values[0])
        if group is None:
            raise Refused("resourceNotFound", "no such group", (ResourceReference("groups", call.values[0]),))
        return yes(call.route, len(group.members)), ()

    def _actuators(self, references: Sequence[ResourceReference], key: str) -> tuple[Actuator, ...]:
        """The lamp actuators that references come to. Raises Refused with this key where one comes to none."""
        found: list[Actuator] = []
        for each in references:
            if not self.holding.is_there(each):
                raise Refused("relatedResourceNotFound", "what is addressed is not there", (each,))
            here = [
                (device, number)
                for device, wanted in sorted(self.holding.resolve((each,)))
                for number, function in self._values.get(device, {}).items()
                if identity(function)[1] == ACTUATOR and wanted in ("", number)
            ]
            if not here:
                raise Refused(key, "it has no lamp actuator", (each,))
            found += here
        return tuple(dict.fromkeys(found))

    def _assign(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        command: AssignCommand = call.payload
        calendar = command.entity.address
        if command.entity.resource != Sort.CALENDAR.value:
            raise Refused("assignmentEntityNotValid", "only calendars are assigned here", (command.entity,))
        if calendar and calendar not in self.holding.calendars:
            raise Refused("relatedResourceNotFound", "no such calendar", (command.entity,))
        actuators = self._actuators(command.addresses, "assignmentAddressNotValid")
        for device, function in actuators:
            self.assigned[device, function] = calendar
            value = Attribute("AttributeString", calendar, rfc3339(now_us))
            self._values[device][function]["calendarID"] = value
        self._assigns[call.number] = command
        if len(self._assigns) > REMEMBERED_MAX:
            self._assigns.pop(next(iter(self._assigns)))
        status = 202 if self.identity.follows else 201
        return yes(call.route, status=status), (Assigned(actuators, calendar, command),)

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
            if command.expiration is not None and _reached(command.expiration, now_us):
                raise Refused("overrideCommandNotValid", "it has expired")
        actuators = self._actuators(order.addresses, "overrideAddressNotValid")
        # The last order counts, and takes the place of the one before even where it begins later.
        later = command is not None and not _reached(command.start, now_us)
        for actuator in actuators:
            self.overrides.pop(actuator, None)
            self._later.pop(actuator, None)
            if command is None:
                continue
            if later:
                self._later[actuator] = command, call.number
            else:
                self.overrides[actuator] = command
            value = Attribute("AttributeCommand", msgspec.to_builtins(command), rfc3339(now_us))
            self._values[actuator[0]][actuator[1]]["targetLightCommand"] = value
        status = 202 if self.identity.follows else 201
        event = Overridden(actuators, None if later else command, call.number)
        return yes(call.route, status=status), (event,)

    def _put_logger(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        config: LoggerConfig = call.payload
        known = config.address in self.loggers.loggers
        if call.route.method == "POST" and known:
            raise Refused("resourceConflict", "a logger of that address is there")
        if call.route.method == "PUT" and (not known or config.address != call.values[0]):
            raise Refused("resourceNotFound", "no such logger")
        if config.owner_cms != self.cms:
            raise Refused("parameterValueNotValid", "it belongs to another CMS")
        self.loggers.put(config, now_us)
        return yes(call.route), (Stored("logger-configs", changed=(config.address,)),)

    def _remove_logger(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        found = self.loggers.loggers.get(call.values[0])
        if found is None:
            raise Refused("resourceNotFound", "no such logger")
        del self.loggers.loggers[call.values[0]]
        return yes(call.route, found.config), (Stored("logger-configs", removed=(call.values[0],)),)

    def _give_report(self, call: Call, now_us: int) -> tuple[Answer, tuple[GatewayEvent, ...]]:
        if call.values[0] not in self.loggers.loggers:
            raise Refused("resourceNotFound", "no such logger")
        return yes(call.route, self.loggers.snapshot(call.values[0], self._values, now_us)), ()

    _HANDLERS: ClassVar[dict[str, Callable[[Gateway, Call, int], tuple[Answer, tuple[GatewayEvent, ...]]]]] = {
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


def _id(function: Function) -> str:
    return identity(function)[0]


def _reached(instant: datetime | None, now_us: int) -> bool:
    return instant is None or to_us(instant) <= now_us


def _is_address(said: object) -> bool:
    return isinstance(said, str) and said != NIL and 0 < len(said) <= TEXT_CHARS_MAX and "/" not in said
