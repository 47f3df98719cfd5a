"""The lighting park as its gateways know it: whose each lamp and cabinet is, and what it is called in TALQ."""

from __future__ import annotations

from dataclasses import dataclass

from vigie.protocols.talq.messages import Device
from vigie.sim.city import City
from vigie.sim.city.inventory import ids
from vigie.sim.talq import equipment
from vigie.sim.talq.sharing import lighting_gateways

_MAKE = {"luminaire": equipment.lamp, "cabinet": equipment.cabinet}


@dataclass(frozen=True, slots=True)
class Park:
    """By kind, luminaire or cabinet, and by the number of the device: the gateway's name and the TALQ address.

    devices: of each gateway. places: of each address, the number of its device.
    """

    gateways: dict[str, list[str]]
    addresses: dict[str, list[str]]
    devices: dict[str, list[Device]]
    places: dict[str, int]

    @staticmethod
    def of(city: City) -> Park:
        """A city's."""
        gateways = lighting_gateways(city)
        addresses: dict[str, list[str]] = {}
        devices: dict[str, list[Device]] = {}
        places: dict[str, int] = {}
        for kind, names in gateways.items():
            assets = ids(kind, len(names))
            addresses[kind] = [equipment.address_of(asset) for asset in assets]
            places.update((address, number) for number, address in enumerate(addresses[kind]))
            for name, asset, address in zip(names, assets, addresses[kind], strict=True):
                devices.setdefault(name, []).append(_MAKE[kind](asset, address))
        return Park(gateways, addresses, devices, places)
