"""Sums that take long: one at a time, shared by who asks for the same, left, forsaken, kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial

import pytest

from vigie.api.energy import sums
from vigie.api.energy.sums import Progress, Stopped, Sum, Sums
from vigie.api.problems import Problem


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
        first = await of_town.ask("key", "anna", lambda: work, 0)
        assert isinstance(first, Sum)
        second = await of_town.ask("another", "anna", lambda: other, 0)
        assert isinstance(second, Sum)
        await until(work.begun.is_set)
        again = await of_town.ask("key", "bob", lambda: work, 0)
        assert again is first
        assert (first.progress.begun, first.progress.done) == (True, 0.5)
        assert not second.progress.begun, "one at a time"
        work.go.set()
        other.go.set()
        assert await of_town.ask("key", "bob", lambda: work, 10) == 7
        assert await of_town.ask("another", "bob", lambda: other, 10) == 8
        assert await of_town.ask("key", "carl", lambda: work, 0) == 7
        assert (work.times, other.times) == (1, 1)

    asyncio.run(run())


def test_the_last_who_leaves_ends_it_and_who_comes_back_in_time_keeps_it() -> None:
    async def run() -> None:
        work, of_town = Work(7), Sums[int]("test")
        made = await of_town.ask("key", "anna", lambda: work, 0)
        assert isinstance(made, Sum)
        await of_town.ask("key", "bob", lambda: work, 0)
        assert of_town.leave(made.id, "anna")
        assert not of_town.leave(made.id, "anna")
        assert not of_town.leave(made.id, "carl"), "of whom it is none of their business"
        assert of_town.leave(made.id, "bob")
        # Before the thread has noticed, somebody wants it again.
        asked = asyncio.create_task(of_town.ask("key", "carl", lambda: work, 10))
        await asyncio.sleep(0)
        work.go.set()
        assert await asked == 7

        work = Work(8)
        made = await of_town.ask("other", "anna", lambda: work, 0)
        assert isinstance(made, Sum)
        waiting = asyncio.create_task(of_town.ask("other", "anna", lambda: work, 10))
        await asyncio.sleep(0)
        of_town.leave(made.id, "anna")
        work.go.set()
        with pytest.raises(Stopped):
            await waiting
        assert not of_town.leave(made.id, "anna")
        # What was ended is begun anew for the next who asks.
        assert await of_town.ask("other", "anna", lambda: work, 10) == 8

    asyncio.run(run())


def test_what_fails_is_told_and_not_kept() -> None:
    async def run() -> None:
        of_town = Sums[int]("test")

        def wrong(progress: Progress) -> int:
            raise ValueError("no such thing")

        for _ in range(2):
            with pytest.raises(ValueError, match="no such thing"):
                await of_town.ask("key", "anna", lambda: wrong, 10)

    asyncio.run(run())


def test_more_than_can_wait_is_refused_and_what_is_forsaken_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "FORSAKEN_S", 0.02)

    async def run() -> None:
        of_town, works = Sums[int]("test"), [Work(n) for n in range(sums.WAITING_MAX)]
        for n, work in enumerate(works):
            assert isinstance(await of_town.ask(str(n), "anna", partial(same, work), 0), Sum)
        with pytest.raises(Problem) as refused:
            await of_town.ask("more", "bob", lambda: Work(0), 0)
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
                    return await of_town.ask("more", "bob", lambda: more, 10)
                except Problem:
                    await asyncio.sleep(0.001)

        assert await asyncio.wait_for(asked(), 10) == 99
        watch.cancel()

    asyncio.run(run())


def test_the_end_of_the_post_ends_what_is_being_summed() -> None:
    async def run() -> None:
        work, of_town = Work(7), Sums[int]("test")
        watch = asyncio.create_task(of_town.watch())
        waiting = asyncio.create_task(of_town.ask("key", "anna", lambda: work, 10))
        await until(work.begun.is_set)
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        work.go.set()
        with pytest.raises(Stopped):
            await waiting

    asyncio.run(run())
