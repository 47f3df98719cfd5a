"""vigie signals evaluate, as a person and as a program sees it."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from tests.sim.traffic.conftest import town as town
from vigie.cli import main
from vigie.cli.daily import period_told
from vigie.services.signals.dayplans import read
from vigie.services.signals.design.day import HOUR_S, Period
from vigie.sim.traffic.daily import PeriodPlans
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import lights_of
from vigie.sim.traffic.outcome import Outcome

FIELDS = (
    "scenario controller seed vehicles mean_delay_s p95_wait_s max_wait_s stops arrived unfinished violations "
    "bus_delay_s ped_mean_wait_s ped_p95_wait_s person_delay_s wall_s walkers walkers_left ped_max_wait_s "
    "ped_delay_s others_delay_s emergency_travel_s tram_delay_s tram_stopped actuation"
).split()


def ask(*words: str, command: str = "evaluate") -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["signals", command, *words])
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
        (["--controller", "plan", "--actuation", "bands"], "bands and inputs are set by adaptive control alone"),
    ],
)
def test_what_is_wrong_is_a_sentence(town: Path, words: list[str], told: str) -> None:
    code, _, said = ask(*(["--sumocfg", str(town)] if "--sumocfg" not in words else []), *words)
    assert code == 1
    assert told in " ".join(said.split())


def test_a_network_without_pavements_says_how_they_are_made(town: Path, tmp_path: Path) -> None:
    text = (town.parent / "town.net.xml").read_text().replace(' allow="pedestrian"', "")
    (tmp_path / "town.net.xml").write_text(text)
    config = tmp_path / "a.sumocfg"
    config.write_text('<configuration><net-file value="town.net.xml"/><end value="60"/></configuration>')
    code, _, said = ask("--sumocfg", str(config), "--pedestrians", "600")
    assert (code, "netconvert" in said, "--crossings.guess" in said) == (1, True, True)


def test_walkers_have_a_table_of_their_own(town: Path) -> None:
    code, said, _ = ask(
        "--sumocfg", str(town), "--controller", "plan", "--seeds", "3", "--end", "30", "--pedestrians", "600"
    )
    assert (code, "town, plan: on foot" in said) == (0, True)


def test_a_network_without_lights_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.net.xml").write_text("<net/>")
    config = tmp_path / "a.sumocfg"
    config.write_text('<configuration><net-file value="a.net.xml"/><end value="9"/></configuration>')
    code, _, said = ask("--sumocfg", str(config))
    assert (code, "no traffic light" in said) == (1, True)


def test_plans_are_designed_for_who_was_counted_and_a_corridor_has_one_cycle(town: Path) -> None:
    lights = sorted(light.name for light in lights_of(read_network(town.parent / "town.net.xml")))
    assert lights == ["A0", "A1", "A2", "B0", "B1", "B2", "C0", "C1", "C2"]
    along = [word for name in ("A1", "B1", "C1") for word in ("--corridor", name)]
    code, said, _ = ask("--sumocfg", str(town), "--json", *along, command="design")
    assert code == 0
    told = json.loads(said)
    assert [each["junction"] for each in told["plans"]] == ["A1", "B1", "C1"]
    assert {each["cycle_s"] for each in told["plans"]} == {told["wave"]["cycle_s"]}
    assert told["plans"][0]["offset_s"] == 0
    assert told["wave"]["there_s"] + told["wave"]["back_s"] > 0
    for each in told["plans"]:
        assert 300 < each["vehicles_h"] < 3_000
        assert sum(step["seconds"] for step in each["steps"]) == each["cycle_s"]
    code, _, said = ask("--sumocfg", str(town), "--end", "20", "--corridor", "A0", "--corridor", "C2", command="design")
    assert (code, "no lane leads from 'A0' to 'C2'" in " ".join(said.split())) == (1, True)
    code, _, said = ask("--sumocfg", str(town), "--end", "20", "--corridor", "Z9", command="design")
    assert (code, "there is no junction 'Z9'" in " ".join(said.split())) == (1, True)


def test_a_corridor_is_optimised_on_seeds_and_judged_on_others(town: Path) -> None:
    words = ["--sumocfg", str(town), "--end", "8", "--corridor", "A1", "--corridor", "B1", "--optimise"]
    small = ["--seeds", "1", "--check-seeds", "2-3", "--rounds", "1"]
    code, said, _ = ask(*words, *small, "--json", command="design")
    assert code == 0
    told = json.loads(said)
    search = told["search"]
    assert [each["junction"] for each in told["plans"]] == ["A1", "B1"]
    assert all(sum(step["seconds"] for step in each["steps"]) == each["cycle_s"] for each in told["plans"])
    assert (search["rounds"], search["seeds"], search["check_seeds"]) == (1, [1], [2, 3])
    # What it says to have won is what was driven; on seeds that chose it nothing gets worse.
    assert search["on_seeds"]["after"] <= search["on_seeds"]["before"]
    assert [each["cost"] for each in search["won"]] == sorted((each["cost"] for each in search["won"]), reverse=True)
    assert not search["won"] or search["won"][-1]["cost"] == search["on_seeds"]["after"]
    # The plans are those that were found only where these are shown to be better on other seeds.
    won = search["on_check_seeds"]
    assert search["own_on_check_seeds"]["after"] == won["after" if won["says"] == "better" else "before"]
    assert search["on_check_seeds"]["low"] is not None
    code, said, _ = ask(*words, "--seeds", "1", "--check-seeds", "2", "--minutes", "0", command="design")
    assert (code, "since its time was over" in said, "on seeds that it did not see" in said) == (0, True, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "--optimise takes a corridor"),
        (["--corridor", "A1", "--corridor", "B1", "--check-seeds", "3-9"], "seed 3 is one that plans are made for"),
    ],
)
def test_what_cannot_be_optimised_is_a_sentence(town: Path, words: list[str], told: str) -> None:
    code, _, said = ask("--sumocfg", str(town), "--optimise", *words, command="design")
    assert (code, told in " ".join(said.split())) == (1, True)


def test_a_day_is_cut_by_what_was_counted_and_each_period_has_its_plans(town: Path, tmp_path: Path) -> None:
    counts = tmp_path / "counts.csv"
    rows = ["place,from,to,flow_h", "nowhere,2026-11-23T06:00:00,2026-11-23T07:00:00,5"]
    for day, times in (("2026-11-23", 1.0), ("2026-11-24", 1.2), ("2026-11-28", 0.3)):
        for hour, flow_h in ((6, 200), (7, 1_000), (8, 1_000), (9, 300), (10, 300)):
            window = f"{day}T{hour:02}:00:00,{day}T{hour + 1:02}:00:00"
            rows.append(f"left1A1.160.00,{window},{flow_h * times:.0f}")
    counts.write_text("\n".join(rows))
    words = ["--sumocfg", str(town), "--end", "30", "--counts", str(counts), "--corridor", "A1", "--corridor", "B1"]
    code, said, _ = ask(*words, "--json", command="design-day")
    assert code == 0
    working, saturday = json.loads(said)["days"]
    assert (working["days"], saturday["days"], working["junctions"]) == ("working", "saturday", ["A1", "B1"])
    times = [(each["begin"], each["end"]) for each in working["periods"]]
    assert ("07:00", "09:00") in times
    assert (times[0][0], times[-1][1]) == ("06:00", "11:00")
    assert all(one[1] == other[0] for one, other in pairwise(times))
    assert working["off_h"] < working["whole_off_h"]
    assert (working["unused"], "A2A1.140.00_1" in working["guessed"]) == (["nowhere"], True)
    busy = working["periods"][times.index(("07:00", "09:00"))]
    assert {each["cycle_s"] for each in busy["plans"]} == {busy["wave"]["cycle_s"]}
    assert busy["plans"][0]["vehicles_h"] > working["periods"][0]["plans"][0]["vehicles_h"]
    assert busy["plans"][0]["vehicles_h"] > saturday["periods"][0]["plans"][0]["vehicles_h"]
    assert (working["week"], working["no_week"]) == ("", "nothing was counted on Sundays")
    rows += [row.replace("2026-11-28", "2026-11-29") for row in rows if "2026-11-28" in row]
    counts.write_text("\n".join(rows))
    code, said, _ = ask(*words, "--json", command="design-day")
    days = json.loads(said)["days"]
    weeks = [read(each["week"]) for each in days]
    assert weeks[0] == weeks[1] == weeks[2]
    begins = [f"{minute // 60:02}:{minute % 60:02}" for minute, _ in weeks[0][0]]
    assert begins == [each["begin"] for each in days[0]["periods"]]
    # What is the same on Sundays as on Saturdays is one plan.
    assert (weeks[0][4], weeks[0][5]) == (weeks[0][0], weeks[0][6])


def test_a_days_plans_are_driven_beside_the_networks_own(town: Path, tmp_path: Path) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text("place,from,to,flow_h\nleft1A1.160.00,00:00:00,12:00:00,400\nleft1A1.160.00,12:00,24:00,100")
    words = ["--sumocfg", str(town), "--end", "40", "--counts", str(counts), "--check-seeds", "7-8"]
    code, said, _ = ask(*words, "--json", command="design-day")
    (tried,) = json.loads(said)["tried"]
    assert (code, tried["days"], tried["begin"], tried["end"]) == (0, "", "00:00", "00:00:40")
    assert tried["delay"]["before"] > 0
    assert tried["delay"]["difference"] == pytest.approx(tried["delay"]["after"] - tried["delay"]["before"])
    code, _, said = ask(*words, "--begin", "2", "--seed", "7", command="design-day")
    assert (code, "name others as --check-seeds" in said) == (1, True)
    counts.write_text("place,from,to,flow_h\nleft1A1.160.00,08:00,09:00,400")
    code, _, said = ask(*words, command="design-day")
    assert (code, "nothing was counted at" in " ".join(said.split())) == (1, True)


def test_a_period_begins_at_nought_and_ends_at_twenty_four() -> None:
    """By the clock of counts that begin in the morning of the day before, and of those that do not."""
    for begin_h, end_h, told in (
        (24, 29, ("00:00", "05:00")),
        (18, 24, ("18:00", "24:00")),
        (0, 5, ("00:00", "05:00")),
    ):
        made = period_told(PeriodPlans(Period(begin_h * HOUR_S, end_h * HOUR_S, ()), (), None))
        assert (made.begin, made.end) == told


def test_counts_that_are_no_day_are_said(town: Path, tmp_path: Path) -> None:
    for rows, told in (
        (["left1A1.160.00,06:00,07:00,9", "left1A1.160.00,08:00,09:00,9"], "counts up to 25200 s are not followed"),
        (["left1A1.160.00,06:00,07:00,9", "left1A1.160.00,2026-11-23T07:00:00,2026-11-23T08:00:00,9"], "certain days"),
        (["nowhere,06:00,07:00,9"], "no place that is counted"),
    ):
        counts = tmp_path / "counts.csv"
        counts.write_text("\n".join(["place,from,to,vehicles", *rows]))
        code, _, said = ask("--sumocfg", str(town), "--end", "2", "--counts", str(counts), command="design-day")
        assert (code, told in " ".join(said.split())) == (1, True), said
