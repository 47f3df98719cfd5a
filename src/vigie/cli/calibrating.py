"""vigie signals calibrate: a scenario is given the traffic that was counted, and driven to see whether it has it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from vigie.cli.common import JsonOption, progress
from vigie.cli.consoles import fail, out
from vigie.cli.scenarios import ZONE, SumocfgOption, ZoneOption, known_zone, scenario_errors
from vigie.cli.whatif import NOT_HELD
from vigie.services.signals.whatif.geh import OK_BELOW, SHARE_MIN, met_share
from vigie.sim.traffic.calibrate import calibrate
from vigie.sim.traffic.counts import Places, loops_in, read_counts
from vigie.sim.traffic.driven import Met, beside, driven
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import lights_of
from vigie.sim.traffic.scenario import read_scenario
from vigie.sim.traffic.sumotools import ToolFailed
from vigie.sim.traffic.tried import note_calibration

SHOWN_MAX = 40


class Unused(msgspec.Struct, frozen=True):
    """A place whose counts say nothing of a road or a turn, and why."""

    place: str
    why: str


class Calibrated(msgspec.Struct, frozen=True):
    """A calibration as `vigie signals calibrate --json` says it. drawn, kept: vehicles that were drawn for the counts,
    and that go on as before. met_share: of the counts whose GEH was below 5 as driven. unfinished: who never arrived in
    that run, under the network's own plans."""

    sumocfg: str
    drawn: int
    kept: int
    counts: tuple[Met, ...]
    unused: tuple[Unused, ...]
    met_share: float
    met: bool
    mean_delay_s: float
    unfinished: int


def calibrate_command(
    sumocfg: SumocfgOption,
    counts: Annotated[
        Path, typer.Option(help="A CSV with the columns place, from, to, and vehicles or flow_h (vehicles an hour).")
    ],
    to: Annotated[Path, typer.Option("--out", help="The folder of the new scenario: empty, or not there yet.")],
    zone: ZoneOption = ZONE,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn, and SUMO's of the run that is counted.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Makes a scenario with the traffic that was counted: the same network and ways, driven as often as counts say.

    It is driven once under the network's own plans, and counted where the city counts. Ends with 0 where GEH is below 5
    for 85 % of the counts as driven (UK TAG unit M3.1), with 3 where it is not. What is made is for evaluate and
    compare.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise fail(f"{to} is there and not empty: name another folder")
    with scenario_errors(sumocfg), progress() as say:
        # Its own window is of no matter: the one that is made is that of the counts.
        scenario = read_scenario(sumocfg, 0, 1)
        network = read_network(scenario.network)
        lights_of(network)
        observed = read_counts(counts, known_zone(zone))
        targets, unused = Places(network, loops_in(scenario.additional)).targets(observed)
        with _made_whole(to) as folder:
            try:
                drawn = calibrate(scenario, network, targets, folder, seed, say)
            except ToolFailed as error:
                raise fail(f"SUMO: {error}") from None
            say("driving what was made", 0, 1)
            made = read_scenario(drawn.config)
            came = driven(made, targets, seed)
            met = beside(targets, drawn.routed, came)
            share = met_share([each.geh_driven for each in met])
            note_calibration(made, len(met), round(share, 4))
    found = Calibrated(
        str(to / drawn.config.name), drawn.drawn, drawn.kept, met, tuple(Unused(*each) for each in unused.items()),
        round(share, 4), share >= SHARE_MIN, came.outcome.mean_delay_s, came.outcome.unfinished,
    )  # fmt: skip
    if as_json:
        typer.echo(msgspec.json.encode(found))
    else:
        _say(found)
    if not found.met:
        raise typer.Exit(NOT_HELD)


@contextmanager
def _made_whole(to: Path) -> Generator[Path]:
    """A folder that is there under its name once all in it is made, and not at all where that fails."""
    to = to.resolve()
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        beside = TemporaryDirectory(prefix=f".{to.name}-", dir=to.parent)
    except OSError as error:
        raise fail(f"{to} cannot be made: {error.strerror}") from None
    with beside as name:
        folder = Path(name) / to.name
        folder.mkdir()
        yield folder
        if to.exists():
            to.rmdir()
        folder.rename(to)


def _say(found: Calibrated) -> None:
    below = sum(each.met for each in found.counts)
    out.print(f"{found.drawn:,} vehicles drawn, {found.kept:,} as before: {found.sumocfg}", soft_wrap=True)
    out.print(
        f"{below:,} of {len(found.counts):,} counts are met as driven (GEH below {OK_BELOW:g}): "
        f"{100 * found.met_share:.0f} %, where {100 * SHARE_MIN:.0f} % are asked for",
        soft_wrap=True,
    )
    out.print(f"mean delay {found.mean_delay_s:.1f} s, {found.unfinished:,} never arrived", soft_wrap=True)
    missed = sorted((each for each in found.counts if not each.met), key=lambda each: -each.geh_driven)
    if missed:
        out.print(_missed(missed[:SHOWN_MAX]))
        for each in missed[:SHOWN_MAX]:
            out.print(f"{each.name} from {each.begin_s} s: {_why(each)}", soft_wrap=True)
    if len(missed) > SHOWN_MAX:
        out.print(f"and {len(missed) - SHOWN_MAX:,} more (--json lists all)")
    for each in found.unused[:SHOWN_MAX]:
        out.print(f"{each.place} is not used: {each.why}", soft_wrap=True)
    if len(found.unused) > SHOWN_MAX:
        out.print(f"and {len(found.unused) - SHOWN_MAX:,} more places are not used (--json lists all)")


def _missed(missed: Sequence[Met]) -> Table:
    table = Table(title="counts that are not met", title_justify="left")
    for name in ("road or turn", "from s", "to s", "counted", "routed", "GEH", "driven", "GEH "):
        table.add_column(name, justify="left" if name == "road or turn" else "right")
    for each in missed:
        table.add_row(
            each.name, str(each.begin_s), str(each.end_s), f"{each.asked:,.0f}", f"{each.routed:,}",
            f"{each.geh_routed:.1f}", f"{each.driven:,}", f"{each.geh_driven:.1f}",
        )  # fmt: skip
    return table


def _why(missed: Met) -> str:
    if not missed.routed and missed.asked:
        return "no route passes it that has room in the other counts. Give the scenario one"
    if missed.geh_routed >= OK_BELOW:
        return "the ways over it are bound by other counts: these contradict it, or the scenario lacks a way"
    if missed.driven < missed.asked:
        return "fewer came through in time than set out: a queue before it, or its time is short beside the way there"
    return "more came in this time than set out for it: who was held up before came through"
