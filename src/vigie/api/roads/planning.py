"""Rounds are planned beside the post, and judged before anybody sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from starlette.requests import Request

from vigie.api.problems import Problem as Refused
from vigie.engine.jobs import Deadline, Jobs
from vigie.services.roads.dispatch.judging import Finding, check
from vigie.services.roads.dispatch.model import Kept, Problem, Proposal

WATCHED_EACH_S = 0.5
"""So often it is asked whether who asked still waits."""

LIMIT_S = 6.0
"""On Montpellier's streets 200 tasks of 20 crews gain little after two seconds of search; a process starts in one."""

LIMIT_S_MAX = 120.0
SPARE_S = 10.0
"""For the process to start and to tell; a search that lasts longer is ended."""

_Told = TypeVar("_Told")


@dataclass(frozen=True, slots=True)
class Planned:
    """A proposal, and what the judge finds in it: nothing but tasks left out that must be done."""

    proposal: Proposal
    findings: tuple[Finding, ...]


async def propose(
    jobs: Jobs, problem: Problem, *, who: str, seed: int, limit_s: float = LIMIT_S, kept: Kept | None = None
) -> Planned:
    """Rounds for a problem, told `limit_s` after their turn has come. who: asks for them. Raises ValueError for a limit
    that is none, and what `Jobs.do` raises."""
    # The solver is taken in by who plans: a post that starts does not wait for it.
    from vigie.services.roads.dispatch.solving import Patience, solve

    if not 0 < limit_s <= LIMIT_S_MAX:
        raise ValueError(f"a plan is searched for 0 to {LIMIT_S_MAX:.0f} s, not {limit_s}")
    proposal = await jobs.do(
        lambda: partial(solve, problem, seed, Patience(Deadline.within(limit_s)), kept),
        who=who,
        most_s=limit_s + SPARE_S,
    )
    return Planned(proposal, tuple(check(problem, proposal)))


async def unless_gone(request: Request, work: Coroutine[Any, Any, _Told]) -> _Told:
    """What some work comes to. It is cancelled where nobody waits for the answer any more."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([task], timeout=WATCHED_EACH_S))[0]:
            if await request.is_disconnected():
                raise Refused(503, "Nobody waits", "Who asked has gone.")
        return task.result()
    finally:
        task.cancel()
