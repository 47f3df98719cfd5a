"""Sums that take long: one at a time, shared by who asks for the same, left, forsaken, kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial

import pytest

from vigie.api import sums
from vigie.api.problems import Problem
from vigie.api.sums import Progress, Stopped, Sum, Sums


class Work:
    """A sum that goes on, step by step, when it is told to."""

    def __init__(self, answer: int) -> None:
        self.answer, self.begun, self.go = answer, threading.Event(), threading.Event()
        self.times = 0

    def __call__(self, progress: Progress) -> int:
        self.times += 1
        progress.tell(0.5)
        self.begun.set()
        assert self.go.wait(10)
        progress.tell(1.0)
        return self.answer


def same(work: Work) -> Work:
    return work


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if holds():
            return
        await asyncio.sleep(0.001)
    raise AssertionError


def test_a_sum_is_made_once_for_all_who_ask_and_kept() -> None:
    async def run() -> None:
        work, other, of_town = Work(7), Work(8), Sums[int]("test")
        first = await of_town.ask("key", 1, "anna", lambda: work, 0)
        assert isinstance(first, Sum)
        second = await of_town.ask("another", 1, "anna", lambda: other, 0)
        assert isinstance(second, Sum)
        await until(work.begun.is_set)
        again = await of_town.ask("key", 1, "bob", lambda: work, 0)
        assert again is first
        assert (first.progress.begun, first.progress.done) == (True, 0.5)
        assert not second.progress.begun, "one at a time"
        work.go.set()
        other.go.set()
        assert await of_town.ask("key", 1, "bob", lambda: work, 10) == 7
        assert await of_town.ask("another", 1, "bob", lambda: other, 10) == 8
        assert await of_town.ask("key", 1, "carl", lambda: work, 0) == 7
        assert (work.times, other.times) == (1, 1)

    asyncio.run(run())


def test_the_last_who_leaves_ends_it_and_who_comes_back_in_time_keeps_it() -> None:
    async def run() -> None:
        work, of_town = Work(7), Sums[int]("test")
        made = await of_town.ask("key", 1, "anna", lambda: work, 0)
        assert isinstance(made, Sum)
        await of_town.ask("key", 1, "bob", lambda: work, 0)
        assert of_town.leave(made.id, "anna")
        assert not of_town.leave(made.id, "anna")
        assert not of_town.leave(made.id, "carl"), "of whom it is none of their business"
        assert of_town.leave(made.id, "bob")
        # Before the thread has noticed, somebody wants it again.
        asked = asyncio.create_task(of_town.ask("key", 1, "carl", lambda: work, 10))
        await asyncio.sleep(0)
        work.go.set()
        assert await asked == 7

        work = Work(8)
        made = await of_town.ask("other", 1, "anna", lambda: work, 0)
        assert isinstance(made, Sum)
        waiting = asyncio.create_task(of_town.ask("other", 1, "anna", lambda: work, 10))
        await asyncio.sleep(0)
        of_town.leave(made.id, "anna")
        work.go.set()
        with pytest.raises(Stopped):
            await waiting
        assert not of_town.leave(made.id, "anna")
        # What was ended is begun anew for the next who asks.
        assert await of_town.ask("other", 1, "anna", lambda: work, 10) == 8

    asyncio.run(run())


def test_who_waits_gets_the_sum_that_was_begun_whatever_is_edited_meanwhile() -> None:
    async def run() -> None:
        work, newer, of_town = Work(7), Work(8), Sums[int]("test")
        newer.go.set()
        first = await of_town.ask("key", 1, "anna", lambda: work, 0)
        assert isinstance(first, Sum)
        assert await of_town.ask("key", 2, "anna", lambda: newer, 0) is first, "a poll begins nothing"
        assert await of_town.ask("key", 2, "bob", lambda: newer, 0) is first
        work.go.set()
        assert first.task is not None
        await first.task
        # It was done between two polls, and something was edited again.
        assert await of_town.ask("key", 3, "anna", lambda: newer, 0) == 7
        assert newer.times == 0
        assert await of_town.ask("key", 3, "anna", lambda: newer, 10) == 8, "what is kept is never old"
        assert await of_town.ask("key", 3, "carl", lambda: newer, 0) == 8
        assert newer.times == 1

    asyncio.run(run())


def test_a_session_begins_two_and_nothing_is_prepared_for_who_is_refused() -> None:
    async def run() -> None:
        works, of_town, prepared = [Work(n) for n in range(4)], Sums[int]("test"), list[int]()

        async def ask(n: int, by: str) -> int | Sum[int]:
            def prepare() -> Work:
                prepared.append(n)
                return works[n]

            return await of_town.ask(str(n), 1, by, prepare, 0)

        made = [await ask(n, "anna") for n in range(sums.MINE_MAX)]
        with pytest.raises(Problem) as refused:
            await ask(2, "anna")
        assert (refused.value.status, refused.value.retry_after_s, prepared) == (503, 10, [0, 1])
        assert await ask(0, "anna") is made[0], "one that is begun already is no other"
        assert isinstance(await ask(2, "bob"), Sum)
        assert isinstance(made[1], Sum)
        assert of_town.leave(made[1].id, "anna")
        assert isinstance(await ask(3, "anna"), Sum)
        for each in works:
            each.go.set()

    asyncio.run(run())


def test_what_fails_is_told_and_not_kept() -> None:
    async def run() -> None:
        of_town = Sums[int]("test")

        def wrong(progress: Progress) -> int:
            raise ValueError("no such thing")

        for _ in range(2):
            with pytest.raises(ValueError, match="no such thing"):
                await of_town.ask("key", 1, "anna", lambda: wrong, 10)

    asyncio.run(run())


def test_more_than_can_wait_is_refused_and_what_is_forsaken_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "FORSAKEN_S", 0.02)

    async def run() -> None:
        of_town, works = Sums[int]("test"), [Work(n) for n in range(sums.WAITING_MAX)]
        for n, work in enumerate(works):
            assert isinstance(await of_town.ask(str(n), 1, f"person {n}", partial(same, work), 0), Sum)
        with pytest.raises(Problem) as refused:
            await of_town.ask("more", 1, "bob", lambda: Work(0), 0)
        assert (refused.value.status, refused.value.retry_after_s) == (503, 10)
        watch = asyncio.create_task(of_town.watch())
        await asyncio.sleep(0.04)
        for work in works:
            work.go.set()
        more = Work(99)
        more.go.set()

        async def asked() -> int | Sum[int]:
            while True:
                try:
                    return await of_town.ask("more", 1, "bob", lambda: more, 10)
                except Problem:
                    await asyncio.sleep(0.001)

        assert await asyncio.wait_for(asked(), 10) == 99
        watch.cancel()

    asyncio.run(run())


def test_the_end_of_the_post_ends_what_is_being_summed() -> None:
    async def run() -> None:
        work, of_town = Work(7), Sums[int]("test")
        watch = asyncio.create_task(of_town.watch())
        waiting = asyncio.create_task(of_town.ask("key", 1, "anna", lambda: work, 10))
        await until(work.begun.is_set)
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        work.go.set()
        with pytest.raises(Stopped):
            await waiting

    asyncio.run(run())
