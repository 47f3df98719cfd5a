"""The generated metropolis, for all tests of a process: it takes seconds to make."""

from __future__ import annotations

import functools
from dataclasses import fields, replace
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vigie.core.drafts import Draft
from vigie.demo.processes import SEED
from vigie.sim.city import City, generate
from vigie.sim.city.inventory import drafts


@functools.cache
def city() -> City:
    """The city of the demo."""
    return generate(SEED)


@functools.cache
def inventory() -> tuple[Draft, ...]:
    """All that stands and moves in it."""
    return tuple(drafts(city()))


def lit_by(cabinets: NDArray[np.bool_]) -> City:
    """The city with some of its cabinets, and what they feed: what is not there costs a simulated day nothing."""
    lighting = city().lighting
    stays = cabinets[lighting.cabinet]
    kept: dict[str, Any] = {}
    for each in fields(lighting):
        column = getattr(lighting, each.name)
        of_cabinets = each.name.startswith("cabinet_") or each.name == "switched"
        chosen = cabinets if of_cabinets else stays
        kept[each.name] = column[chosen] if isinstance(column, np.ndarray) else tuple(compress(column, chosen))
    kept["cabinet"] = (np.cumsum(cabinets) - 1)[kept["cabinet"]]
    return replace(city(), lighting=replace(lighting, **kept))
