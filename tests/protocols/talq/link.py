"""A gateway, a CMS and the link between them, in memory. All that passes is judged by the standard's own files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.protocols.talq.standard import Standard
from vigie.protocols.talq.cms import Cms, Enrolment
from vigie.protocols.talq.events import CmsEvent, GatewayEvent
from vigie.protocols.talq.gateway import Gateway, Identity
from vigie.protocols.talq.messages import (
    Attribute,
    AttributeDesc,
    Device,
    DeviceClass,
    EventDesc,
    FunctionDesc,
    ResourceReference,
    Service,
)
from vigie.protocols.talq.requests import Answer, Incoming, Request, digest

CMS = "6d3f2f6e-8f0a-4a53-9a3c-2a5d5d2f7c11"
NOW_US = 1_795_000_000_000_000
LAMP = "11111111-0000-4000-8000-{:012d}"
CABINET = "22222222-0000-4000-8000-000000000001"
ACTUATOR, MONITOR = "actuator", "monitor"

SERVICES = (
    Service(
        "ConfigurationService",
        commissioning_supported=False,
        devices_pagination_supported=True,
        supported_profiles=("lighting",),
    ),
    Service(
        "ControlService",
        supported_types=("AbsoluteActivePeriod", "AstroClockActivePeriod", "AstroClockTimeControl", "ccDate", "ccDay"),
        maximum_calendars=4,
        maximum_programs=8,
        day_offset=0,
        cc_date_support="full",
        cc_day_support="full",
    ),
    Service(
        "DataCollectService",
        maximum_data_logs=10,
        supported_modes=(
            "VendorRecordingMode",
            "EventRecordingMode",
            "PeriodicRecordingMode",
            "ImmediateReportingMode",
        ),
        sampling_period_supported=True,
    ),
    Service("GroupManagementService", maximum_number_of_groups=20, maximum_group_size=600),
)

LAMP_CLASS = DeviceClass(
    "Lamp",
    (
        FunctionDesc("basic", "BasicFunction", (AttributeDesc("assetId"),)),
        FunctionDesc(
            ACTUATOR,
            "LampActuatorFunction",
            (AttributeDesc("actualLightState", "Percent", read_only=True), AttributeDesc("calendarID")),
            (EventDesc("lightStateChange"),),
        ),
        FunctionDesc(
            MONITOR, "LampMonitorFunction", (AttributeDesc("activePower", "Watts"),), (EventDesc("lampFailure"),)
        ),
    ),
)
CABINET_CLASS = DeviceClass("Cabinet", (FunctionDesc("doors", "CabinetMonitorFunction"),))


def lamp(number: int) -> Device:
    """A lamp as its gateway announces it."""
    functions = (
        {"id": "basic", "type": "BasicFunction", "assetId": Attribute("AttributeString", f"luminaire-{number:06}")},
        {"id": ACTUATOR, "type": "LampActuatorFunction", "calendarID": Attribute("AttributeString", "")},
        {"id": MONITOR, "type": "LampMonitorFunction"},
    )
    return Device(LAMP.format(number), f"Lamp {number}", "Lamp", functions)


def cabinet() -> Device:
    """A cabinet with a meter."""
    functions = (
        {"id": "basic", "type": "BasicFunction", "assetId": Attribute("AttributeString", "cabinet-000001")},
        {"id": "doors", "type": "CabinetMonitorFunction"},
        {"id": "meter", "type": "ElectricalMeterFunction"},
        {"id": "segment", "type": "SegmentMonitorFunction"},
    )
    return Device(CABINET, "Cabinet 1", "Cabinet", functions)


def to_lamps(*numbers: int) -> list[ResourceReference]:
    """References to lamps."""
    return [ResourceReference("devices", LAMP.format(number)) for number in numbers]


def incoming(request: Request) -> Incoming:
    """A request as a server would hand it on."""
    return Incoming(request.method, request.target, dict(request.headers), request.body)


@dataclass(repr=False)
class Link:
    """Both ends. heard, learnt: the events of the CMS and of the gateway, in order. passed: what went over the link."""

    judge: Standard | None = None
    lamps: int = 3
    follows: bool = False
    now_us: int = NOW_US
    heard: list[CmsEvent] = field(default_factory=list)
    learnt: list[GatewayEvent] = field(default_factory=list)
    passed: list[tuple[Request, Answer]] = field(default_factory=list)

    def __post_init__(self) -> None:
        who = Identity(
            "gw-1", "https://gw-1.example/talq", "https://post.example/talq", "vigie", "gateway-token",
            digest("post-token"), self.follows,
        )  # fmt: skip
        enrolment = Enrolment("gw-1", digest("gateway-token"), "post-token", "https://gw-1.example/talq")
        self.cms = Cms(CMS, "https://post.example/talq", [enrolment], seed="test")
        devices = [*(lamp(number) for number in range(1, self.lamps + 1)), cabinet()]
        self.gateway = Gateway(who, SERVICES, [LAMP_CLASS, CABINET_CLASS], devices, seed="test")
        self.peer = self.cms.peers[self.cms.gateway_of("gw-1")]

    def up(self, *requests: Request) -> list[Answer]:
        """The gateway asks; what follows from the answers is asked too, until there is nothing more."""
        answers: list[Answer] = []
        waiting = list(requests)
        while waiting:
            request = waiting.pop(0)
            turn = self.cms.receive(incoming(request), self.now_us)
            assert turn.answer is not None
            self._judge(request, turn.answer)
            self.heard += turn.events
            answers.append(turn.answer)
            back = self.gateway.answered(request, turn.answer, self.now_us)
            self.learnt += back.events
            waiting += back.requests
        return answers

    def down(self, requests: Request | Iterable[Request]) -> list[Answer]:
        """The CMS asks, in the same way."""
        answers: list[Answer] = []
        waiting = [requests] if isinstance(requests, Request) else list(requests)
        while waiting:
            request = waiting.pop(0)
            turn = self.gateway.receive(incoming(request), self.now_us)
            assert turn.answer is not None
            self._judge(request, turn.answer)
            self.learnt += turn.events
            answers.append(turn.answer)
            back = self.peer.answered(request, turn.answer, self.now_us)
            self.heard += back.events
            waiting += back.requests
        return answers

    def wait(self, seconds: float) -> None:
        """Time passes, and the gateway reports what is due."""
        self.now_us += round(seconds * 1e6)
        turn = self.gateway.tick(self.now_us)
        self.learnt += turn.events
        self.up(*turn.requests)

    def attach(self) -> None:
        """The bootstrap, whole."""
        self.up(self.gateway.start())

    def last(self, sort: type) -> object:
        """The last event of a sort that either end has had."""
        return next(each for each in reversed([*self.learnt, *self.heard]) if isinstance(each, sort))

    def _judge(self, request: Request, answer: Answer) -> None:
        self.passed.append((request, answer))
        if self.judge is not None:
            self.judge.check_request(request)
            self.judge.check_answer(request, answer)


def statuses(answers: Sequence[Answer]) -> list[int]:
    """How they were answered."""
    return [answer.status for answer in answers]
