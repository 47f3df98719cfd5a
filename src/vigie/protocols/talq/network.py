"""The network behind a gateway: its devices and their values, what rules them, and what is logged of them.

What lamps really do is decided by whoever runs the session: this keeps what they say, and what they were told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from datetime import datetime, time, tzinfo

import msgspec

from vigie.core.times import rfc3339, to_us
from vigie.protocols.talq.devices import ACTUATOR, identity, scope_of
from vigie.protocols.talq.events import Configured, GatewayEvent, Overridden
from vigie.protocols.talq.holding import Holding
from vigie.protocols.talq.loggers import Loggers
from vigie.protocols.talq.messages import (
    Attribute,
    Command,
    Device,
    DeviceClass,
    EventLogData,
    Function,
    ResourceReference,
    Service,
    State,
    StateChangeEventLogData,
)
from vigie.protocols.talq.requests import Refused
from vigie.protocols.talq.schedules import day_of, level_at, level_state, programme_on, read, read_year

Actuator = tuple[str, str]
"""(device, function)."""


class Network:
    """All that a gateway has and holds."""

    def __init__(
        self, services: Sequence[Service], classes: Sequence[DeviceClass], devices: Iterable[Device], zone: tzinfo
    ) -> None:
        """zone: the local time of its reports."""
        self.services = {service.name: service for service in services}
        self.classes = {each.name: each for each in classes}
        self.devices = {device.address: device for device in devices}
        self.values: dict[str, dict[str, Function]] = {
            address: {identity(function)[0]: dict(function) for function in device.functions}
            for address, device in self.devices.items()
        }
        self.holding = Holding(self.services, self.devices.__contains__)
        self.loggers = Loggers(self.holding.resolve, zone)
        self.assigned: dict[Actuator, str] = {}
        self.overrides: dict[Actuator, Command] = {}
        self._later: dict[Actuator, tuple[Command, str]] = {}

    # What the devices do.

    def observed(self, device: str, function: str, name: str, value: Attribute, at_us: int) -> None:
        """A value of a device, as it is from now on. Raises KeyError for a device or function that there is not."""
        held = self.values[device][function]
        held[name] = value
        self.loggers.observed(device, held, name, value, at_us)

    def happened(self, device: str, function: str, event: str, begins: bool | None, at_us: int) -> None:
        """An event begins (true), ends (false) or has no length. Its status attribute, if it has one, goes with it."""
        held = self.values[device][function]
        if begins is not None and scope_of(event) == "event":
            held[event] = Attribute("AttributeBoolean", begins, rfc3339(at_us))
        data = EventLogData(f"{device}/{function}", event, begins, rfc3339(at_us))
        self.loggers.happened(data, device, function, at_us)

    def changed(self, device: str, function: str, command: Command, state: State, at_us: int) -> None:
        """An actuator has come to a state, because of a command."""
        stamp = rfc3339(at_us)
        done = Attribute("AttributeCommand", msgspec.to_builtins(command), stamp)
        self.observed(device, function, "feedbackLightCommand", done, at_us)
        lit = Attribute("AttributeLevelState", msgspec.to_builtins(state), stamp)
        self.observed(device, function, "actualLightState", lit, at_us)
        data = StateChangeEventLogData(f"{device}/{function}", "lightStateChange", command, state, stamp)
        self.loggers.happened(data, device, function, at_us)

    # What rules them.

    def override(self, actuators: Sequence[Actuator], command: Command | None, number: str, now_us: int) -> Overridden:
        """An order, or its end. The last order counts, and takes the place of the one before even where it begins
        later."""
        later = command is not None and not _reached(command.start, now_us)
        for actuator in actuators:
            self.overrides.pop(actuator, None)
            self._later.pop(actuator, None)
            if command is None:
                continue
            if later:
                self._later[actuator] = command, number
            else:
                self.overrides[actuator] = command
            value = Attribute("AttributeCommand", msgspec.to_builtins(command), rfc3339(now_us))
            self.values[actuator[0]][actuator[1]]["targetLightCommand"] = value
        return Overridden(tuple(actuators), None if later else command, number)

    def assign(self, actuators: Sequence[Actuator], calendar: str, now_us: int) -> None:
        """A calendar for actuators; an empty one takes theirs away."""
        for device, function in actuators:
            self.assigned[device, function] = calendar
            self.values[device][function]["calendarID"] = Attribute("AttributeString", calendar, rfc3339(now_us))

    def tick(self, now_us: int) -> tuple[GatewayEvent, ...]:
        """Time has passed: overrides begin and end, and samples are taken."""
        events = (*self._begun(now_us), *self._ended(now_us))
        self.loggers.sample(self.values, now_us)
        return events

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
        wanted = level_at(read(program), local.time(), sunrise, sunset) if program else None
        if program is None or wanted is None:
            return None
        return Command(level_state(wanted), reason="program", ref_address=program.id)

    # What is asked of them.

    def device(self, device: Device) -> Device:
        """A device with its values."""
        return msgspec.structs.replace(device, functions=tuple(self.values[device.address].values()))

    def operated(self, device: str) -> Device:
        """A device with what it was told, and no more."""
        return self._shown(device, frozenset({"operational"}))

    def announced(self, device: str) -> Device:
        """A device with what it is and what it was told; what it measures is the business of loggers."""
        return self._shown(device, frozenset({"configuration", "operational"}))

    def _shown(self, device: str, scopes: Set[str]) -> Device:
        held, functions = self.devices[device], list[Function]()
        for each in self.values[device].values():
            function: Function = {
                name: said for name, said in each.items() if not isinstance(said, Attribute) or scope_of(name) in scopes
            }
            functions.append(function)
        return Device(held.address, held.name, held.class_, tuple(functions))

    def function(self, device: str, function: str = "") -> Function:
        """A function with its values; without a name, whether the device is there. Raises Refused."""
        functions = self.values.get(device)
        if functions is None or (function and function not in functions):
            raise Refused("resourceNotFound", "no such device or function", (ResourceReference("devices", device),))
        return functions[function] if function else {}

    def configure(self, changes: Sequence[tuple[str, str, str, Attribute]]) -> tuple[GatewayEvent, ...]:
        """Sets attributes, by device, function and name. What is measured or operated is accepted and left as it is, as
        the standard says. Raises Refused, with nothing set."""
        for device, function, name, _ in changes:
            held = self.function(device, function)
            if scope_of(name) == "configuration" and name not in held:
                raise Refused("resourceNotFound", f"no attribute {name!r}", (ResourceReference("devices", device),))
        chosen = [each for each in changes if scope_of(each[2]) == "configuration"]
        for device, function, name, value in chosen:
            self.values[device][function][name] = value
        return tuple(Configured(*each) for each in chosen)

    def actuators(self, references: Sequence[ResourceReference], key: str) -> tuple[Actuator, ...]:
        """The lamp actuators that references come to. Raises Refused with this key where one comes to none."""
        found: list[Actuator] = []
        for each in references:
            if not self.holding.is_there(each):
                raise Refused("relatedResourceNotFound", "what is addressed is not there", (each,))
            here = [
                (device, number)
                for device, wanted in sorted(self.holding.resolve((each,)))
                for number, function in self.values.get(device, {}).items()
                if identity(function)[1] == ACTUATOR and wanted in ("", number)
            ]
            if not here:
                raise Refused(key, "it has no lamp actuator", (each,))
            found += here
        return tuple(dict.fromkeys(found))


def _reached(instant: datetime | None, now_us: int) -> bool:
    return instant is None or to_us(instant) <= now_us
