"""The demo's own town judged: an hour of its traffic under its plans, actuated, and as its post steers it."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from bench.harness import ASKED, Measured, measurement
from vigie.sim.city import generate
from vigie.sim.traffic.hour import hour_of, plans_of, walkers_h
from vigie.sim.traffic.run import Actuation, Asked, run
from vigie.sim.traffic.town import make_town, town_in

HOURS = (8, 12)
"""Those that are driven: the morning's greatest, and noon, of a Tuesday in November."""

CITY = 1
DELAY_S = 2
"""From a second on the street to the stage that was asked for by it, at the demo: RSMP, a step of the post, RSMP."""


@measurement("signals.demo_hour")
def demo_hour() -> Measured:
    """What adaptive control by inputs leaves of the delay that the better of the demo's plans and actuated control
    has, in the worse of two hours of its town. Nobody is lifted out of a jam. Told is what each came to, and how many
    were left."""
    shares = dict.fromkeys(ASKED.seeds, 0.0)
    told: list[str] = []
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as name:
        make_town(generate(CITY, scenery=False), Path(name))
        town = town_in(Path(name), CITY)
        assert town is not None, "it was just made"
        for hour in HOURS:
            begins_s = int(datetime(2026, 11, 24, hour, tzinfo=ZoneInfo("Europe/Paris")).timestamp())
            for seed in ASKED.seeds:
                scenario = hour_of(town, Path(name), begins_s, seed)
                delays: dict[str, float] = {}
                for controller in ("plan", "actuated", "adaptive"):
                    asked = Asked(
                        scenario, controller, pedestrians=walkers_h(begins_s), plans=plans_of(town, begins_s)
                    )  # fmt: skip
                    if controller == "adaptive":
                        asked = replace(asked, delay_s=DELAY_S, actuation=Actuation.INPUTS)
                    found = run(asked, seed).outcome
                    delays[controller] = found.mean_delay_s
                    told.append(msgspec.json.encode(found).decode())
                share = 100 * delays["adaptive"] / min(delays["plan"], delays["actuated"])
                shares[seed] = max(shares[seed], share)
    size = f"the demo's town, 113 junctions, an hour from {' and '.join(map(str, HOURS))} h, with its buses and walkers"
    return Measured("signals.demo_hour", "%", list(shares.values()), 100, False, size, "1, SUMO in it", told=told)
