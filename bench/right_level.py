"""Lighting: for how much of a year lamps are at the right level, with gateways lost and clocks wrong.

A year of the generated metropole passes between a real post (its programmes, `ProgrammeKeeping`, `Link`, `TalqDoor`,
`GatewayHealth`, its stores) and the real sessions of its gateways, over HTTP, on an event loop that skips the time in
which nobody does anything. What is right is what the programmes in force say for each lamp, by the true clock, from the
moment of their approval on; what is, is what the calendar that its gateway holds gives, by the gateway's own clock and
its own sun. Both are steps in time, held against each other to the microsecond.

Lamps that are out of order, and orders over the programmes, are another matter and left out. What a lamp does whose
gateway holds nothing for it is not known: it counts as wrong by night and by day.

How often things go wrong is in `bench.mishaps`.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from bench.gateways import Field, Line, Own, Sun, local
from bench.harness import ASKED, Measured, measurement
from bench.judging import Judge, Sums
from bench.mishaps import DOWN_US, REPORT_US, REPORTS_MAX, WATCHED_US, Event, What, changes, own_suns, policy, thrown
from bench.skipping import SkippingLoop
from vigie.api.talq.health import EVERY_S, GatewayHealth
from vigie.api.talq.keeping import LOOK_S, READ_EVERY_US, Keeps
from vigie.app import Installation, installation
from vigie.app.post import Post
from vigie.app.talq import programme_keeping, talq_door
from vigie.core.calendar import EPOCH_DAY, Calendar
from vigie.core.scope import Scope
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_us
from vigie.demo.processes import SEED, gateways_file
from vigie.demo.town import prepare
from vigie.engine.known import Frozen
from vigie.protocols.talq.messages import Device
from vigie.services.lighting.conditions import GATEWAY_CLOCK
from vigie.services.lighting.plans import PROGRAMME, layers_of, park_of
from vigie.services.lighting.programmes.model import Programme, Rank, Switching, Target
from vigie.services.lighting.programmes.nights import Nights
from vigie.settings import Settings
from vigie.sim.city import generate
from vigie.sim.city.facts import COMMUNES, METROPOLE, ZONE
from vigie.sim.talq.park import Park as Street
from vigie.sim.talq.switchboard import identities

YEAR = 2027
MUST = 99.9
BEFORE_US = 2 * DAY_US
"""So long before the year all gateways attach for the first time."""

DAY_BEGINS_H, DAY_ENDS_H = 8, 17


class YearClock:
    """A clock that goes as a loop's does, once it runs."""

    def __init__(self, at_us: int) -> None:
        self._at_us = at_us
        self._loop: tuple[SkippingLoop, float] | None = None

    def follow(self, loop: SkippingLoop) -> None:
        """From now on it goes."""
        self._loop = loop, loop.time()

    def now_us(self) -> int:
        """Microseconds since the epoch, UTC."""
        if self._loop is None:
            return self._at_us
        loop, from_s = self._loop
        return self._at_us + int((loop.time() - from_s) * SECOND_US)


class World:
    """A post and its gateways, and what becomes of them in a year."""

    def __init__(
        self,
        opened: Installation,
        clock: YearClock,
        decide: Callable[[str], Programme],
        programmes: Sequence[Programme],
    ) -> None:
        """decide: what a commune decides, by its area. programmes: in force from the beginning, beside what is."""
        self._clock, self._decide = clock, decide
        self._post = Post(opened)
        self._talq = talq_door(opened, self._post)
        for each in programmes:
            self._bring_into_force(each, "", 1)
        self.keeping = programme_keeping(opened, self._post, self._talq, self._post.calendar)
        self._health = GatewayHealth(self._talq, self._post.engine, clock)
        self.field = Field(clock.now_us, self.calendar.zone)
        self.park, self.in_force = park_of(self._known()), Line()
        self._note_layers()
        self._to_be_read: dict[str, int] = {}
        self._events: list[Event] = []
        self.happened: dict[What, int] = dict.fromkeys(What, 0)

    @property
    def calendar(self) -> Calendar:
        """The town's days."""
        return self._post.calendar()

    @property
    def now_us(self) -> int:
        """Until when it has lived."""
        return self._clock.now_us()

    def _known(self) -> Frozen:
        return Frozen.of(self._post.engine, self.calendar, Scope.everything(), self._clock.now_us())

    def _note_layers(self) -> None:
        """What is in force from now on; or a year has begun, with which there is other to be held."""
        self.in_force.note(self._clock.now_us(), layers_of(self._known()))

    async def live(self, events: Sequence[Event], until_us: int, town: Town) -> None:
        """Lives until an instant."""
        self._events = list(events)
        heapq.heapify(self._events)
        self._post.pump.start()
        async with self.field.asked_at() as port:
            who = identities("http://post.example", town.secrets, town.tokens, f"http://127.0.0.1:{port}")
            self.field.enter(who, town.devices, town.suns)
            for own in self.field.own.values():
                await self._attach(own)
            while self._events and self._events[0].at_us < until_us:
                event = heapq.heappop(self._events)
                await self._until(event.at_us)
                await self._happens(event)
            await self._until(until_us)
            await asyncio.gather(*(link.close() for link in self._talq.links.values()))
        await self._post.pump.stop()

    async def _until(self, at_us: int) -> None:
        """Time passes; the post looks after its gateways whenever there may be something to look for."""
        while True:
            now_us = self._clock.now_us()
            await asyncio.sleep(max(0.0, min(LOOK_S, (at_us - now_us) / SECOND_US)))
            await self.keeping.look()
            now_us = self._clock.now_us()
            for name, link in self._talq.links.items():
                self.field.note_wanted(link)
                if self.keeping.of[name].read_us > self._to_be_read.get(name, now_us):
                    del self._to_be_read[name]
            if now_us >= at_us:
                return
            next_us = self._next_us(at_us)
            if next_us > now_us + LOOK_S * SECOND_US:
                await asyncio.sleep((next_us - now_us) / SECOND_US)

    def _next_us(self, at_us: int) -> int:
        """When somebody is read next. Who holds what he was last read to hold would say the same each six hours: that
        is not asked."""
        found_us = at_us
        for name, keeping in self.keeping.of.items():
            if keeping.busy:
                return 0
            if keeping.stands is Keeps.IN_STEP and name not in self._to_be_read and keeping.due_us <= at_us:
                keeping.due_us += ((at_us - keeping.due_us) // READ_EVERY_US + 1) * READ_EVERY_US
            if self._talq.links[name].is_ready:
                found_us = min(found_us, keeping.due_us)
        return found_us

    async def _happens(self, event: Event) -> None:
        self.happened[event.what] += 1
        own = self.field.own.get(event.who)
        match event.what:
            case What.CHANGE:
                self._change(event.who)
            case What.LOOK:
                self._note_layers()
            case _:
                assert own is not None
                await self._befalls(own, event)

    async def _befalls(self, own: Own, event: Event) -> None:
        match event.what:
            case What.LOST:
                self.field.away(own, 1)
            case What.BACK:
                self.field.away(own, -1)
                await self._back(own)
            case What.RESTART | What.BLANK:
                if event.what is What.BLANK:
                    self.field.forget(own)
                own.begins = True
                self.field.away(own, 1)
                heapq.heappush(self._events, Event(event.at_us + DOWN_US, What.BACK, own.name))
            case What.ROBBED:
                self.field.take_away(own)
                self._to_be_read[own.name] = self._clock.now_us()
            case What.DRIFT:
                own.ahead_us, own.drift_us = own.ahead_us - own.drift_us, event.value
                self.field.set_clock(own, own.ahead_us)
            case What.WRONG if not (own.is_wrong and own.told):
                own.told, own.heard = False, 0
                own.watched_us = self._clock.now_us() + WATCHED_US
                self.field.set_clock(own, event.value)
                heapq.heappush(self._events, Event(event.at_us + REPORT_US, What.REPORT, own.name))
            case What.RIGHT:
                own.watched_us = self._clock.now_us() + WATCHED_US
                self.field.set_clock(own, 0)
                heapq.heappush(self._events, Event(event.at_us + REPORT_US, What.REPORT, own.name))
            case What.REPORT:
                await self._report(own)
            case _:
                pass

    async def _back(self, own: Own) -> None:
        if own.away:
            return
        if own.begins:
            await self._attach(own)
        else:
            await self.field.report(own, self._talq.links[own.name])

    async def _attach(self, own: Own) -> None:
        await self.field.attach(own, self._talq.links[own.name])
        self._to_be_read[own.name] = self._clock.now_us()

    async def _report(self, own: Own) -> None:
        """It reports, as long as its clock is of interest; the others do as they always do."""
        now_us = self._clock.now_us()
        if not own.away:
            await self.field.report(own, self._talq.links[own.name])
            await asyncio.sleep(EVERY_S)
            for name, link in self._talq.links.items():
                if not self.field.own[name].away:
                    link.heard_us = self._clock.now_us()
            self._health.look()
            await self._post.pump.settled()
        is_said = any(
            each.kind is GATEWAY_CLOCK and each.evidence["gateway"] == own.name for each in self._post.engine.conditions
        )
        if own.is_wrong and is_said and not own.told:
            own.told = True
            heapq.heappush(self._events, Event(self._mended_us(), What.RIGHT, own.name))
        is_awaited = (not own.told and own.heard < REPORTS_MAX) if own.is_wrong else is_said
        if is_awaited or now_us < own.watched_us:
            heapq.heappush(self._events, Event(now_us + REPORT_US, What.REPORT, own.name))

    def _mended_us(self) -> int:
        """A working day after now."""
        calendar = self.calendar
        at = local(self._clock.now_us(), calendar.zone)
        day = at.date() + timedelta(days=at.hour >= DAY_BEGINS_H)
        while day.weekday() >= 5 or (day - EPOCH_DAY).days in calendar.public:
            day += timedelta(days=1)
        return to_us(datetime(day.year, day.month, day.day, DAY_ENDS_H, tzinfo=calendar.zone))

    def _change(self, area: str) -> None:
        """A commune's own programme for all of its lamps comes into force, in place of the one before."""
        for plan in self._post.engine.plans:
            of_all = plan.kind is PROGRAMME and plan.shown.rank is Rank.AREA and plan.shown.target == Target()
            if of_all and plan.area == area:
                self._bring_into_force(self._decide(area), plan.id, plan.last + 1)
                break
        else:
            self._bring_into_force(self._decide(area), "", 1)
        self._note_layers()

    def _bring_into_force(self, body: Programme, plan: str, number: int) -> None:
        """Written by one and approved by another. plan: "" for a new one. number: of the version."""
        acts = self._post.acts
        if plan:
            acts.save_plan(plan, body, number=number - 1, revision=0, actor="manager", reason="")
        else:
            plan = acts.make_plan(PROGRAMME, body, actor="manager", reason="")
        acts.move_plan(plan, "approve", number=number, revision=1, actor="supervisor", reason="")


# The measurement.

PLAIN = Programme("La métropole, du crépuscule à l'aube", Rank.CLASS, METROPOLE, switching=Switching())
"""Under all others, so that a programme speaks for every lamp: what the post says nothing of it cannot get right."""


@dataclass(frozen=True)
class Town:
    """A town that lives. secrets, tokens: what its gateways show, and are shown. devices: of each. decide: what a
    commune decides, by its area. programmes: in force from the beginning, beside what is. suns: of gateways that have
    one of their own."""

    secrets: Mapping[str, str]
    tokens: Mapping[str, str]
    devices: Mapping[str, Sequence[Device]]
    decide: Callable[[str], Programme]
    programmes: Sequence[Programme]
    suns: Mapping[str, Sun] = field(default_factory=dict[str, Sun])


def lived(
    opened: Installation, clock: YearClock, town: Town, events: Sequence[Event], span: tuple[int, int]
) -> tuple[World, Sums]:
    """A town between two instants; its clock stands at the time when its gateways attach for the first time."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, SkippingLoop)
        clock.follow(loop)
        world = World(opened, clock, town.decide, town.programmes)
        zone = world.calendar.zone
        first, last = (local(each, zone).date() for each in span)
        years = [to_us(datetime(year, 1, 1, tzinfo=zone)) for year in range(first.year, last.year + 1)]
        begun = [Event(each, What.LOOK) for each in years if span[0] <= each < span[1]]
        runner.run(world.live([*begun, *events], span[1], town))
        days = np.arange((first - EPOCH_DAY).days - 2, (last - EPOCH_DAY).days + 3)
        judge = Judge(world.field, world.park, world.in_force, Nights(days, world.calendar), span)
        return world, judge.sums()


@measurement("lighting.right_level")
def right_level() -> Measured:
    """The share of lamp-minutes of a year at the right level."""
    city = generate(SEED, scenery=False)
    devices = Street.of(city).devices
    runs: list[float] = []
    told: list[str] = []
    areas = [f"{METROPOLE}/{each.slug}" for each in COMMUNES]
    first_us, after_us = (to_us(datetime(year, 1, 1, tzinfo=ZoneInfo(ZONE))) for year in (YEAR, YEAR + 1))
    span = (first_us, after_us)
    for seed in ASKED.seeds:
        rng = np.random.default_rng(seed)
        suns = dict(zip(sorted(devices), own_suns(rng, len(devices)), strict=True))
        events = [*thrown(rng, sorted(devices), *span), *changes(rng, areas, *span)]
        with (
            tempfile.TemporaryDirectory(prefix="vigie-bench-") as name,
            installation(Settings(data=Path(name))) as opened,
        ):
            clock = YearClock(span[0] - BEFORE_US)
            opened.clock = clock  # pyright: ignore[reportAttributeAccessIssue]
            asyncio.run(prepare(opened, iter((city, city)), lambda _: None))
            known = json.loads(gateways_file(Path(name)).read_text("utf-8"))
            secrets = {each: known["secrets"][each] for each in known["tokens"]}
            town = Town(secrets, known["tokens"], devices, partial(policy, rng), (PLAIN,), suns)
            world, sums = lived(opened, clock, town, events, span)
        runs.append(sums.right)
        told += [f"seed {seed}: {line}" for line in said(world, sums)]
    size = (
        f"{len(city.lighting.cabinet):,} lamps, {len(devices)} gateways over HTTP, the year {YEAR}; programmes of the "
        f"demo, one under them for all, and one changed each month; seeds {', '.join(map(str, ASKED.seeds))}"
    )
    return Measured("lighting.right_level", "%", runs, MUST, True, size, "1", told=told)


def said(world: World, sums: Sums) -> list[str]:
    """What else is to be read of a year."""
    total = sum(sums.wrong_us.values())
    night_s = total / sums.lamp_us * DAY_US / SECOND_US
    causes = ", ".join(
        f"{cause} {us / sums.lamp_us:.4%}" for cause, us in sorted(sums.wrong_us.items(), key=lambda each: -each[1])
    )
    worst = min(sums.of, key=lambda name: sums.of[name])
    name = max(sums.nights, key=lambda name: int(sums.nights[name].max()))
    lasting_min = int(sums.nights[name].max()) / MINUTE_US
    own = world.field.own.values()
    lost_h = sum(_lost_us(each, world.now_us) for each in own) / HOUR_US
    untold = sum(each.is_wrong and not each.told for each in own)
    counts = ", ".join(f"{count} {what}" for what, count in world.happened.items() if count)
    steps = sorted({each.step_min for each in world.keeping.of.values()})
    return [
        f"{sums.right:.4f} % right; {night_s:.1f} s a lamp and night are not: {causes}",
        f"worst gateway {worst} with {sums.of[worst]:.3f} %; worst lamp-night {lasting_min:.0f} min at {name}",
        f"{counts}; out of reach for {lost_h / len(own):.1f} h a gateway; {untold} clocks wrong and untold at the end; "
        f"nights rounded to {', '.join(map(str, steps))} min; {world.field.asked:,} requests answered by gateways",
    ]


def _lost_us(own: Own, until_us: int) -> int:
    spans = zip(own.lost.at_us, [*own.lost.at_us[1:], until_us], own.lost.what, strict=True)
    return sum(end_us - start_us for start_us, end_us, lost in spans if lost)
