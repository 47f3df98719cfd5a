"""How each asset stands: what the map shows of it, in columns by asset number, kept up to date in O(changed).

Everything has a version, counted with the live picture's own. `changed` is the version of the last change of what is
drawn of an asset (its shown point, its worst condition, its flags), `moved` that of its position or heading. Whoever
was told all up to a version asks for what is above it. What left a place for another is remembered as a departure,
so that who saw it there can be told that it is there no more.

Folds, orders and lock-outs are noted as they come. `catch_up` adds what is known only by looking: conditions that
moved, movers that are to be located, and values that have grown old by time alone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vigie.core.kinds import Point, Sort
from vigie.core.observations import Bytes, Floats, Int64s, Mask, Slots
from vigie.core.service import Numbers
from vigie.core.times import SECOND_US
from vigie.engine.conditions import Conditions
from vigie.engine.orders import shown_as
from vigie.engine.picture import NEVER_US, Moved, Picture
from vigie.engine.registry import NO_POINT, Registry
from vigie.engine.whereabouts import Whereabouts

OLD, ORDER, CONSIGNED, GONE, RULED = 1, 2, 4, 8, 16
"""The flags: the shown value is past its time; an order is under way; a lock-out holds it; it is retired; by its own
word an order holds it, or whatever else is not what it does by itself (`Hold`)."""

HEADING = "heading"
"""The point that says where a mover is bound for, in degrees from north, where its kind has one of this name."""

SWEEP_US = SECOND_US
DEPARTURES_MAX = 200_000
"""So many departures are remembered; who was last told before the oldest of them is told everything afresh."""

_ROOM = 1024


@dataclass(frozen=True, slots=True)
class Departures:
    """Assets and where they were until a version: columns of one length. area: the code of the area they were in."""

    version: Int64s
    asset: Numbers
    lon: Floats
    lat: Floats
    area: NDArray[np.int32]


class _Kinds:
    """What matters here of each kind, by its code."""

    def __init__(self, registry: Registry) -> None:
        kinds = registry.kinds
        count = max(len(kinds), 1)
        self.shown = np.full(count, NO_POINT, np.int64)
        self.place = np.full(count, NO_POINT, np.int64)
        self.heading = np.full(count, NO_POINT, np.int64)
        self.shown_valid_us = np.zeros(count, np.int64)
        self.place_valid_us = np.zeros(count, np.int64)
        self.shown_public = np.zeros(count, np.bool_)
        self.place_public = np.zeros(count, np.bool_)
        self.ruled = np.full(count, NO_POINT, np.int64)
        self.free = np.full(count, np.nan)
        for code, kind in enumerate(kinds):
            for ordinal, point in enumerate(kind.points.values()):
                if point.name == kind.shown:
                    self.shown[code], self.shown_valid_us[code] = ordinal, _valid_us(point)
                    self.shown_public[code] = point.public
                if point.sort is Sort.PLACE and self.place[code] == NO_POINT:
                    self.place[code], self.place_valid_us[code] = ordinal, _valid_us(point)
                    self.place_public[code] = point.public
                if point.name == HEADING and point.sort is Sort.NUMBER:
                    self.heading[code] = ordinal
            hold = next((each.holds for each in kind.actions.values() if each.holds is not None), None)
            if hold is not None:
                self.ruled[code] = list(kind.points).index(hold.point)
                self.free[code] = shown_as(kind, hold, hold.free)


class Standing:
    """The standing of every asset. One writer, the engine; readers look between two folds.

    changed, moved: versions. flags: OLD, ORDER, CONSIGNED, GONE and RULED. worst: as `Conditions.worst`, as of the last
    `catch_up`. lon, lat, area: where an asset is (degrees, an area's code): where it said it was, or else where the
    inventory has it. place_old: whether a mover's position is past its time. movers: the assets that say where they
    are. The columns are longer than the registry; `count` of their rows count.
    """

    def __init__(
        self, registry: Registry, picture: Picture, conditions: Conditions, whereabouts: Whereabouts | None = None
    ) -> None:
        self._registry, self._picture, self._conditions = registry, picture, conditions
        self._whereabouts = whereabouts
        self.kinds = _Kinds(registry)
        self.count = 1
        self.changed = np.zeros(_ROOM, np.int64)
        self.moved = np.zeros(_ROOM, np.int64)
        self.flags: Bytes = np.zeros(_ROOM, np.uint8)
        self.worst: Bytes = np.zeros(_ROOM, np.uint8)
        self.lon = np.zeros(_ROOM)
        self.lat = np.zeros(_ROOM)
        self.area = np.zeros(_ROOM, np.int32)
        self.place_old = np.zeros(_ROOM, np.bool_)
        self._own_area = np.zeros(_ROOM, np.int32)
        self.shown_slot: Slots = np.full(_ROOM, NO_POINT, np.int64)
        self.place_slot: Slots = np.full(_ROOM, NO_POINT, np.int64)
        self.heading_slot: Slots = np.full(_ROOM, NO_POINT, np.int64)
        self.ruled_slot: Slots = np.full(_ROOM, NO_POINT, np.int64)
        self.movers: Numbers = np.empty(0, np.int64)
        self.placings = 0
        """Grows whenever some asset is in another area than before."""
        self.floor = 0
        """Departures are remembered since this version."""
        self._departures: deque[Departures] = deque()
        self._departed = 0
        self._shown: Numbers = np.empty(0, np.int64)
        self._to_locate: list[Numbers] = []
        self._moves = -1
        self._registry_version = -1
        self._swept_us = 0
        self._renew()

    @property
    def version(self) -> int:
        """The version of the newest change of anything."""
        return self._picture.version

    # What the engine notes as it happens.

    def folded(self, moved: Moved, now_us: int) -> None:
        """Notes what a fold has moved."""
        self._renew()
        asset = self._registry.slot_asset[moved.slot]
        shown = self.shown_slot[asset] == moved.slot
        if shown.any():
            mine = asset[shown]
            valid_us = self.kinds.shown_valid_us[self._registry.kind[mine]]
            old = moved.observed_us[shown] < now_us - valid_us
            self.flags[mine] = (self.flags[mine] & ~np.uint8(OLD)) | old * np.uint8(OLD)
            self.changed[mine] = self.version
        ruled = self.ruled_slot[asset] == moved.slot
        if ruled.any():
            mine = asset[ruled]
            whole = np.zeros(len(self.flags), np.bool_)
            whole[mine] = self._picture.value[moved.slot[ruled]] != self.kinds.free[self._registry.kind[mine]]
            self._flag(mine, RULED, whole)
        if len(self.movers):
            placed = self.place_slot[asset] == moved.slot
            turned = self.heading_slot[asset] == moved.slot
            self.moved[asset[placed | turned]] = self.version
            if placed.any():
                self._to_locate.append(asset[placed])

    def mark_orders(self, assets: Numbers, on: Mask) -> None:
        """Notes of each of these assets (each named once) whether an order to it is under way."""
        self._renew()
        whole = np.zeros(len(self.flags), np.bool_)
        whole[assets] = on
        self._flag(assets, ORDER, whole)

    def mark_consigned(self, held: Mask) -> None:
        """Notes which assets of the city a lock-out holds. held: by asset number."""
        self._renew()
        whole = np.zeros(len(self.flags), np.bool_)
        whole[: len(held)] = held
        self._flag(np.arange(1, self.count), CONSIGNED, whole)

    def catch_up(self, now_us: int) -> int:
        """Adds what is known only by looking, and returns the version as of which everything is told."""
        self._renew()
        self.locate()
        if self._moves != self._conditions.moves:
            self._moves = self._conditions.moves
            self._conditions.fit()
            span = slice(0, self.count)
            differs = np.flatnonzero(self._conditions.worst[span] != self.worst[span])
            self.worst[differs] = self._conditions.worst[differs]
            self._note(differs)
        if abs(now_us - self._swept_us) >= SWEEP_US:
            self._swept_us = now_us
            self._sweep(now_us)
        return self.version

    def locate(self) -> None:
        """Finds where the movers are that have said so since this was last asked."""
        self._renew()
        if not self._to_locate:
            return
        assets = np.unique(np.concatenate(self._to_locate))
        self._to_locate.clear()
        slots = self.place_slot[assets]
        lon, lat = self._picture.value[slots], self._picture.value2[slots]
        area = self.area[assets] if self._whereabouts is None else self._whereabouts.find(lon, lat)
        self._depart(assets, lon, lat, area)

    def departed_since(self, version: int) -> Departures:
        """What has left a place since a version that is not below `floor`, and where that was."""
        found: list[Departures] = []
        for each in reversed(self._departures):
            if each.version[0] <= version:
                break
            found.append(each)
        if not found:
            return _NONE
        if len(found) == 1:
            return found[0]
        columns = ("version", "asset", "lon", "lat", "area")
        return Departures(*(np.concatenate([getattr(each, name) for each in reversed(found)]) for name in columns))

    def value_of(self, assets: Numbers) -> Floats:
        """The shown value of each asset: a number, a choice's code, a flag as 0 or 1; NaN where none is known."""
        slots = self.shown_slot[assets]
        return np.where(slots == NO_POINT, np.nan, self._picture.value[slots])

    def observed_s_of(self, assets: Numbers) -> Floats:
        """When the shown value of each asset was observed, in seconds since 1970; NaN where none is known."""
        return self._seconds(self.shown_slot[assets])

    def placed_s_of(self, assets: Numbers) -> Floats:
        """When the position of each mover was observed, in seconds since 1970; NaN where none is known."""
        return self._seconds(self.place_slot[assets])

    def heading_of(self, assets: Numbers) -> Floats:
        """Where each mover is bound for, in degrees from north; NaN where that is not known."""
        slots = self.heading_slot[assets]
        return np.where(slots == NO_POINT, np.nan, self._picture.value[slots])

    def _seconds(self, slots: Slots) -> Floats:
        observed_us = self._picture.observed_us[slots]
        known = (slots != NO_POINT) & (observed_us != NEVER_US)
        return np.where(known, observed_us / 1e6, np.nan)

    def _note(self, assets: Numbers) -> None:
        """Gives these assets a new version."""
        if len(assets):
            self._picture.version += 1
            self.changed[assets] = self.version

    def _flag(self, assets: Numbers, flag: int, on: Mask) -> None:
        """Sets a flag of these assets as the column `on` has it."""
        differs = assets[((self.flags[assets] & flag) != 0) != on[assets]]
        self.flags[differs] ^= np.uint8(flag)
        self._note(differs)

    def _sweep(self, now_us: int) -> None:
        """Flags what has grown old by time alone."""
        kind = self._registry.kind
        old = np.zeros(len(self.flags), np.bool_)
        old[self._shown] = self._past(
            self.shown_slot, self.kinds.shown_valid_us[kind[self._shown]], self._shown, now_us
        )
        self._flag(self._shown, OLD, old)
        if len(self.movers):
            past = self._past(self.place_slot, self.kinds.place_valid_us[kind[self.movers]], self.movers, now_us)
            differs = self.movers[self.place_old[self.movers] != past]
            self.place_old[self.movers] = past
            if len(differs):
                self._picture.version += 1
                self.moved[differs] = self.version

    def _past(self, slot: Slots, valid_us: Int64s, assets: Numbers, now_us: int) -> Mask:
        observed_us = self._picture.observed_us[slot[assets]]
        return (observed_us < now_us - valid_us) & (observed_us != NEVER_US)

    def _depart(self, assets: Numbers, lon: Floats, lat: Floats, area: NDArray[np.int32]) -> None:
        """Puts assets where they are now, and remembers where they were."""
        if not len(assets):
            return
        version = np.full(len(assets), self.version, np.int64)
        left = Departures(version, assets, self.lon[assets], self.lat[assets], self.area[assets])
        self._departures.append(left)
        self._departed += len(assets)
        while self._departed > DEPARTURES_MAX and len(self._departures) > 1:
            oldest = self._departures.popleft()
            self._departed -= len(oldest.asset)
            self.floor = int(oldest.version[0])
        if (area != left.area).any():
            self.placings += 1
        self.lon[assets], self.lat[assets], self.area[assets] = lon, lat, area

    def _renew(self) -> None:
        """Takes in what the registry has taken in since: new assets, and what changed of the others."""
        registry = self._registry
        self._picture.fit()
        if self._registry_version == registry.version:
            return
        self._registry_version = registry.version
        before, count = self.count, registry.count
        self._grow(count)
        self.count = count
        span = np.arange(1, count)
        kind, base = registry.kind[1:count], registry.base[1:count]
        for column, ordinals in (
            (self.shown_slot, self.kinds.shown),
            (self.place_slot, self.kinds.place),
            (self.heading_slot, self.kinds.heading),
            (self.ruled_slot, self.kinds.ruled),
        ):
            ordinal = ordinals[kind]
            column[1:count] = np.where(ordinal == NO_POINT, NO_POINT, base + ordinal)
        self._shown = span[self.shown_slot[1:count] != NO_POINT]
        self.movers = span[self.place_slot[1:count] != NO_POINT]
        known = span[: before - 1]
        still = known[self._still(known)]
        away = still[
            (self.lon[still] != registry.lon[still])
            | (self.lat[still] != registry.lat[still])
            | (self.area[still] != registry.area[still])
        ]
        self._note(away)
        self._depart(away, registry.lon[away], registry.lat[away], registry.area[away])
        # What belongs to another area now is new to those who could not see it.
        self._note(known[self._own_area[known] != registry.area[known]])
        self._own_area[span] = registry.area[span]
        fresh = span[before - 1 :]
        self.lon[fresh], self.lat[fresh] = registry.lon[fresh], registry.lat[fresh]
        self.area[fresh] = registry.area[fresh]
        self.placings += 1
        gone = np.zeros(len(self.flags), np.bool_)
        gone[1:count] = registry.gone[1:count]
        self._flag(span, GONE, gone)
        if before > 1:
            self._note(fresh)

    def _still(self, assets: Numbers) -> Mask:
        """Those that are where the inventory has them, as they never said where they are."""
        slots = self.place_slot[assets]
        return (slots == NO_POINT) | (self._picture.observed_us[slots] == NEVER_US)

    def _grow(self, size: int) -> None:
        room = len(self.changed)
        if size <= room:
            return
        extra = max(size, 2 * room) - room
        for name in ("changed", "moved", "flags", "worst", "lon", "lat", "area", "place_old", "_own_area"):
            column: NDArray[np.generic] = getattr(self, name)
            setattr(self, name, np.concatenate([column, np.zeros(extra, column.dtype)]))
        for name in ("shown_slot", "place_slot", "heading_slot", "ruled_slot"):
            setattr(self, name, np.concatenate([getattr(self, name), np.full(extra, NO_POINT, np.int64)]))


def _valid_us(point: Point[object]) -> int:
    return int(point.valid_s * SECOND_US)


_NONE = Departures(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0, np.int32))
