"""The city as its inventory: one draft for each thing, in a fixed order, with keys that stay the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

import msgspec
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from vigie.core.arrays import Shapes, blobs, floats, ints, pairs, shapes
from vigie.core.drafts import Draft, Scalar
from vigie.sim.city.city import City
from vigie.sim.city.crews import CREWS, depots
from vigie.sim.city.equipment import Spots
from vigie.sim.city.facts import AIR_STATIONS, BIKE_STATIONS, BUSES, COMMUNES, METROPOLE, TRAMS, WEATHER_STATIONS
from vigie.sim.city.frame import Floats, Ints, dice, to_degrees
from vigie.sim.city.lighting import LAMPS, circuits_of
from vigie.sim.city.network import CLASSES, MOTORWAY, PATH, SPEED_LIMIT_KM_H
from vigie.sim.city.rounds import VEHICLE_TASKS
from vigie.sim.city.ways import Ways

AREAS = tuple(f"{METROPOLE}/{commune.slug}" for commune in COMMUNES)
LIGHTING_CLASSES = ("M2", "M3", "M4", "P4", "P5")
"""Of EN 13201-2, by the rank of the street."""
QUIET_CLASS = "P6"
"""Of the ways that few pass."""
_CROSSING_M = 20.0
"""Lamps so near to a junction with signals light its crossings."""
_TYPOLOGIES = ("urbaine de fond", "trafic", "périurbaine")
_WIDTH = {"luminaire": 6, "building": 6, "street": 5, "cabinet": 4, "detector": 4, "stop": 4, "green": 3}


def asset_id(kind: str, index: int) -> str:
    """The id of the nth asset of a kind, from 0: luminaire-000001 is the first."""
    return f"{kind}-{index + 1:0{_WIDTH.get(kind, 3)}d}"


def ids(kind: str, count: int) -> tuple[str, ...]:
    """The ids of all assets of a kind."""
    width = _WIDTH.get(kind, 3)
    return tuple(f"{kind}-{i:0{width}d}" for i in range(1, count + 1))


@dataclass(frozen=True, slots=True)
class Fleet:
    """Buses and trams, in columns: the line each serves and where on its course it begins its day (0 to 1)."""

    line: Ints
    phase: Floats


def fleet_of(city: City, mode: str) -> Fleet:
    """The vehicles of all lines of a mode, shared out by length and spread evenly along them."""
    total = {"bus": BUSES, "tram": TRAMS}[mode]
    own = [i for i, line in enumerate(city.lines) if line.mode == mode]
    length = np.array([city.lines[i].course.length_m for i in own])
    share = length / length.sum() * total
    number = np.maximum(np.floor(share), 1).astype(np.int64)
    for k in np.argsort(-(share - number), kind="stable")[: total - number.sum()]:
        number[k] += 1
    line = np.repeat(np.array(own), number)
    phase = np.concatenate([(np.arange(float(n)) + 0.5 * (i % 2)) / n for i, n in enumerate(ints(number))])
    return Fleet(line, phase)


def _points(kind: str, xy: Floats, communes: Ints, **columns: Sequence[Scalar]) -> Iterator[Draft]:
    """Drafts of things at points; each keyword is an attribute's column."""
    places = zip(ids(kind, len(xy)), pairs(to_degrees(xy)), ints(communes), strict=True)
    for i, (key, (lon, lat), commune) in enumerate(places):
        attributes: dict[str, Scalar] = {name: column[i] for name, column in columns.items()}
        yield Draft(key=key, id=key, kind=kind, lon=lon, lat=lat, area=AREAS[commune], attributes=attributes)


def _wkb(shapes: list[BaseGeometry] | Shapes) -> list[bytes]:
    return blobs(shapely.to_wkb(shapely.transform(np.asarray(shapes), to_degrees)))


def _on_surface(shapes: list[BaseGeometry] | Shapes) -> Floats:
    return shapely.get_coordinates(shapely.point_on_surface(np.asarray(shapes)))


def _communes(city: City) -> Iterator[Draft]:
    spots = pairs(to_degrees(_on_surface(list(city.borders.ground))))
    for commune, (lon, lat), wkb in zip(COMMUNES, spots, _wkb(list(city.borders.ground)), strict=True):
        key = f"commune-{commune.slug}"
        attributes: dict[str, Scalar] = {"population": commune.population, "insee": commune.insee}
        yield Draft(key=key, id=key, kind="commune", name=commune.name, lon=lon, lat=lat, geometry=wkb,
                    area=METROPOLE, attributes=attributes)  # fmt: skip


def _surfaces(city: City) -> Iterator[Draft]:
    for kind, surfaces in (("water", city.water), ("green", city.green)):
        shapes = [surface.shape for surface in surfaces]
        spots = _on_surface(shapes)
        communes = ints(np.maximum(city.borders.commune_of(spots), 0))
        rows = zip(surfaces, pairs(to_degrees(spots)), communes, _wkb(shapes), strict=True)
        for i, (surface, (lon, lat), commune, wkb) in enumerate(rows):
            key = asset_id(kind, i)
            yield Draft(key=key, id=key, kind=kind, name=surface.name, lon=lon, lat=lat, geometry=wkb,
                        area=AREAS[commune])  # fmt: skip


def _streets(city: City) -> Iterator[Draft]:
    network = city.network
    rows = np.repeat(np.arange(len(network)), np.diff(network.start))
    wkb = blobs(shapely.to_wkb(shapely.linestrings(to_degrees(network.xy), indices=rows)))
    middles = pairs(to_degrees(network.xy[(network.start[:-1] + network.start[1:]) // 2]))
    ranks, communes, named = ints(network.rank), ints(network.commune), ints(network.name_of)
    lengths = floats(np.round(network.length_m, 1))
    for i, (key, (lon, lat), geometry) in enumerate(zip(ids("street", len(network)), middles, wkb, strict=True)):
        attributes: dict[str, Scalar] = {
            "street_class": CLASSES[ranks[i]], "length": lengths[i], "one_way": ranks[i] == MOTORWAY,
            "speed_limit": SPEED_LIMIT_KM_H[ranks[i]],
        }  # fmt: skip
        # Of one street in three it is known when its surface was laid, some time in fifteen years.
        if (laid := crc32(key.encode())) % 3 == 0:
            attributes["surfaced"] = f"{2012 + laid // 3 % 15}-{1 + laid // 45 % 10:02d}-15"
        yield Draft(key=key, id=key, kind="street", name=network.names[named[i]], lon=lon, lat=lat, geometry=geometry,
                    area=AREAS[communes[i]], attributes=attributes)  # fmt: skip


def _buildings(city: City) -> Iterator[Draft]:
    buildings = city.buildings
    spots = pairs(to_degrees(shapely.get_coordinates(shapely.centroid(buildings.shapes))))
    communes = ints(city.network.commune[buildings.arc])
    rows = zip(ids("building", len(spots)), spots, communes, _wkb(buildings.shapes), floats(buildings.height_m),
               strict=True)  # fmt: skip
    for key, (lon, lat), commune, wkb, height in rows:
        yield Draft(key=key, id=key, kind="building", lon=lon, lat=lat, geometry=wkb, area=AREAS[commune],
                    attributes={"height": height})  # fmt: skip


def _lighting(city: City) -> Iterator[Draft]:
    lighting, names, name_of = city.lighting, city.network.names, city.network.name_of
    fed = np.bincount(lighting.cabinet, minlength=len(lighting.cabinet_xy))
    cabinets = _points(
        "cabinet", lighting.cabinet_xy, lighting.cabinet_commune,
        circuits=circuits_of(fed).tolist(), rating=np.where(fed > 48, 63, 32).tolist(),
        switching=np.where(lighting.switched, "switched", "permanent").tolist(),
    )  # fmt: skip
    for draft, arc in zip(cabinets, lighting.cabinet_arc.tolist(), strict=True):
        yield msgspec.structs.replace(draft, name=names[int(name_of[arc])], street=asset_id("street", arc))
    places = pairs(to_degrees(lighting.xy))
    street_keys, cabinet_keys = ids("street", len(name_of)), ids("cabinet", len(fed))
    communes, arcs, cabinet = ints(lighting.commune), ints(lighting.arc), ints(lighting.cabinet)
    lamp, power, flux = ints(lighting.lamp), floats(lighting.power_w), floats(lighting.flux_lm)
    circuit = ints(lighting.circuit)
    ranks, crossing = ints(city.network.rank), _at_crossings(city)
    quiet = set(ints(city.ways.arc))
    colour, upward, code_3 = floats(lighting.colour_k), floats(lighting.upward), floats(lighting.flux_code_3)
    for i, (key, (lon, lat)) in enumerate(zip(ids("luminaire", len(places)), places, strict=True)):
        rank = ranks[arcs[i]]
        attributes: dict[str, Scalar] = {
            "lighting_class": QUIET_CLASS if arcs[i] in quiet else LIGHTING_CLASSES[rank], "category": "a",
            "lights": "crossing" if crossing[i] else "path" if rank == PATH else "road",
            "lamp": LAMPS[lamp[i]], "rated_power": power[i], "flux": flux[i], "colour_temperature": colour[i],
            "upward_light_share": upward[i], "flux_code_3": code_3[i], "installed": lighting.installed[i],
            "circuit": circuit[i],
        }  # fmt: skip
        yield Draft(key=key, id=key, kind="luminaire", lon=lon, lat=lat, area=AREAS[communes[i]],
                    street=street_keys[arcs[i]], parent=cabinet_keys[cabinet[i]], attributes=attributes)  # fmt: skip


def _at_crossings(city: City) -> list[bool]:
    """Whether each lamp lights the crossings of a junction with signals."""
    nodes = shapely.points(city.network.nodes[city.signals.node])
    near = shapely.STRtree(shapes(shapely.points(city.lighting.xy))).query(
        shapes(nodes), "dwithin", distance=_CROSSING_M
    )
    found = np.zeros(len(city.lighting.xy), np.bool_)
    found[near[1]] = True
    return found.tolist()


def _signals(city: City) -> Iterator[Draft]:
    network, signals = city.network, city.signals
    rng = dice(city.seed, "controllers")
    spots = network.nodes[signals.node]
    names = _crossing_names(city)
    count = len(spots)
    drafts = _points(
        "junction", spots, np.maximum(city.borders.commune_of(spots), 0),
        controller=rng.choice(("CR-A", "CR-B", "CR-C"), count).tolist(),
        commissioned=[str(year) for year in rng.integers(2003, 2025, count).tolist()],
        sound_signals=np.where(rng.random(count) < 0.6, "oui", "non").tolist(),
    )  # fmt: skip
    for draft, name in zip(drafts, names, strict=True):
        yield msgspec.structs.replace(draft, name=name)
    winds = ("N", "NE", "E", "SE", "S", "SO", "O", "NO")
    detectors = _points(
        "detector", signals.detector_xy, np.maximum(city.borders.commune_of(signals.detector_xy), 0),
        lanes=signals.detector_lanes.tolist(),
        direction=[winds[round(deg / 45) % 8] for deg in floats(signals.detector_bearing_deg)],
    )  # fmt: skip
    rows = zip(detectors, signals.detector_junction.tolist(), signals.detector_arc.tolist(), strict=True)
    for draft, junction, arc in rows:
        yield msgspec.structs.replace(draft, name=network.names[int(network.name_of[arc])],
                                      parent=asset_id("junction", junction),
                                      street=asset_id("street", arc))  # fmt: skip


def _crossing_names(city: City) -> list[str]:
    """A junction is called after its two greatest streets."""
    network = city.network
    names: list[str] = []
    for node in city.signals.node.tolist():
        arcs = np.flatnonzero((network.tail == node) | (network.head == node))
        arcs = arcs[np.lexsort((arcs, network.rank[arcs]))]
        own = list(dict.fromkeys(network.names[int(network.name_of[arc])] for arc in arcs.tolist()))
        names.append(" / ".join(own[:2]))
    return names


def _equipment(city: City) -> Iterator[Draft]:
    network = city.network
    rng = dice(city.seed, "equipment")
    cameras = city.cameras
    count = len(cameras.xy)
    since = dice(city.seed, "sensors")
    installed = [
        f"{year}-{month:02d}"
        for year, month in zip(
            *(since.integers(*span, len(city.ways.xy)).tolist() for span in ((2021, 2026), (1, 13))), strict=True
        )
    ]
    sorts: tuple[tuple[str, Spots | Ways, dict[str, Sequence[Scalar]]], ...] = (
        ("camera", cameras, {
            "model": rng.choice(("dôme", "fixe", "multi-capteurs"), count, p=(0.6, 0.3, 0.1)).tolist(),
            "bearing": floats(np.round(cameras.bearing_deg, 1)),
            "view": floats(rng.choice((60.0, 75.0, 90.0), count)),
        }),
        ("bollard", city.bollards, {}),
        ("air_station", city.air, {"typology": (_TYPOLOGIES * AIR_STATIONS)[:AIR_STATIONS]}),
        ("weather_station", city.weather, {}),
        ("bike_station", city.bikes, {}),
        ("motion_sensor", city.ways, {"installed": installed}),
    )  # fmt: skip
    assert (len(city.weather.xy), len(city.bikes.xy)) == (WEATHER_STATIONS, BIKE_STATIONS)
    for kind, spots, columns in sorts:
        communes = np.maximum(city.borders.commune_of(spots.xy), 0)
        for draft, arc in zip(_points(kind, spots.xy, communes, **columns), ints(spots.arc), strict=True):
            name = network.names[int(network.name_of[arc])]
            yield msgspec.structs.replace(draft, name=name, street=asset_id("street", arc))


def _transit(city: City) -> Iterator[Draft]:
    stops: dict[str, tuple[Floats, list[str]]] = {}
    for i, line in enumerate(city.lines):
        course = line.course
        wkb = shapely.to_wkb(shapely.LineString(to_degrees(course.xy)))
        lon, lat = to_degrees(course.xy[len(course.xy) // 2]).tolist()
        key = asset_id("transit_line", i)
        yield Draft(key=key, id=key, kind="transit_line", name=line.name, lon=lon, lat=lat, geometry=wkb,
                    area=METROPOLE, attributes={"line": line.name, "mode": line.mode})  # fmt: skip
        for name, at in zip(line.stop_names, floats(line.stop_at_m), strict=True):
            place = np.array([float(np.interp(at, course.at_m, course.xy[:, k])) for k in (0, 1)])
            stops.setdefault(name, (place, []))[1].append(line.name)
    places = np.array([place for place, _ in stops.values()])
    communes = np.maximum(city.borders.commune_of(places), 0)
    served = [", ".join(dict.fromkeys(lines)) for _, lines in stops.values()]
    for draft, name in zip(_points("stop", places, communes, lines=list(served)), stops, strict=True):
        yield msgspec.structs.replace(draft, name=name)


def _movers(city: City) -> Iterator[Draft]:
    rounds = city.rounds
    rng = dice(city.seed, "plates")
    letters = "ABCDEFGHJKLMNPQRSTVWXYZ"
    plates: list[Scalar] = [
        f"{letters[a]}{letters[b]}-{n:03d}-{letters[c]}{letters[d]}"
        for a, b, n, c, d in zip(*(rng.integers(0, top, len(rounds.task)).tolist()
                                   for top in (23, 23, 1_000, 23, 23)), strict=True)
    ]  # fmt: skip
    homes = city.network.nodes[rounds.home]
    tasks: list[Scalar] = [VEHICLE_TASKS[task] for task in rounds.task.tolist()]
    for i, draft in enumerate(_points("vehicle", homes, rounds.commune, registration=plates, task=tasks)):
        yield msgspec.structs.replace(draft, name=f"{str(tasks[i]).capitalize()} {i + 1}")
    for mode in ("bus", "tram"):
        fleet = fleet_of(city, mode)
        for i, line in enumerate(ints(fleet.line)):
            key, name = asset_id(mode, i), city.lines[line].name
            lon, lat = to_degrees(city.lines[line].course.xy[0]).tolist()
            yield Draft(key=key, id=key, kind=mode, name=f"{name} · {i + 1}", lon=lon, lat=lat, area=METROPOLE,
                        attributes={"line": name})  # fmt: skip


def _crews(city: City) -> Iterator[Draft]:
    """What belongs to the whole town goes out in all of it."""
    spots, vehicles = pairs(to_degrees(depots(city.borders))), ints(city.rounds.of_crew)
    for n, (crew, (lon, lat), vehicle) in enumerate(zip(CREWS, spots, vehicles, strict=True), 1):
        attributes: dict[str, Scalar] = {
            "hours": crew.hours, "skills": crew.skills, "capacity": crew.capacity_kg,
            "vehicle": asset_id("vehicle", vehicle),
        }  # fmt: skip
        yield Draft(key=f"crew-{n:02d}", id=f"crew-{n:02d}", kind="crew", name=crew.name, lon=lon, lat=lat,
                    area=METROPOLE, attributes=attributes)  # fmt: skip


def drafts(city: City) -> Iterator[Draft]:
    """Everything, parents before children."""
    parts = (_communes, _streets, _lighting, _signals, _equipment, _transit, _movers, _crews, scenery)
    for part in parts:
        yield from part(city)


def scenery(city: City) -> Iterator[Draft]:
    """What no device stands in: water, parks, buildings."""
    yield from _surfaces(city)
    yield from _buildings(city)


def digest(city: City) -> str:
    """A fingerprint of the whole inventory: equal for equal seeds."""
    total = hashlib.sha256()
    encode = msgspec.msgpack.Encoder().encode
    for draft in drafts(city):
        total.update(encode(draft))
    return total.hexdigest()
