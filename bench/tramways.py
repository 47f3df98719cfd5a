"""Signals that trams cross: a street with a tramway in its middle and four junctions, made by SUMO's own tools."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import sumo

from bench.harness import ASKED, Measured, measurement
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.outcome import Outcome
from vigie.sim.traffic.run import Asked, run
from vigie.sim.traffic.scenario import read_scenario

WINDOW_S = 1_800
VEHICLES_H = {"normal": 1_400, "full": 2_400}

JUNCTIONS = 4
BLOCK_M, SIDE_M = 400, 300
STREET = ("w", *(f"j{at}" for at in range(JUNCTIONS)), "e")
SIDES = tuple(f"{side}{at}" for at in range(JUNCTIONS) for side in "ns")
TRACK = 2
"""The lane that is the tramway's; beside it one for those who turn left, and one for all others."""

TRAMS_EVERY_S = 300
TRAM = 'id="tram" vClass="tram" length="32" maxSpeed="13.9" accel="1.1" decel="1.2" speedDev="0.05" minGap="3"'
GREEN_S = (35, 12, 28)
"""Of the junctions' own plan: the street and its trams, who turns left from it, the side streets."""

STOP_M = (30, 70)
"""From where to where a stop is, behind each junction."""

DWELL_S = (18.0, 6.0)
"""How long a tram stands at a stop, and give or take how much; 8 s at the least."""


@measurement("signals.tram_stopped")
def tram_stopped() -> Measured:
    """How often trams have to stop at signals under adaptive control that hears their points; each seed's worse of two
    demands. The seed is that of who drives where, too. Told is what it costs all others."""
    worst = dict.fromkeys(ASKED.seeds, 0.0)
    told: list[str] = []
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as folder:
        for name, vehicles_h in VEHICLES_H.items():
            for seed in ASKED.seeds:
                config = tramway(Path(folder), vehicles_h * WINDOW_S // 3_600, WINDOW_S, f"{name}-{seed}", seed)
                asked = Asked(read_scenario(config), "adaptive")
                without, heard = (run(replace(asked, priority=each), seed).outcome for each in (False, True))
                actuated = run(replace(asked, controller="actuated"), seed).outcome
                worst[seed] = max(worst[seed], 100 * (heard.tram_stopped or 0.0))
                for who, each in (("actuated", actuated), ("not heard", without), ("heard", heard)):
                    told.append(f"{name}, seed {seed}, {who}: {_said(each)}")
    size = (
        f"a street of {JUNCTIONS} junctions, a tram each way every {TRAMS_EVERY_S // 60} minutes, "
        f"{' and '.join(map(str, VEHICLES_H.values()))} vehicles/h; seeds {', '.join(map(str, ASKED.seeds))}"
    )
    return Measured("signals.tram_stopped", "%", list(worst.values()), 5, False, size, "1, SUMO in it", told=told)


def _said(found: Outcome) -> str:
    return (
        f"trams {found.tram_delay_s} s, stopped {found.tram_stopped or 0.0:.1%}; all others {found.others_delay_s} s, "
        f"longest wait {found.max_wait_s} s; left {found.unfinished}, violations {found.violations}"
    )


def tramway(folder: Path, vehicles: int, window_s: int, name: str = "tramway", seed: int = 7) -> Path:
    """The configuration of such a street, made in a folder. So many vehicles set out evenly in the window, each from
    somewhere on the rim to somewhere else on it, and a tram each way every five minutes, not quite to the second; as
    the seed has it."""
    (folder / f"{name}.nod.xml").write_text(_file("nodes", _nodes()), "utf-8")
    (folder / f"{name}.edg.xml").write_text(_file("edges", _edges()), "utf-8")
    (folder / f"{name}.con.xml").write_text(_file("connections", _ways()), "utf-8")
    files = f"-n {name}.nod.xml -e {name}.edg.xml -x {name}.con.xml -o {name}.net.xml --no-turnarounds"
    _make(folder, files)
    (folder / f"{name}.tll.xml").write_text(_file("tlLogics", _programmes(folder / f"{name}.net.xml")), "utf-8")
    _make(folder, f"{files} -i {name}.tll.xml")
    dice = Random(seed)
    setting_out = sorted([*_drivers(vehicles, window_s, dice), *_trams(window_s, dice)])
    (folder / f"{name}.rou.xml").write_text(
        _file("routes", [f"<vType {TRAM}/>", *(text for _, text in setting_out)]), "utf-8"
    )
    (folder / f"{name}.add.xml").write_text(_file("additional", _stops()), "utf-8")
    config = folder / f"{name}.sumocfg"
    read = (("net-file", "net"), ("route-files", "rou"), ("additional-files", "add"))
    files = "".join(f'<{what} value="{name}.{kind}.xml"/>' for what, kind in read)
    config.write_text(
        f"<configuration><input>{files}</input>"
        f'<time><begin value="0"/><end value="{window_s}"/></time></configuration>',
        "utf-8",
    )
    return config


def _make(folder: Path, arguments: str) -> None:
    made = Path(sumo.SUMO_HOME) / "bin" / "netconvert"
    subprocess.run([made, *arguments.split()], cwd=folder, check=True, capture_output=True)


def _programmes(network: Path) -> Iterator[str]:
    """Each junction: the street and its trams; who turns left from it, since that is across the tracks; the side
    streets, whose left turns give way."""
    ways = [each for each in read_network(network).connections if each.light is not None]
    for light in STREET[1:-1]:
        mine = sorted((each for each in ways if each.light == light), key=lambda each: each.link)
        of_street = [each.lane.rpartition("_")[0] in {*_line(1), *_line(-1)} for each in mine]
        greens = [
            "".join("G" if own and each.bend != "l" else "r" for own, each in zip(of_street, mine, strict=True)),
            "".join("G" if own and each.bend == "l" else "r" for own, each in zip(of_street, mine, strict=True)),
            "".join(
                "r" if own else "g" if each.bend == "l" else "G" for own, each in zip(of_street, mine, strict=True)
            ),
        ]
        phases = ""
        for seconds, letters in zip(GREEN_S, greens, strict=True):
            yellow = letters.replace("G", "y").replace("g", "y")
            phases += f'<phase duration="{seconds}" state="{letters}"/><phase duration="3" state="{yellow}"/>'
            phases += f'<phase duration="2" state="{"r" * len(letters)}"/>'
        yield f'<tlLogic id="{light}" type="static" programID="0" offset="0">{phases}</tlLogic>'


def _file(word: str, lines: Iterator[str] | list[str]) -> str:
    return f"<{word}>{''.join(lines)}</{word}>"


def _nodes() -> Iterator[str]:
    for at, name in enumerate(STREET):
        light = ' type="traffic_light"' if name.startswith("j") else ""
        yield f'<node id="{name}" x="{BLOCK_M * at}" y="0"{light}/>'
    for name in SIDES:
        yield f'<node id="{name}" x="{BLOCK_M * (int(name[1]) + 1)}" y="{SIDE_M if name[0] == "n" else -SIDE_M}"/>'


def _edges() -> Iterator[str]:
    lanes = "".join(f'<lane index="{at}" disallow="tram"/>' for at in range(TRACK))
    for one, other in (*pairwise(STREET), *pairwise(STREET[::-1])):
        yield _edge(one, other, TRACK + 1, f'{lanes}<lane index="{TRACK}" allow="tram"/>')
    for side in SIDES:
        yield _edge(side, f"j{side[1]}", TRACK, lanes)
        yield _edge(f"j{side[1]}", side, 1, lanes[: len(lanes) // TRACK])


def _edge(one: str, other: str, lanes: int, who: str) -> str:
    return f'<edge id="{one}-{other}" from="{one}" to="{other}" numLanes="{lanes}" speed="13.9">{who}</edge>'


def _ways() -> Iterator[str]:
    """Where those on the street go: right and straight on by the first lane, left by the second, the trams straight on
    by their own; from the side streets all as netconvert has it."""
    for way, right, left in ((1, "s", "n"), (-1, "n", "s")):
        for road, onward in pairwise(_line(way)):
            light = road.rpartition("-")[2]
            lanes = ((0, onward, 0), (0, f"{light}-{right}{light[1]}", 0), (1, f"{light}-{left}{light[1]}", 0))
            for lane, to, into in (*lanes, (TRACK, onward, TRACK)):
                yield f'<connection from="{road}" to="{to}" fromLane="{lane}" toLane="{into}"/>'


def _line(way: int) -> list[str]:
    """The roads of the tramway, from the west (1) or from the east (-1)."""
    return [f"{one}-{other}" for one, other in pairwise(STREET[::way])]


def _stops() -> Iterator[str]:
    start_m, end_m = STOP_M
    for road in (*_line(1)[1:], *_line(-1)[1:]):
        yield f'<busStop id="{road}.stop" lane="{road}_{TRACK}" startPos="{start_m}" endPos="{end_m}"/>'


def _trams(window_s: int, dice: Random) -> Iterator[tuple[float, str]]:
    for way in (1, -1):
        roads = _line(way)
        for number in range(window_s // TRAMS_EVERY_S):
            depart_s = number * TRAMS_EVERY_S + dice.uniform(0, TRAMS_EVERY_S / 2)
            halts = "".join(
                f'<stop busStop="{road}.stop" duration="{max(8.0, dice.gauss(*DWELL_S)):.0f}"/>' for road in roads[1:]
            )
            yield (
                depart_s,
                f'<vehicle id="tram{way}.{number}" type="tram" depart="{depart_s:.1f}" departSpeed="max">'
                f'<route edges="{" ".join(roads)}"/>{halts}</vehicle>',
            )


def _drivers(vehicles: int, window_s: int, dice: Random) -> Iterator[tuple[float, str]]:
    inner = {"w": STREET[1], "e": STREET[-2]} | {side: f"j{side[1]}" for side in SIDES}
    for number in range(vehicles):
        start, goal = dice.sample(sorted(inner), 2)
        depart_s = number * window_s / vehicles
        yield (
            depart_s,
            f'<trip id="{number}" depart="{depart_s:.1f}" from="{start}-{inner[start]}" to="{inner[goal]}-{goal}" '
            'departLane="best"/>',
        )
