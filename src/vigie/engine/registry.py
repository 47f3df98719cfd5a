"""The registry: which assets exist, in columns, and how their points are numbered.

An asset number indexes every column here. The points of an asset have neighbouring slots in the live picture, in
the order in which its kind declares them: slot = base[asset] + ordinal of the point. Slots belong to this process;
what is stored is (asset number, point number).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vigie.core.assets import AssetRecord
from vigie.core.facts import About
from vigie.core.kinds import AssetKind, Catalogue, Point, Sort
from vigie.core.observations import Int64s, Mask
from vigie.core.service import Numbers

SORTS: tuple[Sort, ...] = tuple(Sort)

NO_POINT = -1

Row = tuple[int, str, str, str, int, int, float, float, bool, str, str]
"""An asset at start: number, id, kind, area, parent, reporter, lon, lat, gone, name, street."""


class Registry:
    """The assets of one city. Grows; a retired asset keeps its number and its slots."""

    def __init__(self, catalogue: Catalogue, point_numbers: Mapping[tuple[str, str], int]) -> None:
        """point_numbers: (kind, point) -> its stored number, for every point of the catalogue."""
        self.catalogue = catalogue
        self.kinds: tuple[type[AssetKind], ...] = tuple(catalogue.assets.values())
        self.kind_codes = {kind.kind: code for code, kind in enumerate(self.kinds)}
        self.areas: list[str] = [""]
        self.area_codes: dict[str, int] = {"": 0}
        self.numbers: dict[str, int] = {}
        self.ids: list[str] = [""]
        self.names: list[str] = [""]
        self.streets: list[str] = [""]
        self.street_codes: dict[str, int] = {"": 0}
        self.count = 1
        # Grows with whatever is taken in: who keeps something derived from the registry sets it against this.
        self.version = 0
        self._kind_versions = [0] * len(self.kinds)
        self._size = 0
        self.kind = np.empty(0, np.int16)
        self.area = np.empty(0, np.int32)
        self.street = np.empty(0, np.int32)
        self.parent = np.empty(0, np.int64)
        self.reporter = np.empty(0, np.int32)
        self.base = np.empty(0, np.int64)
        self.lon = np.empty(0)
        self.lat = np.empty(0)
        self.gone = np.empty(0, np.bool_)
        self._grow(1024)
        self.kind[0] = -1
        self.slots = 0

        names = sorted({name for kind in self.kinds for name in kind.points})
        self.point_codes = {name: code for code, name in enumerate(names)}
        self.ordinal = np.full((len(self.kinds), len(names) + 1), NO_POINT, np.int64)
        self.points: list[Point[Any]] = []
        self.point_number = np.zeros(
            (len(self.kinds), max((len(k.points) for k in self.kinds), default=0) or 1), np.int64
        )
        self.by_number: dict[int, tuple[type[AssetKind], Point[Any]]] = {}
        for code, kind in enumerate(self.kinds):
            for ordinal, (name, point) in enumerate(kind.points.items()):
                self.ordinal[code, self.point_codes[name]] = ordinal
                number = point_numbers[kind.kind, name]
                self.point_number[code, ordinal] = number
                self.by_number[number] = (kind, point)
        self.slot_asset = np.empty(4096, np.int64)
        self.slot_point = np.empty(4096, np.int32)

    @property
    def unknown_point(self) -> int:
        """The code of a point name that no kind has; `ordinal` says NO_POINT for it."""
        return self.ordinal.shape[1] - 1

    def add(self, records: Iterable[AssetRecord]) -> None:
        """Takes in new assets, or what changed of known ones. Numbers must follow each other without a hole."""
        for record in records:
            known = record.no < self.count
            if not known:
                if record.no != self.count:
                    raise ValueError(f"asset number {record.no} after {self.count - 1}")
                self._grow(record.no + 1)
                self.ids.append(record.id)
                self.names.append(record.name)
                self.numbers[record.id] = record.no
                self.count = record.no + 1
                code = self.kind_codes[record.kind]
                self.kind[record.no] = code
                self.base[record.no] = self._add_slots(record.no, code)
            self.names[record.no] = record.name
            self.area[record.no] = self.area_code(record.area)
            self.street[record.no] = self.street_code(record.street)
            self.parent[record.no] = record.parent
            self.reporter[record.no] = record.reporter
            self.lon[record.no], self.lat[record.no] = record.lon, record.lat
            self.gone[record.no] = record.retired_us is not None
            self._kind_versions[self.kind[record.no]] = self.version + 1
        self.version += 1

    def add_columns(self, rows: Sequence[Row]) -> None:
        """Takes in many assets at start, sorted by number, into an empty registry."""
        if not rows:
            return
        numbers, ids, kinds, areas, parents, reporters, lons, lats, gone, names, streets = zip(*rows, strict=True)
        count = len(rows)
        if numbers[0] != 1 or numbers[-1] != count or self.count != 1:
            raise ValueError("asset numbers must run from 1 without a hole")
        self._grow(count + 1)
        self.ids += ids
        self.names += names
        self.version += 1
        self._kind_versions = [self.version] * len(self.kinds)
        self.numbers = dict(zip(ids, numbers, strict=True))
        self.count = count + 1
        span = slice(1, count + 1)
        codes = np.fromiter(map(self.kind_codes.__getitem__, kinds), np.int16, count)
        self.kind[span] = codes
        self.area[span] = [self.area_code(area) for area in areas]
        self.street[span] = [self.street_code(street) for street in streets]
        self.parent[span], self.reporter[span] = parents, reporters
        self.lon[span], self.lat[span], self.gone[span] = lons, lats, gone
        widths = np.array([len(kind.points) for kind in self.kinds], np.int64)[codes]
        ends = np.cumsum(widths)
        self.base[span] = ends - widths
        self._grow_slots(int(ends[-1]))
        self.slots = int(ends[-1])
        owner = np.repeat(np.arange(1, count + 1), widths)
        self.slot_asset[: self.slots] = owner
        self.slot_point[: self.slots] = self.point_number[self.kind[owner], np.arange(self.slots) - self.base[owner]]

    def in_town(self) -> Mask:
        """For each asset, whether it is in service and of the town: what only happens around it is not."""
        of_town = np.array([kind.of_town for kind in self.kinds], np.bool_)
        span = slice(0, self.count)
        here = ~self.gone[span] & of_town[self.kind[span]]
        here[0] = False
        return here

    def version_of(self, kind: type[AssetKind]) -> int:
        """The version at which an asset of this kind was taken in or changed last: what is derived from one kind alone
        need not be made anew when another changes."""
        return self._kind_versions[self.kind_codes[kind.kind]]

    def area_code(self, path: str) -> int:
        """The code of an area path, made at first sight."""
        code = self.area_codes.get(path)
        if code is None:
            code = self.area_codes[path] = len(self.areas)
            self.areas.append(path)
        return code

    def street_code(self, name: str) -> int:
        """The code of a street's name, made at first sight; 0 is no street."""
        code = self.street_codes.get(name)
        if code is None:
            code = self.street_codes[name] = len(self.streets)
            self.streets.append(name)
        return code

    def about(self, asset: int) -> About:
        """Whom a fact of this asset is about."""
        kind = self.kind_of(asset)
        return About(self.ids[asset], self.areas[int(self.area[asset])], kind.service, kind.verb)

    def slot(self, asset: int, point: Point[Any]) -> int:
        """The slot of a point of an asset. Raises KeyError if the asset's kind has no such point."""
        ordinal = int(self.ordinal[self.kind[asset], self.point_codes[point.name]])
        if ordinal == NO_POINT:
            raise KeyError(point.name)
        return int(self.base[asset]) + ordinal

    def slots_of(self, kind: type[AssetKind], point: Point[Any], assets: Numbers) -> Int64s:
        """The slots of one point of many assets of one kind."""
        ordinal = self.ordinal[self.kind_codes[kind.kind], self.point_codes[point.name]]
        return self.base[assets] + ordinal

    def slots_at(self, assets: Numbers, point_numbers: NDArray[np.int64]) -> Int64s:
        """The slots of stored (asset, point) pairs; NO_POINT where this program knows no such point."""
        kinds, ordinals = self._by_number_columns()
        known = (assets < self.count) & (point_numbers < len(kinds))
        safe = np.where(known, point_numbers, 0)
        asset = np.where(known, assets, 0)
        fits = known & (kinds[safe] == self.kind[asset])
        return np.where(fits, self.base[asset] + ordinals[safe], NO_POINT)

    def of_kind(self, kind: type[AssetKind]) -> Numbers:
        """The numbers of the assets of a kind that are in service."""
        here = self.kind[: self.count] == self.kind_codes[kind.kind]
        return np.flatnonzero(here & ~self.gone[: self.count])

    def kind_of(self, asset: int) -> type[AssetKind]:
        """The kind of an asset."""
        return self.kinds[int(self.kind[asset])]

    def children(self, asset: int) -> Numbers:
        """The numbers of the assets that this one feeds directly."""
        return np.flatnonzero((self.parent[: self.count] == asset) & ~self.gone[: self.count])

    def fed_by(self, assets: Numbers) -> Mask:
        """For each asset of the city, whether one of `assets` is it or feeds it, at any depth."""
        fed = np.zeros(self.count, np.bool_)
        fed[assets] = True
        parent = self.parent[: self.count]
        while True:
            wider = fed | fed[parent]
            wider[0] = False
            if np.array_equal(wider, fed):
                return fed
            fed = wider

    def _by_number_columns(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        size = max(self.by_number, default=0) + 1
        kinds, ordinals = np.full(size, -2, np.int64), np.zeros(size, np.int64)
        for number, (kind, point) in self.by_number.items():
            code = self.kind_codes[kind.kind]
            kinds[number], ordinals[number] = code, self.ordinal[code, self.point_codes[point.name]]
        return kinds, ordinals

    def _add_slots(self, asset: int, code: int) -> int:
        base, width = self.slots, len(self.kinds[code].points)
        self._grow_slots(base + width)
        self.slot_asset[base : base + width] = asset
        self.slot_point[base : base + width] = self.point_number[code, :width]
        self.slots = base + width
        return base

    def _grow_slots(self, size: int) -> None:
        if size > len(self.slot_asset):
            room = max(size, 2 * len(self.slot_asset))
            self.slot_asset = np.resize(self.slot_asset, room)
            self.slot_point = np.resize(self.slot_point, room)

    def _grow(self, size: int) -> None:
        if size <= self._size:
            return
        room = max(size, 2 * self._size)
        for name in ("kind", "area", "street", "parent", "reporter", "base", "lon", "lat", "gone"):
            column: NDArray[Any] = getattr(self, name)
            wider = np.zeros(room, column.dtype)
            wider[: self._size] = column
            setattr(self, name, wider)
        self._size = room
