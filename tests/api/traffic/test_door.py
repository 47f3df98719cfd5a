"""The next hour on a real post: read from what was counted, told to the public, and said to be unknown where it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import shapely

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
        street = Draft(
            key="s", kind="street", name="Rue Verte", lon=5.001, lat=47.3, area=area, attributes={"speed_limit": 30.0},
            geometry=shapely.to_wkb(shapely.LineString([(4.999, 47.3), (5.003, 47.3)])),
        )  # fmt: skip
        said = ({"direction": "O", "lanes": 2.0}, {"direction": "E"}, {})
        detectors = [
            Draft(key=f"d{n}", kind="detector", lon=5.0 + n / 1e4, lat=47.3001, area=area, attributes=dict(own))
            for n, own in enumerate(said)
        ]
        far = Draft(key="far", kind="detector", lon=5.1, lat=47.3, area=area)
        opened.take_assets("counting", [street, *detectors, far])
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


def test_streets_are_told_as_they_are_driven_with_a_level_where_anything_is_known(post: RunningPost) -> None:
    now = now_us()
    told = [
        reading("detector-d0", "flow", 900.0, now), reading("detector-d0", "occupancy", 10.0, now),
        reading("detector-d1", "speed", 8.0, now), reading("detector-d1", "working", True, now),
        reading("detector-d2", "speed", 40.0, now), reading("detector-d2", "working", False, now),
    ]  # fmt: skip
    assert post.send(told).body["accepted"] == len(told)
    answer = post.ask("GET", "/api/v1/traffic/streets")
    assert answer.status == 200
    # However many ask, the streets are told anew each few seconds.
    assert post.ask("GET", "/api/v1/traffic/streets").body["at"] == answer.body["at"]
    by_id = {each["detector"]: each for each in answer.body["streets"]}
    assert set(by_id) == {"detector-d0", "detector-d1", "detector-d2"}
    west, east, broken = (by_id[f"detector-d{n}"] for n in range(3))
    assert (west["line"][0], east["line"][0]) == ([5.003, 47.3], [4.999, 47.3])
    assert (west["name"], west["street"], west["free_speed"]) == ("Rue Verte", "street-s", 30)
    # 900 an hour on two lanes that are occupied for a tenth of the time.
    assert west["speed"] == pytest.approx(29.2, abs=0.1)
    assert [each["level"] for each in (west, east, broken)] == ["A", "F", None]
    assert [each["both"] for each in (west, east, broken)] == [False, False, True]
    assert (broken["flow"], broken["speed"]) == (None, None)
