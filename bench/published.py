"""Adaptive control as learning controllers were published: SUMO 1.9.2, the RESCO benchmark's rules and its formula.

That version of SUMO is no dependency of the project, and gives other figures for the same files. Unpacked anywhere, it
is named by its folder (`bin` and `tools` in it):

    pip download --no-deps eclipse-sumo==1.9.2 && unzip -q eclipse_sumo-1.9.2-*.whl -d sumo-1.9.2
    SUMO_1_9_2=sumo-1.9.2/sumo python -m bench.published cologne1.sumocfg --seeds 1-5

The rules (Ault and Sharon, Reinforcement Learning Benchmarks for Traffic Signal Control, 2021, and its code): a choice
each 10 s, yellow of 3 s, no all red, no longest red; an hour, and what was lost until then: timeLoss and departDelay of
who set out, and of who could not, the time since they were due. Beside it the same hour by our own rules: a choice
each second, all red of 2 s, no red over 120 s.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace as changed

from vigie.services.signals.completeness import Rules
from vigie.services.signals.control.adaptive import Adaptive
from vigie.services.signals.control.site import Site
from vigie.services.signals.junction import TIME_S_MAX, Colour, Junction, Second, Users
from vigie.services.signals.sequencer import Sequencer
from vigie.sim.traffic.letters import letters_of
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import Light, lights_of
from vigie.sim.traffic.outcome import mean
from vigie.sim.traffic.scenario import Scenario, read_scenario
from vigie.sim.traffic.xml import elements

CHOICE_S = 10
NO_LONGEST_RED = Rules(red_max_s=TIME_S_MAX, red_max_served_s=TIME_S_MAX)
RULES = ("own plan", "published", "ours")


def delay_s(scenario: Scenario, rules: str, seed: int, home: Path) -> float:
    """The mean over all who were due in the hour. rules: of RULES."""
    sumo = _sumo(home)
    lights = lights_of(read_network(scenario.network))
    if rules == "published":
        lights = tuple(_as_published(light) for light in lights)
    # Only now: it takes what is called libsumo when it is read.
    from vigie.sim.traffic.world import World

    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as folder:
        world = World(scenario, lights, Path(folder), seed=seed)
        world.arguments[0] = str(home / "bin" / "sumo")
        detectors = Path(folder) / "detectors.add.xml"
        detectors.write_text(detectors.read_text("utf-8").replace(" period=", " freq="), "utf-8")
        # That version does not know it: who never set out is told by the routes.
        at = world.arguments.index("--tripinfo-output.write-undeparted")
        del world.arguments[at : at + 2]
        with world:
            if rules == "own plan":
                for _ in range(scenario.begin_s, scenario.end_s):
                    sumo.simulationStep()
            else:
                _steer(world, lights, scenario, CHOICE_S if rules == "published" else 1)
        lost_s = {
            trip["id"]: float(trip["timeLoss"]) + float(trip["departDelay"])
            for trip in elements(world.trips, "tripinfo")
        }
    return mean([lost_s.get(name, scenario.end_s - due_s) for name, due_s in _due(scenario)])


def _sumo(home: Path) -> Any:
    """SUMO of that folder in the place of this version's, which is called alike."""
    os.environ["SUMO_HOME"] = str(home)
    sys.path.insert(0, str(home / "tools"))
    import traci

    sys.modules["libsumo"] = traci
    return traci


def _as_published(light: Light) -> Light:
    junction = light.site.junction
    groups = tuple(changed(each, red_max_s=TIME_S_MAX, red_max_served_s=TIME_S_MAX) for each in junction.groups)
    intergreens = tuple(
        tuple(gap if gap is None or group.users is Users.PEDESTRIANS else group.yellow_s for gap in row)
        for group, row in zip(groups, junction.intergreens, strict=True)
    )
    own: Junction = changed(junction, groups=groups, intergreens=intergreens)
    site: Site = changed(light.site, junction=own)
    return Light(site, light.signals, light.places)


def _steer(world: Any, lights: Sequence[Light], scenario: Scenario, every_s: int) -> None:
    reads = [world.counters(at, lambda name: not name.endswith(" upstream"), frozenset()) for at in range(len(lights))]
    sequencers = [Sequencer(light.site.junction, NO_LONGEST_RED) for light in lights]
    shown: list[Second] = [(Colour.RED,) * len(light.site.junction.groups) for light in lights]
    controller, wishes = Adaptive([light.site for light in lights]), list[frozenset[int]]()
    for now_s in range(scenario.begin_s, scenario.end_s):
        chosen = controller.decide(now_s, [read() for read in reads], shown)
        if (now_s - scenario.begin_s) % every_s == 0:
            wishes = chosen
        for at, (sequencer, wish) in enumerate(zip(sequencers, wishes, strict=True)):
            shown[at] = sequencer.step(wish)
            world.show(at, letters_of(lights[at], shown[at]))
        world.step()


def _due(scenario: Scenario) -> Iterator[tuple[str, float]]:
    """Who is due in the hour, and when."""
    for file in scenario.routes:
        for tag in ("vehicle", "trip"):
            for each in elements(file, tag):
                if scenario.begin_s <= float(each["depart"]) < scenario.end_s:
                    yield each["id"], float(each["depart"])


def main() -> None:
    """Prints a line for each rule, seeds in their order."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sumocfg", type=Path)
    parser.add_argument("--seeds", default="1-5")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    home = Path(os.environ.get("SUMO_1_9_2", ""))
    if not (home / "tools" / "traci").is_dir():
        parser.error("SUMO_1_9_2 names no folder of SUMO 1.9.2: see --help")
    if asked.one:
        rules, _, seed = asked.one.rpartition("/")
        print(delay_s(read_scenario(asked.sumocfg), rules, int(seed), home))
        return
    # It would take this project's SUMO, where one is to be run with that of then.
    from vigie.sim.traffic.evaluate import seeds_of

    for rules in RULES:
        found: list[float] = []
        for seed in seeds_of(asked.seeds):
            command = [sys.executable, "-m", "bench.published", str(asked.sumocfg), "--one", f"{rules}/{seed}"]
            said = subprocess.run(command, check=True, capture_output=True, text=True)
            found.append(float(said.stdout.split()[-1]))
        print(f"{asked.sumocfg.stem}, {rules}: {mean(found):.2f} s of {', '.join(f'{each:.2f}' for each in found)}")


if __name__ == "__main__":
    main()
