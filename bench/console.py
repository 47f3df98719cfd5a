"""The console in a real browser without a graphics card: from its address to the city, and on to single lamps."""

from __future__ import annotations

import asyncio
import functools
import shutil
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager

import numpy as np
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from bench.harness import RUNS, Measured, measurement, serving
from bench.town import ASSETS, COMMUNES, lamp, log_in, town
from vigie.protocols.plain import encode_array
from vigie.transports.device_http import HttpDoor

CENTRE = (5.04, 47.32)
ACROSS_DEG = (0.29, 0.19)
LAMPS = 10_000
"""So many single lamps shall be on the screen."""
NEAR_ZOOM = 13.0
"""The farthest zoom that draws lamps one by one: most of them are on the screen at once."""
SIZE: ViewportSize = {"width": 1440, "height": 900}
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PATIENCE_MS = 60_000

# Everything that was asked for has come and is painted; what is reported of the city is in it.
OVERVIEW = "() => !!window.vigie && vigie.map.loaded() && vigie.picture.end > 0"
LIT = "vigie.map.queryRenderedFeatures({ layers: ['lamps'] }).filter((each) => each.state.s)"
NEAR = f"(wanted) => vigie.map.loaded() && new Set({LIT}.map((each) => each.id)).size >= wanted"
COUNT = f"() => new Set({LIT}.map((each) => each.id)).size"


async def _report(port: int, secret: str) -> None:
    door = HttpDoor(f"http://127.0.0.1:{port}", secret)
    now_us = time.time_ns() // 1_000
    for first in range(0, ASSETS, 1_000):
        rows = [(f"luminaire-{n:06d}", "level", float(n % 10 * 10 + 10), now_us) for n in range(first, first + 1_000)]
        answer = await door.post("/device/v1/observations", encode_array(rows))
        if answer.status != 200:
            raise RuntimeError(answer.body[:500].decode())
    await door.close()


@contextmanager
def _city() -> Generator[int]:
    """A post with so many lamps over a metropolis of some twenty kilometres, each lit to a level; gives its port."""
    spread = (np.random.default_rng(1).random((ASSETS, 2)) - 0.5) * ACROSS_DEG + CENTRE
    drafts = [lamp(n, lon, lat, n % COMMUNES) for n, (lon, lat) in enumerate(spread.tolist())]
    with town(drafts) as (folder, secret), serving(folder) as port:
        asyncio.run(_report(port, secret))
        yield port


def _look(browser: Browser, port: int, cookie: str) -> tuple[float, float, int]:
    """A window that has never been there: milliseconds to the overview, from it to the lamps, and how many they are."""
    context = browser.new_context(viewport=SIZE, reduced_motion="reduce")
    try:
        name, _, value = cookie.partition("=")
        context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{port}"}])
        page = context.new_page()
        start = time.perf_counter()
        page.goto(f"http://127.0.0.1:{port}/console", wait_until="commit")
        page.wait_for_function(OVERVIEW, timeout=PATIENCE_MS, polling=50)
        overview = time.perf_counter()
        # In braces: what a call returns is sent over, and the map is megabytes.
        page.evaluate("([lon, lat, zoom]) => { vigie.map.jumpTo({ center: [lon, lat], zoom }) }", [*CENTRE, NEAR_ZOOM])
        page.wait_for_function(NEAR, arg=LAMPS, timeout=PATIENCE_MS, polling=50)
        near = time.perf_counter()
        return (overview - start) * 1_000, (near - overview) * 1_000, page.evaluate(COUNT)
    finally:
        context.close()


@functools.cache
def _looks() -> Sequence[tuple[float, float, int]]:
    """Both figures are of the same runs."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise RuntimeError("no chromium on this machine: apt-get install chromium")
    with _city() as port, sync_playwright() as playwright:
        cookie = log_in(port, "operator")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        looks = [_look(browser, port, cookie) for _ in range(RUNS)]
        browser.close()
    return looks


PROCESSES = "1 post, 1 browser (swiftshader) on the same machine"


@measurement("console.drawn")
def drawn() -> Measured:
    """From the address to the whole city drawn, in a window that keeps nothing from before."""
    runs = [overview for overview, _, _ in _looks()]
    return Measured("console.drawn", "ms", runs, 4_000, False, f"{ASSETS:,} assets, 1440x900", PROCESSES)


@measurement("console.drawn_near")
def drawn_near() -> Measured:
    """From that overview to single lamps, each in the state that it reported, counted by queryRenderedFeatures."""
    runs = [near for _, near, _ in _looks()]
    size = f"{ASSETS:,} assets, {min(lamps for _, _, lamps in _looks()):,} lamps on the screen, 1440x900"
    return Measured("console.drawn_near", "ms", runs, 2_000, False, size, PROCESSES)
