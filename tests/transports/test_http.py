"""The server's HTTP over a real socket: what an application writes in parts arrives whole and in order."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import pytest

from vigie.transports.http import serve


async def _asked(parts: list[bytes], requests: int) -> bytes:
    """What comes back for so many requests sent at once to an application that answers each with these parts."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        length = sum(map(len, parts))
        headers = [(b"content-length", str(length).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for n, part in enumerate(parts, 1):
            await send({"type": "http.response.body", "body": part, "more_body": n < len(parts)})

    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve(application, "127.0.0.1", 0, on_ready=ready.set_result, on_stop=lambda: None))
    reader, writer = await asyncio.open_connection("127.0.0.1", await ready)
    one = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    writer.write(one * (requests - 1) + one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(server, 30)
    return answer


@pytest.mark.parametrize(
    "parts",
    [[b""], [b"whole"], [b"one", b"two"], [b"one", b"two", b"three"], [b"x" * 300_000, b"y", b"z" * 300_000, b"end"]],
)
@pytest.mark.parametrize("requests", [1, 3])
def test_an_answer_in_parts_arrives_whole_and_before_the_end_of_the_connection(
    parts: list[bytes], requests: int
) -> None:
    answer = asyncio.run(_asked(parts, requests))
    head, *bodies = answer.split(b"HTTP/1.1 200 OK")
    assert head == b""
    assert [body.partition(b"\r\n\r\n")[2] for body in bodies] == [b"".join(parts)] * requests
