"""A whole post: how soon it is there after its start, and how much memory it takes while everything is asked of it."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import uvloop

from bench.harness import RUNS, Measured, measurement, serving
from bench.listening import Browser, Listening, Look
from bench.live import batches, send
from bench.sealed import VALUES, write_history
from bench.town import ASSETS, FIRST_LAMP, STALLED, browsers, log_in, town, views
from vigie.app import installation
from vigie.core.times import DAY_US, rfc3339
from vigie.demo import ANSWERS_ON
from vigie.settings import Settings

DAYS = 30
LAMPS = range(FIRST_LAMP, FIRST_LAMP + 34_000)
REPORTS = 123
"""Of each of four points of each of 34,000 lamps a day: 500 million in 30 days."""

RATE = 5_000
MINUTES = 10
SAMPLE_S = 1.0


@contextlib.contextmanager
def _old_town() -> Generator[tuple[Path, str, int, int]]:
    """The town with thirty sealed days; gives its folder, a device's secret, the rows, and the first day."""
    first = time.time_ns() // 1_000 // DAY_US - DAYS
    with town() as (folder, secret):
        with installation(Settings(data=folder)) as opened:
            points = {name: opened.facts.point_numbers()["luminaire", name] for name in VALUES}
        rows = write_history(folder / "observations", range(first, first + DAYS), LAMPS, points, REPORTS)
        yield folder, secret, rows, first


@measurement("start.cold")
def start_cold() -> Measured:
    """From exec until the post is ready and a browser has been told of all 100,000 assets; files out of the cache."""
    runs: list[float] = []
    with _old_town() as (folder, _, rows, _first):
        with serving(folder) as port:
            cookie = log_in(port, "operator")
        whole = views()[0]
        for _ in range(RUNS):
            _forget(folder)
            begun = time.perf_counter()
            with serving(folder) as port:
                asyncio.run(_told_of(port, Look(cookie, whole)))
                runs.append(time.perf_counter() - begun)
    size = f"{ASSETS:,} assets, {rows:,} rows in {DAYS} sealed days, the folder's files out of the page cache"
    return Measured("start.cold", "s", runs, 3, False, size, "1 post, 1 browser")


@measurement("start.demo")
def start_demo() -> Measured:
    """From exec of `vigie demo` in an empty folder until it has told its address, and what was said on the way."""
    runs: list[float] = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(prefix="vigie-bench-") as folder:
            begun = time.perf_counter()
            command = [sys.executable, "-m", "vigie.cli", "demo", "--data", folder, "--port", "0"]
            demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            assert demo.stdout is not None
            while ANSWERS_ON not in (line := demo.stdout.readline()):
                assert line, "the demo has ended"
            runs.append(time.perf_counter() - begun)
            demo.terminate()
            demo.wait(60)
    size = "75,000 assets made from a seed and taken in, five accounts, 75 gateways"
    return Measured("start.demo", "s", runs, 10, False, size, "1 post, 1 city")


@measurement("memory.rss")
def memory_rss() -> Measured:
    """The peak of the proportional set size of all of vigie's processes, in ten minutes of everything; one run."""
    with _old_town() as (folder, secret, rows, first), serving(folder) as port:
        looks, stalled = browsers(port)
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        load = context.Process(target=_load, args=(theirs, port, secret), daemon=True)
        listening = Listening(port, looks, stalled, ASSETS)
        done = threading.Event()
        peak = _Peak(done)
        try:
            load.start()
            ours.recv()  # It has made what it will send.
            peak.start()
            asked_s = [_ask_history(port, looks[0].cookie, first) for _ in _each_minute(MINUTES)]
            said = ours.recv()
        finally:
            done.set()
            peak.join()
            listening.close()
            load.join(20)
    if said != "sent":
        raise RuntimeError(said)
    size = (
        f"{MINUTES} min at {RATE:,} observations/s, {len(looks)} sockets and {STALLED} stalled, {ASSETS:,} assets, "
        f"{rows:,} rows sealed; the 30 days of the whole town asked once a minute, {max(asked_s):.1f} s at most"
    )
    return Measured("memory.rss", "MB", [peak.most_mb], 700, False, size, f"{peak.processes} of vigie, 2 of the bench")


async def _told_of(port: int, look: Look) -> None:
    loop = asyncio.get_running_loop()
    _, browser = await loop.create_connection(lambda: Browser(port, look, 1), "127.0.0.1", port)
    await browser.first


def _forget(folder: Path) -> None:
    """Puts the folder's files out of the page cache."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _each_minute(minutes: int) -> Generator[int]:
    begun = time.monotonic()
    for minute in range(minutes):
        yield minute
        time.sleep(max(0.0, begun + 60 * (minute + 1) - time.monotonic()))


def _load(pipe: Connection, port: int, secret: str) -> None:
    seconds, per_s = MINUTES * 60, 50
    dice = np.random.default_rng(1)
    lamps = dice.integers(0, ASSETS, RATE * seconds)
    now_us = time.time_ns() // 1_000
    requests = batches(secret, lamps, now_us + np.arange(len(lamps)) * 1_000_000 // RATE, RATE // per_s, 0)
    pipe.send("ready")
    try:
        uvloop.run(send(port, requests, 1 / per_s))
        pipe.send("sent")
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")


def _ask_history(port: int, cookie: str, first: int) -> float:
    """Asks for one point of all lamps by the hour over the thirty days; returns the seconds it took."""
    begun = time.perf_counter()
    span = {"from": rfc3339(first * DAY_US), "to": rfc3339((first + DAYS) * DAY_US)}
    query = urlencode({"kind": "luminaire", "point": "power", "bucket_s": 3_600} | span)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"/api/v1/history?{query}", headers={"Cookie": cookie})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(text[:300].decode())
    return time.perf_counter() - begun


class _Peak(threading.Thread):
    """Watches how much memory vigie's processes take together; counts shared pages by their share."""

    def __init__(self, done: threading.Event) -> None:
        super().__init__(daemon=True)
        self._done = done
        self.most_mb = 0.0
        self.processes = 0

    def run(self) -> None:
        while not self._done.wait(SAMPLE_S):
            sizes = [_pss_mb(pid) for pid in _of_vigie()]
            self.processes = len(sizes)
            self.most_mb = max(self.most_mb, sum(sizes))


def _of_vigie() -> list[int]:
    """The post and all that it has started. It is a child of this process, which has also started the load."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (path / "cmdline").read_bytes().split(b"\0")
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent in {os.getpid(), *found} and b"serve" in words:
                found.append(int(path.name))
    return found


def _pss_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
