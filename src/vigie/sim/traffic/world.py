"""SUMO in this process: started with our detectors, stepped second by second, its lights set and read back.

SUMO is one for a process: whoever runs two at once runs them in two processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any
from xml.sax.saxutils import quoteattr

import libsumo as _libsumo

from vigie.services.signals.control.claims import Sort
from vigie.services.signals.control.site import OCCUPIED, UNKNOWN
from vigie.services.signals.control.steering import buttons_of, loops_of
from vigie.services.signals.junction import Users
from vigie.sim.traffic.lines import Halt
from vigie.sim.traffic.network import Light, Place
from vigie.sim.traffic.scenario import Scenario
from vigie.sim.traffic.walks import Walk, walks_written

_sumo: Any = _libsumo
_loops, _lanes, _areas, _persons = _sumo.inductionloop, _sumo.lane, _sumo.lanearea, _sumo.person

NEVER_S = 1_000_000
"""Detectors write what they saw after this time: never, it is asked for each second."""


GIVES_UP_S = 300
"""Who has stood for so long in a town that lives for days is lifted to where there is room on his way."""

SQUEEZES_PAST_S = 30
"""Who has stood so long in the middle of a crossing is driven around there."""

SORTS = {Sort.BUS: "bus", Sort.TRAM: "tram", Sort.EMERGENCY: "emergency"}
SORT_OF = {**{name: sort for sort, name in SORTS.items()}, "coach": Sort.BUS, "rail_urban": Sort.TRAM}
"""What SUMO calls the classes of who goes first."""

INVALID = -1e6
"""Less than this SUMO says where there is nothing to say."""

STANDS_M_S = 0.1
AT_LINE_M = 15.0
"""Whoever stands nearer than this to a stop line, with nobody standing in front, stands at the light."""


class SumoFailed(RuntimeError):
    """SUMO would not start or stopped. The text is SUMO's own."""


class Why(StrEnum):
    """Why a vehicle stands for good. red: its light is red. blocked: its light is green, and it gives way or has no
    room to leave. elsewhere: it stands where no light of ours rules. no_room: it never found room to set out."""

    RED = "red"
    BLOCKED = "blocked"
    ELSEWHERE = "elsewhere"
    NO_ROOM = "no_room"


@dataclass(frozen=True, slots=True)
class Stuck:
    """Vehicles that stand behind one another, by the first of them: its lane, and the light that it stands at."""

    why: Why
    lane: str
    light: str
    vehicles: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """The next light on a vehicle's way. stands: it does, and not at a stop of its line."""

    light: str
    away_m: float
    stands: bool


class World:
    """A run of SUMO. Used as a context; nothing else of SUMO may run in the process meanwhile.

    arguments: what SUMO is started with. stood_s_max: the longest that a walker who set out in the window has stood at
    once before a crossing that a light of ours rules.
    """

    def __init__(
        self,
        scenario: Scenario,
        lights: Sequence[Light],
        folder: Path,
        *,
        seed: int,
        scale: float = 1.0,
        endless: bool = False,
        walkers: Sequence[Walk] = (),
        emissions: bool = False,
    ) -> None:
        """folder: for what SUMO reads and writes. walkers: who walks beside those whom the scenario has; scale is not
        for them. emissions: each trip tells what it emitted, by SUMO's own model. endless: for a town that lives for
        days: nothing is written of each trip, areas count nobody, and who stands for GIVES_UP_S is lifted out of the
        way."""
        self._lights = lights
        self._folder = folder
        detectors = folder / "detectors.add.xml"
        detectors.write_text(_detectors(lights, areas=not endless), "utf-8")
        further = [*scenario.additional, detectors]
        if walkers:
            further.append(folder / "walkers.add.xml")
            further[-1].write_text(walks_written(walkers, scale), "utf-8")
        self.trips = folder / "trips.xml"
        self._errors = folder / "errors.txt"
        self.arguments = [
            "sumo", "-c", str(scenario.config),
            "--begin", str(scenario.begin_s), "--end", "-1", "--step-length", "1", "--seed", str(seed),
            "--scale", str(scale), "--additional-files", ",".join(map(str, further)),
            # No vehicle is loaded before it sets out: whoever comes after the window can be told by when it is loaded.
            "--route-steps", "1", "--collision.action", "warn",
            "--no-step-log", "true", "--no-warnings", "true", "--duration-log.disable", "true",
            "--error-log", str(self._errors),
        ]  # fmt: skip
        if endless:
            self.arguments += [
                "--time-to-teleport", str(GIVES_UP_S), "--ignore-junction-blocker", str(SQUEEZES_PAST_S),
            ]  # fmt: skip
        else:
            # Who is stuck stays stuck: a vehicle lifted out of the way would hide a gridlock.
            self.arguments += [
                "--time-to-teleport", "-1",
                "--tripinfo-output", str(self.trips), "--tripinfo-output.write-unfinished", "true",
                "--tripinfo-output.write-undeparted", "true",
            ]  # fmt: skip
        if emissions:
            self.arguments += ["--device.emissions.probability", "1"]
        self._letters = [""] * len(lights)
        self._crossings = frozenset(
            movement.approach.rpartition("_")[0]
            for light in lights
            for movement in light.site.junction.movements
            if light.site.junction.groups[movement.group].users is Users.PEDESTRIANS
        )
        self._asking: set[str] = set()
        self._end_s = scenario.end_s
        self._late: set[str] = set()
        self.stood_s_max = 0.0
        self._open: dict[tuple[str, str], bool] = {}
        self._routes: set[str] = set()

    def __enter__(self) -> World:
        quiet = _Quiet()
        try:
            with quiet:
                _sumo.start(self.arguments)
        except Exception as error:
            raise SumoFailed(self._own_words(quiet.said or str(error))) from None
        return self

    def __exit__(self, *_: object) -> None:
        with _Quiet():
            _sumo.close()

    @property
    def waiting(self) -> int:
        """Vehicles and walkers that are under way or have still to set out."""
        return int(_sumo.simulation.getMinExpectedNumber())

    def step(self) -> None:
        """One second. Raises SumoFailed with SUMO's own text."""
        try:
            _sumo.simulationStep()
        except Exception as error:
            raise SumoFailed(self._own_words(str(error))) from None
        self._asking.clear()
        if _persons.getIDCount():
            self._look_at_walkers()

    def _look_at_walkers(self) -> None:
        """Who stands before a crossing of ours. Whoever sets out after the window asks, and is not measured."""
        # SUMO says the second that begins; who departed did in the one before.
        if _sumo.simulation.getTime() > self._end_s:
            self._late.update(_sumo.simulation.getDepartedPersonIDList())
        for name in _persons.getIDList():
            stood_s = _persons.getWaitingTime(name)
            if stood_s > 0:
                ahead = _persons.getNextEdge(name)
                if ahead in self._crossings:
                    self._asking.add(f"{ahead}_0")
                    if name not in self._late:
                        self.stood_s_max = max(self.stood_s_max, stood_s)

    def _asks(self, crossing: str) -> int:
        return int(crossing in self._asking)

    def turn_away(self) -> list[str]:
        """Takes out who was loaded in the last second and has not set out: those that set out after the window."""
        came = self.loaded()
        for name in came:
            # With less demand SUMO has dropped some of those that it loads.
            with suppress(_sumo.TraCIException):
                self.remove(name)
        return came

    def loaded(self) -> list[str]:
        """Who was loaded in the last second, in SUMO's order."""
        return [str(name) for name in _sumo.simulation.getLoadedIDList()]

    def show(self, light: int, letters: str) -> None:
        """Sets what a light shows from now on."""
        if letters != self._letters[light]:
            self._letters[light] = letters
            _sumo.trafficlight.setRedYellowGreenState(self._lights[light].name, letters)

    def shown(self, light: int) -> str:
        """What a light really shows."""
        return str(_sumo.trafficlight.getRedYellowGreenState(self._lights[light].name))

    def counters(self, light: int, wanted: Callable[[str], bool], dead: frozenset[int]) -> Callable[[], list[int]]:
        """What reads a light's detectors: each by its place; UNKNOWN where a detector is dead or not wanted by name."""
        site = self._lights[light].site
        reads: list[tuple[int, Callable[[str], int], str]] = []
        for at, (detector, place) in enumerate(zip(site.junction.detectors, self._lights[light].places, strict=True)):
            if at in dead or not wanted(detector.name):
                continue
            if place.button:
                reads.append((at, self._asks, place.lane))
            elif detector.length_m == 0:
                reads.append((at, _passed, f"{light}/{at}"))
            elif place.whole:
                reads.append((at, _lanes.getLastStepVehicleNumber, place.lane))
            else:
                reads.append((at, _areas.getLastStepVehicleNumber, f"{light}/{at}"))
        silent = [UNKNOWN] * len(site.junction.detectors)

        def read() -> list[int]:
            counts = silent.copy()
            for at, how, name in reads:
                counts[at] = how(name)
            return counts

        return read

    def loops(self, light: int, dead: Set[int] = frozenset()) -> Callable[[], tuple[list[int], list[int]]]:
        """What reads a light's loops, in their order: how many left each in the last second, and in how much of it
        somebody was on it, in percent; both UNKNOWN of one that is dead, by its place among the light's detectors."""
        places = loops_of(self._lights[light].site)
        names = [None if at in dead else f"{light}/{at}" for at in places]
        nothing = [UNKNOWN if name is None else 0 for name in names]

        def read() -> tuple[list[int], list[int]]:
            vehicles, occupancies = nothing.copy(), nothing.copy()
            for at, name in enumerate(names):
                if name is not None and _loops.getLastStepVehicleNumber(name):
                    vehicles[at] = sum(1 for each in _loops.getVehicleData(name) if each[3] >= 0)
                    occupancies[at] = min(100, round(_loops.getLastStepOccupancy(name)))
            return vehicles, occupancies

        return read

    def buttons(self, light: int) -> Callable[[], list[int]]:
        """What reads a light's push-buttons, in their order: 1 where somebody waits to walk."""
        places = self._lights[light].places
        crossings = [places[at].lane for at in buttons_of(self._lights[light].site)]
        return lambda: [self._asks(each) for each in crossings]

    def counted(self, loop: str) -> tuple[int, float, float]:
        """What a loop saw in its last whole period: how many, how fast (m/s, less than 0 where nobody came), and in how
        much of it somebody was on it, in percent."""
        return (
            int(_loops.getLastIntervalVehicleNumber(loop)),
            float(_loops.getLastIntervalMeanSpeed(loop)),
            float(_loops.getLastIntervalOccupancy(loop)),
        )

    def turn_into(self, name: str, sort: Sort) -> bool:
        """Makes a vehicle that was just loaded one of a sort; False where one may not drive its route, or SUMO has
        dropped the vehicle."""
        try:
            route = _sumo.vehicle.getRoute(name)
        except _sumo.TraCIException:
            return False
        may = all(self._may(str(edge), SORTS[sort]) for edge in route)
        if may:
            _sumo.vehicle.setType(name, _named(sort))
        return may

    def _may(self, edge: str, of_class: str) -> bool:
        key = edge, of_class
        if key not in self._open:
            lanes = (f"{edge}_{at}" for at in range(_sumo.edge.getLaneNumber(edge)))
            self._open[key] = any(
                of_class in (_lanes.getAllowed(lane) or (of_class,)) and of_class not in _lanes.getDisallowed(lane)
                for lane in lanes
            )
        return self._open[key]

    def set_out(self) -> list[tuple[str, Sort]]:
        """Who of a sort that goes first set out in the last second."""
        found: list[tuple[str, Sort]] = []
        for name in _sumo.simulation.getDepartedIDList():
            sort = SORT_OF.get(_sumo.vehicle.getVehicleClass(name))
            if sort is not None:
                found.append((str(name), sort))
        return found

    def arrived(self) -> list[str]:
        """Who arrived in the last second."""
        return [str(name) for name in _sumo.simulation.getArrivedIDList()]

    def lost_s(self, name: str) -> float:
        """What a vehicle has lost so far against driving freely."""
        return float(_sumo.vehicle.getTimeLoss(name))

    def comes_to(self, name: str) -> list[tuple[str, int, float]]:
        """The lights on a vehicle's way: each with the place of its link there, and the seconds until the stop line if
        nobody were in the way."""
        pace_m_s = max(float(_sumo.vehicle.getAllowedSpeed(name)), 3.0)
        return [(str(each[0]), int(each[1]), float(each[2]) / pace_m_s) for each in _sumo.vehicle.getNextTLS(name)]

    def next_light(self, name: str) -> Ahead | None:
        """The next light on a vehicle's way, None where it comes to none."""
        vehicle = _sumo.vehicle
        ahead = vehicle.getNextTLS(name)
        if not ahead:
            return None
        stands = vehicle.getSpeed(name) < STANDS_M_S and not vehicle.isStopped(name)
        return Ahead(str(ahead[0][0]), float(ahead[0][2]), stands)

    def send(self, name: str, route: str, sort: str) -> None:
        """Has a vehicle of a sort set out on one of the scenario's routes, in the next second or when there is room."""
        _sumo.vehicle.add(name, route, typeID=sort, departLane="best", departSpeed="max")

    def send_bus(self, name: str, route: str, roads: Sequence[str], halts: Sequence[Halt], sort: str) -> None:
        """Has a vehicle set out along roads, known as a route from then on, that stands at each halt until it is told
        to drive on: off the lane, so that nobody has to wait behind it."""
        if route not in self._routes:
            _sumo.route.add(route, tuple(roads))
            self._routes.add(route)
        _sumo.vehicle.add(name, route, typeID=sort, departLane="best", departSpeed="max")
        for halt in halts:
            edge, _, lane = halt.lane.rpartition("_")
            _sumo.vehicle.setStop(name, edge, halt.at_m, int(lane), NEVER_S, _sumo.constants.STOP_PARKING)

    def walk(self, name: str, walk: Walk, sort: str) -> None:
        """Has somebody of a sort set out on foot."""
        _persons.add(name, walk.roads[0], walk.from_m, typeID=sort)
        _persons.appendWalkingStage(name, walk.roads, walk.to_m)

    def is_under_way(self, name: str) -> bool:
        """Whether a vehicle that was sent is there, or waits for room to set out."""
        try:
            _sumo.vehicle.getRoadID(name)
        except _sumo.TraCIException:
            return False
        return True

    def stops_at(self, name: str) -> tuple[str, float] | None:
        """The halt where a vehicle stands now, by its lane and how far along; None where it stands at none."""
        if not _sumo.vehicle.isStopped(name):
            return None
        (halt,) = _sumo.vehicle.getStops(name, 1)
        return str(halt.lane), float(halt.endPos)

    def drive_on(self, name: str) -> None:
        """Ends the halt of a vehicle that stands at one."""
        _sumo.vehicle.resume(name)

    def remove(self, name: str) -> None:
        """Takes a vehicle off the roads."""
        _sumo.vehicle.remove(name)

    def place(self, name: str) -> tuple[float, float, float] | None:
        """Where a vehicle is, and which way it heads, clockwise from north; None where it has not set out."""
        try:
            east_m, north_m = _sumo.vehicle.getPosition(name)
            heading_deg = float(_sumo.vehicle.getAngle(name))
        except _sumo.TraCIException:
            return None
        return (float(east_m), float(north_m), heading_deg) if heading_deg > INVALID else None

    def standing(self, road: str) -> int:
        """Vehicles that stand on a road."""
        return int(_sumo.edge.getLastStepHaltingNumber(road))

    @property
    def under_way(self) -> int:
        """Vehicles on the roads."""
        return int(_sumo.vehicle.getIDCount())

    def sorts(self) -> dict[str, Sort]:
        """The types of vehicle that are of a sort that goes first."""
        types = _sumo.vehicletype
        found = {str(name): SORT_OF.get(types.getVehicleClass(name)) for name in types.getIDList()}
        return {name: sort for name, sort in found.items() if sort is not None}

    def stuck(self) -> tuple[Stuck, ...]:
        """Who is under way and stands, in order of how many: for the end of a run that did not empty."""
        vehicle = _sumo.vehicle
        rows: dict[tuple[Why, str, str], int] = {}
        for name in vehicle.getIDList():
            head, seen = str(name), {str(name)}
            if vehicle.getSpeed(head) > STANDS_M_S:
                continue
            while leader := vehicle.getLeader(head, 0.0):
                if not leader[0] or leader[0] in seen or vehicle.getSpeed(leader[0]) > STANDS_M_S:
                    break
                head = leader[0]
                seen.add(head)
            ahead = vehicle.getNextTLS(head)
            at_light = bool(ahead) and ahead[0][2] < AT_LINE_M
            why = (Why.BLOCKED if ahead[0][3] in "Gg" else Why.RED) if at_light else Why.ELSEWHERE
            key = (why, str(vehicle.getLaneID(head)), str(ahead[0][0]) if at_light else "")
            rows[key] = rows.get(key, 0) + 1
        for name in _sumo.simulation.getPendingVehicles():
            key = (Why.NO_ROOM, str(_sumo.vehicle.getRoute(name)[0]), "")
            rows[key] = rows.get(key, 0) + 1
        return tuple(Stuck(*key, count) for key, count in sorted(rows.items(), key=lambda row: -row[1]))

    def _own_words(self, text: str) -> str:
        said = self._errors.read_text("utf-8", "replace").strip() if self._errors.exists() else ""
        lines = [line.removeprefix("Error: ").strip() for line in (said or text).splitlines() if line.strip()]
        lines = [line for line in lines if line != "Quitting (on error)."]
        return " ".join(dict.fromkeys(lines)) or "SUMO gave no reason"


class _Quiet:
    """Keeps what SUMO writes past Python from the console of whoever evaluates, while it starts and ends."""

    def __init__(self) -> None:
        self.said = ""

    def __enter__(self) -> None:
        self._out, self._err = os.dup(1), os.dup(2)
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        os.close(nothing)

    def __exit__(self, *_: object) -> None:
        os.dup2(self._out, 1)
        os.dup2(self._err, 2)
        os.close(self._out)
        os.close(self._err)


def _passed(name: str) -> int:
    """Vehicles whose rear left a loop in the last second; OCCUPIED if none did and one is on it."""
    if not _loops.getLastStepVehicleNumber(name):
        return 0
    return sum(1 for each in _loops.getVehicleData(name) if each[3] >= 0) or OCCUPIED


def _detectors(lights: Sequence[Light], *, areas: bool) -> str:
    """SUMO's own file of detectors; each has the light's and its own number for a name."""
    written = [
        _detector(f"{number}/{at}", place)
        for number, light in enumerate(lights)
        for at, place in enumerate(light.places)
        if not place.button and ((areas and not place.whole) or place.start_m == place.end_m)
    ]
    sorts = [f'  <vType id="{_named(sort)}" vClass="{of_class}"/>' for sort, of_class in SORTS.items()]
    return "\n".join(["<additional>", *sorts, *written, "</additional>"])


def _named(sort: Sort) -> str:
    return f"vigie.{sort}"


def _detector(name: str, place: Place) -> str:
    at = f'id={quoteattr(name)} lane={quoteattr(place.lane)} pos="{place.start_m:.2f}"'
    rest = f'period="{NEVER_S}" file="{os.devnull}" friendlyPos="true"'
    if place.start_m == place.end_m:
        return f"  <inductionLoop {at} {rest}/>"
    return f'  <laneAreaDetector {at} endPos="{place.end_m:.2f}" {rest}/>'


def dead_detectors(light: Light, share: float, dice: Random) -> frozenset[int]:
    """Which of a light's detectors say nothing through a whole run, each with the same chance."""
    return frozenset(at for at in range(len(light.places)) if dice.random() < share)
