"""vigie signals compare: a change is tried on a network before it is made, and judged by what was set for it."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich import box
from rich.progress import Progress
from rich.table import Table

from vigie.cli.binding import BindOption, bindings
from vigie.cli.common import JsonOption
from vigie.cli.consoles import err, fail, out
from vigie.cli.scenarios import (
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
from vigie.services.signals.whatif.comparison import Comparison
from vigie.services.signals.whatif.figures import FIGURES, JUNCTION_QUEUE, Sort
from vigie.services.signals.whatif.paired import Paired
from vigie.services.signals.whatif.sealed import FILE_BYTES_MAX, sealed
from vigie.services.signals.whatif.thresholds import USUAL, Held, Judged, Thresholds, ThresholdsWrong, thresholds_of
from vigie.sim.traffic.compare import compare
from vigie.sim.traffic.evaluate import seeds_of
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import lights_of
from vigie.sim.traffic.run import CONTROLLERS, Asked
from vigie.sim.traffic.scenario import Scenario
from vigie.sim.traffic.tried import tried

NOT_HELD = 3
"""How the command ends where a threshold is not proved."""

PLAN = "plan"
"""The controller under which a junction runs a plan of the network's: `designed` has another on each seed."""

LOSERS = 3
NAMED_MAX = 40
THRESHOLDS_BYTES_MAX = 1 << 20


BeforePlanOption = Annotated[
    int | None, typer.Option(min=1, max=255, help="The number that today's plan has in the controllers.")
]
AfterPlanOption = Annotated[
    int | None,
    typer.Option(min=1, max=255, help="The same of the plan with the change: it stands behind the order of this plan."),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="A new file for the sealed result, for `vigie signals tell`.")
]


def compare_command(
    sumocfg: SumocfgOption,
    before: Annotated[str, typer.Option(help=f"What is there today: one of {', '.join(CONTROLLERS)}.")] = "plan",
    after: Annotated[str, typer.Option(help="What would be there: one of the same.")] = "adaptive",
    after_sumocfg: Annotated[
        Path | None,
        typer.Option(help="The configuration with the change, if the network, its plans or its routes change."),
    ] = None,
    seeds: SeedsOption = "1-10",
    thresholds: Annotated[
        Path | None, typer.Option(help="A TOML file of what the change must keep to. Left out: nobody may lose.")
    ] = None,
    begin: BeginOption = None,
    end: EndOption = None,
    detectors: DetectorsOption = Detectors.AREA,
    dropout: DropoutOption = 0.0,
    scale: ScaleOption = 1.0,
    delay: DelayOption = 0,
    pedestrians: PedestriansOption = 0,
    buses: BusesOption = 0.0,
    emergencies: EmergenciesOption = 0.0,
    priority: PriorityOption = False,
    before_plan: BeforePlanOption = None,
    after_plan: AfterPlanOption = None,
    to: OutOption = None,
    bind: BindOption = None,
    jobs: JobsOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Runs a change of plan or control beside what is there today, on the same seeds, and says what it does to whom.

    Of each figure the difference with its 95 % interval, and the junctions that lose most. Ends with 0 where all
    thresholds are proved to be kept, with 3 where one is broken or not shown to be kept.
    """
    plans = _plans((before, after), (before_plan, after_plan))
    if to is not None and to.exists():
        raise fail(f"{to} is there already: name another file")
    limits = USUAL if thresholds is None else _read(thresholds)
    with scenario_errors(sumocfg):
        numbers = seeds_of(seeds)
        sides = [
            Asked(
                fit_scenario(config, begin, end, pedestrians), known(controller), detectors is Detectors.LOOPS, dropout,
                scale, delay, pedestrians, buses, emergencies, priority,
            )
            for config, controller in ((sumocfg, before), (after_sumocfg or sumocfg, after))
        ]  # fmt: skip
        windows = [f"{each.scenario.begin_s} to {each.scenario.end_s} s" for each in sides]
        if windows[0] != windows[1]:
            raise fail(f"the windows are not the same, {windows[0]} and {windows[1]}: give --begin and --end")
        assets = _assets(sides[1].scenario, bind)
        began = datetime.now(UTC)
        with Progress(console=err, transient=True) as bars:
            task = bars.add_task(f"{sides[0].scenario.name}, {before} and {after}", total=2 * len(numbers))
            found = compare(sides[0], sides[1], numbers, limits, jobs, lambda: bars.advance(task))
        if to is not None:
            version = importlib.metadata.version("vigie")
            result = tried(sides, numbers, limits, found, plans=plans, assets=assets, at=began, version=version)
            _write(to, sealed(result))
    if as_json:
        typer.echo(msgspec.json.encode(found))
    else:
        _say(found)
    if not found.holds:
        raise typer.Exit(NOT_HELD)


def _plans(controllers: tuple[str, str], plans: tuple[int | None, int | None]) -> tuple[int | None, int | None]:
    """The numbers of both sides' plans; fails where one is said of what is no plan."""
    for name, controller, plan in zip(("before", "after"), controllers, plans, strict=True):
        if plan is not None and controller != PLAN:
            raise fail(f"--{name}-plan says which plan it is, and {controller} is none")
    return plans


def _assets(scenario: Scenario, bind: Path | None) -> dict[str, str]:
    """The junction of each light: what cannot be bound is said before anything is run. Raises NetworkWrong, OSError,
    ValueError."""
    lights = {light.name: light.name for light in lights_of(read_network(scenario.network))}
    return lights if bind is None else bindings(bind, lights)


def _write(path: Path, data: bytes) -> None:
    if len(data) > FILE_BYTES_MAX:
        raise fail(f"the result has more than {FILE_BYTES_MAX >> 20} MiB: compare with fewer seeds or junctions")
    try:
        with path.open("xb") as file:
            file.write(data)
    except OSError as error:
        raise fail(f"{path} cannot be written: {error.strerror}") from None


def _read(path: Path) -> Thresholds:
    try:
        if path.stat().st_size > THRESHOLDS_BYTES_MAX:
            raise ThresholdsWrong("it is too long for a list of thresholds")
        return thresholds_of(path.read_text("utf-8"))
    except (ThresholdsWrong, UnicodeDecodeError) as error:
        raise fail(f"{path}: {error}") from None
    except OSError as error:
        raise fail(f"{path} cannot be read: {error.strerror}") from None


def _say(found: Comparison) -> None:
    old, new = found.before, found.after
    apart = f" of {new.scenario}" if new.scenario != old.scenario else ""
    rows = [(FIGURES[each.figure].title, each.unit, each.all_seeds) for each in found.figures]
    out.print(_pairs(f"{old.scenario}: {old.controller} before, {new.controller}{apart} after", rows))
    losers = [(each.junction, "", each.queue) for each in found.junctions[:LOSERS]]
    if losers:
        out.print(_pairs(f"vehicles that stand: where most more do, of {len(found.junctions)} junctions", losers))
    for side, names in (("before", found.only_before), ("after", found.only_after)):
        if names:
            out.print(f"there {side} alone, so that nothing is compared: {_listed(names)}", soft_wrap=True)
    out.print(_thresholds(found.thresholds))
    for each in found.thresholds:
        if each.held is not Held.PROVED:
            about = "about " if each.held is Held.NOBODY else ""
            out.print(f"{_name(each)} is {about}{each.held.value}: {_mend(each)}", soft_wrap=True)
    out.print("all thresholds are proved to be kept" if found.holds else "not all thresholds are proved to be kept")


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {more:,} more (--json lists all)" if more > 0 else "")


def _pairs(title: str, rows: Sequence[tuple[str, str, Paired]]) -> Table:
    table = _table(title, ("", "before", "after", "by", "95 % within", "share", "worst seed", "after is"))
    for name, unit, each in rows:
        table.add_row(
            f"{name}, {unit}" if unit else name, _number(each.before), _number(each.after),
            _number(each.difference, "+"), _within(each.low, each.high),
            "" if each.share_percent is None else f"{each.share_percent:+.1f} %", str(each.worst_seed), each.says.value,
        )  # fmt: skip
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    """A table whose numbers are whole on a narrow screen, whatever lines words then take."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in columns:
        words = name in _WORDS
        table.add_column(name, justify="left" if words else "right", no_wrap=name not in _WRAPPED)
    return table


_WRAPPED = ("", "worst seed", "after is")
_WORDS = ("", "is", "at most", "after is")


def _within(low: float | None, high: float | None) -> str:
    return "" if low is None else f"{_number(low, '+')} to {_number(high, '+')}"


def _number(value: float | None, sign: str = "") -> str:
    """With as many digits as a reader can use."""
    if value is None:
        return ""
    return f"{value:{sign},.{1 if abs(value) >= 10 else 2}f}" if value else "0"


def _thresholds(judged: Sequence[Judged]) -> Table:
    """Each threshold; of the junctions those alone that are not proved, and how many are."""
    table = _table("thresholds", ("", "is", "at most", "before", "after", "over it", "95 % within"))
    kept = [each for each in judged if each.figure == JUNCTION_QUEUE and each.held is Held.PROVED]
    for each in judged:
        if each not in kept:
            table.add_row(
                _name(each), each.held.value, _limit(each), _number(each.before), _number(each.after),
                _number(each.over, "+"), _within(each.low, each.high),
            )  # fmt: skip
    if kept:
        apart = any(each.figure == JUNCTION_QUEUE and each not in kept for each in judged)
        name = f"standing at {len(kept)} others" if apart else "standing at each junction"
        table.add_row(name, Held.PROVED.value, _limit(kept[0]), *[""] * 4)
    return table


def _name(judged: Judged) -> str:
    return f"standing at {judged.junction}" if judged.junction else FIGURES[judged.figure].title


def _limit(judged: Judged) -> str:
    unit = FIGURES[judged.figure].unit
    unit = " s" if unit == "s" else ""
    return {
        "at_most": f"{judged.limit:g}{unit}",
        "more_at_most": f"{judged.limit:+g}{unit}",
        "more_percent_at_most": f"{judged.limit:+g} %",
    }[judged.bound]


_ON_FOOT = "run with --pedestrians"
_TRAMS = "take a network on which trams run"
_LACKS = {
    "bus_delay_s": "run with --buses",
    "tram_delay_s": _TRAMS,
    "tram_stopped": _TRAMS,
    "emergency_travel_s": "run with --emergencies",
    "ped_mean_wait_s": _ON_FOOT,
    "ped_p95_wait_s": _ON_FOOT,
    "ped_max_wait_s": _ON_FOOT,
    "walkers_left": _ON_FOOT,
    JUNCTION_QUEUE: "take a network whose junctions have signals",
}
"""What brings somebody whom a figure is about."""


def _mend(judged: Judged) -> str:
    """What brings it to be kept, or to be known."""
    if judged.held is Held.NOBODY:
        return f"{_LACKS.get(judged.figure, 'nothing has this figure')}, or leave this threshold out"
    if judged.held is Held.BROKEN:
        seen = FIGURES[judged.figure].sort is not Sort.MEAN and (judged.low is None or judged.low <= 0)
        return "on a seed that was run. Change the plan, or the limit" if seen else "change the plan, or the limit"
    if judged.held is Held.PROVED:
        return ""
    if judged.before is None or judged.after is None:
        return "it is on one side alone. Give it the same name on both, or judge it by itself"
    if judged.low is None:
        return "one seed cannot tell, run --seeds 1-10"
    if judged.seeds_wanted is not None:
        return f"about {judged.seeds_wanted} seeds would prove it, if the mean stays"
    if judged.over is not None and judged.over > 0:
        return "the mean is over it, more seeds would sooner break than prove it"
    return "the mean is so near that no number of seeds proves it. Allow a little more"
