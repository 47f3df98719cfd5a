"""A scenario whose traffic is the one that was counted: its own routes, driven as often as the counts say.

Which routes, is found by SUMO's own routeSampler: of those that there are it draws some until each count is reached and
none exceeded, those that were driven more often before more often. Where a count is passed by no route, duarouter finds
some over it, between ends that randomTrips draws. Whoever passes no count, and buses and trams, go on as before.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from pathlib import Path
from random import Random
from typing import Any

from vigie.sim.traffic.counts import Passing, Target
from vigie.sim.traffic.netfile import Network
from vigie.sim.traffic.scenario import Scenario
from vigie.sim.traffic.sumotools import ToolFailed, call
from vigie.sim.traffic.world import SORT_OF
from vigie.sim.traffic.xml import made, parsed, write

TRIED = 40
"""So many ways are looked for over each count that no route passes; the quarter of them with the least detour is
taken."""

TRIPS_MAX = 20_000

LIGHT_S = 12.0
"""What a light costs a driver on the mean: he sets out so much earlier to be counted in time."""

BEFORE_S = 60
"""The window begins whole minutes before the first count, so that whoever is counted first has set out."""

_HOW = frozenset("type departLane departPos departSpeed arrivalLane arrivalPos arrivalSpeed personNumber".split())
"""What a vehicle that is drawn has of one that drove the same way; when it sets out is its own."""

_TYPES = ("vType", "vTypeDistribution")
Roads = tuple[str, ...]
Say = Callable[[str, int, int], None]
"""Told what is being done, how far it is, and of how much."""


class Unmet(ValueError):
    """Counts that nothing can be made for. The text says why."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was made. config: the scenario. drawn, kept: vehicles that were drawn for the counts, and those that go on
    as before. routed: of each target, how many vehicles have a route over it."""

    config: Path
    drawn: int
    kept: int
    routed: tuple[int, ...]


def calibrate(scenario: Scenario, network: Network, targets: Sequence[Target], out: Path, seed: int, say: Say) -> Drawn:
    """Makes a scenario in a folder that has the targets' traffic, from the first of their times to the last.

    Raises Unmet, ToolFailed, XmlWrong and OSError.
    """
    if not targets:
        raise Unmet("none of the counts is about a road or a turn of this network")
    times = sorted({(each.begin_s, each.end_s) for each in targets})
    for (_, end_s), (after_s, _) in pairwise(times):
        if after_s > end_s:
            # Who passes a count goes on as often as is counted: there, not at all.
            raise Unmet(
                f"nothing is counted from {end_s} to {after_s} s, where all would be lacking who pass a count: "
                "calibrate a scenario for each of the two times"
            )
    window_s = times[0][0], times[-1][1]
    passing, dice = Passing(targets), Random(f"calibrate {seed}")
    clock = _Clock(network, targets, passing)
    with tempfile.TemporaryDirectory(prefix="vigie-calibrate-") as name:
        folder = Path(name)
        say("finding routes", 0, 1)
        there = _routed(scenario, folder)
        kept, ways = _apart(there, _favoured(there, scenario), passing, window_s)
        _look_further(scenario, network, targets, ways, folder, seed)
        say("finding routes", 1, 1)
        if not ways:
            raise Unmet("no vehicle can drive over any of the roads that are counted")
        _write_ways(ways, folder)
        passed = Counter(at for each in kept for at in clock.counted(each))
        vehicles: list[Any] = []
        for turn, time in enumerate(times):
            say("drawing vehicles", turn, len(times))
            own = [at for at, each in enumerate(targets) if (each.begin_s, each.end_s) == time]
            wanted = [(targets[at], max(0, round(targets[at].vehicles) - passed[at])) for at in own]
            for number, (at_s, roads) in enumerate(_sampled(wanted, time, folder, seed)):
                passed.update(at for at in passing(roads) if (targets[at].begin_s, targets[at].end_s) == time)
                how = {"id": f"counted.{time[0]}.{number}", "depart": f"{max(0.0, at_s - clock.lead_s(roads)):.2f}"}
                how |= dice.choice(ways[roads])
                vehicles.append(made("vehicle", how, [made("route", {"edges": " ".join(roads)})]))
        say("drawing vehicles", len(times), len(times))
    types = [each for each in there if each.tag in _TYPES]
    config = _write(scenario, out, types, [*kept, *vehicles], window_s)
    routed = tuple(passed[at] for at in range(len(targets)))
    return Drawn(config, len(vehicles), sum(each.tag == "vehicle" for each in kept), routed)


class _Clock:
    """When who sets out comes to where he is counted, if he drives freely but for lights."""

    def __init__(self, network: Network, targets: Sequence[Target], passing: Passing) -> None:
        self._targets, self._passing = targets, passing
        lit = {
            network.lanes[each.lane].edge for each in network.connections if each.light and each.lane in network.lanes
        }
        self._takes_s = {
            lane.edge: lane.length_m / max(lane.speed_m_s, 1.0) + LIGHT_S * (lane.edge in lit)
            for lane in network.lanes.values()
        }

    def lead_s(self, roads: Roads) -> float:
        """How long after he sets out, on the mean of the targets that he passes; 0 where he passes none."""
        after_s = [self._after_s(roads, self._targets[at]) for at in self._passing(roads)]
        return sum(after_s) / len(after_s) if after_s else 0.0

    def counted(self, vehicle: Any) -> list[int]:
        """The targets that a vehicle with a route is counted for, by their places."""
        roads, depart_s = _roads(vehicle), _depart_s(vehicle)
        passed = ((at, self._targets[at]) for at in self._passing(roads))
        return [at for at, each in passed if each.begin_s <= depart_s + self._after_s(roads, each) < each.end_s]

    def _after_s(self, roads: Roads, target: Target) -> float:
        before = roads[: roads.index(target.road)]
        return sum(self._takes_s.get(road, 0.0) for road in before) + self._takes_s.get(target.road, 0.0) / 2


def _roads(vehicle: Any) -> Roads:
    route = next(vehicle.iter("route"), None)
    return tuple((route.get("edges") or "").split()) if route is not None else ()


def _depart_s(each: Any) -> float:
    """When somebody sets out; before all others who does when something else happens."""
    try:
        return float(each.get("depart") or each.get("begin") or 0)
    except ValueError:
        return 0.0


def _routed(scenario: Scenario, folder: Path) -> list[Any]:
    """All that the scenario's routes bring, each vehicle with its way, as duarouter finds it."""
    return _ways_of(scenario, scenario.routes, folder / "routed.rou.xml") if scenario.routes else []


def _ways_of(scenario: Scenario, routes: Iterable[Path], made_file: Path) -> list[Any]:
    further = ["--additional-files", _listed(scenario.additional)] if scenario.additional else []
    arguments = [
        "--net-file", str(scenario.network.resolve()), "--route-files", _listed(routes), *further,
        "--output-file", made_file.name, "--ignore-errors", "true", "--no-warnings", "true",
        "--no-step-log", "true", "--xml-validation", "never",
    ]  # fmt: skip
    call("duarouter", arguments, made_file.parent)
    return list(parsed(made_file))


def _listed(files: Iterable[Path]) -> str:
    return ",".join(str(each.resolve()) for each in files)


def _favoured(there: Sequence[Any], scenario: Scenario) -> set[str]:
    """The types of vehicle that go first: nobody draws buses by what loops count."""
    types = [each for each in there if each.tag == "vType"]
    for path in scenario.additional:
        types += parsed(path).iter("vType")
    return {str(each.get("id")) for each in types if each.get("vClass") in SORT_OF}


def _apart(
    there: Sequence[Any], favoured: set[str], passing: Passing, window_s: tuple[int, int]
) -> tuple[list[Any], dict[Roads, list[dict[str, str]]]]:
    """Who goes on as before, of those that set out in the window; and the ways of all others, each with how it was
    driven every time that it was."""
    kept: list[Any] = []
    ways: dict[Roads, list[dict[str, str]]] = {}
    for each in there:
        roads = _roads(each)
        stays = each.get("type") in favoured or each.find("stop") is not None
        if each.tag == "vehicle" and not stays and passing(roads):
            ways.setdefault(roads, []).append({name: value for name, value in each.attrib.items() if name in _HOW})
        elif each.tag not in (*_TYPES, "route") and window_s[0] <= _depart_s(each) < window_s[1]:
            kept.append(each)
    return kept, ways


def _look_further(
    scenario: Scenario,
    network: Network,
    targets: Sequence[Target],
    ways: dict[Roads, list[dict[str, str]]],
    folder: Path,
    seed: int,
) -> None:
    """Adds ways over the counts that none passes yet: such as pass no junction twice, for who drives round a block only
    does so for the count."""
    passing = Passing(targets)
    over_some = {at for roads in ways for at in passing(roads)}
    bare = sorted(
        {(each.road, each.to) for at, each in enumerate(targets) if each.vehicles > 0 and at not in over_some}
    )
    if not bare:
        return
    many = min(TRIPS_MAX, TRIED * len(bare))
    arguments = [
        "-n", str(scenario.network.resolve()), "-o", "drawn.trips.xml", "-e", str(many), "-p", "1",
        "--fringe-factor", "max", "--vehicle-class", "passenger", "--seed", str(seed),
    ]  # fmt: skip
    call("randomTrips.py", arguments, folder)
    ends = [(each.get("from"), each.get("to")) for each in parsed(folder / "drawn.trips.xml").iter("trip")]
    trips: list[Any] = []
    for at, (start, goal) in enumerate(ends):
        trip = {"depart": str(at), "from": start, "to": goal, "departLane": "best"}
        over = " ".join(bare[at % len(bare)]).strip()
        trips += [
            made("trip", {"id": f"{at}.over", "via": over, **trip}),
            made("trip", {"id": f"{at}.straight", **trip}),
        ]
    wanted = folder / "wanted.trips.xml"
    write(wanted, made("routes", {}, trips))
    found = {str(each.get("id")): _roads(each) for each in _ways_of(scenario, [wanted], folder / "further.rou.xml")}
    ends_at = {network.lanes[each.lane].edge: each.node for each in network.connections if each.lane in network.lanes}
    for turn in range(len(bare)):
        over = [
            (len(roads) / len(found[f"{at}.straight"]), roads)
            for at in range(turn, len(ends), len(bare))
            if (roads := found.get(f"{at}.over")) and found.get(f"{at}.straight") and _never_twice(roads, ends_at)
        ]
        # Whoever drives there at all drives there since it is on his way.
        for _, roads in sorted(over)[: TRIED // 4]:
            ways.setdefault(roads, []).append({"departLane": "best"})


def _never_twice(roads: Roads, ends_at: Mapping[str, str]) -> bool:
    nodes = [ends_at.get(road, road) for road in roads[:-1]]
    return len(set(nodes)) == len(nodes)


def _write_ways(ways: Mapping[Roads, Sequence[object]], folder: Path) -> None:
    routes = [
        made("route", {"id": str(at), "edges": " ".join(roads), "probability": str(len(driven))})
        for at, (roads, driven) in enumerate(ways.items())
    ]
    write(folder / "ways.rou.xml", made("routes", {}, routes))


def _sampled(
    wanted: Sequence[tuple[Target, int]], time: tuple[int, int], folder: Path, seed: int
) -> list[tuple[float, Roads]]:
    """When who passes the counts of one time, and by which way."""
    begin_s, end_s = map(str, time)
    roads = [made("edge", {"id": each.road, "entered": str(count)}) for each, count in wanted if not each.to]
    turns = [
        made("edgeRelation", {"from": each.road, "to": each.to, "count": str(count)})
        for each, count in wanted
        if each.to
    ]
    given: list[str] = []
    for option, counts in (("--edgedata-files", roads), ("--turn-files", turns)):
        if counts:
            file = folder / f"{option.strip('-')}.xml"
            write(file, made("data", {}, [made("interval", {"id": "counted", "begin": begin_s, "end": end_s}, counts)]))
            given += [option, file.name]
    drawn = folder / "sampled.rou.xml"
    arguments = ["-r", "ways.rou.xml", *given, "-b", begin_s, "-e", end_s, "-o", drawn.name, "--weighted"]
    call("routeSampler.py", [*arguments, "--seed", str(seed)], folder)
    if not drawn.exists():
        raise ToolFailed("routeSampler.py drew nothing")
    found = [(float(each.get("depart")), _roads(each)) for each in parsed(drawn).iter("vehicle")]
    drawn.unlink()
    return found


def _write(
    scenario: Scenario, out: Path, types: Sequence[Any], travellers: Sequence[Any], window_s: tuple[int, int]
) -> Path:
    """The scenario as files of a folder that needs no other."""
    out.mkdir(parents=True, exist_ok=True)
    name = scenario.name
    net = out / f"{name}.net.xml{'.gz' if scenario.network.suffix == '.gz' else ''}"
    shutil.copyfile(scenario.network, net)
    further: list[str] = []
    known: set[str] = set()
    for at, path in enumerate(scenario.additional):
        further.append(f"{name}.{at}.add.xml{'.gz' if path.suffix == '.gz' else ''}")
        shutil.copyfile(path, out / further[-1])
        known |= {str(each.get("id")) for tag in _TYPES for each in parsed(path).iter(tag)}
    own = [each for each in types if each.get("id") not in known]
    ordered = sorted(travellers, key=_depart_s)
    write(out / f"{name}.rou.xml", made("routes", {}, [*own, *ordered]))
    first_s = min([_depart_s(each) for each in ordered if each.tag == "vehicle"], default=window_s[0])
    early_s = BEFORE_S * ceil(max(0.0, window_s[0] - first_s) / BEFORE_S)
    root = parsed(scenario.config)
    files = {"net-file": net.name, "route-files": f"{name}.rou.xml", "additional-files": ",".join(further)}
    time = {"begin": str(max(0, window_s[0] - early_s)), "end": str(window_s[1])}
    for tag in ("net-file", "net", "n", "route-files", "route", "r", "additional-files", "additional", "a",
                "begin", "b", "end", "e"):  # fmt: skip
        for each in list(root.iter(tag)):
            each.getparent().remove(each)
    for each in [section for section in root if not len(section)]:
        root.remove(each)
    root.append(made("input", {}, [made(tag, {"value": value}) for tag, value in files.items() if value]))
    root.append(made("time", {}, [made(tag, {"value": value}) for tag, value in time.items()]))
    config = out / f"{name}.sumocfg"
    write(config, root)
    return config
