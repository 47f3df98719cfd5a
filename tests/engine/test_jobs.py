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
        asyncio.run(Jobs().do(lambda: partial(divmod, 1, 0)))
    assert active_children() == []


def test_who_wants_no_answer_any_more_ends_the_process_and_others_wait() -> None:
    async def run() -> None:
        jobs = Jobs()
        tasks = [asyncio.create_task(jobs.do(lambda: partial(time.sleep, 600))) for _ in range(WAITING_MAX + 1)]
        await asyncio.sleep(0)
        with pytest.raises(JobsBusy):
            await jobs.do(lambda: partial(time.sleep, 600))
        for each in tasks:
            each.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended)

    asyncio.run(run())
    assert active_children() == []


def test_a_process_that_ends_by_itself_is_told() -> None:
    with pytest.raises(JobFailed, match="said nothing"):
        asyncio.run(Jobs().do(lambda: partial(exit, 3)))


def test_a_deadline_is_over_when_it_is() -> None:
    assert Deadline(0.0)()
    assert not Deadline.within(600)()
