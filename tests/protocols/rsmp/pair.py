"""A supervisor, a site and the connection between them, in memory. All that passes is judged by the schemas."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from tests.protocols.rsmp.standard import Standard
from vigie.protocols.rsmp import Enrolment, Link, Moment, Of, Rate, Setup, Site, Supervisor, Turn
from vigie.protocols.rsmp.events import AggregatedTold, AlarmTold, Ordered, StatusTold, Step
from vigie.protocols.rsmp.framing import END

S = TypeVar("S", bound=Step)

NOW_US = 1_795_000_000_000_000
MAIN, GROUP, DETECTOR = "KK+AG0503=001TC000", "KK+AG0503=001SG001", "KK+AG0503=001DL001"
COMPONENTS: Mapping[str, Of] = {MAIN: Of.CONTROLLER, GROUP: Of.GROUP, DETECTOR: Of.DETECTOR}
CODES = ("1111", "2222")
SETUP = Setup(("J-1",), COMPONENTS, "1.2.1", codes=CODES)
ENROLMENT = Enrolment(("J-1",), COMPONENTS, codes=CODES)

GROUPS, DETECTORS = ("S0001", "signalgroupstatus"), ("S0002", "detectorlogicstatus")


@dataclass(repr=False)
class Pair:
    """Both ends. heard, learnt: the events of the supervisor and of the site. passed: the messages, and who said it."""

    judge: Standard | None = None
    setup: Setup = SETUP
    supervisor: Supervisor = field(default_factory=lambda: Supervisor([ENROLMENT], seed="post"))
    now: Moment = field(default_factory=lambda: Moment.at(NOW_US))
    heard: list[Step] = field(default_factory=list)
    learnt: list[Step] = field(default_factory=list)
    passed: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    keeps: bool = True
    obeys: bool = True

    def __post_init__(self) -> None:
        self.site = Site(self.setup, self.now, seed=self.setup.names[0])
        self.link: Link | None = None
        self.up, self.down = b"", b""

    def connect(self) -> Pair:
        """The site connects, and both speak until they have said all."""
        self.link = self.supervisor.open()
        self.up, self.down = b"", b""
        self.post(self.link.opened(self.now))
        self.box(self.site.opened(self.now))
        self.pump()
        return self

    def cut(self) -> None:
        """The connection ends; what was on its way is gone."""
        link, self.link = self.link, None
        self.up, self.down = b"", b""
        if link is not None:
            self.heard += link.lost(self.now).events
            self.learnt += self.site.lost(self.now).events

    def post(self, turn: Turn) -> None:
        """What the supervisor's end has made."""
        self._take("post", turn, self.heard)

    def box(self, turn: Turn) -> None:
        """What the site's end has made."""
        self._take("site", turn, self.learnt)

    def _take(self, who: str, turn: Turn, events: list[Step]) -> None:
        events += turn.events
        if self.link is None:
            return
        self._judge(who, turn.data)
        if who == "post":
            self.down += turn.data
        else:
            self.up += turn.data
        if turn.close:
            # What was said before still arrives.
            other, data = (self.site, self.down) if who == "post" else (self.link, self.up)
            gone = self.link if who == "post" else self.site
            last = other.receive(data, self.now)
            (self.learnt if who == "post" else self.heard).extend(last.events)
            self.heard += (gone if who == "post" else other).lost(self.now).events
            self.learnt += (other if who == "post" else gone).lost(self.now).events
            self.link, self.up, self.down = None, b"", b""

    def _judge(self, who: str, data: bytes) -> None:
        for frame in data.split(END)[:-1]:
            self.passed.append((who, json.loads(frame)))
            if self.judge is not None:
                core = next((end.core for end in (self.site, self.link) if end is not None and end.core), None)
                version = core.version if core is not None else "3.2.2"
                self.judge.check(frame + END, version, self.setup.sxl)

    def pump(self, up_bytes: int | None = None, down_bytes: int | None = None) -> None:
        """Bytes arrive, until there are none; or so many of them, once."""
        while self.link is not None and (self.up or self.down):
            size = len(self.up) if up_bytes is None else up_bytes
            data, self.up = self.up[:size], self.up[size:]
            if data:
                self.serve(self.link.receive(data, self.now))
            if self.link is None:
                return
            size = len(self.down) if down_bytes is None else down_bytes
            data, self.down = self.down[:size], self.down[size:]
            if data:
                self.obey(self.site.receive(data, self.now))
            if up_bytes is not None or down_bytes is not None:
                return

    def serve(self, turn: Turn) -> None:
        """The supervisor's events are put on disk and acknowledged."""
        link = self.link
        self.post(turn)
        receipts = [each.receipt for each in turn.events if isinstance(each, StatusTold | AlarmTold | AggregatedTold)]
        if self.keeps and link is not None and self.link is link:
            self.post(link.kept(receipts, self.now))

    def obey(self, turn: Turn) -> None:
        """The site does what it is ordered."""
        self.box(turn)
        for each in turn.events:
            if self.obeys and isinstance(each, Ordered):
                self.box(self.site.answered(each.number, self.now))

    def wait(self, seconds: float, *, step_s: float = 1.0, jump_s: float = 0.0) -> None:
        """Time passes at both ends. jump_s: and the clocks are set by this."""
        self.now = replace(self.now, clock_us=self.now.clock_us + round(jump_s * 1e6))
        left_s = seconds
        while left_s > 0:
            part_us = round(min(step_s, left_s) * 1e6)
            left_s -= step_s
            self.now = Moment(self.now.steady_us + part_us, self.now.clock_us + part_us)
            self.tick()

    def tick(self) -> None:
        """Both ends look at their clocks; what they say arrives."""
        if self.link is not None:
            self.post(self.link.tick(self.now))
        self.box(self.site.tick(self.now))
        self.pump()

    def observe(self, code: str, component: str = MAIN, **values: Any) -> None:
        """Something is so at the site."""
        self.box(self.site.observe(component, code, values, self.now))
        self.pump()

    def alarm(self, code: str, component: str = MAIN, *, active: bool = True) -> None:
        """An alarm comes or goes at the site."""
        self.box(self.site.alarm(component, code, active=active, moment=self.now))
        self.pump()

    def want(self, component: str = MAIN, **rates: Rate) -> None:
        """Statuses are wanted, each by its name in `WANTED`."""
        wishes = {WANTED[name]: rate for name, rate in rates.items()}
        self.supervisor.want(self.setup.names[0], component, wishes)
        if self.link is not None:
            self.post(self.link.follow(self.now))
            self.pump()

    def do(self, act: Callable[[Link], tuple[str, Turn]]) -> str:
        """The supervisor asks for something; the number of the request."""
        assert self.link is not None
        number, turn = act(self.link)
        self.post(turn)
        self.pump()
        return number

    def order(self, code: str, component: str = MAIN, **values: str) -> str:
        """The supervisor gives an order."""
        return self.do(lambda link: link.order(component, {code: values}, self.now))

    def told(self, sort: type[S]) -> list[S]:
        """The events of a sort that the supervisor has had."""
        return [each for each in self.heard if isinstance(each, sort)]

    def kinds(self, who: str) -> list[str]:
        """The types of the messages that an end has sent."""
        return [message["type"] for sender, message in self.passed if sender == who]

    def values(self, key: tuple[str, str]) -> list[tuple[Any, str]]:
        """What the supervisor was told of a value, in order, and its quality."""
        each = (one for event in self.told(StatusTold) for one in event.values)
        return [(one.value, one.quality.value) for one in each if (one.code, one.name) == key]


WANTED = {"groups": GROUPS, "detectors": DETECTORS, "plan": ("S0014", "status"), "clock": ("S0096", "second")}
