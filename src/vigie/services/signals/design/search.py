"""Plans of a corridor made better by trying them: one thing is changed at a time, and what costs less stays.

The search is a coordinate descent. The variants of one coordinate go through successive halving (Z. Karnin, T. Koren
and O. Somekh, Almost Optimal Exploration in Multi-Armed Bandits, ICML 2013): all of them on the first seed, the better
half on the next too, and so on; whoever is left is taken if it costs less than what there is on the mean of all seeds,
by more than chance gives the luckiest of so many variants in one coordinate of twenty (Student's t, the level shared
among them after Bonferroni). A search has many coordinates, so some of what it takes is luck still: what was won is
told on other seeds.
Every plan is tried on the same seeds (common random numbers), so that what is special of one does not decide. What a
trial costs is the caller's: the search has no dice, and gives the same for the same costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import permutations
from math import sqrt
from statistics import fmean, stdev

from msgspec.structs import replace as changed

from vigie.core.student import student
from vigie.services.signals.control.site import Plan, Site, Step
from vigie.services.signals.control.sitecheck import site_problems
from vigie.services.signals.design.fixed import delay_s, is_followed

Plans = tuple[Plan, ...]
"""Of the corridor's junctions, in its order."""

FINENESS = 3
"""So often steps are halved before it is said that nothing gets better."""

OFFSET_PART = 8
"""The widest step of an offset: this part of a cycle."""

GREEN_S = 4
"""The widest step of a green."""

SPLITS_MAX = 6
"""So many splits of a junction are tried at once, those that wait least by Webster's formula: each takes a run."""

LUCK = 0.05
"""The chance that one of a coordinate's variants is taken although none of them is better."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Plans that can be tried. what: in which they differ from those before, for people."""

    what: str
    plans: Plans


@dataclass(frozen=True, slots=True)
class Won:
    """A step that stayed. cost: from then on, on the mean of the seeds. trials: so many had been made by then."""

    what: str
    cost: float
    trials: int


class Ended(StrEnum):
    """Why a search ended: no step made it better any more, its rounds were over, or its time."""

    NOTHING_BETTER = "nothing better"
    ROUNDS = "rounds"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to. begun: as what it began. cost: on the mean of the seeds. won: what made it better."""

    plans: Plans
    begun: str
    cost: float
    won: tuple[Won, ...]
    rounds: int
    trials: int
    ended: Ended


class Moves:
    """What can be changed in a corridor's plans. Only what the controller's sequence follows to the second, and what
    nothing refuses in the junction's document, is given."""

    def __init__(self, sites: Sequence[Site], comes_h: Sequence[Sequence[float]]) -> None:
        """comes_h: vehicles an hour by each approach of each site."""
        self._sites, self._comes_h = sites, comes_h
        self._admits = cache(self._admitted)

    def admits(self, plans: Plans) -> bool:
        """Whether each junction may have its plan, and follows it."""
        return all(self._admits(at, changed(plan, offset_s=0)) for at, plan in enumerate(plans))

    def coordinates(self, plans: Plans) -> int:
        """How many there are: a junction's offset each, then its splits."""
        return 2 * len(plans)

    def variants(self, plans: Plans, coordinate: int, fineness: int) -> list[Variant]:
        """What can be tried of a coordinate. fineness: 0 for the widest steps, each further one halves them."""
        at, splits = coordinate % len(plans), coordinate >= len(plans)
        own = self._splits(plans, at, max(1, GREEN_S >> fineness)) if splits else self._offsets(plans, at, fineness)
        found = {each.plans: each for each in own if each.plans != plans}
        return list(found.values())

    def _offsets(self, plans: Plans, at: int, fineness: int) -> list[Variant]:
        """A junction earlier or later, alone, and with all after it: the latter changes what is between it and the one
        before, and nothing else."""
        name = self._sites[at].junction.name
        step_s = max(1, plans[at].cycle_s // (OFFSET_PART << fineness))
        ends = {at + 1: name}
        if 0 < at < len(plans) - 1:
            ends[len(plans)] = f"{name} and all after it"
        return [
            Variant(
                f"{whom}: offset {by_s:+} s",
                tuple(_moved(plan, by_s) if at <= k < end else plan for k, plan in enumerate(plans)),
            )
            for end, whom in ends.items()
            for by_s in (step_s, -step_s)
        ]

    def _splits(self, plans: Plans, at: int, step_s: int) -> list[Variant]:
        """Seconds of one green given to another, in the same cycle."""
        plan, site = plans[at], self._sites[at]
        greens = [k for k, step in enumerate(plan.steps) if step.greens and not step.clears]
        ranked: list[tuple[float, int, int, Plan]] = []
        for gives, gets in permutations(greens, 2):
            if plan.steps[gives].seconds > step_s:
                made = changed(plan, steps=tuple(_given(plan.steps, gives, gets, step_s)))
                ranked.append((delay_s(site, made, self._comes_h[at]), gives, gets, made))
        name = site.junction.name
        found: list[Variant] = []
        for _, gives, gets, made in sorted(ranked, key=lambda each: each[:3]):
            if len(found) < SPLITS_MAX and self._admits(at, changed(made, offset_s=0)):
                what = f"{name}: {step_s} s of stage {greens.index(gives) + 1} to stage {greens.index(gets) + 1}"
                found.append(Variant(what, (*plans[:at], made, *plans[at + 1 :])))
        return found

    def _admitted(self, at: int, plan: Plan) -> bool:
        site = changed(self._sites[at], plan=plan)
        return is_followed(site, plan) and not any(each.refuses for each in site_problems(site))


def _given(steps: Sequence[Step], gives: int, gets: int, seconds: int) -> Iterator[Step]:
    for at, step in enumerate(steps):
        yield changed(step, seconds=step.seconds + (seconds if at == gets else -seconds if at == gives else 0))


def _moved(plan: Plan, by_s: int) -> Plan:
    return changed(plan, offset_s=(plan.offset_s + by_s) % plan.cycle_s)


class Search:
    """A search as it goes on.

    cost: what plans cost on a seed; less is better. over: whether the time is, asked before each further beginning and
    before each coordinate: what is begun then is tried to its end. say: told before each coordinate of the
    round, how many are done, how many there are, and what the best costs.
    """

    def __init__(
        self,
        moves: Moves,
        seeds: Sequence[int],
        cost: Callable[[Plans, int], float],
        over: Callable[[], bool] = lambda: False,
        say: Callable[[int, int, int, float], None] = lambda _round, _done, _count, _best: None,
    ) -> None:
        if not seeds:
            raise ValueError("a search needs a seed at least")
        self._moves, self._seeds, self._over, self._say = moves, seeds, over, say
        self._known: dict[tuple[Plans, int], float] = {}
        self._cost = cost

    @property
    def trials(self) -> int:
        """How many were made: nothing is tried twice."""
        return len(self._known)

    def run(self, begins: Sequence[Variant], rounds_max: int) -> Found:
        """From the best of some beginnings on, as long as anything gets better, and no longer than so many rounds.
        Raises ValueError where no beginning is admitted."""
        admitted = [each for each in begins if self._moves.admits(each.plans)]
        if not admitted:
            raise ValueError("no plan to begin with is one that these junctions can follow to the second")
        best = min(self._begun(admitted), key=lambda each: self.mean(each.plans))
        won: list[Won] = []
        fineness = done = 0
        ended = Ended.NOTHING_BETTER
        plans = best.plans
        while fineness < FINENESS:
            if done >= rounds_max:
                ended = Ended.ROUNDS
                break
            done += 1
            before = plans
            plans = self._round(plans, fineness, done, won)
            fineness += plans == before
            if self._over():
                ended = Ended.TIME
                break
        return Found(plans, best.what, self.mean(plans), tuple(won), done, self.trials, ended)

    def _begun(self, begins: Sequence[Variant]) -> list[Variant]:
        """Those of some beginnings that there is time for, the first in any case. Each is tried on all seeds: a plan
        made for traffic is no small step, that half of the seeds could tell."""
        found: list[Variant] = []
        for each in begins:
            if found and self._over():
                break
            self.mean(each.plans)
            found.append(each)
        return found

    def _round(self, plans: Plans, fineness: int, number: int, won: list[Won]) -> Plans:
        """Each coordinate once."""
        count = self._moves.coordinates(plans)
        for coordinate in range(count):
            if self._over():
                break
            self._say(number, coordinate, count, self.mean(plans))
            variants = self._moves.variants(plans, coordinate, fineness)
            best = self._halved(variants)
            if best is not None and self._is_better(best.plans, plans, len(variants)):
                plans = best.plans
                won.append(Won(best.what, self.mean(plans), self.trials))
        return plans

    def _is_better(self, plans: Plans, than: Plans, of: int) -> bool:
        """Whether plans, the best of so many, cost less by more than luck gives them on these seeds. One seed knows of
        no luck."""
        less = [self.tried(than, seed) - self.tried(plans, seed) for seed in self._seeds]
        if len(less) == 1:
            return less[0] > 0
        # The share is of both sides, and luck is on one of them.
        errors = student(len(less) - 1, 1 - 2 * LUCK / of)
        return fmean(less) > errors * stdev(less) / sqrt(len(less))

    def _halved(self, left: Sequence[Variant]) -> Variant | None:
        """Who is left of variants when each seed has taken the worse half; of equals the first."""
        for at in range(len(self._seeds)):
            left = sorted(left, key=lambda each: self._on(each.plans, at + 1))
            left = left[: max(1, -(-len(left) // 2))]
        return left[0] if left else None

    def mean(self, plans: Plans) -> float:
        """What plans cost on the mean of all seeds."""
        return self._on(plans, len(self._seeds))

    def _on(self, plans: Plans, seeds: int) -> float:
        """The mean on the first seeds."""
        return fmean(self.tried(plans, seed) for seed in self._seeds[:seeds])

    def tried(self, plans: Plans, seed: int) -> float:
        """What plans cost on a seed, tried if nobody did."""
        key = plans, seed
        if key not in self._known:
            self._known[key] = self._cost(plans, seed)
        return self._known[key]
