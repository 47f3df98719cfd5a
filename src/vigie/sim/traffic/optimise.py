"""A corridor's plans made better by driving them: the search for plans, with SUMO to say what each costs, and what
came of it on days that the search did not see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from vigie.services.signals.design.search import Found, Moves, Plans, Search, Variant
from vigie.services.signals.whatif.paired import Paired, Says, paired
from vigie.sim.traffic.designed import Designed, in_a_wave, on_corridor
from vigie.sim.traffic.run import Asked, run
from vigie.sim.traffic.scenario import Scenario

CYCLES = (1.0, 0.75, 1.25)
"""Cycles to begin with: these parts of the one that Webster's formula has."""


@dataclass(frozen=True, slots=True)
class Optimised:
    """What a search came to. plans: those that were found, where they are shown to be better than the designed ones on
    other seeds, else the designed. on_seeds, fresh: the mean delay of all vehicles of the network, under the designed
    plans before and those that were found after: on the seeds of the search, and on others. fresh_own: on the latter,
    under the network's own plans before, and `plans` after."""

    found: Found
    plans: Plans
    on_seeds: Paired
    fresh: Paired
    fresh_own: Paired


def optimised(
    scenario: Scenario,
    designed: Sequence[Designed],
    corridor: Sequence[str],
    seeds: Sequence[int],
    fresh: Sequence[int],
    rounds_max: int,
    *,
    over: Callable[[], bool],
    say: Callable[[str, int, int], None],
) -> Optimised:
    """Searches better plans for a corridor, the other junctions under the network's own.

    designed: all junctions, each with a plan by itself. seeds: on what every plan is tried; fresh: on what the outcome
    is judged. over: whether the time of the search is. say: what is being done, how much of it is, and how much there
    is. Raises ValueError for what is no corridor, and what `run` raises.
    """

    def cost(plans: Plans, seed: int) -> float:
        asked = Asked(scenario, "plan", plans=dict(zip(corridor, plans, strict=True)))
        return run(asked, seed).outcome.mean_delay_s

    rounds: dict[int, str] = {}

    def told(number: int, done: int, count: int, best_s: float) -> None:
        say(rounds.setdefault(number, f"round {number}, from {best_s:.1f} s"), done, count)

    own = on_corridor(designed, corridor)
    moves = Moves([each.site for each in own], [each.comes_h for each in own])
    search = Search(moves, seeds, cost, over, told)
    begins = list(_begins(designed, corridor))
    first = begins[0].plans
    tries = list(product([each.plans for each in begins if moves.admits(each.plans)], seeds))
    for at, (plans, seed) in enumerate(tries):
        if at >= len(seeds) and over():
            break
        say("what to begin with", at, len(tries))
        search.tried(plans, seed)
    found = search.run(begins, rounds_max)

    sides = first, tuple(each.site.plan for each in own), found.plans
    judged: dict[tuple[Plans, int], float] = {}
    for at, (plans, seed) in enumerate(product(sides, fresh)):
        say("seeds that the search did not see", at, len(sides) * len(fresh))
        if (plans, seed) not in judged:
            judged[plans, seed] = cost(plans, seed)
    before, today, after = ([judged[plans, seed] for seed in fresh] for plans in sides)
    won = paired(fresh, before, after)
    kept, costs = (found.plans, after) if won.says is Says.BETTER else (first, before)
    searched = [[search.tried(plans, seed) for seed in seeds] for plans in (first, found.plans)]
    return Optimised(found, kept, paired(seeds, *searched), won, paired(fresh, today, costs))


def _begins(designed: Sequence[Designed], corridor: Sequence[str]) -> Iterator[Variant]:
    """Plans of Webster's greens in a green wave, of a few cycles, the formula's first; and the network's own, which no
    formula made and may be better for all that. Raises ValueError for what is no corridor."""
    made, bands = in_a_wave(designed, corridor)
    formula_s = bands.cycle_s
    seen: set[int] = set()
    for part in CYCLES:
        if part != 1:
            try:
                made, bands = in_a_wave(designed, corridor, round(part * formula_s))
            except ValueError:
                # Near that one there is no cycle that all of them have room in.
                continue
        if bands.cycle_s not in seen:
            seen.add(bands.cycle_s)
            yield Variant(f"designed plans of {bands.cycle_s} s in a green wave", tuple(each.plan for each in made))
    yield Variant("the network's own plans", tuple(each.site.plan for each in on_corridor(designed, corridor)))
