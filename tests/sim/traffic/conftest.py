"""A town of nine junctions with crossings, made by SUMO's own generator when it is asked for."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import pytest
import sumo

from vigie.sim.traffic.netfile import read_network

WINDOW_S = 240
VEHICLES = 160


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town's configuration: 3 x 3 junctions, turning lanes, crossings, 2,400 vehicles an hour for 4 minutes."""
    folder = tmp_path_factory.mktemp("town")
    arguments = (
        "--grid --grid.number 3 --grid.length 180 --grid.attach-length 200 -L 2 --turn-lanes 1 --turn-lanes.length 40 "
        "--default-junction-type traffic_light --default.sidewalk-width 2 --sidewalks.guess --crossings.guess "
        "--no-turnarounds --seed 1 -o town.net.xml"
    )
    made = Path(sumo.SUMO_HOME) / "bin" / "netgenerate"
    subprocess.run([made, *arguments.split()], cwd=folder, check=True, capture_output=True)
    network = read_network(folder / "town.net.xml")
    roads = sorted({lane.edge for lane in network.lanes.values() if not lane.edge.startswith(":")})
    # Roads of the generator's rim are named for the side that they come from.
    rim = ("left", "right", "top", "bottom")
    # What follows a point is a road's last piece, with its turning lane.
    coming = [road for road in roads if road.startswith(rim) and "." not in road]
    going = [road for road in roads if not road.startswith(rim) and any(side in road for side in rim)]
    assert len(coming) == len(going) == 12
    dice = Random(7)
    trips: list[str] = []
    for number in range(VEHICLES):
        start, goal = dice.choice(coming), dice.choice(going)
        depart_s = number * WINDOW_S / VEHICLES
        trips.append(f'<trip id="{number}" depart="{depart_s:.1f}" from="{start}" to="{goal}" departLane="best"/>')
    (folder / "town.rou.xml").write_text(f"<routes>{''.join(trips)}</routes>", "utf-8")
    config = folder / "town.sumocfg"
    config.write_text(
        '<configuration><input><net-file value="town.net.xml"/><route-files value="town.rou.xml"/></input>'
        f'<time><begin value="0"/><end value="{WINDOW_S}"/></time></configuration>',
        "utf-8",
    )
    return config
