"""Counts of roads and lanes, brought to the lanes before lights."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from vigie.services.signals.flow.usual import Day
from vigie.sim.traffic.counts import Count, CountsWrong, Places, Spot, read_counts, read_days
from vigie.sim.traffic.daily import flows_of
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import lights_of

ROAD, BESIDE = "left1A1.160.00", "A2A1.140.00"
HOUR = (0, 3_600)


def test_lanes_have_their_own_counts_their_part_of_a_road_or_what_is_usual(town: Path) -> None:
    network = read_network(town.parent / "town.net.xml")
    lights = [each for each in lights_of(network) if each.name in ("A1", "C1")]
    usual = [[10.0] * len(each.site.approaches) for each in lights]
    lanes = [each.lane for each in lights[0].site.approaches]
    usual[0][lanes.index(f"{ROAD}_3")] = 30.0
    places = Places(network, {"loop": Spot(f"{BESIDE}_1", 5.0)})
    counts = [Count(ROAD, *HOUR, 100.0), Count(f"{BESIDE}_2", *HOUR, 7.0), Count("loop", *HOUR, 9.0),
              Count(ROAD, 3_600, 5_400, 10.0), Count("nowhere", *HOUR, 1.0)]  # fmt: skip
    flows = flows_of(network, places, lights, counts, usual)
    assert flows.times == (HOUR, (3_600, 5_400))
    assert flows.unused == ("nowhere",)
    first, second = (dict(zip(lanes, row[0], strict=True)) for row in flows.comes_h)
    assert [first[f"{ROAD}_{at}"] for at in (1, 2, 3)] == [20.0, 20.0, 60.0]
    assert [second[f"{ROAD}_{at}"] for at in (1, 2, 3)] == [4.0, 4.0, 12.0]
    assert (first[f"{BESIDE}_1"], first[f"{BESIDE}_2"]) == (9.0, 7.0)
    # At this light 116 came where 70 do usually, and then 20 where 50 do; at the other nobody counts.
    assert first[f"{BESIDE}_3"] == pytest.approx(10 * 116 / 70)
    assert second[f"{BESIDE}_1"] == pytest.approx(4.0)
    assert flows.comes_h[0][1] == pytest.approx([10 * 116 / 70] * len(usual[1]))
    assert f"{BESIDE}_1" in flows.guessed
    assert not {f"{ROAD}_1", f"{BESIDE}_4"} & set(flows.guessed)
    with pytest.raises(CountsWrong, match="no place that is counted"):
        flows_of(network, places, lights, counts[-1:], usual)


def test_a_time_that_unused_places_alone_count_is_none_and_more_than_can_pass_is_refused(town: Path) -> None:
    network = read_network(town.parent / "town.net.xml")
    lights = [each for each in lights_of(network) if each.name == "A1"]
    usual = [[10.0] * len(lights[0].site.approaches)]
    counts = [Count(ROAD, *HOUR, 100.0), *(Count("elsewhere", at, at + 3_600, 5.0) for at in (0, 3_600))]
    flows = flows_of(network, Places(network, {}), lights, counts, usual)
    assert (flows.times, len(flows.comes_h), flows.unused) == ((HOUR,), 1, ("elsewhere",))
    for place, lanes, vehicles in ((ROAD, 3, 1e200), (f"{ROAD}_1", 1, 3_601.0)):
        with pytest.raises(CountsWrong, match=rf"more than one a second on each lane \({lanes}\)"):
            flows_of(network, Places(network, {}), lights, [Count(place, *HOUR, vehicles)], usual)


def test_a_lane_of_next_to_nobody_makes_no_flood_of_what_is_beside_it(town: Path) -> None:
    network = read_network(town.parent / "town.net.xml")
    lights = [each for each in lights_of(network) if each.name in ("A1", "C1")]
    busy, quiet = (light.site.approaches[0].lane for light in lights)
    usual = [[100.0] * len(each.site.approaches) for each in lights]
    usual[1] = [1.0, 600.0, *usual[1][2:]]
    places = Places(network, {})
    both = flows_of(network, places, lights, [Count(busy, *HOUR, 200.0), Count(quiet, *HOUR, 30.0)], usual)
    # At all lights together 230 came where 101 do usually, which is the best that is known of the second.
    assert both.comes_h[0][1][:2] == pytest.approx((30.0, 600 * 230 / 101))
    assert both.comes_h[0][0][1] == pytest.approx(200.0)
    alone = flows_of(network, places, lights, [Count(quiet, *HOUR, 30.0)], usual)
    assert alone.comes_h[0][1][1] == 600.0
    full = flows_of(network, places, lights, [Count(busy, *HOUR, 1_500.0)], usual)
    assert full.comes_h[0][1][1] == 1_800.0


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("0001-01-01T00:00:00", "0001-01-01T01:00:00"),
        ("9999-12-31T23:30:00-12:00", "9999-12-31T23:59:00-12:00"),
        ("9999-12-31T23:10:00Z", "9999-12-31T23:30:00Z"),
    ],
)
def test_an_instant_that_the_calendar_ends_before_is_a_sentence(tmp_path: Path, begin: str, end: str) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(f"place,from,to,vehicles\na,{begin},{end},4\n")
    with pytest.raises(CountsWrong, match=r"line 2: .* is no time"):
        read_days(path, ZoneInfo("Europe/Paris"))


def test_kinds_of_days_are_read_apart(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    # The last hour of a Friday by the clock of Greenwich is a Saturday's in Paris.
    path.write_text(
        "place,from,to,vehicles\na,2026-11-27T10:00:00Z,2026-11-27T11:00:00Z,4\n"
        "a,2026-11-26T10:00:00Z,2026-11-26T11:00:00Z,6\na,2026-11-27T23:00:00Z,2026-11-28T00:00:00Z,1\n"
        "a,2026-11-29T10:00:00Z,2026-11-29T11:00:00Z,2\n"
    )
    zone = ZoneInfo("Europe/Paris")
    found = read_days(path, zone)
    assert {kind: [(each.begin_s // 3_600, each.vehicles) for each in own] for kind, own in found.items()} == {
        Day.WORKING: [(11, 5.0)], Day.SATURDAY: [(0, 1.0)], Day.SUNDAY: [(11, 2.0)],
    }  # fmt: skip
    assert sorted((each.begin_s // 3_600, each.vehicles) for each in read_counts(path, zone)) == [(0, 1.0), (11, 4.0)]
    path.write_text("place,from,to,vehicles\na,10:00,11:00,4\n")
    assert [*read_days(path, zone)] == [None]
