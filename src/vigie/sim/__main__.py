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

from vigie.sim.city import grow
from vigie.sim.city.handing import hand_over


def main() -> None:
    """Lives until it is stopped."""
    arguments = argparse.ArgumentParser(prog="python -m vigie.sim", description="Devices of a simulated metropolis.")
    arguments.add_argument("--seed", type=int, default=1, help="the same seed gives the same city")
    arguments.add_argument("--hand-to", type=int, metavar="FD", help="a pipe for the city, with all its scenery")
    asked = arguments.parse_args()
    # What comes now stays: a million small things, that the collector would go through again and again.
    gc.disable()
    growing = grow(asked.seed)
    city = next(growing) if asked.hand_to is None else hand_over(growing, asked.hand_to)
    # Whoever waits for the city does not wait for what its devices need to speak.
    import msgspec
    import uvloop

    from vigie.sim.living import Post, live
    from vigie.sim.talq.park import Park

    park = Park.of(city)
    gc.freeze()
    gc.enable()
    said = sys.stdin.buffer.read()
    if said:
        post = msgspec.json.decode(said, type=Post)
        with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
            uvloop.run(live(post, city, park))


if __name__ == "__main__":
    main()
