"""What is told in the API's own JSON: alarms, figures, orders, and one asset that is watched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from vigie.api.access import Caller
from vigie.api.live.feeds import Memo, Source, Telling
from vigie.api.live.frames import Frame
from vigie.core.kinds import Outlet
from vigie.core.observations import Mask
from vigie.core.times import SECOND_US
from vigie.engine.conditions import Condition
from vigie.engine.picture import NEVER_US
from vigie.engine.standing import CONSIGNED, GONE, ORDER

ALARMS_MAX = 2_000
"""So many open alarms are told at once: the worst and the newest."""

FIGURES_TICKS = 20
OLD_TICKS = 10

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class _AlarmMark:
    """moves: of the conditions. placings: of the standing. moving: the open alarms on assets that move, as told."""

    moves: int
    placings: int
    moving: frozenset[str]


class AlarmFeed:
    """The open alarms that a caller sees: all of them first, then those that moved. What has ended is told by its
    state alone."""

    def __init__(self, source: Source, caller: Caller) -> None:
        self._source, self._caller = source, caller
        self._memo = Memo(source.moment)

    def tell(self, mark: _AlarmMark | None) -> Telling | None:
        """See `Feed`."""
        conditions, standing = self._source.engine.conditions, self._source.engine.standing
        if mark is not None and (mark.moves, mark.placings) == (conditions.moves, standing.placings):
            return None
        return self._memo.telling(mark, lambda: self._made(mark))

    def _made(self, mark: _AlarmMark | None) -> Telling:
        conditions, moving = self._source.engine.conditions, self._moving()
        after = _AlarmMark(conditions.moves, self._source.engine.standing.placings, moving)
        if mark is None:
            return Telling([self._all()], after)
        moved = conditions.moved_since(mark.moves)
        if moved is None or len(moved) > ALARMS_MAX or self._others_moved(mark.moving, moving, moved):
            return self._memo.telling(None, lambda: self._made(None))
        return Telling(self._changed(moved), after)

    def _all(self) -> Frame:
        covered = self._covered()
        alarms = [each for each in self._source.engine.conditions if _is_alarm(each) and covered[each.asset]]
        alarms.sort(key=lambda each: (each.kind.priority, -each.raised_us))
        items = self._source.describe.alarms(self._caller, alarms[:ALARMS_MAX])
        return self._frame({"items": items, "full": True, "total": len(alarms)})

    def _changed(self, moved: Sequence[Condition]) -> list[Frame]:
        covered = self._covered()
        mine = [each for each in moved if _is_alarm(each) and covered[each.asset]]
        if not mine:
            return []
        items: list[Any] = list(self._source.describe.alarms(self._caller, [e for e in mine if e.state != "normal"]))
        items += [
            {"id": each.id, "condition": each.kind.name, "outlet": each.kind.outlet, "state": each.state}
            for each in mine
            if each.state == "normal"
        ]
        return [self._frame({"items": items})]

    def _frame(self, data: dict[str, Any]) -> Frame:
        return Frame(self._source.moment.header("conditions") | {"data": data})

    def _covered(self) -> Mask:
        return self._source.engine.visibility.covered(self._caller.scope)

    def _moving(self) -> frozenset[str]:
        """The open alarms seen now on assets that are seen by where they are."""
        engine = self._source.engine
        movers = engine.standing.movers[engine.standing.worst[engine.standing.movers] > 0]
        seen = movers[self._covered()[movers]].tolist()
        return frozenset(each.id for no in seen for each in engine.conditions.of(no) if _is_alarm(each))

    def _others_moved(self, before: frozenset[str], now: frozenset[str], moved: Sequence[Condition]) -> bool:
        """Whether an alarm came into sight, or left it, because its asset went elsewhere."""
        return not (before ^ now) <= {each.id for each in moved}


class FiguresFeed:
    """The figures of a caller, each two seconds if they have changed. A mark is what was told."""

    def __init__(self, source: Source, caller: Caller) -> None:
        self._source, self._caller = source, caller
        self._frame: Frame | None = None
        self._said = b""
        self._due = 0

    def tell(self, mark: bytes | None) -> Telling | None:
        """See `Feed`."""
        moment = self._source.moment
        if self._frame is None or moment.number >= self._due:
            self._due = moment.number + FIGURES_TICKS
            figures = self._source.describe.figures(self._caller)
            said = _encode(figures)
            if said != self._said:
                self._said = said
                self._frame = Frame(moment.header("figures") | {"data": figures})
        if mark == self._said or self._frame is None:
            return None
        return Telling([self._frame], self._said)


class CommandsFeed:
    """The orders that a caller sees: all that are open first, also where there are none, then those that moved: what
    ended while nobody listened is known by what is not among them. A mark is a version of the engine's commands."""

    def __init__(self, source: Source, caller: Caller) -> None:
        self._source, self._caller = source, caller
        self._memo = Memo(source.moment)

    def tell(self, mark: int | None) -> Telling | None:
        """See `Feed`."""
        version = self._source.engine.commands.version
        if mark == version:
            return None
        return self._memo.telling(mark, lambda: self._made(mark, version))

    def _made(self, mark: int | None, version: int) -> Telling:
        items = self._source.describe.commands(self._caller, mark)
        header = self._source.moment.header("commands")
        if mark is None:
            return Telling([Frame(header | {"data": {"items": items, "full": True}})], version)
        return Telling([Frame(header | {"data": {"items": items}})] if items else [], version)


class InventoryFeed:
    """That an asset was made, moved, changed or retired, not which: an edition that is never twice the same, on which
    whoever shows the inventory asks for it again. A mark is a version of the registry."""

    def __init__(self, source: Source, caller: Caller) -> None:
        del caller  # All are told alike: what each may see of it, the answers to their questions say.
        self._source = source

    def tell(self, mark: int | None) -> Telling | None:
        """See `Feed`."""
        moment, version = self._source.moment, self._source.engine.registry.version
        if mark == version:
            return None
        data = {"edition": f"{moment.epoch}-{version}"}
        return Telling([Frame(moment.header("inventory") | {"data": data})], version)


@dataclass(frozen=True, slots=True)
class _WatchMark:
    version: int
    moves: int
    states: tuple[tuple[str, str], ...]
    old: bytes
    other: tuple[int, int]
    in_sight: bool


class WatchFeed:
    """One asset: its points as they change and grow old, and its conditions. Where something else of it has changed, an
    order, a lock-out or what the inventory says, a frame with nothing in it asks that its sheet be read again."""

    def __init__(self, source: Source, caller: Caller, asset: int) -> None:
        self._source, self._caller, self._asset = source, caller, asset
        self._base = int(source.engine.registry.base[asset])
        points = tuple(source.engine.registry.kind_of(asset).points.values())
        self._names = tuple(point.name for point in points)
        self._valid_us = np.array([int(point.valid_s * SECOND_US) for point in points], np.int64)

    def tell(self, mark: _WatchMark | None) -> Telling | None:
        """See `Feed`."""
        engine, moment = self._source.engine, self._source.moment
        if not engine.visibility.mask(self._caller.scope)[self._asset]:
            if mark is not None and not mark.in_sight:
                return None
            refused = Frame(moment.header("refused") | {"reason": "not_seen"})
            return Telling([refused], _WatchMark(0, 0, (), b"", (0, 0), in_sight=False))
        fresh = mark is None or not mark.in_sight
        if mark is not None and not fresh and not self._looks_changed(mark):
            return None
        now = self._mark()
        names = self._changed_names(None if fresh else mark, now)
        data: dict[str, Any] = {}
        unsaid = False
        if names:
            said = self._source.describe.readings(self._caller, self._asset)
            points = [each for each in said if each.point in names]
            if points:
                data["points"] = points
            # Of what is followed no more the sheet says why, and not what was known last.
            unsaid = not fresh and engine.reticences.now(self._asset, moment.now_us) is not None
        if fresh or (mark is not None and now.states != mark.states):
            data["conditions"] = self._source.describe.conditions_of(self._caller, self._asset)
        frames = [Frame(moment.header("sheet") | {"data": data})] if data else []
        if not fresh and mark is not None and (unsaid or now.other != mark.other):
            frames.append(Frame(moment.header("sheet") | {"data": {}}))
        return Telling(frames, now)

    def _looks_changed(self, mark: _WatchMark) -> bool:
        engine, moment = self._source.engine, self._source.moment
        slots = slice(self._base, self._base + len(self._names))
        return bool(
            (engine.picture.changed[slots] > mark.version).any()
            or engine.conditions.moves != mark.moves
            or self._other() != mark.other
            or (moment.number % OLD_TICKS == 0 and self._old() != mark.old)
        )

    def _mark(self) -> _WatchMark:
        engine = self._source.engine
        states = tuple((each.id, each.state) for each in engine.conditions.of(self._asset))
        version, moves = self._source.moment.version, engine.conditions.moves
        return _WatchMark(version, moves, states, self._old(), self._other(), in_sight=True)

    def _changed_names(self, mark: _WatchMark | None, now: _WatchMark) -> set[str]:
        if mark is None:
            return set(self._names)
        slots = slice(self._base, self._base + len(self._names))
        changed = self._source.engine.picture.changed[slots] > mark.version
        changed |= np.frombuffer(mark.old, np.bool_) != np.frombuffer(now.old, np.bool_)
        return {self._names[place] for place in np.flatnonzero(changed).tolist()}

    def _old(self) -> bytes:
        observed_us = self._source.engine.picture.observed_us[self._base : self._base + len(self._names)]
        old = (observed_us < self._source.moment.now_us - self._valid_us) & (observed_us != NEVER_US)
        return old.tobytes()

    def _other(self) -> tuple[int, int]:
        engine = self._source.engine
        return int(engine.standing.flags[self._asset]) & (ORDER | CONSIGNED | GONE), engine.registry.version


def _is_alarm(condition: Condition) -> bool:
    return condition.kind.outlet is Outlet.ALARM
