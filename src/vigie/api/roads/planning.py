"""Rounds are planned in a process of their own: the search takes seconds, and all of a core."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Event
from typing import TYPE_CHECKING

from vigie.services.roads.dispatch.judging import Finding, check
from vigie.services.roads.dispatch.model import Kept, Problem, Proposal

if TYPE_CHECKING:
    from vigie.services.roads.dispatch.solving import Enough

LIMIT_S = 5.0
"""On Montpellier's streets 200 tasks of 20 crews gain nothing that could be seen after four."""

LIMIT_S_MAX = 120.0
IDLE_STEPS = 20_000
"""The search ends when it has found nothing better for so long; a few tasks take less than a second then."""

WAITING_MAX = 4
"""Plans that wait for the one that is made; the next are refused."""

_NICE = 5


class PlanBusy(RuntimeError):
    """Too many wait already."""


class PlanFailed(RuntimeError):
    """The process has ended without a plan; says what it said."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A proposal, and what the judge finds in it: nothing but tasks left out that must be done."""

    proposal: Proposal
    findings: tuple[Finding, ...]


class Planner:
    """Plans one after the other. Whoever does not want a plan any more cancels its task, which ends the process."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def propose(
        self, problem: Problem, *, seed: int, limit_s: float = LIMIT_S, kept: Kept | None = None
    ) -> Planned:
        """Rounds for a problem, searched for no longer than `limit_s`. Raises PlanBusy, and PlanFailed."""
        if not 0 < limit_s <= LIMIT_S_MAX:
            raise ValueError(f"a plan is searched for 0 to {LIMIT_S_MAX:.0f} s, not {limit_s}")
        if self._waiting > WAITING_MAX:
            raise PlanBusy
        self._waiting += 1
        try:
            async with self._turn:
                proposal = await _apart(problem, seed, limit_s, kept)
        finally:
            self._waiting -= 1
        return Planned(proposal, tuple(check(problem, proposal)))


async def _apart(problem: Problem, seed: int, limit_s: float, kept: Kept | None) -> Proposal:
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(there, problem, seed, limit_s, kept), daemon=True)

    def awaited() -> Proposal | str:
        process.start()
        # The one end that writes is the process's now: when that ends, so does the wait for it.
        there.close()
        started.set()
        try:
            return here.recv()
        except (EOFError, OSError):
            return "it ended, and said nothing"

    started = Event()
    waiting = asyncio.create_task(asyncio.to_thread(awaited))
    try:
        answer = await asyncio.shield(waiting)
    finally:
        # Whoever cancels while it starts would leave it running.
        await asyncio.to_thread(started.wait)
        process.kill()
        await asyncio.wait([waiting])
        await asyncio.to_thread(process.join)
        here.close()
    if isinstance(answer, Proposal):
        return answer
    raise PlanFailed(answer)


def _work(send: Connection, problem: Problem, seed: int, limit_s: float, kept: Kept | None) -> None:
    """What the process does."""
    os.nice(_NICE)
    send.send(found(problem, seed, limit_s, kept))


def found(problem: Problem, seed: int, limit_s: float, kept: Kept | None) -> Proposal | str:
    """The proposal, or what went wrong."""
    # Only here: the post itself has no use for the solver.
    from vigie.services.roads.dispatch.solving import solve

    try:
        return solve(problem, seed, _until(limit_s), kept)
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]


def _until(limit_s: float) -> Enough:
    """Says when the search has lasted long enough, or found nothing for long."""
    ends = time.monotonic() + limit_s
    best, idle = float("inf"), 0

    def enough(best_cost: int) -> bool:
        nonlocal best, idle
        best, idle = (best_cost, 0) if best_cost < best else (best, idle + 1)
        return idle > IDLE_STEPS or time.monotonic() > ends

    return enough
