"""Sums that take long: one at a time in a thread, waited for by whoever asks again, kept for the next who asks.

A sum is known by its key, which names everything that it is made of, so that what is kept is never wrong. One that
nobody waits for any more, or has asked about for a while, is given up.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from vigie.api.problems import Problem

WAITING_MAX = 8
"""Sums that are begun or wait; who asks for another is told to come back."""
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

    def __init__(self, id: str, by: str, asked_s: float) -> None:
        self.id, self.by, self.asked_s = id, {by}, asked_s
        self.progress = Progress()
        self.task: asyncio.Future[SumT] | None = None


class Sums(Generic[SumT]):
    """The sums of a post, on its loop."""

    def __init__(self, name: str) -> None:
        self._threads = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._kept: OrderedDict[str, SumT] = OrderedDict()
        self._open: dict[str, Sum[SumT]] = {}

    async def ask(self, key: str, by: str, prepare: Callable[[], Work[SumT]], wait_s: float) -> SumT | Sum[SumT]:
        """The sum of a key: as it is kept, or within wait_s as it is made, else how far it is.

        by: who waits for it. prepare: gives the work, on the loop, where it is to be begun. Raises Problem 503 where
        too many wait, Stopped where the last who waited left at this very moment, and whatever the work raises.
        """
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        made = self._open.get(key) or self._begin(key, by, prepare())
        made.by.add(by)
        made.asked_s = _now_s()
        made.progress.stop(False)
        assert made.task is not None
        await asyncio.wait({made.task}, timeout=wait_s)
        return made.task.result() if made.task.done() else made

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
                        each.progress.stop()
        finally:
            for each in self._open.values():
                each.progress.stop()

    def _begin(self, key: str, by: str, work: Work[SumT]) -> Sum[SumT]:
        if len(self._open) >= WAITING_MAX:
            raise Problem(503, "Busy", "More is asked than can be summed at once.", retry_after_s=10)
        made = self._open[key] = Sum[SumT](hashlib.sha256(key.encode()).hexdigest()[:16], by, _now_s())
        made.task = asyncio.get_running_loop().run_in_executor(self._threads, _run, work, made.progress)
        made.task.add_done_callback(lambda task: self._ended(key, task))
        return made

    def _ended(self, key: str, task: asyncio.Future[SumT]) -> None:
        del self._open[key]
        if not task.cancelled() and task.exception() is None:
            self._kept[key] = task.result()
            while len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)


def _run(work: Work[SumT], progress: Progress) -> SumT:
    progress.tell(0.0)
    return work(progress)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
