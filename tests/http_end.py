"""The other end of HTTP as a test wants it: it answers as it is told to, on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext

Serve = Callable[[int, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class End:
    """An end that answers as it is told to. lines: the first lines of what it was asked, in order."""

    def __init__(self, serve: Serve | None = None) -> None:
        self.serve, self.lines = serve, list[str]()
        self.port = 0
        self._writers = list[asyncio.StreamWriter]()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/base"

    @asynccontextmanager
    async def there(self, port: int = 0, tls: SSLContext | None = None) -> AsyncGenerator[End]:
        """While it is there at all. tls: what it speaks TLS with."""
        server = await asyncio.start_server(self._met, "127.0.0.1", port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.close()

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.lines.append(head.split(b"\r\n")[0].decode())
                if self.serve is None:
                    writer.write(OK)
                else:
                    await self.serve(len(self.lines), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
