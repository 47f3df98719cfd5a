"""The devices of a city, alive against a post that runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import msgspec

from vigie.protocols.talq.limits import BODY_BYTES_MAX
from vigie.services.signals import Junction
from vigie.sim.city import City
from vigie.sim.devices import run_metropolis
from vigie.sim.life import Life
from vigie.sim.life.columns import DEMO
from vigie.sim.rsmp.sites import Sites
from vigie.sim.talq.lighting import Lighting
from vigie.sim.talq.park import Park
from vigie.sim.talq.switchboard import Switchboard, identities
from vigie.transports.device_http import HttpDoor
from vigie.transports.http import beside
from vigie.transports.http_end import HttpEnd

HOST = "127.0.0.1"
"""Where the gateways of lamps and cabinets are asked: the post of a demo is on the same machine."""


class Post(msgspec.Struct):
    """Where to report, and as whom: `secrets` of gateways by their names. tokens: what the post shows to those that
    speak TALQ. sites: the security codes of the junctions, by their site ids and in their order; none where they have
    plain gateways. rsmp_port: where the sites connect, on this machine."""

    url: str
    secrets: dict[str, str]
    tokens: dict[str, str]
    sites: dict[str, tuple[str, str]] = {}
    rsmp_port: int = 0


async def live(post: Post, city: City, park: Park) -> None:
    """Runs the devices of a city against a post, until cancelled."""

    def now_us() -> int:
        return time.time_ns() // 1_000

    doors = {name: HttpDoor(post.url, secret) for name, secret in post.secrets.items() if name not in post.tokens}
    life, board = Life(city, now_us(), DEMO), Switchboard()
    async with beside(HttpEnd(board.answer, body_bytes_max=BODY_BYTES_MAX), HOST, 0) as port:
        who = identities(post.url, post.secrets, post.tokens, f"http://{HOST}:{port}")
        board.connect(Lighting(park, life.lamps, who, seed=str(now_us())), now_us)
        sites = _sites(life, post, now_us) if post.sites else None
        await run_metropolis(city, life, doors, now_us, board, sites)


def _sites(life: Life, post: Post, now_us: Callable[[], int]) -> Sites:
    """The junctions as sites of their own."""
    stages = [life.crossings.stages_of(index) for index in range(len(post.sites))]
    return Sites(partial(life.order, Junction.kind), stages, post.sites, HOST, post.rsmp_port, now_us)
