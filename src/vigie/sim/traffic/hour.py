"""An hour of the town's traffic as a scenario that ends: who would set out in it, written down, so that control of the
town can be measured as that of any other network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import merge
from math import ceil
from pathlib import Path
from xml.sax.saxutils import quoteattr

from vigie.core.times import SECOND_US
from vigie.services.signals.control.site import Plan
from vigie.sim.life.crossings import planned
from vigie.sim.life.sky import local_hour, traffic
from vigie.sim.life.timetable import served_now
from vigie.sim.traffic.driving import Drawn
from vigie.sim.traffic.lines import Leg
from vigie.sim.traffic.scenario import Scenario, read_scenario
from vigie.sim.traffic.town import BUS, CAR, WALKERS_H, Town, network_file
from vigie.sim.traffic.walks import HOUR_S

LEAST_STOP_S = 10
"""How long a bus stands at a stop at least."""


def hour_of(town: Town, folder: Path, begins_s: int, seed: int) -> Scenario:
    """Writes an hour down in the town's folder. begins_s: when it begins, by the clock. The vehicles are those of the
    seed, and the buses those that begin a leg in it."""
    name = f"hour-{begins_s}-{seed}"
    setting_out = merge(_cars(town, begins_s, seed), sorted(_buses(town, begins_s)), key=lambda each: each[0])
    (folder / f"{name}.rou.xml").write_text(
        "\n".join(["<routes>", *(text for _, text in setting_out), "</routes>", ""]), "utf-8"
    )
    config = folder / f"{name}.sumocfg"
    config.write_text(
        f'<configuration><input><net-file value="{network_file(folder).name}"/>'
        f'<route-files value="{town.scenario.routes[0].name},{name}.rou.xml"/></input>'
        f'<time><begin value="0"/><end value="{HOUR_S}"/></time></configuration>',
        "utf-8",
    )
    return read_scenario(config)


def plans_of(town: Town, begins_s: int) -> Mapping[str, Plan]:
    """The plan that each junction has by the calendar at that time, by its name."""
    number = planned(local_hour(begins_s * SECOND_US))
    return {light.name: plans[number] for light, plans in zip(town.lights, town.plans, strict=True)}


def walkers_h(begins_s: int) -> int:
    """How many walk in that hour, as its middle has it."""
    return round(WALKERS_H * traffic((begins_s + HOUR_S // 2) * SECOND_US))


def _cars(town: Town, begins_s: int, seed: int) -> Iterator[tuple[float, str]]:
    drawn = Drawn(town, seed, begins_s)
    for at_s in range(HOUR_S):
        for number, route in enumerate(drawn.set_out(begins_s + at_s)):
            yield (
                at_s,
                f'<vehicle id="{at_s}.{number}" type="{CAR}" route="{route}" depart="{at_s}" departLane="best"'
                ' departSpeed="max"/>',
            )


def _buses(town: Town, begins_s: int) -> Iterator[tuple[float, str]]:
    begins, ends = served_now(begins_s), served_now(begins_s + HOUR_S)
    for bus in town.service.buses:
        line = town.service.lines[bus.line]
        for way, leg in enumerate(line.legs):
            turn = ceil((begins + bus.offset_s - leg.begins_s) / line.round_s)
            while (sets_out_s := turn * line.round_s - bus.offset_s + leg.begins_s) < ends:
                yield from _leg(f"{BUS}.{bus.number}.{turn}.{way}", leg, sets_out_s - begins)
                turn += 1


def _leg(name: str, leg: Leg, from_s: float) -> Iterator[tuple[float, str]]:
    """A leg in its parts, each of which sets out when it is due."""
    at_s = from_s
    for number, part in enumerate(leg.parts):
        halts = "".join(
            f'<stop lane={quoteattr(halt.lane)} endPos="{halt.at_m}" duration="{LEAST_STOP_S}"'
            f' until="{from_s + halt.due_s - leg.begins_s:.0f}" parking="true"/>'
            for halt in part.halts
        )
        yield (
            at_s,
            f'<vehicle id="{name}.{number}" type="{BUS}" depart="{at_s:.0f}" departLane="best" departSpeed="max">'
            f"<route edges={quoteattr(' '.join(part.edges))}/>{halts}</vehicle>",
        )
        at_s = from_s + (part.halts[-1].due_s if part.halts else leg.begins_s) - leg.begins_s
