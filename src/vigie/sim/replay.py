"""A feed of the past sent as a device sends: through the device door, in batches, each confirmed before the next.

What the post did not confirm is sent again, the same bytes: it may have been kept, and then the post counts duplicates.
After each confirmation a mark says how far it came, so that a replay that was stopped goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from vigie.core.times import SECOND_US
from vigie.protocols.feeds import Course, Observation
from vigie.protocols.plain import encode_array
from vigie.sim.devices import Answer, Door

ROWS_SENT_MAX = 5_000
TICK_S = 0.25
PAUSE_S_MAX = 10.0
REASONS_KEPT_MAX = 20
_PATH = "/device/v1/observations"


class Refusal(msgspec.Struct, frozen=True):
    """A reading that the post refused, and why: as it answers, and with what was sent."""

    row: int
    outcome: str
    detail: str


class _Taken(msgspec.Struct, frozen=True):
    """What the door answers."""

    accepted: int
    late: int
    duplicate: int
    rejected_total: int
    rejected: list[Refusal] = []


class Mark(msgspec.Struct, kw_only=True):
    """How far a replay came, and what became of it; written after each confirmation.

    feed: what is replayed, as a digest. course: how. round: how often it was repeated. next: the first reading of this
    round that is not confirmed. sent = accepted + late + duplicate + rejected. too_old: left out, as the post refuses
    what is older than its raw history.
    """

    feed: str
    course: Course
    round: int = 0
    next: int = 0
    sent: int = 0
    accepted: int = 0
    late: int = 0
    duplicate: int = 0
    rejected: int = 0
    too_old: int = 0
    done: bool = False


class ReplayRefused(Exception):
    """The post will not have this device, or not such requests: sending again would not mend it."""


class Ground(Protocol):
    """The clock that the replay runs on: the wall's, or a virtual one."""

    def now_us(self) -> int:
        """Microseconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Lets time pass."""
        ...


class Replay:
    """One replay. Lives until all is confirmed, or for good if it repeats."""

    def __init__(
        self,
        door: Door,
        observations: Sequence[Observation],
        mark: Mark,
        ground: Ground,
        *,
        keep: Callable[[Mark], None] = lambda mark: None,
        tell: Callable[[Mark, str], None] = lambda mark, trouble: None,
        until_now: bool = False,
        repeat: bool = False,
    ) -> None:
        """keep: called with each confirmation. tell: called with each step, and with what is wrong at the moment.

        until_now: what is not due when it is reached is not waited for. repeat: begin again at the end.
        """
        self._door, self._rows, self.mark, self._ground = door, observations, mark, ground
        self._keep, self._tell = keep, tell
        self._until_now, self._repeat = until_now, repeat
        self.refusals: list[Refusal] = []
        self.retries = 0

    async def run(self) -> Mark:
        """Sends all that is to be sent. Returns the mark at its end; raises ReplayRefused."""
        while True:
            await self._round()
            if not self._repeat:
                break
            self.mark.course = self.mark.course.again()
            self.mark.round += 1
            self.mark.next = 0
        self.mark.done = self.mark.next >= len(self._rows)
        self._keep(self.mark)
        return self.mark

    async def _round(self) -> None:
        mark, course = self.mark, self.mark.course
        while mark.next < len(self._rows):
            now_us = self._ground.now_us()
            due_us = course.due_us(self._rows[mark.next][3])
            if due_us > now_us:
                if self._until_now:
                    return
                self._tell(mark, "")
                await self._ground.sleep(min(max((due_us - now_us) / SECOND_US, 0.0), 1.0))
                continue
            last, batch = self._due(now_us)
            if batch:
                await self._confirmed(batch)
            mark.too_old += last - mark.next - len(batch)
            mark.next = last
            self._keep(mark)
            self._tell(mark, "")
            if last < len(self._rows) and len(batch) < ROWS_SENT_MAX and course.due_us(self._rows[last][3]) > now_us:
                await self._ground.sleep(TICK_S)

    def _due(self, now_us: int) -> tuple[int, list[Observation]]:
        """What is to be sent now, as it is said to be observed; and the first reading after it."""
        course = self.mark.course
        batch: list[Observation] = []
        last = self.mark.next
        while last < len(self._rows) and len(batch) < ROWS_SENT_MAX:
            asset, point, value, at_us = self._rows[last]
            if course.due_us(at_us) > now_us:
                break
            if not course.too_old(at_us, now_us):
                batch.append((asset, point, value, course.observed_us(at_us)))
            last += 1
        return last, batch

    async def _confirmed(self, batch: Sequence[Observation]) -> None:
        """Sends a batch until the post says what became of it."""
        body = encode_array(batch)
        pause_s = 0.0
        while True:
            trouble = ""
            answer: Answer | None = None
            try:
                answer = await self._door.post(_PATH, body)
            except OSError as error:
                trouble = error.strerror or str(error) or type(error).__name__
            if answer is not None and answer.status == 200:
                self._count(msgspec.json.decode(answer.body, type=_Taken), batch)
                return
            if answer is not None:
                trouble = f"the post answers {answer.status}"
                if answer.status < 500 and answer.status != 429:
                    raise ReplayRefused(f"{trouble}: {answer.body.decode('utf-8', 'replace')[:500]}")
            self.retries += 1
            asked_s = answer.retry_after_s if answer is not None else 0.0
            pause_s = asked_s or min(max(pause_s * 2, TICK_S), PAUSE_S_MAX)
            self._tell(self.mark, f"{trouble}; again in {pause_s:g} s")
            await self._ground.sleep(pause_s)

    def _count(self, taken: _Taken, batch: Sequence[Observation]) -> None:
        mark = self.mark
        mark.sent += len(batch)
        mark.accepted += taken.accepted
        mark.late += taken.late
        mark.duplicate += taken.duplicate
        mark.rejected += taken.rejected_total
        self.refusals += taken.rejected[: REASONS_KEPT_MAX - len(self.refusals)]
