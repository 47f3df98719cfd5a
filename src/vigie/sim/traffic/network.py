"""From a SUMO network to junctions of ours: signal groups, who meets whom, stages, detectors, neighbours.

A signal group is what one approach shows alike through the network's whole programme. Two groups conflict where two of
their links are foes in the matrix of their node, and the programme never shows both green; where it does, one of them
yields, as the programme's small g says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import atan2, ceil, degrees, isfinite

import msgspec
from msgspec.structs import replace as changed

from vigie.services.signals.control.site import Approach, Area, CallPoints, Feeder, Plan, Site, Step, Way
from vigie.services.signals.junction import (
    DETECTORS_MAX,
    Detector,
    Junction,
    Lane,
    Meeting,
    Movement,
    SignalGroup,
    Users,
)
from vigie.sim.traffic.netfile import Connection, Network, NetworkWrong, Programme, Spot
from vigie.sim.traffic.stages import stages_of

SEEN_M = 50.0
"""How far from the stop line anything is counted."""

LOOP_GAP_S = 2.0
"""The upstream loop lies as far up as is driven in this time, as SUMO's own actuated control places it."""

STOP_M = 2.5
"""The loop at the stop line: whoever waits there, a metre before the line, stands on it."""

ENTRY_M = 45.0
"""The loop that counts who comes in, where adaptive control has loops alone."""

CALLS_S, ASKS_S = 20.0, 12.0
"""So long before the stop line a tram tells that it comes, and asks: by then a minimum green, yellow and all red are
over."""

POINTS = (" approach", " request", " line", " clear")
"""What the names of a tram's points end in."""

LINE_M = 1.0
"""The loop of trams at the stop line. The one behind the junction lies as far into the exit."""

EXIT_M = 30.0
"""How much of an exit lane is looked at for who cannot leave."""

YELLOW_S = 3
ALL_RED_S = 2
WALK_M_S = 1.0
NEXT_DOOR_M = 500.0
"""A junction further down the road than this is nobody's neighbour."""

GREEN, YELLOW, RED = "g", "y", "r"
_CLASS = {"G": GREEN, "g": GREEN, "y": YELLOW, "Y": YELLOW, "u": RED, "r": RED, "s": RED, "o": GREEN, "O": GREEN}


@dataclass(frozen=True, slots=True)
class Signal:
    """A link of a traffic light. group: None where its letter never changes. red: its letter at red, which is s where
    one may turn after a stop. yields: links that it lets go first when both are green."""

    group: int | None
    letter: str
    red: str
    yields: frozenset[int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a detector lies in SUMO: lane and metres from the lane's start; a loop where both are the same. whole: an
    area that is all of its lane. button: no detector of SUMO's, but what whoever waits before a crossing presses; lane:
    that crossing."""

    lane: str
    start_m: float
    end_m: float
    whole: bool
    button: bool = False


@dataclass(frozen=True, slots=True)
class Light:
    """A traffic light of a network as a junction, with what it takes to run it there. places: of the junction's
    detectors, in their order."""

    site: Site
    signals: tuple[Signal, ...]
    places: tuple[Place, ...]

    @property
    def name(self) -> str:
        """The light's name in the network."""
        return self.site.junction.name


def lights_of(network: Network) -> tuple[Light, ...]:
    """All traffic lights of a network that rule somebody. Raises NetworkWrong where there is none."""
    ruled: dict[str, list[Connection]] = {}
    for each in network.connections:
        if each.light is not None and each.light in network.programmes and each.link >= 0:
            ruled.setdefault(each.light, []).append(each)
    into: dict[str, list[Connection]] = {}
    onward: dict[str, list[Connection]] = {}
    for each in network.connections:
        into.setdefault(each.to, []).append(each)
        onward.setdefault(each.lane, []).append(each)
    made = [
        _Maker(network, network.programmes[light], connections, into).light()
        for light, connections in sorted(ruled.items())
    ]
    lights = [light for light in made if light is not None]
    if not lights:
        raise NetworkWrong("the network has no traffic light that changes for anybody")
    return _with_neighbours(network, lights, onward)


class _Maker:
    """Makes one junction."""

    def __init__(
        self,
        network: Network,
        programme: Programme,
        connections: Sequence[Connection],
        into: Mapping[str, Sequence[Connection]],
    ) -> None:
        self.network = network
        self.programme = programme
        self.into = into
        count = min(len(phase.letters) for phase in programme.phases)
        self.by_link: dict[int, list[Connection]] = {}
        for each in connections:
            if each.link < count:
                self.by_link.setdefault(each.link, []).append(each)
        self.columns = ["".join(phase.letters[at] for phase in programme.phases) for at in range(count)]
        self.classes = ["".join(_CLASS.get(letter, RED) for letter in column) for column in self.columns]
        self.foes = {
            (a, b)
            for a, b in combinations(sorted(self.by_link), 2)
            if any(self._are_foes(one, other) for one in self.by_link[a] for other in self.by_link[b])
        }

    def light(self) -> Light | None:
        """The junction, or None where no link ever changes."""
        groups = self._groups()
        if not groups:
            return None
        group_of = {link: at for at, links in enumerate(groups) for link in links}
        signals = tuple(self._signal(link, group_of.get(link)) for link in range(len(self.columns)))
        made = tuple(self._signal_group(at, links) for at, links in enumerate(groups))
        meetings = self._meetings(groups)
        intergreens = tuple(
            tuple(
                self._clearance_s(groups[a]) if meetings[a][b] is Meeting.CONFLICTS else None
                for b in range(len(groups))
            )
            for a in range(len(groups))
        )
        movements = tuple(
            # Who walks is on the crossing from the first step to the last.
            Movement(group_of[link], each.to if each.crossing else each.lane, each.to, *_sides_deg(self.network, each))
            for link, all_of_it in sorted(self.by_link.items())
            if link in group_of
            for each in all_of_it
        )
        plan = self._plan(groups)
        ways: dict[str, list[Way]] = {}
        for movement in movements:
            if made[movement.group].users is Users.VEHICLES:
                way = Way(movement.group, movement.exit)
                ways.setdefault(movement.approach, []).append(way)
        tracks: dict[str, Movement] = {}
        for movement in movements:
            if made[movement.group].users is Users.TRAM:
                tracks.setdefault(movement.approach, movement)
        detectors = _Detectors(self.network, self.into, self._ruled_lanes())
        approaches = detectors.approaches({lane: tuple(dict.fromkeys(all_ways)) for lane, all_ways in ways.items()})
        exits = detectors.exits({way.exit for all_ways in ways.values() for way in all_ways})
        buttons = [
            tuple(dict.fromkeys(detectors.button(m.approach) for m in movements if m.group == at))
            if made[at].users is Users.PEDESTRIANS
            else ()
            for at in range(len(made))
        ]
        calls = tuple(detectors.calls(each) for each in tracks.values())
        if any(buttons):
            approaches = self._seen_inside(approaches, group_of, detectors)
        lanes = {each.lane for each in detectors.made} | {m.approach for m in movements} | {m.exit for m in movements}
        junction = Junction(
            name=self.programme.light,
            groups=made,
            movements=movements,
            lanes=tuple(_lane(self.network, name) for name in sorted(lanes)),
            detectors=tuple(detectors.made),
            meetings=meetings,
            intergreens=intergreens,
            stages=stages_of(
                plan.stages,
                meetings,
                [frozenset(way.group for way in all_ways) for all_ways in ways.values()],
                frozenset(at for at, group in enumerate(made) if group.users is Users.PEDESTRIANS),
            ),
        )
        gives_way = tuple(
            frozenset(group_of[other] for link in links for other in signals[link].yields if other in group_of)
            for links in groups
        )
        site = Site(
            junction, plan, approaches, exits, gives_way=gives_way, buttons=tuple(buttons) if any(buttons) else (),
            calls=calls,
        )  # fmt: skip
        return Light(site, signals, tuple(detectors.places))

    def _seen_inside(
        self, approaches: Sequence[Approach], group_of: Mapping[int, int], detectors: _Detectors
    ) -> tuple[Approach, ...]:
        """The approaches, with what counts on their ways to crossings, where that is no more than a document holds."""
        driven = [
            (link, each)
            for link, all_of_it in self.by_link.items()
            if link in group_of
            for each in all_of_it
            if each.crossing is None
        ]
        over = {(each.lane, group_of[link], each.to): self._led_over(link, each, group_of) for link, each in driven}
        inside = {key: each.inside for link, each in driven if over[key := (each.lane, group_of[link], each.to)]}
        if len(detectors.made) + len({name for names in inside.values() for name in names}) > DETECTORS_MAX:
            return tuple(approaches)
        return tuple(
            changed(
                approach,
                ways=tuple(
                    changed(way, inside=tuple(map(detectors.inside, inside.get(key, ()))), over=over[key])
                    for way in approach.ways
                    if (key := (approach.lane, way.group, way.exit))
                ),
            )
            for approach in approaches
        )

    def _led_over(self, link: int, way: Connection, group_of: Mapping[int, int]) -> frozenset[int]:
        """The groups of walkers whom a way meets when it is inside: those on the road that it comes by are behind it
        then."""
        lanes = self.network.lanes
        comes, leaves = (lanes[name].edge if name in lanes else "" for name in (way.lane, way.to))
        return frozenset(
            group_of[other]
            for other, all_of_it in self.by_link.items()
            if other in group_of and (min(link, other), max(link, other)) in self.foes
            for each in all_of_it
            if each.crossing is not None and (comes not in each.roads or leaves in each.roads)
        )

    def _are_foes(self, one: Connection, other: Connection) -> bool:
        if one.node != other.node or one.request is None or other.request is None:
            return False
        rows = self.network.rows
        return other.request in rows[one.node, one.request].foes or one.request in rows[other.node, other.request].foes

    def _groups(self) -> list[tuple[int, ...]]:
        """Links of one approach that the programme shows alike; foes among them stand alone."""
        alike: dict[tuple[str, str, bool], list[int]] = {}
        for link, connections in sorted(self.by_link.items()):
            column = self.classes[link]
            if (RED not in column and YELLOW not in column) or GREEN not in column:
                continue  # Never anything else: nobody's to decide.
            first = connections[0]
            road = first.crossing or self.network.lanes[first.lane].edge
            alike.setdefault((road, column, self._is_track(first)), []).append(link)
        groups: list[tuple[int, ...]] = []
        for links in alike.values():
            apart = not any(pair in self.foes for pair in combinations(links, 2))
            groups += [tuple(links)] if apart else [(link,) for link in links]
        return sorted(groups)

    def _is_track(self, way: Connection) -> bool:
        return way.crossing is None and self.network.lanes[way.lane].track

    def _signal_group(self, at: int, links: Sequence[int]) -> SignalGroup:
        first = self.by_link[links[0]][0]
        road = first.crossing or self.network.lanes[first.lane].edge
        bends = "".join(sorted({each.bend for link in links for each in self.by_link[link]}))
        walkers = first.crossing is not None
        return SignalGroup(
            name=f"{at + 1} {road} {bends}",
            users=Users.PEDESTRIANS if walkers else Users.TRAM if self._is_track(first) else Users.VEHICLES,
            yellow_s=0 if walkers else YELLOW_S,
        )

    def _clearance_s(self, links: Sequence[int]) -> int:
        crossing = self.by_link[links[0]][0].crossing
        if crossing is None:
            return YELLOW_S + ALL_RED_S
        # Whoever set foot on it with the last green reaches the other side. What is no length, its document is refused
        # for.
        length_m = self.network.lanes[f"{crossing}_0"].length_m
        return max(1, ceil(length_m / WALK_M_S)) if isfinite(length_m) else 1

    def _meetings(self, groups: Sequence[Sequence[int]]) -> tuple[tuple[Meeting, ...], ...]:
        together = [{at for at, letter in enumerate(self.classes[links[0]]) if letter == GREEN} for links in groups]
        table = [[Meeting.APART] * len(groups) for _ in groups]
        for a, b in combinations(range(len(groups)), 2):
            if any((min(i, j), max(i, j)) in self.foes for i in groups[a] for j in groups[b]):
                table[a][b] = table[b][a] = Meeting.YIELDS if together[a] & together[b] else Meeting.CONFLICTS
        return tuple(map(tuple, table))

    def _signal(self, link: int, group: int | None) -> Signal:
        """Who yields to whom: by the programme's letters where they differ, else by the node's matrix."""
        yields: set[int] = set()
        for pair in self.foes:
            if link not in pair:
                continue
            other = pair[0] if pair[1] == link else pair[1]
            letters = set(zip(self.columns[link], self.columns[other], strict=True)) & {("g", "G"), ("G", "g")}
            if letters:
                yields |= {other} if ("g", "G") in letters else set()
            elif any(self._lets_go(a, b) for a in self.by_link[link] for b in self.by_link[other]):
                yields.add(other)
        column = self.columns[link]
        return Signal(group, column[0], "s" if "s" in column else "r", frozenset(yields))

    def _lets_go(self, one: Connection, other: Connection) -> bool:
        return (
            one.node == other.node
            and one.request is not None
            and other.request is not None
            and other.request in self.network.rows[one.node, one.request].lets_go
        )

    def _plan(self, groups: Sequence[Sequence[int]]) -> Plan:
        steps = [
            Step(
                phase.seconds,
                frozenset(g for g, links in enumerate(groups) if self.classes[links[0]][at] == GREEN),
                any(self.classes[links[0]][at] == YELLOW for links in groups),
            )
            for at, phase in enumerate(self.programme.phases)
        ]
        return Plan(self.programme.offset_s, tuple(steps))

    def _ruled_lanes(self) -> frozenset[str]:
        return frozenset(each.lane for each in self.network.connections if each.light is not None)


class _Detectors:
    """Lays the detectors of one junction: areas and loops on what leads to a stop line, areas on what leads away."""

    def __init__(self, network: Network, into: Mapping[str, Sequence[Connection]], ruled: frozenset[str]) -> None:
        self.network, self.into, self.ruled = network, into, ruled
        self.made: list[Detector] = []
        self.places: list[Place] = []
        self.known: dict[str, int] = {}

    def approaches(self, ways: Mapping[str, tuple[Way, ...]]) -> tuple[Approach, ...]:
        """Each lane with its detectors."""
        seen = {lane: self._upstream(lane) for lane in ways}
        feeds: dict[str, int] = {}
        for pieces in seen.values():
            for piece, _ in pieces:
                feeds[piece] = feeds.get(piece, 0) + 1
        approaches: list[Approach] = []
        for lane, all_ways in ways.items():
            areas = tuple(Area(self._area(piece, from_m), feeds[piece]) for piece, from_m in seen[lane])
            has = self.network.lanes[lane]
            reach_m = max(from_m + min(self._length_m(piece), SEEN_M - from_m) for piece, from_m in seen[lane])
            stop = self._stop(lane, seen[lane], feeds)
            upstream, _ = self._loop_up(seen[lane], min(has.speed_m_s * LOOP_GAP_S, ENTRY_M), "upstream")
            entry, entry_m = self._loop_up(seen[lane], ENTRY_M, "entry")
            approaches.append(Approach(lane, all_ways, areas, stop, upstream, entry, reach_m, entry_m, has.speed_m_s))
        return tuple(approaches)

    def _stop(self, lane: str, seen: Sequence[tuple[str, float]], feeds: Mapping[str, int]) -> int:
        """The loop on which the first who waits stands. Where the lane is too short for that it lies on the one before,
        if that leads nowhere else."""
        length_m = self._length_m(lane)
        before = [(piece, from_m) for piece, from_m in seen if from_m == length_m and feeds[piece] == 1]
        if length_m <= STOP_M and len(before) == 1:
            piece, from_m = before[0]
            return self._loop(piece, from_m, min(STOP_M - from_m, self._length_m(piece) / 2), f"of {lane} stop")
        return self._loop(lane, 0.0, min(STOP_M, length_m / 2), "stop")

    def exits(self, lanes: Iterable[str]) -> dict[str, int]:
        """Areas on the first metres of exit lanes."""
        found: dict[str, int] = {}
        for lane in sorted(lanes):
            has = self.network.lanes.get(lane)
            if has is not None:
                length_m = min(EXIT_M, has.length_m)
                found[lane] = self._lay(f"{lane} exit", lane, 0.0, length_m, has.length_m - length_m)
        return found

    def inside(self, lane: str) -> int:
        """An area on a way through the junction."""
        return self._lay(f"{lane} inside", lane, 0.0, self._length_m(lane), 0.0)

    def button(self, crossing: str) -> int:
        """What whoever waits on either side of a crossing presses."""
        name = f"{crossing} button"
        if name not in self.known:
            self.known[name] = len(self.made)
            self.made.append(Detector(name, crossing, 0.0))
            self.places.append(Place(crossing, 0.0, 0.0, whole=False, button=True))
        return self.known[name]

    def calls(self, way: Movement) -> CallPoints:
        """The loops by which trams tell of themselves. Where the track up to the next signals is too short for two of
        them before the line, there is one."""
        has = self.network.lanes[way.approach]
        seen = self._upstream(way.approach, has.speed_m_s * CALLS_S)
        # Not beyond where tracks join: a point on one of them would tell of some of those who come.
        forks = [at for at, (_, from_m) in enumerate(seen) if sum(other == from_m for _, other in seen) > 1]
        seen = seen[: min(forks, default=len(seen))]
        reach_m = max(from_m + self._length_m(piece) for piece, from_m in seen)
        request, _ = self._loop_up(seen, has.speed_m_s * ASKS_S, "request")
        approach = (
            self._loop_up(seen, has.speed_m_s * CALLS_S, "approach")[0] if reach_m > has.speed_m_s * ASKS_S else None
        )
        line = self._loop(way.approach, 0.0, min(LINE_M, has.length_m / 2), "line")
        out = self.network.lanes.get(way.exit)
        at_m = min(LINE_M, out.length_m / 2) if out else 0.0
        # Where two ways leave by one track, who comes off it is said of one of them, and of the other the line alone.
        own = out is not None and f"{way.exit} clear" not in self.known
        clear = self._lay(f"{way.exit} clear", way.exit, at_m, at_m, 0.0) if own else None
        return CallPoints(way.group, approach, request, line, clear, has.speed_m_s)

    def _upstream(self, lane: str, seen_m: float = SEEN_M) -> list[tuple[str, float]]:
        """The lane and those that lead into it as far as is seen, each with the metres from its end to the stop."""
        pieces: list[tuple[str, float]] = []
        edge = [(lane, 0.0)]
        while edge:
            piece, from_m = edge.pop(0)
            if any(piece == known for known, _ in pieces):
                continue
            pieces.append((piece, from_m))
            beyond_m = from_m + self._length_m(piece)
            if beyond_m < seen_m:
                before = [each for each in self.into.get(piece, ()) if each.lane in self.network.lanes]
                # Who waits for a gap to come onto the road waits for that, not for our light.
                before = [each for each in before if not each.minor] or before
                edge += [(each.lane, beyond_m) for each in before if each.lane not in self.ruled]
        return pieces

    def _length_m(self, lane: str) -> float:
        return self.network.lanes[lane].length_m

    def _area(self, lane: str, from_m: float) -> int:
        length_m = self._length_m(lane)
        seen_m = min(length_m, SEEN_M - from_m)
        return self._lay(f"{lane} area", lane, length_m - seen_m, length_m, from_m)

    def _loop(self, lane: str, beyond_m: float, before_end_m: float, what: str) -> int:
        at_m = self._length_m(lane) - before_end_m
        return self._lay(f"{lane} {what}", lane, at_m, at_m, beyond_m + before_end_m)

    def _loop_up(self, seen: Sequence[tuple[str, float]], up_m: float, what: str) -> tuple[int, float]:
        """A loop so far from the stop line, or as far as the road goes; and how far that is."""
        reaches = [(piece, from_m) for piece, from_m in seen if from_m + self._length_m(piece) > up_m]
        piece, beyond_m = reaches[0] if reaches else seen[-1]
        up_m = min(up_m, beyond_m + self._length_m(piece) - 0.1)
        return self._loop(piece, beyond_m, max(0.1, up_m - beyond_m), what), up_m

    def _lay(self, name: str, lane: str, start_m: float, end_m: float, from_stop_m: float) -> int:
        if name not in self.known:
            self.known[name] = len(self.made)
            self.made.append(Detector(name, lane, from_stop_m, end_m - start_m))
            whole = start_m <= 0 and end_m >= self._length_m(lane)
            self.places.append(Place(lane, start_m, end_m, whole))
        return self.known[name]


def _sides_deg(network: Network, way: Connection) -> tuple[float | None, float | None]:
    """Where a way comes from and where it leaves to, seen from its node, clockwise from north; of walkers, twice where
    their crossing is."""
    start, end = (network.lanes[name].shape if name in network.lanes else () for name in (way.lane, way.to))
    if way.crossing is not None:
        middle = network.nodes.get(way.node)
        if middle is None or len(end) < 2:
            return None, None
        side_deg = _deg(middle, ((end[0][0] + end[-1][0]) / 2, (end[0][1] + end[-1][1]) / 2))
        return side_deg, side_deg
    return (
        _deg(start[-1], start[-2]) if len(start) > 1 else None,
        _deg(end[0], end[1]) if len(end) > 1 else None,
    )


def _deg(here: Spot, there: Spot) -> float:
    """Which way another place is, clockwise from north."""
    return round(degrees(atan2(there[0] - here[0], there[1] - here[1]))) % 360.0


def _lane(network: Network, name: str) -> Lane:
    has = network.lanes.get(name)
    return Lane(name, has.length_m, has.speed_m_s) if has else Lane(name, 0.0, 0.0)


def _with_neighbours(
    network: Network, lights: Sequence[Light], onward: Mapping[str, Sequence[Connection]]
) -> tuple[Light, ...]:
    """Tells each junction whose vehicles come to it, and after how long."""
    owner = {each.lane: (light.name, at) for light in lights for at, each in enumerate(light.site.approaches)}
    lanes_of: dict[str, list[str]] = {}
    for name, has in network.lanes.items():
        lanes_of.setdefault(has.edge, []).append(name)
    feeders: dict[str, list[Feeder]] = {light.name: [] for light in lights}
    for light in lights:
        for approach in light.site.approaches:
            shares: dict[tuple[str, tuple[int, ...], int], float] = {}
            for way in approach.ways:
                for name, (lanes, travel_s) in _reached(network, way.exit, onward, owner, lanes_of).items():
                    key = (name, lanes, travel_s)
                    shares[key] = shares.get(key, 0.0) + 1 / len(approach.ways)
            for (name, lanes, travel_s), share in shares.items():
                feeders[name].append(Feeder(light.name, approach.lane, share, lanes, travel_s))
    return tuple(
        replace(each, site=msgspec.structs.replace(each.site, feeders=tuple(feeders[each.name]))) for each in lights
    )


def _reached(
    network: Network,
    exit_lane: str,
    onward: Mapping[str, Sequence[Connection]],
    owner: Mapping[str, tuple[str, int]],
    lanes_of: Mapping[str, Sequence[str]],
) -> dict[str, tuple[tuple[int, ...], int]]:
    """Junctions down the road from an exit lane: the approaches that it leads to, and the seconds to get there.
    lanes_of: each road."""
    found: dict[str, tuple[set[int], float]] = {}
    roads = [(exit_lane, 0.0, 0.0)]
    been: set[str] = set()
    while roads:
        lane, before_m, before_s = roads.pop(0)
        has = network.lanes.get(lane)
        if has is None or has.edge in been or before_m > NEXT_DOOR_M:
            continue
        been.add(has.edge)
        length_m, took_s = before_m + has.length_m, before_s + has.length_m / max(has.speed_m_s, 1.0)
        # A driver changes lanes on the way: all lanes of the road are reached.
        if not isfinite(took_s):
            continue
        for beside in lanes_of[has.edge]:
            if beside in owner:
                name, at = owner[beside]
                found.setdefault(name, (set(), took_s))[0].add(at)
            else:
                roads += [(each.to, length_m, took_s) for each in onward.get(beside, ()) if each.bend in "sLR"]
    return {name: (tuple(sorted(ats)), round(took_s)) for name, (ats, took_s) in found.items()}
