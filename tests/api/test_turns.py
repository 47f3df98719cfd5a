"""Turns: what puts something in force waits for no more than what is under way, and of each person one check waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from vigie.api.turns import PLACES, TurnPassed, Turns, TurnsBusy, Urgency


class Hall:
    """Turns, somebody at work until they are let go, and who had theirs."""

    def __init__(self) -> None:
        self.turns, self.done = Turns(), list[str]()
        self.let_go = asyncio.Event()

    async def begin(self) -> None:
        async def works() -> None:
            async with self.turns.turn(Urgency.QUESTION, "first"):
                await self.let_go.wait()

        self.first = asyncio.create_task(works())
        await asyncio.sleep(0)

    async def ask(self, urgency: Urgency, who: str, what: str) -> asyncio.Task[None]:
        async def asks() -> None:
            async with self.turns.turn(urgency, who):
                self.done.append(what)

        task = asyncio.create_task(asks())
        await asyncio.sleep(0)
        return task


def in_a_hall(what: Callable[[Hall], object]) -> None:
    async def run() -> None:
        hall = Hall()
        await hall.begin()
        await what(hall)  # type: ignore[misc]
        hall.let_go.set()
        await hall.first

    asyncio.run(run())


def test_decisions_come_first_then_questions_and_each_kind_in_its_order() -> None:
    async def asked(hall: Hall) -> None:
        tasks = [
            await hall.ask(urgency, what, what)
            for urgency, what in (
                (Urgency.CHECK, "check"), (Urgency.QUESTION, "one"), (Urgency.QUESTION, "two"),
                (Urgency.DECISION, "decision"),
            )
        ]  # fmt: skip
        hall.let_go.set()
        await asyncio.gather(*tasks)
        assert hall.done == ["decision", "one", "two", "check"]

    in_a_hall(asked)


def test_however_many_checks_and_questions_wait_a_decision_has_its_place() -> None:
    async def asked(hall: Hall) -> None:
        waiting = [
            await hall.ask(each, str(n), "") for each in (Urgency.CHECK, Urgency.QUESTION) for n in range(PLACES)
        ]
        for each in (Urgency.CHECK, Urgency.QUESTION):
            with pytest.raises(TurnsBusy):
                await (await hall.ask(each, "more", "more"))
        decision = await hall.ask(Urgency.DECISION, "chief", "decision")
        hall.let_go.set()
        await asyncio.gather(decision, *waiting)
        assert (hall.done[0], len(hall.done)) == ("decision", 2 * PLACES + 1)

    in_a_hall(asked)


def test_a_newer_check_of_the_same_person_takes_the_older_ones_place() -> None:
    async def asked(hall: Hall) -> None:
        older = await hall.ask(Urgency.CHECK, "anne", "older")
        others = await hall.ask(Urgency.CHECK, "ben", "ben's")
        newer = await hall.ask(Urgency.CHECK, "anne", "newer")
        with pytest.raises(TurnPassed):
            await older
        hall.let_go.set()
        await asyncio.gather(others, newer)
        assert sorted(hall.done) == ["ben's", "newer"]

    in_a_hall(asked)


@pytest.mark.parametrize("called", [False, True])
def test_who_leaves_keeps_nobody_waiting_not_even_once_they_were_called(called: bool) -> None:
    async def run() -> None:
        hall = Hall()
        async with hall.turns.turn(Urgency.QUESTION, "first"):
            leaves = await hall.ask(Urgency.QUESTION, "anne", "anne's")
            stays = await hall.ask(Urgency.QUESTION, "ben", "ben's")
            if not called:
                leaves.cancel()
                await asyncio.sleep(0)
        # As the block ended the turn was handed on, and its new owner has not woken yet.
        leaves.cancel()
        await asyncio.wait_for(stays, 5)
        assert leaves.cancelled()
        await (await hall.ask(Urgency.CHECK, "anne", "again"))
        assert hall.done == ["ben's", "again"]

    asyncio.run(run())
