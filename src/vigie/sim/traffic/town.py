"""The city as a town of SUMO's: its roads become a network, with the crossings of walkers at signals, and who drives
there its routes. Made once for a seed, and kept in a folder.

A light is named as its junction is: the network can be taken in by a post as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import msgspec

from vigie.core.arrays import ints, pairs
from vigie.services.signals import Junction
from vigie.services.signals.control.site import Plan, Site
from vigie.services.signals.design.fixed import plan_of
from vigie.sim.city.city import City
from vigie.sim.city.frame import dice
from vigie.sim.city.inventory import ids
from vigie.sim.city.network import PATH
from vigie.sim.life.crossings import CYCLE_S
from vigie.sim.traffic.demand import PEAK_H, Demand, demand_of
from vigie.sim.traffic.lines import BUS_M, Service, service_of
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import Light, lights_of
from vigie.sim.traffic.roads import Roads, roads_of
from vigie.sim.traffic.scenario import Scenario, read_scenario
from vigie.sim.traffic.sumotools import ToolFailed, call
from vigie.sim.traffic.walks import HOUR_S, Walk, walks_of

MADE = "town-7"
"""Raised with each change of what is made: what was kept from before is made anew."""

MAKE_S_MAX = 300
SIDEWALK_M = 2.0
COUNT_S = 60
"""Detectors of the city count for so long."""

MORNING_PLAN, EVENING_PLAN = 5, 6
CAR, BUS, WALKER = "car", "bus", "walker"
WALKERS_H = 600
"""So many walk over crossings with signals in the hour of the greatest traffic."""

WALKS = 900
"""So many ways on foot there are, one as likely as any other."""

_NAME = "town"


class TownFailed(RuntimeError):
    """The town could not be made. The text says why, in the words of SUMO's own programs."""


class _Kept(msgspec.Struct, frozen=True):
    """What is kept beside SUMO's own files, in the order of the network's lights and of its routes."""

    made: str
    junctions: tuple[int, ...]
    plans: tuple[dict[int, Plan], ...]
    rates_h: tuple[float, ...]
    inward: tuple[float, ...]
    counters: dict[int, tuple[str, ...]]
    service: Service
    walks: tuple[Walk, ...]


@dataclass(frozen=True, slots=True)
class Town:
    """A town, ready to be driven through.

    lights: those of the network. junctions: the number in the city of each. plans: of each, by number. rates_h,
    inward: of each route; see `demand.Route`. counters: the loops of each detector of the city, by its number. service:
    the buses that drive on its roads. walks: where one walks.
    """

    scenario: Scenario
    lights: tuple[Light, ...]
    junctions: tuple[int, ...]
    plans: tuple[Mapping[int, Plan], ...]
    rates_h: tuple[float, ...]
    inward: tuple[float, ...]
    counters: Mapping[int, tuple[str, ...]]
    service: Service
    walks: tuple[Walk, ...]


def network_file(folder: Path) -> Path:
    """The network of the town that is kept in a folder. It comes into being with all the rest there."""
    return folder / f"{_NAME}.net.xml"


def town_in(folder: Path, seed: int) -> Town | None:
    """The town that is kept in a folder; None where there is none of this seed, or one made otherwise than today."""
    try:
        kept = msgspec.json.decode((folder / f"{_NAME}.json").read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError):
        return None
    if kept.made != _made(seed):
        return None
    lights = lights_of(read_network(network_file(folder)))
    scenario = read_scenario(folder / f"{_NAME}.sumocfg")
    return Town(
        scenario, lights, kept.junctions, kept.plans, kept.rates_h, kept.inward, kept.counters, kept.service, kept.walks
    )


def _made(seed: int) -> str:
    return f"{MADE} of seed {seed}"


def make_town(city: City, folder: Path, junctions: Iterable[int] | None = None, peak_h: float = PEAK_H) -> None:
    """Makes the town of a city in a folder. junctions: of a part of it alone, see `roads_of`. peak_h: vehicles that set
    out in the hour of the greatest traffic. Raises TownFailed, and OSError where the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    # One of before goes first: whoever looks for the network finds none that does not go with what drives.
    network_file(folder).unlink(missing_ok=True)
    (folder / f"{_NAME}.json").unlink(missing_ok=True)
    roads = roads_of(city, junctions)
    demand = demand_of(roads, city.seed, peak_h)
    names = ids(Junction.kind, len(city.signals.node))
    lit = {node: names[number] for node, number in roads.lights.items()}
    _write(folder, "nod.xml", "nodes", _nodes(roads, lit))
    _write(folder, "edg.xml", "edges", _edges(roads, lit))
    _write(folder, "con.xml", "connections", _crossings(roads, lit))
    made = folder / f"{_NAME}.made.xml"
    _netconvert(folder, made)
    network = read_network(made)
    lights = lights_of(network)
    first_lane = _sidewalks(roads)
    counters = {
        detector: tuple(f"counter {detector}/{lane}" for lane in range(_piece_lanes(roads, counter.piece)))
        for detector, counter in roads.counters.items()
    }
    _write(folder, "add.xml", "additional", _loops(roads, counters, first_lane))
    _write(folder, "rou.xml", "routes", _routes(roads, demand))
    (folder / f"{_NAME}.sumocfg").write_text(
        f'<configuration><input><net-file value="{_NAME}.net.xml"/><route-files value="{_NAME}.rou.xml"/>'
        f'<additional-files value="{_NAME}.add.xml"/></input>'
        '<time><begin value="0"/><end value="1000000000"/></time></configuration>',
        "utf-8",
    )
    numbers = {name: number for number, name in enumerate(names)}
    kept = _Kept(
        _made(city.seed),
        tuple(numbers[light.name] for light in lights),
        _plans(roads, demand, lights, city.seed),
        tuple(route.peak_h for route in demand.routes),
        tuple(route.inward for route in demand.routes),
        counters,
        service_of(city, roads, network, first_lane),
        tuple(walks_of(network, WALKS, 0, HOUR_S, city.seed)),
    )
    # The network last but one: where it is, all that it needs is.
    (folder / f"{_NAME}.json").write_bytes(msgspec.json.encode(kept))
    made.replace(network_file(folder))


def _write(folder: Path, end: str, what: str, lines: Iterable[str]) -> None:
    text = "\n".join([f"<{what}>", *lines, f"</{what}>", ""])
    (folder / f"{_NAME}.{end}").write_text(text, "utf-8")


def _netconvert(folder: Path, made: Path) -> None:
    """Has SUMO's own program make the network. Yellow and all red are as `lights_of` reads them."""
    arguments = [
        "--node-files", f"{_NAME}.nod.xml", "--edge-files", f"{_NAME}.edg.xml",
        "--connection-files", f"{_NAME}.con.xml", "--output-file", made.name, "--no-turnarounds", "true",
        "--offset.disable-normalization", "true", "--tls.yellow.time", "3", "--tls.allred.time", "2",
        "--xml-validation", "never", "--no-warnings", "true",
    ]  # fmt: skip
    try:
        call("netconvert", arguments, folder, MAKE_S_MAX)
    except ToolFailed as error:
        raise TownFailed(str(error)) from None
    if not made.exists():
        raise TownFailed("netconvert made no network")


def _nodes(roads: Roads, lit: Mapping[int, str]) -> Iterator[str]:
    for node, (east, north) in roads.nodes.items():
        name = lit.get(node)
        how = f'type="traffic_light" tl={quoteattr(name)}' if name else 'type="priority"'
        yield f'  <node id={quoteattr(_node(node, lit))} x="{east:.1f}" y="{north:.1f}" {how}/>'
    for road in roads.roads:
        for piece in road.pieces[:-1]:
            east, north = pairs(piece.line)[-1]
            yield f'  <node id={quoteattr(_within(piece.name))} x="{east:.1f}" y="{north:.1f}" type="priority"/>'


def _node(node: int, lit: Mapping[int, str]) -> str:
    return lit.get(node) or f"node-{node}"


def _within(piece: str) -> str:
    """The node in the middle of a road, at the end of one of its pieces."""
    return f"end of {piece}".replace(" ", "_")


def _edges(roads: Roads, lit: Mapping[int, str]) -> Iterator[str]:
    walked = _sidewalks(roads)
    for road in roads.roads:
        start = _node(road.start, lit)
        for piece in road.pieces:
            end = _node(road.end, lit) if piece is road.pieces[-1] else _within(piece.name)
            sidewalk = f' sidewalkWidth="{SIDEWALK_M}"' if piece.name in walked else ""
            shape = " ".join(f"{east:.1f},{north:.1f}" for east, north in pairs(piece.line))
            yield (
                f"  <edge id={quoteattr(piece.name)} from={quoteattr(start)} to={quoteattr(end)}"
                f' numLanes="{piece.lanes}" speed="{road.speed_m_s:.2f}" priority="{PATH - road.rank}"'
                f' shape="{shape}"{sidewalk}/>'
            )
            start = end


def _sidewalks(roads: Roads) -> set[str]:
    """Pieces with a sidewalk, which is their first lane: those that begin or end at signals, where walkers cross."""
    found: set[str] = set()
    for road in roads.roads:
        if road.start in roads.lights:
            found.add(road.pieces[0].name)
        if road.end in roads.lights:
            found.add(road.pieces[-1].name)
    return found


def _crossings(roads: Roads, lit: Mapping[int, str]) -> Iterator[str]:
    """A crossing over each arm of each junction with signals. A road and the way back are made one after the other."""
    for there, back in zip(roads.roads[::2], roads.roads[1::2], strict=True):
        for node, ends in (
            (there.end, (there.pieces[-1], back.pieces[0])),
            (there.start, (there.pieces[0], back.pieces[-1])),
        ):
            if node in lit:
                edges = " ".join(piece.name for piece in ends)
                yield f'  <crossing node={quoteattr(lit[node])} edges={quoteattr(edges)} priority="true"/>'


def _loops(roads: Roads, counters: Mapping[int, Sequence[str]], walked: set[str]) -> Iterator[str]:
    """The city's detectors: a loop on each lane, so far before the end of the road as they stand."""
    for detector, names in counters.items():
        counter = roads.counters[detector]
        for lane, name in enumerate(names, int(counter.piece in walked)):
            where = f"{counter.piece}_{lane}"
            yield (
                f'  <inductionLoop id={quoteattr(name)} lane={quoteattr(where)} pos="{-counter.before_end_m:.1f}"'
                f' period="{COUNT_S}" file="/dev/null" friendlyPos="true"/>'
            )


def _piece_lanes(roads: Roads, name: str) -> int:
    return next(piece.lanes for road in roads.roads for piece in road.pieces if piece.name == name)


def _routes(roads: Roads, demand: Demand) -> Iterator[str]:
    yield f'  <vType id="{CAR}" length="4.5" minGap="2.0" sigma="0.4" speedDev="0.1"/>'
    yield f'  <vType id="{BUS}" vClass="bus" length="{BUS_M}" accel="1.2" decel="2.5" sigma="0.4" speedDev="0.05"/>'
    yield f'  <vType id="{WALKER}" vClass="pedestrian"/>'
    for number, route in enumerate(demand.routes):
        edges = " ".join(piece.name for road in route.roads for piece in roads.roads[road].pieces)
        yield f'  <route id="{number}" edges={quoteattr(edges)}/>'


def _plans(roads: Roads, demand: Demand, lights: Sequence[Light], seed: int) -> tuple[dict[int, Plan], ...]:
    """Of each light, a plan for each number. Those of the peaks are made for who drives then."""
    by_tide = {tide: _turns(roads, demand, tide) for tide in (-1.0, 0.0, 1.0)}
    tides = {MORNING_PLAN: 1.0, EVENING_PLAN: -1.0}
    offsets_s = ints(dice(seed, "offsets").integers(0, max(CYCLE_S), len(lights)))

    def made(site: Site, number: int, offset_s: int) -> Plan:
        comes_h = comes_by(site, by_tide[tides.get(number, 0.0)])
        return plan_of(site, CYCLE_S[number], comes_h, offset_s % CYCLE_S[number])

    return tuple(
        {number: made(light.site, number, offset_s) for number in range(1, len(CYCLE_S))}
        for light, offset_s in zip(lights, offsets_s, strict=True)
    )


def _turns(roads: Roads, demand: Demand, tide: float) -> Mapping[tuple[str, str], float]:
    """The turns of a demand, by the names that the roads have before and behind a crossing."""
    return {
        (roads.roads[one].pieces[-1].name, roads.roads[other].pieces[0].name): flow_h
        for (one, other), flow_h in demand.turns(tide).items()
    }


def comes_by(site: Site, turns_h: Mapping[tuple[str, str], float]) -> tuple[float, ...]:
    """Who comes by each approach in an hour: of each turn that its lane has, its share among the lanes that have the
    same."""
    turns = [{(_road(each.lane), _road(way.exit)) for way in each.ways} for each in site.approaches]
    return tuple(
        sum(turns_h.get(turn, 0.0) / sum(turn in other for other in turns) for turn in sorted(own)) for own in turns
    )


def _road(lane: str) -> str:
    """The road of a lane, as SUMO names them."""
    return lane.rpartition("_")[0]
