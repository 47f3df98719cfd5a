"""Why an order to a lamp may be refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vigie.core.observations import Mask
from vigie.core.service import City, Numbers, Refusal
from vigie.services.lighting.kinds import Cabinet, Luminaire


def supply_is_on(params: Mapping[str, Any], assets: Numbers, city: City, now_us: int) -> Sequence[tuple[Mask, Refusal]]:
    """A lamp that says its supply is off cannot act: the order would only expire."""
    fault = city.value(Luminaire, Luminaire.fault, assets)
    return [(fault == Luminaire.fault.code("supply"), Refusal("lighting.supply_off"))]


def full_light_is_off(
    params: Mapping[str, Any], assets: Numbers, city: City, now_us: int
) -> Sequence[tuple[Mask, Refusal]]:
    """Full light beats every other order: one that is given meanwhile is refused, and does not lie in wait."""
    cabinets = city.feeders(Cabinet, assets)
    fed = np.flatnonzero(cabinets)
    full = np.zeros(len(assets), np.bool_)
    full[fed] = city.value(Cabinet, Cabinet.full_light, cabinets[fed]) == 1
    return [(full, Refusal("lighting.full_light"))]


def control_is_known(
    params: Mapping[str, Any], assets: Numbers, city: City, now_us: int
) -> Sequence[tuple[Mask, Refusal]]:
    """Who has never said what rules its level may not know what a release is."""
    return [(np.isnan(city.value(Luminaire, Luminaire.control, assets)), Refusal("lighting.control_unknown"))]
