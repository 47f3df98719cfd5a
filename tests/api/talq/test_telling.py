"""When a gateway that begins anew has told all that it has: an order waits so long, and no longer."""

from __future__ import annotations

import asyncio

from tests.api.talq.inside import inside
from tests.orders import GATEWAY, LAMPS, Bench
from vigie.api.talq.link import TOLD_US
from vigie.app.talq import spoken_for


def test_who_has_told_all_that_reports_through_it_is_waited_for_no_longer(bench: Bench) -> None:
    async def run() -> None:
        # Its cabinets report through another gateway.
        for asset, number in spoken_for(bench.engine, GATEWAY).items():
            if not asset.startswith("luminaire"):
                bench.engine.registry.reporter[number] = 0
        async with inside(bench, "http://127.0.0.1:9", range(LAMPS)) as within:
            await within.say(within.gateway.start())
            assert within.link.is_ready
            assert not within.link.is_telling(bench.clock.now_us())

    asyncio.run(run())


def test_who_has_not_is_waited_for_until_it_has_been_quiet(bench: Bench) -> None:
    async def run() -> None:
        async with inside(bench, "http://127.0.0.1:9", range(1)) as within:
            await within.say(within.gateway.start())
            now_us = bench.clock.now_us()
            assert within.link.is_telling(now_us)
            assert not within.link.is_telling(now_us + TOLD_US)

    asyncio.run(run())
