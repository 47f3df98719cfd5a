"""The generated metropolis, for all tests of a run: it takes seconds to make."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace

import numpy as np

from tests import once
from vigie.core.drafts import Draft
from vigie.demo.processes import SEED
from vigie.sim.city import City, generate
from vigie.sim.city.inventory import drafts
from vigie.sim.city.land import NO_BUILDINGS
from vigie.sim.city.lighting import Lighting


@functools.cache
def city() -> City:
    """The city of the demo."""
    return once.value("metropolis", lambda: generate(SEED))


def growing() -> Iterator[City]:
    """It, as `grow` gives it."""
    return iter((replace(city(), water=(), green=(), buildings=NO_BUILDINGS), city()))


@functools.cache
def inventory() -> tuple[Draft, ...]:
    """All that stands and moves in it."""
    return tuple(drafts(city()))


def small(city: City, cabinets: Sequence[int]) -> City:
    """The city with these cabinets alone, numbered anew in this order."""
    lighting = city.lighting
    new = np.full(len(lighting.cabinet_xy), -1)
    new[list(cabinets)] = np.arange(len(cabinets))
    lamps = np.flatnonzero(new[lighting.cabinet] >= 0)
    columns: dict[str, object] = {}
    for each in fields(Lighting):
        column = getattr(lighting, each.name)
        if each.name == "installed":
            columns[each.name] = tuple(column[lamp] for lamp in lamps.tolist())
        else:
            columns[each.name] = column[lamps if len(column) == len(lighting.cabinet) else list(cabinets)]
    columns["cabinet"] = new[lighting.cabinet][lamps]
    return replace(city, lighting=Lighting(**columns))  # type: ignore[arg-type]
