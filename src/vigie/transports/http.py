"""HTTP: one uvicorn server around an ASGI application, stopped without cutting anybody off."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import AsyncGenerator, Callable
from typing import Any, Literal, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

STOP_S_MAX = 10
WEBSOCKET_MESSAGE_BYTES_MAX = 16 << 10
PING_S = 20
UNSENT_BYTES_MAX = 128 << 10
"""What the kernel may hold of a WebSocket that it has not sent yet: more would only be older when it arrives."""

LINGER_S_MAX = 2.0
_HIGH_WATER_BYTES = 64 << 10
_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", 25)


class AddressRefused(OSError):
    """The address cannot be had; says why, and what to say instead."""


class _Joining:
    """A transport that holds a write back until the next one or the next turn of the loop, and sends both at once.

    An answer is written as its head and its body; sent apart, they are two calls of the kernel here and two awakenings
    there. No more than one write is ever held, so that a slow reader is noticed as before.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self.plain = transport
        self._loop = asyncio.get_running_loop()
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)

    def write(self, data: bytes) -> None:
        """As a transport's."""
        if self._held:
            held, self._held = self._held, b""
            self.plain.writelines((held, data))
        elif data:
            self._held = data
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        """As a transport's."""
        self._flush()
        self.plain.close()

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self.plain.write(held)


class _Http(HttpToolsProtocol):
    """uvicorn's HTTP, whose answers leave whole."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn's."""
        super().connection_made(cast("asyncio.Transport", _Joining(transport)))


class _WebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, whose end waits for nobody.

    `send` waits until less than 64 KiB wait for the peer, so a peer that does not read holds one message at most. What
    ASGI has no word for is the extension `vigie.link` of the scope: see `dismiss`.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn's; a frame is written whole, and waits for no other."""
        super().connection_made(transport.plain if isinstance(transport, _Joining) else transport)

    async def run_asgi(self) -> None:
        """Runs the application, then cuts a peer off that takes neither what was sent nor the close."""
        self.scope.setdefault("extensions", {})["vigie.link"] = self  # pyright: ignore[reportArgumentType]
        self.transport.set_write_buffer_limits(high=_HIGH_WATER_BYTES)
        with contextlib.suppress(OSError):
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, UNSENT_BYTES_MAX)
        await super().run_asgi()
        if not self.disconnected:
            self.loop.call_later(LINGER_S_MAX, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """A peer that does not answer a ping is cut off, whatever still waits for it."""
        super().keepalive_timeout()
        self.loop.call_later(LINGER_S_MAX, self.transport.abort)

    def dismiss(self, frame: bytes, code: int, within_s: float) -> None:
        """Sends a last binary message and the close behind whatever waits, without waiting, and cuts the connection
        after so many seconds if the peer has not closed it by then."""
        if self.disconnected:
            return
        if self.close_sent or self.transport.is_closing():
            self.transport.abort()
            return
        self.conn.send_binary(frame)
        self.conn.send_close(code)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(within_s, self.transport.abort)


class _Server(uvicorn.Server):
    """uvicorn, but who asked for the stop is decided by our own caller."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leaves the signals alone: `serve` has its own handlers."""
        yield


async def serve(
    application: Any, host: str, port: int, *, on_ready: Callable[[int], None], on_stop: Callable[[], None]
) -> None:
    """Serves until SIGTERM or SIGINT. on_ready gets the port, once requests are answered; 0 asks for a free one.

    on_stop: called when it is to end, before it waits for the answers that are under way. Raises AddressRefused.
    """
    listener = _bound(host, port)
    server = _Server(_config(application, lifespan="on"))
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True
        on_stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    serving = await _started(server, listener)
    if server.started:
        on_ready(int(listener.getsockname()[1]))
    await serving


@contextlib.asynccontextmanager
async def beside(application: Any, host: str, port: int) -> AsyncGenerator[int]:
    """Serves while the block runs, beside whatever else its process does; gives the port, and 0 asks for a free one.
    Raises AddressRefused."""
    listener = _bound(host, port)
    server = _Server(_config(application, lifespan="off"))
    serving = await _started(server, listener)
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        await serving


async def _started(server: uvicorn.Server, listener: socket.socket) -> asyncio.Task[None]:
    """The server at work, or ended because it cannot be."""
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn says so by a flag alone
        await asyncio.sleep(0.005)
    return serving


def _config(application: Any, *, lifespan: Literal["on", "off"]) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        loop="uvloop",
        http=_Http,
        ws=_WebSocket,
        ws_max_size=WEBSOCKET_MESSAGE_BYTES_MAX,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        # What is sent is columns of numbers, made once for many: deflating it would be done once for each.
        ws_per_message_deflate=False,
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        # Nothing here asks who the peer is; a proxy in front is told apart where sessions begin.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_S_MAX,
        backlog=2_048,
    )


def _bound(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        of_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
        mend = "port with --port; 0 takes a free one" if of_port else "address with --host"
        raise AddressRefused(f"{host}:{port} cannot be had: {error.strerror}. Choose another {mend}") from None
    return listener
