"""The device end as a process of its own: `python -m vigie.sim`.

It makes its city at once, and waits for one JSON object on its input, which ends with it: the post's `url`, and the
`secrets` of its gateways by their names. Without one there is nothing to report to.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping

import msgspec

from vigie.sim.city import City, generate
from vigie.sim.devices import run_metropolis
from vigie.sim.life import Life
from vigie.transports.device_http import HttpDoor


class Post(msgspec.Struct):
    """Where to report, and as whom."""

    url: str
    secrets: dict[str, str]


async def live(url: str, secrets: Mapping[str, str], city: City) -> None:
    """Runs the devices of a city against a post, until cancelled."""

    def now_us() -> int:
        return time.time_ns() // 1_000

    doors = {name: HttpDoor(url, secret) for name, secret in secrets.items()}
    await run_metropolis(city, Life(city, now_us()), doors, now_us)


def main() -> None:
    """Lives until it is stopped."""
    arguments = argparse.ArgumentParser(prog="python -m vigie.sim", description="Devices of a simulated metropolis.")
    arguments.add_argument("--seed", type=int, default=1, help="the same seed gives the same city")
    city = generate(arguments.parse_args().seed, scenery=False)
    said = sys.stdin.buffer.read()
    if said:
        post = msgspec.json.decode(said, type=Post)
        with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
            asyncio.run(live(post.url, post.secrets, city))


if __name__ == "__main__":
    main()
