"""vigie signals: what control of traffic lights is worth, measured on a simulated network."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import Progress
from rich.table import Table

from vigie.cli.common import JsonOption
from vigie.cli.consoles import err, fail, group, out
from vigie.services.signals.safety import Unfit
from vigie.sim.traffic.evaluate import JOBS_MAX, Summary, evaluate, seeds_of, summary_of
from vigie.sim.traffic.netfile import NetworkWrong, read_network
from vigie.sim.traffic.network import lights_of
from vigie.sim.traffic.outcome import Outcome
from vigie.sim.traffic.run import CONTROLLERS, Asked, Run
from vigie.sim.traffic.scenario import ScenarioWrong, read_scenario
from vigie.sim.traffic.world import Stuck, SumoFailed, Why

commands = group("What control of traffic lights is worth, on a simulated network.")


class Detectors(StrEnum):
    """What the adaptive controller sees."""

    AREA = "area"
    LOOPS = "loops"


@commands.command("evaluate")
def evaluate_command(
    sumocfg: Annotated[Path, typer.Option("--sumocfg", help="A configuration of SUMO: network, routes, window.")],
    controller: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(CONTROLLERS)}. May come again.")
    ] = None,
    seeds: Annotated[str, typer.Option(help="SUMO's seeds, each a run: 1-10, or 1,3,8-9.")] = "1-10",
    begin: Annotated[int | None, typer.Option(min=0, help="Second of the window's begin, if not the file's.")] = None,
    end: Annotated[int | None, typer.Option(min=1, help="Second of the window's end, if not the file's.")] = None,
    detectors: Annotated[
        Detectors,
        typer.Option(help="What adaptive control sees: areas within 50 m of stop lines, or two loops a lane."),
    ] = Detectors.AREA,
    dropout: Annotated[
        float, typer.Option("--detector-dropout", min=0, max=1, help="Share of detectors that say nothing.")
    ] = 0.0,
    scale: Annotated[float, typer.Option("--demand-scale", min=0.01, max=10, help="So many times the demand.")] = 1.0,
    delay: Annotated[int, typer.Option(min=0, max=60, help="Seconds from a wish to the junction.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, max=JOBS_MAX, help="Runs at once.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Runs a SUMO scenario under our signal control, under the safety kernel, and says what it did to traffic.

    Every vehicle that is to set out in the window is counted until the network is empty, at most one hour more; none is
    ever lifted out of a jam. With --json: an object a seed, then one that sums them up.
    """
    wanted = tuple(dict.fromkeys(controller or ["adaptive"]))
    unknown = [name for name in wanted if name not in CONTROLLERS]
    if unknown:
        raise fail(f"there is no controller {unknown[0]!r}: there are {', '.join(CONTROLLERS)}")
    summaries: list[Summary] = []
    try:
        numbers = seeds_of(seeds)
        scenario = read_scenario(sumocfg, begin, end)
        # What is wrong with the network is said before a process is started for it.
        lights_of(read_network(scenario.network))
        for name in wanted:
            asked = Asked(scenario, name, detectors is Detectors.LOOPS, dropout, scale, delay)
            runs = _run(asked, numbers, jobs)
            summaries.append(summary_of(runs))
            if as_json:
                for each in (*(one.outcome for one in runs), summaries[-1]):
                    typer.echo(msgspec.json.encode(each))
            else:
                out.print(_table([one.outcome for one in runs], summaries[-1]))
                _say_stuck(summaries[-1].stuck)
    except (NetworkWrong, ScenarioWrong, ValueError) as error:
        raise fail(_of_junction(error) if isinstance(error, Unfit) else str(error)) from None
    except SumoFailed as error:
        raise fail(f"SUMO: {error}") from None
    except OSError as error:
        raise fail(f"{error.filename or sumocfg} cannot be read: {error.strerror}") from None


def _run(asked: Asked, seeds: Sequence[int], jobs: int) -> list[Run]:
    with Progress(console=err, transient=True) as bars:
        task = bars.add_task(f"{asked.scenario.name}, {asked.controller}", total=len(seeds))
        return evaluate(asked, seeds, jobs, lambda: bars.advance(task))


def _of_junction(error: Unfit) -> str:
    return f"a junction of this network may not be controlled as it is: {error}"


def _table(outcomes: Sequence[Outcome], summary: Summary) -> Table:
    table = Table(title=f"{summary.scenario}, {summary.controller}", title_justify="left")
    for name in ("seed", "vehicles", "delay s", "p95 wait s", "max wait s", "stops", "left", "violations", "took s"):
        table.add_column(name, justify="right")
    for each in outcomes:
        table.add_row(
            str(each.seed), f"{each.vehicles:,}", f"{each.mean_delay_s:.1f}", f"{each.p95_wait_s:.0f}",
            f"{each.max_wait_s:.0f}", f"{each.stops:.2f}", str(each.unfinished), str(each.violations),
            f"{each.wall_s:.1f}",
        )  # fmt: skip
    table.add_section()
    table.add_row(
        "all", f"{summary.vehicles:,.0f}", f"{summary.mean_delay_s:.1f}", f"{summary.p95_wait_s:.0f}",
        f"{summary.max_wait_s:.0f}", f"{summary.stops:.2f}", str(summary.unfinished), str(summary.violations), "",
    )  # fmt: skip
    return table


_WHY = {
    Why.RED: "the light is red",
    Why.BLOCKED: "the light is green: it gives way, or has no room to leave",
    Why.ELSEWHERE: "where no traffic light rules",
    Why.NO_ROOM: "never found room to set out",
}


def _say_stuck(stuck: Sequence[Stuck]) -> None:
    for each in stuck:
        at = f" at {each.light}" if each.light else ""
        out.print(
            f"{each.vehicles:>6,} vehicles never arrived, behind {each.lane}{at}: {_WHY[each.why]}", soft_wrap=True
        )
