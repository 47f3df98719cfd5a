"""One gateway as the CMS sees it: what it has announced, what it holds, and what may be asked of it.

Laws: during the bootstrap only the bootstrap is spoken (`MOVES`); a request that comes again is answered, not done,
again; nothing that the gateway says can raise anything but a refusal; an answer that makes no sense leaves the state
as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

import msgspec

from vigie.protocols.talq.devices import ACTUATOR, BASIC, GATEWAY, Known, first, identity, is_whole, known, text_of
from vigie.protocols.talq.differences import KEY, Collector, Difference, Held, Sort, assign, mend
from vigie.protocols.talq.events import (
    Accepted,
    CmsEvent,
    CmsTurn,
    Declined,
    Done,
    Followed,
    Found,
    Garbled,
    Lost,
    Noticed,
    ReadBack,
    Ready,
    Reported,
    Supported,
)
from vigie.protocols.talq.limits import DEVICES_MAX, ITEMS_MAX, PAGE_DEVICES, REMEMBERED_MAX, TEXT_CHARS_MAX
from vigie.protocols.talq.messages import (
    Attribute,
    Calendar,
    Command,
    ControlProgramOne,
    Device,
    DeviceClass,
    Function,
    Group,
    LogReport,
    OverrideCommand,
    ResourceReference,
    Service,
)
from vigie.protocols.talq.readings import Reader, Standing
from vigie.protocols.talq.requests import (
    UNREADABLE,
    Answer,
    Call,
    Caller,
    Misunderstood,
    Refusal,
    Refused,
    Remembered,
    Request,
    paged,
    understand,
    yes,
)
from vigie.protocols.talq.schedules import level_state


class Step(StrEnum):
    """How far the bootstrap of a gateway is."""

    UNKNOWN = "unknown"
    ANNOUNCED = "announced"
    SERVICES = "services"
    """Its services are known, its classes not yet."""
    CLASSES = "classes"
    """The other way round."""
    READY = "ready"


MOVES: dict[tuple[Step, str], Step] = {
    (Step.ANNOUNCED, "announceServices"): Step.SERVICES,
    (Step.ANNOUNCED, "addDeviceClasses"): Step.CLASSES,
    (Step.SERVICES, "addDeviceClasses"): Step.READY,
    (Step.CLASSES, "announceServices"): Step.READY,
}
"""The moves of the bootstrap after the announcement, which leads to ANNOUNCED from anywhere: a gateway that has lost
its memory begins anew. Services and classes come in either order."""

SPOKEN_BEFORE: frozenset[str] = frozenset(
    {"announceServices", "addDeviceClasses", "updateDeviceClasses", "updateDeviceClass", "partialUpdateDevice"}
)
"""What a gateway may send before it is ready; all else is refused with 403."""

_ONE: dict[Sort, type[Any]] = {Sort.PROGRAM: ControlProgramOne, Sort.CALENDAR: Calendar, Sort.GROUP: Group}
_LISTED = {"getControlPrograms": Sort.PROGRAM, "getCalendars": Sort.CALENDAR, "getGroups": Sort.GROUP}


class _Named(msgspec.Struct):
    """What of an item can be read in any case."""

    id: str = ""
    address: str = ""


class Memory(msgspec.Struct, frozen=True):
    """A gateway as the CMS knows it, to be kept on disk. points: the events that stand, by device and point."""

    step: str
    uri: str
    services: tuple[Service, ...]
    classes: tuple[DeviceClass, ...]
    devices: tuple[Known, ...]
    points: dict[str, dict[str, Standing]]


@dataclass(frozen=True, slots=True)
class _Page:
    """Where a list of devices goes on."""

    offset: int
    limit: int


class Peer:
    """The CMS's end of the conversation with one gateway."""

    def __init__(self, gateway: str, caller: Caller, taken: Callable[[Set[str]], set[str]], uri: str = "") -> None:
        """gateway: its TALQ address. taken: which of these addresses of devices are another gateway's already. uri: the
        only base URI that the gateway may name; empty for any of HTTP."""
        self.gateway, self.caller, self.step = gateway, caller, Step.UNKNOWN
        self.uri, self._uri_fixed = "", uri
        self.services: dict[str, Service] = {}
        self.classes: dict[str, DeviceClass] = {}
        self.devices: dict[str, Known] = {}
        self.wanted, self._taken, self._reader = Held(), taken, Reader(self.devices)
        self._remembered = Remembered(REMEMBERED_MAX)
        self._pending: dict[str, str] = {}
        self._collector: Collector | None = None
        self._listed: set[str] | None = None

    def memory(self) -> Memory:
        """What must outlive the process: a gateway does not start over because the post does."""
        return Memory(
            self.step.value,
            self.uri,
            tuple(self.services.values()),
            tuple(self.classes.values()),
            tuple(self.devices.values()),
            self._reader.points,
        )

    @property
    def standing(self) -> int:
        """Grows with each change of what stands at the devices (`Memory.points`)."""
        return self._reader.edition

    def recall(self, memory: Memory) -> None:
        """Goes on where `memory` was taken. Raises ValueError for a step that is none."""
        self.step, self.uri = Step(memory.step), memory.uri
        self.services = {each.name: each for each in memory.services}
        self.classes = {each.name: each for each in memory.classes}
        self.devices |= {each.address: each for each in memory.devices}
        self._reader.points |= memory.points

    # What the gateway asks.

    def announced(self, device: Device) -> None:
        """The gateway has announced itself, for the first time or anew. Raises Refused."""
        self._move_to(_uri_of(device))
        self.step, self._remembered = Step.ANNOUNCED, Remembered(REMEMBERED_MAX)

    def _move_to(self, uri: str) -> None:
        """Where the gateway wants to be asked from now on. A post that asks wherever it is told to is a weapon."""
        if self._uri_fixed and uri != self._uri_fixed:
            raise Refused("payloadError", "gatewayUri is not the one that is agreed")
        if not uri.startswith(("https://", "http://")) or len(uri) > TEXT_CHARS_MAX:
            raise Refused("payloadError", "gatewayUri is no absolute URI of HTTP")
        self.uri = uri

    def call(self, call: Call, now_us: int) -> CmsTurn:
        """A request of the gateway's. Raises Refused."""
        before = self._remembered.of(call)
        if before is not None:
            return CmsTurn(answer=before)
        if self.step is not Step.READY and call.route.name not in SPOKEN_BEFORE:
            raise Refused("genericError", f"the bootstrap is at {self.step.value!r}: not yet", status=403)
        answer, events = self._HANDLERS[call.route.name](self, call, now_us)
        step = MOVES.get((self.step, call.route.name), self.step)
        if step is not self.step:
            self.step = step
            events = (*events, *((Ready(self.gateway),) if step is Step.READY else ()))
        self._remembered.keep(call, answer)
        return CmsTurn(events, answer=answer, seal=call.seal)

    def not_kept(self, turn: CmsTurn) -> None:
        """What a request said could not be put on disk, and its answer is not sent: when it comes again it is done
        again, which for each request comes to the same as once."""
        self._remembered.forget(turn.seal)

    def _announce_services(self, call: Call, now_us: int) -> tuple[Answer, tuple[CmsEvent, ...]]:
        services: tuple[Service, ...] = call.payload
        self.services = {service.name: service for service in services}
        return yes(call.route), (Supported(self.gateway, services=services),)

    def _take_classes(self, call: Call, now_us: int) -> tuple[Answer, tuple[CmsEvent, ...]]:
        single = call.route.name == "updateDeviceClass"
        classes: tuple[DeviceClass, ...] = (call.payload,) if single else call.payload
        if single and call.payload.name != call.values[0]:
            raise Refused("payloadError", "the class in the path is another")
        strange = [each.name for each in classes if each.name not in self.classes]
        there = [ResourceReference("device-classes", each.name) for each in classes if each.name in self.classes]
        if strange and call.route.name != "addDeviceClasses":
            raise Refused("resourceNotFound", f"no class {strange[0]!r}", status=422 if single else 404)
        # While the bootstrap lasts the gateway says again what it has said before it started anew.
        if self.step is Step.READY and call.route.name == "addDeviceClasses" and there:
            raise Refused("resourceConflict", "classes are there already", there)
        if len(self.classes) + len(strange) > ITEMS_MAX:
            raise Refused("serviceConstraintExceeded", f"more than {ITEMS_MAX} classes")
        self.classes.update({each.name: each for each in classes})
        return yes(call.route, call.payload), (Supported(self.gateway, classes=classes),)

    def _delete_class(self, call: Call, now_us: int) -> tuple[Answer, tuple[CmsEvent, ...]]:
        name = call.values[0]
        if name not in self.classes:
            raise Refused("resourceNotFound", f"no class {name!r}")
        if any(device.of_class == name for device in self.devices.values()):
            raise Refused("deletingResourceIsReferred", "devices are of this class")
        return yes(call.route, self.classes.pop(name)), ()

    def _take_devices(self, call: Call, now_us: int) -> tuple[Answer, tuple[CmsEvent, ...]]:
        single = call.route.name in {"updateDevice", "partialUpdateDevice"}
        devices: tuple[Device, ...] = (call.payload,) if single else call.payload
        if single and call.payload.address != call.values[0]:
            raise Refused("payloadError", "the address in the path is another")
        adds, whole = call.route.name == "addDevices", call.route.method != "PATCH"
        self._check_devices(devices, adds=adds)
        own = next((device for device in devices if device.address == self.gateway), None)
        if own is not None and _uri_of(own):
            self._move_to(_uri_of(own))
        devices = tuple(device for device in devices if device is not own)
        found = tuple(known(device, None if whole else self.devices.get(device.address)) for device in devices)
        self.devices.update({each.address: each for each in found})
        if self._listed is not None:
            self._listed |= {each.address for each in found}
        events: list[CmsEvent] = [Found(self.gateway, found)] if found else []
        if call.origin in self._pending:
            events.append(Followed(self.gateway, call.origin, tuple(each.address for each in found)))
        events += self._values(devices, now_us)
        return yes(call.route, call.payload), tuple(events)

    def _check_devices(self, devices: Sequence[Device], *, adds: bool) -> None:
        addresses = {each.address for each in devices}
        there = sorted((addresses & self.devices.keys()) | self._taken(addresses)) if adds else []
        if there:
            about = [ResourceReference("devices", address) for address in there]
            raise Refused("resourceConflict", "devices are there already", about)
        for device in devices:
            about = (ResourceReference("devices", device.address),)
            if not is_whole(device):
                raise Refused("payloadError", "a function has no identifier of its own, or no type", about)
            if device.address == self.gateway:
                continue
            if not adds and device.address not in self.devices:
                raise Refused("resourceNotFound", "no such device", about)
            if device.class_ not in self.classes:
                raise Refused("relatedResourceNotFound", f"no class {device.class_!r}", about)
        if len(addresses) != len(devices):
            raise Refused("resourceConflict", "a device comes twice", status=409 if adds else 422)
        if adds and len(self.devices) + len(devices) > DEVICES_MAX:
            raise Refused("serviceConstraintExceeded", f"more than {DEVICES_MAX} devices")

    def _values(self, devices: Sequence[Device], now_us: int) -> list[CmsEvent]:
        readings = self._reader.values(devices, now_us)
        return [Reported(self.gateway, "", readings)] if readings.sent else []

    def _delete_device(self, call: Call, now_us: int) -> tuple[Answer, tuple[CmsEvent, ...]]:
        gone = self.devices.pop(self._device(call).address)
        self._reader.forget(gone.address)
        return yes(call.route, _shown(gone)), (Lost(self.gateway, (gone.address,)),)

    def _give_device(self, call: Call, now_us: int) -> tuple[Answer, tuple[CmsEvent, ...]]:
        return yes(call.route, _shown(self._device(call))), ()

    def _give_function(self, call: Call, now_us: int) -> tuple[Answer, tuple[CmsEvent, ...]]:
        return yes(call.route, self._function(call)), ()

    def _give_attribute(self, call: Call, now_us: int) -> tuple[Answer, tuple[CmsEvent, ...]]:
        found = self._function(call).get(call.values[2])
        if not isinstance(found, Attribute):
            raise Refused("resourceNotFound", "no such attribute is kept here")
        return yes(call.route, found), ()

    def _function(self, call: Call) -> Function:
        for function in _shown(self._device(call)).functions:
            if identity(function)[0] == call.values[1]:
                return function
        raise Refused("resourceNotFound", "no such function")

    def _give_devices(self, call: Call, now_us: int) -> tuple[Answer, tuple[CmsEvent, ...]]:
        classes = call.asked.get("deviceClasses")
        chosen = [each for each in self.devices.values() if not classes or each.of_class in classes]
        page, headers = paged(call, chosen)
        return yes(call.route, [_shown(each) for each in page], headers=headers), ()

    def _device(self, call: Call) -> Known:
        found = self.devices.get(call.values[0])
        if found is None:
            raise Refused("resourceNotFound", "no such device")
        return found

    def _give_groups(self, call: Call, now_us: int) -> tuple[Answer, tuple[CmsEvent, ...]]:
        return yes(call.route, list(self.wanted.groups.values())), ()

    def _give_group(self, call: Call, now_us: int) -> tuple[Answer, tuple[CmsEvent, ...]]:
        return yes(call.route, _one(self.wanted.groups, call)), ()

    def _give_logger(self, call: Call, now_us: int) -> tuple[Answer, tuple[CmsEvent, ...]]:
        return yes(call.route, _one(self.wanted.loggers, call)), ()

    def _take_report(self, call: Call, now_us: int) -> tuple[Answer, tuple[CmsEvent, ...]]:
        report: LogReport = call.payload
        return yes(call.route), self._report(report, now_us)

    def _report(self, report: LogReport, now_us: int) -> tuple[CmsEvent, ...]:
        readings, notices = self._reader.report(report.entries, now_us)
        told = (Noticed(self.gateway, notices),) if notices else ()
        return Reported(self.gateway, report.address, readings), *told

    _HANDLERS: ClassVar[dict[str, Callable[[Peer, Call, int], tuple[Answer, tuple[CmsEvent, ...]]]]] = {
        "announceServices": _announce_services,
        "addDeviceClasses": _take_classes,
        "updateDeviceClasses": _take_classes,
        "updateDeviceClass": _take_classes,
        "deleteDeviceClass": _delete_class,
        "getDevices": _give_devices,
        "addDevices": _take_devices,
        "updateDevices": _take_devices,
        "partialUpdateDevices": _take_devices,
        "getDevice": _give_device,
        "getDeviceFunction": _give_function,
        "getDeviceAttribute": _give_attribute,
        "updateDevice": _take_devices,
        "partialUpdateDevice": _take_devices,
        "deleteDevice": _delete_device,
        "getGroups": _give_groups,
        "getGroup": _give_group,
        "sendLogReport": _take_report,
        "getLoggerConfig": _give_logger,
    }

    # What the CMS asks.

    def probe(self) -> Request:
        """Asks for something small, to know whether the gateway is there."""
        return self.caller.ask("getServices")

    def discover(self) -> tuple[Request, ...]:
        """Asks a gateway for all it is and has; more pages of devices are asked for as the answers come."""
        ask = self.caller.ask
        return ask("getServices"), ask("getDeviceClasses"), self._page(0)

    def read_back(self) -> tuple[Request, ...]:
        """Asks for what the gateway really holds. When all is answered, `ReadBack` has it. One read-back at a time: a
        new one takes the place of one that was not answered."""
        ask = self.caller.ask
        requests = (
            *(ask(name) for name in _LISTED),
            *(ask("getLoggerConfig", name) for name in self.wanted.loggers),
            self._page(0),
        )
        self._collector = Collector(request.target for request in requests)
        return requests

    def mend(self, differences: Sequence[Difference]) -> tuple[Request, ...]:
        """The requests that make right what may be made right."""
        return mend(differences, self.caller)

    def assign(self, calendar: str, targets: Sequence[ResourceReference]) -> Request:
        """Gives a calendar to devices, functions or groups; an empty one takes it from them."""
        return assign(self.caller, calendar, targets)

    def override(
        self,
        targets: Sequence[ResourceReference],
        level_percent: int,
        *,
        start: datetime | None = None,
        until: datetime | None = None,
        ramp_s: float = 0.0,
        mark: str = "",
    ) -> Request:
        """An order over the control program, to at most `limits.ITEMS_MAX` targets. until: when the program rules
        again; left out, when it is released. mark: a text of ours that the gateway repeats with what it logs of it
        (cmsRefId)."""
        command = Command(
            level_state(level_percent),
            ramp_to_level_time=ramp_s or None,
            reason="override",
            cms_ref_id=mark,
            start=start,
            expiration=until,
        )
        return self.caller.ask("sendCommand", body=OverrideCommand(tuple(targets), command))

    def release(self, targets: Sequence[ResourceReference]) -> Request:
        """Back to the control program."""
        return self.caller.ask("sendCommand", body=OverrideCommand(tuple(targets)))

    def look(self, device: str) -> Request:
        """Asks for a device with all its values: the proof of an order."""
        return self.caller.ask("getDevice", device)

    def pull(self, logger: str) -> Request:
        """Asks a logger for what it has, now."""
        return self.caller.ask("getLogReport", logger)

    def _page(self, offset: int) -> Request:
        service = self.services.get("ConfigurationService")
        paging = service is not None and service.devices_pagination_supported
        query = (("offset", str(offset)), ("limit", str(PAGE_DEVICES))) if paging else ()
        return self.caller.ask("getDevices", query=query)

    # What the gateway answers.

    def answered(self, request: Request, answer: Answer, now_us: int) -> CmsTurn:
        """What an answer means, and what to ask next because of it."""
        name, number = request.route.name, request.number
        try:
            said = understand(request, answer)
        except Misunderstood as error:
            self._give_up(request)
            return CmsTurn((Garbled(self.gateway, name, number, str(error)),))
        if isinstance(said, Refusal):
            return self._declined(request, said)
        events: tuple[CmsEvent, ...] = ()
        more: tuple[Request, ...] = ()
        if answer.status == 202:
            self._pending[number] = name
            if len(self._pending) > REMEMBERED_MAX:
                self._pending.pop(next(iter(self._pending)))
            return CmsTurn((Accepted(self.gateway, name, number),))
        if name == "getDevices":
            events, more = self._devices_read(request, said, dict(answer.headers), now_us)
        elif name in _LISTED:
            self._list_read(_LISTED[name], said)
        else:
            events = self._read(name, said, now_us)
        if request.route.changes:
            events = (*events, Done(self.gateway, name, number))
        return CmsTurn((*events, *self._collected(request)), more)

    def _declined(self, request: Request, said: Refusal) -> CmsTurn:
        name = request.route.name
        waited = self._collector is not None and self._collector.waits_for(request.target)
        if waited and name == "getLoggerConfig" and said.status == 404:
            return CmsTurn(self._collected(request))
        self._give_up(request)
        return CmsTurn((Declined(self.gateway, name, request.number, said.status, said.errors),))

    def _give_up(self, request: Request) -> None:
        """A read-back with a hole in it is none."""
        if self._collector is not None and self._collector.waits_for(request.target):
            self._collector = None

    def _collected(self, request: Request) -> tuple[CmsEvent, ...]:
        if self._collector is None:
            return ()
        self._collector.answered(request.target)
        held = self._collector.whole()
        if held is None:
            return ()
        self._collector = None
        return (ReadBack(self.gateway, held),)

    def _read(self, name: str, said: Any, now_us: int) -> tuple[CmsEvent, ...]:
        if name == "getServices":
            self.services = {service.name: service for service in said}
            return (Supported(self.gateway, services=said),)
        if name == "getDeviceClasses":
            self.classes = {each.name: each for each in said}
            return (Supported(self.gateway, classes=said),)
        if name == "getDevice":
            good, found = self._found((said,))
            return (*found, *self._values(good, now_us))
        if name == "getLogReport":
            return self._report(said, now_us)
        if name == "getLoggerConfig" and self._collector is not None:
            self._collector.take(Sort.LOGGER, [(said.address, said)])
        return ()

    def _found(self, devices: Sequence[Device]) -> tuple[list[Device], tuple[CmsEvent, ...]]:
        taken = self._taken({each.address for each in devices})
        good = [each for each in devices if is_whole(each) and each.address not in taken]
        found = tuple(known(each) for each in good if each.address != self.gateway)
        changed = tuple(each for each in found if self.devices.get(each.address) != each)
        fresh = [each for each in found if each.address not in self.devices][: DEVICES_MAX - len(self.devices)]
        self.devices.update({each.address: each for each in found if each.address in self.devices or each in fresh})
        return good, ((Found(self.gateway, changed),) if changed else ())

    def _devices_read(
        self, request: Request, devices: Sequence[Device], headers: Mapping[str, str], now_us: int
    ) -> tuple[tuple[CmsEvent, ...], tuple[Request, ...]]:
        good, events = self._found(devices)
        if self._collector is None or not self._collector.waits_for(request.target):
            events = (*events, *self._values(good, now_us))
        else:
            # What is read back is what the gateway holds. What its devices measure was said by its loggers.
            for device in devices:
                found = self.devices.get(device.address)
                if found is not None:
                    said = [(f"{found.address}/{number}", name) for number, name in found.calendars.items()]
                    self._collector.take(Sort.ASSIGNMENT, said)
        page = _page_of(request)
        if page is None or page.offset == 0:
            self._listed = set()
        if self._listed is not None:
            self._listed |= {each.address for each in devices}
        total = headers.get("pagination-totalcount", headers.get("pagination-totalCount", ""))
        if (
            page is None
            or len(devices) != page.limit
            or page.offset + page.limit >= DEVICES_MAX
            or (total.isascii() and total.isdigit() and page.offset + len(devices) >= int(total[:10]))
        ):
            return (*events, *self._unlisted()), ()
        further = self._page(page.offset + page.limit)
        if self._collector is not None and self._collector.waits_for(request.target):
            self._collector.more(further.target)
        return events, (further,)

    def _unlisted(self) -> tuple[CmsEvent, ...]:
        """The devices that the gateway no longer speaks of, when its list has come whole."""
        listed, self._listed = self._listed, None
        gone = tuple(self.devices.keys() - listed) if listed is not None else ()
        for address in gone:
            del self.devices[address]
            self._reader.forget(address)
        return (Lost(self.gateway, tuple(sorted(gone))),) if gone else ()

    def _list_read(self, sort: Sort, items: Sequence[msgspec.Raw]) -> None:
        if self._collector is None:
            return
        good: list[tuple[str, Any]] = []
        strange: list[str] = []
        for item in items:
            try:
                one = msgspec.json.decode(item, type=_ONE[sort])
                good.append((KEY[sort](one), one))
            except UNREADABLE:
                strange.append(_name_of(item))
        self._collector.take(sort, good, strange)


def _page_of(request: Request) -> _Page | None:
    asked = dict(request.query)
    return _Page(int(asked["offset"]), int(asked["limit"])) if "limit" in asked else None


def _name_of(raw: msgspec.Raw) -> str:
    try:
        named = msgspec.json.decode(raw, type=_Named)
    except UNREADABLE:
        return ""
    return named.id or named.address


def _one(items: Mapping[str, Any], call: Call) -> Any:
    if call.values[0] not in items:
        raise Refused("resourceNotFound", f"no {call.route.template.split('/')[1]} of that address")
    return items[call.values[0]]


def _shown(device: Known) -> Device:
    """A device as the post knows it: which functions it has, whose it is and what rules it; values are in the
    history."""
    functions: list[Function] = []
    for number, sort in device.functions.items():
        function = Function(id=number, type=sort)
        if sort == BASIC and device.asset != device.address:
            function["assetId"] = Attribute("AttributeString", device.asset)
        if number in device.calendars:
            function["calendarID"] = Attribute("AttributeString", device.calendars[number])
        functions.append(function)
    return Device(device.address, device.name, device.of_class, tuple(functions))


def _uri_of(device: Device) -> str:
    """The base URI that an announcement gives for the gateway's own API; empty where it gives none."""
    function = first(device, GATEWAY)
    return text_of(function, "gatewayUri") if function is not None else ""


def actuators(device: Known) -> tuple[ResourceReference, ...]:
    """References to the lamp actuators of a device."""
    return tuple(
        ResourceReference("devices", f"{device.address}/{number}")
        for number, sort in device.functions.items()
        if sort == ACTUATOR
    )
