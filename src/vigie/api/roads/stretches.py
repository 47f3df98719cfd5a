"""The operation that finds stretches of streets: by what they are called, by where somebody points, or by their ids."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from vigie.api.city.forms import Form
from vigie.api.city.index import Words, folded, words_of
from vigie.api.city.sources import Sources
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.roads.streets import Streets
from vigie.core.arrays import ints
from vigie.core.ground import metres
from vigie.core.observations import Floats, Int64s, Mask
from vigie.services.places import Street

NEAR_M = 40.0
"""Whoever points at a street on a map is this near to it."""

FOUND_MAX = 200

Degrees = Annotated[float, Meta(ge=-180, le=180)]


class StretchesQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which stretches: one of these questions."""

    name: Annotated[str, Meta(max_length=200, description="Words of what it is called, or how they begin.")] = ""
    street: Annotated[str, Meta(max_length=10_000, description="Ids, apart by commas.")] = ""
    lon: Annotated[Degrees | None, Meta(description="Longitude of a place in degrees: those within 40 m of it.")] = None
    lat: Annotated[Degrees | None, Meta(description="Its latitude in degrees.")] = None
    limit: Annotated[int, Meta(ge=1, le=FOUND_MAX, description="How many at most.")] = 50


class StreetForm(Form, frozen=True, kw_only=True):
    """A stretch of a street. begins_at, ends_at: another street that it meets where its line begins and ends, empty for
    none that has a name. line: longitude and latitude of its corners, in degrees. at_m: how far along it is nearest to
    the place that was asked for, away_m: how far it is from there; null where none was."""

    street: str
    name: str
    area: str
    length_m: float
    one_way: bool
    begins_at: str
    ends_at: str
    line: Sequence[tuple[float, float]]
    at_m: float | None
    away_m: float | None


class StreetsFound(Form, frozen=True, kw_only=True):
    """Stretches: the nearest first, or by name. total: how many there are."""

    items: Sequence[StreetForm]
    total: int


class StretchesDoor:
    """The operation."""

    def __init__(self, sources: Sources, streets: Streets) -> None:
        self._sources, self._streets = sources, streets
        self._words: tuple[int, Words] | None = None

    @property
    def operations(self) -> list[Operation]:
        """As the API declares it."""
        return [Operation("GET", "roads/streets", self.find, query=StretchesQuery, answer=StreetsFound)]

    async def find(self, ask: Ask[StretchesQuery, Nothing]) -> StreetsFound:
        """Finds stretches of streets that you may see: by words of their names, by their ids, or near a place.

        A street is many stretches, from one crossing to the next. Works, circuits and requests name them by these ids,
        in metres along their lines.
        """
        query = ask.query
        if (query.lon is None) != (query.lat is None):
            raise Problem(400, "Half a place", "A place has a longitude and a latitude.")
        return await asyncio.to_thread(self._find, query, self._sources.sight(ask.caller).seen.copy())

    def _find(self, query: StretchesQuery, seen: Mask) -> StreetsFound:
        numbers, start, lon, lat = self._streets.drawn()
        shown = np.isin(numbers, np.flatnonzero(seen))
        at_m = away_m = None
        if query.lon is not None and query.lat is not None:
            rows, at_m, away_m = _near(start, lon, lat, query.lon, query.lat)
            kept = shown[rows]
            rows, at_m, away_m = rows[kept], at_m[kept], away_m[kept]
        elif query.street:
            wanted = [self._sources.engine.registry.numbers.get(each, -1) for each in query.street.split(",")]
            rows = np.flatnonzero(np.isin(numbers, wanted) & shown)
        else:
            rows = self._called(numbers, query.name, shown)
        own = rows[: query.limit]
        lines = self._streets.lines(numbers[own])
        told = [
            self._form(row, lines[n], None if at_m is None else at_m[n], None if away_m is None else away_m[n])
            for n, row in enumerate(ints(own))
        ]
        return StreetsFound(items=told, total=len(rows))

    def _called(self, numbers: Int64s, text: str, shown: Mask) -> Int64s:
        """The rows of stretches whose name has all these words: those that begin with them first, then by name."""
        words, registry = words_of(text), self._sources.engine.registry
        version = registry.version_of(Street)
        if self._words is None or self._words[0] != version:
            named = ((row, registry.names[no]) for row, no in enumerate(ints(numbers)))
            self._words = version, Words(named, len(numbers))
        if not words:
            return np.empty(0, np.int64)
        fits = shown.copy()
        for word in words:
            fits &= self._words[1].fits(word)
        whole, names = folded(text.strip()), {row: registry.names[int(numbers[row])] for row in np.flatnonzero(fits)}
        order = sorted(names, key=lambda row: (not folded(names[row]).startswith(whole), names[row], row))
        return np.array(order, np.int64)

    def _form(
        self, row: int, line: Sequence[tuple[float, float]], at_m: float | None, away_m: float | None
    ) -> StreetForm:
        registry = self._sources.engine.registry
        network, numbers = self._streets.network()
        no = int(numbers[row])
        own = np.flatnonzero(network.line == row)
        first, last = int(own[0]), int(own[-1])
        return StreetForm(
            street=registry.ids[no],
            name=registry.names[no],
            area=registry.areas[int(registry.area[no])],
            length_m=round(float(network.length_m[own].sum()), 1),
            one_way=not bool(network.allowed[2 * first + 1]),
            begins_at=self._met(int(network.tail[2 * first]), no),
            ends_at=self._met(int(network.head[2 * last]), no),
            line=line,
            at_m=None if at_m is None else round(float(at_m), 1),
            away_m=None if away_m is None else round(float(away_m), 1),
        )

    def _met(self, node: int, no: int) -> str:
        """What another street at a node is called."""
        registry = self._sources.engine.registry
        network, numbers = self._streets.network()
        there = numbers[network.line[np.flatnonzero(network.tail == node) // 2]]
        names = (registry.names[other] for other in ints(there))
        return next((name for name in names if name and name != registry.names[no]), "")


def _near(start: Int64s, lon: Floats, lat: Floats, at_lon: float, at_lat: float) -> tuple[Int64s, Floats, Floats]:
    """The rows of lines near a place, the nearest first; how far along each that is, and how far away, in metres."""
    nothing = np.empty(0)
    if len(lon) < 2:
        return np.empty(0, np.int64), nothing, nothing
    spots = metres(lon, lat, middle_lat=at_lat)
    (here,) = metres(np.array([at_lon]), np.array([at_lat]), middle_lat=at_lat)
    line = np.repeat(np.arange(len(start) - 1), np.diff(start))
    a, step = spots[:-1], np.diff(spots, axis=0)
    # From one line's last corner to the next line's first there is no street.
    between = line[:-1] != line[1:]
    long_m = np.where(between, 0.0, np.hypot(*step.T))
    along_m = np.cumsum(long_m) - long_m
    squared = np.maximum(long_m**2, 1e-9)
    share = np.clip(((here - a) * step).sum(1) / squared, 0.0, 1.0)
    away = np.where(between, np.inf, np.hypot(*(a + step * share[:, None] - here).T))
    found = np.flatnonzero(away <= NEAR_M)
    found = found[np.argsort(away[found], kind="stable")]
    rows, first = np.unique(line[found], return_index=True)
    order = np.argsort(first)
    rows, found = rows[order], found[first[order]]
    begin_m = along_m[np.minimum(start[rows], len(along_m) - 1)]
    return rows.astype(np.int64), along_m[found] - begin_m + long_m[found] * share[found], away[found]
