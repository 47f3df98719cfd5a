"""vigie signals calibrate: what was counted is what is driven, and what cannot be is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_signals import ask
from tests.sim.traffic.conftest import town as town
from vigie.services.signals.whatif.sealed import Calibration
from vigie.sim.traffic.scenario import read_scenario
from vigie.sim.traffic.tried import calibration_of
from vigie.sim.traffic.xml import elements

# Four ways through the town that the scenario knows, and a bus on one of them; nobody in it drives over B2A2.
WAYS = [("left1A1", "C1right1"), ("bottom0A0", "A2top0"), ("right1C1", "A1left1"), ("bottom2C0", "A0left0")]
BUSES_S = (700, 900)
COUNTS = """place,from,to,vehicles
A1B1,00:10,00:15,18
A1B1,00:15,00:20,24
A0A1,00:10,00:15,25
A0A1,00:15,00:20,15
left of A1,00:10,00:15,20
left of A1,00:15,00:20,10
B2A2,00:10,00:15,12
nowhere,00:10,00:15,12
"""


@pytest.fixture
def scenario(town: Path, tmp_path: Path) -> Path:
    """A scenario of the town in which few drive, at a time at which nobody counts."""
    trips = [
        f'<trip id="{at}" depart="{at}" from="{start}" to="{goal}" departLane="best"/>'
        for at, (start, goal) in enumerate(WAYS * 3)
    ]
    buses = [f'<trip id="bus{at_s}" type="bus" depart="{at_s}" from="left1A1" to="C1right1"/>' for at_s in BUSES_S]
    text = "".join(['<routes><vType id="bus" vClass="bus"/>', *trips, *buses, "</routes>"])
    (tmp_path / "few.rou.xml").write_text(text)
    (tmp_path / "few.add.xml").write_text(
        '<additional><inductionLoop id="left of A1" lane="C1B1.140.00_2" pos="-5" period="60" file="own.xml"/>'
        '<inductionLoop id="left of A1, too" lane="C1B1.140.00_1" pos="-5" period="60" file="own.xml"/></additional>'
    )
    config = tmp_path / "few.sumocfg"
    config.write_text(
        f'<configuration><input><net-file value="{town.with_name("town.net.xml")}"/>'
        '<route-files value="few.rou.xml"/><additional-files value="few.add.xml"/></input>'
        '<time><begin value="0"/><end value="60"/></time>'
        '<processing><lateral-resolution value="0"/></processing></configuration>'
    )
    return config


def test_what_was_counted_is_driven_and_what_is_not_is_said(scenario: Path, tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text(COUNTS)
    made = tmp_path / "made"
    words = ("--sumocfg", str(scenario), "--counts", str(tmp_path / "counts.csv"), "--out", str(made))
    code, said, _ = ask(*words, "--json", command="calibrate")
    told = json.loads(said)
    by_name = {(each["name"], each["begin_s"]): each for each in told["counts"]}
    assert (code, told["met"], told["unfinished"]) == (0, True, 0)
    assert {each["place"] for each in told["unused"]} == {"nowhere", "left of A1"}
    assert {key: each["asked"] for key, each in by_name.items()} == {
        ("A1B1", 600): 18, ("A1B1", 900): 24, ("A0A1", 600): 25, ("A0A1", 900): 15, ("B2A2", 600): 12,
    }  # fmt: skip
    for each in told["counts"]:
        assert each["routed"] == each["asked"]
        assert each["driven"] == pytest.approx(each["asked"], abs=5)
    # Two of those on A1B1 are the buses that there were; who drives over B2A2 has a way that was looked for.
    found = read_scenario(made / "few.sumocfg")
    assert calibration_of(found) == Calibration(len(told["counts"]), told["met_share"])
    # Whoever is counted first has set out some minutes before.
    assert (found.begin_s in (480, 540), found.end_s) == (True, 1_200)
    assert (found.network.parent, found.additional) == (made, (made / "few.0.add.xml",))
    assert "lateral-resolution" in found.config.read_text()
    vehicles = list(elements(found.routes[0], "vehicle"))
    assert [each["id"] for each in vehicles if each.get("type") == "bus"] == [f"bus{at_s}" for at_s in BUSES_S]
    assert (told["kept"], told["drawn"]) == (2, len(vehicles) - 2)
    again, _, said = ask(*words, command="calibrate")
    assert (again, "is there and not empty" in " ".join(said.split())) == (1, True)
    code, _, _ = ask("--sumocfg", str(found.config), "--controller", "plan", "--seeds", "1", "--json")
    assert code == 0


def test_counts_that_contradict_each_other_are_told_and_end_with_3(scenario: Path, tmp_path: Path) -> None:
    """All who come by A0A1 have come by A0: 25 of them, and of nobody."""
    (tmp_path / "counts.csv").write_text(
        "place,from,to,vehicles\nA0A1,600,900,25\nbottom0A0,600,900,0\nbottom0A0.160.00,600,900,0\n"
        "B0A0.140.00,600,900,0\nleft0A0.160.00,600,900,0\n"
    )
    words = ("--sumocfg", str(scenario), "--counts", str(tmp_path / "counts.csv"), "--out", str(tmp_path / "made"))
    code, said, _ = ask(*words, command="calibrate")
    assert code == 3
    assert "4 of 5 counts are met as driven" in said
    assert "A0A1 from 600 s: no route passes it that has room in the other counts" in said


def test_what_sumos_own_tools_refuse_is_told_in_their_words(scenario: Path, tmp_path: Path) -> None:
    routes = tmp_path / "few.rou.xml"
    routes.write_text(routes.read_text().replace('id="bus700"', 'id="bus 700"'))
    (tmp_path / "counts.csv").write_text("place,from,to,vehicles\nA0A1,600,900,25\n")
    words = ("--sumocfg", str(scenario), "--counts", str(tmp_path / "counts.csv"), "--out", str(tmp_path / "made"))
    code, _, said = ask(*words, command="calibrate")
    assert (code, "SUMO: duarouter: Invalid trip id 'bus 700'" in " ".join(said.split())) == (1, True)
    assert not (tmp_path / "made").exists()
    assert not list(tmp_path.glob(".made*"))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("nowhere,0,900,5\n", "none of the counts is about a road"),
        ("A0A1,600,900,25\nA0A1,1200,1500,25\n", "nothing is counted from 900 to 1200 s"),
    ],
)
def test_counts_that_nothing_can_be_made_for_are_a_sentence(
    scenario: Path, tmp_path: Path, rows: str, told: str
) -> None:
    (tmp_path / "counts.csv").write_text(f"place,from,to,vehicles\n{rows}")
    words = ("--sumocfg", str(scenario), "--counts", str(tmp_path / "counts.csv"), "--out", str(tmp_path / "made"))
    code, _, said = ask(*words, command="calibrate")
    assert (code, told in " ".join(said.split())) == (1, True)
    assert not (tmp_path / "made").exists()
