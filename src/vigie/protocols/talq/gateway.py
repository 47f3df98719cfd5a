"""A gateway's end: it announces itself, holds what its CMS puts into it, obeys and reports.

The device end of the protocol, which the simulator speaks through. It keeps the devices' values, the programmes,
groups and loggers; what a lamp does with an order is told as an event, and decided by whoever runs the session.

Laws: the bootstrap is a sequence (announcement, services, classes, devices in pages), each request after the answer
to the one before; a request that comes again is answered, not done, again; what is refused changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

import msgspec

from vigie.protocols.talq.answering import Answers
from vigie.protocols.talq.devices import GATEWAY, first, text_of
from vigie.protocols.talq.events import (
    Failed,
    GatewayEvent,
    GatewayTurn,
    Joined,
    Live,
)
from vigie.protocols.talq.limits import ANNOUNCED_DEVICES, REMEMBERED_MAX, TEXT_CHARS_MAX
from vigie.protocols.talq.loggers import report
from vigie.protocols.talq.messages import (
    NIL,
    Attribute,
    Device,
    DeviceClass,
    Function,
    LogEntry,
    Service,
)
from vigie.protocols.talq.network import Network
from vigie.protocols.talq.requests import (
    Answer,
    Caller,
    Incoming,
    Misunderstood,
    Refusal,
    Refused,
    Remembered,
    Request,
    read,
    shown,
    understand,
)
from vigie.protocols.talq.routes import Side

_FOR_GOOD = frozenset({400, 413, 422})
"""A report that is refused so is wrong, and would be again; with any other status it is kept and sent again."""


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
        self.address, self.cms = "", ""
        self.network = Network(services, classes, devices, zone)
        self._answers = Answers(self.network, self._self(NIL, NIL), follows=identity.follows)
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
            return self._refused(request, said, now_us)
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
        function = first(devices[0], GATEWAY) if devices else None
        own, cms = (text_of(function or {}, name) for name in ("gatewayAddress", "cmsAddress"))
        if not _is_address(own) or not _is_address(cms):
            return GatewayTurn((Failed(request.route.name, request.number, 0, "the CMS gave no address"),))
        self.address, self.cms = own, cms
        self._answers.own, self._answers.cms = self._self(self.address, self.cms), self.cms
        self._caller = self._caller_of(self.address)
        ask, devices = self._caller.ask, list(self.network.devices.values())
        requests = [
            ask("announceServices", body=list(self.network.services.values())),
            ask("addDeviceClasses", body=list(self.network.classes.values())),
        ]
        for start in range(0, len(devices), ANNOUNCED_DEVICES):
            page = [self.network.announced(device.address) for device in devices[start : start + ANNOUNCED_DEVICES]]
            requests.append(ask("addDevices", body=page))
        self._announcing = {each.number for each in requests}
        return GatewayTurn((Joined(self.address),), tuple(requests))

    def _refused(self, request: Request, said: Refusal, now_us: int) -> GatewayTurn:
        name = request.route.name
        detail = "; ".join(f"{error.key}: {error.description}" for error in said.errors)
        if name in ("addDeviceClasses", "addDevices") and self.address and said.status == 409:
            return GatewayTurn((), self._again(request, said))
        if said.status in _FOR_GOOD:
            self._reports.pop(request.number, None)
        self.unanswered(request, now_us)
        return GatewayTurn((Failed(name, request.number, said.status, detail),))

    def _again(self, request: Request, said: Refusal) -> tuple[Request, ...]:
        """What the CMS knows from before is said again as a change, and the rest once more; what it knows is what it
        names, or all of it where it names nothing."""
        add, named = request.route.name, {each.address.address for error in said.errors for each in error.references}
        items: list[dict[str, Any]] = msgspec.json.decode(request.body)
        before = [each for each in items if not named or each.get("address", each["name"]) in named]
        fresh = [each for each in items if each not in before]
        if not before:
            before, fresh = items, []
        again = [self._caller.ask(add.replace("add", "update"), body=before)]
        if fresh:
            again.append(self._caller.ask(add, body=fresh))
        self._announcing.discard(request.number)
        self._announcing |= {each.number for each in again}
        return tuple(again)

    def unanswered(self, request: Request, now_us: int) -> None:
        """A request got no answer, or none that is understood: a report goes back to its logger."""
        sent = self._reports.pop(request.number, None)
        if sent is not None:
            self.network.loggers.give_back(*sent, now_us)

    def tick(self, now_us: int, *, reporting: bool = True) -> GatewayTurn:
        """Time has passed: overrides begin and end, samples are taken, and these are the reports that are due.
        reporting: false while the CMS is not to be asked; then what is due stays with its loggers."""
        events = self.network.tick(now_us)
        if not self.address or not reporting:
            return GatewayTurn(events)
        requests: list[Request] = []
        for address, entries in self.network.loggers.due(now_us):
            request = self._caller.ask("sendLogReport", body=report(address, entries))
            self._reports[request.number] = address, entries
            requests.append(request)
        return GatewayTurn(events, tuple(requests))

    def followed(self, number: str, devices: Sequence[str]) -> Request:
        """Tells the CMS that an order that was accepted is done, by these devices. number: of the CMS's request."""
        body = [self.network.operated(each) for each in devices]
        return self._caller.ask("partialUpdateDevices", body=body, origin=number)

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
            answer, events = self._answers.answer(call, now_us)
            self._remembered.keep(call, answer)
            return GatewayTurn(events, answer=answer)
        except Refused as refusal:
            return GatewayTurn(answer=refusal.answer())


def _is_address(said: str) -> bool:
    return said != NIL and 0 < len(said) <= TEXT_CHARS_MAX and "/" not in said
