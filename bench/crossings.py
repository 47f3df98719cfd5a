"""Signals where people walk: nine junctions with crossings, made by SUMO's own generator, adaptive beside actuated."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from random import Random

import sumo

from bench.harness import ASKED, Measured, measurement
from vigie.sim.traffic.evaluate import Summary, summary_of
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.outcome import Outcome
from vigie.sim.traffic.run import Asked, Run, run
from vigie.sim.traffic.scenario import read_scenario

WINDOW_S = 1_800
VEHICLES_H = {"normal": 2_400, "oversaturated": 7_200}
WALKERS_H = 600


def nine_junctions(folder: Path, vehicles: int, window_s: int, name: str = "town", seed: int = 7) -> Path:
    """The configuration of a town that is made in a folder: 3 x 3 junctions, turning lanes, pavements, crossings; so
    many vehicles set out evenly in the window, each from somewhere on the rim to somewhere else on it, as the seed has
    it."""
    arguments = (
        "--grid --grid.number 3 --grid.length 180 --grid.attach-length 200 -L 2 --turn-lanes 1 --turn-lanes.length 40 "
        "--default-junction-type traffic_light --default.sidewalk-width 2 --sidewalks.guess --crossings.guess "
        f"--no-turnarounds --seed 1 -o {name}.net.xml"
    )
    made = Path(sumo.SUMO_HOME) / "bin" / "netgenerate"
    subprocess.run([made, *arguments.split()], cwd=folder, check=True, capture_output=True)
    network = read_network(folder / f"{name}.net.xml")
    roads = sorted({lane.edge for lane in network.lanes.values() if not lane.edge.startswith(":")})
    # Roads of the generator's rim are named for the side that they come from.
    rim = ("left", "right", "top", "bottom")
    # What follows a point is a road's last piece, with its turning lane.
    coming = [road for road in roads if road.startswith(rim) and "." not in road]
    going = [road for road in roads if not road.startswith(rim) and any(side in road for side in rim)]
    assert len(coming) == len(going) == 12
    dice = Random(seed)
    trips: list[str] = []
    for number in range(vehicles):
        start, goal = dice.choice(coming), dice.choice(going)
        depart_s = number * window_s / vehicles
        trips.append(f'<trip id="{number}" depart="{depart_s:.1f}" from="{start}" to="{goal}" departLane="best"/>')
    (folder / f"{name}.rou.xml").write_text(f"<routes>{''.join(trips)}</routes>", "utf-8")
    config = folder / f"{name}.sumocfg"
    config.write_text(
        f'<configuration><input><net-file value="{name}.net.xml"/><route-files value="{name}.rou.xml"/></input>'
        f'<time><begin value="0"/><end value="{window_s}"/></time></configuration>',
        "utf-8",
    )
    return config


@measurement("signals.walkers")
def walkers() -> Measured:
    """What adaptive control costs drivers and walkers, against actuated control of the same kernel in whose programme
    the walkers have their place: of each seed the greatest of four shares, drivers and walkers, normal and
    oversaturated. The seed is that of who drives where, too. Told is what each came to."""
    shares = dict.fromkeys(ASKED.seeds, 0.0)
    told: list[str] = []
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as folder:
        for name, vehicles_h in VEHICLES_H.items():
            runs: dict[str, list[Run]] = {controller: [] for controller in ("plan", "actuated", "adaptive")}
            for seed in ASKED.seeds:
                config = nine_junctions(Path(folder), vehicles_h * WINDOW_S // 3_600, WINDOW_S, f"{name}-{seed}", seed)
                for controller, each in runs.items():
                    each.append(run(Asked(read_scenario(config), controller, pedestrians=WALKERS_H), seed))
                    told.append(f"{name}, {controller}, seed {seed}: {_said(each[-1].outcome)}")
                ours, theirs = (runs[controller][-1].outcome for controller in ("adaptive", "actuated"))
                driven = ours.mean_delay_s / theirs.mean_delay_s
                walked = (ours.ped_delay_s or 0.0) / (theirs.ped_delay_s or 1.0)
                shares[seed] = max(shares[seed], 100 * driven, 100 * walked)
            told += [f"{name}, {controller}: {_said(summary_of(each))}" for controller, each in runs.items()]
    size = (
        f"9 junctions with crossings, {WALKERS_H} walkers/h, {' and '.join(map(str, VEHICLES_H.values()))} vehicles/h; "
        f"seeds {', '.join(map(str, ASKED.seeds))}"
    )
    return Measured("signals.walkers", "%", list(shares.values()), 100, False, size, "1, SUMO in it", told=told)


def _said(found: Outcome | Summary) -> str:
    return (
        f"drivers {found.mean_delay_s} s (p95 wait {found.p95_wait_s}), walkers {found.ped_delay_s} s (stood "
        f"{found.ped_mean_wait_s}, p95 {found.ped_p95_wait_s}, longest at once {found.ped_max_wait_s}), person "
        f"{found.person_delay_s} s, never arrived {found.unfinished} and {found.walkers_left}, violations "
        f"{found.violations}"
    )
