"""A run of a scenario under a controller of ours, and what came of it.

Every controller's wishes go through the same sequencer, and an independent kernel looks at what SUMO's lights really
showed, second by second.
"""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from random import Random

from vigie.services.signals.control.adaptive import Adaptive
from vigie.services.signals.control.baselines import Actuated, Each, FixedPlan, Greedy, MaxPressure
from vigie.services.signals.control.calls import Calls
from vigie.services.signals.control.claims import Sort
from vigie.services.signals.control.site import Controller, Plan, Site
from vigie.services.signals.junction import Colour, Second
from vigie.services.signals.safety import Kernel
from vigie.services.signals.sequencer import Sequencer
from vigie.sim.traffic.banded import OverBands
from vigie.sim.traffic.designed import THE_DAY_BEFORE, counted, under, with_plans
from vigie.sim.traffic.favoured import Favoured
from vigie.sim.traffic.inputs import OverInputs
from vigie.sim.traffic.letters import colours_of, letters_of
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import POINTS, Light, lights_of
from vigie.sim.traffic.outcome import Outcome, Trip, co2_kg_of, outcome_of, trips_of
from vigie.sim.traffic.queues import Queue, Queues
from vigie.sim.traffic.scenario import Scenario
from vigie.sim.traffic.walks import walks_of
from vigie.sim.traffic.world import Stuck, World, dead_detectors

CAP_S = 3600
"""How long after its window a run may last until the last vehicle has arrived."""

DESIGNED = "designed"
"""A fixed plan too: not the network's own, but one that was made for who was counted on another day."""

CONTROLLERS: Mapping[str, Callable[[Sequence[Site]], Controller]] = {
    "plan": partial(Each, FixedPlan),
    DESIGNED: partial(Each, FixedPlan),
    "actuated": partial(Each, Actuated),
    "max-pressure": partial(Each, MaxPressure),
    "greedy": partial(Each, Greedy),
    "adaptive": Adaptive,
}


class Actuation(StrEnum):
    """What adaptive control may ask of a junction: a stage, each second; bands of its plan now and then; or a stage by
    inputs, as a post does with sites that have them."""

    DIRECT = "direct"
    BANDS = "bands"
    INPUTS = "inputs"


@dataclass(frozen=True, slots=True)
class Asked:
    """How a scenario is run. loops: adaptive control sees a loop at the stop line and one 45 m upstream in place of
    areas. dropout: the share of detectors that are dead. scale: of the demand. delay_s: from a wish to the street.
    pedestrians: so many an hour walk over crossings with signals, beside those whom the scenario has. buses_h,
    emergencies_h: so many of the vehicles an hour are buses, and on their way to save somebody. priority: adaptive
    control hears who of them comes. closely: queues and CO2 are measured as well, which takes SUMO's time.
    actuation: of adaptive control. plans: in place of the network's own, by the junction."""

    scenario: Scenario
    controller: str
    loops: bool = False
    dropout: float = 0.0
    scale: float = 1.0
    delay_s: int = 0
    pedestrians: int = 0
    buses_h: float = 0.0
    emergencies_h: float = 0.0
    priority: bool = False
    closely: bool = False
    actuation: Actuation = Actuation.DIRECT
    plans: Mapping[str, Plan] = field(default_factory=dict[str, Plan])


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a seed. stuck: who still stood at the cap, and why. control_s, sumo_s: seconds of the processor that
    control and sequencers took, and SUMO. queues, co2_kg: where it was looked at closely."""

    outcome: Outcome
    trips: Sequence[Trip]
    stuck: tuple[Stuck, ...]
    control_s: float
    sumo_s: float
    queues: tuple[Queue, ...] = ()
    co2_kg: float | None = None


def run(asked: Asked, seed: int) -> Run:
    """Runs one seed until the network is empty or the cap is reached.

    Raises NetworkWrong, SumoFailed, OSError, and Unfit for a junction that may not be controlled.
    """
    began = time.perf_counter()
    scenario = asked.scenario
    network = read_network(scenario.network)
    lights = under(lights_of(network), asked.plans)
    walkers = walks_of(network, asked.pedestrians, scenario.begin_s, scenario.end_s, seed)
    if asked.controller == DESIGNED:
        lights = with_plans(lights, counted(scenario, lights, seed + THE_DAY_BEFORE, asked.scale))
    dice = Random(f"detectors {seed}")
    violations, control_s, sumo_s = 0, 0.0, 0.0
    strangers: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="vigie-signals-") as name:
        with World(
            scenario, lights, Path(name), seed=seed, scale=asked.scale, walkers=walkers, emissions=asked.closely
        ) as world:
            queues = Queues(lights if asked.closely else (), world)
            posts = [_Post(asked, light, world, number, dice) for number, light in enumerate(lights)]
            controller = _controller(asked, [light.site for light in lights])
            delay_s = 0 if isinstance(controller, OverBands | OverInputs) else asked.delay_s
            many_h = {Sort.BUS: asked.buses_h, Sort.EMERGENCY: asked.emergencies_h}
            favoured = Favoured(world, lights, many_h, scenario.begin_s, seed)
            wishes = deque([[light.site.plan.greens(scenario.begin_s) for light in lights]] * delay_s)
            for now_s in range(scenario.begin_s, scenario.end_s + CAP_S):
                if not world.waiting:
                    break
                counts = [post.read() for post in posts]
                if asked.priority and isinstance(controller, Adaptive):
                    controller.hear(favoured.claims())
                started = time.process_time()
                wishes.append(list(controller.decide(now_s, counts, [post.second for post in posts])))
                for post, wish in zip(posts, wishes.popleft(), strict=True):
                    post.step(wish)
                control_s += time.process_time() - started
                for post in posts:
                    post.show()
                started = time.process_time()
                world.step()
                sumo_s += time.process_time() - started
                violations += sum(post.look() for post in posts)
                favoured.look(now_s)
                queues.look()
                if now_s >= scenario.end_s - 1:
                    strangers.update(world.turn_away())
            stuck, sorts, trams = world.stuck(), world.sorts(), favoured.trams.end()
        took_s = time.perf_counter() - began
        trips = trips_of(world.trips, strangers, sorts)
        outcome = outcome_of(
            asked, seed, trips, world.trips, stood_s_max=world.stood_s_max, trams=trams, violations=violations,
            wall_s=took_s,
        )  # fmt: skip
        co2_kg = co2_kg_of(world.trips) if asked.closely else None
        return Run(outcome, trips, stuck, control_s, sumo_s, queues.told(scenario.end_s - scenario.begin_s), co2_kg)


def _controller(asked: Asked, sites: Sequence[Site]) -> Controller:
    """Whoever decides. Over bands the link lies between control and the roadside, which wishes by itself."""
    if asked.controller == "adaptive" and asked.actuation is Actuation.BANDS:
        return OverBands(sites, asked.delay_s)
    if asked.controller == "adaptive" and asked.actuation is Actuation.INPUTS:
        return OverInputs(sites, asked.delay_s)
    return CONTROLLERS[asked.controller](sites)


class _Post:
    """One light: its roadside sequencer, what it shows, and the kernel that looks at it."""

    def __init__(self, asked: Asked, light: Light, world: World, number: int, dice: Random) -> None:
        junction = light.site.junction
        self._sequencer = Sequencer(junction)
        self.second: Second = (Colour.RED,) * len(junction.groups)
        dead = dead_detectors(light, asked.dropout, dice)
        self.read = world.counters(number, _wanted(asked), dead)
        self._calls = Calls([light.site]) if light.site.calls else None
        self._points = world.counters(number, lambda name: name.endswith(POINTS), dead)
        self._called: frozenset[int] = frozenset()
        self._light, self._world, self._number = light, world, number
        self._kernel = Kernel(junction)
        self._letters: dict[Second, str] = {}
        self._colours: dict[str, Second] = {}

    def step(self, wish: frozenset[int]) -> None:
        """The next second. The roadside hears of trams by points of its own, whatever controls it."""
        if self._calls is not None:
            self._calls.see([self._points()], [self.second])
            self._called = self._calls.called(0)
        self.second = self._sequencer.step(wish, self._called)

    def show(self) -> None:
        """Has SUMO show the second."""
        letters = self._letters.get(self.second)
        if letters is None:
            letters = self._letters[self.second] = letters_of(self._light, self.second)
        self._world.show(self._number, letters)

    def look(self) -> int:
        """How many violations the kernel finds in what the light really showed."""
        letters = self._world.shown(self._number)
        second = self._colours.get(letters)
        if second is None:
            second = self._colours[letters] = colours_of(self._light, letters)
        return len(self._kernel.see(second, self._called))


def _wanted(asked: Asked) -> Callable[[str], bool]:
    """Which detectors a controller may see, by the end of their name."""
    upstream = () if asked.actuation is Actuation.DIRECT else (" upstream",)
    ends = {
        "plan": (),
        DESIGNED: (),
        "actuated": (" upstream",),
        "adaptive": (
            " stop",
            " entry",
            " button",
            *(() if asked.loops or asked.actuation is Actuation.INPUTS else (" area", " exit", " inside")),
            *(POINTS if asked.priority else ()),
            *upstream,
        ),
    }.get(asked.controller, (" area", " exit"))
    return lambda name: name.endswith(ends) if ends else False
