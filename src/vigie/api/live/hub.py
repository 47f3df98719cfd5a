"""The live door's one clock: on each tick it lets the city catch up, and wakes whoever listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import structlog

from vigie.api.access import Access, Caller
from vigie.api.live.feeds import Describe, Feed, Moment, Source
from vigie.api.live.maps import Bounds
from vigie.engine.loop import Engine
from vigie.engine.ports import Clock

TICK_S = 0.1
CHECK_TICKS = 10
SOCKETS_MAX = 1_000
SOCKETS_A_SESSION_MAX = 16

_log = structlog.get_logger("vigie.live")


@dataclass(slots=True)
class Counts:
    """What the door has done since the process began.

    frames, sent_bytes: handed to sockets. coalesced: ticks that a socket could not take and was told of with a later
    one. refused: sockets that were not let in. slow, revoked, misused: sockets that were closed for it.
    """

    frames: int = 0
    sent_bytes: int = 0
    coalesced: int = 0
    refused: int = 0
    slow: int = 0
    revoked: int = 0
    misused: int = 0


class Listener(Protocol):
    """A socket, as the hub sees it."""

    @property
    def session(self) -> str:
        """The session or token that it was opened with."""
        ...

    def wake(self) -> None:
        """There may be something to tell."""
        ...

    def check(self) -> None:
        """Asks whether it may stay open."""
        ...


@dataclass(slots=True)
class _Shared:
    feed: Feed
    holders: int


class Hub:
    """All sockets and what they listen to. Lives on one event loop, the engine's."""

    def __init__(self, engine: Engine, clock: Clock, access: Access, describe: Describe, epoch: str) -> None:
        """epoch: a token of this process; versions of another mean nothing here."""
        self.engine, self.access = engine, access
        self.moment = Moment(epoch)
        self.source = Source(engine, self.moment, describe)
        self.counts = Counts()
        self._clock = clock
        self._feeds: dict[Hashable, _Shared] = {}
        self._listeners: set[Listener] = set()
        self._extent_of = -1
        self.tick()

    def __len__(self) -> int:
        return len(self._listeners)

    @property
    def feeds(self) -> int:
        """How many different things are listened to."""
        return len(self._feeds)

    def now_us(self) -> int:
        """The post's time."""
        return self._clock.now_us()

    async def run(self) -> None:
        """Ticks until it is cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            # What could not be kept up with is let go: a late tick tells all that two would have told.
            due = max(due + TICK_S, loop.time())
            await asyncio.sleep(due - loop.time())
            try:
                self.tick()
            except Exception:
                # One bad tick must not be the end of all sockets; the next one tells what this one did not.
                _log.exception("tick failed")

    def tick(self) -> None:
        """Takes in what has changed, and wakes whoever listens."""
        moment, standing = self.moment, self.engine.standing
        now_us = self._clock.now_us()
        version = standing.catch_up(now_us)
        moment.number += 1
        moment.now_us = now_us
        moment.previous, moment.version = moment.version, version
        if version != moment.previous:
            span = slice(0, standing.count)
            newest = np.maximum(standing.changed[span], standing.moved[span])
            moment.recent = np.flatnonzero(newest > moment.previous)
        else:
            moment.recent = moment.recent[:0]
        if self._extent_of != self.engine.registry.version:
            self._extent_of = self.engine.registry.version
            moment.extent = self._extent()
        checks = moment.number % CHECK_TICKS == 0
        for listener in tuple(self._listeners):
            if checks:
                listener.check()
            listener.wake()

    def enter(self, listener: Listener) -> bool:
        """Lets a socket in, unless there are too many, of all or of its session."""
        mine = sum(each.session == listener.session for each in self._listeners)
        if len(self._listeners) >= SOCKETS_MAX or mine >= SOCKETS_A_SESSION_MAX:
            self.counts.refused += 1
            return False
        self._listeners.add(listener)
        return True

    def leave(self, listener: Listener) -> None:
        """A socket is gone."""
        self._listeners.discard(listener)

    def take(self, key: Hashable, make: Callable[[], Feed]) -> Feed:
        """The feed of this key, made where nobody listens to it yet. Each take wants a `let_go`."""
        shared = self._feeds.get(key)
        if shared is None:
            shared = self._feeds[key] = _Shared(make(), 0)
        shared.holders += 1
        return shared.feed

    def let_go(self, key: Hashable) -> None:
        """One listens no more; with the last the feed goes."""
        shared = self._feeds[key]
        shared.holders -= 1
        if not shared.holders:
            del self._feeds[key]

    def _extent(self) -> Bounds:
        """The bounds of all assets of the town that are anywhere: what is at 0, 0 has no place."""
        registry = self.engine.registry
        span = slice(1, registry.count)
        lon, lat = registry.lon[span], registry.lat[span]
        placed = ((lon != 0) | (lat != 0)) & registry.in_town()[span]
        if not placed.any():
            return 0.0, 0.0, 0.0, 0.0
        lon, lat = lon[placed], lat[placed]
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def feed_key(topic: str, caller: Caller, *what: Hashable) -> Hashable:
    """What makes two subscriptions equal: the same topic, the same Scope."""
    return topic, caller.scope.key, *what
