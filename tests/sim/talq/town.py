"""Some gateways of the city, a CMS, and real HTTP between them; all that passes is judged by the standard's own files.

The clock is the test's: it moves on by `pass_time`, and what is said is waited for on the sockets.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import h11

from tests.protocols.talq.link import CMS
from tests.protocols.talq.standard import Standard
from vigie.core.times import SECOND_US
from vigie.protocols.talq import Answer, Cms, CmsEvent, Enrolment, Incoming, Peer, Request, digest
from vigie.protocols.talq.events import Reported
from vigie.protocols.talq.limits import BODY_BYTES_MAX
from vigie.protocols.talq.messages import ResourceReference
from vigie.protocols.talq.routes import Side, find
from vigie.sim.city import City
from vigie.sim.life import Life, Reports
from vigie.sim.talq.equipment import address_of
from vigie.sim.talq.lighting import KINDS, Lighting
from vigie.sim.talq.park import Park
from vigie.sim.talq.switchboard import Switchboard, identities
from vigie.transports.http import beside
from vigie.transports.http_client import HttpBase, Wire
from vigie.transports.http_end import Asked, HttpEnd, Told

JUDGED_MAX = 6
"""Entries or devices of one message that are held against the standard, spread over it."""


@dataclass
class Post:
    """The CMS's end. refuse: the answers to the next requests, instead of its own. deaf: whether it answers nothing."""

    names: Sequence[str]
    judge: Standard
    now_us: int
    heard: list[CmsEvent] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refuse: list[Told] = field(default_factory=list)
    readings: dict[tuple[str, str], list[tuple[int, object]]] = field(default_factory=dict)
    deaf: bool = False

    def open(self, url: str) -> None:
        """Knows nobody yet."""
        enrolments = [Enrolment(name, digest(f"secret {name}"), f"token {name}") for name in self.names]
        self.cms = Cms(CMS, f"{url}/talq", enrolments, seed=str(self.now_us))

    def peer(self, name: str) -> Peer:
        """A gateway, as the CMS sees it."""
        return self.cms.peers[self.cms.gateway_of(name)]

    def answer(self, asked: Asked) -> Told:
        """What gateways are told."""
        if self.deaf:
            return Told(503)
        target = asked.target.removeprefix("/talq")
        self.asked.append(f"{asked.method} {target.partition('?')[0]}")
        if self.refuse:
            return self.refuse.pop(0)
        turn = self.cms.receive(Incoming(asked.method, target, asked.headers, asked.body), self.now_us)
        assert turn.answer is not None
        self._judge(asked, target, turn.answer)
        self._learn(turn.events)
        return Told(turn.answer.status, turn.answer.body, turn.answer.headers)

    async def ask(self, name: str, request: Request) -> Answer:
        """Asks a gateway at its own URI."""
        base = HttpBase.of(self.peer(name).uri)
        wire = Wire(base, timeout_s=10)
        headers = [("host", base.authority), ("content-length", str(len(request.body))), *request.headers]
        said = await wire.ask(
            h11.Request(method=request.method, target=base.prefix + request.target, headers=headers), request.body
        )
        await wire.close()
        own = tuple(each for each in said.headers if each[0].startswith("pagination"))
        answer = Answer(said.status, said.body, own)
        self.judge.check_request(replace(request, body=thinned(request.body)))
        self.judge.check_answer(request, replace(answer, body=thinned(answer.body)))
        self._learn(self.peer(name).answered(request, answer, self.now_us).events)
        return answer

    def values(self, asset: str, point: str) -> list[object]:
        """What was read of a point, in the order of its instants."""
        return [value for _, value in sorted(self.readings.get((asset, point), []), key=lambda each: each[0])]

    def _judge(self, asked: Asked, target: str, answer: Answer) -> None:
        path, _, query = target.partition("?")
        route, values = find(Side.CMS, tuple(path.split("/")[1:]))[asked.method]
        pairs = tuple((name, value) for name, _, value in (each.partition("=") for each in query.split("&")))
        request = Request(route, path, pairs, thinned(asked.body), tuple(asked.headers.items()), values)
        self.judge.check_request(request)
        self.judge.check_answer(request, replace(answer, body=thinned(answer.body)))

    def _learn(self, events: Iterable[CmsEvent]) -> None:
        self.heard += events
        for event in events:
            if isinstance(event, Reported):
                assert not event.readings.refused
                said = event.readings
                for asset, point, value, at_us in zip(
                    said.assets, said.points, said.values, said.observed_us, strict=True
                ):
                    self.readings.setdefault((asset, point), []).append((at_us, value))


@dataclass
class Town:
    """Both ends, and the devices behind. said: all that lamps and cabinets have said."""

    city: City
    post: Post
    life: Life
    board: Switchboard
    lighting: Lighting
    said: list[Reports] = field(default_factory=list)

    async def pass_time(self, seconds: float, step_s: float = 1.0) -> None:
        """Time passes; what is due is said, and answered unless the post is deaf."""
        end_us = self.post.now_us + round(seconds * SECOND_US)
        while self.post.now_us < end_us:
            self.post.now_us = min(end_us, self.post.now_us + round(step_s * SECOND_US))
            for reports in self.life.step(self.post.now_us):
                if reports.kind in KINDS:
                    self.said.append(reports)
                    self.board.hear(reports)
            self.board.tick()
            if not self.post.deaf:
                await self.settle()

    async def settle(self) -> None:
        """Waits until nobody has anything to send."""
        async with asyncio.timeout(20):
            while any(each.waiting or not each.live for each in self.board.conversations.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.005)


@asynccontextmanager
async def town(city: City, park: Park, judge: Standard, names: Sequence[str], start_us: int) -> AsyncIterator[Town]:
    """These gateways, attached."""
    post, board = Post(names, judge, start_us), Switchboard()
    both = (HttpEnd(each, body_bytes_max=BODY_BYTES_MAX) for each in (post.answer, board.answer))
    here = "127.0.0.1"
    async with beside(next(both), here, 0) as port, beside(next(both), here, 0) as own:
        post.open(f"http://{here}:{port}")
        secrets = {name: f"secret {name}" for name in names}
        tokens = {name: f"token {name}" for name in names}
        life = Life(city, start_us, lighting_alone=True)
        who = identities(f"http://{here}:{port}", secrets, tokens, f"http://{here}:{own}")
        lighting = Lighting(park, life.lamps, who)
        board.connect(lighting, lambda: post.now_us)
        running = asyncio.create_task(board.run())
        try:
            made = Town(city, post, life, board, lighting)
            await made.settle()
            yield made
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def thinned(body: bytes) -> bytes:
    """A message with a few of its entries or devices in place of thousands: judging all of them would take minutes."""
    said = json.loads(body) if body else None
    if isinstance(said, list) and len(said) > JUDGED_MAX:
        return json.dumps(said[:: len(said) // JUDGED_MAX]).encode()
    if isinstance(said, dict) and len(said.get("entries", ())) > JUDGED_MAX:
        entries = said["entries"]
        return json.dumps(said | {"entries": entries[:: len(entries) // JUDGED_MAX]}).encode()
    return body


def lamp_of(asset: str) -> ResourceReference:
    """The actuator of a lamp."""
    return ResourceReference("devices", f"{address_of(asset)}/lamp")
