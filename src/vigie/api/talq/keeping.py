"""What gateways hold of the programmes: given to them when it changes, read back, and mended where it differs.

A gateway that cannot be reached follows the last it holds; when it is back it is read first, and only what differs is
sent. What another CMS has put into it is shown, and left alone; so are lamps that no programme of ours speaks for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from vigie.api.talq.door import TalqDoor
from vigie.api.talq.link import Link
from vigie.api.talq.programmes import PREFIX, Wanted
from vigie.core.service import Clear, Effect, Raise
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US
from vigie.engine.ports import Clock
from vigie.protocols.talq import Difference, Held, Sort, actuators, compare
from vigie.protocols.talq.bindings import LUMINAIRE
from vigie.protocols.talq.events import CmsEvent, Declined, Garbled, ReadBack
from vigie.services.lighting.conditions import PROGRAMME_NOT_HELD

LOOK_S = 2.0
READ_EVERY_US = 6 * HOUR_US
AGAIN_US = 10 * MINUTE_US
"""So long after it could not be read or mended a gateway is read again."""

TRIES_MAX = 3
"""So often in a row what differs is sent, before it is said that the gateway does not take it."""

AT_ONCE_MAX = 4
"""Gateways that are read or mended at a time: each says all its devices."""

STEPS_MIN = (1, 2, 5, 10, 30, 60)
"""How coarse nights may be for a gateway that has room for few programs."""

NIGHT_FROM_NOON_H, NIGHT_FROM_MIDNIGHT_H = 12, 0

_log = structlog.get_logger("vigie.talq")


class Keeps(StrEnum):
    """How a gateway stands to what it should hold."""

    UNKNOWN = "unknown"
    """It was not read yet."""
    UNABLE = "unable"
    """It takes no programmes: it has no ControlService that follows the sun by dates, days that begin at another hour
    than midnight or noon, or no room even for the coarsest."""
    IN_STEP = "in_step"
    PENDING = "pending"
    """What it should hold has changed since it was read; it was not given that yet."""
    DIFFERS = "differs"
    """What differs has been found and is being mended, or will be when it answers."""
    REFUSES = "refuses"
    """It was sent what differs, and differs still."""


@dataclass(slots=True)
class Keeping:
    """What is known of one gateway. read_us: when it was last read whole, 0 for never. differences: what was found
    then. lamps: how many have a calendar of ours. plans: how many of its lamps each programme speaks for, by the
    programme's id. step_min: to how many minutes dusk and dawn are rounded for it. due_us: when it is read next. tries:
    how often in a row what differs was sent. mended_us, sent: when that was last, 0 for never, and how many things it
    were. busy: it is being read or mended now."""

    stands: Keeps = Keeps.UNKNOWN
    read_us: int = 0
    differences: tuple[Difference, ...] = ()
    lamps: int = 0
    plans: Mapping[str, int] = field(default_factory=dict[str, int])
    step_min: int = 1
    due_us: int = 0
    tries: int = 0
    mended_us: int = 0
    sent: int = 0
    busy: bool = False
    attached_us: int = 0
    found_us: int = -1


class ProgrammeKeeping:
    """Keeps gateways in step with the programmes. Lives on the engine's own thread."""

    def __init__(
        self,
        talq: TalqDoor,
        clock: Clock,
        edition: Callable[[], object],
        made: Callable[[bool, int], Awaitable[Wanted]],
        own: Callable[[Link], Mapping[str, int]],
        tell: Callable[[Sequence[Effect], int], None],
        settle_us: int,
    ) -> None:
        """edition: changes with whatever changes what should be held. made: makes that, for gateways whose days begin
        at noon or not, rounded to so many minutes. own: the assets that a gateway speaks for, by id. tell: applies
        effects, at an instant. settle_us: how long a gateway that has just attached is left to what else it has to
        say."""
        self._talq, self._clock, self._edition, self._made = talq, clock, edition, made
        self._own, self._tell, self._settle_us = own, tell, settle_us
        self.of: dict[str, Keeping] = {}
        self._wanted: dict[tuple[bool, int], Wanted] = {}
        self._as_of: object = None

    @property
    def is_current(self) -> bool:
        """Whether what gateways should hold is of what is in force now: where that has just changed, it is made anew
        first."""
        return self._edition() == self._as_of

    def read_again(self, link: Link) -> bool:
        """Has a gateway read in the next seconds, and what differs sent anew as often as if it were found for the first
        time. False where it takes no programmes, or is not attached."""
        keeping = self.of.setdefault(link.name, Keeping())
        if keeping.stands is Keeps.UNABLE or not link.is_ready:
            return False
        keeping.tries, keeping.due_us = 0, self._clock.now_us()
        return True

    async def run(self) -> None:
        """Keeps them until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except Exception as error:
                # Whatever it was, the lights follow what is held; it is tried again.
                _log.error("programmes not kept", exc_info=error)
                await asyncio.sleep(AGAIN_US / SECOND_US / 10)

    async def look(self) -> None:
        """Makes anew what has changed, and reads whoever is due."""
        edition = self._edition()
        if edition != self._as_of:
            self._wanted.clear()
        now_us = self._clock.now_us()
        for name in self.of.keys() - self._talq.links.keys():
            del self.of[name]
        for link in tuple(self._talq.links.values()):
            is_new = link.name not in self.of
            keeping = self.of.setdefault(link.name, Keeping())
            if is_new or edition != self._as_of:
                keeping.plans = (await self._any_wanted()).speaking_for(self._own(link))
            if not link.is_ready:
                continue
            from_noon = _from_noon(link)
            if from_noon is None:
                keeping.stands = Keeps.UNABLE
                continue
            await self._want(link, keeping, from_noon, anew=edition != self._as_of, now_us=now_us)
            busy = sum(each.busy for each in self.of.values())
            may = keeping.stands is not Keeps.UNABLE and not keeping.busy and busy < AT_ONCE_MAX
            if may and keeping.due_us <= now_us:
                self._read(link, keeping)
        self._as_of = edition

    async def _any_wanted(self) -> Wanted:
        """What should be held, said in whichever way: which programmes speak for a lamp is the same in all."""
        if not self._wanted:
            self._wanted[True, STEPS_MIN[0]] = await self._made(True, STEPS_MIN[0])
        return next(iter(self._wanted.values()))

    async def _want(self, link: Link, keeping: Keeping, from_noon: bool, *, anew: bool, now_us: int) -> None:
        """What the gateway should hold now; where that is not what it should have held, it is read at once."""
        if keeping.attached_us != link.attached_us:
            # One that begins anew may have lost what it held.
            keeping.attached_us, keeping.tries = link.attached_us, 0
            keeping.due_us = link.attached_us + self._settle_us
        if not anew and keeping.found_us == link.found_us:
            return
        own = self._own(link)
        lamps = {
            device.asset: [each.address for each in actuators(device)]
            for device in link.peer.devices.values()
            if device.kind == LUMINAIRE and device.asset in own
        }
        keeping.found_us = link.found_us
        held = None
        for step_min in STEPS_MIN:
            if (from_noon, step_min) not in self._wanted:
                self._wanted[from_noon, step_min] = await self._made(from_noon, step_min)
            held = self._wanted[from_noon, step_min].of(lamps, self._talq.address)
            keeping.step_min = step_min
            if _has_room(link, held):
                break
        else:
            keeping.stands = Keeps.UNABLE
            return
        if keeping.stands is Keeps.UNABLE:
            keeping.stands = Keeps.UNKNOWN
        keeping.lamps = len(held.assigned)
        if held != link.peer.wanted:
            if keeping.stands is not Keeps.UNKNOWN:
                keeping.stands = Keeps.PENDING
            link.peer.wanted, keeping.tries = held, 0
            keeping.due_us = max(now_us, link.attached_us + self._settle_us)

    def _read(self, link: Link, keeping: Keeping) -> None:
        """Asks what the gateway really holds."""
        keeping.busy = True
        ended = False

        def then(events: Sequence[CmsEvent] | None) -> None:
            nonlocal ended
            if ended:
                return
            back = next((each for each in events or () if isinstance(each, ReadBack)), None)
            if back is not None:
                ended = True
                self._compared(link, keeping, back.held)
            elif events is None or any(isinstance(each, Declined | Garbled) for each in events):
                ended = True
                self._later(keeping)

        if not link.ask(link.peer.read_back(), then=then):
            self._later(keeping)

    def _later(self, keeping: Keeping) -> None:
        keeping.busy, keeping.due_us = False, self._clock.now_us() + AGAIN_US

    def _compared(self, link: Link, keeping: Keeping, held: Held) -> None:
        """What was read is held against what should be: what differs is sent, and then read once more."""
        now_us = self._clock.now_us()
        keeping.read_us = now_us
        keeping.differences = compare(link.peer.wanted, held, self._talq.address)
        mendable = [each for each in keeping.differences if _is_to_be_mended(each)]
        if not mendable:
            keeping.stands, keeping.tries = Keeps.IN_STEP, 0
            keeping.busy, keeping.due_us = False, now_us + READ_EVERY_US
        elif keeping.tries < TRIES_MAX:
            keeping.stands, keeping.tries = Keeps.DIFFERS, keeping.tries + 1
            self._mend(link, keeping, mendable)
        else:
            keeping.stands = Keeps.REFUSES
            self._later(keeping)
        self._say(link, keeping, mendable, now_us)

    def _mend(self, link: Link, keeping: Keeping, differences: Sequence[Difference]) -> None:
        keeping.mended_us, keeping.sent = self._clock.now_us(), len(differences)
        requests = link.peer.mend(differences)
        _log.info("programmes sent", gateway=link.name, differences=len(differences), requests=len(requests))
        left = len(requests)

        def then(events: Sequence[CmsEvent] | None) -> None:
            nonlocal left
            left -= 1
            if not left:
                # Whatever became of each: what counts is what is held now.
                keeping.busy, keeping.due_us = False, self._clock.now_us()

        if not link.ask(requests, then=then):
            self._later(keeping)

    def _say(self, link: Link, keeping: Keeping, mendable: Sequence[Difference], now_us: int) -> None:
        anchor = min(self._own(link).values(), default=0)
        if not anchor:
            return
        if keeping.stands is Keeps.REFUSES:
            evidence: dict[str, float | str] = {"gateway": link.name, "differences": len(mendable)}
            self._tell([Raise(PROGRAMME_NOT_HELD, anchor, now_us, evidence)], now_us)
        elif keeping.stands is Keeps.IN_STEP:
            self._tell([Clear(PROGRAMME_NOT_HELD, anchor, now_us)], now_us)


def _from_noon(link: Link) -> bool | None:
    """Whether the days of a gateway's calendars begin at noon; None where it takes none of ours."""
    service = link.peer.services.get("ControlService")
    types = () if service is None else service.supported_types
    if service is None or (types and not {"AstroClockActivePeriod", "ccDate"} <= set(types)):
        return None
    return {NIGHT_FROM_NOON_H: True, NIGHT_FROM_MIDNIGHT_H: False}.get(int(service.day_offset or 0))


def _has_room(link: Link, held: Held) -> bool:
    """Whether the gateway has room for it beside as much that it replaces: the new comes before the old goes."""
    service = link.peer.services["ControlService"]
    limits = ((service.maximum_programs, held.programs), (service.maximum_calendars, held.calendars))
    return all(not most or 2 * len(items) <= most for most, items in limits)


def _is_to_be_mended(difference: Difference) -> bool:
    """A lamp that we want nothing of keeps a calendar that is not ours."""
    if difference.sort is Sort.ASSIGNMENT and not difference.wanted:
        return isinstance(difference.held, str) and difference.held.startswith(PREFIX)
    return difference.ours
