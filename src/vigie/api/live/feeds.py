"""Feeds: what can be subscribed to. Equal subscriptions share one feed, and what it tells them is made once.

A feed keeps nothing of who listens. Each listener holds a mark, what it was told last; the feed says what is to be told
to whoever stands at a mark, and the mark after it. So a browser that does not listen costs no memory, however much
happens: when it listens again it is told from its mark on, all in one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from vigie.api.access import Caller
from vigie.api.live.frames import Frame
from vigie.core.service import Numbers
from vigie.engine.conditions import Condition
from vigie.engine.loop import Engine


class Describe(Protocol):
    """What the live door tells in JSON, said as HTTP says it: each gives what the API's own schema calls so."""

    def alarms(self, caller: Caller, conditions: Sequence[Condition]) -> Sequence[Any]:
        """Open alarms that the caller sees, each with its asset."""
        ...

    def readings(self, caller: Caller, asset: int) -> Sequence[Any]:
        """What the caller may read of an asset's points; each says in `point` which it is."""
        ...

    def conditions_of(self, caller: Caller, asset: int) -> Sequence[Any]:
        """The open conditions of an asset, if the caller may know of them."""
        ...

    def figures(self, caller: Caller) -> Any:
        """Each service in figures."""
        ...

    def commands(self, caller: Caller, since: int | None) -> Sequence[Any]:
        """The orders within the caller's sight that changed after this version of the engine's commands; without one,
        those that are open."""
        ...


@dataclass(slots=True)
class Moment:
    """The tick that is being told of: all feeds see the same one.

    version, previous: of the picture, at this tick and at the one before. recent: the assets of which something
    changed between the two. extent: west, south, east and north of all assets. number: of the tick.
    """

    epoch: str
    now_us: int = 0
    number: int = 0
    version: int = 0
    previous: int = 0
    recent: Numbers = field(default_factory=lambda: np.empty(0, np.int64))
    extent: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    def header(self, kind: str) -> dict[str, Any]:
        """What each frame's header begins with."""
        return {"type": kind, "server_us": self.now_us}


@dataclass(frozen=True, slots=True)
class Source:
    """Whence all feeds take what they tell."""

    engine: Engine
    moment: Moment
    describe: Describe


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told, and the mark of whoever was told all of it. Frames are made as they are taken: whoever takes
    them slowly gets the newest, and nothing waits in between."""

    frames: Iterable[Frame]
    mark: Any


class Feed(Protocol):
    """One thing that is subscribed to, in the eyes of one Scope."""

    def tell(self, mark: Any | None) -> Telling | None:
        """What is to be told to whoever stands at a mark (None: to somebody new); None for nothing."""
        ...


class Memo:
    """What was made in this tick already, for another listener."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._number = -1
        self._made: dict[Any, Any] = {}

    @property
    def made(self) -> dict[Any, Any]:
        """By a key of whoever uses it; empty at the first look in each tick."""
        if self._number != self._moment.number:
            self._number = self._moment.number
            self._made = {}
        return self._made

    def telling(self, mark: Any, make: Callable[[], Telling]) -> Telling:
        """What is told in this tick to whoever stands at a mark. It is kept with the mark after it: what happens later
        in the tick is told to all of them by the next."""
        made = self.made
        if mark not in made:
            made[mark] = make()
        return made[mark]


def stamped(frames: Iterator[Frame], **header: Any) -> Iterator[Frame]:
    """The same frames, with something in the header of the last: who got that one got all before it."""
    held: Frame | None = None
    for frame in frames:
        if held is not None:
            yield held
        held = frame
    if held is not None:
        held.header |= header
        yield held
