"""What commands on a SUMO scenario have in common: their options, and what can be wrong with one in a sentence."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from vigie.cli.consoles import fail
from vigie.services.signals.safety import Unfit
from vigie.settings import Settings
from vigie.sim.traffic.evaluate import JOBS_MAX
from vigie.sim.traffic.netfile import NetworkWrong, read_network
from vigie.sim.traffic.network import lights_of
from vigie.sim.traffic.run import CONTROLLERS, Actuation
from vigie.sim.traffic.scenario import Scenario, ScenarioWrong, read_scenario
from vigie.sim.traffic.walks import walks_of
from vigie.sim.traffic.world import SumoFailed

PEDESTRIANS_MAX = 20_000
"""More walkers an hour are no network's that is worth simulating here: each is looked at every second."""


class Detectors(StrEnum):
    """What the adaptive controller sees."""

    AREA = "area"
    LOOPS = "loops"


SumocfgOption = Annotated[Path, typer.Option("--sumocfg", help="A configuration of SUMO: network, routes, window.")]
SeedsOption = Annotated[str, typer.Option(help="SUMO's seeds, each a run: 1-10, or 1,3,8-9.")]
BeginOption = Annotated[int | None, typer.Option(min=0, help="Second of the window's begin, if not the file's.")]
EndOption = Annotated[int | None, typer.Option(min=1, help="Second of the window's end, if not the file's.")]
DetectorsOption = Annotated[
    Detectors, typer.Option(help="What adaptive control sees: areas within 50 m of stop lines, or two loops a lane.")
]
DropoutOption = Annotated[
    float, typer.Option("--detector-dropout", min=0, max=1, help="Share of detectors that say nothing.")
]
ScaleOption = Annotated[
    float, typer.Option("--demand-scale", min=0.01, max=10, help="So many times the demand.")
]  # fmt: skip
DelayOption = Annotated[int, typer.Option(min=0, max=60, help="Seconds from a wish to the junction.")]
ActuationOption = Annotated[
    Actuation,
    typer.Option(
        help="What adaptive control may ask: a stage each second; plan, cycle, offset and bands each minute; or a "
        "stage by inputs, as a post steers."
    ),
]
PedestriansOption = Annotated[
    int, typer.Option(min=0, max=PEDESTRIANS_MAX, help="So many an hour walk over crossings with signals.")
]
BusesOption = Annotated[float, typer.Option(min=0, max=10_000, help="So many of the vehicles an hour are buses.")]
EmergenciesOption = Annotated[
    float, typer.Option(min=0, max=10_000, help="So many of the vehicles an hour are on their way to save somebody.")
]
PriorityOption = Annotated[
    bool, typer.Option("--priority", help="Adaptive control lets buses that are late, trams and those go first.")
]
ZONE = Settings().zone
ZoneOption = Annotated[
    str, typer.Option(help="By whose clock the scenario's seconds run from midnight, for counts at instants.")
]
JobsOption = Annotated[int, typer.Option(min=1, max=JOBS_MAX, help="Runs at once.")]


def known(controller: str) -> str:
    """A controller by its name; fails with the names that there are."""
    if controller not in CONTROLLERS:
        raise fail(f"there is no controller {controller!r}: there are {', '.join(CONTROLLERS)}")
    return controller


def known_zone(name: str) -> ZoneInfo:
    """A time zone by its name; fails with how it is written."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise fail(f"there is no time zone {name!r}: write it as IANA does, such as Europe/Paris") from None


def fit_scenario(sumocfg: Path, begin: int | None, end: int | None, pedestrians: int = 0) -> Scenario:
    """Reads a scenario and its network: what is wrong with them is said before a process is started for it.

    Raises what `scenario_errors` says.
    """
    scenario = read_scenario(sumocfg, begin, end)
    network = read_network(scenario.network)
    lights_of(network)
    walks_of(network, pedestrians, scenario.begin_s, scenario.end_s, 1)
    return scenario


@contextmanager
def scenario_errors(sumocfg: Path) -> Generator[None]:
    """Ends the command with a sentence where a scenario cannot be read or run."""
    try:
        yield
    except (NetworkWrong, ScenarioWrong, ValueError) as error:
        raise fail(_of_junction(error) if isinstance(error, Unfit) else str(error)) from None
    except SumoFailed as error:
        raise fail(f"SUMO: {error}") from None
    except OSError as error:
        raise fail(f"{error.filename or sumocfg} cannot be read: {error.strerror}") from None


def _of_junction(error: Unfit) -> str:
    return f"a junction of this network may not be controlled as it is: {error}"
