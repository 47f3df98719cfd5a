"""Steering over RSMP: what sites tell each second goes into `Steering`, what comes out goes to their inputs.

A step is taken when all junctions that tell their seconds have told one since the last, or a while after it: so it is
taken once a second, as soon as it can be, and nobody who is silent is waited for. Its work is done beside the loop.
Which junctions are to be steered is on disk before an order is accepted, and holds after a restart.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import structlog

from vigie.api.rsmp.door import RsmpDoor, Site
from vigie.api.rsmp.telling import SECONDS, colours_of
from vigie.api.signals.documents import sites_of
from vigie.core.service import Clear, Raise, Refusal
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.engine.loop import Engine
from vigie.engine.ports import Clock
from vigie.protocols.rsmp import CannotAsk, Quality, Way
from vigie.protocols.rsmp.events import StatusTold
from vigie.protocols.rsmp.inputs import INPUT_MAX, written
from vigie.protocols.rsmp.times import instant
from vigie.services.signals import NO_DOCUMENT, NO_STAGE_INPUTS, SIGNALS_UNSAFE
from vigie.services.signals.control.site import Site as Document
from vigie.services.signals.control.steering import Asking, Because, Heard, Steered, Steering, Told, Why, counts_of
from vigie.services.signals.safety import Rule, Violation

LATE_S = 1.2
"""So long after a step the next is taken, whoever has not told a second by then."""

SECONDS_MAX = 60
"""Seconds of a junction that may wait for a step; above, the oldest are missed."""

NAMED_EVERY_US = MINUTE_US
"""How often refused wishes of one junction are told; all of them are counted."""

_GROUPS, _START = ("S0001", "signalgroupstatus"), ("S0205", "start")
_VEHICLES, _OCCUPANCY = ("S0205", "vehicles"), ("S0207", "occupancy")
_HEARD = frozenset({_GROUPS, *SECONDS})

_log = structlog.get_logger("vigie.rsmp.steering")


@dataclass(frozen=True, slots=True)
class Memory:
    """Where it is kept which junctions were ordered to be steered. write: returns when it is on disk; raises
    StorageFull and OSError."""

    read: Callable[[], str | None]
    write: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Deciding:
    """Who decides at a junction. ordered: whether somebody has ordered that the post does. since_us: when `because`
    began. document: by which it is steered. refused: how many wishes its kernel refused, by rule."""

    because: Because
    ordered: bool
    since_us: int | None = None
    document: Document | None = None
    why: Why | None = None
    violations: tuple[Violation, ...] = ()
    refused: Mapping[Rule, int] = field(default_factory=dict[Rule, int])

    @property
    def is_steered(self) -> bool:
        """Whether the post does."""
        return self.because is Because.ORDERED


def nobody_steers(name: str) -> Deciding:
    """Who decides at a junction where the post steers none."""
    return Deciding(Because.UNORDERED, False)


@dataclass(slots=True)
class _Second:
    groups: str
    vehicles: str
    occupancies: str
    missed: bool


@dataclass(slots=True)
class _Ear:
    """What a site has told. start_us: when its last second began, by its own clock. on: the inputs that were
    set one by one."""

    said: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    start_us: int = 0
    seconds: list[_Second] = field(default_factory=list[_Second])
    on: frozenset[int] = frozenset()


class RsmpSteering:
    """Steers junctions whose sites have inputs for stages. Lives on one event loop.

    steps: how many were taken. asked, refused: how often a stage was asked for, and kept from it by a kernel.
    """

    def __init__(
        self, door: RsmpDoor, engine: Engine, clock: Clock, memory: Memory, asset_of: Callable[[int], str]
    ) -> None:
        """asset_of: see `vigie.api.rsmp.door.Means`."""
        self._door, self._engine, self._clock, self._memory, self._asset_of = door, engine, clock, memory, asset_of
        self._steering = Steering()
        self._ordered: set[str] = set(msgspec.json.decode(memory.read() or "[]", type=list[str]))
        self._documents: Mapping[str, Document] = {}
        self._read_at = -1
        self._known: tuple[int, ...] = ()
        self._sites: dict[str, Site] = {}
        self._ears: dict[str, _Ear] = {}
        self._taken: set[str] = set()
        self._awaited: frozenset[str] = frozenset()
        self._told: set[str] = set()
        self._deciding: dict[str, Deciding] = {}
        self._named: dict[str, tuple[int, int]] = {}
        self._orders = self.steps = self.asked = self.refused = 0
        self._due, self._writing = asyncio.Event(), asyncio.Lock()
        door.on_told, door.stages_of = self._hear, self._stages

    # What people want.

    async def take(self, site: Site, asset: int) -> Refusal | None:
        """A person orders that a junction be steered; why it cannot be. Returns when that is on disk. Raises
        StorageFull and OSError."""
        name = self._engine.registry.ids[asset]
        if not site.enrolment.stage_inputs:
            return NO_STAGE_INPUTS
        if name not in self._in_force():
            return NO_DOCUMENT
        await self._remember(name, ordered=True)
        self._taken.add(name)
        now_us = self._clock.now_us()
        cleared = [Clear(SIGNALS_UNSAFE, asset, now_us)]
        self._engine.apply(cleared, self._engine.next_ingest, f"rsmp.steering.taken.{asset}.{now_us}", now_us)
        return None

    async def let_go(self, asset: int) -> None:
        """A person orders that a junction be not steered, or something else of it. Returns when that is on disk. Raises
        StorageFull and OSError."""
        name = self._engine.registry.ids[asset]
        if name not in self._ordered:
            return
        await self._remember(name, ordered=False)
        if name in self._sites:
            self._ask(Asking(name, None))

    def deciding(self, name: str) -> Deciding:
        """Who decides at a junction now."""
        if name not in self._ordered:
            return nobody_steers(name)
        return self._deciding.get(name, Deciding(Because.LINK if name in self._in_force() else Because.UNFIT, True))

    @property
    def counts(self) -> Mapping[Because, int]:
        """Of the junctions that are to be steered, how many are, or why not."""
        return Counter(self.deciding(name).because for name in self._ordered)

    # What runs.

    async def run(self) -> None:
        """Steers until it is cancelled."""
        while True:
            try:
                async with asyncio.timeout(LATE_S):
                    await self._due.wait()
            except TimeoutError:
                pass
            self._due.clear()
            try:
                await self.step()
            except Exception:
                # Their plans go on meanwhile, by themselves.
                _log.exception("a fault in steering, which begins anew")
                self._steering, self._known = Steering(), ()
                await asyncio.sleep(LATE_S)

    async def step(self) -> None:
        """One second on."""
        self._look()
        if not self._steering.junctions:
            return
        for name in self._taken:
            self._steering.take(name)
        self._taken.clear()
        held, numbers = self._engine.consignations.held, self._engine.registry.numbers
        told = {
            name: self._told_of(name, steered, locked_out=bool(held[numbers[name]]))
            for name, steered in self._steering.junctions.items()
        }
        self._told.clear()
        asking = await asyncio.to_thread(self._steering.step, told)
        self.steps += 1
        self.asked += sum(each.stage is not None for each in asking)
        steered = self._steering.junctions.values()
        self.refused += sum(each.why is not None and each.why.refused is not None for each in steered)
        for each in asking:
            # Somebody may have ordered otherwise meanwhile.
            if each.junction in self._ordered:
                self._ask(each)
        self._awaited = frozenset(
            self._sites[name].name for name, each in self._steering.junctions.items() if each.is_awaited
        )
        self._note()

    def _in_force(self) -> Mapping[str, Document]:
        """The documents that are."""
        edition = self._engine.plans.edition
        if edition != self._read_at:
            self._read_at, self._documents = edition, sites_of(self._engine)
        return self._documents

    def _look(self) -> None:
        """What is to be steered now: what was ordered, has a document in force, and speaks through inputs."""
        documents = self._in_force()
        known = (self._read_at, self._engine.registry.version, self._door.edition, self._orders)
        if known == self._known:
            return
        self._known = known
        before = self._sites
        sites = {self._asset_of(each.number): each for each in self._door.sites.values()}
        self._sites = {name: site for name, site in sites.items() if name in self._ordered and self._may(name, site)}
        self._steering.keep({name: documents[name] for name in sorted(self._sites)}, self._unsafe())
        self._deciding = {name: each for name, each in self._deciding.items() if name in self._sites}
        for name, site in before.items():
            if self._sites.get(name) is not site and self._door.sites.get(site.name) is site:
                self._door.count(site, False)
        for name, site in self._sites.items():
            if before.get(name) is not site:
                self._ears[site.name] = ear = self._ears.get(site.name, _Ear())
                ear.seconds.clear()
                self._door.count(site, True)
        self._awaited &= {site.name for site in self._sites.values()}

    def _unsafe(self) -> frozenset[str]:
        """Of the junctions that are to be steered, those that an alarm says were unsafe."""
        numbers = {self._engine.registry.numbers[name]: name for name in self._sites}
        found = self._engine.is_open(SIGNALS_UNSAFE, np.array(list(numbers), np.int64))
        return frozenset(name for name, is_open in zip(numbers.values(), found, strict=True) if is_open)

    def _may(self, name: str, site: Site) -> bool:
        document, first = self._documents.get(name), site.enrolment.stage_inputs
        return document is not None and 0 < first <= INPUT_MAX + 1 - len(document.junction.stages)

    def _stages(self, name: str) -> int:
        document = self._in_force().get(name)
        return len(document.junction.stages) if document is not None else 0

    async def _remember(self, name: str, *, ordered: bool) -> None:
        # Orders to many junctions come side by side, and all of them are in what is kept.
        async with self._writing:
            after = self._ordered | {name} if ordered else self._ordered - {name}
            await self._memory.write(msgspec.json.encode(sorted(after)).decode())
            self._ordered = after
        self._orders += 1

    # What sites tell.

    def _hear(self, site: Site, told: StatusTold) -> None:
        if not site.enrolment.stage_inputs or told.component != site.component:
            return
        ear = self._ears.setdefault(site.name, _Ear())
        start = ""
        for each in told.values:
            key = each.code, each.name
            if key not in _HEARD:
                continue
            if isinstance(each.value, str):
                # What was kept through a loss is how groups stand until something newer comes; and no second of now.
                ear.said[key] = each.value
                start = each.value if key == _START and each.quality is not Quality.OLD else start
            else:
                ear.said.pop(key, None)
        if start:
            self._second(site, ear, instant(start))

    def _second(self, site: Site, ear: _Ear, start_us: int) -> None:
        """A site has told a second, the last of whose values is when it began."""
        gap_s = round((start_us - ear.start_us) / SECOND_US)
        if gap_s == 0:
            return
        ear.start_us = start_us
        said = [ear.said.get(key, "") for key in (_GROUPS, _VEHICLES, _OCCUPANCY)]
        ear.seconds.append(_Second(said[0], said[1], said[2], gap_s != 1))
        if len(ear.seconds) > SECONDS_MAX:
            del ear.seconds[0]
            ear.seconds[0].missed = True
        self._told.add(site.name)
        if self._awaited <= self._told:
            self._due.set()

    def _told_of(self, name: str, steered: Steered, *, locked_out: bool) -> Told:
        site = self._sites[name]
        ear = self._ears[site.name]
        seconds, ear.seconds = ear.seconds, []
        linked = self._door.is_linked(site)
        if not linked:
            # What it shows when it is back it says then.
            ear.said.clear()
        heard = [
            Heard(
                colours_of(each.groups),
                counts_of(steered.site, _numbers(each.vehicles), _numbers(each.occupancies)),
                each.missed,
            )
            for each in seconds
        ]
        return Told(linked, heard, locked_out)

    # What is asked of them.

    def _ask(self, asking: Asking) -> None:
        site, document = self._sites[asking.junction], self._documents.get(asking.junction)
        if document is None or not self._door.is_linked(site):
            return
        first = site.enrolment.stage_inputs
        inputs = frozenset(range(first, first + len(document.junction.stages)))
        on = frozenset[int]() if asking.stage is None else frozenset({first + asking.stage})
        ways = self._door.acts(site)
        if Way.INPUTS in ways:
            self._order(site, "M0013", status=written(on, inputs - on))
        elif Way.INPUT in ways:
            ear = self._ears[site.name]
            # The new one first: between the two a controller would go back to its plan.
            for each in on:
                self._order(site, "M0006", status="True", input=str(each))
            for each in ear.on - on:
                self._order(site, "M0006", status="False", input=str(each))
            ear.on = on

    def _order(self, site: Site, code: str, **values: str) -> None:
        try:
            self._door.ask(site, lambda link, at: link.order(site.component, {code: values}, at))
        except CannotAsk as error:
            # What is not asked is asked again in a few seconds, and forgotten at the roadside meanwhile.
            _log.warning("not asked", site=site.name, order=code, reason=str(error))

    # What is told of it.

    def _note(self) -> None:
        now_us, effects = self._clock.now_us(), list[Raise]()
        for name, steered in self._steering.junctions.items():
            before = self._deciding.get(name)
            since_us = before.since_us if before is not None and before.because is steered.because else now_us
            self._deciding[name] = Deciding(
                steered.because, True, since_us, steered.site, steered.why, steered.violations, dict(steered.refused)
            )
            if since_us == now_us:
                _log.info("who decides", junction=name, because=steered.because.value)
                if steered.violations:
                    number = self._engine.registry.numbers[name]
                    effects.append(Raise(SIGNALS_UNSAFE, number, now_us, _evidence(steered)))
            self._name(name, steered, now_us)
        if effects:
            self._engine.apply(effects, self._engine.next_ingest, f"rsmp.steering.unsafe.{now_us}", now_us)

    def _name(self, name: str, steered: Steered, now_us: int) -> None:
        """Tells that wishes were refused, now and then."""
        count = steered.refused.total()
        told, told_us = self._named.get(name, (0, 0))
        if count > told and now_us - told_us >= NAMED_EVERY_US:
            self._named[name] = count, now_us
            rules = {rule.value: times for rule, times in steered.refused.items()}
            _log.info("wishes were refused", junction=name, times=count, **rules)


def _evidence(steered: Steered) -> dict[str, float | str]:
    """What was seen, of the first rule that was broken."""
    first = steered.violations[0]
    groups = ", ".join(steered.site.junction.groups[group].name for group in first.groups)
    return {"rule": first.rule.value, "groups": groups, "is_s": first.is_s, "limit_s": first.limit_s}


def _numbers(said: str) -> Sequence[int]:
    """A list of the site's; what is no number stands for nothing that is known."""
    return [int(each) if each.lstrip("-").isdecimal() else -1 for each in said.split(",")] if said else ()
