"""Long work in a process of its own: told, refused, and ended when nobody wants it."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from multiprocessing import active_children

import pytest

from vigie.engine.jobs import WAITING_MAX, Deadline, JobFailed, Jobs, JobsBusy


def test_what_goes_wrong_there_is_told() -> None:
    with pytest.raises(JobFailed, match=r"ZeroDivisionError: .*zero"):
        asyncio.run(Jobs().do(lambda: partial(divmod, 1, 0), who="one", most_s=60))
    assert active_children() == []


def test_who_wants_no_answer_any_more_ends_the_process_and_others_wait() -> None:
    async def run() -> None:
        jobs = Jobs()
        sleeping = partial(jobs.do, lambda: partial(time.sleep, 600), most_s=60)
        tasks = [asyncio.create_task(sleeping(who=str(n))) for n in range(WAITING_MAX + 1)]
        await asyncio.sleep(0)
        with pytest.raises(JobsBusy):
            await sleeping(who="another")
        for each in tasks:
            each.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended)

    asyncio.run(run())
    assert active_children() == []


def test_a_process_that_ends_by_itself_is_told() -> None:
    with pytest.raises(JobFailed, match="said nothing"):
        asyncio.run(Jobs().do(lambda: partial(exit, 3), who="one", most_s=60))


def test_what_does_not_end_is_ended() -> None:
    with pytest.raises(JobFailed, match="more than 0"):
        asyncio.run(Jobs().do(lambda: partial(time.sleep, 600), who="one", most_s=0.01))
    assert active_children() == []


def test_what_cannot_be_started_is_told() -> None:
    with pytest.raises(JobFailed, match="did not start"):
        asyncio.run(Jobs().do(lambda: lambda: 1, who="one", most_s=60))
    assert active_children() == []


def test_each_is_done_one_thing_at_a_time() -> None:
    async def run() -> None:
        jobs = Jobs()
        first = asyncio.create_task(jobs.do(lambda: partial(time.sleep, 600), who="one", most_s=60))
        await asyncio.sleep(0)
        with pytest.raises(JobsBusy):
            await jobs.do(lambda: partial(abs, 1), who="one", most_s=60)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert await jobs.do(lambda: partial(abs, -1), who="one", most_s=60) == 1

    asyncio.run(run())


def test_a_deadline_is_over_when_it_is() -> None:
    assert Deadline(0.0)()
    assert not Deadline.within(600)()
