"""vigie signals: junctions taken in from a network, and what control of them is worth on a simulated one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import Progress
from rich.table import Table

from vigie.api.words import words
from vigie.app.signals import Became, Taken, take_in
from vigie.cli.binding import BindOption, bindings
from vigie.cli.calibrating import calibrate_command
from vigie.cli.common import ConfigOption, DataOption, JsonOption, ReasonOption, plain_errors, progress
from vigie.cli.consoles import err, fail, group, out
from vigie.cli.daily import design_day_command
from vigie.cli.designing import design_command
from vigie.cli.scenarios import (
    ActuationOption,
    BeginOption,
    BusesOption,
    DelayOption,
    Detectors,
    DetectorsOption,
    DropoutOption,
    EmergenciesOption,
    EndOption,
    JobsOption,
    PedestriansOption,
    PriorityOption,
    ScaleOption,
    SeedsOption,
    SumocfgOption,
    fit_scenario,
    known,
    scenario_errors,
)  # fmt: skip
from vigie.cli.telling import tell_command
from vigie.cli.whatif import compare_command
from vigie.core.plans import Finding
from vigie.services.signals.plans import ANSWER_LENGTH_MAX, bound
from vigie.settings import load_settings
from vigie.sim.traffic.evaluate import Summary, evaluate, seeds_of, summary_of
from vigie.sim.traffic.netfile import NetworkWrong, read_network
from vigie.sim.traffic.network import lights_of
from vigie.sim.traffic.outcome import Outcome
from vigie.sim.traffic.run import CONTROLLERS, Actuation, Asked, Run
from vigie.sim.traffic.world import Stuck, Why

commands = group("Junctions taken in from a network, and what control of them is worth on a simulated one.")

commands.command("compare")(compare_command)
commands.command("tell")(tell_command)
commands.command("calibrate")(calibrate_command)
commands.command("design")(design_command)
commands.command("design-day")(design_day_command)

SHOWN_MAX = 200


@commands.command("evaluate")
def evaluate_command(
    sumocfg: SumocfgOption,
    controller: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(CONTROLLERS)}. May come again.")
    ] = None,
    seeds: SeedsOption = "1-10",
    begin: BeginOption = None,
    end: EndOption = None,
    detectors: DetectorsOption = Detectors.AREA,
    dropout: DropoutOption = 0.0,
    scale: ScaleOption = 1.0,
    actuation: ActuationOption = Actuation.DIRECT,
    delay: DelayOption = 0,
    pedestrians: PedestriansOption = 0,
    buses: BusesOption = 0.0,
    emergencies: EmergenciesOption = 0.0,
    priority: PriorityOption = False,
    jobs: JobsOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Runs a SUMO scenario under our signal control, under the safety kernel, and says what it did to traffic.

    Every vehicle that is to set out in the window is counted until the network is empty, at most one hour more; none is
    ever lifted out of a jam. With --pedestrians people walk as well, and wait at crossings. With --json: an object a
    seed, then one that sums them up.
    """
    wanted = [known(name) for name in dict.fromkeys(controller or ["adaptive"])]
    if actuation is not Actuation.DIRECT and (wanted != ["adaptive"] or priority):
        raise fail("bands and inputs are set by adaptive control alone, and tell nothing of who goes first")
    summaries: list[Summary] = []
    with scenario_errors(sumocfg):
        numbers = seeds_of(seeds)
        scenario = fit_scenario(sumocfg, begin, end, pedestrians)
        for name in wanted:
            asked = Asked(
                scenario, name, detectors is Detectors.LOOPS, dropout, scale, delay, pedestrians, buses, emergencies,
                priority, actuation=actuation,
            )  # fmt: skip
            runs = _run(asked, numbers, jobs)
            summaries.append(summary_of(runs))
            if as_json:
                for each in (*(one.outcome for one in runs), summaries[-1]):
                    typer.echo(msgspec.json.encode(each))
            else:
                out.print(_table([one.outcome for one in runs], summaries[-1]))
                if summaries[-1].walkers:
                    out.print(_walkers([one.outcome for one in runs], summaries[-1]))
                _say_stuck(summaries[-1].stuck)


def _run(asked: Asked, seeds: Sequence[int], jobs: int) -> list[Run]:
    with Progress(console=err, transient=True) as bars:
        task = bars.add_task(f"{asked.scenario.name}, {asked.controller}", total=len(seeds))
        return evaluate(asked, seeds, jobs, lambda: bars.advance(task))


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


def _walkers(outcomes: Sequence[Outcome], summary: Summary) -> Table:
    table = Table(title=f"{summary.scenario}, {summary.controller}: on foot", title_justify="left")
    for name in ("seed", "walkers", "mean wait s", "p95 wait s", "longest wait s", "delay s", "left", "person delay s"):
        table.add_column(name, justify="right")
    for each in (*outcomes, summary):
        if each is summary:
            table.add_section()
        figures = (
            each.ped_mean_wait_s, each.ped_p95_wait_s, each.ped_max_wait_s, each.ped_delay_s, each.person_delay_s,
        )  # fmt: skip
        waits = ["" if figure is None else f"{figure:.1f}" for figure in figures]
        name = str(each.seed) if isinstance(each, Outcome) else "all"
        table.add_row(name, f"{each.walkers:,}", *waits[:4], str(each.walkers_left), waits[4])
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


@commands.command("take-in")
def take_in_command(
    network: Annotated[Path, typer.Argument(help="A network of SUMO: a .net.xml, gzipped or not.")],
    bind: BindOption = None,
    answer: Annotated[
        str, typer.Option(help="What you answer in writing to what does not refuse: kept in those documents.")
    ] = "",
    dry: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Takes junctions in from a network: what adaptive control and the junction page know of each; also while the post
    runs.

    Each document is in force at once, in place of the one before; the same network again changes nothing. A junction
    with something that must be mended is left out and told, and the command ends with 1.
    """
    if len(answer) > ANSWER_LENGTH_MAX:
        raise fail(f"an answer has at most {ANSWER_LENGTH_MAX:,} characters, and this one {len(answer):,}")
    try:
        lights = {light.name: light.site for light in lights_of(read_network(network))}
        assets = {name: name for name in lights} if bind is None else bindings(bind, lights)
    except (NetworkWrong, ValueError) as error:
        raise fail(str(error)) from None
    except OSError as error:
        raise fail(f"{error.filename or network} cannot be read: {error.strerror}") from None
    with plain_errors(), progress() as say:
        settings = load_settings(config, data=data)
        taken = take_in(settings, bound(lights, assets), answer=answer, reason=reason, dry=dry, say=say)
    if as_json:
        typer.echo(msgspec.json.encode(taken))
    else:
        _say_taken(taken, len(lights) - len(assets), dry=dry)
    if any(each.became in _LEFT for each in taken):
        raise typer.Exit(1)


_LEFT = (Became.REFUSED, Became.OWED, Became.DRAFTED)
_STANDS = {
    Became.REFUSED: "is left out: mend this first",
    Became.OWED: "is left out: answer for this with --answer, or mend it",
    Became.DRAFTED: "is left alone: somebody has a draft of its document. Have it approved or discarded",
}


def _say_taken(taken: Sequence[Taken], unbound: int, *, dry: bool) -> None:
    """What became of how many, then each junction that something is wrong with, and what mends it."""
    counts = Counter(each.became for each in taken)
    for became in Became:
        if counts[became] or became in (Became.MADE, Became.CHANGED, Became.UNCHANGED):
            out.print(f"{became.value:>10}  {counts[became]:,}")
    if unbound:
        out.print(f"{unbound:,} lights of the network are bound to no junction")
    told = [each for each in taken if each.findings or each.became in _LEFT]
    for each in told[:SHOWN_MAX]:
        out.print()
        stands = _STANDS.get(each.became, "is in force, and this was answered for")
        out.print(f"{each.asset} {stands}", style="bold", soft_wrap=True, markup=False)
        for finding in each.findings:
            out.print(f"  {_said(finding)}", soft_wrap=True, markup=False)
    if len(told) > SHOWN_MAX:
        out.print(f"and {len(told) - SHOWN_MAX:,} more (--json lists all)")
    if dry:
        out.print("nothing was changed: this is what would be")


def _said(finding: Finding) -> str:
    article = f" ({finding.article})" if finding.article else ""
    return words("en")(f"finding.{finding.rule}", **finding.detail) + article
