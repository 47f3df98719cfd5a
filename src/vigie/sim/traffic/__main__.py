"""The town's traffic as a process of its own: `python -m vigie.sim.traffic --folder F --seed N`.

It makes the town where the folder has none, lets traffic come in as fast as it can, and then keeps to the clock: each
second a `Frame` on its output. What is asked of junctions comes in on its input, which ends with whoever started it. It
gives way to all others on the machine: where there is too little of it, traffic falls behind, and lets go of the time.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

import msgspec

from vigie.sim.city import generate
from vigie.sim.traffic.driving import Driving
from vigie.sim.traffic.moving import HEAD_BYTES, NO_TOWN, framed
from vigie.sim.traffic.shown import Asked
from vigie.sim.traffic.town import Town, TownFailed, make_town, town_in
from vigie.sim.traffic.world import SumoFailed, World

NICE = 10
WARM_S = 600
"""So much of the traffic before now is driven first: streets that have just been made are empty."""

DEAD = 0.01
"""The share of loops that are dead, as some are in any town."""

LATE_S_MAX = 2.0
"""Who is further behind than this lets go of the time."""


def main() -> int:
    """Drives until its input ends. Its errors, for whoever looks, on standard error."""
    arguments = argparse.ArgumentParser(prog="python -m vigie.sim.traffic", description="Traffic of a simulated town.")
    arguments.add_argument("--folder", type=Path, required=True, help="where the town is made, or kept from before")
    arguments.add_argument("--seed", type=int, default=1, help="the same seed gives the same town")
    asked = arguments.parse_args()
    os.nice(NICE)
    # What SUMO may print must not come between the frames.
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        town = town_in(asked.folder, asked.seed)
        if town is None:
            make_town(generate(asked.seed, scenery=False), asked.folder)
            town = town_in(asked.folder, asked.seed)
        assert town is not None, "what was just made is there"
        with tempfile.TemporaryDirectory(prefix="vigie-traffic-") as name:
            _drive(town, asked.seed, Path(name), said)
    except (TownFailed, SumoFailed, OSError) as error:
        print(f"the town's traffic has ended: {error}", file=sys.stderr)  # noqa: T201 - a person looks here
        return NO_TOWN if isinstance(error, TownFailed) else 1
    return 0


def _drive(town: Town, seed: int, folder: Path, said: BinaryIO) -> None:
    """Keeps to the clock until the input ends."""
    heard: SimpleQueue[Asked | None] = SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, heard), daemon=True).start()
    began_s = now_s = int(time.time()) - WARM_S
    warm = False
    with World(town.scenario, town.lights, folder, seed=seed, endless=True) as world:
        driving = Driving(town, world, seed, now_s, DEAD)
        while True:
            now_s += 1
            late_s = time.time() - now_s
            # Where there is too little of the machine, it never catches up, and is as warm as it will be.
            warm = warm or late_s < 0 or now_s - began_s > 2 * WARM_S
            if late_s < 0:
                time.sleep(-late_s)
            elif warm and late_s > LATE_S_MAX:
                now_s += int(late_s)
            while not heard.empty():
                asked = heard.get()
                if asked is None:
                    return
                driving.ask(asked, now_s)
            frame = driving.second(now_s)
            if warm:
                said.write(framed(frame))
                said.flush()


def _listen(pipe: BinaryIO, heard: SimpleQueue[Asked | None]) -> None:
    """Puts what is asked where it is looked for, and None at the end."""
    decoder = msgspec.msgpack.Decoder(Asked)
    try:
        while head := pipe.read(HEAD_BYTES):
            heard.put(decoder.decode(pipe.read(int.from_bytes(head, "big"))))
    finally:
        heard.put(None)


if __name__ == "__main__":
    sys.exit(main())
