"""Why an order to a lamp may be refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vigie.core.observations import Mask
from vigie.core.service import City, Numbers, Refusal
from vigie.core.times import SECOND_US
from vigie.services.lighting.kinds import Cabinet, Luminaire


def supply_is_on(params: Mapping[str, Any], assets: Numbers, city: City, now_us: int) -> Sequence[tuple[Mask, Refusal]]:
    """A lamp whose supply is off cannot act: the order would only expire. It says so itself, or its cabinet does, of
    circuits that are switched there or have no supply, and it was not heard since."""
    off = city.value(Luminaire, Luminaire.fault, assets) == Luminaire.fault.code("supply")
    cabinets = city.feeders(Cabinet, assets)
    fed = np.flatnonzero(cabinets)
    word = city.newest(Cabinet, Cabinet.supply, cabinets[fed])
    heard_us = city.newest(Luminaire, Luminaire.level, assets[fed]).received_us
    fresh = word.received_us > now_us - int(Cabinet.supply.valid_s * SECOND_US)
    off[fed] |= (word.value > Cabinet.supply.code("on")) & fresh & (heard_us < word.received_us)
    return [(off, Refusal("lighting.supply_off"))]


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
