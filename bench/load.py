"""The load: a process of its own that sends prepared bodies over some connections as fast as they are answered."""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from typing import cast


def send(port: int, secret: str, bodies: Sequence[bytes], connections: int) -> float:
    """Sends every body once, each connection waiting for its answer. Returns the seconds from first to last.

    Raises RuntimeError where an answer is not 200 or says that a reading was not accepted.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_send_all, args=(theirs, port, secret, bodies, connections))
    process.start()
    theirs.close()
    said = ours.recv()
    process.join()
    if isinstance(said, str):
        raise RuntimeError(said)
    return float(said)


def _send_all(pipe, port: int, secret: str, bodies: Sequence[bytes], connections: int) -> None:
    head = (
        f"POST /device/v1/observations HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {secret}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    requests = [head + str(len(body)).encode() + b"\r\n\r\n" + body for body in bodies]
    try:
        import uvloop

        pipe.send(uvloop.run(_run(port, requests, connections)))
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")


class _Sender(asyncio.Protocol):
    """One connection: the next request goes out when the last is answered."""

    def __init__(self, waiting: Iterator[bytes], done: asyncio.Future[None]) -> None:
        self._waiting, self._done = waiting, done
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def next(self) -> None:
        request = next(self._waiting, None)
        if request is not None:
            self._transport.write(request)
        elif not self._done.done():
            self._done.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.split(b"content-length: ", 1)[1].split(b"\r", 1)[0]):
            return
        self._received = b""
        if b" 200 " not in head[:20] or b'"rejected_total":0,' not in body:
            if not self._done.done():
                self._done.set_exception(RuntimeError((head + body)[:500].decode()))
            return
        self.next()


async def _run(port: int, requests: list[bytes], connections: int) -> float:
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    done = [loop.create_future() for _ in range(connections)]
    senders = [
        (await loop.create_connection(functools.partial(_Sender, waiting, each), "127.0.0.1", port))[1] for each in done
    ]
    start = time.perf_counter()
    for sender in senders:
        sender.next()
    await asyncio.gather(*done)
    return time.perf_counter() - start
