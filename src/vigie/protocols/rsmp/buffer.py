"""What a site has to tell: in order, bounded, and kept until the supervisor has acknowledged it.

Laws: nothing leaves the buffer but by an acknowledgement, a refusal, or being the oldest when it is full; a status
update gives way before an alarm does, and each that is lost is counted; what was on its way when the connection ended
goes back to its place, before all that came after it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vigie.protocols.rsmp.limits import BUFFER_MAX, WINDOW
from vigie.protocols.rsmp.messages import Addressed, Alarm, StatusUpdate

_Event = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that waits. place: its place in the order. spell: of being connected or not, in which it came. first:
    it is of the picture that opens a conversation, which is made anew for the next one."""

    place: int
    spell: int
    message: Addressed
    first: bool = False


class Buffer:
    """The outgoing buffer of a site."""

    def __init__(self, most: int = BUFFER_MAX, window: int = WINDOW) -> None:
        self._most, self._window = most, window
        self._first: deque[Kept] = deque()
        self._alarms: deque[Kept] = deque()
        self._statuses: deque[Kept] = deque()
        self._covered: dict[_Event, Kept] = {}
        self._away: dict[str, Kept] = {}
        self._place = self._spell = 0
        self.dropped = 0

    def __len__(self) -> int:
        """How many messages are kept, those on their way included; the opening picture is not counted."""
        away = sum(not each.first for each in self._away.values())
        return len(self._alarms) + len(self._statuses) + len(self._covered) + away

    def put(self, message: Addressed) -> None:
        """Adds a message at the end."""
        self._place += 1
        lane = self._statuses if isinstance(message, StatusUpdate) else self._alarms
        lane.append(Kept(self._place, self._spell, message))
        if len(self) > self._most:
            (self._statuses or self._alarms).popleft()
            self.dropped += 1

    def open_with(self, picture: Sequence[Addressed]) -> None:
        """A conversation begins: the picture of how things stand goes before all else. An event of it that waits as
        well is not sent a second time (3.2.2, "Communication establishment"), if the picture arrives."""
        self._spell += 1
        said = {_event(each) for each in picture if isinstance(each, Alarm)}
        self._covered = {_event(each.message): each for each in self._alarms if _event(each.message) in said}
        self._alarms = deque(each for each in self._alarms if _event(each.message) not in said)
        self._first = deque(Kept(0, self._spell, message, first=True) for message in picture)

    def next(self) -> Kept | None:
        """What is to be sent now; None where nothing is, or where enough is on its way."""
        if len(self._away) >= self._window:
            return None
        if self._first:
            return self._first.popleft()
        lanes = [lane for lane in (self._alarms, self._statuses) if lane]
        return min(lanes, key=lambda lane: lane[0].place).popleft() if lanes else None

    def is_old(self, kept: Kept) -> bool:
        """Whether it has waited through a loss of the connection."""
        return kept.spell != self._spell

    def sent(self, number: str, kept: Kept) -> None:
        """It is on its way under a number."""
        self._away[number] = kept

    def settled(self, number: str) -> None:
        """It has arrived, if it was one of the buffer's."""
        kept = self._away.pop(number, None)
        if kept is not None and kept.first:
            self._covered.pop(_event(kept.message), None)

    def lost(self) -> None:
        """The connection has ended: what was on its way goes back to its place."""
        self._spell += 1
        back = [*self._covered.values(), *(each for each in self._away.values() if not each.first)]
        self._away, self._covered, self._first = {}, {}, deque()
        self._alarms = _in_order((*self._alarms, *(each for each in back if not _is_status(each))))
        self._statuses = _in_order((*self._statuses, *(each for each in back if _is_status(each))))


def _is_status(kept: Kept) -> bool:
    return isinstance(kept.message, StatusUpdate)


def _in_order(kept: Iterable[Kept]) -> deque[Kept]:
    return deque(sorted(kept, key=lambda each: each.place))


def _event(message: Addressed) -> _Event:
    """What makes two alarm messages the same event."""
    if not isinstance(message, Alarm):
        return (id(message),)
    return message.component, message.code, message.about, message.at, message.active, message.suspended
