"""Why an order to a lamp may be refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vigie.core.observations import Mask
from vigie.core.service import City, Numbers, Refusal
from vigie.services.lighting.kinds import Luminaire


def supply_is_on(params: Mapping[str, Any], assets: Numbers, city: City, now_us: int) -> Sequence[tuple[Mask, Refusal]]:
    """A lamp that says its supply is off cannot act: the order would only expire."""
    fault = city.value(Luminaire, Luminaire.fault, assets)
    return [(fault == Luminaire.fault.code("supply"), Refusal("lighting.supply_off"))]
