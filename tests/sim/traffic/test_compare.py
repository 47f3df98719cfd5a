"""A change beside today: who loses is named however good the mean is, and nobody is compared with who is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace as alter
from pathlib import Path

import pytest
from msgspec.structs import replace

from vigie.services.signals.control.claims import Sort
from vigie.services.signals.whatif.figures import FIGURES, JUNCTION_QUEUE
from vigie.services.signals.whatif.paired import Says
from vigie.services.signals.whatif.thresholds import USUAL, Held, Limit
from vigie.sim.traffic.compare import compared
from vigie.sim.traffic.favoured import Trams
from vigie.sim.traffic.outcome import Outcome, Trip, outcome_of
from vigie.sim.traffic.queues import Queue
from vigie.sim.traffic.run import Asked, Run
from vigie.sim.traffic.scenario import Scenario

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


def test_a_junction_of_one_side_alone_is_named_and_not_shown() -> None:
    """A light that is renamed, split or replaced does not pass because nobody looks at it."""
    after = runs([30.0, 35.0, 31.0], {"A": 1.0, "B": 3.0, "C": 2.0, "D renamed": 90.0})
    found = compared(TODAY, after, USUAL)
    assert (found.only_before, found.only_after) == (("D",), ("D renamed",))
    assert [each.junction for each in found.junctions] == ["C", "B", "A"]
    open_ones = [(each.junction, each.held) for each in found.thresholds if each.held is not Held.PROVED]
    assert open_ones == [("D", Held.NOT_SHOWN), ("D renamed", Held.NOT_SHOWN)]
    assert not found.holds
    assert compared(TODAY, after, {"mean_delay_s": Limit(more_at_most=0)}).holds


def test_networks_with_no_junction_in_common_are_not_compared() -> None:
    with pytest.raises(ValueError, match="no junction with signals in common"):
        compared(TODAY, runs([30.0, 35.0, 31.0], {"E": 1.0}), USUAL)


def test_trams_that_lose_break_what_is_usual() -> None:
    slow, slower = (
        [
            alter(each, outcome=replace(each.outcome, tram_delay_s=delay_s + at, tram_stopped=0.5))
            for at, each in enumerate(TODAY)
        ]
        for delay_s in (1.7, 110.0)
    )
    found = compared(slow, slower, USUAL)
    assert {"tram_delay_s", "tram_stopped"} <= {each.figure for each in found.figures}
    assert [each.figure for each in found.thresholds if each.held is not Held.PROVED] == ["tram_delay_s"]
    assert not found.holds


def test_all_that_is_set_holds_where_nobody_loses() -> None:
    found = compared(TODAY, runs([30.0, 35.0, 31.0], {"A": 1.0, "B": 4.0, "C": 2.1, "D": 0.5}), USUAL)
    assert found.holds
    assert {each.junction for each in found.thresholds if each.figure == JUNCTION_QUEUE} == {"A", "B", "C", "D"}


def test_each_figure_is_one_of_an_outcome_or_is_measured_beside_it() -> None:
    beside = {"queue_mean", "queue_max", "co2_kg", JUNCTION_QUEUE}
    assert FIGURES.keys() - beside <= set(Outcome.__struct_fields__)
    assert {each.figure for each in compared(TODAY, CHANGE, USUAL).figures} >= beside - {JUNCTION_QUEUE}


def test_a_tram_is_as_many_persons_as_are_in_one(tmp_path: Path) -> None:
    trips = tmp_path / "trips.xml"
    trips.write_text("<tripinfos/>")
    nowhere = Path("nowhere")
    asked = Asked(Scenario(nowhere, nowhere, (), 0, 60), "plan")
    made = [Trip(0.0, 9.0, 9.0, delay_s, 0.0, 0, sort) for delay_s, sort in ((10.0, Sort.TRAM), (40.0, None))]
    found = outcome_of(asked, 1, made, trips, stood_s_max=0, trams=Trams(), violations=0, wall_s=1)
    assert found.person_delay_s == pytest.approx((60 * 10 + 1.3 * 40) / 61.3, abs=0.01)
