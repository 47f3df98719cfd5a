"""History: how long an answer takes from 500 million rows in 30 sealed days, while devices go on reporting."""

from __future__ import annotations

import atexit
import contextlib
import functools
import http.client
import json
import multiprocessing
import os
import random
import statistics
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from urllib.parse import urlencode

from bench.harness import RUNS, Measured, measurement, serving
from bench.sealed import VALUES, write_history
from bench.town import ASSETS, FIRST_LAMP, log_in, town
from vigie.app import installation
from vigie.core.times import DAY_US, rfc3339
from vigie.protocols.plain import encode_array
from vigie.settings import Settings

LAMPS = 34_000
DAYS = 30
REPORTS = 123
"""How often each point of each lamp is reported in a day: 4 points x 34,000 lamps x 30 days make 501,840,000 rows. The
other lamps of the town have no past."""

ASKED = 20
"""How many lamps a run asks for; it is told by the median of them."""

POINT = "power"
IDLE_S = 3
RATE = 5_000
BATCH = 100


@dataclass(frozen=True)
class Past:
    """An installation with a past: its folder and a device's secret. first_us: where the past begins, at midnight; it
    ends DAYS later, when today began."""

    folder: Path
    secret: str
    first_us: int
    rows: int

    @property
    def last_us(self) -> int:
        """The first instant that is no more of it."""
        return self.first_us + DAYS * DAY_US

    @property
    def files(self) -> Iterator[Path]:
        """The sealed days."""
        return (self.folder / "observations" / "sealed").glob("*/*.parquet")

    def drop_cached(self) -> None:
        """Has the kernel forget what it holds of the sealed days."""
        for path in self.files:
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def cache(self) -> None:
        """Has the kernel hold all of the sealed days."""
        for path in self.files:
            with path.open("rb", buffering=0) as file:
                while file.read(1 << 24):
                    pass


_kept = contextlib.ExitStack()
atexit.register(_kept.close)


@functools.cache
def past() -> Past:
    """The one past that all measurements of this process ask about. It takes minutes to write, and goes with the
    process."""
    folder, secret = _kept.enter_context(town())
    with installation(Settings(data=folder)) as opened:
        numbers = opened.facts.point_numbers()
    points = {point: numbers["luminaire", point] for point in VALUES}
    today = time.time_ns() // 1_000 // DAY_US
    days = range(today - DAYS, today)
    rows = write_history(folder / "observations", days, range(FIRST_LAMP, FIRST_LAMP + LAMPS), points, REPORTS)
    return Past(folder, secret, days[0] * DAY_US, rows)


def _lamp(number: int) -> str:
    return f"luminaire-{number:06d}"


def _report(port: int, secret: str, end: Event) -> None:
    """Devices: so many observations a second, evenly, until the end."""
    dice = random.Random(1)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    due = time.monotonic()
    while not end.wait(max(0.0, due - time.monotonic())):
        due += BATCH / RATE
        now_us = time.time_ns() // 1_000
        rows = [(_lamp(dice.randrange(ASSETS)), POINT, float(dice.randrange(100)), now_us - i) for i in range(BATCH)]
        connection.request("POST", "/device/v1/observations", encode_array(rows), headers)
        response = connection.getresponse()
        if b'"rejected_total":0,' not in response.read():
            raise RuntimeError(f"an observation was refused: {response.status}")


@contextlib.contextmanager
def reporting(port: int, secret: str) -> Generator[None]:
    """Devices that report meanwhile, in a process of their own. Raises RuntimeError where they stopped before."""
    context = multiprocessing.get_context("fork")
    end = context.Event()
    process = context.Process(target=_report, args=(port, secret, end), daemon=True)
    process.start()
    try:
        yield
        if not process.is_alive():
            raise RuntimeError("the devices stopped reporting")
    finally:
        end.set()
        process.join(60)


class Desk:
    """Somebody who asks for history."""

    def __init__(self, port: int) -> None:
        self._headers = {"Cookie": log_in(port, "operator")}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._asked_s = time.monotonic()

    def ask(self, path: str, start_us: int, end_us: int, **query: str | int) -> tuple[float, list[list[float]]]:
        """Milliseconds until the whole answer is there, and its rows. Raises RuntimeError for any other answer."""
        said = urlencode({"point": POINT, "from": rfc3339(start_us), "to": rfc3339(end_us), **query})
        if time.monotonic() - self._asked_s > IDLE_S:
            # The post lets go of who is silent for five seconds; the next question then opens a connection anew.
            self._connection.close()
        start = time.perf_counter()
        self._connection.request("GET", f"/api/v1/{path}?{said}", headers=self._headers)
        response = self._connection.getresponse()
        body = response.read()
        took_ms = (time.perf_counter() - start) * 1_000
        self._asked_s = time.monotonic()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {body[:300]!r}")
        return took_ms, json.loads(body)["rows"]


def _asset_24h(name: str, must_ms: float, cold: bool) -> Measured:
    """Single lamps that nobody asked for before, over 24 hours that two sealed days hold."""
    asked, dice = past(), random.Random(name)
    lamps = dice.sample(range(LAMPS), RUNS * ASKED + 1)
    runs: list[float] = []
    with serving(asked.folder) as port, reporting(port, asked.secret):
        desk = Desk(port)
        if not cold:
            asked.cache()
        desk.ask(f"assets/{_lamp(lamps.pop())}/history", asked.first_us, asked.first_us + DAY_US)
        for _ in range(RUNS):
            took: list[float] = []
            for _ in range(ASKED):
                start_us = dice.randrange(asked.first_us, asked.last_us - DAY_US)
                if cold:
                    asked.drop_cached()
                took_ms, rows = desk.ask(f"assets/{_lamp(lamps.pop())}/history", start_us, start_us + DAY_US)
                if abs(len(rows) - REPORTS) > 1:
                    raise RuntimeError(f"{len(rows)} rows of {REPORTS}")
                took.append(took_ms)
            runs.append(statistics.median(took))
    size = (
        f"{RUNS} x {ASKED} questions for {REPORTS} raw rows among {asked.rows:,} in {DAYS} sealed days, "
        f"{RATE:,} observations/s meanwhile; the days are {'not ' if cold else ''}in the page cache"
    )
    return Measured(name, "ms", runs, must_ms, False, size, "1 post, 1 load, 1 who asks")


@measurement("history.asset_24h")
def asset_24h() -> Measured:
    """One point of one asset over 24 hours, from the disk."""
    return _asset_24h("history.asset_24h", 50, cold=True)


@measurement("history.asset_24h_warm")
def asset_24h_warm() -> Measured:
    """The same from the page cache."""
    return _asset_24h("history.asset_24h_warm", 20, cold=False)


@measurement("history.city_30d")
def city_30d() -> Measured:
    """One point of one kind, the whole city by the hour over 30 days, from the observations themselves."""
    asked = past()
    runs: list[float] = []
    of_point = LAMPS * REPORTS * DAYS
    with serving(asked.folder) as port, reporting(port, asked.secret):
        desk = Desk(port)
        asked.cache()
        for run in range(RUNS + 1):
            took_ms, rows = desk.ask("history", asked.first_us, asked.last_us, kind="luminaire", bucket_s=3_600)
            counted = sum(row[4] for row in rows)
            if len(rows) != DAYS * 24 or counted != of_point:
                raise RuntimeError(f"{len(rows)} spans of {counted:,.0f} rows")
            if run:
                runs.append(took_ms / 1_000)
    size = (
        f"{RUNS} questions for {of_point:,} raw rows among {asked.rows:,} in {DAYS} sealed days, "
        f"{RATE:,} observations/s meanwhile; no rollups"
    )
    return Measured("history.city_30d", "s", runs, 1.5, False, size, "1 post, 1 load, 1 who asks")
