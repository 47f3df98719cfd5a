"""Why an order to a lamp may be refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vigie.core.service import City, Refusal
from vigie.services.lighting.kinds import Luminaire


def supply_is_on(params: Mapping[str, Any], asset: int, city: City, now_us: int) -> Refusal | None:
    """A lamp that says its supply is off cannot act: the order would only expire."""
    fault = city.value(Luminaire, Luminaire.fault, np.array([asset], np.int64))[0]
    if fault == Luminaire.fault.code("supply"):
        return Refusal("lighting.supply_off")
    return None
