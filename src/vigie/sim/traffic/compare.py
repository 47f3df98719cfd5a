"""A change beside today, both run on the same seeds: figure by figure, junction by junction, and what is set for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from vigie.services.signals.whatif.comparison import AtJunction, Compared, Comparison, Side
from vigie.services.signals.whatif.figures import FIGURES, JUNCTION_QUEUE
from vigie.services.signals.whatif.paired import paired
from vigie.services.signals.whatif.thresholds import USUAL, Held, Judged, Thresholds, holds, judge
from vigie.sim.traffic.evaluate import evaluate
from vigie.sim.traffic.outcome import mean
from vigie.sim.traffic.run import Asked, Run


def compare(
    before: Asked,
    after: Asked,
    seeds: Sequence[int],
    thresholds: Thresholds,
    jobs: int,
    done: Callable[[], None] = lambda: None,
) -> Comparison:
    """Runs both sides on the same seeds, at most `jobs` runs at once. done: called after each run.

    Raises what `run` and `compared` raise.
    """
    old, new = (evaluate(replace(each, closely=True), seeds, jobs, done) for each in (before, after))
    return compared(old, new, thresholds)


def compared(old: Sequence[Run], new: Sequence[Run], thresholds: Thresholds) -> Comparison:
    """Sets runs of the same seeds, in the same order, beside each other. Raises ValueError where the two networks have
    junctions, and none in common."""
    seeds = [each.outcome.seed for each in old]
    was, became = ([figures_of(each) for each in runs] for runs in (old, new))
    figures = tuple(
        found for name in FIGURES if name != JUNCTION_QUEUE and (found := _compared(name, seeds, was, became))
    )
    stood, stands = ([standing_by_junction(each) for each in runs] for runs in (old, new))
    # Who is on one side alone stays here with nothing on the other: renamed or replaced, it must not leave unseen.
    values = {
        name: ([each[name] for each in stood if name in each], [each[name] for each in stands if name in each])
        for name in {**stood[0], **stands[0]}
    }
    both = {name: pair for name, pair in values.items() if all(pair)}
    if values and not both:
        raise ValueError("the two networks have no junction with signals in common: nothing says what became of any")
    junctions = [AtJunction(name, paired(seeds, *pair)) for name, pair in both.items()]
    judged = _judged(figures, values, thresholds)
    return Comparison(
        before=Side(old[0].outcome.scenario, old[0].outcome.controller),
        after=Side(new[0].outcome.scenario, new[0].outcome.controller),
        figures=figures,
        junctions=tuple(sorted(junctions, key=lambda each: -each.queue.difference)),
        only_before=tuple(name for name, (_, after) in values.items() if not after),
        only_after=tuple(name for name, (before, _) in values.items() if not before),
        thresholds=tuple(judged),
        holds=holds(judged),
    )


def figures_of(run: Run) -> dict[str, float]:
    """All figures of the whole network that a run has."""
    said = {name: getattr(run.outcome, name, None) for name in FIGURES}
    if run.queues:
        said["queue_mean"] = mean([each.mean for each in run.queues])
        said["queue_max"] = max(each.longest for each in run.queues)
    said["co2_kg"] = run.co2_kg
    return {name: float(value) for name, value in said.items() if value is not None}


def standing_by_junction(run: Run) -> dict[str, float]:
    """How many vehicles stood at each junction on the mean."""
    found: dict[str, float] = {}
    for each in run.queues:
        found[each.junction] = found.get(each.junction, 0.0) + each.mean
    return found


def _compared(
    name: str, seeds: Sequence[int], was: Sequence[Mapping[str, float]], became: Sequence[Mapping[str, float]]
) -> Compared | None:
    """A figure on the seeds that have it on both sides; None where none has. Nobody walks: nothing is said of who
    walks."""
    both = [
        (seed, old[name], new[name])
        for seed, old, new in zip(seeds, was, became, strict=True)
        if name in old and name in new
    ]
    if not both or (name == "walkers_left" and not any("ped_mean_wait_s" in each for each in was)):
        return None
    numbers, before, after = zip(*both, strict=True)
    result = paired(numbers, before, after)
    return Compared(name, FIGURES[name].unit, result, numbers, tuple(zip(before, after, strict=True)))


def _judged(
    figures: Sequence[Compared],
    junctions: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    thresholds: Thresholds,
) -> list[Judged]:
    by_name = {each.figure: each.by_seed for each in figures}
    found: list[Judged] = []
    for name, limit in thresholds.items():
        if name == JUNCTION_QUEUE:
            for junction, (old, new) in junctions.items() or [("", ((), ()))]:
                found += judge(name, limit, old, new, junction)
        else:
            pairs = by_name.get(name, ())
            found += judge(name, limit, [old for old, _ in pairs], [new for _, new in pairs])
    # Whoever set nothing asked for nothing of those who are not there.
    return [each for each in found if thresholds is not USUAL or each.held is not Held.NOBODY]
