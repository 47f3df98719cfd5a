"""A whole post: how soon it is there after its start, and how much memory it takes while everything is asked of it."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from bench.harness import RUNS, Measured, measurement, serving
from bench.history import DAYS, RATE, Desk, past, reporting
from bench.listening import Browser, Listening, Look
from bench.town import ASSETS, STALLED, browsers, log_in, views
from vigie.demo.people import PASSWORD
from vigie.demo.processes import ANSWERS_ON, SEED
from vigie.sim.city import generate
from vigie.sim.city.inventory import ids

MINUTES = 10
SAMPLE_S = 1.0


@measurement("start.cold")
def start_cold() -> Measured:
    """From exec until the post is ready and a browser has been told of all 100,000 assets; files out of the cache."""
    runs: list[float] = []
    asked = past()
    with serving(asked.folder) as port:
        cookie = log_in(port, "operator")
    for _ in range(RUNS):
        _forget(asked.folder)
        begun = time.perf_counter()
        with serving(asked.folder) as port:
            asyncio.run(_told_of(port, Look(cookie, views()[0])))
            runs.append(time.perf_counter() - begun)
    size = f"{ASSETS:,} assets, {asked.rows:,} rows in {DAYS} sealed days, the folder's files out of the page cache"
    return Measured("start.cold", "s", runs, 3, False, size, "1 post, 1 browser")


@measurement("start.demo")
def start_demo() -> Measured:
    """From exec of `vigie demo` in an empty folder until a first order is proved: by one of 20 all over the town."""
    lit = generate(SEED, scenery=False).lighting
    fed = np.flatnonzero(~lit.switched[lit.cabinet])
    lamps = [ids("luminaire", len(lit.cabinet))[index] for index in fed[:: len(fed) // 20][:20]]
    runs: list[float] = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(prefix="vigie-bench-") as folder:
            begun = time.perf_counter()
            command = [sys.executable, "-m", "vigie.cli", "demo", "--data", folder, "--port", "0"]
            demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            assert demo.stdout is not None
            while ANSWERS_ON not in (line := demo.stdout.readline()):
                assert line, "the demo has ended"
            address = urlsplit(line.partition(ANSWERS_ON)[2].partition(",")[0])
            _prove_an_order(address.port or 0, lamps)
            runs.append(time.perf_counter() - begun)
            demo.terminate()
            demo.wait(60)
    size = "75,000 assets made and taken in, 5 accounts, 75 gateways, 113 sites; until one of 20 lamps proves its order"
    return Measured("start.demo", "s", runs, 10, False, size, "1 post, 1 city")


@measurement("memory.rss")
def memory_rss() -> Measured:
    """The peak of the proportional set size of all of vigie's processes, in ten minutes of everything; one run."""
    asked = past()
    done = threading.Event()
    peak = _Peak(done)
    with serving(asked.folder) as port:
        looks, stalled = browsers(port)
        listening, desk = Listening(port, looks, stalled, ASSETS), Desk(port)
        try:
            with reporting(port, asked.secret):
                peak.start()
                whole = {"kind": "luminaire", "bucket_s": 3_600}
                took_ms = [
                    desk.ask("history", asked.first_us, asked.last_us, **whole)[0] for _ in _each_minute(MINUTES)
                ]
        finally:
            done.set()
            peak.join()
            listening.close()
    size = (
        f"{MINUTES} min at {RATE:,} observations/s, {len(looks)} sockets and {STALLED} stalled, {ASSETS:,} assets, "
        f"{asked.rows:,} rows sealed; the {DAYS} days of the whole town asked once a minute, "
        f"{max(took_ms) / 1_000:.1f} s at most"
    )
    return Measured("memory.rss", "MB", [peak.most_mb], 700, False, size, f"{peak.processes} of vigie, 2 of the bench")


def _prove_an_order(port: int, lamps: list[str]) -> None:
    """Dims lamps whose supply is never cut, and waits until one of them has said so."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(method: str, path: str, body: object = None, **headers: str) -> tuple[dict[str, Any], str]:
        headers |= {"Content-Type": "application/json"}
        connection.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{answer.status}: {said[:300]!r}")
        return json.loads(said), answer.headers.get("Set-Cookie", "").partition(";")[0]

    said, cookie = ask("POST", "session", {"login": "operator", "password": PASSWORD})
    own = {"Cookie": cookie, "X-CSRF-Token": said["csrf"]}
    order = {"action": "luminaire.dim", "params": {"level": 60}, "select": {"assets": lamps}, "reason": "bench"}
    given, _ = ask("POST", "commands", order, **own, **{"Idempotency-Key": "one"})
    while not given["counts"].get("done"):
        time.sleep(0.05)
        given, _ = ask("GET", f"commands/{given['id']}", **own)
    connection.close()


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
    """The post and all that it has started. It is a child of this process, as the devices are."""
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
