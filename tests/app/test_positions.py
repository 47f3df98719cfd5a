"""A feed of vehicles' positions in a post: taken in for the device that it is of, and told by the doctor."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.api.datex2.test_events import Told
from tests.http_end import End
from tests.post import NO_RESERVE, make, now_us
from tests.transports.test_feed import answer
from vigie.api.devices import Devices
from vigie.app import admit_device, installation
from vigie.app.accounts import keeper_of_post
from vigie.app.control import performing
from vigie.app.positions import vehicle_positions
from vigie.app.post import Post
from vigie.core.drafts import Draft
from vigie.core.times import SECOND_US
from vigie.protocols.gtfs_rt import Standing, write_positions
from vigie.services.roads import Bus
from vigie.settings import Settings, SettingsWrong


def settings(data: Path, url: str, **further: Any) -> Settings:
    """With a feed."""
    said = {"vehicle_positions_device": "operator", "vehicle_positions_as": "bus-{id}"} | further
    return Settings(data=data, vehicle_positions_url=url, **said, **NO_RESERVE)


def test_a_post_follows_an_operators_vehicles(tmp_path: Path) -> None:
    make(tmp_path)
    at_us = now_us() // SECOND_US * SECOND_US - 20 * SECOND_US
    with installation(settings(tmp_path, "")) as opened:
        opened.take_assets("buses", [Draft(key=f"{n}", kind="bus", lon=5.0, lat=47.0) for n in (1, 2)])
        admit_device(opened, "operator", [opened.facts.ids()["bus-1"]])

    def feed(later_s: int, *names: str) -> bytes:
        seen_us = at_us + later_s * SECOND_US
        return write_positions([Standing(name, seen_us, 5.04, 47.32, 90.0) for name in names], seen_us)

    first, second = feed(0, "1"), feed(10, "1", "2", "ghost")

    async def run() -> None:
        told = Told(
            answer("200 OK", first), answer("200 OK", first), answer("200 OK", second), answer("200 OK", b"<html>"),
            answer("503 Busy"),
        )  # fmt: skip
        async with End(told.serve).there() as end:
            with installation(settings(tmp_path, end.url)) as opened:
                post, devices = Post(opened), Devices(opened.facts.devices())
                reads = vehicle_positions(opened, post, devices)
                assert reads is not None
                answering = performing(opened, post, lambda: None, keeper_of_post(opened, post.pump), positions=reads)

                async def doctor() -> dict[str, Any]:
                    found = await answering("doctor", {}, lambda what, done, total: None)
                    return next(each for each in found["checks"] if each["name"] == "positions")

                def bus() -> tuple[float, float, int]:
                    number = post.engine.registry.numbers["bus-1"]
                    newest = post.engine.newest(Bus, Bus.position, post.engine.assets(Bus))
                    row = [*post.engine.assets(Bus)].index(number)
                    lon, lat = post.engine.seen_at(Bus, Bus.position, post.engine.assets(Bus))
                    return float(lon[row]), float(lat[row]), int(newest.observed_us[row])

                async with post.life():
                    await reads.look()
                    assert bus() == (5.04, 47.32, at_us)
                    assert (await doctor())["state"] == "ok"
                    before = post.engine.next_ingest
                    await reads.look()
                    assert post.engine.next_ingest == before, "what is no newer is let go"
                    # Another's bus and one that nobody knows are refused, and cost this one nothing.
                    await reads.look()
                    assert bus()[2] == at_us + 10 * SECOND_US
                    check = await doctor()
                    assert (check["state"], "not_yours" in check["says"], "unknown_asset" in check["says"]) == (
                        "warn", True, True,
                    )  # fmt: skip
                    for why in ("no GTFS Realtime", "answered with 503"):
                        await reads.look()
                        assert why in (await doctor())["says"]
                    assert reads.wait_s == 4 * 15, "it is left alone for longer each time"
                    devices.load({})
                    await reads.look()
                    assert "not admitted" in (await doctor())["says"]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("further", "why"),
    [
        ({"vehicle_positions_as": "bus"}, "made of"),
        ({"vehicle_positions_as": "{speed}"}, "made of"),
        ({"vehicle_positions_device": ""}, "name the device"),
        ({}, "vehicle_positions_url"),
    ],
)
def test_what_cannot_be_read_by_is_said_when_the_post_starts(tmp_path: Path, further: dict[str, str], why: str) -> None:
    make(tmp_path)
    with installation(settings(tmp_path, "http://[", **further)) as opened, pytest.raises(SettingsWrong, match=why):
        vehicle_positions(opened, Post(opened), Devices({}))
