"""HTTP asked for: kept connections, one request at a time on each.

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


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """Status, body, how many seconds the other end asks to be left alone (0: it does not say), and the headers with
    their names in lower case."""

    status: int
    body: bytes
    retry_after_s: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HttpBase:
    """Where the paths of an API begin. authority: as the header Host says it. prefix: without a slash at its end. tls:
    what verifies the other end; None for plain HTTP."""

    host: str
    port: int
    authority: str
    prefix: str
    tls: SSLContext | None

    @staticmethod
    def of(url: str) -> HttpBase:
        """The base that an http or https address names; its certificate is verified by the machine's authorities.
        Raises ValueError."""
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise ValueError(f"{url!r} has no possible host or port") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no http or https address")
        authority = parts.netloc.rpartition("@")[2]
        tls = create_default_context() if parts.scheme == "https" else None
        return HttpBase(parts.hostname, port, authority, parts.path.rstrip("/"), tls)


class Wire:
    """One kept connection. One request at a time."""

    def __init__(self, base: HttpBase, *, timeout_s: float, answer_bytes_max: int = ANSWER_BYTES_MAX) -> None:
        """timeout_s: how long a request may take until its answer is whole. answer_bytes_max: how long that may be."""
        self._host, self._port, self._tls = base.host, base.port, base.tls
        self._timeout_s, self._answer_bytes_max = timeout_s, answer_bytes_max
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._state = h11.Connection(h11.CLIENT)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """The streams, new if need be; whatever goes wrong in between, they are not used again."""
        if self._streams is not None and self._streams[0].at_eof():  # The other end has let go of it meanwhile.
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
                async with asyncio.timeout(self._timeout_s), self._opened() as (reader, writer):
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
        status, headers, retry_after_s, parts, size = 0, tuple[tuple[str, str], ...](), 0.0, list[bytes](), 0
        while True:
            event = self._state.next_event()
            if event is h11.NEED_DATA:
                self._state.receive_data(await reader.read(_READ_BYTES))
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = tuple((bytes(k).decode("ascii"), bytes(v).decode("latin-1")) for k, v in event.headers)
                with suppress(ValueError):
                    retry_after_s = float(dict(headers).get("retry-after", "0"))
            elif isinstance(event, h11.Data):
                parts.append(bytes(event.data))
                size += len(event.data)
                if size > self._answer_bytes_max:
                    raise ConnectionError(f"an answer of more than {self._answer_bytes_max >> 20} MiB")
            elif isinstance(event, h11.EndOfMessage):
                return HttpAnswer(status, b"".join(parts), retry_after_s, headers)
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError("closed before the answer was whole")

    async def close(self) -> None:
        """Lets go of the connection."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            with suppress(OSError, asyncio.TimeoutError):
                await asyncio.wait_for(streams[1].wait_closed(), 2)
