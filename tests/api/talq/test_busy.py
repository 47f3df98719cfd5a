"""What cannot be kept is not acknowledged: the gateway is told to say it again, and then it counts."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette

from tests.api.talq.inside import Inside, inside
from tests.orders import Bench
from tests.protocols.talq.link import LAMP, MONITOR
from tests.protocols.talq.standard import Standard
from vigie.api.talq.door import PREFIX, WAITING_MAX
from vigie.core.times import rfc3339
from vigie.engine import pump as pump_module
from vigie.engine.ports import StorageFull
from vigie.protocols.talq import Answer, Request


def report(within: Inside, watts: float) -> Request:
    """A lamp's power now."""
    at = rfc3339(within.bench.clock.at_us)
    value = {"type": "AttributeFloat", "value": watts, "timestamp": at}
    source = f"{LAMP.format(1)}/{MONITOR}"
    data = {"type": "AttributeLogData", "srcAddress": source, "attributeName": "activePower", "attributeValue": value}
    return within.gateway._caller.ask("sendLogReport", body={"address": "a", "entries": [{"data": data}]})


async def sent(client: httpx.AsyncClient, request: Request) -> httpx.Response:
    said = dict(request.headers)
    return await client.request(request.method, PREFIX + request.target, headers=said, content=request.body)


def test_what_cannot_be_kept_is_said_again_and_counts_once(
    bench: Bench, talq: Standard, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with inside(bench, "http://127.0.0.1:1") as within:
            transport = httpx.ASGITransport(app=Starlette(routes=within.talq.routes))
            async with httpx.AsyncClient(transport=transport, base_url="http://post") as client:
                await within.say(within.gateway.start())
                same = report(within, 40.0)
                with monkeypatch.context() as crowded:
                    crowded.setattr(pump_module, "QUEUE_ROWS_MAX", 0)
                    refused = await sent(client, same)
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
                talq.check_answer(same, Answer(503, refused.content))
                assert [(await sent(client, same)).status_code for _ in range(2)] == [201, 201]
                assert within.pump.counts["accepted"] == 1

                def no_room(number: int, parts: object) -> None:
                    raise StorageFull("no room is left")

                # Readings are taken, and what the session must remember is not: it is owed, and told again.
                await within.say(within.gateway.start())
                start = within.gateway._caller_of("00000000-0000-0000-0000-000000000000")
                device = within.gateway._self("00000000-0000-0000-0000-000000000000", "")
                again = start.ask("addDevices", body=[device])
                with monkeypatch.context() as full:
                    full.setattr(bench.facts.memories, "keep", no_room)
                    refused = await sent(client, again)
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
                assert (await sent(client, again)).status_code == 201
                assert b"announced" in bench.facts.memories.of(within.link.number)["known"]

    asyncio.run(run())


def test_one_gateway_holds_no_more_than_its_share(bench: Bench) -> None:
    async def run() -> None:
        async with inside(bench, "http://127.0.0.1:1") as within:
            await within.say(within.gateway.start())
            transport = httpx.ASGITransport(app=Starlette(routes=within.talq.routes))
            async with httpx.AsyncClient(transport=transport, base_url="http://post") as client:
                await within.link.turn.acquire()
                requests = [report(within, float(watts)) for watts in range(WAITING_MAX + 2)]
                asked = [asyncio.create_task(sent(client, each)) for each in requests]
                while sum(each.done() for each in asked) < 2:  # noqa: ASYNC110 - a refusal tells nobody of itself
                    await asyncio.sleep(0.01)
                within.link.turn.release()
                statuses = sorted([(await each).status_code for each in asked])
                assert statuses == [201] * WAITING_MAX + [503] * 2

    asyncio.run(run())
