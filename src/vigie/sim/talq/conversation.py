"""A gateway of the city and its CMS over HTTP: one request at a time, in order, and again until it is answered.

What a gateway could not report stays with its loggers. A CMS that does not know the gateway, or refuses a part of its
bootstrap, is told everything anew after a pause.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

import h11

from vigie.protocols.talq import Answer, Gateway, GatewayEvent, GatewayTurn, Incoming, Request
from vigie.protocols.talq.events import Failed, Live
from vigie.transports.http_client import HttpAnswer, HttpBase, Wire
from vigie.transports.http_end import Asked, Told

_TIMEOUT_S = 40.0
_PAUSE_LEAST_S, _PAUSE_MOST_S = 0.25, 10.0
_NOT_NOW = frozenset({408, 425, 429, 500, 502, 503, 504})
"""A request that is answered so is sent again as it was."""


@dataclass(slots=True)
class Tally:
    """What went through a conversation, counted. bytes: of the bodies, both ways."""

    requests: int = 0
    failures: int = 0
    starts: int = 0
    asked: int = 0
    bytes: int = 0


class Conversation:
    """Both directions of one gateway."""

    def __init__(
        self, gateway: Gateway, now: Callable[[], int], learnt: Callable[[Iterable[GatewayEvent]], None]
    ) -> None:
        """now: the instant in microseconds. learnt: told what the CMS wants of the devices. Raises ValueError for a
        CMS whose URI is none."""
        self.gateway, self._now, self._learnt = gateway, now, learnt
        base = HttpBase.of(gateway.identity.cms_uri)
        self._prefix, self._host = base.prefix, base.authority
        self._wire = Wire(base, timeout_s=_TIMEOUT_S)
        self._queue: deque[Request] = deque()
        self._news = asyncio.Event()
        self.live, self.tally = False, Tally()

    async def run(self) -> None:
        """Speaks until it is cancelled."""
        pause_s = 0.0
        try:
            while True:
                if not self.gateway.address and not self._queue:
                    self.tally.starts += 1
                    self._queue.append(self.gateway.start())
                while self._queue:
                    asks_s, failed = await self._send(self._queue[0])
                    pause_s = (asks_s or min(max(pause_s * 2, _PAUSE_LEAST_S), _PAUSE_MOST_S)) if failed else 0.0
                    if failed:
                        self.tally.failures += 1
                        await asyncio.sleep(pause_s)
                        break
                else:
                    self._news.clear()
                    await self._news.wait()
        finally:
            await self._wire.close()

    @property
    def waiting(self) -> int:
        """How many requests wait for their answer."""
        return len(self._queue)

    def tick(self) -> None:
        """Time has passed; what is due waits while something else is on its way."""
        self._take(self.gateway.tick(self._now(), reporting=not self._queue))

    def receive(self, asked: Asked, target: str) -> Told:
        """What the CMS asks. target: below the gateway's own URI."""
        self.tally.asked += 1
        incoming = Incoming(asked.method, target, asked.headers, asked.body)
        turn = self.gateway.receive(incoming, self._now())
        self._take(turn)
        assert turn.answer is not None
        self.tally.bytes += len(asked.body) + len(turn.answer.body)
        return Told(turn.answer.status, turn.answer.body, turn.answer.headers)

    async def _send(self, request: Request) -> tuple[float, bool]:
        """Sends what is first in the queue. How long the CMS asks to be left alone, and whether it went wrong."""
        said: HttpAnswer | None = None
        with suppress(OSError):
            said = await self._ask(request)
        if said is None or said.status in _NOT_NOW:
            self._keep_reports()
            return (said.retry_after_s if said else 0.0), True
        self._queue.popleft()
        self.tally.requests += 1
        self.tally.bytes += len(request.body) + len(said.body)
        turn = self.gateway.answered(request, Answer(said.status, said.body), self._now())
        failed = [event for event in turn.events if isinstance(event, Failed)]
        self._take(turn)
        if any(event.status == 403 or event.name != "sendLogReport" for event in failed):
            self._start_over()
        return said.retry_after_s, bool(failed)

    async def _ask(self, request: Request) -> HttpAnswer:
        headers = [("host", self._host), ("content-length", str(len(request.body))), *request.headers]
        asked = h11.Request(method=request.method, target=self._prefix + request.target, headers=headers)
        return await self._wire.ask(asked, request.body)

    def _keep_reports(self) -> None:
        """Reports go back to their loggers, the newest first, so that the oldest come first again."""
        for request in reversed([each for each in self._queue if _is_report(each)]):
            self.gateway.unanswered(request, self._now())
        self._queue = deque(each for each in self._queue if not _is_report(each))

    def _start_over(self) -> None:
        self._keep_reports()
        self._queue = deque([self.gateway.start()])
        self.live = False
        self.tally.starts += 1

    def _take(self, turn: GatewayTurn) -> None:
        self._learnt(turn.events)
        self.live = self.live or any(isinstance(event, Live) for event in turn.events)
        self._queue.extend(turn.requests)
        if turn.requests:
            self._news.set()


def _is_report(request: Request) -> bool:
    return request.route.name == "sendLogReport"
