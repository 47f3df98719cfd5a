"""A change beside today: who loses is named however good the mean is, and nobody is compared with who is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from msgspec.structs import replace

from vigie.services.signals.whatif.figures import FIGURES, JUNCTION_QUEUE
from vigie.services.signals.whatif.paired import Says
from vigie.services.signals.whatif.thresholds import USUAL, Held, Limit
from vigie.sim.traffic.compare import compared
from vigie.sim.traffic.outcome import Outcome
from vigie.sim.traffic.queues import Queue
from vigie.sim.traffic.run import Run

SEED = Outcome(
    scenario="town", controller="plan", seed=1, vehicles=100, mean_delay_s=40.0, p95_wait_s=90.0, max_wait_s=150.0,
    stops=2.0, arrived=100, unfinished=0, violations=0, bus_delay_s=None, ped_mean_wait_s=None, ped_p95_wait_s=None,
    person_delay_s=40.0, wall_s=1.0, walkers=0, walkers_left=0, ped_max_wait_s=None, ped_delay_s=None,
    others_delay_s=40.0, emergency_travel_s=None, tram_delay_s=None, tram_stopped=None,
)  # fmt: skip


def runs(delays_s: Sequence[float], standing: Mapping[str, float], co2_kg: float = 30.0) -> list[Run]:
    """Seeds from 1 on with such delays; two approaches of a junction share what stands there, more on later seeds."""
    return [
        Run(
            replace(SEED, seed=at, mean_delay_s=delay_s),
            (), (), 0.0, 1.0,
            tuple(
                Queue(name, f"{name} {road}", number / 2 + at / 100, round(10 * number) + at)
                for name, number in standing.items()
                for road in ("north", "south")
            ),
            co2_kg + at,
        )
        for at, delay_s in enumerate(delays_s, 1)
    ]  # fmt: skip


TODAY = runs([40.0, 44.0, 42.0], {"A": 3.0, "B": 4.0, "C": 2.0, "D": 1.0})
CHANGE = runs([30.0, 35.0, 31.0], {"A": 1.0, "B": 7.0, "C": 2.1, "D": 0.5}, co2_kg=27.0)


def test_a_junction_that_lost_is_named_though_the_mean_is_better() -> None:
    found = compared(TODAY, CHANGE, USUAL)
    by_name = {each.figure: each for each in found.figures}
    assert by_name["mean_delay_s"].by_seed == ((40.0, 30.0), (44.0, 35.0), (42.0, 31.0))
    assert (by_name["mean_delay_s"].all_seeds.says, by_name["mean_delay_s"].all_seeds.worst_seed) == (Says.BETTER, 2)
    assert by_name["co2_kg"].all_seeds.difference == -3.0
    assert by_name["queue_max"].all_seeds.before == 42.0
    assert by_name["queue_mean"].all_seeds.before == pytest.approx(10 / 8 + 0.02)
    assert [each.junction for each in found.junctions] == ["B", "C", "D", "A"]
    lost = found.junctions[0].queue
    assert (lost.before, lost.after, lost.says) == (4.04, 7.04, Says.WORSE)
    broken = [each for each in found.thresholds if each.held is not Held.PROVED]
    assert [(each.figure, each.junction, each.held) for each in broken] == [(JUNCTION_QUEUE, "B", Held.BROKEN)]
    assert not found.holds


def test_who_is_not_there_has_no_figure_and_breaks_what_was_set_for_him_alone() -> None:
    found = compared(TODAY, CHANGE, USUAL)
    named = {each.figure for each in found.figures}
    assert not named & {"bus_delay_s", "ped_p95_wait_s", "ped_max_wait_s", "walkers_left", "emergency_travel_s"}
    assert not {each.figure for each in found.thresholds} & {"bus_delay_s", "walkers_left"}
    asked = compared(TODAY, CHANGE, {"bus_delay_s": Limit(more_percent_at_most=0)})
    assert [each.held for each in asked.thresholds] == [Held.NOBODY]
    assert not asked.holds


def test_of_networks_with_no_junction_in_common_none_is_proved() -> None:
    found = compared(TODAY, runs([30.0, 35.0, 31.0], {"E": 1.0}), {JUNCTION_QUEUE: Limit(more_at_most=9)})
    assert found.junctions == ()
    assert [each.held for each in found.thresholds] == [Held.NOBODY]


def test_all_that_is_set_holds_where_nobody_loses() -> None:
    found = compared(TODAY, runs([30.0, 35.0, 31.0], {"A": 1.0, "B": 4.0, "C": 2.1, "D": 0.5}), USUAL)
    assert found.holds
    assert {each.junction for each in found.thresholds if each.figure == JUNCTION_QUEUE} == {"A", "B", "C", "D"}


def test_each_figure_is_one_of_an_outcome_or_is_measured_beside_it() -> None:
    beside = {"queue_mean", "queue_max", "co2_kg", JUNCTION_QUEUE}
    assert FIGURES.keys() - beside <= set(Outcome.__struct_fields__)
    assert {each.figure for each in compared(TODAY, CHANGE, USUAL).figures} >= beside - {JUNCTION_QUEUE}
