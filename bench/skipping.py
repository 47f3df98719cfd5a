"""An event loop that does not wait: where nobody has anything to do until some later instant, that instant is now.

All that is reckoned by the loop's clock (a courier's tries, a pause, a limit) is charged as it would last, and so is
what the processor really needs; only standing still costs nothing. Both ends of a socket must live on the loop: what
is sent is there when it is looked for.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

QUIET_S = 0.0005
"""So long nothing must have come on any socket before time is skipped."""
_LOOK_S = 0.05


class SkippingLoop(asyncio.SelectorEventLoop):
    """Such a loop. skipped_s: by how much its clock is ahead of the machine's."""

    def __init__(self) -> None:
        self.skipped_s = 0.0
        self._threads = 0
        super().__init__(_Selector(self))

    def time(self) -> float:
        """The loop's clock."""
        return super().time() + self.skipped_s

    @property
    def is_working(self) -> bool:
        """Whether a thread works for somebody here."""
        return self._threads > 0

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """As every loop does; time is not skipped meanwhile."""
        self._threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._worked)
        return future

    def _worked(self, future: asyncio.Future[Any]) -> None:
        self._threads -= 1


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: SkippingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Waits for sockets; in place of waiting longer, time goes on."""
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if self._loop.is_working:
            return super().select(min(timeout, _LOOK_S))
        found = super().select(min(timeout, QUIET_S))
        if not found:
            self._loop.skipped_s += max(timeout - QUIET_S, 0.0)
        return found
