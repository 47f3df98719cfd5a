"""Rounds are planned beside the post, in a process that ends when nobody wants its plan."""

from __future__ import annotations

import asyncio
from multiprocessing import active_children

import pytest

from tests.services.roads.dispatch.days import crew, day, task
from vigie.api.roads.planning import LIMIT_S_MAX, WAITING_MAX, PlanBusy, Planner, found
from vigie.services.roads.dispatch.model import Kept

TOWN = day([task(f"t{n}", n % 5, n // 5) for n in range(8)], [crew("one"), crew("two", 4, 4)])


def test_a_plan_is_made_in_a_process_of_its_own_and_judged() -> None:
    async def run() -> None:
        planned = await Planner().propose(TOWN, seed=1, limit_s=0.2)
        assert planned.findings == ()
        assert len(planned.proposal.crew_of) == 8

    asyncio.run(run())
    assert active_children() == []


def test_who_wants_no_plan_any_more_ends_its_process() -> None:
    async def run() -> None:
        planner = Planner()
        plans = [asyncio.create_task(planner.propose(TOWN, seed=1, limit_s=60)) for _ in range(WAITING_MAX + 1)]
        await asyncio.sleep(0)
        with pytest.raises(PlanBusy):
            await planner.propose(TOWN, seed=1)
        for each in plans:
            each.cancel()
        assert all(
            isinstance(each, asyncio.CancelledError) for each in await asyncio.gather(*plans, return_exceptions=True)
        )

    asyncio.run(run())
    assert active_children() == []


def test_nobody_asks_for_an_hour() -> None:
    with pytest.raises(ValueError, match="120"):
        asyncio.run(Planner().propose(TOWN, seed=1, limit_s=LIMIT_S_MAX + 1))


def test_what_goes_wrong_there_is_told() -> None:
    assert found(TOWN, 1, 0.1, Kept(orders={"one": ["moon"]})) == "KeyError: 'moon'"
