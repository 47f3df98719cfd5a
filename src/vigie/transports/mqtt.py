"""MQTT: a connection to a broker, and the post's own link over it, which acknowledges what is on disk and nothing else.

What the post has not acknowledged, the broker keeps in the post's session and sends again. So there is nothing to
save here: a connection that breaks takes its unacknowledged messages with it, and an acknowledgement never goes out
on another connection than its message came in on, where its number may stand for another message.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ssl import create_default_context
from time import monotonic
from typing import cast
from urllib.parse import urlsplit

import structlog

from vigie.protocols.mqtt import (
    Broken,
    Connected,
    Delivered,
    Disconnected,
    Packet,
    Reader,
    Subscribed,
    acknowledge,
    connect,
    disconnect,
    ping,
    reason,
    subscribe,
)

KEEP_ALIVE_S = 30
CONNECT_S_MAX = 10.0
BACK_OFF_S_MIN, BACK_OFF_S_MAX = 0.5, 30.0
IN_FLIGHT_MAX = 8_192
"""How many messages the broker may have on their way to the post unacknowledged."""
WAITING_BYTES_MAX = 16 << 20
"""Payloads that wait in memory; above it nothing more is read from the socket."""
CHUNK_BYTES_MAX = 1 << 20
CHUNK_MESSAGES_MAX = 4_096
SESSION_S = 30 * 86_400
"""How long the broker keeps what waits for the post: as long as an observation may be late."""

_log = structlog.get_logger("vigie.mqtt")


class Refused(ConnectionError):
    """The broker does not let us in, or not to a topic; says why."""


class NotNow(Exception):
    """What was delivered cannot be kept now: it stays unacknowledged, and is tried again."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker is."""

    host: str
    port: int
    tls: bool

    @staticmethod
    def of(url: str) -> Address:
        """mqtt://host[:1883] or mqtts://host[:8883]. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError(f"{url!r} is no address of a broker: mqtt://HOST:1883 or mqtts://HOST:8883")
        tls = parts.scheme == "mqtts"
        return Address(parts.hostname, parts.port or (8883 if tls else 1883), tls)

    def __str__(self) -> str:
        return f"mqtt{'s' if self.tls else ''}://{self.host}:{self.port}"


class Wire(asyncio.Protocol):
    """One connection to a broker, past its greeting; the client's name, user and password are in the first packet."""

    def __init__(self, heard: Callable[[Sequence[Packet]], None]) -> None:
        """heard: gets what comes, but for the greeting and the pings."""
        loop = asyncio.get_running_loop()
        self._heard = heard
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None
        self._greeting: asyncio.Future[Connected] = loop.create_future()
        self.ended: asyncio.Future[str] = loop.create_future()
        self._keep_alive_s = KEEP_ALIVE_S
        self._last_heard = monotonic()
        self._beat: asyncio.TimerHandle | None = None
        self._paused = False

    @staticmethod
    async def open(address: Address, hello: bytes, heard: Callable[[Sequence[Packet]], None]) -> tuple[Wire, Connected]:
        """Connects and waits for the greeting. Raises OSError, of which Refused is one."""
        loop = asyncio.get_running_loop()
        tls = create_default_context() if address.tls else None
        wire: Wire | None = None
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                _, wire = await loop.create_connection(lambda: Wire(heard), address.host, address.port, ssl=tls)
                wire.send(hello)
                await asyncio.wait({wire._greeting, wire.ended}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            if wire is not None:
                wire.close("no greeting")
            raise ConnectionError(f"{address} does not answer") from None
        if not wire._greeting.done():
            raise ConnectionError(f"{address}: {wire.ended.result()}")
        greeting = wire._greeting.result()
        if greeting.reason:
            wire.close("refused")
            raise Refused(f"{address} refuses us: {reason(greeting.reason)}")
        wire._keep_alive_s = greeting.keep_alive_s or KEEP_ALIVE_S
        wire._keep_alive()
        return wire, greeting

    def send(self, packets: bytes) -> None:
        """Sends; on a connection that has ended it sends nothing."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(packets)

    def close(self, why: str) -> None:
        """Ends it."""
        if not self.ended.done():
            self.ended.set_result(why)
        if self._beat is not None:
            self._beat.cancel()
        if self._transport is not None:
            self._transport.close()

    def pause(self, paused: bool) -> None:
        """Whether reading rests. The broker is left to wait: that is the back-pressure."""
        if paused != self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused, self._last_heard = paused, monotonic()
            (self._transport.pause_reading if paused else self._transport.resume_reading)()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """asyncio."""
        self._last_heard = monotonic()
        try:
            packets = self._reader.feed(data)
        except Broken as error:
            self.close(str(error))
            return
        for packet in packets:
            if isinstance(packet, Connected) and not self._greeting.done():
                self._greeting.set_result(packet)
            elif isinstance(packet, Disconnected):
                self.close(reason(packet.reason))
        if packets:
            self._heard(packets)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio."""
        self.close(str(exc or "the broker closed the connection"))

    def _keep_alive(self) -> None:
        if not self._paused and monotonic() - self._last_heard > 1.5 * self._keep_alive_s:
            self.close("the broker is silent")
            return
        self.send(ping())
        self._beat = asyncio.get_running_loop().call_later(self._keep_alive_s / 2, self._keep_alive)


class _Session:
    """One connection of the post: what was delivered on it and waits, and what may be acknowledged on it."""

    def __init__(self) -> None:
        self._waiting: deque[Delivered] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self.subscribed: asyncio.Future[Subscribed] = asyncio.get_running_loop().create_future()
        self.wire: Wire | None = None

    def heard(self, packets: Sequence[Packet]) -> None:
        """Takes what comes."""
        for packet in packets:
            if type(packet) is Delivered:
                self._waiting.append(packet)
                self._bytes += len(packet.payload)
            elif isinstance(packet, Subscribed) and not self.subscribed.done():
                self.subscribed.set_result(packet)
        if self._waiting:
            self._wake.set()
        if self._bytes > WAITING_BYTES_MAX and self.wire is not None:
            self.wire.pause(True)

    async def chunk(self) -> list[Delivered]:
        """What waits, in its order, up to a limit; at least one message."""
        while not self._waiting:
            self._wake.clear()
            await self._wake.wait()
        chunk: list[Delivered] = []
        size = 0
        while self._waiting and size < CHUNK_BYTES_MAX and len(chunk) < CHUNK_MESSAGES_MAX:
            message = self._waiting.popleft()
            size += len(message.payload)
            chunk.append(message)
        self._bytes -= size
        if self._bytes <= WAITING_BYTES_MAX and self.wire is not None:
            self.wire.pause(False)
        return chunk


class MqttLink:
    """The post's link to a broker: opened again whenever it breaks, in a session that the broker keeps meanwhile."""

    def __init__(
        self,
        address: Address,
        name: str,
        topics: Sequence[str],
        take: Callable[[Sequence[Delivered]], Awaitable[None]],
        *,
        user: str = "",
        password: str = "",
    ) -> None:
        """name: of the session, unique on the broker. topics: the first must be granted, the others may be refused.

        take: keeps what was delivered, and returns when it is synced to disk; NotNow from it leaves it unacknowledged.
        """
        self._address, self._name, self._topics, self._take = address, name, topics, take
        self._user, self._password = user, password
        self.connected = False
        self.messages = 0
        self.connections = 0
        self.trouble: str | None = "not connected yet"

    async def run(self) -> None:
        """Keeps the link until cancelled."""
        back_off_s = BACK_OFF_S_MIN
        while True:
            before = self.connections
            try:
                await self._connection()
            except OSError as error:
                self._say(str(error))
            except Exception as error:
                # Nothing of ours may end the link for good: what was not acknowledged comes again.
                _log.error("fault", exc_info=error)
                self._say(f"a fault of the post: {error!r}")
            if self.connections > before:
                back_off_s = BACK_OFF_S_MIN
            await asyncio.sleep(back_off_s)
            back_off_s = min(2 * back_off_s, BACK_OFF_S_MAX)

    async def _connection(self) -> None:
        """One connection from its opening to its end. Raises OSError."""
        session = _Session()
        hello = connect(
            self._name,
            self._user,
            self._password,
            keep_alive_s=KEEP_ALIVE_S,
            session_s=SESSION_S,
            receive_max=IN_FLIGHT_MAX,
        )
        wire, greeting = await Wire.open(self._address, hello, session.heard)
        session.wire = wire
        taking: asyncio.Task[None] | None = None
        try:
            wire.send(subscribe(1, self._topics))
            # A resumed session sends what waits before it answers: so nobody waits for the answer before taking.
            taking = asyncio.create_task(self._take_all(session, wire), name="mqtt")
            ends = {session.subscribed, wire.ended}
            await asyncio.wait(ends, timeout=CONNECT_S_MAX, return_when=asyncio.FIRST_COMPLETED)
            granted = session.subscribed.result().reasons if session.subscribed.done() else (0x80,)
            if granted[0] >= 0x80:
                raise Refused(f"{self._address} does not let us read {self._topics[0]}: {reason(granted[0])}")
            self.connected, self.trouble = True, None
            self.connections += 1
            _log.info("connected", broker=str(self._address), resumed=greeting.resumed)
            await asyncio.wait({wire.ended, taking}, return_when=asyncio.FIRST_COMPLETED)
            if taking.done():
                taking.result()
            self._say(wire.ended.result())
        finally:
            self.connected = False
            if taking is not None:
                taking.cancel()
                await asyncio.gather(taking, return_exceptions=True)
            wire.send(disconnect())
            wire.close("done")

    async def _take_all(self, session: _Session, wire: Wire) -> None:
        while True:
            chunk = await session.chunk()
            back_off_s = BACK_OFF_S_MIN
            while True:
                try:
                    await self._take(chunk)
                    break
                except NotNow as error:
                    self._say(str(error))
                    await asyncio.sleep(back_off_s)
                    back_off_s = min(2 * back_off_s, BACK_OFF_S_MAX)
            self.trouble = None
            self.messages += len(chunk)
            wire.send(acknowledge(message.number for message in chunk if message.number))

    def _say(self, why: str) -> None:
        if why != self.trouble:
            _log.warning("broker", address=str(self._address), reason=why)
        self.trouble = why
