"""The device end as a process of its own: `python -m vigie.sim`.

It makes its city at once, hands it over if it is asked to, and waits for one JSON object on its input, which ends with
it (`Post`). Without one there is nothing to report to.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import sys
import time

import msgspec
import uvloop

from vigie.protocols.talq.limits import BODY_BYTES_MAX
from vigie.sim.city import City, grow
from vigie.sim.city.handing import hand_over
from vigie.sim.devices import run_metropolis
from vigie.sim.life import Life
from vigie.sim.life.columns import DEMO
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
    speak TALQ."""

    url: str
    secrets: dict[str, str]
    tokens: dict[str, str]


async def live(post: Post, city: City, park: Park) -> None:
    """Runs the devices of a city against a post, until cancelled."""

    def now_us() -> int:
        return time.time_ns() // 1_000

    doors = {name: HttpDoor(post.url, secret) for name, secret in post.secrets.items() if name not in post.tokens}
    life, board = Life(city, now_us(), DEMO), Switchboard()
    async with beside(HttpEnd(board.answer, body_bytes_max=BODY_BYTES_MAX), HOST, 0) as port:
        who = identities(post.url, post.secrets, post.tokens, f"http://{HOST}:{port}")
        board.connect(Lighting(park, life.lamps, who, seed=str(now_us())), now_us)
        await run_metropolis(city, life, doors, now_us, board)


def main() -> None:
    """Lives until it is stopped."""
    arguments = argparse.ArgumentParser(prog="python -m vigie.sim", description="Devices of a simulated metropolis.")
    arguments.add_argument("--seed", type=int, default=1, help="the same seed gives the same city")
    arguments.add_argument("--hand-to", type=int, metavar="FD", help="a pipe for the city, with all its scenery")
    asked = arguments.parse_args()
    growing = grow(asked.seed)
    city = next(growing) if asked.hand_to is None else hand_over(growing, asked.hand_to)
    park = Park.of(city)
    # A million small things that stay: the collector would go through all of them again and again.
    gc.freeze()
    said = sys.stdin.buffer.read()
    if said:
        post = msgspec.json.decode(said, type=Post)
        with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
            uvloop.run(live(post, city, park))


if __name__ == "__main__":
    main()
