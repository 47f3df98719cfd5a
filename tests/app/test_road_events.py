"""A feed of road events in a post: read as its settings say, told by the doctor, and gone with its setting."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.api.datex2.test_events import CRASH, POST, Told, feed
from tests.http_end import End
from tests.post import make
from tests.transports.test_feed import answer
from vigie.app import installation
from vigie.app.accounts import keeper_of_post
from vigie.app.control import performing
from vigie.app.installation import POST_ID, Installation
from vigie.app.post import Post
from vigie.app.road_events import road_events
from vigie.core.times import DAY_US
from vigie.protocols.datex2 import Situation, Validity
from vigie.services.roads.events import RoadEvent
from vigie.settings import Settings, SettingsWrong


def settings(data: Path, url: str = "") -> Settings:
    """With a feed."""
    return Settings(data=data, road_events_url=url, reserve_observations_mb=0, reserve_facts_mb=0)


def lasting() -> Situation:
    """The crash, for as long as nobody says."""
    (record,) = CRASH.records
    return replace(CRASH, records=(replace(record, validity=Validity(DAY_US)),))


async def looked(opened: Installation, *, looks: int) -> tuple[int, dict[str, Any]]:
    """How many road events a post has once it has read its feed so many times, and what the doctor says of that."""
    post = Post(opened)
    events = road_events(opened, post)
    async with post.life():
        for _ in range(looks):
            await events.look()
        if not events.url:
            await events.run()
        keeper = keeper_of_post(opened, post.pump)
        told = await performing(opened, post, lambda: None, keeper, events=events)(
            "doctor", {}, lambda what, done, total: None
        )
        named = {each["name"]: each for each in told["checks"]}
        return len(post.engine.assets(RoadEvent)), named.get("road events", {})


def test_a_post_reads_its_feed_and_the_doctor_tells_how(tmp_path: Path) -> None:
    make(tmp_path)

    async def run() -> None:
        told = Told(answer("200 OK", feed(lasting())), answer("503 Busy"))
        async with End(told.serve).there() as end:
            with installation(settings(tmp_path, end.url)) as opened:
                assert opened.facts.ids()[POST_ID] == POST
                _, good = await looked(opened, looks=1)
            with installation(settings(tmp_path, end.url)) as opened:
                count, check = await looked(opened, looks=1)
        assert count == 1
        assert (good["state"], "1 near the town" in good["says"]) == ("ok", True)
        assert check["state"] == "warn"
        assert "answered with 503" in check["says"]
        assert check["mend"]
        # Another process, without the feed: what it told is nobody's any more.
        with installation(settings(tmp_path)) as opened:
            assert await looked(opened, looks=0) == (0, {})

    asyncio.run(run())


def test_what_is_no_address_is_said_when_the_post_starts(tmp_path: Path) -> None:
    make(tmp_path)
    with installation(settings(tmp_path, "http://[")) as opened:
        post = Post(opened)
        with pytest.raises(SettingsWrong, match="road_events_url"):
            road_events(opened, post)
