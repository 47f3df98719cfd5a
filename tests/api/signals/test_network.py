"""All junctions of a real post as they are told: who decides, how traffic flows before them, what is wrong; and the
corridors that their documents make, to whoever sees every junction of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import shapely

from tests.people import QUETIGNY, Browser, make_people
from tests.post import NO_RESERVE, RunningPost, now_us, reading, running
from tests.services.signals.design.test_chains import both, town
from vigie.app import admit_device, installation
from vigie.app.signals import Became, take_in
from vigie.core.drafts import Draft
from vigie.settings import Settings

DIJON = "dijon-metropole/dijon"
SIGNALS = "/api/v1/signals"
JUNCTIONS = [f"junction-{n}" for n in range(4)]
LON, LAT = 5.0, 47.3
APART = 0.004
"""Degrees of longitude between neighbours: 300 m."""


def drafts() -> Iterator[Draft]:
    """A street from west to east over four junctions, three of them in the next commune, and its detectors."""
    line = shapely.LineString([(LON - APART, LAT), (LON + 4 * APART, LAT)])
    yield Draft(key="s", kind="street", name="Quai B", lon=LON, lat=LAT, area=DIJON, geometry=shapely.to_wkb(line),
                attributes={"speed_limit": 50.0})  # fmt: skip
    for n, name in enumerate(JUNCTIONS):
        yield Draft(key=name, id=name, kind="junction", name=f"Rue {n} / Quai B", lon=LON + n * APART, lat=LAT,
                    area=QUETIGNY if n else DIJON)  # fmt: skip
    for key, east, direction, parent in (
        ("own", 0.0005, "O", JUNCTIONS[0]), ("before", -0.0005, "E", None), ("behind", 0.0004, "E", None),
        ("unsaid", 0.0003, "", None), ("far", 2.5 * APART, "E", None), ("next", APART - 0.0006, "E", None),
    ):  # fmt: skip
        yield Draft(key=key, id=f"detector-{key}", kind="detector", lon=LON + east, lat=LAT, area=DIJON, parent=parent,
                    attributes={"direction": direction} if direction else {})  # fmt: skip


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPost]:
    folder: Path = tmp_path_factory.mktemp("post")
    settings = Settings(data=folder, city="Essai", **NO_RESERVE)
    with installation(settings) as opened:
        assert not opened.take_assets("network", [*drafts()]).refused
        secret = admit_device(opened, "ends", [row[0] for row in opened.facts.registry_rows() if row[2] != "post"])
    make_people(folder, ["operator", "roadman", "manager"])
    ways = {way: said for one, other in pairwise(JUNCTIONS) for way, said in both(one, other).items()}
    assert {each.became for each in take_in(settings, town(ways))} == {Became.MADE}
    with running(folder, secret) as started:
        yield started


@pytest.fixture(scope="module")
def operator(post: RunningPost) -> Browser:
    return Browser(post, "operator")


@pytest.fixture(scope="module")
def roadman(post: RunningPost) -> Browser:
    """Somebody who sees one commune alone."""
    return Browser(post, "roadman")


def rows(who: Browser) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in who.ask("GET", f"{SIGNALS}/junctions").body["items"]}


def test_a_row_says_who_decides_what_runs_and_what_is_wrong(post: RunningPost, operator: Browser) -> None:
    at = now_us()
    said = [
        reading(JUNCTIONS[0], "control", "plan", at), reading(JUNCTIONS[0], "plan", 3, at),
        reading(JUNCTIONS[0], "mode", "flashing", at), reading(JUNCTIONS[0], "fault", "minor", at),
    ]  # fmt: skip
    assert post.send(said).body["accepted"] == len(said)
    first, other = (rows(operator)[each] for each in JUNCTIONS[:2])
    assert [first[each]["value"] for each in ("control", "running", "mode")] == ["plan", 3, "flashing"]
    assert first["worst"] == 1
    assert [each["condition"] for each in first["conditions"]] == ["signals_flashing", "controller_minor_fault"]
    assert (first["fallen"], first["version"], first["findings"]) == (None, 1, [])
    assert (other["control"], other["mode"], other["worst"], other["conditions"]) == (None, None, 0, [])


def test_a_level_is_of_the_detectors_before_a_junction_and_says_how_old_it_is(
    post: RunningPost, operator: Browser
) -> None:
    level = rows(operator)[JUNCTIONS[0]]["level"]
    # Its own and the one that drives up to it; not the one that drives off, nor one that may drive either way.
    assert (level["counted"], level["measured"], level["worst"], level["mean"], level["at"]) == (2, 0, None, None, None)
    old, new = now_us() - 60_000_000, now_us()
    said = [reading("detector-own", "speed", 45.0, old), reading("detector-before", "speed", 12.0, new)]
    said += [reading(f"detector-{each}", "speed", 3.0, new) for each in ("behind", "unsaid", "far")]
    assert post.send(said).body["accepted"] == len(said)
    found = rows(operator)
    level = found[JUNCTIONS[0]]["level"]
    assert (level["worst"], level["mean"], level["measured"], level["worst_at"]) == ("F", "C", 2, "Quai B")
    assert level["at"].startswith(reading("detector-own", "speed", 45.0, old)["at"][:19]), (
        "the oldest that it is made of"
    )
    # "behind" drives up to the next junction, but from too far; the one that lies before that is silent.
    assert (found[JUNCTIONS[1]]["level"]["counted"], found[JUNCTIONS[1]]["level"]["worst"]) == (1, None)
    assert found[JUNCTIONS[3]]["level"] is None
    assert post.send([reading("detector-own", "working", False, now_us())]).body["accepted"] == 1
    level = rows(operator)[JUNCTIONS[0]]["level"]
    assert (level["worst"], level["mean"], level["measured"], level["counted"]) == ("F", "F", 1, 2)


def test_a_junction_is_told_with_the_cycle_of_its_plan(operator: Browser) -> None:
    cycle = operator.ask("GET", f"{SIGNALS}/junctions/{JUNCTIONS[0]}").body["cycle"]
    assert cycle["offset_s"] == 0
    assert cycle["groups"][0] == "G" * 30 + "YYY" + "R" * 37


def test_a_corridor_is_told_as_it_is_driven(operator: Browser) -> None:
    (row,) = operator.ask("GET", f"{SIGNALS}/corridors").body["items"]
    assert [each["id"] for each in row["junctions"]] == JUNCTIONS
    assert [each["metres"] for each in row["junctions"]] == pytest.approx([0, 278, 556, 834])
    told = operator.ask("GET", f"{SIGNALS}/corridors/{row['id']}").body
    there, back = told["ways"]
    assert [each["junction"] for each in there["passed"]] == JUNCTIONS
    assert [each["junction"] for each in back["passed"]] == JUNCTIONS[::-1]
    assert [each["after_s"] for each in there["passed"]] == [0, 20, 40, 60]
    assert [each["after_s"] for each in back["passed"]] == [0, 22, 44, 66]
    assert [each["groups"] for each in (*there["passed"], *back["passed"])] == [[3]] * 4 + [[2]] * 4
    assert (there["speed_m_s"], back["speed_m_s"]) == (13.9, 13.9)
    assert [len(each["groups"]) for each in told["described"]] == [4] * 4
    assert told["described"][0]["cycle"]["groups"][3].count("G") == 30


def test_nobody_gets_a_corridor_through_a_junction_that_they_do_not_see(
    post: RunningPost, operator: Browser, roadman: Browser
) -> None:
    (whole,) = operator.ask("GET", f"{SIGNALS}/corridors").body["items"]
    (seen,) = roadman.ask("GET", f"{SIGNALS}/corridors").body["items"]
    assert [each["id"] for each in seen["junctions"]] == JUNCTIONS[1:]
    assert [each["metres"] for each in seen["junctions"]] == pytest.approx([0, 278, 556])
    assert roadman.ask("GET", f"{SIGNALS}/corridors/{whole['id']}").status == 404
    told = roadman.ask("GET", f"{SIGNALS}/corridors/{seen['id']}")
    assert told.status == 200
    assert JUNCTIONS[0] not in str(told.body)
    assert set(rows(roadman)) == set(JUNCTIONS[1:])
    assert Browser(post, "manager").ask("GET", f"{SIGNALS}/corridors").body["items"] == []
    assert post.ask("GET", f"{SIGNALS}/corridors").status == 401
    assert operator.ask("GET", f"{SIGNALS}/corridors/nowhere").status == 404
