"""The live door: how long from the moment a device is told that its observation is safe until browsers have it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import http.client
import json
import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Generator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

import numpy as np
import uvloop

from bench.harness import RUNS, Measured, measurement, serving
from bench.listening import Bounds, Heard, Listening, Look
from vigie.app import admit_device, installation
from vigie.app.accounts import keeper_of
from vigie.core.drafts import Draft
from vigie.core.facts import COMMAND_LINE
from vigie.engine.accounts import Held
from vigie.engine.keeper import By
from vigie.protocols.plain import encode_array
from vigie.settings import Settings

ASSETS = 100_000
COLUMNS = 400
WEST, SOUTH, ACROSS, HIGH = 4.85, 47.2, 0.4, 0.25
COMMUNES = 23
RATE = 5_000
HIGH_RATE = 50_000
RUN_S = 12.0
LATE_S = 1.5
STALLED = 5
FIRST_LAMP = 2
"""The number of the first lamp: the post itself is 1."""

NEVER_MS = 1e6
CONNECTIONS = 8
PASSWORD = "so many lamps to watch"
ALL, LIGHTING = frozenset({"*"}), frozenset({"lighting"})

PEOPLE: dict[str, tuple[Held, ...]] = {
    "operator": (Held("operator", "", ALL),),
    "lighting": (Held("operator", "", LIGHTING),),
    "half": tuple(Held("operator", f"metropole/{n}", ALL) for n in range(COMMUNES // 2)),
    "commune": (Held("crew", "metropole/7", LIGHTING),),
    "elected": (Held("elected", "", ALL),),
}
"""Five Scopes. All but one see lamps of half the town or more."""

SEEN: tuple[Sequence[int], ...] = (range(COMMUNES), range(COMMUNES), range(COMMUNES // 2), (7,), range(COMMUNES))
"""The communes that each sees."""


def _places(lamps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lamps on a grid over the town: longitude, latitude, and the number of the commune, a stripe of it."""
    column, row = lamps % COLUMNS, lamps // COLUMNS
    return WEST + ACROSS * column / COLUMNS, SOUTH + HIGH * row / (ASSETS // COLUMNS), column * COMMUNES // COLUMNS


def _views() -> list[Bounds]:
    """Twenty viewports: ten show the whole town, each a little otherwise; ten a part of it, a district or a street."""
    dice = random.Random(1)
    whole = [(WEST - 0.01 * n, SOUTH - 0.01, WEST + ACROSS + 0.02, SOUTH + HIGH + 0.01 * n) for n in range(1, 11)]
    parts: list[Bounds] = []
    for n in range(10):
        wide, high = ACROSS / (2 + n), HIGH / (2 + n)
        west, south = WEST + dice.random() * (ACROSS - wide), SOUTH + dice.random() * (HIGH - high)
        parts.append((west, south, west + wide, south + high))
    return [*whole, *parts]


@contextlib.contextmanager
def _town() -> Generator[tuple[Path, str]]:
    """An installation with so many lamps in 23 communes, and its people; gives its folder and a device's secret."""
    with tempfile.TemporaryDirectory(prefix="vigie-bench-", dir=os.environ.get("VIGIE_BENCH_FOLDER")) as name:
        with installation(Settings(data=Path(name))) as opened:
            drafts: list[Draft] = []
            lon, lat, commune = (column.tolist() for column in _places(np.arange(ASSETS)))
            for n in range(ASSETS):
                area = f"metropole/{commune[n]}"
                drafts.append(Draft(key=f"{n:06d}", kind="luminaire", lon=lon[n], lat=lat[n], area=area))
            opened.take_assets("bench", drafts)
            secret = admit_device(opened, "gateway", [row[0] for row in opened.facts.registry_rows()])
            keeper = keeper_of(opened)

            async def people() -> None:
                for login, held in PEOPLE.items():
                    await keeper.make_user(By(COMMAND_LINE, ""), login, login, PASSWORD, held)

            asyncio.run(people())
        yield Path(name), secret


def _log_in(port: int, login: str) -> str:
    """The cookie of a new session."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"login": login, "password": PASSWORD})
    connection.request("POST", "/api/v1/session", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    cookie = (response.getheader("set-cookie") or "").partition(";")[0]
    connection.close()
    if not cookie:
        raise RuntimeError(f"{login} may not log in: {response.status}")
    return cookie


def _looks(port: int) -> tuple[list[Look], list[Look]]:
    """A hundred browsers, each viewport in the eyes of each Scope, and five that will read nothing."""
    looks: list[Look] = []
    stalled: list[Look] = []
    for scope, login in enumerate(PEOPLE):
        # A session may have 16 sockets.
        cookies = [_log_in(port, login) for _ in range(2)]
        looks += [Look(cookies[view % 2], bounds, scope, view) for view, bounds in enumerate(_views())]
        stalled.append(Look(cookies[0], _views()[0]))
    return looks, stalled


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


def _latencies_ms(
    port: int, secret: str, looks: Sequence[Look], listening: Listening, rate: int, run: int, keep: int
) -> tuple[np.ndarray, list[Heard]]:
    """One run: milliseconds from acknowledged to received, of each observation in each browser that was told of it."""
    rows, dice = rate // 50, np.random.default_rng(run)
    count = int(RUN_S * rate / rows)
    lamps = np.concatenate([dice.permutation(ASSETS) for _ in range(-(-count * rows // ASSETS))])[: count * rows]
    first_us = time.time_ns() // 1_000 - 120_000_000
    at_us = first_us + (np.arange(count * rows) * 1_000_000 // rate)
    head = (
        f"POST /device/v1/observations HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {secret}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    ).encode()
    requests: list[bytes] = []
    for n in range(count):
        span = range(n * rows, (n + 1) * rows)
        body = encode_array(
            [(f"luminaire-{lamps[i]:06d}", "level", float((i + run) % 100), int(at_us[i])) for i in span]
        )
        requests.append(head + str(len(body)).encode() + b"\r\n\r\n" + body)
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
    lon, lat, commune = _places(lamp)
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
    with _town() as (folder, secret), serving(folder) as port:
        looks, stalled = _looks(port)
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
