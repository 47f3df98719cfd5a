"""vigie signals compare, as a person and as a program sees it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from tests.cli.test_signals import ask
from tests.post import NO_RESERVE, now_us
from tests.services.signals.control.sites import crossroads
from tests.services.signals.whatif.tried import tried
from tests.sim.traffic.conftest import town as town
from vigie.app import installation
from vigie.core.drafts import Draft
from vigie.core.times import DAY_US
from vigie.services.signals.whatif.figures import FIGURES
from vigie.services.signals.whatif.sealed import read_sealed, sealed
from vigie.settings import Settings
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import lights_of

WINDOW = ("--end", "15")


def test_what_changes_nothing_is_no_worse_and_ends_with_0(town: Path, tmp_path: Path) -> None:
    """Two seeds of today beside today: the same runs, to the last digit."""
    file = tmp_path / "limits.toml"
    file.write_text("[mean_delay_s]\nmore_percent_at_most = 0\n[junction_queue]\nmore_at_most = 0\n")
    same = ("--before", "plan", "--after", "plan", "--seeds", "3-4", "--thresholds", str(file))
    bind, out = tmp_path / "bind.csv", tmp_path / "told.json"
    names = [light.name for light in lights_of(read_network(town.parent / "town.net.xml"))]
    bind.write_text(f"light,asset\n{names[0]},junction-7\n")
    sealing = ("--after-plan", "4", "--bind", str(bind), "--out", str(out))
    code, said, _ = ask("--sumocfg", str(town), *WINDOW, *same, *sealing, "--json", command="compare")
    assert code == 0
    _, kept = read_sealed(out.read_bytes())
    assert (kept.to, kept.lights, kept.usual, kept.calibration) == (
        "plan 4", {"junction-7": names[0]}, False, None,
    )  # fmt: skip
    assert (kept.run.seeds, kept.run.end_s, kept.before.network) == ((3, 4), 15, kept.after.network)
    assert json.loads(msgspec.json.encode(kept.result)) == json.loads(said)
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
        (["--after-plan", "4"], "--after-plan says which plan it is, and adaptive is none"),
        (["--out", "/"], "/ is there already: name another file"),
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


def test_a_sealed_result_is_told_to_the_post_on_this_machine(tmp_path: Path) -> None:
    data, file = tmp_path / "post", tmp_path / "told.json"
    file.write_bytes(sealed(tried([crossroads("junction-7"), crossroads("elsewhere")], now_us() - DAY_US)))
    code, _, said = ask(str(file), "--data", str(data), command="tell")
    assert (code, "there is no post" in said) == (1, True)
    with installation(Settings(data=data, **NO_RESERVE)) as opened:
        opened.take_assets("town", [Draft(key="7", id="junction-7", kind="junction", name="Gare", lon=5, lat=47.3)])
    code, said, _ = ask(str(file), "--data", str(data), command="tell")
    assert (code, " ".join(said.split())) == (
        0, "adaptive at junction-7: it keeps all that was set for it not here, and left out: elsewhere",
    )  # fmt: skip
    file.write_bytes(file.read_bytes().replace(b'"holds":true', b'"holds":false'))
    code, _, said = ask(str(file), "--data", str(data), command="tell")
    assert (code, "the seal is broken" in " ".join(said.split())) == (1, True)
