"""The TALQ door: what gateways ask is answered below `/talq`, and what the post has to ask is carried to them.

Everything that a gateway says is on disk before it is answered; where it cannot be, the answer is 503, after which a
gateway says it again. Each gateway has its own turn and its own courier: none waits for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vigie.api.devices import read_body
from vigie.api.problems import Problem
from vigie.api.talq.link import Link, Means, NotKept
from vigie.protocols.talq import Answer, Enrolment, Incoming, wanted_loggers
from vigie.protocols.talq.events import Attached, CmsEvent, Declined
from vigie.protocols.talq.limits import BODY_BYTES_MAX
from vigie.protocols.talq.requests import Refused

PREFIX = "/talq"
WAITING_MAX = 4
"""Requests of one gateway that may be under way at once: a session is a sequence, and each may be megabytes."""

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

_log = structlog.get_logger("vigie.talq")


class TalqDoor:
    """All gateways that may speak TALQ. Lives on one event loop.

    links: by the names of the devices. strangers: how many requests came without a right token. on_events: told what
    each gateway says, when it is on disk.
    """

    def __init__(self, means: Means, remembered: Callable[[int], Mapping[str, bytes]]) -> None:
        """remembered: what is on disk of a device's session, by its number."""
        self._means, self._remembered = means, remembered
        self.links: dict[str, Link] = {}
        self.strangers = 0
        self.on_events: Callable[[Link, Sequence[CmsEvent]], None] = lambda link, events: None
        self._under_way: dict[str, int] = {}
        self._loggers = wanted_loggers(means.cms.address)
        self._collecting: set[str] = set()
        self._closing: set[asyncio.Task[None]] = set()

    def load(self, enrolled: Iterable[tuple[int, Enrolment]]) -> None:
        """These devices may speak from now on, and no others; what is as it was goes on as it did."""
        wanted = {enrolment.name: (number, enrolment) for number, enrolment in enrolled}
        for name, link in list(self.links.items()):
            if wanted.get(name) != (link.number, link.enrolment):
                self._means.cms.expel(name)
                del self.links[name]
                self._collecting.discard(name)
                closing = asyncio.get_running_loop().create_task(link.close())
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
        for name, (number, enrolment) in wanted.items():
            if name not in self.links:
                self.links[name] = link = Link(number, enrolment, self._means, self._remembered(number))
                link.on_events = self._learnt

    @property
    def address(self) -> str:
        """The CMS's own address."""
        return self._means.cms.address

    @property
    def routes(self) -> list[Route]:
        """The one route of all that gateways ask: which requests there are is the protocol's to know."""

        async def talq(request: Request) -> Response:
            """What a TALQ gateway asks of its CMS."""
            return await self._answer(request)

        return [Route(PREFIX + "/{rest:path}", talq, methods=_METHODS)]

    def knows(self, request: Request) -> bool:
        """Whether it is a gateway that asks. A device is held back by what waits to be written, not by how often it
        reports; strangers are."""
        if not request.scope["path"].startswith(PREFIX + "/"):
            return False
        try:
            self._means.cms.enrolled(request.headers)
        except Refused:
            return False
        return True

    async def run(self) -> None:
        """Runs until it is cancelled; then nobody is asked anything any more."""
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.gather(*(link.close() for link in self.links.values()), *self._closing)

    async def _answer(self, request: Request) -> Response:
        headers = dict(request.headers)
        try:
            link = self.links[self._means.cms.enrolled(headers).name]
        except Refused as refusal:
            self.strangers += 1
            return _response(refusal.answer(), {"WWW-Authenticate": "Bearer"})
        if self._under_way.get(link.name, 0) >= WAITING_MAX:
            return _not_now("more requests are under way than one gateway may have", 1)
        self._under_way[link.name] = self._under_way.get(link.name, 0) + 1
        try:
            body = await read_body(request, BODY_BYTES_MAX)
            answer = await link.heard(Incoming(request.method, _target(request), headers, body))
        except Problem as error:
            return _response(Refused("payloadError", error.detail, status=error.status).answer())
        except NotKept as error:
            return _not_now(str(error), error.retry_after_s)
        finally:
            self._under_way[link.name] -= 1
        self._collect(link)
        return _response(answer)

    def _learnt(self, link: Link, events: Sequence[CmsEvent]) -> None:
        for event in events:
            if isinstance(event, Attached):
                _log.info("attached", gateway=link.name, uri=event.uri)
                self._collecting.discard(link.name)
        self.on_events(link, events)

    def _collect(self, link: Link) -> None:
        """Has the gateway log what the post wants to know: once after each start of either end."""
        if not link.is_ready or link.name in self._collecting:
            return
        self._collecting.add(link.name)
        for each in self._loggers:
            self._configure(link, "updateLoggerConfig", each.address)

    def _configure(self, link: Link, how: str, address: str) -> None:
        wanted = next(each for each in self._loggers if each.address == address)

        def then(events: Sequence[CmsEvent] | None) -> None:
            declined = next((event for event in events or () if isinstance(event, Declined)), None)
            if how == "updateLoggerConfig" and declined is not None and declined.status == 404:
                self._configure(link, "addLoggerConfig", address)
            elif events is None:
                # It is tried again when the gateway is heard again. One that will not is asked again when it attaches.
                self._collecting.discard(link.name)

        values = (address,) if how == "updateLoggerConfig" else ()
        link.ask([link.peer.caller.ask(how, *values, body=wanted)], then=then)


def _target(request: Request) -> str:
    """The path below the prefix as it was written, and the query: an address in it may hold a written slash."""
    raw: bytes = request.scope["raw_path"]
    path = raw.decode("latin-1").removeprefix(PREFIX)
    return f"{path}?{request.scope['query_string'].decode('latin-1')}"


def _response(answer: Answer, headers: Mapping[str, str] | None = None) -> Response:
    said = dict(answer.headers) | dict(headers or {})
    return Response(answer.body, answer.status, said, "application/json" if answer.body else None)


def _not_now(why: str, retry_after_s: int) -> Response:
    return _response(Refused("genericError", why, status=503).answer(), {"Retry-After": str(retry_after_s)})
