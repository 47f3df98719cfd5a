"""The running post: what watches the disk and the clock, and what is done from time to time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import structlog

from vigie.app.installation import POST_ID, Installation
from vigie.core.kinds import ConditionKind
from vigie.core.scope import Scope
from vigie.core.service import SWEEP_S, Clear, Raise
from vigie.core.times import SECOND_US
from vigie.engine.acts import Acts
from vigie.engine.automations import Edition
from vigie.engine.known import Frozen
from vigie.engine.ports import StorageFull
from vigie.engine.pump import Pump
from vigie.services.desk import CLOCK_JUMPED, FACT_SET_ASIDE, STORAGE_FULL

FRAME_EVERY_S = 60
HEAD_EVERY_S = 60
SEAL_EVERY_S = 3_600
AGAIN_S = 60
"""What automations need is prepared again so long after it failed, unless something of it has changed before."""

_log = structlog.get_logger("vigie")


class Post:
    """A running installation: what watches the disk and the clock, and what is done from time to time.

    beside: what runs as long as the pump does, each until it is cancelled.
    """

    def __init__(self, opened: Installation) -> None:
        """Raises SettingsWrong where the settings name days that there are not."""
        self._opened = opened
        self.engine = opened.engine()
        self.calendar = opened.calendar
        self.pump = Pump(self.engine, opened.clock, on_full=self._on_full)
        self.acts = Acts(self.engine, opened.facts, opened.clock, opened.dice)
        self.acts.withdraw_retired()
        self.trouble: str | None = None
        self.beside: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._swept = 0
        self._ending = False
        self._tried: tuple[list[Edition | None], float] = [], 0.0
        self._post = self.engine.registry.numbers[POST_ID]

    @asynccontextmanager
    async def life(self) -> AsyncGenerator[None]:
        """Runs as long as the post does; its end keeps the live picture and signs the journal."""
        self.pump.start()
        tasks = [asyncio.create_task(_kept(run)) for run in (self._upkeep, self._warm, self._seal, *self.beside)]
        try:
            yield
        finally:
            self._ending = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with _noted("keep the picture"):
                await self.pump.stop()
            with _noted("sign the journal"):
                self._opened.sign_head()
            _log.info("stopped", commits=self.pump.groups)

    def _on_full(self, reason: str | None) -> None:
        """The disk of observations is full, or has room again."""
        if reason == self.trouble:
            return
        was, self.trouble = self.trouble, reason
        now_us, ingest = self._opened.clock.now_us(), self.engine.next_ingest
        if reason is None:
            _log.info("room again")
            self.engine.apply([Clear(STORAGE_FULL, self._post, now_us)], ingest, "post.room", now_us)
        elif was is None:
            _log.error("disk full", reason=reason)
            effect = Raise(STORAGE_FULL, self._post, now_us, {"reason": reason})
            self.engine.apply([effect], ingest, "post.full", now_us)

    async def _upkeep(self) -> None:
        """Each second: the clock and what is owed. Each half minute: the picture is swept. Each minute: it is kept, the
        journal signed, and what has served its purpose erased. Each hour: passages, photos and proofs of service are
        forgotten. What fails is tried again when its time comes."""
        beats = 0
        await self._try("sign the journal", self._opened.sign_head)
        while True:
            await asyncio.sleep(1)
            beats += 1
            self._beat()
            if self.engine.owed:
                with _noted("settle"):
                    await self.pump.settled()
            if beats % FRAME_EVERY_S == 0:
                with _noted("keep the picture"):
                    frame = self.engine.frame(self._opened.clock.now_us())
                    await self.pump.run_in_writer(partial(self.engine.keep, frame))
                await self._erase()
            if beats % SEAL_EVERY_S == 0:
                await self._try("forget passages", self._opened.forget_passages)
                await self._try("forget proofs of service", self._opened.forget_proofs)
            if beats % HEAD_EVERY_S == 0:
                await self._try("sign the journal", self._opened.sign_head)

    def _beat(self) -> None:
        with _noted("look at the clock and the disk"):
            self._watch_clock()
            if self.trouble is not None and self._opened.observations.has_room:
                self._on_full(None)
            self._tell_set_aside()
        with _noted("look after the orders"):
            self.acts.tick()
        for name, failing in self.engine.automations.changes(self._opened.clock.now_us()):
            if failing is None:
                _log.info("automation works again", automation=name)
            else:
                _log.error("automation fails", automation=name, exc_info=failing.error)
        with _noted("sweep"):
            self._sweep()

    def _sweep(self) -> None:
        """Looks over the picture when its time has come, as long as there is room for what is found."""
        now_us = self._opened.clock.now_us()
        turn = now_us // int(SWEEP_S * SECOND_US)
        if turn != self._swept and self._opened.facts.has_room and self.engine.sweep(now_us):
            self._swept = turn

    async def _seal(self) -> None:
        """Each hour, beside the beat and the writer's thread, for it may last: history is sealed, and nights are kept.
        At the post's end it comes to the end of the day or the night that it is at: after that the files are closed."""
        while True:
            await asyncio.sleep(SEAL_EVERY_S)
            if self.trouble is not None:
                continue
            with _noted("seal"):
                sealing = asyncio.create_task(asyncio.to_thread(self._opened.seal, lambda: not self._ending))
                try:
                    await asyncio.shield(sealing)
                finally:
                    await asyncio.wait([sealing])

    async def _warm(self) -> None:
        """Each second, beside the beat, for it may last: reads what sweeps ask of the inventory where it has changed,
        once all of that is on disk; and prepares what automations need of it and of what is in force."""
        engine = self.engine
        while True:
            await asyncio.sleep(1)
            with _noted("read the inventory"):
                if not engine.attributes.are_warm and not engine.owed:
                    await asyncio.to_thread(engine.attributes.read, engine.registry.version)
            with _noted("prepare what automations need"):
                await self.prepare()

    async def prepare(self) -> None:
        """Prepares what automations need, where it is due. What failed is left alone for a while."""
        engine, now_s = self.engine, asyncio.get_running_loop().time()
        due = [] if engine.owed else engine.automations.due()
        tried, at_s = self._tried
        # What was prepared is due no longer: what still is has failed.
        if due and (due != tried or now_s >= at_s + AGAIN_S):
            self._tried = due, now_s
            known = Frozen.of(engine, self.calendar(), Scope.everything(), self._opened.clock.now_us())
            await asyncio.to_thread(engine.automations.prepare, due, known)

    async def _erase(self) -> None:
        """Erases what has served its purpose: on disk in the writer's thread, and then, here, what is held of it."""
        erased: list[str] = []

        def work() -> None:
            erased.extend(self._opened.erase_due())

        await self._try("erase", work)
        self.engine.cases.erased(erased)

    def _watch_clock(self) -> None:
        jumped_us = self._opened.clock.take_jump_us()
        if jumped_us:
            _log.warning("clock jumped", by_s=jumped_us / 1e6)
            self._record(CLOCK_JUMPED, "clock", {"by_s": jumped_us / 1e6})

    def _tell_set_aside(self) -> None:
        """Says of each fact that no table takes what it was: an alarm, which stays until somebody has seen it."""
        while self.engine.set_aside:
            entry, error = self.engine.set_aside.pop(0)
            what, why = type(entry.fact).__name__, type(error).__name__
            _log.error("fact set aside", fact=what, id=entry.fact.id, exc_info=error)
            self._record(
                FACT_SET_ASIDE, f"set_aside.{entry.fact.id}", {"fact": what, "id": entry.fact.id, "reason": why}
            )

    def _record(self, kind: ConditionKind, rule: str, evidence: Mapping[str, float | str]) -> None:
        """Raises a condition of the post for something that is over already."""
        now_us, ingest = self._opened.clock.now_us(), self.engine.next_ingest
        raised = Raise(kind, self._post, now_us, evidence)
        self.engine.apply([raised, Clear(kind, self._post, now_us)], ingest, f"post.{rule}.{now_us}", now_us)

    async def _try(self, what: str, work: Callable[[], Any]) -> None:
        with _noted(what):
            await self.pump.run_in_writer(work)


@contextmanager
def _noted(what: str) -> Generator[None]:
    """What fails in here is noted, and whoever did it goes on."""
    try:
        yield
    except (StorageFull, OSError) as error:
        _log.error(f"could not {what}", reason=str(error))
    except Exception as error:
        _log.error(f"could not {what}", exc_info=error)


async def _kept(run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs what runs beside; that it has ended by a fault is at least said."""
    with _noted(f"go on with {getattr(run, '__qualname__', run)}"):
        await run()
