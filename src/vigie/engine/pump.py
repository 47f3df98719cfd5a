"""The pump: takes readings from many doors at once and commits them together (group commit).

While one group is being synced to disk by the writer's thread, the doors decode the next. A sender is answered when
its readings are on disk and in the live picture, never before.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from vigie.core.observations import Batch, Outcome, Rejected
from vigie.core.readings import Readings
from vigie.engine.admission import Admitted
from vigie.engine.loop import Engine
from vigie.engine.picture import Sorting
from vigie.engine.ports import Clock, StorageFull

GROUP_ROWS_MAX = 50_000
QUEUE_ROWS_MAX = 500_000
GATHER_ROWS = 256
GATHER_S_MAX = 0.005
_TURNS_TO_THE_QUEUE = 3
"""So many turns of the loop take a request from its socket to the queue."""


class Busy(Exception):
    """More waits than may wait: come back later. Nothing of what was sent was kept."""


class Stopping(Exception):
    """The post is stopping and takes nothing more in."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What became of what was sent; the three counts and the refusals add up to it."""

    accepted: int
    late: int
    duplicate: int
    rejected: list[Rejected]


@dataclass(slots=True)
class _Waiting:
    readings: Readings
    reporter: int
    answer: asyncio.Future[Acknowledgement]

    @property
    def size(self) -> int:
        """Its share of the queue: what could not be read waits for its answer as well."""
        return max(1, self.readings.sent)


class Pump:
    """The engine's feeder. Lives on one event loop."""

    def __init__(
        self, engine: Engine, clock: Clock, *, on_full: Callable[[str | None], None] = lambda reason: None
    ) -> None:
        """on_full: told why observations cannot be kept, and None when they can again."""
        self._engine = engine
        self._clock = clock
        self._on_full = on_full
        self._queue: deque[_Waiting] = deque()
        self._queued_rows = 0
        self._wake = asyncio.Event()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="vigie-writer")
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        # Called on the loop's thread whenever facts have come to disk: orders that waited for that may leave.
        self.on_settled: Callable[[], None] = lambda: None
        # Called there with each batch that the picture has taken in, and when it came.
        self.on_heard: Callable[[Batch, int], None] = lambda batch, now_us: None
        self.counts: Counter[Outcome] = Counter()
        self.groups = 0
        self.refused_busy = 0

    async def run_in_writer(self, work: Callable[[], None]) -> None:
        """Runs work that writes between two groups, in the one thread that may."""
        await asyncio.get_running_loop().run_in_executor(self._writer, work)

    def start(self) -> None:
        """Starts taking groups."""
        self._task = asyncio.create_task(self._run(), name="pump")

    async def stop(self) -> None:
        """Takes nothing more in, commits what waits, keeps the picture, and ends."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        frame = self._engine.frame(self._clock.now_us())
        try:
            await self.run_in_writer(lambda: self._engine.keep(frame))
        except StorageFull:
            # The next start steps again from the last picture that was kept.
            self._on_full("the live picture could not be kept")
        finally:
            self._writer.shutdown()

    async def submit(self, readings: Readings, reporter: int) -> Acknowledgement:
        """Takes readings in. Returns when they are on disk and in the picture.

        Raises Busy, Stopping or StorageFull; then nothing of what was sent is kept, and the sender may send it again.
        """
        if self._stopping:
            raise Stopping
        waiting = _Waiting(readings, reporter, asyncio.get_running_loop().create_future())
        if self._queued_rows + waiting.size > QUEUE_ROWS_MAX:
            self.refused_busy += 1
            raise Busy
        self._queue.append(waiting)
        self._queued_rows += waiting.size
        self._wake.set()
        return await waiting.answer

    async def settled(self) -> None:
        """Returns when all facts owed so far are on disk. Raises StorageFull; then they are owed still."""
        await self.run_in_writer(self._engine.settle)
        self.on_settled()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._gather()
                await self._commit_group(self._next_group())
            if self._stopping:
                return

    async def _gather(self) -> None:
        """Lets those join who are at the door already: a commit of a few rows costs hardly less than one of a few
        hundred, and who is answered together comes back together."""
        until = asyncio.get_running_loop().time() + GATHER_S_MAX
        rows = 0
        while rows < self._queued_rows < GATHER_ROWS and asyncio.get_running_loop().time() < until:
            rows = self._queued_rows
            for _ in range(_TURNS_TO_THE_QUEUE):
                await asyncio.sleep(0)

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        rows = 0
        while self._queue and (not group or rows + self._queue[0].size <= GROUP_ROWS_MAX):
            waiting = self._queue.popleft()
            group.append(waiting)
            rows += waiting.size
        self._queued_rows -= rows
        return group

    async def _commit_group(self, group: list[_Waiting]) -> None:
        try:
            await self._commit(group)
        except Exception as error:
            # Whatever it was, the senders are told, and the pump lives on for the next group.
            for waiting in group:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
            if isinstance(error, StorageFull):
                self._on_full(str(error))

    async def _commit(self, group: list[_Waiting]) -> None:
        engine, now_us = self._engine, self._clock.now_us()
        # One admission for the group: its cost is by the call, hardly by the row.
        sizes = [len(waiting.readings) for waiting in group]
        reporters = np.repeat(np.array([waiting.reporter for waiting in group], np.int64), sizes)
        admitted = engine.admission.admit(Readings.joined([each.readings for each in group]), reporters, now_us)
        batch = admitted.batch
        sorting = engine.picture.sort(batch, now_us)
        if not sorting.duplicate.all():
            kept = batch.take(~sorting.duplicate) if sorting.duplicate.any() else batch
            ingest = engine.next_ingest
            await self.run_in_writer(lambda: engine.record(ingest, now_us, kept))
            engine.react(ingest, now_us, kept)
            self.on_heard(kept, now_us)
            self._on_full(None)
            self.groups += 1
        self._answer(group, sizes, admitted, sorting)
        if engine.owed:
            try:
                await self.settled()
            except StorageFull as error:
                # The observations are safe and the facts are owed; the next group tries again.
                self._on_full(str(error))

    def _answer(self, group: list[_Waiting], sizes: list[int], admitted: Admitted, sorting: Sorting) -> None:
        """Tells each sender what became of its own rows, and counts."""
        ends = np.cumsum(sizes)
        # How many rows of each outcome lie before each sender's end; the differences are the senders' own.
        edges = np.searchsorted(admitted.rows, np.concatenate([[0], ends]))
        masks = (sorting.fresh, sorting.late, sorting.duplicate)
        counts = [np.diff(np.concatenate([[0], np.cumsum(mask)])[edges]).tolist() for mask in masks]
        refused: dict[int, list[Rejected]] = {}
        senders: list[int] = np.searchsorted(ends, [each.row for each in admitted.rejected], side="right").tolist()
        for sender, each in zip(senders, admitted.rejected, strict=True):
            row = each.row - (int(ends[sender - 1]) if sender else 0)
            told = Rejected(group[sender].readings.rows[row], each.outcome, each.detail)
            refused.setdefault(sender, []).append(told)
        for sender, (waiting, fresh, late, duplicate) in enumerate(zip(group, *counts, strict=True)):
            rejected = sorted([*waiting.readings.refused, *refused.get(sender, ())], key=lambda each: each.row)
            self.counts[Outcome.ACCEPTED] += fresh
            self.counts[Outcome.LATE] += late
            self.counts[Outcome.DUPLICATE] += duplicate
            for each in rejected:
                self.counts[each.outcome] += 1
            if not waiting.answer.done():
                waiting.answer.set_result(Acknowledgement(fresh, late, duplicate, rejected))
