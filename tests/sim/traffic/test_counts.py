"""Counts of a table: their times and numbers, and which roads and turns of a network they are about."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from vigie.sim.traffic.counts import Count, CountsWrong, Passing, Places, Spot, loops_in, read_counts, second_of
from vigie.sim.traffic.netfile import Network, read_network

NEAR = "A1B1.140.00"
"""A road of 24 m before a junction: lane 1 goes right and straight on, 2 straight on, 3 left."""

SUMMER = timezone(timedelta(hours=2))


@pytest.fixture(scope="module")
def network(town: Path) -> Network:
    return read_network(town.with_name("town.net.xml"))


def read(tmp_path: Path, text: str) -> list[Count]:
    file = tmp_path / "counts.csv"
    file.write_text(text, "utf-8")
    return read_counts(file, SUMMER)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("25200", 25_200),
        ("7:00", 25_200),
        ("07:00:30", 25_230),
        ("24:00", 86_400),
        ("2026-06-23T05:00:00Z", 25_200),
        ("2026-06-23T08:00:00+03:00", 25_200),
        ("2026-06-23T07:00:00", 25_200),
    ],
)
def test_a_time_is_a_second_of_the_scenario(text: str, expected: int) -> None:
    assert second_of(text, SUMMER) == expected


def test_rows_are_counts_and_days_are_one_in_the_mean(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "place;from;to;vehicles\nA1B1;2026-06-22T05:00:00Z;2026-06-22T05:15:00Z;80\n"
        "A1B1;2026-06-23T05:00:00Z;2026-06-23T05:15:00Z;100\nB1C1;07:00;07:15;7.5\n",
    )
    assert found == [Count("A1B1", 25_200, 26_100, 90), Count("B1C1", 25_200, 26_100, 7.5)]


def test_flows_are_counts_over_their_time_and_a_night_has_a_midnight(tmp_path: Path) -> None:
    assert read(tmp_path, "place,from,to,flow_h\nA,23:30,00:15,400\n") == [Count("A", 84_600, 87_300, 300)]


@pytest.mark.parametrize(
    ("begin", "end", "times_s", "vehicles"),
    [
        # Clocks go back at 03:00 on the 25th of October 2026, and forward at 02:00 on the 29th of March.
        ("2026-10-25T01:00:00+02:00", "2026-10-25T04:00:00+01:00", (3_600, 18_000), 400),
        ("2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00", (9_900, 10_800), 25),
        ("2026-03-29T01:45:00+01:00", "2026-03-29T03:00:00+02:00", (6_300, 7_200), 25),
        ("2026-03-29T01:00:00", "2026-03-29T04:00:00", (3_600, 10_800), 200),
        ("2026-06-23T23:30:00", "2026-06-24T00:30:00", (84_600, 88_200), 100),
    ],
)  # fmt: skip
def test_from_instant_to_instant_is_as_long_as_it_was(
    tmp_path: Path, begin: str, end: str, times_s: tuple[int, int], vehicles: float
) -> None:
    file = tmp_path / "counts.csv"
    file.write_text(f"place,from,to,flow_h\nA,{begin},{end},100\n")
    assert read_counts(file, ZoneInfo("Europe/Paris")) == [Count("A", *times_s, vehicles)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("place,from,to\nA,0,9\n", "no columns place, from, to and vehicles"),
        ("place,from,to,vehicles\n", "counts nothing"),
        ("place,from,to,vehicles\nA,0,900,some\n", "line 2: 'some' is no number of vehicles"),
        ("place,from,to,vehicles\nA,0,900,-1\n", "line 2: '-1' is no number"),
        ("place,from,to,vehicles\nA,0,900,nan\n", "line 2: 'nan' is no number"),
        ("place,from,to,vehicles\n,0,900,1\n", "line 2: it names no place"),
        ("place,from,to,vehicles\nA,900,0,1\n", "line 2: it ends at 0"),
        ("place,from,to,vehicles\nA,soon,900,1\n", "line 2: 'soon' is no time"),
        ("place,from,to,vehicles\nA,07:00,07:00,1\n", "line 2: it ends at 07:00, not after it begins"),
        ("place,from,to,vehicles\nA,900,0:10,1\n", "line 2: it ends at 0:10, not after it begins"),
        ("place,from,to,vehicles\nA,0,99999999999,1\n", "line 2: it ends at 99999999999, which is later than 48 h"),
        *(
            (
                f"place,from,to,flow_h\nA,2026-06-23T07:00:00Z,{to},100\n",
                f"line 2: from .* to {to}: of an instant"
                if "T" not in to
                else f"line 2: from .* to {to} is no time of a day",
            )
            for to in ("2026-06-24T08:00:00Z", "2026-06-23T07:00:00Z", "2026-06-23T06:00:00Z", "08:00")
        ),
        ("place,from,to,vehicles\nA,0,900,1\nB,600,1500,1\n", "from 0 to 900 s and from 600 to 1500 s, which overlap"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(CountsWrong, match=told):
        read(tmp_path, text)


def test_a_road_is_counted_on_all_its_lanes_in_the_middle(network: Network) -> None:
    (target,), unused = Places(network, {}).targets([Count("A1B1", 0, 900, 50)])
    assert (target.name, target.vehicles, target.hours, unused) == ("A1B1", 50, 0.25, {})
    assert target.spots == (Spot("A1B1_1", 62.0), Spot("A1B1_2", 62.0))
    passing = Passing([target])
    assert (passing(("A0A1", "A1B1", NEAR)), passing(("A0A1",))) == ([0], [])


def test_lanes_are_a_road_if_all_are_counted_and_turns_where_they_serve_one_alone(network: Network) -> None:
    places = Places(network, {})
    counts = [Count(f"{NEAR}_{lane}", 0, 900, 10 * lane) for lane in (1, 2, 3)]
    found, unused = places.targets(counts)
    assert [(each.name, each.vehicles, len(each.spots)) for each in found] == [
        (NEAR, 60, 3), (f"{NEAR} > B1B2", 30, 1),
    ]  # fmt: skip
    assert unused == {}
    passing = Passing(found)
    assert (passing(("A1B1", NEAR, "B1B2")), passing(("A1B1", NEAR, "B1C1", "B1B2"))) == ([0, 1], [0])
    alone, unused = places.targets(counts[1:])
    assert [each.name for each in alone] == [f"{NEAR} > B1B2"]
    assert list(unused) == [f"{NEAR}_2"]
    assert f"{NEAR}_1 beside it are not counted" in unused[f"{NEAR}_2"]


def test_loops_lie_where_the_scenario_says_and_far_ones_tell_no_turn(network: Network, tmp_path: Path) -> None:
    file = tmp_path / "loops.add.xml"
    file.write_text(
        f'<additional><inductionLoop id="left" lane="{NEAR}_3" pos="-4"/><e1Detector id="again" lane="{NEAR}_3" '
        'pos="10"/><inductionLoop id="far" lane="A1B1_1" pos="5"/></additional>'
    )
    loops = loops_in([file])
    assert loops == {"left": Spot(f"{NEAR}_3", -4.0), "again": Spot(f"{NEAR}_3", 10.0), "far": Spot("A1B1_1", 5.0)}
    counts = [Count("left", 0, 900, 30), Count("again", 0, 900, 20), Count("far", 0, 900, 9), Count("?", 0, 900, 9)]
    found, unused = Places(network, loops).targets(counts)
    # Two loops on a lane count the same vehicles: it is their mean, at the first of them.
    assert [(each.name, each.vehicles, each.places) for each in found] == [(f"{NEAR} > B1B2", 25, ("left", "again"))]
    assert found[0].spots == (Spot(f"{NEAR}_3", 20.0),)
    assert unused == {
        "far": "A1B1_2 beside it are not counted, and it serves no turn alone",
        "?": "there is no loop, lane or road of this name on which vehicles drive",
    }


def test_a_loop_where_nobody_drives_asks_for_nothing(network: Network) -> None:
    """A count of 0 there would be met, and a road of which a footway is counted would be asked for without a place."""
    inner = next(name for name in network.lanes if name.startswith(":B1"))
    loops = {"inner": Spot(inner, 1.0), "footway": Spot(f"{NEAR}_0", 1.0), "left": Spot(f"{NEAR}_3", 20.0)}
    inner_road = network.lanes[inner].edge
    places = [*loops, f"{NEAR}_0", inner, inner_road]
    found, unused = Places(network, loops).targets([Count(place, 0, 900, 0) for place in places])
    assert [each.name for each in found] == [f"{NEAR} > B1B2"]
    assert unused == {
        "inner": f"{inner}, on which it lies, is a lane on which no vehicles drive",
        "footway": f"{NEAR}_0, on which it lies, is a lane on which no vehicles drive",
        **dict.fromkeys(
            [f"{NEAR}_0", inner, inner_road], "there is no loop, lane or road of this name on which vehicles drive"
        ),
    }


@pytest.mark.parametrize(("place", "vehicles"), [("A1B1", 1_801), (f"{NEAR}_3", 901), ("A1B1", 1e300)])
def test_more_than_can_pass_is_refused(network: Network, place: str, vehicles: float) -> None:
    with pytest.raises(CountsWrong, match=f"{place} counts .* vehicles from 0 to 900 s, more than one a second"):
        Places(network, {}).targets([Count(place, 0, 900, vehicles)])


def test_what_is_counted_as_a_road_and_by_lanes_is_asked_for_once(network: Network) -> None:
    counts = [Count(NEAR, 0, 900, 60), Count(f"{NEAR}_1", 0, 900, 10), Count(f"{NEAR}_3", 0, 900, 30)]
    found, unused = Places(network, {}).targets(counts)
    assert [each.name for each in found] == [NEAR, f"{NEAR} > B1B2"]
    assert unused == {f"{NEAR}_1": f"{NEAR} is counted by itself"}


def test_zone_is_of_instants_alone() -> None:
    assert second_of("07:00", UTC) == second_of("07:00", SUMMER)
