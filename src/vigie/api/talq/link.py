"""One TALQ gateway at the post: its conversation, one turn after the other, and what of it is on disk."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import structlog

from vigie.core.observations import Rejected
from vigie.core.readings import Readings
from vigie.core.times import SECOND_US
from vigie.engine.clocks import DeviceClocks
from vigie.engine.ports import Clock, StorageFull
from vigie.engine.pump import Acknowledgement, Busy, Stopping
from vigie.protocols.talq import Answer, Cms, Enrolment, Incoming, Request, Step
from vigie.protocols.talq.events import Attached, CmsEvent, Declined, Found, Lost, Noticed, Ready, Reported, Supported
from vigie.protocols.talq.peer import Memory
from vigie.protocols.talq.readings import Notice, Standing
from vigie.transports.courier import Courier, Errand
from vigie.transports.http_client import HttpAnswer

NOTICES_KEPT_MAX = 50
ASKED_S_MAX = 120.0
"""So long the post tries to get an answer to what it asks, unless it is an order with an expiry of its own."""

ATTACHING_US_MAX = 30 * SECOND_US
TOLD_US = SECOND_US
"""A gateway that attaches has told its devices when it has told all that report through it, or tells no more for so
long, or after the longest time."""

_KNOWN, _STANDING, _ATTACHED = "known", "standing", "attached"
_KNOWN_BY = (Attached, Ready, Supported, Found, Lost)
"""The events that change what is known of a gateway, as against what stands at its devices."""

_log = structlog.get_logger("vigie.talq")
_standing = msgspec.json.Decoder(dict[str, dict[str, Standing]])
_memory = msgspec.json.Decoder(Memory)

Then = Callable[[Sequence[CmsEvent] | None], None]
"""Gets what an answer meant, or None where none came."""


class NotKept(Exception):
    """What was said could not be put on disk: it is to be said again, after so many seconds."""

    def __init__(self, why: str, retry_after_s: int) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Means:
    """What a link works with. take: takes readings of a device in, and returns when they are on disk. keep: puts parts
    of a device's memory on disk. spoken_for: the assets that report through a device. clocks: what time gateways
    believe it is, by all that they report, taken or not."""

    cms: Cms
    clock: Clock
    take: Callable[[Readings, int], Awaitable[Acknowledgement]]
    keep: Callable[[int, Mapping[str, bytes]], Awaitable[None]]
    spoken_for: Callable[[int], Iterable[str]]
    clocks: DeviceClocks = field(default_factory=DeviceClocks)


class Link:
    """One gateway. Lives on one event loop.

    number: of the device in the post's own tables. heard_us: when it last said or answered anything, 0 for not since
    the post started. attached_us: when it last announced itself, 0 for never. found_us: when it last told a device, 0
    for not since the post started. clock_heard: whether it has said any instant since then.
    """

    def __init__(self, number: int, enrolment: Enrolment, means: Means, remembered: Mapping[str, bytes]) -> None:
        """remembered: what is on disk of it."""
        self.number, self.enrolment, self._means = number, enrolment, means
        self.peer = means.cms.enrol(enrolment)
        self.courier = Courier(enrolment.name, lambda: self.peer.uri)
        self.turn = asyncio.Lock()
        self.heard_us = self.attached_us = self.found_us = 0
        self.clock_heard = False
        self.notices: deque[Notice] = deque(maxlen=NOTICES_KEPT_MAX)
        self.refused: Counter[str] = Counter()
        self.last_refusal: Rejected | None = None
        self.on_events: Callable[[Link, Sequence[CmsEvent]], None] = lambda link, events: None
        self._owed: set[str] = set()
        self._told: set[str] = set()
        self._recall(remembered)
        self._kept_standing = self.peer.standing

    @property
    def name(self) -> str:
        """What its device is called."""
        return self.enrolment.name

    @property
    def is_ready(self) -> bool:
        """Whether it has said all that may be built on."""
        return self.peer.step is Step.READY

    def takes_orders(self, now_us: int) -> bool:
        """Whether an order would reach the devices that are meant: not while it begins anew and is still telling which
        it has, nor while it does not answer."""
        return self.is_ready and not self.is_telling(now_us) and self.courier.reached is not False

    def is_telling(self, now_us: int) -> bool:
        """Whether it has begun anew and still tells which devices it has."""
        if now_us >= min(self.attached_us + ATTACHING_US_MAX, self.found_us + TOLD_US):
            return False
        return not self._told.issuperset(self._means.spoken_for(self.number))

    def _recall(self, remembered: Mapping[str, bytes]) -> None:
        if _KNOWN not in remembered:
            return
        try:
            memory = _memory.decode(remembered[_KNOWN])
            points = _standing.decode(remembered.get(_STANDING, b"{}"))
            self.attached_us = msgspec.json.decode(remembered.get(_ATTACHED, b"0"), type=int)
            self.peer.recall(msgspec.structs.replace(memory, points=points))
        except (msgspec.DecodeError, ValueError) as error:
            # Kept by another version of vigie: the gateway is asked to begin anew, which costs nothing but time.
            _log.warning("memory not understood", gateway=self.name, reason=str(error))

    async def heard(self, incoming: Incoming) -> Answer:
        """The answer to what the gateway asks, once all that it said is on disk. Raises NotKept."""
        async with self.turn:
            now_us = self._means.clock.now_us()
            turn = self._means.cms.receive(incoming, now_us)
            try:
                await self._settle(turn.events, now_us)
            except NotKept:
                self.peer.not_kept(turn)
                raise
            self.heard_us = now_us
        assert turn.answer is not None
        self.courier.hurry()
        self._learn(turn.events, now_us)
        return turn.answer

    def ask(
        self,
        requests: Iterable[Request],
        *,
        within_s: float = ASKED_S_MAX,
        then: Then | None = None,
        may: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Asks the gateway, in this order; returns whether there was room. within_s: nothing is sent after that.
        then: called for each request, and each that follows from it, with what its answer meant. may: see `Errand`."""
        until_s = asyncio.get_running_loop().time() + within_s
        return self.courier.put([self._errand(each, until_s, then, may) for each in requests])

    async def close(self) -> None:
        """The gateway is asked no more."""
        await self.courier.close()

    def _errand(
        self, request: Request, until_s: float, then: Then | None = None, may: Callable[[], bool] = lambda: True
    ) -> Errand:
        async def done(said: HttpAnswer | None) -> list[Errand]:
            events, more = await self._answered(request, said)
            if then is not None:
                then(events)
            return [self._errand(each, until_s, then, may) for each in more]

        return Errand(request.method, request.target, request.headers, request.body, until_s, done, may)

    async def _answered(
        self, request: Request, said: HttpAnswer | None
    ) -> tuple[Sequence[CmsEvent] | None, Sequence[Request]]:
        if said is None:
            _log.warning("not answered", gateway=self.name, request=request.route.name)
            return None, ()
        async with self.turn:
            now_us = self._means.clock.now_us()
            self.heard_us = now_us
            turn = self.peer.answered(request, Answer(said.status, said.body, said.headers), now_us)
            try:
                await self._settle(turn.events, now_us)
            except NotKept as error:
                # What was asked for can be asked for again; what the session learnt is owed to the disk until then.
                _log.warning("answer not kept", gateway=self.name, request=request.route.name, reason=str(error))
        for event in turn.events:
            # What is only not there yet is put there by whoever asked.
            if isinstance(event, Declined) and event.status != 404:
                _log.warning("declined", gateway=self.name, request=event.name, reason=event.reason)
        self._learn(turn.events, now_us)
        return turn.events, turn.requests

    def _learn(self, events: Sequence[CmsEvent], now_us: int) -> None:
        for event in events:
            if isinstance(event, Attached):
                self._told.clear()
            elif isinstance(event, Found):
                self.found_us = now_us
                self._told |= {each.asset for each in event.devices}
            elif isinstance(event, Noticed):
                self.notices.extend(event.notices)
        if events:
            self.on_events(self, events)

    def clock_ahead_us(self, now_us: int) -> int:
        """How far its clock is ahead of the post's, as far as that is known; see `DeviceClocks`."""
        return int(self._means.clocks.ahead_us(np.array([self.number]), now_us)[0])

    async def _settle(self, events: Sequence[CmsEvent], now_us: int) -> None:
        """Puts what was learnt on disk: the readings, then what the session must remember. Raises NotKept."""
        if any(isinstance(event, _KNOWN_BY) for event in events):
            self._owed.add(_KNOWN)
        if any(isinstance(event, Attached) for event in events):
            self.attached_us = now_us
        for event in events:
            # What came with a device that was asked for may have been measured at any time.
            if isinstance(event, Reported) and event.logger:
                self._note_clock(event.readings, now_us)
        try:
            for event in events:
                if isinstance(event, Reported):
                    self._count(await self._means.take(event.readings, self.number))
            await self._remember()
        except Busy as error:
            raise NotKept("more waits to be kept than may wait", 1) from error
        except Stopping as error:
            raise NotKept("the post is stopping", 5) from error
        except (StorageFull, OSError) as error:
            _log.error("not kept", gateway=self.name, reason=str(error))
            raise NotKept("the disk is full", 30) from error

    async def _remember(self) -> None:
        """What stands at the devices changes with few of the reports, and is kept apart from what hardly ever does."""
        standing = self.peer.standing
        if _KNOWN not in self._owed and standing == self._kept_standing:
            return
        memory, parts = self.peer.memory(), dict[str, bytes]()
        if _KNOWN in self._owed:
            parts[_KNOWN] = msgspec.json.encode(msgspec.structs.replace(memory, points={}))
            parts[_ATTACHED] = msgspec.json.encode(self.attached_us)
        if standing != self._kept_standing:
            parts[_STANDING] = msgspec.json.encode(memory.points)
        await self._means.keep(self.number, parts)
        self._owed.clear()
        self._kept_standing = standing

    def _note_clock(self, readings: Readings, now_us: int) -> None:
        said = [at_us for row, at_us in enumerate(readings.observed_us) if row not in readings.quality]
        if said:
            self.clock_heard = True
            self._means.clocks.note(np.full(len(said), self.number), np.array(said, np.int64), now_us)

    def _count(self, taken: Acknowledgement) -> None:
        for each in taken.rejected:
            self.refused[each.outcome.value] += 1
            self.last_refusal = each
