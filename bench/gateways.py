"""Gateways that live a year behind real HTTP: what they hold and what their clocks show, instant by instant, and what
that has of their lamps."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import uvicorn
from uvicorn.server import ServerState

from bench.steps import UNKNOWN, Steps
from vigie.api.talq import Link
from vigie.core.observations import Int64s
from vigie.core.times import DAY_US, HOUR_US, SECOND_US, from_us, rfc3339, to_us
from vigie.protocols.talq import Gateway, Held, Identity, Incoming, Night, Request, Sort, Year, read, read_year
from vigie.protocols.talq.limits import BODY_BYTES_MAX
from vigie.protocols.talq.messages import Attribute, Calendar, ControlProgramOne, Device
from vigie.protocols.talq.network import Network
from vigie.protocols.talq.schedules import Sun as Event
from vigie.protocols.talq.schedules import level, programme_on
from vigie.sim.life.sky import sun_times
from vigie.sim.talq.equipment import CLASSES, LAMP, LOGGERS, MONITOR, SERVICES
from vigie.transports.http_end import Asked, HttpEnd, Told

ANSWER_S = 1.0
"""So long a gateway takes to answer anything: a small computer behind a mobile network."""
GATHERED_S = 2.0
"""So long it gathers before it reports."""
HELD_NOTHING = -1

Sun = tuple[int, int]
"""By how many seconds a gateway has sunrise and sunset later than the post has them."""
NO_OTHER_SUN: Sun = (0, 0)


class Library:
    """All calendars that were ever held or wanted, and the levels that each gives by the gateway's own local time. A
    gateway's session itself is asked, `Network.programmed`: at every instant at which that can change."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._codes: dict[tuple[str, frozenset[str]], int] = {}
        self._networks: list[tuple[str, Network]] = []
        self._years: list[Year] = []
        self._days: dict[tuple[date, str, Sun], tuple[Int64s, Int64s]] = {}
        self._named: dict[tuple[int, date], str] = {}

    def code(self, name: str, calendars: Mapping[str, Calendar], programs: Mapping[str, ControlProgramOne]) -> int:
        """A number for a calendar as it is among others; `HELD_NOTHING` for none."""
        calendar = calendars.get(name)
        if calendar is None:
            return HELD_NOTHING
        used = {calendar.default_program, *(rule.program for rule in calendar.rules)}
        key = (name, frozenset(used - programs.keys()))
        if key not in self._codes:
            network = Network(SERVICES, CLASSES, (), self._zone)
            network.holding.shelves[Sort.CALENDAR][name] = calendar
            network.holding.shelves[Sort.PROGRAM] |= {each: programs[each] for each in used if each in programs}
            self._codes[key] = len(self._networks)
            self._networks.append((name, network))
            self._years.append(read_year(calendar))
        # What is held under a name of ours is either that or not there.
        assert self._networks[self._codes[key]][1].holding.calendars[name] == calendar
        return self._codes[key]

    def levels(self, code: int, from_us: int, until_us: int, sun: Sun = NO_OTHER_SUN) -> Steps:
        """What a calendar gives between two instants of a gateway's own clock, and around them, under its own sun."""
        if code == HELD_NOTHING:
            return Steps.always(UNKNOWN)
        first, last = (local(each, self._zone).date() for each in (from_us - DAY_US, until_us + DAY_US))
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        parts = [self._day(code, day, sun) for day in days]
        at_us, said = (np.concatenate(column) for column in zip(*parts, strict=True))
        return Steps(at_us, said)

    def _day(self, code: int, day: date, sun: Sun) -> tuple[Int64s, Int64s]:
        """One day by the clock, which is a day of the calendar (dayOffset 0). Programs are named by what they say, and
        say that in every calendar."""
        key = (day, self._program(code, day), sun)
        if key not in self._days:
            name, network = self._networks[code]
            rise, sets = _sun_times(day, sun)
            instants = self._instants(network, key[1], day, (rise, sets))
            said: list[int] = []
            for at_us in instants:
                command = network.programmed(name, local(at_us, self._zone), rise, sets)
                said.append(0 if command is None else level(command.state))
            self._days[key] = np.array(instants, np.int64), np.array(said, np.int64)
        return self._days[key]

    def _program(self, code: int, day: date) -> str:
        """The name of the program of a day, "" where it is not there."""
        if (code, day) not in self._named:
            found = programme_on(self._years[code], day)
            self._named[code, day] = found if found in self._networks[code][1].holding.programs else ""
        return self._named[code, day]

    def _instants(self, network: Network, program: str, day: date, sun: tuple[time, time]) -> list[int]:
        """The instants of a day at which its level may change, in order. sun: when it rises and sets there."""
        rise, sets = sun
        suns = {Event.RISE: _seconds(rise), Event.SET: _seconds(sets)}
        walls = {0}
        if program:
            said = read(network.holding.programs[program])
            walls |= {_seconds(slot.start) for slot in said.slots}
            walls |= {suns[each.event] + each.offset_min * 60 for each in said.sun_slots}
            for each in said.alight:
                if isinstance(each, Night):
                    walls |= {
                        suns[Event.SET] + each.after_sunset_min * 60,
                        suns[Event.RISE] + each.after_sunrise_min * 60,
                    }
                else:
                    walls |= {_seconds(each.start), _seconds(each.end)}
        midnight, next_midnight = (to_us(datetime(each.year, each.month, each.day, tzinfo=self._zone))
                                   for each in (day, day + timedelta(days=1)))  # fmt: skip
        spans = [midnight + wall % 86_400 * SECOND_US for wall in walls]
        if next_midnight - midnight != DAY_US:
            # The clock is set on or back: every hour, and each time of the clock before and after.
            hours = range(0, next_midnight - midnight, HOUR_US)
            spans = [each + by for each in spans for by in (-HOUR_US, 0, HOUR_US)] + [midnight + each for each in hours]
        return sorted({each for each in spans if midnight <= each < next_midnight})


def local(at_us: int, zone: ZoneInfo) -> datetime:
    """An instant by a zone's clock."""
    return from_us(at_us).astimezone(zone)


def _sun_times(day: date, sun: Sun) -> tuple[time, time]:
    rise, sets = (
        (datetime.combine(day, each) + timedelta(seconds=late_s)).time()
        for each, late_s in zip(sun_times(day), sun, strict=True)
    )
    return rise, sets


def _seconds(at: time) -> int:
    return at.hour * 3_600 + at.minute * 60 + at.second


@dataclass
class Line:
    """What something was from which instant on."""

    at_us: list[int] = field(default_factory=list[int])
    what: list[Any] = field(default_factory=list[Any])

    def note(self, at_us: int, what: Any) -> None:
        """It is so from now on."""
        if self.at_us and self.at_us[-1] == at_us:
            self.what[-1] = what
        else:
            self.at_us.append(at_us)
            self.what.append(what)

    def of(self, at_us: int) -> Any:
        """What it was then."""
        return self.what[bisect_right(self.at_us, at_us) - 1]


@dataclass
class Own:
    """One gateway in the street. lamps: its actuators. sun: how it has it. away: for how many reasons it cannot be
    reached. begins: whether it has to announce itself when it can. ahead_us: how far its clock is ahead; drift_us: of
    that, what nobody notices. told: whether the post has told of its clock; heard: how often it has reported since that
    went wrong; watched_us: until when it is of interest. starts: how often it began empty. asked: what it was last
    wanted to hold. held, wanted: the codes of its lamps' calendars. clock: how far ahead it was. lost: when it was out
    of reach. forgot_us: when it lost, or was robbed of, something it held."""

    name: str
    identity: Identity
    devices: Sequence[Device]
    gateway: Gateway
    lamps: list[tuple[str, str]]
    sun: Sun
    away: int = 0
    begins: bool = True
    ahead_us: int = 0
    drift_us: int = 0
    told: bool = False
    heard: int = 0
    watched_us: int = 0
    starts: int = 1
    asked: Held = field(default_factory=Held)
    held: Line = field(default_factory=Line)
    wanted: Line = field(default_factory=Line)
    clock: Line = field(default_factory=Line)
    lost: Line = field(default_factory=Line)
    forgot_us: list[int] = field(default_factory=list[int])

    @property
    def is_wrong(self) -> bool:
        """Whether its clock is wrong beyond its drift."""
        return self.ahead_us != self.drift_us


class Field:
    """All gateways, on one socket."""

    def __init__(self, now: Callable[[], int], zone: ZoneInfo) -> None:
        self.now, self.zone = now, zone
        self.library = Library(zone)
        self.own: dict[str, Own] = {}
        self.asked = 0

    def enter(
        self, identities: Mapping[str, Identity], devices: Mapping[str, Sequence[Device]], suns: Mapping[str, Sun]
    ) -> None:
        """These gateways are in the street from now on, and hold nothing. suns: of those that have one of their own."""
        for name, who in identities.items():
            lamps = [(each.address, LAMP) for each in devices[name] if any(f["id"] == LAMP for f in each.functions)]
            own = Own(name, who, devices[name], self._made(who, devices[name], 0), lamps, suns.get(name, NO_OTHER_SUN))
            self.own[name] = own
            own.clock.note(self.now(), 0)
            own.lost.note(self.now(), False)
            self._note(own)

    def _made(self, who: Identity, devices: Sequence[Device], start: int) -> Gateway:
        gateway = Gateway(who, SERVICES, CLASSES, devices, zone=self.zone, seed=str(start))
        for each in LOGGERS:
            gateway.network.loggers.put(each, self.now())
        return gateway

    @asynccontextmanager
    async def asked_at(self) -> AsyncGenerator[int]:
        """While they can be asked; gives the port."""
        end = HttpEnd(self._answer, body_bytes_max=BODY_BYTES_MAX)

        async def slowly(scope: Any, receive: Any, send: Any) -> None:
            own = self.own[scope["path"].split("/")[1]]
            await asyncio.sleep(ANSWER_S)
            if own.away:
                # Nothing comes back: whoever asks finds out by waiting.
                while (await receive())["type"] != "http.disconnect":
                    pass
                return
            await end(scope, receive, send)

        config = uvicorn.Config(slowly, loop="none", http="h11", lifespan="off", log_config=None, access_log=False)
        config.load()
        state = ServerState()
        loop = asyncio.get_running_loop()
        made: Any = config.http_protocol_class
        server = await loop.create_server(lambda: made(config=config, server_state=state, app_state={}), "127.0.0.1", 0)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()

    def _answer(self, asked: Asked) -> Told:
        name, slash, rest = asked.target.removeprefix("/").partition("/")
        own = self.own[name]
        self.asked += 1
        incoming = Incoming(asked.method, slash + rest, asked.headers, asked.body)
        turn = own.gateway.receive(incoming, self.now() + own.ahead_us)
        assert turn.answer is not None
        if turn.events:
            self._note(own)
        return Told(turn.answer.status, turn.answer.body, turn.answer.headers)

    def _note(self, own: Own) -> None:
        """What is held has changed."""
        network = own.gateway.network
        assigned = [network.assigned.get(each, "") for each in own.lamps]
        holding = network.holding
        codes = {each: self.library.code(each, holding.calendars, holding.programs) for each in set(assigned)}
        held = np.array([codes[each] for each in assigned], np.int64)
        if not own.held.what or not np.array_equal(held, own.held.what[-1]):
            own.held.note(self.now(), held)

    def note_wanted(self, link: Link) -> None:
        """What the post wants a gateway to hold, if that has changed."""
        own, wanted = self.own[link.name], link.peer.wanted
        if wanted is own.asked:
            return
        own.asked = wanted
        names = [wanted.assigned.get(f"{device}/{function}", "") for device, function in own.lamps]
        codes = {each: self.library.code(each, wanted.calendars, wanted.programs) for each in set(names)}
        found = np.array([codes[each] for each in names], np.int64)
        if not own.wanted.what or not np.array_equal(found, own.wanted.what[-1]):
            own.wanted.note(self.now(), found)

    # What happens to them.

    def away(self, own: Own, by: int) -> None:
        """It has one more reason, or one fewer, to be out of reach."""
        own.away += by
        own.lost.note(self.now(), own.away > 0)

    def forget(self, own: Own) -> None:
        """Everything it held is gone."""
        own.starts += 1
        own.gateway = self._made(own.identity, own.devices, own.starts)
        own.forgot_us.append(self.now())
        self._note(own)

    def take_away(self, own: Own) -> None:
        """Somebody takes the calendars of all its lamps away, and says nothing."""
        own.gateway.network.assign(own.lamps, "", self.now())
        own.forgot_us.append(self.now())
        self._note(own)

    def set_clock(self, own: Own, ahead_us: int) -> None:
        """Its clock is ahead by so much from now on, beside its drift."""
        own.ahead_us = ahead_us + own.drift_us
        own.clock.note(self.now(), own.ahead_us)

    # What they say.

    async def attach(self, own: Own, link: Link) -> None:
        """It announces itself and all it has."""
        own.begins = False
        await self._say(own, link, [own.gateway.start()])

    async def report(self, own: Own, link: Link) -> None:
        """It reports what one of its lamps draws, by its own clock."""
        own.heard += 1
        at_us = self.now() + own.ahead_us
        watts = Attribute("AttributeFloat", 20.0 + own.heard % 40, rfc3339(at_us))
        own.gateway.network.observed(own.lamps[0][0], MONITOR, "activePower", watts, at_us)
        await asyncio.sleep(GATHERED_S)
        await self._say(own, link, own.gateway.tick(self.now() + own.ahead_us).requests)

    async def _say(self, own: Own, link: Link, requests: Sequence[Request]) -> None:
        waiting = list(requests)
        while waiting:
            request = waiting.pop(0)
            await asyncio.sleep(ANSWER_S)
            incoming = Incoming(request.method, request.target, dict(request.headers), request.body)
            answer = await link.heard(incoming)
            waiting += own.gateway.answered(request, answer, self.now() + own.ahead_us).requests
