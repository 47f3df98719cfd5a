"""The pump over real stores: every reading gets one outcome, nobody is answered early, limits bite."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.city import NOW_US, drafts, open_engine, open_facts, open_observations, take
from vigie.core.observations import Outcome, Rejected
from vigie.core.readings import Readings, Value
from vigie.core.times import SECOND_US
from vigie.engine import pump as pump_module
from vigie.engine.admission import ANY_REPORTER
from vigie.engine.ports import StorageFull, StoredBatch
from vigie.engine.pump import Busy, Pump, Stopping

LAMP = "luminaire-000003"


class StandingClock:
    """It is always the same moment."""

    def now_us(self) -> int:
        return NOW_US


def readings(*rows: tuple[str, str, Value, int]) -> Readings:
    return Readings(
        [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], [r[3] for r in rows], list(range(len(rows)))
    )


def with_pump(folder: Path, work: Callable[[Pump], Awaitable[None]]) -> None:
    """Runs work with a pump over a small city."""
    facts = open_facts(folder)
    if not facts.registry_rows():
        take(facts, drafts())
    observations = open_observations(folder)
    engine = open_engine(facts, observations)

    async def run() -> None:
        pump = Pump(engine, StandingClock())
        pump.start()
        try:
            await asyncio.wait_for(work(pump), 30)
        finally:
            await pump.stop()

    try:
        asyncio.run(run())
    finally:
        observations.close()
        facts.close()


def test_every_reading_gets_exactly_one_outcome_and_each_is_counted(tmp_path: Path) -> None:
    async def work(pump: Pump) -> None:
        sent = readings(
            (LAMP, "level", 60.0, NOW_US),
            (LAMP, "level", 60.0, NOW_US),
            (LAMP, "level", 50.0, NOW_US - SECOND_US),
            ("nothing", "level", 1.0, NOW_US),
            (LAMP, "nothing", 1.0, NOW_US),
            (LAMP, "level", True, NOW_US),
            (LAMP, "level", math.nan, NOW_US),
            (LAMP, "level", 101.0, NOW_US),
            (LAMP, "level", 1.0, NOW_US + 301 * SECOND_US),
            (LAMP, "level", 1.0, NOW_US - 31 * 86_400 * SECOND_US),
        )
        first = await pump.submit(sent, ANY_REPORTER)
        assert (first.accepted, first.late, first.duplicate) == (2, 0, 1)
        assert [each.outcome for each in first.rejected] == [
            Outcome.UNKNOWN_ASSET,
            Outcome.UNKNOWN_POINT,
            Outcome.WRONG_TYPE,
            Outcome.NOT_FINITE,
            Outcome.OUT_OF_RANGE,
            Outcome.FUTURE,
            Outcome.TOO_OLD,
        ]
        again = await pump.submit(sent, ANY_REPORTER)
        assert (again.accepted, again.late, again.duplicate) == (0, 1, 2)
        assert sum(pump.counts.values()) == 2 * len(sent)

    with_pump(tmp_path, work)


def test_many_senders_share_a_commit(tmp_path: Path) -> None:
    async def work(pump: Pump) -> None:
        sent = [
            pump.submit(readings((f"luminaire-{n % 20:06d}", "level", 1.0, NOW_US - n)), ANY_REPORTER)
            for n in range(200)
        ]
        answers = await asyncio.gather(*sent)
        assert sum(each.accepted + each.late for each in answers) == 200
        assert pump.groups < 20

    with_pump(tmp_path, work)


def test_what_is_over_the_limit_is_told_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump_module, "QUEUE_ROWS_MAX", 3)

    async def work(pump: Pump) -> None:
        rows = [(LAMP, "level", 1.0, NOW_US - n) for n in range(4)]
        with pytest.raises(Busy):
            await pump.submit(readings(*rows), ANY_REPORTER)
        assert pump.refused_busy == 1
        assert (await pump.submit(readings(*rows[:3]), ANY_REPORTER)).accepted == 3
        # What cannot be read takes room as well, and so does what says nothing.
        unread = Readings([], [], [], [], [], refused=[Rejected(n, Outcome.MALFORMED, "") for n in range(2)])
        waiting = [asyncio.ensure_future(pump.submit(each, ANY_REPORTER)) for each in (unread, readings(), readings())]
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert [isinstance(each, Busy) for each in answers] == [False, False, True]
        assert (await pump.submit(unread, ANY_REPORTER)).rejected == unread.refused

    with_pump(tmp_path, work)


def test_a_full_disk_is_told_to_the_sender_and_the_pump_lives_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(pump: Pump) -> None:
        store = pump._engine._observations
        kept = store.append

        def full(stored: StoredBatch) -> None:
            raise StorageFull("no room")

        monkeypatch.setattr(store, "append", full)
        with pytest.raises(StorageFull):
            await pump.submit(readings((LAMP, "level", 1.0, NOW_US)), ANY_REPORTER)
        monkeypatch.setattr(store, "append", kept)
        assert (await pump.submit(readings((LAMP, "level", 1.0, NOW_US)), ANY_REPORTER)).accepted == 1

    with_pump(tmp_path, work)


def test_a_stopping_post_commits_what_waits_and_takes_no_more(tmp_path: Path) -> None:
    async def work(pump: Pump) -> None:
        waiting = asyncio.create_task(pump.submit(readings((LAMP, "level", 1.0, NOW_US)), ANY_REPORTER))
        await asyncio.sleep(0)
        await pump.stop()
        assert (await waiting).accepted == 1
        with pytest.raises(Stopping):
            await pump.submit(readings((LAMP, "level", 1.0, NOW_US)), ANY_REPORTER)
        pump._stopping, pump._task = True, None
        pump.run_in_writer = _nothing  # type: ignore[method-assign]

    with_pump(tmp_path, work)


async def _nothing(work: Callable[[], None]) -> None:
    return None
