"""A day of the whole city on a virtual clock: how long it takes when the engine and the stores are the real ones."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness import RUNS, Measured, measurement
from vigie.app import services
from vigie.core.times import DAY_US, HOUR_US, to_us
from vigie.engine.acts import Acts
from vigie.engine.loop import Engine
from vigie.engine.selection import Selection
from vigie.sim.city import generate
from vigie.sim.city.facts import METROPOLE
from vigie.sim.day import Act, Day, Setting, settle_in
from vigie.sim.life.columns import DAY
from vigie.sim.links import ROUGH

DAYS = int(os.environ.get("VIGIE_BENCH_DAYS", str(RUNS)))
"""How many days are run; less than five is told by the number of runs in the figure."""
MIDNIGHT_US = to_us(datetime.fromisoformat("2026-11-24T00:00:00+01:00"))


def dim(hour: int, level: float) -> Act:
    """All lamps of the metropole are dimmed at an hour of the day."""

    def do(acts: Acts, engine: Engine) -> None:
        everything = np.ones(engine.registry.count, np.bool_)
        order = acts.understood("luminaire.dim", {"level": level}, Selection(area=METROPOLE), everything)
        acts.order(order, actor="u-operator")

    return Act(MIDNIGHT_US + hour * HOUR_US, do)


def live(folder: Path) -> dict[str, Any]:
    """Runs the day in an empty folder. Only the day itself is timed: the city and its installation are there before."""
    city = generate(1, scenery=False)
    settle_in(folder, services(), city, at_us=MIDNIGHT_US)
    setting = Setting(MIDNIGHT_US, 7, DAY, ROUGH, script=[dim(2, 50.0), dim(18, 90.0)])
    with Day(folder, services(), city, setting) as day:
        start, start_cpu = time.perf_counter(), time.process_time()
        day.run(MIDNIGHT_US + DAY_US)
        took_s, cpu_s = time.perf_counter() - start, time.process_time() - start_cpu
        # Before the digest, which is no part of a day.
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        digest = day.digest()
    disk_mb = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    return {
        "took_s": took_s, "cpu_s": cpu_s, "peak_mb": peak_mb, "disk_mb": disk_mb, "commits": day.tally.commits,
        "readings": digest.readings_count, "facts": digest.facts_count, "digest": str(digest),
    }  # fmt: skip


def in_a_process() -> dict[str, Any]:
    """A day in a new process, so that none begins in the memory of the one before."""
    with tempfile.TemporaryDirectory(prefix="vigie-bench-", dir=os.environ.get("VIGIE_BENCH_FOLDER")) as folder:
        done = subprocess.run([sys.executable, "-m", "bench.sim", folder], stdout=subprocess.PIPE, check=True, cwd=ROOT)
    return json.loads(done.stdout)


ROOT = Path(__file__).resolve().parents[1]


@measurement("sim.day")
def sim_day() -> Measured:
    """24 hours of the whole city on rough links, in commits of 15 simulated seconds. Raises RuntimeError if two of the
    days differ."""
    days = [in_a_process() for _ in range(DAYS)]
    if len({day["digest"] for day in days}) > 1:
        raise RuntimeError("days of one seed differ")
    first = days[0]
    size = (
        f"24 h: {first['readings']:,} readings of 34,000 lamps x 7 points, vehicles at 10 s and all else, "
        f"{first['facts']:,} facts, {first['commits']:,} synced commits, {first['disk_mb']:,.0f} MB on disk; "
        f"CPU {', '.join(format(day['cpu_s'], ',.0f') for day in days)} s, "
        f"memory at most {max(day['peak_mb'] for day in days):,.0f} MB"
    )
    took = [day["took_s"] for day in days]
    return Measured("sim.day", "s", took, 240, False, size, "1, devices and post in it")


if __name__ == "__main__":
    print(json.dumps(live(Path(sys.argv[1]))))
