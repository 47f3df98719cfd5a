"""The TALQ door over a bench's engine, in this process and on a clock in the test's hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from tests.orders import GATEWAY, Bench
from tests.protocols.talq.link import CMS, LAMP_CLASS, SERVICES, incoming, lamp
from vigie.api.talq import Link, Means, TalqDoor
from vigie.app.talq import spoken_for
from vigie.engine.pump import Pump
from vigie.protocols.talq import Cms, Enrolment, Gateway, Identity, Request, digest


async def until(true: Callable[[], object]) -> None:
    """Waits until something is true."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody of itself
            await asyncio.sleep(0.01)


@dataclass
class Inside:
    """A running pump, the door with the bench's gateway, and that gateway's link and own session."""

    bench: Bench
    pump: Pump
    talq: TalqDoor
    gateway: Gateway

    @property
    def link(self) -> Link:
        return self.talq.links["gw"]

    async def say(self, *requests: Request) -> None:
        """The gateway says something, and what follows from the answers."""
        waiting = list(requests)
        while waiting:
            request = waiting.pop(0)
            answer = await self.link.heard(incoming(request))
            waiting += self.gateway.answered(request, answer, self.bench.clock.now_us()).requests


@asynccontextmanager
async def inside(bench: Bench, uri: str, lamps: Iterable[int] = range(3)) -> AsyncGenerator[Inside]:
    """The door; the gateway has not attached yet."""
    pump = Pump(bench.engine, bench.clock)
    pump.start()

    async def keep(number: int, parts: Mapping[str, bytes]) -> None:
        await pump.run_in_writer(lambda: bench.facts.memories.keep(number, parts))

    talq = TalqDoor(
        Means(Cms(CMS, "", ()), bench.clock, pump.submit, keep, partial(spoken_for, bench.engine)),
        bench.facts.memories.of,
    )
    talq.load([(GATEWAY, Enrolment("gw", digest("secret")))])
    who = Identity("gw", uri, "http://post.example/talq", "vigie", "secret")
    try:
        yield Inside(bench, pump, talq, Gateway(who, SERVICES, [LAMP_CLASS], [lamp(number) for number in lamps]))
    finally:
        await asyncio.gather(*(link.close() for link in talq.links.values()))
        await pump.stop()
