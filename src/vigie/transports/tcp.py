"""RSMP over TCP and TLS: a server that sites connect to, and the client that keeps a site connected.

The sessions (`vigie.protocols.rsmp`) say what is sent; here are the sockets and the clock. What a site tells is handed
on to be kept, and acknowledged when it is on disk. Nothing grows: while too much waits to be kept, or to be sent,
nothing more is read, and the site waits with what it has; a connection that does not drain is cut off.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic_ns, time_ns
from typing import Any, cast

import structlog

from vigie.protocols.rsmp import CannotAsk, Line, Link, Meeting, Moment, Site, Supervisor, Turn
from vigie.protocols.rsmp.events import AggregatedTold, AlarmTold, StatusTold, Step
from vigie.transports.mqtt import NotNow

TICK_S = 0.25
"""How often the sessions look at their clock."""
CONNECTIONS_MAX = 2_048
GUESTS_MAX, GUESTS_OF_ADDRESS_MAX = 256, 64
"""Connections on which nobody has come to the end of the meeting yet: they have places of their own. Of one address
fewer; yet all sites of a town may come through one, and at once."""
WAITING_MAX, WAITING_BYTES_MAX = 1_000, 4 << 20
"""Events of a connection that wait to be kept, and what they were as messages; above, nothing more is read from it."""
SEND_BYTES_HIGH = 256 << 10
"""What waits to be sent; above, nothing more is read: whoever is asked and does not listen is not heard either."""
CONNECT_S_MAX = 10.0
CLOSE_S_MAX = 5.0
"""How long what was said last may take to go out before the connection is cut off."""
KEEP_AGAIN_S = 1.0
"""How long until what could not be kept, and nobody sends again, is tried again."""
FAULTS_MAX = 3
"""How often something is tried in the keeping of which there is a fault."""
DESKS_MAX = 2
"""Connections of one site that have something to be kept: one that has ended, and the next."""
RECONNECT_S = 10.0
"""How long a site waits before it connects again (3.2.2, "Communication disruption")."""

_log = structlog.get_logger("vigie.rsmp")


def now() -> Moment:
    """The two clocks of this machine."""
    return Moment(monotonic_ns() // 1_000, time_ns() // 1_000)


def server_tls(certificate: Path, key: Path, *, clients: Path | None = None) -> ssl.SSLContext:
    """TLS 1.3 (RSMP 3.2.2, "Security") for the supervisor. clients: the authority whose certificates sites must show;
    None where they need show none. Raises OSError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=clients)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_NONE if clients is None else ssl.CERT_REQUIRED
    return context


def client_tls(authority: Path, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """TLS 1.3 for a site. authority: whose certificate the supervisor must show. certificate, key: what the site shows.
    Raises OSError."""
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


def shown_name(peer: dict[str, Any] | None) -> str:
    """The common name of a verified certificate; empty where there is none."""
    parts = [pair for part in (peer or {}).get("subject", ()) for pair in part]
    return next((value for key, value in parts if key == "commonName"), "")


class Wire(asyncio.Protocol):
    """One connection and its session. Its owner ticks it."""

    def __init__(
        self,
        make: Callable[[Wire, str], Line | None],
        heard: Callable[[Wire, Sequence[Step]], None],
        moment: Callable[[], Moment],
    ) -> None:
        """make: gives the session, told the name that the other end's certificate shows; None where there is no room.
        heard: gets the session's events."""
        self._make, self._heard, self._moment = make, heard, moment
        self._transport: asyncio.Transport | None = None
        self._resting: set[str] = set()
        self.line: Line | None = None
        self.address = ""
        self.read_bytes = 0
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=SEND_BYTES_HIGH)
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        self.line = self._make(self, shown_name(transport.get_extra_info("peercert")))
        if self.line is None:
            self._transport.abort()
        else:
            self.apply(self.line.opened(self._moment()))

    def data_received(self, data: bytes) -> None:
        """asyncio."""
        self.read_bytes += len(data)
        if self.line is not None:
            self.apply(self.line.receive(data, self._moment()))

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio."""
        why = str(exc or "the other end closed the connection")
        if self.line is not None:
            self._tell(self.line.lost(self._moment(), why).events)
        if not self.ended.done():
            self.ended.set_result(why)

    def pause_writing(self) -> None:
        """asyncio."""
        self.rest("sending", True)

    def resume_writing(self) -> None:
        """asyncio."""
        self.rest("sending", False)

    def rest(self, why: str, rests: bool) -> None:
        """Whether reading rests, for this reason."""
        before = bool(self._resting)
        (self._resting.add if rests else self._resting.discard)(why)
        if self._transport is not None and not self._transport.is_closing() and before is not bool(self._resting):
            (self._transport.pause_reading if self._resting else self._transport.resume_reading)()

    def tick(self) -> None:
        """Time has passed."""
        if self.line is not None:
            self.apply(self.line.tick(self._moment()))

    def apply(self, turn: Turn) -> None:
        """Sends what the session wants sent, and hands on what it has learnt."""
        if self._transport is not None and not self._transport.is_closing() and turn.data:
            self._transport.write(turn.data)
        self._tell(turn.events)
        if turn.close:
            self.close()

    def close(self) -> None:
        """Ends it; what was said still goes out, if that does not take too long."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
            asyncio.get_running_loop().call_later(CLOSE_S_MAX, self._transport.abort)

    def _tell(self, events: Sequence[Step]) -> None:
        if events:
            self._heard(self, events)


_Receipted = StatusTold | AlarmTold | AggregatedTold


class _Desk:
    """What one site has told on one connection and is not kept yet, in its order. after: ends when what the site told
    on its connection before is kept: nothing of this one is, until then."""

    def __init__(self, wire: Wire, link: Link, take: Callable[[Sequence[Step]], Awaitable[None]]) -> None:
        self.wire, self._link, self._take = wire, link, take
        self.after: asyncio.Task[None] | None = None
        self._waiting: deque[Step] = deque()
        self._kept_bytes = 0
        self._spoilt, self._patient, self._faults = False, True, 0
        self._wake, self.idle = asyncio.Event(), asyncio.Event()
        self.idle.set()
        wire.ended.add_done_callback(lambda _: self._wake.set())

    def put(self, events: Sequence[Step]) -> None:
        """More was told."""
        self._waiting.extend(events)
        self.idle.clear()
        self._wake.set()
        if len(self._waiting) > WAITING_MAX or self.wire.read_bytes - self._kept_bytes > WAITING_BYTES_MAX:
            self.wire.rest("keeping", True)

    def leave(self) -> None:
        """What cannot be kept at once is let go from now on."""
        self._patient = False

    async def run(self, moment: Callable[[], Moment]) -> None:
        """Keeps what is told, until the connection has ended and nothing waits."""
        while self._waiting or not self.wire.ended.done():
            self._wake.clear()
            if not self._waiting:
                self.idle.set()
                await self._wake.wait()
                continue
            if self.after is not None:
                await asyncio.wait([self.after])
                self.after = None
            events = [each for each in self._waiting if not (self._spoilt and isinstance(each, _Receipted))]
            self._waiting.clear()
            read_bytes = self.wire.read_bytes
            if await self._kept(events):
                self._faults = 0
                receipts = [each.receipt for each in events if isinstance(each, _Receipted)]
                self.wire.apply(self._link.kept(receipts, moment()))
            else:
                # Neither it nor what was told after it is acknowledged: the site keeps that, and sends all of it again
                # in its order when it has connected anew. What has no receipt comes to pass once: how an order ended,
                # and that the site has gone.
                self._spoilt = True
                self.wire.close()
                if self._patient and self._faults < FAULTS_MAX:
                    self._waiting.extendleft(each for each in reversed(events) if not isinstance(each, _Receipted))
                    await asyncio.sleep(KEEP_AGAIN_S)
                else:
                    self._faults = 0
            self._kept_bytes = read_bytes
            self.wire.rest("keeping", False)

    async def _kept(self, events: Sequence[Step]) -> bool:
        try:
            await self._take(events)
        except NotNow as error:
            _log.warning("not kept", site=self._link.name, why=str(error))
        except Exception:
            self._faults += 1
            _log.exception("a fault in what keeps what sites tell", site=self._link.name)
        else:
            return True
        return False


class RsmpServer:
    """The post's door for sites."""

    def __init__(
        self,
        supervisor: Supervisor,
        take: Callable[[Sequence[Step]], Awaitable[None]],
        *,
        tls: ssl.SSLContext | None = None,
        moment: Callable[[], Moment] = now,
    ) -> None:
        """take: keeps what a site has told, and returns when it is synced to disk; `NotNow` from it leaves it
        unacknowledged, and gives it again what no site tells twice. It gets the events of one site in their order,
        and of several side by side."""
        supervisor.waits = self._waits
        # Any certificate of the authority opens the connection, and so none may be enrolled that none is named for.
        supervisor.certified = tls is not None and tls.verify_mode is ssl.CERT_REQUIRED
        self._supervisor, self._take, self._tls, self._moment = supervisor, take, tls, moment
        self._desks: dict[Link, tuple[_Desk, asyncio.Task[None]]] = {}
        self._of_site: dict[str, list[Link]] = {}
        self._guests: dict[Link, str] = {}
        self._server: asyncio.Server | None = None
        self._beat: asyncio.Task[None] | None = None
        self.port = 0
        self.turned_away = 0
        # Told what sites tell of their statuses as it comes, before any of it is on disk: for who steers by it.
        self.on_told: Callable[[StatusTold], None] = lambda told: None

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._desks)

    async def start(self, host: str, port: int = 0) -> None:
        """Lets sites in from now on. port: 0 for any free one, told by `port`. Raises OSError."""
        handshake_s = CONNECT_S_MAX if self._tls is not None else None
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Wire(self._admit, self._heard, self._moment),
            host,
            port,
            ssl=self._tls,
            ssl_handshake_timeout=handshake_s,
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._beat = asyncio.create_task(self._tick())

    async def close(self) -> None:
        """Lets nobody in any more; what was told is kept and acknowledged, and then the connections end."""
        if self._server is not None:
            self._server.close()
        desks = [*self._desks.values()]
        for desk, _ in desks:
            desk.wire.rest("closing", True)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(desk.idle.wait() for desk, _ in desks)), CLOSE_S_MAX)
        for desk, _ in desks:
            desk.leave()
            desk.wire.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(task for _, task in desks)), 2 * CLOSE_S_MAX)
        if self._beat is not None:
            self._beat.cancel()

    def ask(self, site: str, act: Callable[[Link, Moment], tuple[str, Turn]]) -> str:
        """Asks something of a site; the number of the request. Raises CannotAsk."""
        link = self._supervisor.links.get(site)
        if link is None or link not in self._desks:
            raise CannotAsk("the site is not attached")
        number, turn = act(link, self._moment())
        self._desks[link][0].wire.apply(turn)
        return number

    def follow(self, site: str) -> None:
        """Subscribes to what is wanted of a site now, if it is attached."""
        link = self._supervisor.links.get(site)
        if link is not None and link in self._desks:
            self._desks[link][0].wire.apply(link.follow(self._moment()))

    def _admit(self, wire: Wire, certificate: str) -> Link | None:
        guests = [*self._guests.values()]
        if (
            len(self._desks) - len(guests) >= CONNECTIONS_MAX
            or len(guests) >= GUESTS_MAX
            or guests.count(wire.address) >= GUESTS_OF_ADDRESS_MAX
        ):
            self.turned_away += 1
            return None
        link = self._supervisor.open(certificate)
        desk = _Desk(wire, link, self._take)
        task = asyncio.create_task(desk.run(self._moment))
        self._desks[link], self._guests[link] = (desk, task), wire.address
        task.add_done_callback(lambda _: self._gone(link))
        return link

    def _heard(self, wire: Wire, events: Sequence[Step]) -> None:
        link = wire.line
        if not isinstance(link, Link) or link not in self._desks:
            return
        desk = self._desks[link][0]
        if link.meeting is Meeting.READY:
            self._guests.pop(link, None)
        if link.name:
            links = self._of_site.setdefault(link.name, [])
            if link not in links:
                desk.after = self._desks[links[-1]][1] if links else None
                links.append(link)
        for each in events:
            if isinstance(each, StatusTold):
                self.on_told(each)
        kept = [each for each in events if not (isinstance(each, StatusTold) and not each.receipt)]
        if kept:
            desk.put(kept)

    def _waits(self, site: str) -> bool:
        return len(self._of_site.get(site, ())) >= DESKS_MAX

    def _gone(self, link: Link) -> None:
        del self._desks[link]
        self._guests.pop(link, None)
        links = self._of_site.get(link.name, [])
        if link in links:
            links.remove(link)
            if not links:
                del self._of_site[link.name]

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            for desk, _ in list(self._desks.values()):
                desk.wire.tick()


class RsmpClient:
    """Keeps a site connected to its supervisor."""

    def __init__(
        self,
        site: Site,
        host: str,
        port: int,
        heard: Callable[[Sequence[Step]], None],
        *,
        tls: ssl.SSLContext | None = None,
        reconnect_s: float = RECONNECT_S,
        moment: Callable[[], Moment] = now,
    ) -> None:
        """heard: gets what the supervisor wants of the site; it answers by `apply`."""
        self._site, self._host, self._port, self._heard, self._tls = site, host, port, heard, tls
        self._reconnect_s, self._moment = reconnect_s, moment
        self._wire: Wire | None = None
        self.connections = 0
        self.trouble: str | None = "not connected yet"

    async def run(self) -> None:
        """Connects, and again whenever the connection breaks, until it is cancelled. Meanwhile the site goes on: what
        it observes is buffered."""
        beat = asyncio.create_task(self._tick())
        try:
            while True:
                try:
                    await self._once()
                except OSError as error:
                    self.trouble = str(error) or type(error).__name__
                await asyncio.sleep(self._reconnect_s)
        finally:
            beat.cancel()
            if self._wire is not None:
                self._wire.close()
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(self._wire.ended), CLOSE_S_MAX)

    def apply(self, turn: Turn) -> None:
        """What the site has made of something that happened to it."""
        if self._wire is not None:
            self._wire.apply(turn)
        elif turn.events:
            self._heard(turn.events)

    async def _once(self) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_S_MAX):
            _, wire = await loop.create_connection(
                lambda: Wire(lambda _, __: self._site, lambda _, events: self._heard(events), self._moment),
                self._host, self._port, ssl=self._tls,
            )  # fmt: skip
        self._wire, self.trouble = wire, None
        self.connections += 1
        try:
            self.trouble = await asyncio.shield(wire.ended)
        finally:
            if wire.ended.done():
                self._wire = None

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if self._wire is not None:
                self._wire.tick()
            else:
                self.apply(self._site.tick(self._moment()))
