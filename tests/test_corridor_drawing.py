"""What the console draws of corridors and of plans: its own code, run without a browser."""

from __future__ import annotations

from typing import Any

import pytest

from tests.test_survey import ran

MINUTE = 60_000


def row(*pieces: tuple[float, float, str | None]) -> list[dict[str, Any]]:
    """What a junction showed: from a second to a second, a letter."""
    return [{"from": a * 1000, "to": b * 1000, "letter": letter} for a, b, letter in pieces]


def seconds(bands: list[dict[str, float]]) -> list[tuple[float, float]]:
    return [(each["from"] / 1000, each["to"] / 1000) for each in bands]


def test_bands_are_of_those_who_meet_nothing_but_green() -> None:
    first = row((0, 20, "R"), (20, 50, "G"), (50, 53, "Y"), (53, 80, "R"), (80, 100, "G"))
    second = row((0, 40, "R"), (40, 75, "G"), (75, 78, "Y"), (78, 100, "R"))
    deaf = row((0, 40, "R"), (40, 75, None), (75, 100, "G"))
    none = row((0, 100, None))
    found = ran(
        "corridors.ts",
        ("bandsOf", [first, second], [0, 10_000]),
        ("bandsOf", [first, second], [0, 30_000]),
        ("bandsOf", [first, deaf], [0, 10_000]),
        ("bandsOf", [first, none], [0, 10_000]),
        ("bandsOf", [first], [0]),
        ("bandsOf", [], []),
        *(
            ("isDriven", {"passed": [{"groups": [3]}, {"groups": each}], "speed_m_s": speed})
            for each, speed in (([2], 13.9), ([], 13.9), ([2], None))
        ),
    )
    # Who passes the first at 30 is at the second when it turns green, at 40; the last leaves before the yellow at 50.
    assert seconds(found[0]["bands"]) == [(30, 50)]
    # Of who leaves after 90 nobody knows yet what they meet, nor of who would have left before all began.
    assert found[0]["share"] == pytest.approx(20 / 90)
    assert seconds(found[1]["bands"]) == [(20, 45)]
    assert seconds(found[2]["bands"]) == [(80, 90)], "where nothing was heard is no band"
    assert found[2]["share"] == pytest.approx(10 / 55)
    assert found[3] == {"bands": [], "share": None}
    assert seconds(found[4]["bands"]) == [(20, 50), (80, 100)]
    assert found[5] == {"bands": [], "share": None}
    assert found[6:] == [True, False, False], "where no lane leads through at one junction, nobody drives along"


def test_bands_of_a_plan_are_those_of_its_greens_however_the_clock_stands() -> None:
    def planned(offset_s: int) -> dict[str, Any]:
        return {"offset_s": offset_s, "groups": ["G" * 30 + "YYY" + "R" * 27, "R" * 33 + "G" * 20 + "YYY" + "R" * 4]}

    begin = 1_764_234_030_000
    asked = [("plannedBy", planned(offset), [0], begin, begin + 5 * MINUTE) for offset in (0, 20, 35)]
    greens, later, late = ran("corridors.ts", *asked)
    # 1,764,234,030 is half a minute after a whole number of minutes.
    assert [(each["to"] - each["from"], each["letter"]) for each in greens[:3]] == [
        (3_000, "Y"), (27_000, "R"), (30_000, "G"),
    ]  # fmt: skip
    assert sum(each["to"] - each["from"] for each in greens) == 5 * MINUTE
    good, bad, both, nothing = ran(
        "corridors.ts",
        ("bandsOf", [greens, later], [0, 20_000]),
        ("bandsOf", [greens, late], [0, 0]),
        ("plannedBy", planned(0), [0, 1], begin, begin + MINUTE),
        ("plannedBy", None, [0], begin, begin + MINUTE),
    )
    assert good["share"] == pytest.approx(0.5, abs=0.06)
    assert all(each["to"] - each["from"] <= 30_000 for each in good["bands"])
    assert bad["share"] == pytest.approx(5 / 60, abs=0.02)
    assert {each["letter"] for each in both} == {"R"}, "green of both at once there never is"
    assert nothing == [{"from": begin, "to": begin + MINUTE, "letter": None}]


def test_several_groups_together_show_the_worst_of_them() -> None:
    shown = [{"at": 0, "letters": "GGR"}, {"at": 10_000, "letters": "GYR"}, {"at": 13_000, "letters": "GR"}]
    together = [("together", letters, [0, 1]) for letters in ("GG", "GY", "YR", "GX", "FF", "G")]
    found = ran(
        "corridors.ts",
        *together,
        ("together", "GG", []),
        ("shownBy", shown, [0, 1], 3, 0, 20_000, 180_000, 1e15),
        ("shownBy", shown, [2], 3, 0, 20_000, 5_000, 1e15),
    )
    assert found[:7] == ["G", "Y", "R", "X", "F", None, None]
    # What tells of another number of groups than the document says nothing of them.
    assert found[7] == row((0, 10, "G"), (10, 13, "Y"), (13, 20, None))
    assert found[8] == row((0, 5, "R"), (5, 10, None), (10, 13, "R"), (13, 20, None))


def test_names_stand_apart_and_streets_are_found_in_them() -> None:
    names = ["Rue A / Quai B", "Quai B / Rue C", "Rue D / Quai B"]
    found = ran(
        "corridors.ts",
        ("spread", [0, 5, 90, 100], 20, 100),
        ("spread", [50], 20, 100),
        ("streetOf", names),
        ("streetOf", ["Rue A / Quai B", "Rue C / Rue D"]),
        ("streetOf", []),
        ("crossOf", names[1], "Quai B"),
        ("crossOf", names[1], None),
        ("streetOf", [*names, "Rue E / Rue F"]),
        ("crossOf", "Rue E / Rue F", "Quai B"),
    )
    assert found[:5] == [[0, 20, 80, 100], [50], "Quai B", None, None]
    assert found[5:] == ["Rue C", "Quai B / Rue C", "Quai B", "Rue E / Rue F"]


def test_a_cycle_is_told_by_its_stages_and_what_is_between() -> None:
    cycle = {"offset_s": 0, "groups": ["GGGYRRRR", "RRRRRGGY"]}
    stages = [{"name": "1", "greens": [0]}, {"name": "2", "greens": [1]}]
    steps = [{"seconds": s, "greens": greens, "clears": clears} for s, greens, clears in (
        (3, [0], False), (1, [], True), (1, [], False), (2, [1], False), (1, [], True),
    )]  # fmt: skip
    (found,) = ran("junctions.ts", ("stagesOf", stages, steps, cycle))
    assert [(each["from"], each["to"], each["shows"]) for each in found] == [
        (0, 3, 0), (3, 4, "changing"), (4, 5, "all_red"), (5, 7, 1), (7, 8, "changing"),
    ]  # fmt: skip
