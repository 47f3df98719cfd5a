"""How the lamps and cabinets are shared between gateways, and what these announce."""

from __future__ import annotations

from collections import Counter

import numpy as np

from vigie.protocols.talq.bindings import kind_of
from vigie.sim.city import City
from vigie.sim.city.facts import CABINETS, COMMUNES, LUMINAIRES
from vigie.sim.talq.equipment import CLASSES, LAMP
from vigie.sim.talq.park import Park
from vigie.sim.talq.sharing import LAMPS_A_GATEWAY


def test_about_forty_gateways_of_a_size_that_one_can_carry(park: Park) -> None:
    sizes = Counter(park.gateways["luminaire"])
    assert 38 <= len(sizes) <= 42
    assert max(sizes.values()) < 1.6 * LAMPS_A_GATEWAY
    assert sizes.total() == LUMINAIRES
    assert sum(name.startswith("lighting-dijon-") for name in sizes) == 15


def test_a_lamp_goes_with_its_cabinet_and_no_gateway_leaves_its_commune(city: City, park: Park) -> None:
    cabinets = park.gateways["cabinet"]
    assert park.gateways["luminaire"] == [cabinets[each] for each in city.lighting.cabinet.tolist()]
    assert len(cabinets) == CABINETS
    slugs = [COMMUNES[each].slug for each in city.lighting.cabinet_commune.tolist()]
    assert all(name.startswith(f"lighting-{slug}") for name, slug in zip(cabinets, slugs, strict=True))


def test_the_cabinets_of_a_gateway_are_neighbours(city: City, park: Park) -> None:
    names, xy = np.array(park.gateways["cabinet"]), city.lighting.cabinet_xy
    dijon = xy[city.lighting.cabinet_commune == 0]
    widths = [np.ptp(xy[names == f"lighting-dijon-{each}"], axis=0).max() for each in range(1, 16)]
    assert np.median(widths) < np.ptp(dijon, axis=0).max() / 2


def test_every_device_is_announced_once_and_known_for_what_it_is(park: Park) -> None:
    devices = [device for own in park.devices.values() for device in own]
    assert len({device.address for device in devices}) == len(devices) == LUMINAIRES + CABINETS
    assert sum(map(len, park.addresses.values())) == len(devices)
    described = {each.name: {f.function_id: f.type for f in each.functions} for each in CLASSES}
    kinds: Counter[str] = Counter()
    for device in devices:
        functions = {str(each["id"]): str(each["type"]) for each in device.functions}
        assert functions == described[device.class_]
        kinds[kind_of(frozenset(functions.values()))] += 1
    assert kinds == {"luminaire": LUMINAIRES, "cabinet": CABINETS}
    assert LAMP in described["Lamp"]
