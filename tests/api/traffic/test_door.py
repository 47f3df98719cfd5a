"""The next hour on a real post: read from what was counted, told to the public, and said to be unknown where it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.post import NO_RESERVE, RunningPost, make, now_us, reading, running
from vigie.app import admit_device, installation
from vigie.core.drafts import Draft
from vigie.core.times import HOUR_US, MINUTE_US, to_us
from vigie.settings import Settings

FORECAST = "/api/v1/traffic/forecast?wait_s=30"
DAYS = 17


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPost]:
    folder: Path = tmp_path_factory.mktemp("post")
    make(folder)
    with installation(Settings(data=folder, city="Essai", **NO_RESERVE)) as opened:
        area = "dijon-metropole/dijon"
        opened.take_assets(
            "counting", [Draft(key=f"d{n}", kind="detector", lon=5.0, lat=47.3, area=area) for n in range(3)]
        )
        ids = [row[0] for row in opened.facts.registry_rows() if row[2] == "detector"]
        secret = admit_device(opened, "counting", ids)
    with running(folder, secret) as started:
        yield started


def expected(hour: float) -> float:
    """Vehicles an hour about an hour of the day, of the first detector."""
    return 300 + 200 * math.sin(hour * math.pi / 12)


def counted(days: int) -> list[dict[str, Any]]:
    """Two detectors that tell each hour until the last full one; the third tells nothing."""
    end_us = now_us() // HOUR_US * HOUR_US
    rows: list[dict[str, Any]] = []
    for hours in range(days * 24):
        at_us = end_us - hours * HOUR_US
        of_day = at_us / HOUR_US % 24
        for n in range(2):
            vehicles = (n + 1) * (expected(of_day - 0.5) + 7 * (hours * 13 % 5))
            rows.append(reading(f"detector-d{n}", "flow", round(vehicles, 1), at_us))
    return rows


def test_the_next_hour_is_told_to_everybody_and_only_of_who_was_heard(post: RunningPost) -> None:
    rows = counted(DAYS)
    for start in range(0, len(rows), 2_000):
        assert post.send(rows[start : start + 2_000]).body["accepted"] == len(rows[start : start + 2_000])
    told = post.ask("GET", FORECAST)
    assert (told.status, told.body["state"]) == (200, "ready"), told
    by_id = {each["id"]: each for each in told.body["detectors"]}
    assert set(by_id) == {"detector-d0", "detector-d1"}
    start, end = (to_us(datetime.fromisoformat(told.body[name])) for name in ("start", "end"))
    assert end - start == HOUR_US
    assert 0 <= now_us() - start < 16 * MINUTE_US
    middle = (start + HOUR_US / 2) / HOUR_US % 24
    for n in range(2):
        each = by_id[f"detector-d{n}"]
        assert each["vehicles"] == pytest.approx((n + 1) * expected(middle), rel=0.2)
        assert each["low"] <= each["vehicles"] <= each["high"]
    one = post.ask("GET", f"{FORECAST}&detector=detector-d1").body["detectors"]
    assert one == [by_id["detector-d1"]]


def test_what_is_no_detector_that_one_sees_is_not_found(post: RunningPost) -> None:
    for other in ("detector-none", "junction-j1"):
        assert post.ask("GET", f"{FORECAST}&detector={other}").status == 404
    assert post.ask("GET", "/api/v1/traffic/forecast?wait_s=1000").status == 400
