"""The life of an alarm at its site: data, as the core draws it.

Source: RSMP core 3.2.2, "Alarm transitions". An alarm that becomes active is not acknowledged; one that is inactive and
acknowledged is at rest. Suspending keeps it from being told, and changes neither of the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from vigie.core.times import SECOND_US
from vigie.protocols.rsmp.events import AlarmState
from vigie.protocols.rsmp.lists import Signal
from vigie.protocols.rsmp.messages import About, Acknowledged, Active, Alarm, ReturnValue, Suspended
from vigie.protocols.rsmp.times import stamp


class Life(StrEnum):
    """How an alarm stands, but for its being suspended."""

    REST = "rest"
    ACTIVE = "active"
    SEEN = "seen"
    """Active, and acknowledged."""
    GONE = "gone"
    """Inactive, and not acknowledged yet."""


class Move(StrEnum):
    """What can happen to it."""

    RAISE = "raise"
    CLEAR = "clear"
    ACKNOWLEDGE = "acknowledge"


MOVES: dict[tuple[Life, Move], Life] = {
    (Life.REST, Move.RAISE): Life.ACTIVE,
    (Life.GONE, Move.RAISE): Life.ACTIVE,
    (Life.ACTIVE, Move.CLEAR): Life.GONE,
    (Life.SEEN, Move.CLEAR): Life.REST,
    (Life.ACTIVE, Move.ACKNOWLEDGE): Life.SEEN,
    (Life.GONE, Move.ACKNOWLEDGE): Life.REST,
}
"""All else changes nothing (3.1.5: an alarm that is active is not raised again)."""

_APART_US = 1_000

_ACTIVE = frozenset({Life.ACTIVE, Life.SEEN})
_ACKNOWLEDGED = frozenset({Life.REST, Life.SEEN})


@dataclass(frozen=True, slots=True)
class Standing:
    """An alarm of a component. *_us: when it was last raised or cleared, acknowledged, suspended or resumed."""

    component: str
    signal: Signal
    life: Life = Life.REST
    suspended: bool = False
    issued_us: int = 0
    acknowledged_us: int = 0
    suspended_us: int = 0
    values: Mapping[str, str] = field(default_factory=dict[str, str])

    def _instant(self, now_us: int) -> int:
        """When its next event is: now, but after the last one by at least what a message can tell apart. A clock that
        was set back by more than a moment is believed."""
        last_us = max(self.issued_us, self.acknowledged_us, self.suspended_us)
        return last_us + _APART_US if last_us - SECOND_US < now_us < last_us + _APART_US else now_us

    @property
    def state(self) -> AlarmState:
        """As the messages say it."""
        return AlarmState(self.life in _ACTIVE, self.life in _ACKNOWLEDGED, self.suspended)

    def moved(self, move: Move, now_us: int, values: Mapping[str, str] | None = None) -> Standing:
        """What it is after that; itself where nothing changes."""
        life = MOVES.get((self.life, move))
        if life is None:
            return self
        at_us = self._instant(now_us)
        if move is Move.ACKNOWLEDGE:
            return replace(self, life=life, acknowledged_us=at_us)
        return replace(self, life=life, issued_us=at_us, values=self.values if values is None else dict(values))

    def hushed(self, suspended: bool, now_us: int) -> Standing:
        """Suspended, or resumed; itself where it is so already."""
        if self.suspended is suspended:
            return self
        return replace(self, suspended=suspended, suspended_us=self._instant(now_us))

    def message(self, about: About) -> Alarm:
        """The message that tells an event of it. Its number is still to be given."""
        at = {About.ACKNOWLEDGE: self.acknowledged_us, About.SUSPEND: self.suspended_us}
        return self._message(about, at.get(about, self.issued_us))

    def _message(self, about: About, at_us: int) -> Alarm:
        state = self.state
        return Alarm(
            number="", component=self.component, code=self.signal.code, about=about,
            acknowledged=Acknowledged.YES if state.acknowledged else Acknowledged.NO,
            active=Active.YES if state.active else Active.NO,
            suspended=Suspended.YES if state.suspended else Suspended.NO,
            at=stamp(at_us), category=self.signal.category, priority=str(self.signal.priority),
            values=tuple(ReturnValue(name, value) for name, value in self.values.items()),
        )  # fmt: skip

    def told(self) -> Alarm:
        """How it stands, whole. A suspended one is told as being so, since when it last changed: that word of an Issue
        is written one way in the text and another in the schemas of 3.2, and what changed meanwhile was not told."""
        if self.suspended:
            return self._message(About.SUSPEND, max(self.issued_us, self.acknowledged_us, self.suspended_us))
        return self._message(About.ISSUE, self.issued_us)
