"""What stands near a place."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vigie.core.ground import metres
from vigie.engine.registry import Registry


def apart_m(registry: Registry, asset: int, lon: float, lat: float) -> float:
    """How far an asset lies from a place (degrees); NaN where it is not known where it lies."""
    there = slice(asset, asset + 1)
    ((east_m, north_m),) = metres(registry.lon[there] - lon, registry.lat[there] - lat, middle_lat=lat)
    return float(np.hypot(east_m, north_m))


def nearest(registry: Registry, lon: float, lat: float, within_m: float, kinds: Iterable[str] | None = None) -> int:
    """The number of the asset that is nearest to a place (degrees) and in service, 0 for none within so many metres.

    kinds: the names of what is looked for, whatever is of the town where it is None; a name that nothing declares finds
    nothing.
    """
    span = slice(0, registry.count)
    here = registry.in_town() if kinds is None else ~registry.gone[span]
    if kinds is not None:
        codes = [registry.kind_codes[kind] for kind in kinds if kind in registry.kind_codes]
        here &= np.isin(registry.kind[span], codes)
    numbers = np.flatnonzero(here & (np.abs(registry.lat[span] - lat) < within_m / 100_000))
    if not len(numbers):
        return 0
    apart = metres(registry.lon[numbers] - lon, registry.lat[numbers] - lat, middle_lat=lat)
    far_m = np.hypot(apart[:, 0], apart[:, 1])
    # A place that is not known is near nothing.
    far_m[np.isnan(far_m)] = np.inf
    at = int(np.argmin(far_m))
    return int(numbers[at]) if far_m[at] <= within_m else 0
