"""A gateway's HTTP against a real server: kept connections, restarts, orders and receipts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests import metropolis
from vigie.core.readings import Readings
from vigie.core.times import SECOND_US, to_us
from vigie.protocols.plain import Order, Receipt, decode_array, decode_receipts, encode_orders
from vigie.sim.city import City
from vigie.sim.devices import Metropolis, gateways
from vigie.sim.life import Life
from vigie.sim.life.others import RAISED
from vigie.sim.talq.switchboard import Switchboard
from vigie.transports.device_http import HttpDoor

NIGHT = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)


@dataclass
class Post:
    """The post's end of the device door, as short as it can be: it keeps what it is told."""

    taken: list[Readings] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    waiting: dict[str, list[Order]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    connections: set[tuple[str, int]] = field(default_factory=set)
    refuse: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    def application(self) -> Starlette:
        def token(request: Request) -> str:
            assert request.client is not None
            self.connections.add((request.client.host, request.client.port))
            return request.headers["authorization"].removeprefix("Bearer ")

        async def observations(request: Request) -> Response:
            self.tokens.add(token(request))
            body = await request.body()
            if self.refuse:
                status, headers = self.refuse.pop()
                return Response(status_code=status, headers=headers)
            self.taken.append(decode_array(body))
            return JSONResponse({})

        async def orders(request: Request) -> Response:
            for _ in range(20):
                own = self.waiting.pop(token(request), [])
                if own:
                    break
                await asyncio.sleep(0.02)
            return Response(encode_orders(own), media_type="application/json")

        async def receipts(request: Request) -> Response:
            self.receipts += decode_receipts(await request.body())
            return Response(status_code=204)

        return Starlette(
            routes=[
                Route("/device/v1/observations", observations, methods=["POST"]),
                Route("/device/v1/orders", orders),
                Route("/device/v1/receipts", receipts, methods=["POST"]),
            ]
        )


@asynccontextmanager
async def served(post: Post, port: int) -> AsyncIterator[None]:
    config = uvicorn.Config(
        post.application(), port=port, log_level="error", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())  # pyright: ignore[reportPrivateUsage]
    while not server.started:  # noqa: ASYNC110 - uvicorn says so by a flag alone
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what is waited for happens behind a socket
            await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def city() -> City:
    return metropolis.city()


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(story())  # type: ignore[arg-type]


def test_two_connections_serve_many_requests() -> None:
    async def story() -> None:
        post, port = Post(), free_port()
        async with served(post, port):
            door = HttpDoor(f"http://127.0.0.1:{port}", "secret")
            for _ in range(5):
                assert (await door.post("/device/v1/observations", b"[]")).status == 200
                assert (await door.get("/device/v1/orders?wait_s=0")).status == 200
            await door.close()
        assert len(post.connections) == 2
        assert post.tokens == {"secret"}

    run(story)


def test_no_post_is_an_oserror_and_the_next_request_finds_it_again() -> None:
    async def story() -> None:
        port = free_port()
        door = HttpDoor(f"http://127.0.0.1:{port}", "secret")
        with pytest.raises(OSError):  # noqa: PT011 - which one is the system's choice
            await door.post("/device/v1/observations", b"[]")
        for _ in range(2):  # and a restart
            async with served(Post(), port):
                assert (await door.post("/device/v1/observations", b"[]")).status == 200
        await door.close()

    run(story)


def test_what_is_no_http_is_an_oserror() -> None:
    async def rubbish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        writer.close()

    async def story() -> None:
        server = await asyncio.start_server(rubbish, "127.0.0.1", 0)
        door = HttpDoor(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "secret")
        with pytest.raises(ConnectionError):
            await door.get("/")
        await door.close()
        server.close()

    run(story)


def test_an_address_must_be_one_of_http() -> None:
    with pytest.raises(ValueError, match="no http"):
        HttpDoor("mqtt://127.0.0.1", "secret")
    for impossible in ("http://127.0.0.1:many", "http://127.0.0.1:70000", "http://[::1"):
        with pytest.raises(ValueError, match="no possible host or port"):
            HttpDoor(impossible, "secret")


def test_a_retry_after_is_read() -> None:
    async def story() -> None:
        post, port = Post(refuse=[(503, {"Retry-After": "3"})]), free_port()
        async with served(post, port):
            door = HttpDoor(f"http://127.0.0.1:{port}", "secret")
            answer = await door.post("/device/v1/observations", b"[]")
            assert (answer.status, answer.retry_after_s) == (503, 3.0)
            await door.close()

    run(story)


def test_every_asset_with_a_point_has_exactly_one_gateway(city: City) -> None:
    own = [asset for assets in gateways(city).values() for asset in assets]
    assert len(own) == len(set(own))
    kinds = {asset.rpartition("-")[0] for asset in own}
    assert {"luminaire", "cabinet", "junction", "detector", "camera", "vehicle", "bus", "tram", "bollard"} <= kinds
    assert len(gateways(city)) < 100


def test_the_city_lives_through_a_restart_and_an_order_is_proved(city: City) -> None:
    async def story() -> None:
        post, port = Post(), free_port()
        names = ("roads-bollards", "roads-buses")
        doors = {name: HttpDoor(f"http://127.0.0.1:{port}", name) for name in names}
        clock_us = to_us(NIGHT)
        life = Life(city, clock_us)
        metropolis = Metropolis(city, life, doors, lambda: clock_us, Switchboard())
        async with served(post, port):
            running = asyncio.create_task(metropolis.run(tick_s=0.02))
            clock_us += 10 * SECOND_US
            await until(lambda: post.tokens == set(names) and len(post.taken) >= 2)
        clock_us += 10 * SECOND_US  # said while nobody listens
        await until(lambda: metropolis.tally.failures > 0)
        before = metropolis.tally.sent
        async with served(post, port):
            await until(lambda: metropolis.tally.sent > before)
            bollard = gateways(city)["roads-bollards"][5]
            turned = "lowered" if life.bollards.state[5] == RAISED else "raised"
            valid = {"issued": NIGHT, "expires": NIGHT + timedelta(minutes=5)}
            order = Order("order-1", bollard, "move", {"to": turned}, **valid)
            foreign = Order("order-2", "bus-001", "move", {"to": turned}, **valid)
            stale = Order("order-3", bollard, "move", {"to": turned}, NIGHT, NIGHT)
            post.waiting["roads-bollards"] = [order, order, foreign, stale]
            await until(lambda: len(post.receipts) == 4)
            assert [receipt.result for receipt in post.receipts] == ["accepted", "accepted", "failed", "failed"]
            clock_us += 10 * SECOND_US
            await until(lambda: any(said(each, bollard, "state", turned) for each in post.taken))
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert metropolis.tally.dropped == 0
        assert metropolis.tally.orders == 3
        await asyncio.gather(*(door.close() for door in doors.values()))

    run(story)


def said(readings: Readings, asset: str, point: str, value: object) -> bool:
    """Whether one of the readings says this."""
    rows = zip(readings.assets, readings.points, readings.values, strict=True)
    return any(row == (asset, point, value) for row in rows)
