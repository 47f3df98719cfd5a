"""The live door: how long from the moment a device is told that its observation is safe until browsers have it."""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import cast

import numpy as np
import uvloop

from bench.harness import RUNS, Measured, measurement, serving
from bench.listening import Heard, Listening, Look
from bench.town import ASSETS, FIRST_LAMP, SEEN, STALLED, browsers, places, town
from vigie.protocols.plain import encode_array

RATE = 5_000
HIGH_RATE = 50_000
RUN_S = 12.0
LATE_S = 1.5
NEVER_MS = 1e6
CONNECTIONS = 8


class _Sender(asyncio.Protocol):
    """A gateway: sends a body, notes when it was told that it is safe."""

    def __init__(self, free: asyncio.Queue[_Sender]) -> None:
        self._free, self._received = free, b""
        self.body, self.acked_s = 0, {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._free.put_nowait(self)

    def send(self, body: int, request: bytes) -> None:
        self.body = body
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.split(b"content-length: ", 1)[1].split(b"\r", 1)[0]):
            return
        if b" 200 " not in head[:20] or b'"rejected_total":0,' not in body:
            raise RuntimeError((head + body)[:500].decode())
        self._received = b""
        self.acked_s[self.body] = time.monotonic()
        self._free.put_nowait(self)


async def _send(port: int, requests: Sequence[bytes], every_s: float) -> list[float]:
    """Sends the bodies at an even pace; returns when each was acknowledged, on the steady clock."""
    loop = asyncio.get_running_loop()
    free: asyncio.Queue[_Sender] = asyncio.Queue()
    make = functools.partial(_Sender, free)
    senders = [(await loop.create_connection(make, "127.0.0.1", port))[1] for _ in range(CONNECTIONS)]
    start = loop.time()
    for n, request in enumerate(requests):
        wait_s = start + n * every_s - loop.time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        (await free.get()).send(n, request)
    for _ in senders:
        await asyncio.wait_for(free.get(), 60)
    acked = {body: at for sender in senders for body, at in sender.acked_s.items()}
    return [acked[n] for n in range(len(requests))]


def _load(pipe: Connection, port: int, requests: Sequence[bytes], every_s: float) -> None:
    try:
        pipe.send(uvloop.run(_send(port, requests, every_s)))
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")


def _batches(secret: str, lamps: np.ndarray, at_us: np.ndarray, rows: int, run: int) -> list[bytes]:
    """Requests of a gateway: levels of these lamps at these instants, so many in each."""
    head = (
        f"POST /device/v1/observations HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {secret}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    requests: list[bytes] = []
    for first in range(0, len(lamps), rows):
        span = range(first, min(first + rows, len(lamps)))
        body = encode_array(
            [(f"luminaire-{lamps[i]:06d}", "level", float((i + run) % 100), int(at_us[i])) for i in span]
        )
        requests.append(head + str(len(body)).encode() + b"\r\n\r\n" + body)
    return requests


def _latencies_ms(
    port: int, secret: str, looks: Sequence[Look], listening: Listening, rate: int, run: int, keep: int
) -> tuple[np.ndarray, list[Heard]]:
    """One run: milliseconds from acknowledged to received, of each observation in each browser that was told of it."""
    rows, dice = rate // 50, np.random.default_rng(run)
    count = int(RUN_S * rate / rows)
    lamps = np.concatenate([dice.permutation(ASSETS) for _ in range(-(-count * rows // ASSETS))])[: count * rows]
    first_us = time.time_ns() // 1_000 - 120_000_000
    at_us = first_us + (np.arange(count * rows) * 1_000_000 // rate)
    requests = _batches(secret, lamps, at_us, rows, run)
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    listening.forget()
    process = context.Process(target=_load, args=(theirs, port, requests, rows / rate))
    process.start()
    acked = ours.recv()
    process.join()
    if isinstance(acked, str):
        raise RuntimeError(acked)
    time.sleep(LATE_S)
    heard = listening.heard()
    kept = np.flatnonzero((lamps + FIRST_LAMP) % keep == 0)
    sent = lamps[kept], at_us[kept] / 1e6, np.repeat(acked, rows)[kept]
    return np.concatenate([_waits(look, each, *sent) for look, each in zip(looks, heard, strict=True)]), heard


def _waits(look: Look, heard: Heard, lamp: np.ndarray, at_s: np.ndarray, acked_s: np.ndarray) -> np.ndarray:
    """Of each observation that a browser is to be told of: milliseconds until a frame had it, or a newer one."""
    west, south, east, north = look.bounds
    lon, lat, commune = places(lamp)
    mine = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north) & np.isin(commune, SEEN[look.scope])
    lamp, at_s, acked_s = lamp[mine], at_s[mine], acked_s[mine]
    if not (len(lamp) and heard.no):
        return np.full(len(lamp), NEVER_MS)
    no, at = np.concatenate(heard.no).astype(np.int64), np.concatenate(heard.at_s)
    got = np.repeat(heard.got_s, [len(part) for part in heard.no])
    # What was observed before this run lies at the run's own beginning: it is older than all that was sent.
    first = at_s.min() - 1
    own = (no - FIRST_LAMP) * 1e6 + np.maximum(at - first, 0)
    order = np.lexsort((got, own))
    own, no, got = own[order], no[order], got[order]
    place = np.searchsorted(own, lamp * 1e6 + (at_s - first))
    near = np.minimum(place, len(own) - 1)
    found = (place < len(own)) & (no[near] - FIRST_LAMP == lamp)
    return np.where(found, (got[near] - acked_s) * 1_000, NEVER_MS)


def _measure(name: str, rate: int, must: float, keep: int) -> Measured:
    runs: list[float] = []
    told = 0
    with town() as (folder, secret), serving(folder) as port:
        looks, stalled = browsers(port)
        listening = Listening(port, looks, stalled, keep)
        try:
            _latencies_ms(port, secret, looks, listening, rate, 0, keep)
            for run in range(1, RUNS + 1):
                waits, heard = _latencies_ms(port, secret, looks, listening, rate, run, keep)
                runs.append(float(np.percentile(waits, 99)))
                told += sum(each.received_bytes for each in heard)
        finally:
            listening.close()
    size = (
        f"{RUNS} x {RUN_S:.0f} s of {rate:,} observations/s, {ASSETS:,} assets, {len(looks)} sockets "
        f"(20 viewports x 5 Scopes), {STALLED} stalled; {told / RUNS / RUN_S / 1e6:.0f} MB/s told"
    )
    return Measured(name, "ms", runs, must, False, size, "1 post, 1 load, 1 of browsers")


@measurement("live.p99")
def live_p99() -> Measured:
    """Acknowledged to received, at the rate of a metropolis."""
    return _measure("live.p99", RATE, 250, 1)


@measurement("live.p99_high")
def live_p99_high() -> Measured:
    """The same at ten times that rate; nothing is promised of it but that it is said."""
    return _measure("live.p99_high", HIGH_RATE, 1_000, 8)
