"""One socket of the live door: its subscriptions, what it may ask, and what becomes of it when it does not listen.

Nothing waits for a socket in memory but the one frame it is taking. Each subscription has a mark, what it was last
told; a socket that drains again is told from its marks on, coalesced, and that it was too slow; one that takes nothing
for half a minute is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Protocol, cast

import structlog
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from vigie.api.access import Caller
from vigie.api.live.asks import Asked, AskRefused, Resume, Subscribe, Topic, Watch, read_ask
from vigie.api.live.feeds import Feed, Telling
from vigie.api.live.frames import Frame
from vigie.api.live.hub import Hub, feed_key
from vigie.api.live.maps import MapFeed, Viewport
from vigie.api.live.topics import AlarmFeed, CommandsFeed, FiguresFeed, InventoryFeed, WatchFeed
from vigie.api.problems import Problem

LIVE_PATH = "/api/v1/live"

SUBSCRIPTIONS_MAX = 16
ASKS_A_SECOND_MAX = 50
ASKS_AT_ONCE_MAX = 100
SLOW_S = 1.0
"""A socket that takes longer than this for what one tick has to tell is told that it was too slow."""

STALLED_S_MAX = 30.0
DISMISS_S = 2.0

# Closing codes of RFC 6455, 7.4.1, and of its registry.
POLICY, FAULT, TRY_LATER = 1008, 1011, 1013

_log = structlog.get_logger("vigie.live")


class Link(Protocol):
    """What the transport can do for a socket beyond ASGI (the extension `vigie.link`)."""

    def dismiss(self, frame: bytes, code: int, within_s: float) -> None:
        """Sends a last frame and the close behind whatever waits, waits for nobody, and cuts the connection after so
        many seconds."""
        ...


@dataclass(slots=True)
class _Subscription:
    verb: str
    asked: Asked
    key: Hashable
    feed: Feed
    mark: Any = None
    resume: Resume | None = None


class LiveSocket:
    """A socket that was let in."""

    def __init__(self, hub: Hub, websocket: WebSocket, caller: Caller) -> None:
        self._hub, self._websocket, self._caller = hub, websocket, caller
        extensions: dict[str, Any] = websocket.scope.get("extensions") or {}
        self._link = cast("Link | None", extensions.get("vigie.link"))
        self._subscriptions: dict[int, _Subscription] = {}
        self._turn = asyncio.Event()
        self._sending_since: float | None = None
        self._served = hub.moment.number
        self._was_slow_s = 0.0
        self._ended = False
        self._ending: asyncio.Task[None] | None = None
        self._sender: asyncio.Task[None] | None = None
        self._asks = float(ASKS_AT_ONCE_MAX)
        self._asked_at = 0.0

    @property
    def session(self) -> str:
        """See `Listener`."""
        return self._caller.session

    def wake(self) -> None:
        """See `Listener`."""
        self._turn.set()

    def check(self) -> None:
        """Closes the socket if its session counts no more, or if it has taken nothing for too long. Where its caller
        may see something else by now, all its subscriptions begin afresh."""
        if self._ended:
            return
        since = self._sending_since
        if since is not None and asyncio.get_running_loop().time() - since > STALLED_S_MAX:
            self._hub.counts.slow += 1
            self._end("slow", TRY_LATER)
            return
        try:
            if not self._hub.access.alive(self._caller.session):
                raise Problem(401, "Who asks?", "The session has ended.")
            caller = self._hub.access.caller(self._websocket)
        except Problem:
            self._hub.counts.revoked += 1
            self._end("revoked", POLICY)
            return
        if caller.scope.key != self._caller.scope.key:
            self._caller = caller
            for number, own in tuple(self._subscriptions.items()):
                self._drop(number)
                self._subscribe(number, own.verb, own.asked)

    async def run(self) -> None:
        """Serves the socket until it closes."""
        self._sender = asyncio.create_task(self._send_all(), name="live sender")
        try:
            while not self._ended:
                message = await self._websocket.receive()
                if message["type"] == "websocket.disconnect":
                    break
                said: str | None = message.get("text")
                if said is None:
                    self._misused("not_understood", "bytes, where text is spoken")
                else:
                    self._take(said)
        except Exception:
            _log.exception("live socket failed")
            self._end("fault", FAULT)
        finally:
            self._ended = True
            self._sender.cancel()
            for number in tuple(self._subscriptions):
                self._drop(number)
            await asyncio.gather(self._sender, *filter(None, [self._ending]), return_exceptions=True)

    # What it asks.

    def _take(self, message: str) -> None:
        now = asyncio.get_running_loop().time()
        refill = (now - self._asked_at) * ASKS_A_SECOND_MAX
        self._asks, self._asked_at = min(ASKS_AT_ONCE_MAX, self._asks + refill) - 1, now
        if self._asks < 0:
            self._misused("too_many_messages")
            return
        try:
            verb, asked = read_ask(message)
        except AskRefused as error:
            self._misused("not_understood", str(error))
            return
        number = asked.id
        self._drop(number)
        if verb == "unsubscribe":
            return
        if len(self._subscriptions) >= SUBSCRIPTIONS_MAX:
            self._misused("too_many_subscriptions")
            return
        self._subscribe(number, verb, asked)
        self._subscriptions[number].resume = asked.resume if isinstance(asked, Subscribe) else None
        self._turn.set()

    def _subscribe(self, number: int, verb: str, asked: Asked) -> None:
        hub, caller = self._hub, self._caller
        source = hub.source
        match asked:
            case Subscribe():
                codes = source.engine.registry.kind_codes
                kinds = None if asked.kinds is None else frozenset(codes[k] for k in asked.kinds if k in codes)
                view = Viewport.of(asked.bbox, kinds, hub.moment.extent)
                key = feed_key(verb, caller, view)
                feed = hub.take(key, lambda: MapFeed(source, view, caller.scope))
            case Watch():
                asset = source.engine.registry.numbers.get(asked.asset, 0)
                key = feed_key(verb, caller, asset)
                feed = hub.take(key, lambda: WatchFeed(source, caller, asset))
            case Topic():
                made = {
                    "figures": FiguresFeed, "conditions": AlarmFeed, "commands": CommandsFeed,
                    "inventory": InventoryFeed,
                }[verb]  # fmt: skip
                # Who gave an order or acknowledged an alarm is told to themselves whatever their rights.
                key = feed_key(verb, caller, caller.actor)
                feed = hub.take(key, lambda: made(source, caller))
        self._subscriptions[number] = _Subscription(verb, asked, key, feed)

    def _drop(self, number: int) -> None:
        own = self._subscriptions.pop(number, None)
        if own is not None:
            self._hub.let_go(own.key)

    # What it is told.

    async def _send_all(self) -> None:
        while True:
            await self._turn.wait()
            self._turn.clear()
            try:
                await self._serve()
            except (WebSocketDisconnect, OSError):
                return
            except Exception:
                _log.exception("live socket failed")
                self._end("fault", FAULT)
                return

    async def _serve(self) -> None:
        """Tells each subscription what there is for it since its mark."""
        hub, loop = self._hub, asyncio.get_running_loop()
        started, tick = loop.time(), hub.moment.number
        hub.counts.coalesced += max(0, tick - self._served - 1)
        if self._was_slow_s:
            data = {"after_s": round(self._was_slow_s, 3)}
            self._was_slow_s = 0.0
            await self._send(Frame(hub.moment.header("lost") | {"data": data}).bytes_for())
        for number, own in tuple(self._subscriptions.items()):
            telling = self._telling(own)
            if telling is None:
                continue
            for frame in telling.frames:
                await self._send(frame.bytes_for(number))
                if self._subscriptions.get(number) is not own:
                    break
            else:
                own.mark, own.resume = telling.mark, None
        self._served = tick
        took_s = loop.time() - started
        if took_s > SLOW_S:
            self._was_slow_s = took_s
            self._turn.set()

    def _telling(self, own: _Subscription) -> Telling | None:
        if isinstance(own.feed, MapFeed) and own.resume is not None:
            return own.feed.resume(own.resume.epoch, own.resume.version)
        return own.feed.tell(own.mark)

    async def _send(self, frame: bytes) -> None:
        self._sending_since = asyncio.get_running_loop().time()
        try:
            await self._websocket.send_bytes(frame)
        except RuntimeError as error:
            # What Starlette says of a socket that was closed meanwhile.
            raise WebSocketDisconnect from error
        self._sending_since = None
        self._hub.counts.frames += 1
        self._hub.counts.sent_bytes += len(frame)

    # How it ends.

    def _misused(self, reason: str, detail: str = "") -> None:
        self._hub.counts.misused += 1
        self._end(reason, POLICY, detail)

    def _end(self, reason: str, code: int, detail: str = "") -> None:
        """Says goodbye, and why, without waiting for anybody."""
        if self._ended:
            return
        self._ended = True
        if self._sender is not None:
            self._sender.cancel()
        self._ending = asyncio.create_task(
            say_goodbye(self._hub, self._websocket, reason, code, detail, self._link), name="live goodbye"
        )


async def say_goodbye(
    hub: Hub, websocket: WebSocket, reason: str, code: int, detail: str = "", link: Link | None = None
) -> None:
    """Sends `bye` with a reason, and closes."""
    data = {"reason": reason} | ({"detail": detail} if detail else {})
    bye = Frame(hub.moment.header("bye") | {"data": data}).bytes_for()
    if link is not None:
        link.dismiss(bye, code, DISMISS_S)
        return
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
        async with asyncio.timeout(DISMISS_S):
            await websocket.send_bytes(bye)
            await websocket.close(code)


def live_routes(hub: Hub) -> list[WebSocketRoute]:
    """The live door."""

    async def live(websocket: WebSocket) -> None:
        """Lets a socket in whose session counts and whose page is ours, and serves it."""
        try:
            caller = hub.access.caller(websocket)
        except Problem as problem:
            hub.counts.refused += 1
            if problem.status != 401:
                # A page of another site is not even answered as a socket.
                await websocket.close(POLICY)
                return
            # Whoever believes to be logged in is told that it is over, in the words of the door.
            await websocket.accept()
            await say_goodbye(hub, websocket, "revoked", POLICY)
            return
        socket = LiveSocket(hub, websocket, caller)
        if not hub.enter(socket):
            await websocket.accept()
            await say_goodbye(hub, websocket, "full", TRY_LATER)
            return
        try:
            await websocket.accept()
            await socket.run()
        finally:
            hub.leave(socket)

    return [WebSocketRoute(LIVE_PATH, live)]
