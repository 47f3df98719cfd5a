"""The devices of a city, alive against a post that runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from vigie.protocols.talq.limits import BODY_BYTES_MAX
from vigie.services.signals import Junction
from vigie.sim.city import City
from vigie.sim.city.facts import ZONE
from vigie.sim.devices import run_metropolis
from vigie.sim.life import Life
from vigie.sim.life.columns import DEMO
from vigie.sim.permits import Permits
from vigie.sim.reporting import Residents, spots_of
from vigie.sim.road_events import RoadEvents
from vigie.sim.rsmp.sites import Sites
from vigie.sim.talq.lighting import Lighting
from vigie.sim.talq.park import Park
from vigie.sim.talq.switchboard import Switchboard, identities
from vigie.sim.traffic.moving import Moving
from vigie.sim.work import Work
from vigie.transports.device_http import HttpDoor
from vigie.transports.http import AddressRefused, beside
from vigie.transports.http_end import HttpEnd

HOST = "127.0.0.1"
"""Where the gateways of lamps and cabinets are asked: the post of a demo is on the same machine."""

TRAFFIC_AFTER_S = 60.0
"""The town's traffic begins so long after the devices: a post has others to hear at its start, and who looks on others
to see."""


class Post(msgspec.Struct):
    """Where to report, and as whom: `secrets` of gateways by their names. tokens: what the post shows to those that
    speak TALQ. sites: the security codes of the junctions, by their site ids and in their order; none where they have
    plain gateways. people: the tokens of those who send crews out and of the crews; nobody works where there are none.
    rsmp_port: where the sites connect, on this machine. streets: the folder of the town's traffic; none
    is simulated where nothing is said. events_port: where what happens on the roads around is told, on this machine."""

    url: str
    secrets: dict[str, str]
    tokens: dict[str, str]
    sites: dict[str, tuple[str, str]] = {}
    rsmp_port: int = 0
    streets: str = ""
    people: dict[str, str] = {}
    events_port: int = 0


async def live(post: Post, city: City, park: Park) -> None:
    """Runs the devices of a city against a post, until cancelled."""

    def now_us() -> int:
        return time.time_ns() // 1_000

    doors = {name: HttpDoor(post.url, secret) for name, secret in post.secrets.items() if name not in post.tokens}
    life, board = Life(city, now_us(), DEMO), Switchboard()
    async with beside(HttpEnd(board.answer, body_bytes_max=BODY_BYTES_MAX), HOST, 0) as port:
        who = identities(post.url, post.secrets, post.tokens, f"http://{HOST}:{port}")
        board.connect(Lighting(park, life.lamps, who, seed=str(now_us())), now_us)
        streets = _streets(life, post, city.seed) if post.streets else None
        sites = _sites(life, post, now_us, streets) if post.sites else None
        async with asyncio.TaskGroup() as tasks:
            if streets is not None:
                tasks.create_task(_move(streets, board))
            if post.events_port:
                tasks.create_task(_tell(RoadEvents(city, now_us), post.events_port))
            if post.people:
                tasks.create_task(Residents(post.url, city.seed, spots_of(city), now_us).run())
                tasks.create_task(Work(post.url, post.people, city, now_us, life.crews).run())
                tasks.create_task(Permits(post.url, post.people, city, now_us).run())
            await run_metropolis(city, life, doors, now_us, board, sites)


def _streets(life: Life, post: Post, seed: int) -> Moving:
    """The town's traffic, which the junctions and detectors follow once it is there."""
    streets = Moving(Path(post.streets), seed, life.follow, life.unfollow)
    life.crossings.streets.ask = streets.ask
    return streets


async def _move(streets: Moving, board: Switchboard) -> None:
    """Has traffic when the devices have been heard."""
    while not board.is_up():  # noqa: ASYNC110 - nothing tells when
        await asyncio.sleep(1.0)
    await asyncio.sleep(TRAFFIC_AFTER_S)
    await streets.run()


async def _tell(events: RoadEvents, port: int) -> None:
    """Tells of the roads around. Where the port is taken meanwhile, the post finds its feed silent."""
    with suppress(AddressRefused):
        async with beside(HttpEnd(events.answer, body_bytes_max=0), HOST, port):
            await asyncio.Event().wait()


def _sites(life: Life, post: Post, now_us: Callable[[], int], streets: Moving | None) -> Sites:
    """The junctions as sites of their own."""
    stages = [life.crossings.stages_of(index) for index in range(len(post.sites))]
    return Sites(
        partial(life.order, Junction.kind), stages, post.sites, HOST, post.rsmp_port, now_us, streets, ZoneInfo(ZONE)
    )
