"""Whereabouts: the part of the town that a moving asset is in at the moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vigie.core.observations import Floats
from vigie.engine.areas import Area, Areas
from vigie.engine.inventory import KnownArea
from vigie.engine.registry import Registry

NOWHERE = 0
"""The code of the area of a place that no area holds, "": who sees the whole town sees it, and nobody else."""


class Whereabouts:
    """The town's areas as the registry codes them, ready to be asked about many places at once."""

    def __init__(self, registry: Registry, areas: Sequence[KnownArea]) -> None:
        ranks = {kind.kind: rank for rank, kind in enumerate(registry.kinds) if kind.area}
        known = [each for each in areas if each.kind in ranks]
        self._areas = Areas([Area(ranks[a.kind], a.name or a.key, a.within, a.lon, a.lat, a.surface) for a in known])
        self._codes = np.array([*map(registry.area_code, self._areas.paths), NOWHERE], np.int32)

    def find(self, lon: Floats, lat: Floats) -> NDArray[np.int32]:
        """The code of the narrowest area that holds each place (degrees); NOWHERE for none, and for NaN."""
        return self._codes[self._areas.index(lon, lat)]
