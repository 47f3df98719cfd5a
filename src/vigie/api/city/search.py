"""The search: areas, streets and assets by their names and ids, under the caller's Scope."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from vigie.api.city import forms
from vigie.api.city.index import CHANGED_MAX, AssetIndex, Words, folded, words_of
from vigie.api.city.sight import Sight, places
from vigie.api.city.sources import Sources
from vigie.api.operation import Ask, Nothing, Operation
from vigie.core.observations import Floats, Int64s, Mask
from vigie.engine.areas import segment
from vigie.engine.registry import Registry

LIMIT_MAX = 50


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for."""

    q: Annotated[str, Meta(min_length=1, max_length=200, description="Words, or how they begin; accents do not count.")]
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="How many are told.")] = 20


class SearchDoor:
    """The operation that searches, and the index that the list of assets filters by."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._index: AssetIndex | None = None
        self._town: _Town | None = None
        self._making = asyncio.Lock()

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("GET", "search", self.search, query=SearchQuery, answer=forms.Page[forms.Found], public=True),
        ]

    async def search(self, ask: Ask[SearchQuery, Nothing]) -> forms.Page[forms.Found]:
        """Finds areas, streets and assets that you may see by their names and ids.

        Every word must be the beginning of one of theirs, for a street also of its area's; accents and capitals do not
        count. What bears the id that was asked for comes first, then areas, streets, and assets, those before the
        others whose name or id begins so.
        """
        index = await self.index()
        town = self._town_now()
        sight = self._sources.sight(ask.caller)
        found = _found(
            self._sources.engine.registry, index, town, sight, places(self._sources.engine, sight), ask.query
        )
        return forms.Page(items=list(islice(found, ask.query.limit)))

    async def index(self) -> AssetIndex:
        """The index, made anew in a thread where too much has changed since it was made."""
        registry = self._sources.engine.registry
        if self._index is None or self._index.catch_up(registry) > CHANGED_MAX:
            async with self._making:
                if self._index is None or self._index.catch_up(registry) > CHANGED_MAX:
                    self._index = await asyncio.to_thread(AssetIndex.of, registry)
        self._index.catch_up(registry)
        return self._index

    def _town_now(self) -> _Town:
        registry = self._sources.engine.registry
        if self._town is None or self._town.version != registry.version:
            self._town = _Town(registry)
        return self._town


@dataclass(frozen=True, slots=True)
class _Street:
    """A street in an area, which is given by its code."""

    name: str
    area: int


class _Town:
    """The areas and streets of a registry, as they were at a version of it."""

    def __init__(self, registry: Registry) -> None:
        self.version = registry.version
        kind, kinds = registry.kind[: registry.count] + 1, registry.kinds
        is_area = np.array([False, *(each.area for each in kinds)], np.bool_)[kind]
        is_street = np.array([False, *(each.street for each in kinds)], np.bool_)[kind]
        gone = registry.gone[: registry.count]
        self.areas: Int64s = np.flatnonzero(is_area & ~gone)
        self.own = ~is_area & ~is_street & ~gone
        """The assets that are found as such."""
        self.area_words = Words(
            ((row, f"{registry.names[no]} {registry.ids[no]}") for row, no in enumerate(self.areas.tolist())),
            len(self.areas),
        )
        areas: list[int] = self.areas.tolist()
        self.area_names = {path_of(registry, no): registry.names[no] for no in areas}
        # A stretch is of the street whose name it bears, whether anything stands on it or not.
        names = dict(registry.street_codes)
        code = registry.street[: registry.count].astype(np.int64)
        for no in np.flatnonzero(is_street & ~gone).tolist():
            code[no] = names.setdefault(registry.names[no], len(names))
        named = list(names)
        members = np.flatnonzero((code != 0) & ~gone)
        area = registry.area[: registry.count].astype(np.int64)
        # Stretches first: where a street is, is told by itself before what stands on it.
        members = members[np.lexsort((~is_street[members], area[members], code[members]))]
        pair = code[members] * len(registry.areas) + area[members]
        first = np.flatnonzero(np.diff(pair, prepend=-1)) if len(members) else np.empty(0, np.int64)
        self.members, self.first = members, first
        self.streets = [_Street(named[int(code[no])], int(area[no])) for no in members[first].tolist()]
        self.street_words = Words(((row, each.name) for row, each in enumerate(self.streets)), len(self.streets))
        self.street_area_words = Words(
            ((row, self.area_name(registry.areas[each.area])) for row, each in enumerate(self.streets)),
            len(self.streets),
        )
        self.is_street = is_street

    def area_name(self, path: str) -> str:
        """What people call an area; one that the inventory has no asset for is read from its path."""
        return self.area_names.get(path) or path.rpartition("/")[2].replace("-", " ").title()

    def streets_seen(self, seen: Mask) -> Mask:
        """For each street, whether anything of it may be seen."""
        if not len(self.first):
            return np.zeros(0, np.bool_)
        return np.logical_or.reduceat(seen[self.members], self.first)

    def middle(self, row: int, lon: Floats, lat: Floats) -> int:
        """The asset in the middle of a street: of its stretches where there are any, else of what stands on it."""
        last = int(self.first[row + 1]) if row + 1 < len(self.first) else len(self.members)
        mine = self.members[int(self.first[row]) : last]
        stretches = mine[self.is_street[mine]]
        mine = stretches if len(stretches) else mine
        away = np.hypot(lon[mine] - lon[mine].mean(), lat[mine] - lat[mine].mean())
        return int(mine[int(away.argmin())])


def _found(
    registry: Registry, index: AssetIndex, town: _Town, sight: Sight, where: tuple[Floats, Floats], query: SearchQuery
) -> Iterator[forms.Found]:
    """What fits, the likeliest first."""
    words, whole = words_of(query.q), folded(query.q.strip())
    if not words:
        return
    lon, lat = where
    told: set[int] = set()

    def asset(no: int) -> forms.Found:
        told.add(no)
        area, street = registry.areas[int(registry.area[no])], registry.streets[int(registry.street[no])]
        kind = registry.kind_of(no).kind
        return forms.Found(
            type="asset",
            id=registry.ids[no],
            kind=kind,
            name=registry.names[no] or registry.ids[no],
            context=", ".join(part for part in (street, town.area_name(area)) if part),
            lon=float(lon[no]),
            lat=float(lat[no]),
        )

    own = town.own & sight.seen
    exact = registry.numbers.get(query.q.strip(), 0)
    if own[exact]:
        yield asset(exact)
    yield from _areas(registry, town, sight, where, words)
    yield from _streets(registry, town, sight, where, words)
    fits = index.fits(registry, words) & own
    beginning = index.beginning(registry, whole)
    for rows in (beginning[own[beginning]], np.flatnonzero(fits)):
        for no in map(int, rows):
            if no not in told:
                yield asset(no)


def _areas(
    registry: Registry, town: _Town, sight: Sight, where: tuple[Floats, Floats], words: list[str]
) -> Iterator[forms.Found]:
    fits = np.ones(len(town.areas), np.bool_)
    for word in words:
        fits &= town.area_words.fits(word)
    numbers: list[int] = town.areas[fits].tolist()
    for no in numbers:
        if sight.seen[no]:
            within = registry.areas[int(registry.area[no])]
            yield forms.Found(
                type="area",
                id=path_of(registry, no),
                kind=registry.kind_of(no).kind,
                name=registry.names[no] or registry.ids[no],
                context=town.area_name(within),
                lon=float(where[0][no]),
                lat=float(where[1][no]),
            )


def _streets(
    registry: Registry, town: _Town, sight: Sight, where: tuple[Floats, Floats], words: list[str]
) -> Iterator[forms.Found]:
    fits, named = town.streets_seen(sight.seen), np.zeros(len(town.streets), np.bool_)
    for word in words:
        own = town.street_words.fits(word)
        # Of streets that share a name, a commune's name says which; by itself it means no street.
        fits, named = fits & (own | town.street_area_words.fits(word)), named | own
    rows = np.flatnonzero(fits & named).tolist()
    whole = " ".join(words)
    # Those that begin with what was asked for come first, the short before the long.
    rows.sort(key=lambda row: (not folded(town.streets[row].name).startswith(whole), len(town.streets[row].name)))
    for row in rows:
        street = town.streets[row]
        middle = town.middle(row, *where)
        area = registry.areas[street.area]
        yield forms.Found(
            type="street",
            id=f"{area}/{street.name}".lstrip("/"),
            kind=registry.kind_of(middle).kind if town.is_street[middle] else "",
            name=street.name,
            context=town.area_name(area),
            lon=float(where[0][middle]),
            lat=float(where[1][middle]),
        )


def path_of(registry: Registry, no: int) -> str:
    """The path of the area that an asset is."""
    within = registry.areas[int(registry.area[no])]
    return f"{within}/{segment(registry.names[no] or registry.ids[no])}".strip("/")
