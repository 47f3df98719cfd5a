"""Turns at what takes a core for up to a few seconds: one after the other, and what matters most first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import IntEnum

PLACES = 16
"""So many of each urgency wait at the most. Those of one take no place from those of another."""


class Urgency(IntEnum):
    """What comes first. DECISION: somebody puts something in force. QUESTION: somebody waits for an answer. CHECK: what
    is asked by itself as somebody writes."""

    DECISION = 0
    QUESTION = 1
    CHECK = 2


class TurnsBusy(Exception):
    """More waits than may."""


class TurnPassed(Exception):
    """A newer check of the same person took the place of this one."""


class Turns:
    """One is at work at a time. Of each person one check waits: that of what they wrote last."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: dict[Urgency, dict[object, asyncio.Future[None]]] = {each: {} for each in Urgency}

    @asynccontextmanager
    async def turn(self, urgency: Urgency, who: str) -> AsyncGenerator[None]:
        """Lasts as long as the work does. Raises TurnsBusy, and TurnPassed."""
        if self._taken:
            await self._wait(urgency, who)
        self._taken = True
        try:
            yield
        finally:
            self._hand_on()

    async def _wait(self, urgency: Urgency, who: str) -> None:
        waiting = self._waiting[urgency]
        mine: object = who if urgency is Urgency.CHECK else object()
        if older := waiting.pop(mine, None):
            older.set_exception(TurnPassed())
        if len(waiting) >= PLACES:
            raise TurnsBusy
        called = waiting[mine] = asyncio.get_running_loop().create_future()
        try:
            await called
        except asyncio.CancelledError:
            if waiting.get(mine) is called:
                del waiting[mine]
            elif not called.cancelled() and called.exception() is None:
                # Its turn had come, and nobody is there for it.
                self._hand_on()
            raise

    def _hand_on(self) -> None:
        """It stays taken where somebody waits, so that nobody who comes now is before them."""
        for urgency in Urgency:
            waiting = self._waiting[urgency]
            while waiting:
                called = waiting.pop(next(iter(waiting)))
                if not called.done():
                    called.set_result(None)
                    return
        self._taken = False
