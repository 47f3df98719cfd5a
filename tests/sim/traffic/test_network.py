"""A SUMO network becomes junctions that may be controlled, and nothing else passes for one."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec
import pytest

from vigie.services.signals.completeness import problems
from vigie.services.signals.control.site import site_of_json, site_to_json
from vigie.services.signals.control.sitecheck import site_problems
from vigie.services.signals.control.steering import loops_of
from vigie.services.signals.junction import Colour, Junction, Meeting, Users
from vigie.sim.traffic import xml
from vigie.sim.traffic.netfile import NetworkWrong, read_network
from vigie.sim.traffic.network import Light, lights_of
from vigie.sim.traffic.run import colours_of, letters_of
from vigie.sim.traffic.scenario import ScenarioWrong, read_scenario

SCENARIOS = {"cologne1": 1, "cologne3": 3, "ingolstadt1": 1, "ingolstadt7": 7, "grid4x4": 16}


@pytest.fixture(scope="module")
def lights(town: Path) -> tuple[Light, ...]:
    return lights_of(read_network(town.with_name("town.net.xml")))


def group(junction: Junction, name: str) -> int:
    return next(at for at, each in enumerate(junction.groups) if each.name.split(" ", 1)[1] == name)


def sound(light: Light) -> bool:
    """What the rest relies on."""
    site = light.site
    junction = site.junction
    assert [each for each in problems(junction) if each.refuses] == [], junction.name
    assert len(site.gives_way) == len(junction.groups)
    assert len(light.places) == len(junction.detectors)
    for greens in (each.greens for each in junction.stages):
        assert not any(junction.meetings[a][b] is Meeting.CONFLICTS for a in greens for b in greens)
    for greens in site.plan.stages:
        assert greens in {each.greens for each in junction.stages}
    for each in junction.detectors:
        assert each.from_stop_m + each.length_m <= 50.01 or each.name.endswith("exit")
    return True


def test_a_town_of_nine_junctions(lights: tuple[Light, ...]) -> None:
    assert len(lights) == 9
    assert all(sound(light) for light in lights)
    middle = next(light for light in lights if light.name == "B1").site
    junction = middle.junction
    walkers = [each for each in junction.groups if each.users is Users.PEDESTRIANS]
    assert len(walkers) == 4
    assert {each.yellow_s for each in walkers} == {0}
    assert {feeder.neighbour for feeder in middle.feeders} == {"A1", "C1", "B0", "B2"}


def test_who_meets_whom(lights: tuple[Light, ...]) -> None:
    """Opposed ways that go straight are apart, a turn across yields, and the road that crosses conflicts."""
    light = next(light for light in lights if light.name == "B1")
    junction = light.site.junction
    roads = {each.name.split()[1]: each for each in junction.groups if each.users is Users.VEHICLES}
    north, south, east = (next(road for road in roads if road.startswith(start)) for start in ("B2", "B0", "C1"))
    straight, opposed, across = (group(junction, f"{road} rs") for road in (north, south, east))
    turn = group(junction, f"{north} l")
    assert junction.meetings[straight][opposed] is Meeting.APART
    assert junction.meetings[turn][opposed] is Meeting.YIELDS
    assert opposed in light.site.gives_way[turn]
    assert turn not in light.site.gives_way[opposed]
    assert junction.meetings[straight][across] is Meeting.CONFLICTS
    assert junction.intergreens[straight][across] == 5


def test_ways_are_drawn_from_where_they_come_to_where_they_leave(lights: tuple[Light, ...]) -> None:
    """B1 has B2 to the north, C1 to the east, B0 to the south, A1 to the west."""
    junction = next(light for light in lights if light.name == "B1").site.junction
    sides = {"B2": 0, "C1": 90, "B0": 180, "A1": 270}
    for movement in junction.movements:
        if junction.groups[movement.group].users is Users.PEDESTRIANS:
            assert movement.comes_deg == movement.leaves_deg
            assert movement.comes_deg in sides.values()
        else:
            assert movement.comes_deg == next(deg for name, deg in sides.items() if movement.approach.startswith(name))
            assert movement.leaves_deg == next(
                deg for name, deg in sides.items() if movement.exit.startswith(f"B1{name}")
            )


def test_walkers_clear_their_crossing_at_a_metre_a_second(lights: tuple[Light, ...]) -> None:
    junction = next(light for light in lights if light.name == "B1").site.junction
    lengths_m = {lane.name: lane.length_m for lane in junction.lanes}
    for movement in junction.movements:
        if junction.groups[movement.group].users is not Users.PEDESTRIANS:
            continue
        assert movement.approach == movement.exit
        times_s = {time_s for time_s in junction.intergreens[movement.group] if time_s is not None}
        assert all(time_s >= lengths_m[movement.approach] for time_s in times_s)


def test_who_turns_yields_to_those_who_walk_beside_and_never_meets_those_who_walk_across(
    lights: tuple[Light, ...],
) -> None:
    """As the network's own matrix and programme have it. B1's crossings lie north, east, south and west of it."""
    light = next(light for light in lights if light.name == "B1")
    junction = light.site.junction
    walkers = [at for at, each in enumerate(junction.groups) if each.users is Users.PEDESTRIANS]
    sides = {movement.comes_deg: movement.group for movement in junction.movements if movement.group in walkers}
    north, east, south, west = (sides[deg] for deg in (0, 90, 180, 270))
    from_north = next(
        at for at, each in enumerate(junction.groups) if each.name.split()[1].startswith("B2B1") and " rs" in each.name
    )
    # To the right of who comes from the north lies the west.
    assert junction.meetings[from_north][west] is Meeting.YIELDS
    assert west in light.site.gives_way[from_north]
    assert from_north not in light.site.gives_way[west]
    assert junction.meetings[from_north][east] is Meeting.APART
    for across in (north, south):
        assert junction.meetings[from_north][across] is Meeting.CONFLICTS
        assert junction.intergreens[across][from_north] == 16
        assert junction.intergreens[from_north][across] == 5
    assert {junction.groups[each].green_min_s for each in walkers} == {6}
    assert {junction.groups[each].red_max_s for each in walkers} == {120}


def test_each_crossing_has_a_button_that_is_no_loop(lights: tuple[Light, ...]) -> None:
    for light in lights:
        site = light.site
        for group, places in zip(site.junction.groups, site.buttons, strict=True):
            assert len(places) == (group.users is Users.PEDESTRIANS)
            for place in places:
                assert light.places[place].button
                assert light.places[place].lane == site.junction.detectors[place].lane
                assert place not in loops_of(site)
        assert sum(place.button for place in light.places) == 4


def test_who_is_inside_is_counted_on_the_way_to_the_crossing_that_he_leaves_over(
    town: Path, lights: tuple[Light, ...]
) -> None:
    lanes = read_network(town.with_name("town.net.xml")).lanes
    for light in lights:
        groups, detectors = light.site.junction.groups, light.site.junction.detectors
        for approach in light.site.approaches:
            for way in approach.ways:
                (over,) = way.over
                assert groups[over].users is Users.PEDESTRIANS
                beside = {other.over for other in approach.ways if lanes[other.exit].edge == lanes[way.exit].edge}
                assert beside == {way.over}
                pieces = [lanes[detectors[place].lane] for place in way.inside]
                assert all(light.places[place].whole for place in way.inside)
                assert not {*way.inside} & {*loops_of(light.site)}
                assert pieces[0].shape[0] == pytest.approx(lanes[approach.lane].shape[-1], abs=0.2)
                assert pieces[-1].shape[-1] == pytest.approx(lanes[way.exit].shape[0], abs=0.2)
        assert len({over for approach in light.site.approaches for way in approach.ways for over in way.over}) == 4


def test_a_tramway_has_groups_of_its_own_and_points_that_tell_who_comes(tramline: Path) -> None:
    lights = lights_of(read_network(tramline.with_suffix(".net.xml")))
    for light in lights:
        junction = light.site.junction
        trams = {at for at, group in enumerate(junction.groups) if group.users is Users.TRAM}
        assert len(trams) == len(light.site.calls) == 2
        assert {points.group for points in light.site.calls} == trams
        assert not any(approach.groups & trams for approach in light.site.approaches)
        assert not site_problems(light.site)
        for points in light.site.calls:
            away_m = [junction.detectors[place].from_stop_m for place in points.places]
            # 20 and 12 s before the line at 13.9 m/s, at the line, and behind it.
            assert away_m == pytest.approx([278.0, 166.8, 1.0, 0.0])
            assert not set(points.places) & {
                place for each in light.site.approaches for place in (each.stop, each.entry)
            }


def test_a_turn_that_yields_is_shown_the_small_letter(lights: tuple[Light, ...]) -> None:
    light = next(light for light in lights if light.name == "B1")
    groups = range(len(light.site.junction.groups))
    for greens in (each.greens for each in light.site.junction.stages):
        second = tuple(Colour.GREEN if at in greens else Colour.RED for at in groups)
        letters = letters_of(light, second)
        assert colours_of(light, letters) == second
        for link, letter in enumerate(letters):
            lit = {at for at, other in enumerate(letters) if other in "Gg"}
            if letter == "G":
                assert not light.signals[link].yields & lit
            elif letter == "g":
                assert light.signals[link].yields & lit


@pytest.mark.parametrize("name", SCENARIOS)
def test_networks_that_others_measure_on(shared: Path, name: str) -> None:
    lights = lights_of(read_network(shared / "signals" / name / f"{name}.net.xml"))
    assert len(lights) == SCENARIOS[name]
    assert all(sound(light) for light in lights)


def test_a_real_town_with_lights_that_rule_several_nodes(shared: Path) -> None:
    lights = lights_of(read_network(shared / "signals" / "hamburg-tavf" / "network.net.xml.gz"))
    assert len(lights) == 43
    assert all(sound(light) for light in lights)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"not xml", "no network"),
        (b"<routes/>", "'routes'"),
        (b"<net/>", "no traffic light"),
        (gzip.compress(b"<net/>")[:-9], "no network"),
        (gzip.compress(b"<net/>")[:10] + b"\xff" * 9, "no network"),
        (b'<!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]><net>&x;</net>', "no traffic light"),
    ],
    ids=["text", "another", "empty", "cut", "broken", "entity"],
)
def test_what_is_no_network_is_said(tmp_path: Path, text: bytes, told: str) -> None:
    path = tmp_path / "a.net.xml"
    path.write_bytes(text)
    with pytest.raises(NetworkWrong, match=told):
        lights_of(read_network(path))


ROADS = """<net>
<edge id="a" to="n"><lane id="a_0" length="100" speed="13" shape="0,0 1,1"/></edge>
<edge id="b" to="m"><lane id="b_0" length="100" speed="13" shape="1,1 2,2"/></edge>
<edge id=":n_c0" function="crossing"><lane id=":n_c0_0" length="6" speed="1" shape="0,1 1,0"/></edge>
<junction id="n" x="0" y="0"><request index="0" response="00" foes="10"/><request index="1" response="00" foes="01"/>
</junction>
<tlLogic id="n" offset="0"><phase duration="30" state="Gr"/><phase duration="3" state="yr"/>
<phase duration="30" state="rG"/></tlLogic>
<connection from="a" to="b" fromLane="0" toLane="0" tl="n" linkIndex="0" via=":n_0_0"/>
<connection from=":n_w0" to=":n_c0" fromLane="0" toLane="0" tl="n" linkIndex="1"/>
</net>"""


@pytest.mark.parametrize(
    ("text", "odd", "told"),
    [
        ('lane id="a_0"', 'lane id="z_0"', "the light 'n' rules a way on the lane 'a_0', which is missing"),
        ('id=":n_c0_0"', 'id="z_0"', "a way on the lane ':n_c0_0', which is missing"),
        ('shape="0,0 1,1"', 'shape="0"', "the shape of the lane 'a_0' is '0', which is no line"),
        ('shape="0,0 1,1"', 'shape="0,inf 1,1"', "the shape of the lane 'a_0'"),
        ('length="100"', 'length="long"', "the length of the lane 'a_0' is 'long', which is no number"),
        ('x="0"', 'x="nan"', "the x of the junction 'n' is 'nan', which is no number"),
        ('offset="0"', 'offset="inf"', "the offset of the tlLogic 'n' is 'inf', which is no number"),
        ('duration="30"', 'duration="inf"', "the duration of a phase of 'n' is 'inf', which is no number"),
        ('linkIndex="0"', 'linkIndex="first"', "the linkIndex of a connection of '' is 'first', which is no number"),
    ],
)
def test_a_network_with_something_odd_in_it_is_no_network_and_what_is_odd_is_said(
    tmp_path: Path, text: str, odd: str, told: str
) -> None:
    path = tmp_path / "a.net.xml"
    path.write_text(ROADS.replace(text, odd, 1))
    with pytest.raises(NetworkWrong) as said:
        lights_of(read_network(path))
    assert told in str(said.value)


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("", ""),
        ('index="1"', 'index="7"'),
        ('length="100"', 'length="nan"'),
        ('length="100"', 'length="-5"'),
        ('length="6"', 'length="inf"'),
        ('length="6"', 'length="1e300"'),
        ('duration="30"', 'duration="700"'),
        ('offset="0"', 'offset="99999999"'),
    ],
)
def test_a_number_that_no_junction_may_have_is_left_to_the_document_of_that_one(
    tmp_path: Path, text: str, odd: str
) -> None:
    path = tmp_path / "a.net.xml"
    path.write_text(ROADS.replace(text, odd, 1))
    (light,) = lights_of(read_network(path))
    written = site_to_json(light.site)
    if "index" in odd or not odd:
        assert site_of_json(written) == light.site
    else:
        with pytest.raises(msgspec.ValidationError):
            site_of_json(written)


def test_a_file_that_would_unpack_to_more_than_memory_has_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml, "BYTES_MAX", 1 << 20)
    path = tmp_path / "a.net.xml.gz"
    path.write_bytes(gzip.compress(b"<net>" + b" " * (1 << 20) + b"</net>"))
    with pytest.raises(NetworkWrong, match="more than 1 MiB unpacked"):
        read_network(path)


def test_a_configuration_is_read_with_its_window(tmp_path: Path) -> None:
    path = tmp_path / "a.sumocfg"
    path.write_text(
        '<configuration><net-file value="n.net.xml"/><additional-files value="b.xml, c.xml"/>'
        '<begin value="7:00:00"/><end value="28800"/></configuration>'
    )
    found = read_scenario(path)
    assert (found.name, found.begin_s, found.end_s) == ("a", 25_200, 28_800)
    assert found.network == tmp_path / "n.net.xml"
    assert found.additional == (tmp_path / "b.xml", tmp_path / "c.xml")
    assert read_scenario(path, 1, 2).end_s == 2
    with pytest.raises(ScenarioWrong, match="window"):
        read_scenario(path, 28_800)
    path.write_text("<configuration/>")
    with pytest.raises(ScenarioWrong, match="no network"):
        read_scenario(path)
