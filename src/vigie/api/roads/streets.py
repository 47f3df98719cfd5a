"""The street network that vehicles are matched to, as the inventory has it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vigie.api.city.sources import Sources
from vigie.core.arrays import floats
from vigie.core.observations import Floats, Int64s
from vigie.services.places import Street
from vigie.services.roads.matching import Network, network_of


class Streets:
    """The street network of the inventory, made anew when that has changed and somebody asks."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._made: tuple[int, Network, Int64s] | None = None
        self._drawn: tuple[Int64s, Floats, Floats] | None = None

    def network(self) -> tuple[Network, Int64s]:
        """The network, and the asset number of each of its lines. Takes a second where it is made anew; may be called
        from any thread."""
        version = self._sources.engine.registry.version_of(Street)
        if self._made is None or self._made[0] != version:
            numbers, _, start, lon, lat = self._sources.facts.lines()
            assets, said = self._sources.facts.attributes(Street, ("one_way",))
            one_way = np.isin(numbers, assets[said["one_way"] == 1])
            self._drawn = (start, lon, lat)
            self._made = (version, network_of(lon, lat, start, one_way), numbers)
        return self._made[1:]

    def drawn(self) -> tuple[Int64s, Int64s, Floats, Floats]:
        """All streets as they are drawn: the number of each one's asset, its first corner (one more at the end), and
        longitude and latitude of each corner, in degrees. As for `network`."""
        _, numbers = self.network()
        assert self._drawn is not None
        return (numbers, *self._drawn)

    def lines(self, streets: Int64s) -> list[Sequence[tuple[float, float]]]:
        """The corners of streets in degrees, by the numbers of their assets; none of one that is not there. As for
        `network`."""
        _, numbers = self.network()
        assert self._drawn is not None
        start, lon, lat = self._drawn
        rows = {int(no): row for row, no in enumerate(numbers)}
        found = list[Sequence[tuple[float, float]]]()
        for no in streets.tolist():
            row = rows.get(no)
            own = slice(0, 0) if row is None else slice(int(start[row]), int(start[row + 1]))
            found.append(list(zip(floats(lon[own].round(6)), floats(lat[own].round(6)), strict=True)))
        return found
