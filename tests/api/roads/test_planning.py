"""Rounds are planned beside the post, and judged."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message

from tests.services.roads.dispatch.days import crew, day, task
from tests.test_style import catalogue
from vigie.api.problems import Problem
from vigie.api.roads.planning import LIMIT_S_MAX, propose, unless_gone
from vigie.engine.jobs import Jobs
from vigie.services.roads.dispatch.judging import Rule
from vigie.services.roads.dispatch.model import Why

TOWN = day([task(f"t{n}", n % 5, n // 5) for n in range(8)], [crew("one"), crew("two", 4, 4)])


def test_a_plan_is_made_in_a_process_of_its_own_and_judged() -> None:
    planned = asyncio.run(propose(Jobs(), TOWN, who="one", seed=1, limit_s=0.1))
    assert planned.findings == ()
    assert len(planned.proposal.crew_of) == 8


def test_nobody_asks_for_an_hour() -> None:
    with pytest.raises(ValueError, match="120"):
        asyncio.run(propose(Jobs(), TOWN, who="one", seed=1, limit_s=LIMIT_S_MAX + 1))


def test_every_reason_and_rule_has_its_words() -> None:
    words = {each for each in catalogue("fr") if each.startswith("rounds.")}
    assert words == {f"rounds.left.{each}" for each in Why} | {f"rounds.rule.{each}" for each in Rule}


def test_what_nobody_waits_for_any_more_is_ended() -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def run() -> None:
        ended = asyncio.Event()

        async def work() -> None:
            try:
                await asyncio.sleep(600)
            finally:
                ended.set()

        with pytest.raises(Problem):
            await unless_gone(Request({"type": "http"}, gone), work())
        await asyncio.wait_for(ended.wait(), 5)

    asyncio.run(run())
