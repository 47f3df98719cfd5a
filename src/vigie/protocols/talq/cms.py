"""The CMS's end: one door for all gateways, and a `Peer` for each.

A gateway is let in by an enrolment: the digest of the bearer token that it shows, or the name that the transport read
from its client certificate (the OpenAPI files leave both open). Its TALQ address is the CMS's to give, and follows
from the enrolment's name: announced twice, it is the same gateway.

`receive` says what to answer, and what was learnt: the events must be on disk before the answer is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from uuid import UUID, uuid5

import msgspec

from vigie.protocols.talq.devices import GATEWAY, first, is_whole, text_of
from vigie.protocols.talq.events import Attached, CmsTurn
from vigie.protocols.talq.messages import NIL, Attribute, Device
from vigie.protocols.talq.peer import Peer
from vigie.protocols.talq.requests import Call, Caller, Incoming, Refused, read, shown, yes
from vigie.protocols.talq.routes import Side


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A gateway that may attach. name: unique, and what its client certificate says where there is one.

    token_sha256: `digest` of the token that it shows; empty where only its certificate lets it in. gateway_token:
    what the CMS shows to it. uri: the only base URI it may name; empty for any.
    """

    name: str
    token_sha256: str = ""
    gateway_token: str = ""
    uri: str = ""


class Cms:
    """All conversations of one CMS."""

    def __init__(self, address: str, uri: str, enrolments: Iterable[Enrolment], *, seed: str = "") -> None:
        """address: the CMS's own UUID, for good. uri: where gateways are told to reach it; empty for where each says
        that it does already. seed: another for each start."""
        self.address, self.uri = str(UUID(address)), uri
        self.peers: dict[str, Peer] = {}
        self._by_token: dict[str, Enrolment] = {}
        self._by_name: dict[str, Enrolment] = {}
        self._seed = seed
        for each in enrolments:
            self.enrol(each)

    def enrol(self, enrolment: Enrolment) -> Peer:
        """Lets a gateway attach. One of that name that was enrolled before is known no more."""
        self.expel(enrolment.name)
        self._by_name[enrolment.name] = enrolment
        if enrolment.token_sha256:
            self._by_token[enrolment.token_sha256] = enrolment
        gateway = self.gateway_of(enrolment.name)
        seed = f"{self._seed} {enrolment.name}"
        caller = Caller(Side.GATEWAY, self.address, token=enrolment.gateway_token, seed=seed)
        self.peers[gateway] = Peer(gateway, caller, self._taken_from(gateway), enrolment.uri)
        return self.peers[gateway]

    def expel(self, name: str) -> None:
        """Lets a gateway attach no more, and forgets what it was."""
        enrolment = self._by_name.pop(name, None)
        if enrolment is not None:
            self._by_token.pop(enrolment.token_sha256, None)
            del self.peers[self.gateway_of(name)]

    def gateway_of(self, name: str) -> str:
        """The TALQ address of an enrolment."""
        return str(uuid5(UUID(self.address), name))

    def receive(self, incoming: Incoming, now_us: int, *, certified: str = "") -> CmsTurn:
        """What a gateway asks. certified: the name in its client certificate, which the transport has verified; empty
        for none. Whatever comes is answered; a refusal teaches nothing and has no events."""
        try:
            enrolment = self.enrolled(incoming.headers, certified=certified)
            return self._take(read(Side.CMS, incoming), enrolment, now_us)
        except Refused as refusal:
            return CmsTurn(answer=refusal.answer())

    def enrolled(self, headers: Mapping[str, str], *, certified: str = "") -> Enrolment:
        """Who asks, by the headers alone: what a stranger sends need not be read. Raises Refused."""
        # A token is looked up by its digest, so how long that takes tells nothing about the token.
        found = self._by_name.get(certified) if certified else self._by_token.get(shown(headers))
        if found is None:
            raise Refused("genericError", "no such gateway is enrolled", status=401)
        return found

    def _take(self, call: Call, enrolment: Enrolment, now_us: int) -> CmsTurn:
        gateway = self.gateway_of(enrolment.name)
        if call.client == NIL:
            return self._announce(call, enrolment, self.peers[gateway])
        if call.client != gateway:
            raise Refused("parameterValueNotValid", "clientAddress is not the one that was given", status=403)
        return self.peers[gateway].call(call, now_us)

    def _announce(self, call: Call, enrolment: Enrolment, peer: Peer) -> CmsTurn:
        """The first step of the bootstrap: who has no address yet may announce itself, and nothing else."""
        if call.route.name != "addDevices":
            raise Refused("genericError", "who has no address may only announce itself", status=403)
        devices: tuple[Device, ...] = call.payload
        function = first(devices[0], GATEWAY) if len(devices) == 1 and is_whole(devices[0]) else None
        if function is None:
            raise Refused("payloadError", "an announcement is one device with a GatewayFunction")
        peer.announced(devices[0])
        given = {
            "cmsUri": Attribute("AttributeUri", self.uri or text_of(function, "cmsUri")),
            "cmsAddress": Attribute("AttributeString", self.address),
            "gatewayAddress": Attribute("AttributeString", peer.gateway),
        }
        functions = tuple({**each, **given} if each is function else each for each in devices[0].functions)
        device = msgspec.structs.replace(devices[0], address=peer.gateway, functions=functions)
        return CmsTurn((Attached(peer.gateway, enrolment.name, peer.uri),), answer=yes(call.route, [device]))

    def _taken_from(self, gateway: str) -> Callable[[Set[str]], set[str]]:
        def taken(addresses: Set[str]) -> set[str]:
            others = (peer.devices.keys() for key, peer in self.peers.items() if key != gateway)
            return {address for devices in others for address in addresses & devices}

        return taken
