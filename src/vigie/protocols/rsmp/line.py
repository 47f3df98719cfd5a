"""What both ends of a connection do alike: numbers, acknowledgements, watchdogs and the steps of meeting.

Laws: before the versions are exchanged nothing is acknowledged but a Version; each message is acknowledged or refused
within the other end's patience, or the connection is given up; acknowledgements and requests go out at once, so they
never wait behind what was kept; nothing that comes in can raise anything.

An end is driven by four calls: `opened`, `receive`, `tick` (some times a second) and `lost`. Each returns a `Turn`.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from uuid import UUID

from vigie.core.times import SECOND_US
from vigie.protocols.rsmp.cores import Core
from vigie.protocols.rsmp.events import Garbled, Step, Turn
from vigie.protocols.rsmp.framing import Frames, Oversize, number_in
from vigie.protocols.rsmp.limits import (
    FIRST_BYTES_MAX,
    FIRST_MESSAGES_MAX,
    FRAME_BYTES_MAX,
    REASON_CHARS_MAX,
    UNACKNOWLEDGED_BYTES_MAX,
    UNACKNOWLEDGED_MAX,
)
from vigie.protocols.rsmp.messages import (
    Malformed,
    Message,
    MessageAck,
    MessageNotAck,
    Numbered,
    Version,
    Watchdog,
    read,
    write,
)
from vigie.protocols.rsmp.times import Moment, stamp

ACKNOWLEDGE_S = 30.0
"""How long an acknowledgement may take (3.2.2, "Message acknowledgement")."""

WATCHDOG_S = 60.0
"""How often a watchdog is sent (3.2.2, "Watchdog")."""


class Meeting(StrEnum):
    """How far two ends have met. It goes down this list, and from anywhere to CLOSED."""

    CLOSED = "closed"
    VERSIONS = "versions"
    """Versions are being exchanged."""
    WATCHDOGS = "watchdogs"
    """Both versions are said; the first watchdogs are being exchanged."""
    READY = "ready"


@dataclass(slots=True)
class Tally:
    """What went through an end, counted."""

    sent: int = 0
    received: int = 0
    refused_by_us: int = 0
    refused_by_them: int = 0
    malformed: int = 0
    oversize: int = 0
    stray: int = 0
    """Acknowledgements of nothing that was sent, and messages before the versions."""


class NotTaken(Exception):
    """A message that is refused: its text is the reason that the other end is told."""


class Numbers:
    """UUIDs of version 4 that follow from a seed. The seed must be unlike any other of the same hour, anywhere."""

    def __init__(self, seed: str) -> None:
        self._seed, self._last = seed, 0

    def next(self) -> str:
        """One that was not given before."""
        self._last += 1
        mark = blake2b(f"{self._seed}/{self._last}".encode(), digest_size=16).digest()
        return str(UUID(bytes=mark, version=4))


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that waits for its acknowledgement."""

    message: Numbered
    since_us: int
    size: int


@dataclass(slots=True)
class _Made:
    events: list[Step] = field(default_factory=list[Step])
    frames: list[bytes] = field(default_factory=list[bytes])
    close: str = ""


class Line:
    """One end of a connection, whichever."""

    def __init__(
        self, seed: str, *, strict: bool, watchdog_s: float = WATCHDOG_S, acknowledge_s: float = ACKNOWLEDGE_S
    ) -> None:
        self.meeting, self.core, self.tally = Meeting.CLOSED, None, Tally()
        self.core: Core | None
        self._strict = strict
        self._watchdog_us, self._patience_us = round(watchdog_s * SECOND_US), round(acknowledge_s * SECOND_US)
        self._numbers, self._frames, self._made = Numbers(seed), Frames(), _Made()
        self._waiting: dict[str, Sent] = {}
        self._waiting_bytes = self._astray = 0
        self._since_us = self._beat_us = 0

    # What drives it.

    def opened(self, moment: Moment) -> Turn:
        """The connection stands. One that stood before is over."""
        self._end("a new connection", moment)
        self.meeting, self.core, self._frames, self._astray = Meeting.VERSIONS, None, Frames(FIRST_BYTES_MAX), 0
        self._since_us = self._beat_us = moment.steady_us
        self._on_opened(moment)
        return self._turn()

    def receive(self, data: bytes, moment: Moment) -> Turn:
        """Bytes have come, in whatever pieces."""
        for frame in self._frames.feed(data):
            if self.meeting is Meeting.CLOSED:
                break
            self._take_frame(frame, moment)
        return self._turn()

    def tick(self, moment: Moment) -> Turn:
        """Time has passed."""
        if self.meeting is not Meeting.CLOSED:
            self._look_at_clock(moment)
        self._on_tick(moment)
        return self._turn()

    def lost(self, moment: Moment, why: str = "the connection was lost") -> Turn:
        """The connection has ended."""
        self._end(why, moment)
        return self._turn(closing=False)

    # What the two ends add.

    @property
    def name(self) -> str:
        """Of the other end, as events name it; empty where it has none."""
        return ""

    @abstractmethod
    def _on_opened(self, moment: Moment) -> None: ...

    @abstractmethod
    def _on_version(self, version: Version, moment: Moment) -> None:
        """Raises NotTaken."""

    @abstractmethod
    def _on_watchdog(self, watchdog: Watchdog, moment: Moment) -> None: ...

    @abstractmethod
    def _on_message(self, message: Numbered, moment: Moment) -> None:
        """Any other message once the versions are said. Acknowledges it, now or later; or raises NotTaken."""

    @abstractmethod
    def _on_settled(self, message: Numbered, refusal: str | None, moment: Moment) -> None:
        """A message of ours was acknowledged, or refused with a reason."""

    @abstractmethod
    def _on_tick(self, moment: Moment) -> None: ...

    @abstractmethod
    def _on_end(self, unsettled: tuple[Numbered, ...], why: str, moment: Moment) -> None: ...

    # What they use.

    def _turn(self, *, closing: bool = True) -> Turn:
        made, self._made = self._made, _Made()
        return Turn(tuple(made.events), b"".join(made.frames) if closing else b"", made.close if closing else "")

    def _tell(self, event: Step) -> None:
        self._made.events.append(event)

    def _send(self, message: Message, moment: Moment) -> None:
        frame = write(message)
        if isinstance(message, Numbered):
            self._waiting[message.number] = Sent(message, moment.steady_us, len(frame))
            self._waiting_bytes += len(frame)
        self._made.frames.append(frame)
        self.tally.sent += 1

    def _acknowledge(self, number: str, moment: Moment) -> None:
        self._send(MessageAck(about=number), moment)

    def _refuse(self, number: str, why: str, moment: Moment) -> None:
        self.tally.refused_by_us += 1
        self._send(MessageNotAck(about=number, reason=why[:REASON_CHARS_MAX]), moment)

    def _send_watchdog(self, moment: Moment) -> None:
        self._beat_us = moment.steady_us
        self._send(Watchdog(number=self._numbers.next(), at=stamp(moment.clock_us)), moment)

    def _close(self, why: str, moment: Moment) -> None:
        self._made.close = why
        self._end(why, moment)

    def _end(self, why: str, moment: Moment) -> None:
        if self.meeting is Meeting.CLOSED:
            return
        self.meeting = Meeting.CLOSED
        waiting, self._waiting, self._waiting_bytes = self._waiting, {}, 0
        self._frames = Frames()
        self._on_end(tuple(each.message for each in waiting.values()), why, moment)

    # What they do alike.

    def _take_frame(self, frame: bytes | Oversize, moment: Moment) -> None:
        if isinstance(frame, Oversize):
            self.tally.oversize += 1
            self._garbled(f"a message of more than {self._frames.bytes_max} bytes", number_in(frame.head), moment)
            return
        try:
            message = read(frame, strict=self._strict)
        except Malformed as error:
            self.tally.malformed += 1
            self._garbled(str(error), error.number, moment, of_version=error.kind == Version.kind)
            return
        self.tally.received += 1
        if isinstance(message, MessageAck):
            self._settle(message.about, None, moment)
        elif isinstance(message, MessageNotAck):
            self._settle(message.about, message.reason, moment)
        elif isinstance(message, Numbered):
            self._take(message, moment)
            if len(self._waiting) > UNACKNOWLEDGED_MAX or self._waiting_bytes > UNACKNOWLEDGED_BYTES_MAX:
                self._close("too much is unacknowledged", moment)

    def _garbled(self, why: str, number: str, moment: Moment, *, of_version: bool = False) -> None:
        """A message that cannot be read is refused where it has a number, and where anything may be answered at all."""
        self._tell(Garbled(self.name, why[:REASON_CHARS_MAX]))
        if number and (self.core is not None or of_version):
            self._refuse(number, why, moment)
        if of_version and self.core is None:
            self._close(why, moment)
        self._wander(moment)

    def _wander(self, moment: Moment) -> None:
        """Something came that is no Version, before there was one."""
        if self.core is None:
            self._astray += 1
            if self._astray > FIRST_MESSAGES_MAX:
                self._close("no Version among the first messages", moment)

    def _take(self, message: Numbered, moment: Moment) -> None:
        try:
            if isinstance(message, Version):
                if self.core is not None:
                    raise NotTaken("the versions are said already")
                self._on_version(message, moment)
                self._frames.bytes_max = FRAME_BYTES_MAX
            elif self.core is None:
                # Without an acknowledgement the other end will give up and begin anew, with its Version.
                self.tally.stray += 1
                self._wander(moment)
            elif isinstance(message, Watchdog):
                self._acknowledge(message.number, moment)
                self._on_watchdog(message, moment)
            else:
                self._on_message(message, moment)
        except NotTaken as error:
            self._refuse(message.number, str(error), moment)
            if isinstance(message, Version) and self.core is None:
                self._close(str(error), moment)
            else:
                self._tell(Garbled(self.name, f"{message.kind}: {error}"))

    def _settle(self, number: str, refusal: str | None, moment: Moment) -> None:
        sent = self._waiting.pop(number, None)
        if sent is None:
            self.tally.stray += 1
            return
        self._waiting_bytes -= sent.size
        if refusal is not None:
            self.tally.refused_by_them += 1
        if refusal is not None and isinstance(sent.message, Version):
            self._close(refusal or "our version was refused", moment)
            return
        self._on_settled(sent.message, refusal, moment)

    def _look_at_clock(self, moment: Moment) -> None:
        oldest = next(iter(self._waiting.values()), None)
        late_us = moment.steady_us - self._patience_us
        if oldest is not None and oldest.since_us <= late_us:
            self._close(f"no acknowledgement of {oldest.message.kind}", moment)
        elif self.meeting is not Meeting.READY and self._since_us <= late_us:
            self._close(f"no end of the exchange of {self.meeting.value}", moment)
        elif self.meeting is Meeting.READY and moment.steady_us - self._beat_us >= self._watchdog_us:
            self._send_watchdog(moment)
