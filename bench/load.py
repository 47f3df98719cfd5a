"""The load: a process of its own that sends prepared bodies over some connections as fast as they are answered."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections.abc import Sequence


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


async def _run(port: int, requests: list[bytes], connections: int) -> float:
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    waiting = iter(requests)

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for request in waiting:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 200") or json.loads(body)["rejected_total"]:
                raise RuntimeError((head + body)[:500].decode())

    start = time.perf_counter()
    await asyncio.gather(*(work(reader, writer) for reader, writer in opened))
    took_s = time.perf_counter() - start
    for _, writer in opened:
        writer.close()
    return took_s
