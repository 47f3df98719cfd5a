"""Runs of the town: all vehicles are counted, and no controller, not even noise, brings an unsafe second about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from tests.sim.traffic.conftest import VEHICLES
from vigie.services.signals.control.claims import Sort
from vigie.services.signals.control.site import Site
from vigie.services.signals.junction import Second
from vigie.sim.traffic import run as running
from vigie.sim.traffic.evaluate import seeds_of, summary_of
from vigie.sim.traffic.outcome import percentile
from vigie.sim.traffic.run import Actuation, Asked, run
from vigie.sim.traffic.scenario import read_scenario
from vigie.sim.traffic.world import SumoFailed, Why


class Noise:
    """Wishes whatever comes: stages, halves of them, and sets that conflict."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self._sites = sites
        self._dice = Random(3)

    def decide(self, now_s: int, counts: Sequence[Sequence[int]], shown: Sequence[Second]) -> list[frozenset[int]]:
        return [
            frozenset(at for at in range(len(site.junction.groups)) if self._dice.random() < 0.3)
            if self._dice.random() < 0.5
            else self._dice.choice(site.junction.stages).greens
            for site in self._sites
        ]


@pytest.mark.parametrize("controller", ["designed", "adaptive"])
def test_all_who_set_out_are_counted_and_arrive(town: Path, controller: str) -> None:
    found = run(Asked(read_scenario(town), controller), 101).outcome
    assert (found.vehicles, found.arrived, found.unfinished, found.violations) == (VEHICLES, VEHICLES, 0, 0)
    assert 0 < found.mean_delay_s < 90
    assert found.p95_wait_s <= found.max_wait_s


def test_noise_brings_no_unsafe_second_about(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(running.CONTROLLERS, "noise", Noise)
    found = run(Asked(read_scenario(town), "noise"), 101)
    assert found.outcome.violations == 0


def test_with_loops_dead_detectors_and_a_slow_link(town: Path) -> None:
    asked = Asked(read_scenario(town), "adaptive", loops=True, dropout=0.3, delay_s=2)
    found = run(asked, 101).outcome
    assert (found.unfinished, found.violations) == (0, 0)


def test_by_inputs_as_a_post_steers_sites_it_is_another_than_the_plan_and_safe(town: Path) -> None:
    scenario = read_scenario(town, end_s=120)
    asked = Asked(scenario, "adaptive", delay_s=2, pedestrians=600, actuation=Actuation.INPUTS)
    found = run(asked, 101).outcome
    assert (found.unfinished, found.violations, found.walkers_left) == (0, 0, 0)
    assert found.mean_delay_s < run(Asked(scenario, "plan", pedestrians=600), 101).outcome.mean_delay_s


def test_buses_and_who_saves_somebody_go_first_and_nothing_unsafe_comes_of_it(town: Path) -> None:
    asked = Asked(read_scenario(town), "adaptive", buses_h=150, emergencies_h=60)
    without, found = (run(replace(asked, priority=priority), 101) for priority in (False, True))
    sorts = Counter(each.sort for each in found.trips)
    # Ten of the four minutes are buses and four are on the way to save somebody, give or take where the dice begin.
    assert 9 <= sorts[Sort.BUS] <= 11
    assert 3 <= sorts[Sort.EMERGENCY] <= 5
    assert Counter(each.sort for each in without.trips) == sorts
    for each in (without.outcome, found.outcome):
        assert (each.vehicles, each.unfinished, each.violations) == (VEHICLES, 0, 0)
    assert found.outcome.bus_delay_s is not None
    # Of ten buses and four minutes nothing is to be said; who goes first of all is quicker.
    assert (found.outcome.emergency_travel_s or 0) < (without.outcome.emergency_travel_s or 0)


def test_trams_that_points_tell_of_do_not_stop_at_signals(tramline: Path) -> None:
    asked = Asked(read_scenario(tramline), "adaptive")
    without, heard = (run(replace(asked, priority=priority), 101).outcome for priority in (False, True))
    for each in (without, heard):
        assert (each.unfinished, each.violations) == (0, 0)
    # Two trams pass four junctions each.
    assert without.tram_stopped is not None
    assert without.tram_stopped > 0.3
    assert heard.tram_stopped == 0
    assert (heard.tram_delay_s or 0) < 10 < (without.tram_delay_s or 0)


def test_who_sets_out_after_the_window_is_nobody(town: Path) -> None:
    found = run(Asked(read_scenario(town, end_s=60), "greedy", scale=0.5, closely=True), 101)
    # 40 set out in the first minute; half of them, give or take SUMO's dice.
    assert 10 <= found.outcome.vehicles <= 30
    assert found.outcome.unfinished == 0
    assert found.stuck == ()
    # Nor does anybody else stand or emit: a car has 0.2 to 0.4 kg of CO2 for a way of a km through the town.
    assert sum(each.mean for each in found.queues) * 60 <= sum(each.wait_s for each in found.trips) * 1.1
    assert found.co2_kg is not None
    assert 0.1 < found.co2_kg / found.outcome.vehicles < 0.5


def test_who_does_not_arrive_is_counted_and_told_by_what_holds_it(town: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is cut off while lights are red: behind them stand some of those that have not arrived."""
    monkeypatch.setattr(running, "CAP_S", 0)
    found = run(Asked(read_scenario(town, end_s=90), "plan"), 101)
    assert found.outcome.unfinished > 0
    assert found.outcome.arrived + found.outcome.unfinished == found.outcome.vehicles
    assert 0 < sum(each.vehicles for each in found.stuck) <= found.outcome.unfinished
    at_red = [each for each in found.stuck if each.why is Why.RED]
    assert at_red
    assert all(each.light and each.lane for each in at_red)


def test_sumo_says_itself_what_is_wrong(town: Path) -> None:
    config = town.with_name("broken.sumocfg")
    config.write_text(town.read_text().replace("town.rou.xml", "nowhere.rou.xml"))
    with pytest.raises(SumoFailed, match=r"nowhere\.rou\.xml"):
        run(Asked(read_scenario(config), "plan"), 1)


def test_seeds_are_written_as_people_write_them() -> None:
    assert seeds_of("1-3") == (1, 2, 3)
    assert seeds_of("7, 1-2,7") == (7, 1, 2)
    for wrong in ("", "a", "3-", "-1", "5-4", "1-99999"):
        with pytest.raises(ValueError, match="seed"):
            seeds_of(wrong)


def test_a_summary_names_the_worst_seed(town: Path) -> None:
    one = run(Asked(read_scenario(town, end_s=20), "plan"), 5)
    summary = summary_of([one, one])
    assert (summary.seeds, summary.worst_seed, summary.arrived) == (2, 5, 2 * one.outcome.arrived)
    assert summary.mean_delay_s == pytest.approx(one.outcome.mean_delay_s)


def test_a_percentile_is_a_value_that_was_seen() -> None:
    assert percentile([], 0.95) == 0.0
    assert percentile([3.0, 1.0, 2.0], 0.95) == 3.0
    assert percentile([float(n) for n in range(1, 101)], 0.95) == 95.0
