"""Sums that take long: one at a time in a thread, waited for by whoever asks again, kept for the next who asks.

A sum is of something, and is made of the city as it stands, which is its edition. What is kept is of one edition, so
that it is never old. What is being made is found by what it is of, for a city is edited more often than a sum ends: who
waits for one gets it, however much was edited meanwhile. One that nobody waits for any more, or has asked about for a
while, is given up.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from vigie.api.problems import Problem

WAITING_MAX = 8
"""Sums that are begun or wait; who asks for another is told to come back."""
MINE_MAX = 2
"""Of them, those that one session may wait for when it begins one: they come one after the other."""
KEPT_MAX = 32
FORSAKEN_S = 60.0
"""So long after it was last asked about, nobody waits for a sum any more."""

SumT = TypeVar("SumT")


class Stopped(Exception):
    """Nobody waits for this sum any more."""


class Progress:
    """How far a sum is, told by its own thread, and whether it is still wanted, told to it. One that has not begun
    waits for those before it."""

    def __init__(self) -> None:
        self.begun = False
        self.done = 0.0
        self._stopped = False

    def tell(self, done: float) -> None:
        """done: the share that is done, 0 to 1. Raises Stopped where the rest is not wanted."""
        self.begun, self.done = True, done
        if self._stopped:
            raise Stopped

    def stop(self, stopped: bool = True) -> None:
        """From now on nobody wants it, or somebody does again."""
        self._stopped = stopped


Work = Callable[[Progress], SumT]
"""What makes a sum, in a thread."""


class Sum(Generic[SumT]):
    """One sum that is begun or waits. id: what it is called outside; by: the sessions that wait for it."""

    def __init__(self, id: str, edition: Hashable, by: str, asked_s: float) -> None:
        self.id, self.edition, self.by, self.asked_s = id, edition, {by}, asked_s
        self.progress = Progress()
        self.task: asyncio.Future[SumT] | None = None


@dataclass(frozen=True)
class _Kept(Generic[SumT]):
    """A sum that was made. owed: the sessions that waited for it and have not had it yet; made_s: since when."""

    sum: SumT
    edition: Hashable
    owed: set[str]
    made_s: float


class Sums(Generic[SumT]):
    """The sums of a post, on its loop."""

    def __init__(self, name: str) -> None:
        self._threads = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._kept: OrderedDict[str, _Kept[SumT]] = OrderedDict()
        self._open: dict[str, Sum[SumT]] = {}

    async def ask(
        self, of: str, edition: Hashable, by: str, prepare: Callable[[], Work[SumT]], wait_s: float
    ) -> SumT | Sum[SumT]:
        """The sum of something: as it is kept, or within wait_s as it is made, else how far it is.

        edition: of what it would be made now. by: who waits for it. prepare: gives the work, on the loop, where it is
        to be begun. Raises Problem 503 where too many wait, Stopped where the last who waited left at this very moment,
        and whatever the work raises.
        """
        kept = self._kept.get(of)
        if kept is not None and (kept.edition == edition or self._owed(kept, by)):
            self._kept.move_to_end(of)
            kept.owed.discard(by)
            return kept.sum
        made = self._open.get(of) or self._begin(of, edition, by, prepare)
        made.by.add(by)
        made.asked_s = _now_s()
        made.progress.stop(False)
        assert made.task is not None
        await asyncio.wait({made.task}, timeout=wait_s)
        if not made.task.done():
            return made
        if of in self._kept:
            self._kept[of].owed.discard(by)
        return made.task.result()

    def leave(self, id: str, by: str) -> bool:
        """Somebody waits no more; the last who does ends the sum. Whether they did wait for one of that id."""
        for made in self._open.values():
            if made.id == id and by in made.by:
                made.by.discard(by)
                if not made.by:
                    made.progress.stop()
                return True
        return False

    async def watch(self) -> None:
        """Gives up what nobody asks about any more, and everything at its own end."""
        try:
            while True:
                await asyncio.sleep(FORSAKEN_S / 4)
                for each in self._open.values():
                    if _now_s() - each.asked_s > FORSAKEN_S:
                        each.by.clear()
                        each.progress.stop()
        finally:
            for each in self._open.values():
                each.progress.stop()

    @staticmethod
    def _owed(kept: _Kept[SumT], by: str) -> bool:
        return by in kept.owed and _now_s() - kept.made_s <= FORSAKEN_S

    def _begin(self, of: str, edition: Hashable, by: str, prepare: Callable[[], Work[SumT]]) -> Sum[SumT]:
        if len(self._open) >= WAITING_MAX:
            raise Problem(503, "Busy", "More is asked than can be summed at once.", retry_after_s=10)
        if sum(by in each.by for each in self._open.values()) >= MINE_MAX:
            raise Problem(
                503, "Busy", f"You wait for {MINE_MAX} other sums.", mend="Leave one, or ask again.", retry_after_s=10
            )  # fmt: skip
        work = prepare()
        made = self._open[of] = Sum[SumT](hashlib.sha256(of.encode()).hexdigest()[:16], edition, by, _now_s())
        made.task = asyncio.get_running_loop().run_in_executor(self._threads, _run, work, made.progress)
        made.task.add_done_callback(lambda task: self._ended(of, task))
        return made

    def _ended(self, of: str, task: asyncio.Future[SumT]) -> None:
        made = self._open.pop(of)
        if not task.cancelled() and task.exception() is None:
            self._kept[of] = _Kept(task.result(), made.edition, made.by, _now_s())
            self._kept.move_to_end(of)
            while len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)


def _run(work: Work[SumT], progress: Progress) -> SumT:
    progress.tell(0.0)
    return work(progress)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
