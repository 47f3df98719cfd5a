"""An order that has expired is not sent, however often it was tried before."""

from __future__ import annotations

import asyncio

from tests.api.talq.inside import inside, until
from tests.http_end import End
from tests.orders import Bench
from vigie.api.orders import OrderDoor
from vigie.api.talq import TalqOrders


def test_an_order_that_expires_while_its_gateway_is_gone_is_never_sent(bench: Bench) -> None:
    async def run() -> None:
        gone = End()
        async with gone.there():
            pass
        async with inside(bench, gone.url) as within:
            link = within.link
            door = OrderDoor(bench.engine, bench.acts, within.pump, bench.clock)
            orders = TalqOrders(within.talq, door, bench.engine, bench.acts, within.pump, bench.clock, 12_000_000)
            await within.say(within.gateway.start())
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

    asyncio.run(run())
