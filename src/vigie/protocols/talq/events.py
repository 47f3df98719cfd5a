"""What each end learns from the other: the events that a session hands to whoever runs it."""

from __future__ import annotations

from dataclasses import dataclass

from vigie.core.readings import Readings
from vigie.protocols.talq.devices import Known
from vigie.protocols.talq.differences import Held
from vigie.protocols.talq.messages import AssignCommand, Attribute, Command, DeviceClass, Service, TalqError
from vigie.protocols.talq.readings import Notice
from vigie.protocols.talq.requests import Answer, Request

# What the CMS learns.


@dataclass(frozen=True, slots=True)
class Attached:
    """A gateway announced itself and has its address. The post's requests go to `uri`."""

    gateway: str
    enrolment: str
    uri: str


@dataclass(frozen=True, slots=True)
class Ready:
    """A gateway has said all that the bootstrap asks of it."""

    gateway: str


@dataclass(frozen=True, slots=True)
class Supported:
    """What a gateway supports, and the classes of its devices; what it does not say now is None."""

    gateway: str
    services: tuple[Service, ...] | None = None
    classes: tuple[DeviceClass, ...] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Devices that a gateway has, new or changed."""

    gateway: str
    devices: tuple[Known, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """Devices that a gateway has no more."""

    gateway: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reported:
    """Readings. logger: whose report it was; empty for values that came with a device."""

    gateway: str
    logger: str
    readings: Readings


@dataclass(frozen=True, slots=True)
class Noticed:
    """Events that are no readings: a calendar that a lamp cannot follow, a device that does not answer its gateway."""

    gateway: str
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """A request was done. number: its talqRequestId."""

    gateway: str
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request was accepted to be done later; `Followed` says of which devices it was done."""

    gateway: str
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Followed:
    """What an accepted request has brought about: these devices have been changed by it."""

    gateway: str
    number: str
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declined:
    """A request was refused; nothing of it was done."""

    gateway: str
    name: str
    number: str
    status: int
    errors: tuple[TalqError, ...]

    @property
    def reason(self) -> str:
        """Why, in the gateway's own words, or by its status where it has none."""
        return "; ".join(f"{error.key}: {error.description}" for error in self.errors) or f"HTTP {self.status}"


@dataclass(frozen=True, slots=True)
class Garbled:
    """An answer that cannot be understood: what became of the request is not known."""

    gateway: str
    name: str
    number: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReadBack:
    """All that was asked for by `read_back` has come: this is what the gateway really holds."""

    gateway: str
    held: Held


# What a gateway learns.


@dataclass(frozen=True, slots=True)
class Joined:
    """The CMS has given the gateway its address."""

    address: str


@dataclass(frozen=True, slots=True)
class Live:
    """All is announced: services, classes and devices."""


@dataclass(frozen=True, slots=True)
class Overridden:
    """An order to actuators, by (device, function); without a command, back to the control program."""

    actuators: tuple[tuple[str, str], ...]
    command: Command | None
    number: str


@dataclass(frozen=True, slots=True)
class Assigned:
    """Actuators, by (device, function), have another calendar; empty for none."""

    actuators: tuple[tuple[str, str], ...]
    calendar: str
    command: AssignCommand


@dataclass(frozen=True, slots=True)
class Stored:
    """Something that the CMS put into the gateway was added, changed or taken out. sort: such as `calendars`."""

    sort: str
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Configured:
    """An attribute of a device was set by the CMS."""

    device: str
    function: str
    name: str
    attribute: Attribute


@dataclass(frozen=True, slots=True)
class Failed:
    """A request of the gateway's was refused (status) or its answer is not understood (0). With 403 the CMS does not
    know the gateway, or not any more: `start` begins anew, after a while."""

    name: str
    number: str
    status: int
    detail: str


CmsEvent = (
    Attached
    | Ready
    | Supported
    | Found
    | Lost
    | Reported
    | Noticed
    | Done
    | Accepted
    | Followed
    | Declined
    | Garbled
    | ReadBack
)
GatewayEvent = Joined | Live | Overridden | Assigned | Stored | Configured | Failed


@dataclass(frozen=True, slots=True)
class CmsTurn:
    """What the CMS makes of what came in. answer: to be sent when the events are on disk (durable before acknowledged);
    None where an answer came in. requests: what to ask next, in order, each after the one before was answered. seal:
    by which the answer is remembered, in case the request comes again; see `Peer.not_kept`."""

    events: tuple[CmsEvent, ...] = ()
    requests: tuple[Request, ...] = ()
    answer: Answer | None = None
    seal: bytes = b""


@dataclass(frozen=True, slots=True)
class GatewayTurn:
    """What the gateway makes of what came in, in the same words."""

    events: tuple[GatewayEvent, ...] = ()
    requests: tuple[Request, ...] = ()
    answer: Answer | None = None
