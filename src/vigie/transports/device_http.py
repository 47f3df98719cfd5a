"""A device's HTTP: two kept connections to the post, one to report on and one that waits for orders.

HTTP/1.1 on asyncio streams, framed by h11. A connection that breaks is opened again at the next request; whether to
send again is the caller's choice, who alone knows that a duplicate does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from ssl import SSLContext, create_default_context
from urllib.parse import urlsplit

import h11

ANSWER_BYTES_MAX = 8 << 20
_READ_BYTES = 64 << 10
_TIMEOUT_S = 40.0
"""Longer than a long poll for orders may wait."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status, body, and how many seconds the post asks to be left alone (0: it does not say)."""

    status: int
    body: bytes
    retry_after_s: float = 0.0


class _Wire:
    """One kept connection. One request at a time."""

    def __init__(self, host: str, port: int, tls: SSLContext | None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._state = h11.Connection(h11.CLIENT)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """The streams, new if need be; whatever goes wrong in between, they are not used again."""
        if self._streams is not None and self._streams[0].at_eof():  # The post has let go of it meanwhile.
            await self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
            self._state = h11.Connection(h11.CLIENT)
        try:
            yield self._streams
        except BaseException:
            await self.close()
            raise

    async def ask(self, request: h11.Request, body: bytes) -> HttpAnswer:
        """One request and its answer. Raises OSError (also for what is no HTTP, and for silence)."""
        async with self._turn:
            try:
                async with asyncio.timeout(_TIMEOUT_S), self._opened() as (reader, writer):
                    for event in (request, h11.Data(data=body), h11.EndOfMessage()):
                        writer.write(self._state.send(event) or b"")
                    await writer.drain()
                    answer = await self._read(reader)
            except (h11.ProtocolError, TimeoutError) as error:
                raise ConnectionError(f"no answer from {self._host}:{self._port}: {error!r}") from error
            if h11.DONE in (self._state.our_state, self._state.their_state):
                try:
                    self._state.start_next_cycle()
                except h11.ProtocolError:
                    await self.close()
            else:
                await self.close()
            return answer

    async def _read(self, reader: asyncio.StreamReader) -> HttpAnswer:
        status, retry_after_s, parts, size = 0, 0.0, list[bytes](), 0
        while True:
            event = self._state.next_event()
            if event is h11.NEED_DATA:
                self._state.receive_data(await reader.read(_READ_BYTES))
            elif isinstance(event, h11.Response):
                status = event.status_code
                with suppress(ValueError):
                    retry_after_s = float({bytes(k): bytes(v) for k, v in event.headers}.get(b"retry-after", b"0"))
            elif isinstance(event, h11.Data):
                parts.append(bytes(event.data))
                size += len(event.data)
                if size > ANSWER_BYTES_MAX:
                    raise ConnectionError(f"an answer of more than {ANSWER_BYTES_MAX >> 20} MiB")
            elif isinstance(event, h11.EndOfMessage):
                return HttpAnswer(status, b"".join(parts), retry_after_s)
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError("closed before the answer was whole")

    async def close(self) -> None:
        """Lets go of the connection."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            with suppress(OSError, asyncio.TimeoutError):
                await asyncio.wait_for(streams[1].wait_closed(), 2)


class HttpDoor:
    """The way of one device or gateway to the post. Implements `Door` of vigie.sim.devices."""

    def __init__(self, base_url: str, token: str) -> None:
        """base_url: such as http://127.0.0.1:8000. token: the device's secret. Raises ValueError."""
        try:
            url = urlsplit(base_url)
            port = url.port or (443 if url.scheme == "https" else 80)
        except ValueError:
            raise ValueError(f"{base_url!r} has no possible host or port") from None
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError(f"{base_url!r} is no http or https address")
        tls = create_default_context() if url.scheme == "https" else None
        self._prefix = url.path.rstrip("/")
        self._headers = [("host", url.netloc), ("authorization", f"Bearer {token}"), ("user-agent", "vigie-device")]
        self._reports, self._asks = (_Wire(url.hostname, port, tls) for _ in range(2))

    async def post(self, path: str, body: bytes) -> HttpAnswer:
        """Sends JSON. Raises OSError."""
        headers = [*self._headers, ("content-type", "application/json"), ("content-length", str(len(body)))]
        return await self._reports.ask(h11.Request(method="POST", target=self._prefix + path, headers=headers), body)

    async def get(self, path: str) -> HttpAnswer:
        """Asks, on a connection of its own, so that a long wait holds up no report. Raises OSError."""
        request = h11.Request(method="GET", target=self._prefix + path, headers=self._headers)
        return await self._asks.ask(request, b"")

    async def close(self) -> None:
        """Lets go of both connections."""
        await asyncio.gather(self._reports.close(), self._asks.close())
