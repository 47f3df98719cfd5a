"""Work that takes seconds and all of a core, in a process of its own: frozen in, frozen out, and ended when nobody
wants what it would say."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Event
from typing import Any, TypeVar, cast

WAITING_MAX = 4
"""Work that waits for what is being done; the next is refused."""

_NICE = 5
"""The loop goes first."""

_Told = TypeVar("_Told")


class JobsBusy(RuntimeError):
    """Too much waits already."""


class JobFailed(RuntimeError):
    """The process has ended without an answer; says what it said."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant of the clock that all processes of a machine share. Called, it says whether that is over."""

    ends_s: float

    @classmethod
    def within(cls, limit_s: float) -> Deadline:
        """So long from now."""
        return cls(time.monotonic() + limit_s)

    def __call__(self) -> bool:
        """Whether it is over."""
        return time.monotonic() >= self.ends_s


class Jobs:
    """Does one after the other, and one at a time for each who asks. Whoever does not want an answer any more cancels
    its task, which ends the process."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)
        self._asking = list[str]()

    async def do(self, make: Callable[[], Callable[[], _Told]], *, who: str, most_s: float) -> _Told:
        """What the work says. make: called when its turn has come, so that a deadline runs from then on; the work is a
        `partial` of a function that a process finds by its module's name. who: asks for it. most_s: after so long it is
        ended, whatever it does. Raises JobsBusy, and JobFailed."""
        if len(self._asking) > WAITING_MAX or who in self._asking:
            raise JobsBusy
        self._asking.append(who)
        try:
            async with self._turn:
                return await _apart(make(), most_s)
        finally:
            self._asking.remove(who)


async def _apart(work: Callable[[], _Told], most_s: float) -> _Told:
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(there, work), daemon=True)
    started = Event()

    def awaited() -> tuple[bool, Any]:
        try:
            process.start()
        except Exception as error:
            return False, f"it did not start: {error}"[:300]
        finally:
            # The one end that writes is the process's now: when that ends, so does the wait for it.
            there.close()
            started.set()
        try:
            return here.recv() if here.poll(most_s) else (False, f"it took more than {most_s:g} s")
        except (EOFError, OSError):
            return False, "it ended, and said nothing"

    waiting = asyncio.create_task(asyncio.to_thread(awaited))
    try:
        done, answer = await asyncio.shield(waiting)
    finally:
        # Whoever cancels while it starts would leave it running.
        await asyncio.to_thread(started.wait)
        if process.pid is not None:
            process.kill()
            await asyncio.wait([waiting])
            await asyncio.to_thread(process.join)
        here.close()
    if not done:
        raise JobFailed(answer)
    return cast("_Told", answer)


def _work(send: Connection, work: Callable[[], object]) -> None:
    """What the process does."""
    os.nice(_NICE)
    try:
        send.send((True, work()))
    except Exception as error:
        send.send((False, f"{type(error).__name__}: {error}"[:300]))
