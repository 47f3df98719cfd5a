"""Requests to one other end, in order: each is sent when the one before was answered, and again until it is, or until
its time is up.

One courier an end: an end that is gone, slow or talks rubbish holds up its own requests and nobody else's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import h11
import structlog

from vigie.transports.http_client import HttpAnswer, HttpBase, Wire

WAITING_MAX = 2_000
"""Requests that wait for one end."""

ANSWER_S_MAX = 20.0
_WAIT_S_MIN, _WAIT_S_MAX = 0.2, 30.0
_NOT_NOW = frozenset({429, 502, 503, 504})
"""Statuses of an end, or of what stands before it, that asks to be asked again."""

_log = structlog.get_logger("vigie.courier")


@dataclass(frozen=True, slots=True)
class Errand:
    """One request. target: the path and the query below the end's base. until_s: the instant of the event loop's clock
    from which on it is sent no more. may: asked before each try; once it says no, it is sent no more either. done: gets
    the answer, or None where none came in time, and returns what is to be asked before whatever waits already."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes
    until_s: float
    done: Callable[[HttpAnswer | None], Awaitable[Sequence[Errand]]]
    may: Callable[[], bool] = lambda: True


class Courier:
    """Carries requests to one end. Lives on one event loop.

    reached: whether the last request that was tried had an answer; None before the first. refused: how many requests
    there was no room for.
    """

    def __init__(self, name: str, base_url: Callable[[], str]) -> None:
        """name: for the log. base_url: where the end is now; it is read at each try, since an end may move."""
        self._name, self._base_url = name, base_url
        self._queue: deque[Errand] = deque()
        self._task: asyncio.Task[None] | None = None
        self._at: tuple[str, HttpBase, Wire] | None = None
        self._back = asyncio.Event()
        self.reached: bool | None = None
        self.refused = 0

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, errands: Iterable[Errand]) -> bool:
        """Takes errands, all or none; returns whether there was room."""
        coming = list(errands)
        if len(self._queue) + len(coming) > WAITING_MAX:
            self.refused += len(coming)
            return False
        self._queue.extend(coming)
        if self._queue and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._work(), name=f"courier {self._name}")
        return True

    def hurry(self) -> None:
        """The end has been heard: whoever waits to try again tries now."""
        self._back.set()

    async def close(self) -> None:
        """Drops what waits, and lets go of the connection."""
        self._queue.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._let_go()

    async def _work(self) -> None:
        while self._queue:
            answer = await self._carry(self._queue[0])
            errand = self._queue.popleft()
            try:
                self._queue.extendleft(reversed(await errand.done(answer)))
            except Exception as error:
                # Whatever became of one answer, the next request is sent.
                _log.error("fault", to=self._name, exc_info=error)

    async def _carry(self, errand: Errand) -> HttpAnswer | None:
        """The answer to one errand, after as many tries as its time allows."""
        clock, wait_s = asyncio.get_running_loop().time, _WAIT_S_MIN
        while clock() < errand.until_s and errand.may():
            asked_s = 0.0
            try:
                answer = await self._try(errand)
                self._reached(True, "")
                if answer.status not in _NOT_NOW:
                    return answer
                asked_s = answer.retry_after_s if 0 < answer.retry_after_s <= _WAIT_S_MAX else 0.0
            except (OSError, ValueError) as error:
                self._reached(False, str(error))
            await self._rest(min(max(wait_s, asked_s), errand.until_s - clock()))
            wait_s = min(2 * wait_s, _WAIT_S_MAX)
        return None

    async def _try(self, errand: Errand) -> HttpAnswer:
        """Raises OSError, ValueError."""
        url = self._base_url()
        if self._at is None or self._at[0] != url:
            await self._let_go()
            base = HttpBase.of(url)
            self._at = url, base, Wire(base, timeout_s=ANSWER_S_MAX)
        _, base, wire = self._at
        headers = [("host", base.authority), ("user-agent", "vigie"), *errand.headers]
        if errand.body:
            headers.append(("content-length", str(len(errand.body))))
        target = base.prefix + errand.target
        try:
            request = h11.Request(method=errand.method, target=target, headers=headers)
        except h11.LocalProtocolError as error:
            raise ValueError(f"{target!r} cannot be asked for: {error}") from None
        return await wire.ask(request, errand.body)

    def _reached(self, now: bool, why: str) -> None:
        # That it is reached for the first time is no news.
        if now != self.reached and not (now and self.reached is None):
            (_log.info if now else _log.warning)("reached" if now else "not reached", end=self._name, reason=why)
        self.reached = now

    async def _rest(self, seconds: float) -> None:
        self._back.clear()
        with suppress(TimeoutError):
            # Not wait_for, which in Python 3.11 loses a cancellation that comes with what it waits for.
            async with asyncio.timeout(max(seconds, 0)):
                await self._back.wait()

    async def _let_go(self) -> None:
        at, self._at = self._at, None
        if at is not None:
            await at[2].close()
