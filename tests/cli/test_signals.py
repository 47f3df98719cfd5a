"""vigie signals evaluate, as a person and as a program sees it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from tests.sim.traffic.conftest import town as town
from vigie.cli import main
from vigie.sim.traffic.outcome import Outcome

FIELDS = (
    "scenario controller seed vehicles mean_delay_s p95_wait_s max_wait_s stops arrived unfinished violations "
    "bus_delay_s ped_mean_wait_s ped_p95_wait_s person_delay_s wall_s"
).split()


def ask(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["signals", "evaluate", *words])
    return done.exit_code, done.stdout, done.stderr


def test_a_seed_is_an_object_and_the_last_sums_up(town: Path) -> None:
    code, said, _ = ask("--sumocfg", str(town), "--controller", "plan", "--seeds", "3", "--end", "30", "--json")
    assert code == 0
    one, all_of_them = map(json.loads, said.splitlines())
    assert list(one) == FIELDS == list(msgspec.structs.asdict(msgspec.convert(one, Outcome)))
    assert (one["controller"], one["seed"], one["unfinished"], one["violations"]) == ("plan", 3, 0, 0)
    assert (all_of_them["seeds"], all_of_them["worst_seed"]) == (1, 3)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--sumocfg", "nowhere.sumocfg"], "nowhere.sumocfg cannot be read: No such file"),
        (["--controller", "clever"], "no controller 'clever'"),
        (["--seeds", "some"], "names no seeds"),
        (["--begin", "500"], "no window"),
    ],
)
def test_what_is_wrong_is_a_sentence(town: Path, words: list[str], told: str) -> None:
    code, _, said = ask(*(["--sumocfg", str(town)] if "--sumocfg" not in words else []), *words)
    assert code == 1
    assert told in " ".join(said.split())


def test_a_network_without_lights_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.net.xml").write_text("<net/>")
    config = tmp_path / "a.sumocfg"
    config.write_text('<configuration><net-file value="a.net.xml"/><end value="9"/></configuration>')
    code, _, said = ask("--sumocfg", str(config))
    assert (code, "no traffic light" in said) == (1, True)
