"""The city itself: its name, zone, sun, areas, and the kinds of things that are known of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from numpy.typing import NDArray

from vigie.api.city import describe, forms
from vigie.api.city.sources import Sources
from vigie.api.operation import Ask, Nothing, Operation
from vigie.core import sun
from vigie.core.observations import Int64s, Mask
from vigie.core.times import SECOND_US, from_us, rfc3339
from vigie.store.sheets import AreaRow

NOWHERE: forms.Bounds = (-180.0, -85.0, 180.0, 85.0)
"""The bounds of a town in which nothing has a place yet."""


class CityDoor:
    """The operations on the city as a whole."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._areas: tuple[int, list[forms.Area]] = (-1, [])

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("GET", "city", self.city, answer=forms.City, public=True, kept=True),
            Operation("GET", "kinds", self.kinds, answer=forms.Kinds, public=True, kept=True),
        ]

    async def city(self, ask: Ask[Nothing, Nothing]) -> forms.City:
        """Tells the city's name, zone, bounds, sun and areas, and how many assets of each kind you may see."""
        sources = self._sources
        registry = sources.engine.registry
        areas = await asyncio.to_thread(self.areas)
        here = sources.sight(ask.caller).seen & ~registry.gone[: registry.count]
        bounds = self._bounds(areas, here)
        now_us = sources.clock.now_us()
        return forms.City(
            name=sources.name,
            zone=sources.zone,
            bounds=bounds,
            shard=sources.shard,
            # To the minute, so that the answer keeps its ETag for one: clocks are set by the live door.
            now=rfc3339(now_us - now_us % 60_000_000),
            version=sources.version,
            # A town that is nowhere yet has no sun of its own.
            sun=forms.Sun(rise=None, set=None) if bounds == NOWHERE else sun_of(bounds, sources.zone, now_us),
            assets=describe.counts(registry, here),
            areas=areas,
        )

    async def kinds(self, ask: Ask[Nothing, Nothing]) -> forms.Kinds:
        """Tells all kinds with their points, attributes and actions, the conditions, and the lives as tables.

        Without an account: what kinds mark public.
        """
        return describe.kinds(self._sources.engine, all_of_them=bool(ask.caller.session))

    def areas(self) -> list[forms.Area]:
        """The parts of the town, kept while the registry stays as it is. Called in a thread: it reads the tables."""
        registry = self._sources.engine.registry
        version = registry.version
        if self._areas[0] != version:
            kinds = [kind.kind for kind in registry.kinds if kind.area]
            self._areas = (version, [_area(row) for row in self._sources.facts.sheets.areas(kinds)])
        return self._areas[1]

    def _bounds(self, areas: list[forms.Area], here: Mask) -> forms.Bounds:
        """Around all areas; where there are none, around all assets that have a place."""
        registry = self._sources.engine.registry
        if areas:
            boxes = np.array([area.bounds for area in areas])
            west, south, east, north = *boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()
            return (west, south, east, north)
        span = slice(0, registry.count)
        # What has no place of its own, as the post itself, is at 0, 0.
        placed = here & ((registry.lon[span] != 0) | (registry.lat[span] != 0))
        if not placed.any():
            return NOWHERE
        lon, lat = registry.lon[span][placed], registry.lat[span][placed]
        return (float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))


def sun_of(bounds: forms.Bounds, zone: str, now_us: int) -> forms.Sun:
    """Sunrise and sunset of the day that it is in the city's zone, at the middle of the bounds."""
    west, south, east, north = bounds
    today = from_us(now_us).astimezone(ZoneInfo(zone)).date()
    day = np.array([(today - date(1970, 1, 1)).days])

    def said(passage: Callable[..., tuple[Int64s, NDArray[np.uint8]]]) -> str | None:
        at_us, how = passage(day, (west + east) / 2, (south + north) / 2)
        # So far north that it does not rise or set today: then there is nothing to say.
        return rfc3339(int(at_us[0]) // SECOND_US * SECOND_US) if how[0] == sun.Passage.PASSES else None

    return forms.Sun(rise=said(sun.morning_us), set=said(sun.evening_us))


def _area(row: AreaRow) -> forms.Area:
    shape = None if row.surface is None else shapely.from_wkb(row.surface, on_invalid="ignore")
    box = (row.lon, row.lat, row.lon, row.lat) if shape is None or shape.is_empty else shape.bounds
    west, south, east, north = box
    return forms.Area(
        path=row.path,
        name=row.name or row.id,
        kind=row.kind,
        asset=row.id,
        bounds=(west, south, east, north),
        lon=row.lon,
        lat=row.lat,
    )
