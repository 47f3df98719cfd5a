"""Residents of the demo, who report what they see by Open311 as their applications do: one each two minutes by day.

Who reports what and when follows from the seed and the clock, so that a demo that is started again goes on with it. In
each hour one report in five speaks of what another has reported.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from functools import lru_cache
from random import Random
from urllib.parse import urlencode

import h11
import structlog

from vigie.core.arrays import pairs
from vigie.core.times import HOUR_US, SECOND_US
from vigie.protocols.open311 import Submission, encode_form
from vigie.sim.city import City
from vigie.sim.city.frame import to_degrees
from vigie.sim.life.sky import local_hour
from vigie.sim.residents import Told, month
from vigie.transports.http_client import HttpBase, Wire

HOURLY = 30
"""So many an hour by day."""
DAY_HOURS = (7.0, 22.0)
BY_NIGHT = 0.1
BEGIN_S, LOOK_S = 40.0, 10.0
TIMEOUT_S = 30.0
SPOTS = 2_000
"""So many lamps, or a few more, are looked at by those who report."""

Spots = tuple[tuple[float, float], ...]
"""Where lamps stand, in degrees; see `vigie.sim.residents.month`."""

_PATH = "/open311/v2/requests.json"

_log = structlog.get_logger("vigie.sim")


def spots_of(city: City) -> Spots:
    """Some lamps of a city."""
    lamps = city.lighting.xy
    return tuple((lon, lat) for lon, lat in pairs(to_degrees(lamps[:: max(1, len(lamps) // SPOTS)])))


def due(seed: int, spots: Spots, since_us: int, until_us: int) -> list[tuple[str, Told]]:
    """What is reported after an instant and until another, each with a key of its own."""
    hours = range(since_us // HOUR_US, until_us // HOUR_US + 1)
    found = [each for hour in hours for each in _hour(seed, spots, hour)]
    return [each for each in found if since_us < each[1].at_us <= until_us]


@lru_cache(maxsize=4)
def _hour(seed: int, spots: Spots, hour: int) -> list[tuple[str, Told]]:
    """What is reported in an hour (since the epoch): what a month of another town has, in one hour."""
    dice = Random(f"reports {seed} {hour}")
    told = [each for each in month(dice.randrange(1 << 30), spots, HOURLY) if isinstance(each, Told)]
    made: list[tuple[str, Told]] = []
    for n, each in enumerate(told):
        at_us = hour * HOUR_US + int((n + dice.random()) * HOUR_US / HOURLY)
        low, high = DAY_HOURS
        if low <= local_hour(at_us) < high or dice.random() < BY_NIGHT:
            key = hashlib.sha256(f"{seed} {hour} {n}".encode()).hexdigest()[:32]
            made.append((key, Told(at_us, each.thing, each.category, each.lon, each.lat, each.words)))
    return made


class Residents:
    """Those who report."""

    def __init__(self, url: str, seed: int, spots: Spots, now_us: Callable[[], int]) -> None:
        base = HttpBase.of(url)
        self._target = base.prefix + _PATH
        self._headers = [("host", base.authority), ("content-type", "application/x-www-form-urlencoded")]
        self._wire = Wire(base, timeout_s=TIMEOUT_S)
        self._seed, self._spots, self._now_us = seed, spots, now_us

    async def run(self) -> None:
        """Until cancelled. What the post does not answer, or refuses, is lost, as with people who give up."""
        await asyncio.sleep(BEGIN_S)
        since_us = self._now_us() - int(LOOK_S * SECOND_US)
        while True:
            until_us = self._now_us()
            for key, told in due(self._seed, self._spots, since_us, until_us):
                try:
                    await self.report(key, told)
                except OSError as error:
                    _log.warning("a resident is not heard", reason=str(error)[:200])
            since_us = until_us
            await asyncio.sleep(LOOK_S)

    async def report(self, key: str, told: Told) -> None:
        """Reports something. Raises OSError, also for what the post refuses."""
        said = Submission(told.category, told.lon, told.lat, description=told.words)
        body = urlencode(encode_form(said)).encode()
        headers = [*self._headers, ("idempotency-key", key), ("content-length", str(len(body)))]
        answer = await self._wire.ask(h11.Request(method="POST", target=self._target, headers=headers), body)
        if answer.status >= 400:
            raise OSError(f"POST {_PATH}: {answer.status} {answer.body[:200]!r}")
