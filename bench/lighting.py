"""Lighting: how exactly the sun is known, and how soon a manager sees a year under a draft."""

from __future__ import annotations

import asyncio
import http.client
import json
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness import RUNS, Measured, measurement, serving
from vigie.app import installation
from vigie.core import sun
from vigie.core.calendar import EPOCH_DAY
from vigie.demo.people import PASSWORD
from vigie.demo.processes import SEED
from vigie.demo.town import prepare
from vigie.settings import Settings
from vigie.sim.city import grow
from vigie.sim.city.facts import CENTRE

YEARS = (2021, 2031)
SUN_DEG = -4.0
NOON_1970 = datetime(1970, 1, 1, 12)  # noqa: DTZ001 - libastro counts in UTC and takes no zone

DRAFT = {
    "name": "P4, half from ten",
    "rank": "class",
    "target": {"classes": ["P4"]},
    "rules": [
        {
            "name": "all nights",
            "windows": [{"start": {"by": "clock", "minute": 1320}, "end": {"by": "dawn"}, "level": 50}],
        }
    ],
}
"""A default of a class over the whole town, beside what the demo has in force."""


@measurement("lighting.sun_error")
def sun_error() -> Measured:
    """Sunrise, sunset and the moments at which the lights switch, each day of ten years over Dijon, against libastro's
    ephemeris (VSOP87), which shares nothing with ours; the greatest difference."""
    import ephem  # For who works on vigie: the product needs it not.

    lon, lat = CENTRE
    days = np.array([(date(year, 1, 1) - EPOCH_DAY).days for year in YEARS])
    every = np.arange(days[0], days[1])
    worst: list[float] = []
    for height_deg in (sun.RISE_AND_SET_DEG, SUN_DEG):
        evening, morning = (each(every, lon, lat, height_deg)[0] for each in (sun.evening_us, sun.morning_us))
        there = ephem.Observer()
        there.lon, there.lat, there.pressure, there.horizon = str(lon), str(lat), 0, str(height_deg)
        for event, ours in ((there.next_setting, evening), (there.previous_rising, morning)):
            found = 0.0
            for day, ours_us in zip(every.tolist(), ours.tolist(), strict=True):
                there.date = ephem.Date(NOON_1970 + timedelta(days=day - lon / 360))
                theirs = event(ephem.Sun(), use_center=True).datetime().replace(tzinfo=UTC).timestamp()
                found = max(found, abs(theirs - ours_us / 1e6))
            worst.append(found)
    size = f"{len(every):,} days of {YEARS[0]} to {YEARS[1] - 1}: sunset, sunrise, and the same at {SUN_DEG:g} degrees"
    return Measured("lighting.sun_error", "s", [max(worst)], 60, False, size, "1")


@measurement("lighting.preview")
def preview() -> Measured:
    """A year of the whole metropole under a draft, beside the year under what is in force, asked of a post that runs:
    hours, energy, euros and CO2 by area and programme. The post has just been started."""
    runs: list[float] = []
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as name:
        folder = Path(name)
        with installation(Settings(data=folder)) as opened:
            asyncio.run(prepare(opened, grow(SEED), lambda _: None))
        lamps = 0
        for _ in range(RUNS):
            with serving(folder) as port:
                headers = _logged_in(port)
                begun = time.perf_counter()
                told = _ask(port, "services/lighting/year", {"year": 2026, "draft": {"body": DRAFT}}, headers)
                runs.append(time.perf_counter() - begun)
                lamps = told["draft"]["whole"]["lamps"]
                assert told["draft"]["whole"]["kwh"] < told["in_force"]["whole"]["kwh"]
    size = f"{lamps:,} lamps, 365 nights, 7 programmes, twice (draft and in force), the first question after a start"
    return Measured("lighting.preview", "s", runs, 5, False, size, "1 post")


def _logged_in(port: int) -> dict[str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"login": "manager", "password": PASSWORD})
    connection.request("POST", "/api/v1/session", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    cookie = (response.getheader("set-cookie") or "").partition(";")[0]
    csrf = json.loads(response.read())["csrf"]
    connection.close()
    return {"Cookie": cookie, "X-CSRF-Token": csrf, "Content-Type": "application/json"}


def _ask(port: int, path: str, body: Any, headers: dict[str, str]) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", f"/api/v1/{path}", json.dumps(body), headers)
    response = connection.getresponse()
    said = json.loads(response.read())
    connection.close()
    if response.status != 200:
        raise RuntimeError(str(said))
    return said
