"""vigie signals design: fixed plans for who comes, by a formula, and made better by driving them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from vigie.cli.common import JsonOption, progress
from vigie.cli.consoles import fail, out
from vigie.cli.scenarios import BeginOption, EndOption, SumocfgOption, scenario_errors
from vigie.services.signals.control.site import Step
from vigie.services.signals.design.corridor import corridor_of
from vigie.services.signals.design.fixed import delay_s
from vigie.services.signals.design.search import Ended, Plans, Won
from vigie.services.signals.design.waves import Wave, wave_as_it_is
from vigie.services.signals.whatif.paired import Paired, Says
from vigie.sim.traffic.designed import Designed, counted, designs, in_a_wave, on_corridor
from vigie.sim.traffic.evaluate import seeds_of
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import lights_of
from vigie.sim.traffic.optimise import Optimised, optimised
from vigie.sim.traffic.scenario import Scenario, read_scenario

ROUNDS_MAX = 100


class DesignedPlan(msgspec.Struct):
    """A junction's plan as `vigie signals design --json` says it. Waits by Webster's formula, in seconds; steps as in
    the junction's document."""

    junction: str
    vehicles_h: float
    cycle_before_s: int
    cycle_s: int
    offset_s: int
    wait_before_s: float
    wait_s: float
    steps: tuple[Step, ...]


class DesignedWave(msgspec.Struct):
    """A corridor's bands: in how many seconds of the cycle one may set out and meet green all along."""

    cycle_s: int
    there_s: int
    back_s: int


class Search(msgspec.Struct):
    """What a search came to, as `vigie signals design --optimise --json` says it: with what it began, what it took, why
    it ended, what made the plans better; and the mean delay of all vehicles, under the designed plans before and the
    found ones after, on the seeds of the search and on those of the check; and on these under the network's own plans
    before and the plans that are told after: the found ones where on_check_seeds says better, else the designed."""

    begun: str
    rounds: int
    runs: int
    ended: str
    won: tuple[Won, ...]
    seeds: tuple[int, ...]
    check_seeds: tuple[int, ...]
    on_seeds: Paired
    on_check_seeds: Paired
    own_on_check_seeds: Paired


def design_command(
    sumocfg: SumocfgOption,
    corridor: Annotated[
        list[str] | None, typer.Option(help="A junction of a green wave; again for each, in their order.")
    ] = None,
    begin: BeginOption = None,
    end: EndOption = None,
    seed: Annotated[int, typer.Option(min=0, help="SUMO's seed of the run that is counted.")] = 1,
    optimise: Annotated[bool, typer.Option("--optimise", help="Make the corridor's plans better by driving them.")] = (
        False
    ),
    seeds: Annotated[str, typer.Option(help="With --optimise: the seeds that every plan is tried on.")] = "1-5",
    check_seeds: Annotated[
        str, typer.Option(help="With --optimise: other seeds, on which the outcome is judged.")
    ] = "101-110",
    rounds: Annotated[
        int, typer.Option(min=1, max=ROUNDS_MAX, help="With --optimise: each offset and split is tried so often.")
    ] = 8,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="With --optimise: after so long the search begins no further step. "
            "The first plans and the check are driven in any case.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Designs fixed plans for who comes: counts a run under the network's own plans, and makes each junction one whose
    cycle and greens cost least by Webster's formula; with --corridor one cycle for these, and the offsets of a green
    wave; with --optimise offsets, greens and cycle that are better when they are driven, judged on other seeds.

    What they are worth in traffic says `vigie signals evaluate --controller designed`.
    """
    with scenario_errors(sumocfg):
        scenario = read_scenario(sumocfg, begin, end)
        tried, fresh = seeds_of(seeds), seeds_of(check_seeds)
        if optimise:
            _need_fit(corridor, {seed, *tried}, fresh)
        lights = lights_of(read_network(scenario.network))
        with progress() as say:
            say(f"counting {scenario.name}", 0, 1)
            found = designs(lights, counted(scenario, lights, seed))
            say(f"counting {scenario.name}", 1, 1)
            made: Wave | None = None
            came: Optimised | None = None
            if optimise and corridor:
                over = _over(minutes)
                came = optimised(scenario, found, corridor, tried, fresh, rounds, over=over, say=say)
                found, made = _with(on_corridor(found, corridor), came.plans)
            elif corridor:
                found, made = in_a_wave(found, corridor)
    search = None if came is None else _search_told(came, tried, fresh)
    rows = [plan_told(each) for each in found]
    if as_json:
        typer.echo(msgspec.json.encode({"plans": rows, "wave": wave_told(made), "search": search}))
        return
    _say(scenario, rows)
    if made is not None:
        out.print(f"green wave: {made.there_s} s of {made.cycle_s} there, {made.back_s} s back")
    if search is not None:
        _say_search(search)


def _need_fit(corridor: Sequence[str] | None, seen: set[int], fresh: Sequence[int]) -> None:
    """Fails where there is nothing to optimise, or the judges have seen it before."""
    if not corridor:
        raise fail("--optimise takes a corridor: name its junctions with --corridor, in their order")
    known = sorted(seen & set(fresh))
    if known:
        raise fail(f"seed {known[0]} is one that plans are made for: name others as --check-seeds")


def _over(minutes: float | None) -> Callable[[], bool]:
    """Whether so many minutes from now are over."""
    ends = None if minutes is None else monotonic() + 60 * minutes
    return lambda: ends is not None and monotonic() >= ends


def _with(own: Sequence[Designed], plans: Plans) -> tuple[list[Designed], Wave | None]:
    """The corridor under these plans, and its bands, where they have one cycle."""
    found = [
        Designed(each.site, each.comes_h, plan, each.before_s, delay_s(each.site, plan, each.comes_h))
        for each, plan in zip(own, plans, strict=True)
    ]
    one = len({plan.cycle_s for plan in plans}) == 1
    return found, wave_as_it_is(corridor_of([each.site for each in own], plans)) if one else None


def plan_told(designed: Designed) -> DesignedPlan:
    """A junction's plan as it is told."""
    plan, before = designed.plan, designed.site.plan
    return DesignedPlan(
        designed.site.junction.name, round(sum(designed.comes_h), 1), before.cycle_s, plan.cycle_s, plan.offset_s,
        round(designed.before_s, 2), round(designed.after_s, 2), plan.steps,
    )  # fmt: skip


def wave_told(made: Wave | None) -> DesignedWave | None:
    """A corridor's bands as they are told."""
    return None if made is None else DesignedWave(made.cycle_s, made.there_s, made.back_s)


def _search_told(came: Optimised, tried: tuple[int, ...], fresh: tuple[int, ...]) -> Search:
    found = came.found
    return Search(
        found.begun, found.rounds, found.trials, found.ended.value, found.won, tried, fresh, came.on_seeds, came.fresh,
        came.fresh_own,
    )  # fmt: skip


def _say(scenario: Scenario, rows: Sequence[DesignedPlan]) -> None:
    table = Table(title=f"{scenario.name}: plans for who was counted", title_justify="left")
    for name in ("junction", "vehicles/h", "cycle s", "greens s", "offset s", "wait s", "was"):
        table.add_column(name, justify="left" if name in ("junction", "greens s") else "right")
    for row in rows:
        greens = " ".join(str(step.seconds) for step in row.steps if not step.clears)
        table.add_row(
            row.junction, f"{row.vehicles_h:,.0f}", str(row.cycle_s), greens, str(row.offset_s), f"{row.wait_s:.1f}",
            f"{row.wait_before_s:.1f}",
        )  # fmt: skip
    out.print(table)


_ENDED = {
    Ended.NOTHING_BETTER: "nothing got better any more",
    Ended.ROUNDS: "its rounds were over, more --rounds may find more",
    Ended.TIME: "its time was over, more --minutes may find more",
}


def _say_search(search: Search) -> None:
    """What was won, and whether it is: on the seeds that it was found on it always looks so."""
    out.print(
        f"search: began with {search.begun}, ended after {search.rounds} rounds and {search.runs} runs since "
        f"{_ENDED[Ended(search.ended)]}",
        soft_wrap=True,
    )
    for each in search.won:
        out.print(f"  {each.what}: {each.cost:.2f} s", soft_wrap=True)
    out.print("mean delay of all vehicles of the network:")
    out.print(f"  on the seeds of the search {beside(search.on_seeds)}", soft_wrap=True)
    out.print(f"  on seeds that it did not see {beside(search.on_check_seeds)}", soft_wrap=True)
    out.print(f"  the network's own plans and those above {beside(search.own_on_check_seeds)}", soft_wrap=True)
    out.print(_verdict(search.on_check_seeds, search.own_on_check_seeds), soft_wrap=True)


def beside(pair: Paired) -> str:
    """Two sides as a sentence has them: seconds before and after, and what that says."""
    within = "" if pair.low is None else f", 95 % within {pair.low:+.2f} to {pair.high:+.2f}"
    return f"{pair.before:.2f} before, {pair.after:.2f} after: {pair.difference:+.2f} s{within}: {pair.says.value}"


_VERDICTS = {
    Says.BETTER: "won: what was found is better than the designed plans on seeds that it was not chosen for",
    Says.WORSE: "lost: what was found fits the seeds of the search alone, and the designed plans stay. Search on more "
    "--seeds",
    Says.SAME: "nothing won: the search found nothing better than the designed plans",
    Says.OPEN: "nothing is shown to be won over the designed plans, which stay: more --check-seeds tell more, "
    "and what is found on more --seeds holds on others",
    Says.ONE_SEED: "one seed cannot tell whether anything is won, and the designed plans stay: name several as "
    "--check-seeds",
}


_OVER_TODAY = {
    Says.BETTER: ". The plans above are better than the network's own",
    Says.WORSE: ". The network's own plans are better than those above: leave them",
    Says.SAME: ". The plans above are no better than the network's own: leave them",
    Says.OPEN: ". Over the network's own plans nothing is shown to be won",
    Says.ONE_SEED: "",
}


def _verdict(fresh: Paired, own: Paired) -> str:
    return _VERDICTS[fresh.says] + _OVER_TODAY[own.says]
