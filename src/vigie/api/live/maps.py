"""What the map shows: the assets of a viewport, as columns, and from then on what changed of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from vigie.api.live.feeds import Memo, Source, Telling, stamped
from vigie.api.live.frames import Frame
from vigie.core.observations import Floats, Mask
from vigie.core.scope import Scope
from vigie.core.service import Numbers
from vigie.engine.registry import NO_POINT
from vigie.engine.standing import GONE, OLD

RANGE = 16_384
"""So many asset numbers are looked through for one frame, so that a frame is 400 KB at most."""

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Viewport:
    """Where somebody looks, and for what. bounds: west, south, east, north in degrees; None for the whole city.
    kinds: the codes of kinds; None for all."""

    bounds: Bounds | None
    kinds: frozenset[int] | None

    @staticmethod
    def of(bounds: Bounds, kinds: frozenset[int] | None, extent: Bounds) -> Viewport:
        """Consoles that all show the whole city, each a little wider than the other, look at the same."""
        west, south, east, north = extent
        whole = bounds[0] <= west and bounds[1] <= south and bounds[2] >= east and bounds[3] >= north
        return Viewport(None if whole else bounds, kinds)

    def holds(self, lon: Floats, lat: Floats) -> Mask:
        """Whether each place lies in it. A place that is not known lies in none."""
        if self.bounds is None:
            return np.ones(len(lon), np.bool_)
        west, south, east, north = self.bounds
        return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


class MapFeed:
    """A viewport in the eyes of a Scope. A mark is the version up to which all was told.

    Of an asset that is seen only because anybody may, nothing is told but what its kind marks public.
    """

    def __init__(self, source: Source, viewport: Viewport, scope: Scope) -> None:
        self._engine, self._moment = source.engine, source.moment
        self._viewport, self._scope = viewport, scope
        # Whoever comes back with other rights than before is told everything afresh.
        self._epoch = f"{source.moment.epoch}-{scope.key[:8]}"
        self._memo = Memo(source.moment)
        count = len(source.engine.registry.kinds)
        self._kinds = np.ones(count, np.bool_)
        if viewport.kinds is not None:
            self._kinds[:] = False
            self._kinds[list(viewport.kinds)] = True

    def tell(self, mark: int | None) -> Telling | None:
        """A snapshot for somebody new; otherwise what changed since, if anything did."""
        version = self._moment.version
        if mark == version:
            return None
        if mark is not None and mark == self._moment.previous and len(self._moment.recent) <= RANGE:
            made = self._memo.made
            frames = made.get("tick")
            if frames is None:
                frames = made["tick"] = list(self._since(mark))
        else:
            frames = self._snapshot() if mark is None else self._since(mark)
        return Telling(frames, version)

    def resume(self, epoch: str, mark: int) -> Telling:
        """The same for somebody who comes back: an answer even where nothing has changed, and a snapshot where the
        mark is of another epoch, or so old that it is not known any more what left since."""
        version = self._moment.version
        if epoch != self._epoch or not self._engine.standing.floor <= mark <= version:
            return Telling(self._snapshot(forget=True), version)
        return Telling(self._answered(mark), version)

    def _answered(self, mark: int) -> Iterator[Frame]:
        empty = True
        for frame in self._since(mark):
            empty = False
            yield frame
        if empty:
            yield self._picture("delta", np.empty(0, np.int64), version=self._moment.version)

    def _snapshot(self, *, forget: bool = False) -> Iterator[Frame]:
        """All that there is to be told. What was told before of assets that move is to be forgotten; with `forget`,
        what was told before of anything."""
        return stamped(self._all({"forget": True} if forget else {}), version=self._moment.version)

    def _all(self, header: dict[str, Any]) -> Iterator[Frame]:
        standing, made = self._engine.standing, self._memo
        what = "snapshot"
        for start in range(1, max(2, standing.count), RANGE):
            key = (start, bool(header))
            frame = made.made.get(key)
            if frame is None:
                rows = np.arange(start, min(start + RANGE, standing.count))
                # What never said anything and never changed has nothing to tell.
                spoke = (standing.changed[rows] > 0) | (standing.flags[rows] > 0) | (standing.worst[rows] > 0)
                spoke |= ~np.isnan(standing.value_of(rows))
                frame = made.made[key] = self._picture(what, rows[spoke], **header)
            if frame.header["rows"] or what == "snapshot":
                yield frame
            what, header = "delta", {}
        what = "snapshot"
        for start in range(0, max(1, len(standing.movers)), RANGE):
            yield self._moving(what, standing.movers[start : start + RANGE])
            what = "delta"

    def _since(self, mark: int) -> Iterator[Frame]:
        return stamped(self._changes(mark), version=self._moment.version)

    def _changes(self, mark: int) -> Iterator[Frame]:
        standing = self._engine.standing
        if mark == self._moment.previous:
            # What changes while a slow listener takes its frames has a newer version, and comes with the next tick.
            recent = self._moment.recent
            ranges = [recent[start : start + RANGE] for start in range(0, len(recent), RANGE)]
            chosen = (rows[standing.changed[rows] > mark] for rows in ranges)
        else:
            starts = range(1, standing.count, RANGE)
            chosen = (np.flatnonzero(standing.changed[s : min(s + RANGE, standing.count)] > mark) + s for s in starts)
        for rows in chosen:
            frame = self._picture("delta", rows)
            if frame.header["rows"]:
                yield frame
        left, other = self._crossed(mark)
        if len(other):
            yield self._picture("delta", other, blank=True)
        is_mover = standing.place_slot[left] != NO_POINT
        if not is_mover.all():
            yield self._tombs(left[~is_mover], moving=False)
        if is_mover.any():
            yield self._tombs(left[is_mover], moving=True)
        movers = standing.movers
        movers = movers[(standing.moved[movers] > mark) | (standing.changed[movers] > mark)]
        for start in range(0, len(movers), RANGE):
            frame = self._moving("delta", movers[start : start + RANGE])
            if frame.header["rows"]:
                yield frame

    def _sight(self, rows: Numbers) -> tuple[Mask, Mask]:
        """Of each asset: whether it is in the viewport and seen at all, and whether all of it is shown."""
        standing, registry, visibility = self._engine.standing, self._engine.registry, self._engine.visibility
        kind = registry.kind[rows]
        seen, whole = visibility.mask(self._scope)[rows], visibility.covered(self._scope)[rows]
        # Whoever may not read a position must not learn from a viewport what it is either.
        placed = whole | standing.kinds.place_public[kind]
        lon = np.where(placed, standing.lon[rows], registry.lon[rows])
        lat = np.where(placed, standing.lat[rows], registry.lat[rows])
        return seen & self._kinds[kind] & self._viewport.holds(lon, lat), whole

    def _picture(self, what: str, rows: Numbers, *, blank: bool = False, **header: Any) -> Frame:
        """blank: whether what is seen, but shows nothing of itself, is told as unknown."""
        standing = self._engine.standing
        seen, whole = self._sight(rows)
        open_value = whole | standing.kinds.shown_public[self._engine.registry.kind[rows]]
        # That something is gone is told whoever saw it at all: it may have been told as unknown before.
        told = seen & (open_value | blank | ((standing.flags[rows] & GONE) > 0))
        rows, whole, open_value = rows[told], whole[told], open_value[told]
        columns = (
            ("no", rows.astype(np.uint32)),
            ("value", np.where(open_value, standing.value_of(rows), np.nan).astype(np.float32)),
            ("at_s", np.where(open_value, standing.observed_s_of(rows), np.nan)),
            ("worst", np.where(whole, standing.worst[rows], 0).astype(np.uint8)),
            ("flags", _shown_flags(standing.flags[rows], whole)),
        )
        return Frame(self._moment.header(what) | {"epoch": self._epoch} | header, columns)

    def _moving(self, what: str, rows: Numbers) -> Frame:
        standing = self._engine.standing
        seen, whole = self._sight(rows)
        gone = (standing.flags[rows] & GONE) > 0
        at_s = standing.placed_s_of(rows)
        told = seen & (whole | standing.kinds.place_public[self._engine.registry.kind[rows]])
        # A position that was never said is none; one of what is retired is told, so that it is taken away.
        told &= gone | ~np.isnan(at_s)
        if what == "snapshot":
            told &= ~gone
        rows, whole = rows[told], whole[told]
        flags = _shown_flags(standing.flags[rows] & ~np.uint8(OLD) | standing.place_old[rows] * np.uint8(OLD), whole)
        columns = (
            ("no", rows.astype(np.uint32)),
            ("lon", standing.lon[rows]),
            ("lat", standing.lat[rows]),
            ("at_s", at_s[told]),
            ("heading", standing.heading_of(rows).astype(np.float32)),
            ("worst", np.where(whole, standing.worst[rows], 0).astype(np.uint8)),
            ("flags", flags),
        )
        return Frame(self._moment.header(what) | {"epoch": self._epoch, "moving": True}, columns)

    def _crossed(self, mark: int) -> tuple[Numbers, Numbers]:
        """Of what was elsewhere at some time since the mark: what may have been told then and is not in sight now; and
        what is in sight now and was not then, or not as much of it."""
        departures = self._engine.standing.departed_since(mark)
        assets, area = departures.asset, departures.area
        if not len(assets):
            return assets, assets
        visibility = self._engine.visibility
        was = self._viewport.holds(departures.lon, departures.lat) & self._kinds[self._engine.registry.kind[assets]]
        was &= visibility.seen_in(self._scope, assets, area)
        was_whole = was & visibility.seen_in(self._scope, assets, area, public=False)
        here, whole = self._sight(assets)
        other = here & (~was | (was_whole != whole))
        return np.unique(assets[was & ~here]), np.unique(assets[other])

    def _tombs(self, rows: Numbers, *, moving: bool) -> Frame:
        """That these assets are here no more."""
        unknown = np.full(len(rows), np.nan)
        columns = [
            ("no", rows.astype(np.uint32)),
            ("at_s", unknown),
            ("worst", np.zeros(len(rows), np.uint8)),
            ("flags", np.full(len(rows), GONE, np.uint8)),
        ]
        names = ("lon", "lat") if moving else ("value",)
        columns += [(name, unknown if moving else unknown.astype(np.float32)) for name in names]
        header = self._moment.header("delta") | {"epoch": self._epoch}
        return Frame(header | ({"moving": True} if moving else {}), columns)


def _shown_flags(
    flags: np.ndarray[tuple[int], np.dtype[np.uint8]], whole: Mask
) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.where(whole, flags, flags & np.uint8(OLD | GONE)).astype(np.uint8)
