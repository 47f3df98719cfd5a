"""vigie signals compare, as a person and as a program sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_signals import ask
from tests.sim.traffic.conftest import town as town
from vigie.services.signals.whatif.figures import FIGURES

WINDOW = ("--end", "15")


def test_what_changes_nothing_is_no_worse_and_ends_with_0(town: Path, tmp_path: Path) -> None:
    """Two seeds of today beside today: the same runs, to the last digit."""
    file = tmp_path / "limits.toml"
    file.write_text("[mean_delay_s]\nmore_percent_at_most = 0\n[junction_queue]\nmore_at_most = 0\n")
    same = ("--before", "plan", "--after", "plan", "--seeds", "3-4", "--thresholds", str(file))
    code, said, _ = ask("--sumocfg", str(town), *WINDOW, *same, "--json", command="compare")
    assert code == 0
    told = json.loads(said)
    assert (told["before"], told["after"]) == ({"scenario": "town", "controller": "plan"},) * 2
    assert {each["figure"] for each in told["figures"]} <= FIGURES.keys()
    for each in told["figures"]:
        assert (each["seeds"], each["all_seeds"]["says"]) == ([3, 4], "the same")
        assert (each["all_seeds"]["low"], each["all_seeds"]["high"]) == (0, 0)
    by_name = {each["figure"]: each["all_seeds"]["before"] for each in told["figures"]}
    assert by_name["queue_max"] >= 1
    assert by_name["co2_kg"] > 0.5
    assert len(told["junctions"]) == 9
    assert [each["held"] for each in told["thresholds"]] == ["proved"] * 11


def test_one_seed_proves_nothing_and_ends_with_3(town: Path, tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text("[mean_delay_s]\nmore_percent_at_most = 900\n[bus_delay_s]\nat_most = 60\n")
    one = ("--before", "plan", "--after", "actuated", "--seeds", "3", "--thresholds", str(file))
    code, said, _ = ask("--sumocfg", str(town), *WINDOW, *one, command="compare")
    assert code == 3
    for told in (
        "town: plan before, actuated after",
        "vehicles that stand: where most more do, of 9 junctions",
        "mean delay is not shown: one seed cannot tell, run --seeds 1-10",
        "delay of buses is about nobody: run with --buses, or leave this threshold out",
        "not all thresholds are proved to be kept",
    ):
        assert told in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--after", "clever"], "no controller 'clever'"),
        (["--thresholds", "nowhere.toml"], "nowhere.toml cannot be read: No such file"),
        (["--after-sumocfg", "nowhere.sumocfg"], "nowhere.sumocfg cannot be read: No such file"),
    ],
)
def test_what_is_wrong_is_a_sentence(town: Path, words: list[str], told: str) -> None:
    code, _, said = ask("--sumocfg", str(town), *words, command="compare")
    assert (code, told in " ".join(said.split())) == (1, True)


def test_two_windows_are_not_compared(town: Path, tmp_path: Path) -> None:
    other = tmp_path / "longer.sumocfg"
    longer = town.read_text().replace('<end value="240"/>', '<end value="300"/>')
    other.write_text(longer.replace('value="town.', f'value="{town.parent}/town.'))
    code, _, said = ask("--sumocfg", str(town), "--after-sumocfg", str(other), command="compare")
    assert (code, "not the same, 0 to 240 s and 0 to 300 s: give --begin" in " ".join(said.split())) == (1, True)


def test_a_threshold_that_nobody_knows_is_told_with_the_nearest(town: Path, tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text("[max_wait]\nat_most = 180\n")
    code, _, said = ask("--sumocfg", str(town), "--thresholds", str(file), command="compare")
    assert (code, "Did you mean 'max_wait_s'?" in " ".join(said.split())) == (1, True)
