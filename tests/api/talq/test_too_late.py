"""An order that has expired is not sent, however often it was tried before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.city import NOW_US
from tests.http_end import End
from tests.orders import GATEWAY, Bench
from tests.protocols.talq.link import CMS, LAMP_CLASS, SERVICES, incoming, lamp
from vigie.api.orders import OrderDoor
from vigie.api.talq import Link, Means, TalqDoor, TalqOrders
from vigie.engine.pump import Pump
from vigie.protocols.talq import Cms, Enrolment, Gateway, Identity, digest


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


async def until(true: Callable[[], object]) -> None:
    """Waits until something is true."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody of itself
            await asyncio.sleep(0.01)


async def attach(link: Link, uri: str) -> None:
    """A gateway with three lamps tells its link all that it has."""
    who = Identity("gw", uri, "http://post.example/talq", "vigie", "secret")
    gateway = Gateway(who, SERVICES, [LAMP_CLASS], [lamp(number) for number in range(3)])
    waiting = [gateway.start()]
    while waiting:
        request = waiting.pop(0)
        waiting += gateway.answered(request, await link.heard(incoming(request)), NOW_US).requests


def test_an_order_that_expires_while_its_gateway_is_gone_is_never_sent(bench: Bench) -> None:
    async def run() -> None:
        pump = Pump(bench.engine, bench.clock)
        pump.start()

        async def keep(number: int, parts: Mapping[str, bytes]) -> None:
            await pump.run_in_writer(lambda: bench.facts.memories.keep(number, parts))

        talq = TalqDoor(Means(Cms(CMS, "", ()), bench.clock, pump.submit, keep), bench.facts.memories.of)
        door = OrderDoor(bench.engine, bench.acts, pump, bench.clock)
        orders = TalqOrders(talq, door, bench.engine, bench.acts, pump, bench.clock)
        talq.load([(GATEWAY, Enrolment("gw", digest("secret")))])
        gone = End()
        async with gone.there():
            pass
        link = talq.links["gw"]
        await attach(link, gone.url)
        bench.later(60)
        tried = bench.dim(40, lamps=range(2))
        bench.later(299)
        orders.wake()
        await until(lambda: link.courier.reached is False)
        assert tried.counts == {"sent": 2}
        # What is ordered while it is known to be gone does not even count as sent.
        waiting = bench.dim(50, lamps=[2])
        orders.wake()
        await asyncio.sleep(1.2)
        async with gone.there(gone.port):
            link.courier.hurry()
            await until(lambda: not len(link.courier))
            bench.later(300)
            bench.tick()
            link.ask([link.peer.probe()])
            await until(lambda: link.takes_orders(bench.clock.now_us()))
            orders.wake()
            await asyncio.sleep(0.2)
        assert len(gone.lines) == 1
        assert "/services" in gone.lines[0]
        assert (tried.counts, waiting.counts) == ({"unproved": 2}, {"expired": 1})
        await link.close()
        await pump.stop()

    asyncio.run(run())
