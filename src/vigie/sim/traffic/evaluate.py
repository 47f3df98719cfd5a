"""Seeds of a scenario, each in a process of its own, and what they come to together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import msgspec

from vigie.sim.traffic.outcome import mean
from vigie.sim.traffic.run import Asked, Run, run
from vigie.sim.traffic.world import Stuck

JOBS_MAX = 2
SEEDS_MAX = 1_000


class Summary(msgspec.Struct, frozen=True):
    """All seeds of one controller together: means of the seeds, but where it says the worst or the greatest."""

    scenario: str
    controller: str
    seeds: int
    vehicles: float
    mean_delay_s: float
    worst_delay_s: float
    worst_seed: int
    p95_wait_s: float
    max_wait_s: float
    stops: float
    arrived: int
    unfinished: int
    violations: int
    bus_delay_s: float | None
    ped_mean_wait_s: float | None
    ped_p95_wait_s: float | None
    person_delay_s: float | None
    walkers: int
    walkers_left: int
    ped_max_wait_s: float | None
    ped_delay_s: float | None
    others_delay_s: float | None
    emergency_travel_s: float | None
    tram_delay_s: float | None
    tram_stopped: float | None
    control_share: float
    """Seconds of control for each second of SUMO's."""
    stuck: list[Stuck]
    actuation: str = "direct"


def seeds_of(text: str) -> tuple[int, ...]:
    """`1-10`, `7` or `1,3,8-9`. Raises ValueError with what is wrong."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise ValueError(f"{text!r} names no seeds: write 1-10, or 1,3,8-9")
        found += range(int(first), int(last or first) + 1)
        if len(found) > SEEDS_MAX:
            raise ValueError(f"{text!r} names more than {SEEDS_MAX} seeds")
    if not found:
        raise ValueError(f"{text!r} names no seed")
    return tuple(dict.fromkeys(found))


def evaluate(asked: Asked, seeds: Sequence[int], jobs: int, done: Callable[[], None] = lambda: None) -> list[Run]:
    """Runs all seeds, at most `jobs` at once, and gives them in their order. done: called after each.

    SUMO is one for a process, so each seed has its own. Raises what `run` raises.
    """
    with ProcessPoolExecutor(min(jobs, JOBS_MAX), get_context("spawn"), max_tasks_per_child=1) as pool:
        runs = [pool.submit(run, asked, seed) for seed in seeds]
        try:
            for each in as_completed(runs):
                each.result()
                done()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [each.result() for each in runs]


def summary_of(runs: Sequence[Run]) -> Summary:
    """The figures of all seeds together."""
    outcomes = [each.outcome for each in runs]
    worst = max(outcomes, key=lambda each: each.mean_delay_s)
    longest = [each.ped_max_wait_s for each in outcomes if each.ped_max_wait_s is not None]
    return Summary(
        scenario=worst.scenario,
        controller=worst.controller,
        seeds=len(runs),
        vehicles=round(mean([each.vehicles for each in outcomes]), 1),
        mean_delay_s=round(mean([each.mean_delay_s for each in outcomes]), 2),
        worst_delay_s=worst.mean_delay_s,
        worst_seed=worst.seed,
        p95_wait_s=round(mean([each.p95_wait_s for each in outcomes]), 2),
        max_wait_s=max(each.max_wait_s for each in outcomes),
        stops=round(mean([each.stops for each in outcomes]), 3),
        arrived=sum(each.arrived for each in outcomes),
        unfinished=sum(each.unfinished for each in outcomes),
        violations=sum(each.violations for each in outcomes),
        bus_delay_s=_mean(each.bus_delay_s for each in outcomes),
        walkers=sum(each.walkers for each in outcomes),
        walkers_left=sum(each.walkers_left for each in outcomes),
        ped_mean_wait_s=_mean(each.ped_mean_wait_s for each in outcomes),
        ped_p95_wait_s=_mean(each.ped_p95_wait_s for each in outcomes),
        ped_max_wait_s=max(longest, default=None),
        ped_delay_s=_mean(each.ped_delay_s for each in outcomes),
        person_delay_s=_mean(each.person_delay_s for each in outcomes),
        others_delay_s=_mean(each.others_delay_s for each in outcomes),
        emergency_travel_s=_mean(each.emergency_travel_s for each in outcomes),
        tram_delay_s=_mean(each.tram_delay_s for each in outcomes),
        tram_stopped=_mean(each.tram_stopped for each in outcomes),
        control_share=round(sum(each.control_s for each in runs) / max(1e-9, sum(each.sumo_s for each in runs)), 3),
        stuck=[each for one in runs for each in one.stuck],
        actuation=worst.actuation,
    )


def _mean(values: Iterable[float | None]) -> float | None:
    """The mean of the seeds that have a value."""
    there = [each for each in values if each is not None]
    return round(mean(there), 2) if there else None
