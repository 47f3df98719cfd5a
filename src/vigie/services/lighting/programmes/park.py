"""The park: every lamp of the town in columns, as far as programmes, energy and checks need to know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.scope import lies_in
from vigie.services.lighting.programmes.model import Target
from vigie.services.lighting.programmes.nights import Place


class Speaking(Protocol):
    """What speaks for some lamps of an area: a programme, or a rule of light on demand."""

    @property
    def area(self) -> str:
        """The path of the area, "" for all of the town."""
        ...

    @property
    def target(self) -> Target:
        """Which of its lamps."""
        ...


@dataclass(frozen=True)
class Park:
    """Lamps in columns of one length, in the order of their asset numbers.

    area, street: indices into the names; of no street the name is empty. lighting_class: of EN 13201, "" where none is
    known. rated_w: NaN where unknown. lights: what stands under it (`Luminaire.lights`); category: of the order of
    27 December 2018; "" where nothing is said. cabinet: the asset number of what feeds it, 0 where unknown.
    rating_w, cabinets: a cabinet's asset number -> what it may feed, where that is known, and its id.
    """

    no: Int64s
    ids: Sequence[str]
    area: Int64s
    street: Int64s
    lon: Floats
    lat: Floats
    lighting_class: Sequence[str]
    rated_w: Floats
    lights: Sequence[str]
    category: Sequence[str]
    cabinet: Int64s
    areas: Sequence[str]
    streets: Sequence[str]
    rating_w: Mapping[int, float] = field(default_factory=dict[int, float])
    cabinets: Mapping[int, str] = field(default_factory=dict[int, str])

    def __len__(self) -> int:
        return len(self.no)

    @cached_property
    def _classes(self) -> np.ndarray:
        return np.array(self.lighting_class, np.str_)

    @cached_property
    def _row(self) -> Mapping[str, int]:
        return {id: row for row, id in enumerate(self.ids)}

    @cached_property
    def lit_thing(self) -> np.ndarray:
        """What stands under each lamp, as text."""
        return np.array(self.lights, np.str_)

    @cached_property
    def category_of(self) -> np.ndarray:
        """The category of each lamp, as text."""
        return np.array(self.category, np.str_)

    def row(self, id: str) -> int | None:
        """The row of a lamp."""
        return self._row.get(id)

    def only(self, row: int) -> Park:
        """The same with one lamp, which the sun still sees where it sees its neighbours."""
        pick = np.array([row])
        columns = {
            name: getattr(self, name)[pick] for name in ("no", "area", "street", "lon", "lat", "rated_w", "cabinet")
        }
        texts = {name: [getattr(self, name)[row]] for name in ("ids", "lighting_class", "lights", "category")}
        one = replace(self, **columns, **texts)
        vars(one)["sites"] = (one.area, self.sites[1])
        return one

    def within(self, area: str) -> Mask:
        """The lamps in an area and all that lies in it."""
        inside = np.array([lies_in(path, area) for path in self.areas], np.bool_)
        return inside[self.area] if len(inside) else np.zeros(len(self), np.bool_)

    def named(self, speaking: Speaking) -> Mask:
        """The lamps that a programme, or what else names some, speaks for."""
        target, inside = speaking.target, self.within(speaking.area)
        found = np.zeros(len(self), np.bool_)
        if target.streets:
            known = {name: number for number, name in enumerate(self.streets)}
            found |= np.isin(self.street, [known[name] for name in target.streets if name in known])
        if target.classes:
            found |= np.isin(self._classes, target.classes)
        found[self._rows_of(target.assets)] = True
        if not (target.streets or target.classes or target.assets):
            found[:] = True
        if target.except_classes:
            found &= ~np.isin(self._classes, target.except_classes)
        found[self._rows_of(target.except_assets)] = False
        return found & inside

    def _rows_of(self, ids: Sequence[str]) -> list[int]:
        return [row for row in map(self._row.get, ids) if row is not None]

    @cached_property
    def sites(self) -> tuple[Int64s, Sequence[Place]]:
        """Where each lamp stands for the sun: the middle of its area's lamps, which it is close enough to."""
        count = np.maximum(np.bincount(self.area, minlength=len(self.areas)), 1)
        lon = np.bincount(self.area, self.lon, len(self.areas)) / count
        lat = np.bincount(self.area, self.lat, len(self.areas)) / count
        return self.area, [Place(float(x), float(y)) for x, y in zip(lon, lat, strict=True)]

    @cached_property
    def middle(self) -> Place:
        """The middle of all lamps: the sun of a town, where a minute does not matter."""
        return Place(float(self.lon.mean()), float(self.lat.mean()))
