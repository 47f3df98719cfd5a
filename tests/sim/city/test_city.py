"""The city is whole, its numbers are those promised, and it is the same each time."""

from __future__ import annotations

from collections import Counter, defaultdict
from importlib import import_module
from itertools import pairwise

import numpy as np
import pytest
import shapely

from vigie.core.drafts import Draft
from vigie.core.kinds import Catalogue
from vigie.engine.inventory import plan_intake
from vigie.sim.city import City, generate
from vigie.sim.city.facts import COMMUNES
from vigie.sim.city.frame import to_degrees, to_metres
from vigie.sim.city.inventory import AREAS, digest, drafts
from vigie.sim.city.network import PATH, main_component

PROMISED = {
    "commune": 23, "luminaire": 34_000, "cabinet": 1_000, "junction": 113, "camera": 269, "vehicle": 205, "bus": 180,
    "bollard": 26, "tram": 30, "transit_line": 32, "air_station": 14, "weather_station": 26, "bike_station": 40,
}  # fmt: skip


def test_everything_promised_is_there(inventory: list[Draft]) -> None:
    counted = Counter(draft.kind for draft in inventory)
    assert {kind: counted[kind] for kind in PROMISED} == PROMISED
    assert counted["building"] <= 25_000
    assert {draft.attributes["line"] for draft in inventory if draft.kind == "tram"} == {"T1", "T2"}


def test_the_inventory_is_taken_in_without_a_refusal(inventory: list[Draft]) -> None:
    services = ("lighting", "signals", "roads", "video", "air", "places")
    kinds = [kind for name in services for kind in import_module(f"vigie.services.{name}").service.assets]
    intake = plan_intake(Catalogue(assets={kind.kind: kind for kind in kinds}), inventory, {}, {}, 1)
    assert intake.refused == ()
    assert intake.made == len(inventory)


def test_every_parent_and_street_comes_before_what_names_it(inventory: list[Draft]) -> None:
    seen: dict[str, str] = {}
    for draft in inventory:
        assert not draft.parent or seen[draft.parent] == {"luminaire": "cabinet", "detector": "junction"}[draft.kind]
        assert not draft.street or seen[draft.street] == "street"
        seen[draft.key] = draft.kind


def test_every_lamp_stands_in_its_commune(inventory: list[Draft]) -> None:
    territory = {draft.key: shapely.from_wkb(draft.geometry) for draft in inventory if draft.kind == "commune"}
    own: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for draft in inventory:
        if draft.kind == "luminaire":
            own[draft.area.rpartition("/")[2]].append((draft.lon, draft.lat))
    assert sum(map(len, own.values())) == 34_000
    for slug, places in own.items():
        # Both the lamp and the border were rounded to a decimetre.
        near = shapely.buffer(territory[f"commune-{slug}"], 3e-6)
        assert shapely.contains_xy(near, np.array(places)).all()


def test_a_cabinet_feeds_lamps_of_its_own_commune_and_half_are_switched(city: City) -> None:
    lighting = city.lighting
    assert (lighting.cabinet_commune[lighting.cabinet] == lighting.commune).all()
    assert np.bincount(lighting.cabinet, minlength=1_000).min() >= 1
    assert lighting.switched.sum() == 500


def test_the_graph_of_streets_is_connected(city: City) -> None:
    network = city.network
    assert len(main_component(network.tail, network.head, len(network.nodes))) == len(network.nodes)
    assert np.bincount(network.rank, minlength=5).all()
    assert (network.length_m > 0).all()


def test_arcs_begin_and_end_at_their_nodes(city: City) -> None:
    network = city.network
    first, last = network.xy[network.start[:-1]], network.xy[network.start[1:] - 1]
    assert np.abs(first - network.nodes[network.tail]).max() < 1e-6
    assert np.abs(last - network.nodes[network.head]).max() < 1e-6


def test_a_name_is_one_street_within_a_commune(city: City) -> None:
    network = city.network
    owners = {(int(c), network.names[n]): int(n) for c, n in zip(network.commune, network.name_of, strict=True)}
    for commune, name in zip(network.commune.tolist(), network.name_of.tolist(), strict=True):
        assert owners[commune, network.names[name]] == name


def test_communes_lie_where_they_are_and_are_as_large_as_they_are(city: City) -> None:
    centres = to_metres([commune.centre for commune in COMMUNES])
    assert city.borders.commune_of(centres).tolist() == list(range(23))
    real = np.array([commune.area_km2 for commune in COMMUNES])
    made = shapely.area(np.array(city.borders.ground)) / 1e6
    assert abs(made.sum() / real.sum() - 1) < 0.03
    assert (np.abs(made / real - 1) < 0.4).all()


def test_communes_do_not_overlap(city: City) -> None:
    whole = shapely.union_all(list(city.borders.ground))
    assert whole.area == pytest.approx(sum(polygon.area for polygon in city.borders.ground), rel=1e-6)


def test_each_junction_has_two_to_six_detectors_on_streets_that_meet_there(city: City) -> None:
    signals, network = city.signals, city.network
    count = np.bincount(signals.detector_junction, minlength=113)
    assert count.min() >= 2
    assert count.max() <= 6
    node = signals.node[signals.detector_junction]
    assert ((network.tail[signals.detector_arc] == node) | (network.head[signals.detector_arc] == node)).all()


def test_nearly_every_commune_has_a_lit_way_with_sensors_from_end_to_end(city: City) -> None:
    ways, network = city.ways, city.network
    assert 20 <= len(ways.length_m) <= 30
    assert len(set(network.commune[ways.arc].tolist())) >= 20
    assert np.isin(ways.arc, city.lighting.arc).all()
    for way, length_m in enumerate(ways.length_m.tolist()):
        own = np.flatnonzero(ways.way == way)
        ends = [{network.tail[arc], network.head[arc]} for arc in ways.arc[own]]
        assert all(here & onward for here, onward in pairwise(ends))
        assert (np.diff(ways.at_m[own]) > 0).all()
        assert 180 <= length_m <= 600
        assert network.length_m[ways.arc[own]].sum() == pytest.approx(length_m)


def test_lines_and_rounds_run_along_streets_without_a_jump(city: City) -> None:
    courses = [line.course for line in city.lines] + [each.course for each in city.rounds.driven]
    assert max(np.hypot(*np.diff(course.xy, axis=0).T).max() for course in courses) < 100
    assert all(line.stop_at_m[-1] <= line.course.length_m + 1 for line in city.lines)
    assert not np.isin(PATH, city.network.rank[city.lighting.arc])


def test_the_same_seed_is_the_same_city_and_another_is_another(city: City) -> None:
    assert digest(generate(1)) == digest(city)
    other = generate(2)
    assert digest(other) != digest(city)
    assert len(other.lighting.xy) == 34_000
    assert other.borders.commune_of(to_metres([commune.centre for commune in COMMUNES])).tolist() == list(range(23))


def test_without_scenery_every_device_is_the_same(city: City, inventory: list[Draft]) -> None:
    bare = list(drafts(generate(1, scenery=False)))
    scenery = {"water", "green", "building"}
    assert bare == [draft for draft in inventory if draft.kind not in scenery]


def test_places_survive_the_way_to_degrees_and_back() -> None:
    metres = np.array([[0.0, 0.0], [12_000.0, -9_000.0]])
    assert np.abs(to_metres(to_degrees(metres)) - metres).max() < 0.11
    assert len(set(AREAS)) == 23
