"""Steering over RSMP: what sites tell each second goes into `Steering`, what comes out goes to their inputs.

A step is taken when all junctions that tell their seconds have told one since the last, or a while after it: so it is
taken once a second, as soon as it can be, and nobody who is silent is waited for. Its work, and the making of what
decides, are done beside the loop.
Which junctions are to be steered is on disk before an order is accepted, and holds after a restart.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
import structlog

from vigie.api.rsmp.counting import Counted, Tally
from vigie.api.rsmp.door import RsmpDoor, Site
from vigie.api.rsmp.flows import HEARD_S_MIN, flows_counted
from vigie.api.rsmp.hearing import Ear, counted
from vigie.api.rsmp.priority import CLAIMED, SERVED, Going, RsmpPriority
from vigie.api.rsmp.telling import colours_of
from vigie.api.signals.documents import sites_of
from vigie.core.service import Clear, Raise, Refusal
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.engine.loop import Engine
from vigie.engine.ports import Clock
from vigie.protocols.rsmp import CannotAsk, Way
from vigie.protocols.rsmp.events import StatusTold
from vigie.protocols.rsmp.inputs import INPUT_MAX, written
from vigie.services.signals import NO_DOCUMENT, NO_STAGE_INPUTS, SIGNALS_UNSAFE, UNFIT_DOCUMENT
from vigie.services.signals.control.site import Site as Document
from vigie.services.signals.control.steering import (
    Asking,
    Because,
    Heard,
    Steered,
    Steering,
    Told,
    Why,
    counts_of,
    logics_of,
)
from vigie.services.signals.priority.passages import Passage
from vigie.services.signals.safety import Kernel, Rule, Unfit, Violation

LATE_S = 1.2
"""So long after a step the next is taken, whoever has not told a second by then."""

EARLY_S = 0.8
"""No step is taken sooner after the last one, however fast sites tell seconds."""

NAMED_EVERY_US = MINUTE_US
"""How often it is told of one junction who decides, and that wishes were refused; all of them are counted."""

_log = structlog.get_logger("vigie.rsmp.steering")


@dataclass(frozen=True, slots=True)
class Memory:
    """Where it is kept which junctions were ordered to be steered, and when. write: returns when it is on disk; raises
    StorageFull and OSError."""

    read: Callable[[], str | None]
    write: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Deciding:
    """Who decides at a junction. ordered: whether somebody has ordered that the post does. since_us: when `because`
    began. document: by which it is steered. refused: how many wishes its kernel refused, by rule. going: who comes
    with a right to go first. counted: what its detectors have told, in the document's order; none where none has."""

    because: Because
    ordered: bool
    since_us: int | None = None
    document: Document | None = None
    why: Why | None = None
    violations: tuple[Violation, ...] = ()
    refused: Mapping[Rule, int] = field(default_factory=dict[Rule, int])
    going: tuple[Going, ...] = ()
    counted: Sequence[Counted] = ()

    @property
    def is_steered(self) -> bool:
        """Whether the post does."""
        return self.because is Because.ORDERED

    @property
    def gives_way(self) -> bool:
        """Whether what is asked of it now lets somebody go first."""
        return any(self.lets(each) for each in self.going)

    def lets(self, going: Going) -> bool:
        """Whether what is asked of it now lets this one go first."""
        if going.state != CLAIMED or not self.is_steered:
            return going.state == SERVED
        if self.document is None or self.why is None or self.why.asked is None:
            return False
        return not self.document.junction.stages[self.why.asked].greens.isdisjoint(going.passage.groups)

    @property
    def fallen(self) -> str | None:
        """Why the post leaves it to its plan though somebody has ordered it not to; None where that is not so, or the
        post is about to take it."""
        return self.because.value if self.ordered and not self.is_steered and self.because not in _SOON else None


_SOON = frozenset({Because.STARTING, Because.SETTLING})


def nobody_steers(name: str) -> Deciding:
    """Who decides at a junction where the post steers none."""
    return Deciding(Because.UNORDERED, False)


class RsmpSteering:
    """Steers junctions whose sites have inputs for stages. Lives on one event loop.

    steps: how many were taken. asked, refused: how often a stage was asked for, and kept from it by a kernel.
    priority: who goes first, there and at junctions under their own plans.
    """

    def __init__(
        self, door: RsmpDoor, engine: Engine, clock: Clock, memory: Memory, asset_of: Callable[[int], str]
    ) -> None:
        """asset_of: see `vigie.api.rsmp.door.Means`."""
        self._door, self._engine, self._clock, self._memory, self._asset_of = door, engine, clock, memory, asset_of
        self.priority = RsmpPriority(door, engine, clock, asset_of)
        self._steering = Steering()
        self._ordered = _remembered(memory.read())
        self._documents: Mapping[str, Document] = {}
        self._read_at = -1
        self._known: tuple[int, ...] = ()
        self._sites: dict[str, Site] = {}
        self._ears: dict[str, Ear] = {}
        self._counting: dict[str, Site] = {}
        self._taken: set[str] = set()
        self._awaited: frozenset[str] = frozenset()
        self._told: set[str] = set()
        self._deciding: dict[str, Deciding] = {}
        self._tallies: dict[str, Tally] = {}
        self._named: dict[str, tuple[int, int]] = {}
        self._flowed: dict[str, int] = {}
        self._logged: dict[str, tuple[Because, int]] = {}
        self._orders = self.steps = self.asked = self.refused = self._faulted_us = 0
        self._due, self._writing = asyncio.Event(), asyncio.Lock()
        door.on_told, door.on_settled, door.stages_of = self._hear, self.priority.settled, self._stages

    # What people want.

    async def take(self, site: Site, asset: int, ordered_us: int) -> Refusal | None:
        """A person orders that a junction be steered; why it cannot be. Returns when that is on disk. Raises
        StorageFull and OSError."""
        name = self._engine.registry.ids[asset]
        refusal = self._refusal(name, site)
        if refusal is not None:
            return refusal
        if not _is_fit(self._documents[name]):
            return UNFIT_DOCUMENT
        await self._remember(name, ordered_us)
        self._taken.add(name)
        now_us = self._clock.now_us()
        cleared = [Clear(SIGNALS_UNSAFE, asset, now_us)]
        self._engine.apply(cleared, self._engine.next_ingest, f"rsmp.steering.taken.{asset}.{now_us}", now_us)
        return None

    async def let_go(self, asset: int, ordered_us: int) -> None:
        """A person orders that a junction be not steered, or something else of it; unless that was before somebody
        ordered that it be. Returns when that is on disk. Raises StorageFull and OSError."""
        name = self._engine.registry.ids[asset]
        if name not in self._ordered or ordered_us < self._ordered[name]:
            return
        await self._remember(name, None)
        if name in self._sites:
            self._ask(Asking(name, None))

    def deciding(self, name: str) -> Deciding:
        """Who decides at a junction now."""
        going = self.priority.going(name)
        if name not in self._ordered:
            return replace(nobody_steers(name), going=going)
        now, tally = self._deciding.get(name) or Deciding(self._lacks(name), True), self._tallies.get(name)
        return replace(now, going=going, counted=tuple(tally.counted()) if tally is not None else ())

    @property
    def counts(self) -> Mapping[Because, int]:
        """Of the junctions that are to be steered, how many are, or why not."""
        return Counter(self.deciding(name).because for name in self._ordered)

    @property
    def unfit_claims(self) -> int:
        """See `Steering`."""
        return self._steering.unfit_claims

    # What runs.

    async def run(self) -> None:
        """Steers until it is cancelled."""
        loop, began_s = asyncio.get_running_loop(), 0.0
        while True:
            try:
                async with asyncio.timeout(LATE_S):
                    await self._due.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(began_s + EARLY_S - loop.time())
            began_s = loop.time()
            self._due.clear()
            try:
                await self.step()
            except Exception:
                # Their plans go on meanwhile, by themselves.
                _log.exception("a fault in steering, which begins anew")
                self._steering, self._known, self._deciding = Steering(), (), {}
                await asyncio.sleep(LATE_S)

    async def step(self) -> None:
        """One second on."""
        # Another edition may come into force while this step is taken, which then goes on by its own.
        documents, edition = self._in_force(), self._read_at
        await self._look(documents)
        steered = frozenset(name for name, each in self._steering.junctions.items() if each.is_steered)
        passages = self._first(documents, edition, steered)
        if not self._steering.junctions:
            return
        for name in self._taken:
            self._steering.take(name)
        self._taken.clear()
        told = {name: self._told_of(name, steered) for name, steered in self._steering.junctions.items()}
        self._told.clear()
        asking = await asyncio.to_thread(self._steering.step, told, passages)
        self.steps += 1
        junctions = self._steering.junctions.values()
        self.refused += sum(each.why is not None and each.why.refused is not None for each in junctions)
        for each in asking:
            # Somebody may have ordered otherwise meanwhile.
            if each.junction in self._ordered:
                self._ask(each)
        self._awaited = frozenset(
            self._sites[name].name for name, each in self._steering.junctions.items() if each.is_awaited
        )
        self._note()

    def _first(self, documents: Mapping[str, Document], edition: int, steered: frozenset[str]) -> Sequence[Passage]:
        """Who goes first now. A fault there costs nobody anything else: nobody goes first, and what was asked is taken
        back."""
        try:
            self.priority.keep(documents, edition)
            passages = self.priority.see(steered)
            self.priority.ask(self._bars)
        except Exception:
            if self._clock.now_us() - self._faulted_us >= NAMED_EVERY_US:
                self._faulted_us = self._clock.now_us()
                _log.exception("a fault in who goes first")
        else:
            return passages
        try:
            self.priority.forget()
        except Exception:
            # What was asked runs out by itself.
            _log.exception("a fault in taking back what was asked")
        return ()

    def _in_force(self) -> Mapping[str, Document]:
        """The documents that are."""
        edition = self._engine.plans.edition
        if edition != self._read_at:
            self._read_at, self._documents = edition, sites_of(self._engine)
        return self._documents

    async def _look(self, documents: Mapping[str, Document]) -> None:
        """What is to be steered now: what was ordered, has a document in force, and speaks through inputs."""
        known = (self._read_at, self._engine.registry.version, self._door.edition, self._orders)
        if known == self._known:
            return
        self._known = known
        before = self._sites
        sites = {self._asset_of(each.number): each for each in self._door.sites.values()}
        may = {name: each for name, each in sites.items() if name in self._ordered and not self._refusal(name, each)}
        for name in (before.keys() - may.keys()) & self._ordered.keys():
            # Its document is none any more: a controller whose inputs stay as they are set would stay in its stage.
            self._ask(Asking(name, None))
        self._sites = may
        self._deciding = {name: each for name, each in self._deciding.items() if name in may}
        self._tallies = {name: each for name, each in self._tallies.items() if name in may}
        self._flowed = {name: each for name, each in self._flowed.items() if name in may}
        for name, site in before.items():
            if may.get(name) is not site and self._door.sites.get(site.name) is site:
                self._door.count(site, False)
        self._ears = {name: ear for name, ear in self._ears.items() if name in self._door.sites}
        for name, site in may.items():
            if before.get(name) is not site:
                self._ears.setdefault(site.name, Ear())
                self._door.count(site, True)
        self._counting = {site.name: site for site in may.values()}
        self._awaited &= self._counting.keys()
        wanted = {name: documents[name] for name in sorted(may)}
        await asyncio.to_thread(self._steering.keep, wanted, self._unsafe(may))

    def _unsafe(self, names: Iterable[str]) -> frozenset[str]:
        """Of these junctions, those that an alarm says were unsafe."""
        numbers = {self._engine.registry.numbers[name]: name for name in names}
        found = self._engine.is_open(SIGNALS_UNSAFE, np.array(list(numbers), np.int64))
        return frozenset(name for name, is_open in zip(numbers.values(), found, strict=True) if is_open)

    def _refusal(self, name: str, site: Site) -> Refusal | None:
        """Why a junction cannot be steered through its site."""
        document, first = self._in_force().get(name), site.enrolment.stage_inputs
        if not first:
            return NO_STAGE_INPUTS
        if document is None:
            return NO_DOCUMENT
        return NO_STAGE_INPUTS if first + len(document.junction.stages) > INPUT_MAX + 1 else None

    def _lacks(self, name: str) -> Because:
        """Why a junction that is to be steered is not looked at."""
        if name not in self._in_force():
            return Because.UNFIT
        return Because.STARTING if name in self._sites or not self._known else Because.NO_INPUTS

    def _stages(self, name: str) -> int:
        document = self._in_force().get(name)
        return len(document.junction.stages) if document is not None else 0

    async def _remember(self, name: str, ordered_us: int | None) -> None:
        # Orders to many junctions come side by side, and all of them are in what is kept.
        async with self._writing:
            after = {each: at_us for each, at_us in self._ordered.items() if each != name}
            if ordered_us is not None:
                after[name] = ordered_us
            await self._memory.write(msgspec.json.encode(after, order="sorted").decode())
            self._ordered = after
        self._orders += 1

    # What sites tell.

    def _hear(self, site: Site, told: StatusTold) -> None:
        self.priority.hear(site, told)
        if not site.enrolment.stage_inputs or told.component != site.component:
            return
        ear = self._ears.setdefault(site.name, Ear())
        if not ear.hear(told):
            return
        if self._counting.get(site.name) is not site:
            # Of one that is not steered is known how it stands, and no second.
            ear.seconds.clear()
            return
        self._told.add(site.name)
        if self._awaited <= self._told:
            self._due.set()

    def _told_of(self, name: str, steered: Steered) -> Told:
        site = self._sites[name]
        ear, first = self._ears[site.name], site.enrolment.stage_inputs
        linked, seconds = self._door.is_linked(site), ear.drain()
        if not linked:
            ear.lose()
        there_us = self._clock.now_us() + site.ahead_us
        if name not in self._tallies or self._tallies[name].site != steered.site:
            self._tallies[name] = Tally(steered.site)
        logics = logics_of(steered.site)
        faulty = frozenset(logics[n - 1] for n in site.telling.faulty_logics if 0 < n <= len(logics))
        self._tallies[name].faulty = faulty
        heard: list[Heard] = []
        for each in seconds:
            occupancies = counted(each.occupancies)
            counts = counts_of(steered.site, counted(each.vehicles), occupancies, each.logics, faulty)
            self._tallies[name].add(each.start_us - site.ahead_us, counts, occupancies)
            age_s = (there_us - each.start_us) / SECOND_US
            heard.append(Heard(colours_of(each.groups), counts, each.missed, age_s))
        self._tell_flows(name, site, logics)
        stages = range(len(steered.site.junction.stages))
        standing = None if ear.inputs is None else frozenset(n for n in stages if n + first in ear.inputs)
        return Told(linked, heard, self._is_held(name), standing)

    def _tell_flows(self, name: str, site: Site, logics: Sequence[int]) -> None:
        """Of each minute that was heard, what those of its detectors counted that are detectors of the inventory."""
        tally = self._tallies[name]
        last_us = tally.last_us
        if not site.detectors or last_us is None or last_us - self._flowed.get(name, 0) < MINUTE_US:
            return
        if tally.heard_s >= HEARD_S_MIN:
            self._flowed[name] = last_us
            told, at_us = tuple(tally.counted()), last_us + SECOND_US + site.ahead_us
            self._door.keep_flows(
                site, list(flows_counted([told[at] for at in logics], tally.heard_s, at_us, site.detectors))
            )

    def _is_held(self, name: str) -> bool:
        """Whether a lock-out holds a junction."""
        return bool(self._engine.consignations.held[self._engine.registry.numbers[name]])

    def _bars(self, name: str) -> bool:
        """Whether no priority may be asked of a junction: a crew holds it, or it was unsafe."""
        return self._is_held(name) or bool(self._unsafe([name]))

    # What is asked of them.

    def _ask(self, asking: Asking) -> None:
        """Asks a junction for a stage, or for none: unless somebody works there by now, or it is away."""
        name = asking.junction
        site, steered = self._sites[name], self._steering.junctions.get(name)
        if steered is None or self._is_held(name) or self._door.sites.get(site.name) is not site:
            return
        if not self._door.is_linked(site):
            return
        first = site.enrolment.stage_inputs
        inputs = frozenset(range(first, first + len(steered.site.junction.stages)))
        on = frozenset[int]() if asking.stage is None else frozenset({first + asking.stage})
        ways = self._door.acts(site)
        if Way.INPUTS in ways:
            sent = self._order(site, "M0013", status=written(on, inputs - on))
        elif Way.INPUT in ways:
            sent = self._ask_each(site, inputs, on)
        else:
            sent = False
        self.asked += sent and asking.stage is not None

    def _ask_each(self, site: Site, inputs: frozenset[int], on: frozenset[int]) -> bool:
        """The same, input by input; whether what is wanted was asked. All others that are active, or may be, are
        unset: each time anew, since two at once ask for nothing."""
        ear = self._ears[site.name]
        # The new one first: between the two a controller would go back to its plan.
        if not all(self._order(site, "M0006", status="True", input=str(each)) for each in on):
            return False
        others = ((inputs if ear.inputs is None else ear.inputs & inputs) | ear.on) - on
        unset = {each for each in sorted(others) if self._order(site, "M0006", status="False", input=str(each))}
        ear.on = (ear.on | on) - unset
        return True

    def _order(self, site: Site, code: str, **values: str) -> bool:
        """Whether it was sent."""
        try:
            self._door.ask(site, lambda link, at: link.order(site.component, {code: values}, at))
        except CannotAsk as error:
            # What is not asked is asked again in a few seconds, and forgotten at the roadside meanwhile.
            _log.warning("not asked", site=site.name, order=code, reason=str(error))
            return False
        return True

    # What is told of it.

    def _note(self) -> None:
        now_us = self._clock.now_us()
        for name, steered in self._steering.junctions.items():
            before = self._deciding.get(name)
            since_us = before.since_us if before is not None and before.because is steered.because else now_us
            self._deciding[name] = Deciding(
                steered.because, True, since_us, steered.site, steered.why, steered.violations, dict(steered.refused)
            )
            told, told_us = self._logged.get(name, (None, 0))
            if steered.because is not told and now_us - told_us >= NAMED_EVERY_US:
                self._logged[name] = steered.because, now_us
                _log.info("who decides", junction=name, because=steered.because.value)
            self._name(name, steered, now_us)
        self._warn(now_us)

    def _warn(self, now_us: int) -> None:
        """Raises an alarm of each junction that is unsafe and has none, but for those that somebody has just taken."""
        unsafe = {name: each for name, each in self._steering.junctions.items() if each.violations}
        if not unsafe:
            return
        untold = unsafe.keys() - self._unsafe(unsafe) - self._taken
        numbers = self._engine.registry.numbers
        effects = [Raise(SIGNALS_UNSAFE, numbers[name], now_us, _evidence(unsafe[name])) for name in sorted(untold)]
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


def _is_fit(document: Document) -> bool:
    """Whether there can be a kernel of it."""
    try:
        Kernel(document.junction)
    except Unfit:
        return False
    return True


def _remembered(kept: str | None) -> dict[str, int]:
    """When each junction was ordered to be steered; of one that was kept as a name alone, long ago."""
    said: dict[str, int] | list[str] = msgspec.json.decode(kept or "{}", type=dict[str, int] | list[str])
    return said if isinstance(said, dict) else dict.fromkeys(said, 0)
