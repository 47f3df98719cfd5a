"""HTTP: one uvicorn server around an ASGI application, stopped without cutting anybody off."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

STOP_S_MAX = 10


class _Server(uvicorn.Server):
    """uvicorn, but who asked for the stop is decided by our own caller."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leaves the signals alone: `serve` has its own handlers."""
        yield


async def serve(application: Any, host: str, port: int, *, on_ready: Callable[[int], None]) -> None:
    """Serves until SIGTERM or SIGINT. on_ready gets the port, once requests are answered; 0 asks for a free one.

    Raises OSError when the address cannot be taken.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    config = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_config=None,
        access_log=False,
        # Nothing here asks who the peer is; a proxy in front is told apart where sessions begin.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_S_MAX,
        backlog=2_048,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn says so by a flag alone
        await asyncio.sleep(0.005)
    if server.started:
        on_ready(int(listener.getsockname()[1]))
    await serving
