"""Who walks where, on a network that has pavements: from one to another, over at least one crossing with signals.

Nobody has counted walkers on most networks. So they are drawn from a seed: where one sets out and where to, each metre
of pavement as likely as any other, and nobody goes further than people walk. SUMO's own model of walkers does the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf
from random import Random
from xml.sax.saxutils import quoteattr

from vigie.sim.traffic.netfile import Network, NetworkWrong

WALK_M_MAX = 1_000.0
"""Nobody walks further than a quarter of an hour from the end of the pavement on which he sets out."""

HOUR_S = 3_600
_TYPE = "vigie.walker"

NO_PAVEMENTS = (
    "nobody can walk over a crossing with signals in this network. `netconvert -s old.net.xml -o new.net.xml "
    "--sidewalks.guess --crossings.guess --tls.rebuild` makes pavements and crossings, and programmes that serve them"
)


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk. roads: along whose pavements, in their order. from_m, to_m: where on the first it begins, and where on
    the last it ends, along the road."""

    depart_s: float
    roads: tuple[str, ...]
    from_m: float
    to_m: float


def walks_of(network: Network, per_hour: int, begin_s: int, end_s: int, seed: int) -> list[Walk]:
    """Walks that begin in a window, so many an hour, in the order in which they begin: the same for the same seed.

    Raises NetworkWrong where no pavements are joined by a crossing with signals.
    """
    count = round(per_hour * (end_s - begin_s) / HOUR_S)
    if not count:
        return []
    dice = Random(f"walkers {seed}")
    onward = _onward(network)
    ruled = frozenset(f"{each.crossing}_0" for each in network.connections if each.crossing and each.light)
    pavements = sorted(lane for lane in onward if not lane.startswith(":") and _metres(network, lane) > 0)
    goals: dict[str, Mapping[str, tuple[str, ...]]] = {}
    walks: list[Walk] = []
    for depart_s in sorted(dice.uniform(begin_s, end_s) for _ in range(count)):
        while True:
            if not pavements:
                raise NetworkWrong(NO_PAVEMENTS)
            start = _drawn(network, pavements, dice)
            if start not in goals:
                goals[start] = _goals(network, onward, ruled, start)
            if goals[start]:
                break
            pavements.remove(start)
        goal = _drawn(network, list(goals[start]), dice)
        from_m, to_m = (dice.uniform(0, _metres(network, lane)) for lane in (start, goal))
        walks.append(Walk(depart_s, goals[start][goal], from_m, to_m))
    return walks


def _drawn(network: Network, lanes: Sequence[str], dice: Random) -> str:
    """One of some pavements, each metre as likely as any other."""
    (lane,) = dice.choices(lanes, [_metres(network, lane) for lane in lanes])
    return lane


def _metres(network: Network, lane: str) -> float:
    """How long a lane is; 0 where what the network says is no length."""
    length_m = network.lanes[lane].length_m
    return length_m if 0 < length_m < inf else 0.0


def _onward(network: Network) -> dict[str, list[str]]:
    """From each lane that one may walk on to the next: walkers go both ways on all of them."""
    found: dict[str, list[str]] = {}
    for lane, to in network.steps:
        found.setdefault(lane, []).append(to)
        found.setdefault(to, []).append(lane)
    return found


def _goals(
    network: Network, onward: Mapping[str, Sequence[str]], ruled: frozenset[str], start: str
) -> dict[str, tuple[str, ...]]:
    """The pavements to which the shortest way (Dijkstra, 1959), from the end of the first on, is no longer than one
    walks and leads over a crossing with signals, each with the roads on the way."""
    best = {start: 0.0}
    ways: dict[str, tuple[tuple[str, ...], bool]] = {start: ((network.lanes[start].edge,), False)}
    heap = [(0.0, start)]
    while heap:
        far_m, lane = heappop(heap)
        if far_m > best[lane]:
            continue
        roads, crosses = ways[lane]
        for other in onward[lane]:
            there_m = far_m + _metres(network, other)
            if there_m <= WALK_M_MAX and there_m < best.get(other, inf):
                best[other] = there_m
                edge = network.lanes[other].edge
                ways[other] = (roads if edge.startswith(":") else (*roads, edge), crosses or other in ruled)
                heappush(heap, (there_m, other))
    return {
        lane: roads
        for lane, (roads, crosses) in sorted(ways.items())
        if crosses and not lane.startswith(":") and _metres(network, lane) > 0
    }


def walks_written(walks: Sequence[Walk], scale: float) -> str:
    """A file of SUMO's with these walks. scale: of SUMO's demand, which would drop walkers as well, or double them."""
    # What is a hair less than one SUMO would drop.
    kept = 1 / scale * (1 + 1e-9)
    written = [
        f'<person id="{_TYPE}.{number}" type="{_TYPE}" depart="{walk.depart_s:.2f}" departPos="{walk.from_m:.2f}">'
        f'<walk edges={quoteattr(" ".join(walk.roads))} arrivalPos="{walk.to_m:.2f}"/></person>'
        for number, walk in enumerate(walks)
    ]
    sort = f'<vType id="{_TYPE}" vClass="pedestrian" scale="{kept!r}"/>'
    return "\n".join(["<additional>", sort, *written, "</additional>"])
