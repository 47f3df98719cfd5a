"""A span of the city's life through the whole post on a virtual clock: the same seed gives the same facts and readings.

Admission, engine and stores are those of a running post, on real files; the wall clock, the sockets and the bytes on
them are not there. Time goes on in ticks. In each, at its instant:

1. persons act by the script, and time does to orders what it does; their facts are synced;
2. gateways pick up what waits for them, after it is on disk as sent, and send receipts;
3. what has come to the post since the last tick is admitted, recorded in one synced commit, reacted to, its facts
   synced, and only then acknowledged. Meanwhile the devices live on until the next tick;
4. the services sweep the picture, when the half minute has come.

So a tick is the time of one group commit: as long as a reading may wait for its acknowledgement.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from zoneinfo import ZoneInfo

import numpy as np

from vigie.core.calendar import Calendar
from vigie.core.drafts import Draft
from vigie.core.facts import COMMAND_LINE, AssetsTaken, DeviceAdmitted, Entry, digest
from vigie.core.ids import uuid7
from vigie.core.observations import Outcome
from vigie.core.scope import Scope
from vigie.core.service import SWEEP_S, Service
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US, day_of
from vigie.engine.acts import Acts
from vigie.engine.inventory import digests_of, plan_intake
from vigie.engine.known import Frozen
from vigie.engine.loop import Engine, catalogue_of
from vigie.engine.plans import kinds_of
from vigie.engine.registry import Registry
from vigie.engine.whereabouts import Whereabouts
from vigie.sim.city import City
from vigie.sim.city.facts import ZONE
from vigie.sim.city.inventory import drafts
from vigie.sim.clock import SeededDice, VirtualClock
from vigie.sim.devices import counts_of, gateways
from vigie.sim.life import Habits, Life
from vigie.sim.life.columns import DAY
from vigie.sim.life.faults import Breakdowns
from vigie.sim.links import FLAWLESS, Faults, Links
from vigie.sim.pickup import Pickup
from vigie.sim.roll import Roll, Rows
from vigie.store.digest import Digest, digest_of
from vigie.store.facts import SqlFacts
from vigie.store.observations import DuckObservations

SOURCE = "simulation"
HOT_US = 2 * HOUR_US
"""Readings older than this are sealed, each hour, as a running post does."""


@dataclass(frozen=True, slots=True)
class Act:
    """What persons do at an instant. do: called with their means, on the engine's own thread."""

    at_us: int
    do: Callable[[Acts, Engine], None]


@dataclass(frozen=True)
class Setting:
    """What a span of life is made of. seed: of the faults and of all ids; the city has its own.

    breakdowns: what breaks in lighting; without, what wear makes of it. lighting_alone: whether nothing else lives.
    tick_s: the time of one group commit. script: in the order of its instants. memory_mb: DuckDB's. seal_s: how often
    history is sealed and the picture kept; 0 for never.
    """

    start_us: int
    seed: int = 1
    habits: Habits = DAY
    faults: Faults = FLAWLESS
    tick_s: float = 15.0
    script: Sequence[Act] = ()
    memory_mb: int = 256
    seal_s: float = 3_600.0
    breakdowns: Breakdowns | None = None
    lighting_alone: bool = False


@dataclass(slots=True)
class Tally:
    """What went through the post, counted. outcomes: readings by what became of them; commits: groups recorded;
    starts: how often the post came up."""

    outcomes: Counter[Outcome] = field(default_factory=Counter[Outcome])
    ticks: int = 0
    commits: int = 0
    starts: int = 0


def settle_in(
    folder: Path,
    services: Sequence[Service],
    city: City,
    *,
    at_us: int,
    seed: int = 1,
    wanted: Callable[[Draft], bool] = lambda draft: True,
) -> None:
    """Makes an installation of a city in an empty folder: its inventory, and its gateways as devices.

    wanted: whether an asset is taken in; what is not is not there for the post, and its device is not heard. Raises
    ValueError where the inventory is refused.
    """
    dice = SeededDice(seed)

    def new_id() -> str:
        return str(uuid7(at_us, dice.bytes(10)))

    folder.mkdir(parents=True, exist_ok=True)
    facts = SqlFacts.sqlite(folder / "facts.sqlite", catalogue_of(services), dice, reserve_bytes=0)
    try:
        taken = [draft for draft in drafts(city) if wanted(draft)]
        intake = plan_intake(catalogue_of(services), taken, {}, {}, 1, source=SOURCE)
        if intake.refused:
            raise ValueError(f"the generated city is refused: {intake.refused[0].reason}")
        fact = AssetsTaken(
            id=new_id(), at=at_us, actor=COMMAND_LINE, source=SOURCE, made=intake.made, changed=0, unchanged=0,
            retired=0, rejected=0, items=digest(*digests_of(intake.rows)),
        )  # fmt: skip
        facts.commit([Entry(fact, payload=intake.rows)])
        known = facts.ids()
        entries: list[Entry] = []
        for name, assets in gateways(city).items():
            numbers = [known[asset] for asset in assets if asset in known]
            if numbers:
                items = digest(*(number.to_bytes(8) for number in numbers))
                admitted = DeviceAdmitted(
                    id=new_id(), at=at_us, actor=COMMAND_LINE, device=name, count=len(numbers), items=items
                )
                entries.append(Entry(admitted, payload=(hashlib.sha256(name.encode()).digest(), numbers)))
        facts.commit(entries)
    finally:
        facts.close()


class Day:
    """A city and its post in a folder, moved on tick by tick. Used with `with`: it holds files and a thread."""

    def __init__(self, folder: Path, services: Sequence[Service], city: City, setting: Setting) -> None:
        """folder: as `settle_in` has made it."""
        self.setting, self.tally = setting, Tally()
        self._folder, self._services = folder, services
        self._catalogue = catalogue_of(services)
        self._tick_us = int(setting.tick_s * SECOND_US)
        self.clock = VirtualClock(setting.start_us)
        # Ids and salts are thrown apart: how often a commit is tried does not change the ids.
        self._dice, self._salts = SeededDice(setting.seed * 2 + 1), SeededDice(setting.seed * 2)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="day-writer")
        self._sealer = ThreadPoolExecutor(1, thread_name_prefix="day-sealer")
        self._sealing: Future[None] | None = None
        self._script = sorted(setting.script, key=lambda act: act.at_us)
        self._open()
        self.life = Life(
            city, setting.start_us, setting.habits, breakdowns=setting.breakdowns, lighting_alone=setting.lighting_alone
        )
        self.links = Links(setting.seed, setting.faults, self.engine.registry.reporter[: self.engine.registry.count])
        self.roll = Roll(self.engine.registry, counts_of(city))
        self.pickup = Pickup(self.life, self.links, self.roll)
        self.on_acknowledged: Callable[[Rows], None] = lambda rows: None
        """Told of the readings that gateways know to be kept, as they come to know it."""
        self._live(setting.start_us + self._tick_us)

    def __enter__(self) -> Day:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Waits for what is being written, and lets go of the files; everything is on disk already."""
        try:
            self._join_sealing()
        finally:
            self._writer.shutdown()
            self._sealer.shutdown()
            self.observations.close()
            self.facts.close()

    def run(self, until_us: int) -> None:
        """Lives, whole ticks, until an instant."""
        while self.clock.now_us() + self._tick_us <= until_us:
            self.step()

    def step(self, *, killed_when: str = "") -> None:
        """One tick. killed_when: "recorded" or "reacted": then the post is killed at that point of it, nobody is
        answered, and it comes up again from what is on disk."""
        now_us = self.clock.now_us() + self._tick_us
        self.clock.move_to(now_us)
        self.tally.ticks += 1
        self._act(now_us)
        self.pickup.pick_up(self.engine, self.acts, now_us, self._tick_us)
        if self._report(now_us, killed_when):
            self.on_acknowledged(self.links.acknowledge(now_us))
        sweep_us = int(SWEEP_S * SECOND_US)
        if now_us // sweep_us != (now_us - self._tick_us) // sweep_us and self.engine.sweep(now_us):
            self.engine.settle()
        if now_us // MINUTE_US != (now_us - self._tick_us) // MINUTE_US:
            # As whoever looks at the city makes the engine do.
            self.engine.standing.catch_up(now_us)
        seal_us = int(self.setting.seal_s * SECOND_US)
        if seal_us and now_us // seal_us != (now_us - self._tick_us) // seal_us:
            self._keep_up(now_us)

    def kill(self) -> None:
        """As a power cut between two ticks does: what is on disk is all there is."""
        self._join_sealing()
        self.observations.close()
        self.facts.close()
        self._open()

    def digest(self) -> Digest:
        """The digest of what is on disk."""
        self._join_sealing()
        return digest_of(self.facts, self.observations)

    def _act(self, now_us: int) -> None:
        while self._script and self._script[0].at_us <= now_us:
            self._script.pop(0).do(self.acts, self.engine)
            self.engine.settle()
            self._prepare()
        self.acts.tick()
        for error in self.engine.automations.faults.values():
            raise error
        self.engine.settle()

    def _prepare(self) -> None:
        """Prepares what automations need of what is in force; they begin at once, unlike in a running post."""
        due = self.engine.automations.due()
        if due:
            known = Frozen.of(self.engine, Calendar(ZoneInfo(ZONE)), Scope.everything(), self.clock.now_us())
            self.engine.automations.prepare(due, known)

    def _report(self, now_us: int, killed_when: str) -> bool:
        """Takes in what comes to the post; returns whether its senders are to be answered."""
        engine, rows = self.engine, self.links.send(now_us)
        next_us = now_us + self._tick_us
        admitted = engine.admission.admit_columns(rows.columns, self.links.reporter[rows.asset], now_us)
        sorting = engine.picture.sort(admitted.batch, now_us)
        kept = admitted.batch.take(~sorting.duplicate) if sorting.duplicate.any() else admitted.batch
        if not len(kept):
            self._live(next_us)
        else:
            ingest = engine.next_ingest
            recorded = self._writer.submit(engine.record, ingest, now_us, kept)
            self._live(next_us)
            recorded.result()
            if killed_when == "recorded":
                self.kill()
                return False
            engine.react(ingest, now_us, kept)
            self.tally.commits += 1
        if killed_when == "reacted":
            self.kill()
            return False
        engine.settle()
        outcomes = self.tally.outcomes
        outcomes[Outcome.ACCEPTED] += int(np.count_nonzero(sorting.fresh))
        outcomes[Outcome.LATE] += int(np.count_nonzero(sorting.late))
        outcomes[Outcome.DUPLICATE] += int(np.count_nonzero(sorting.duplicate))
        outcomes.update(each.outcome for each in admitted.rejected)
        return True

    def _live(self, until_us: int) -> None:
        """Moves the devices on; what they say is on its way."""
        self.links.hear(self.roll.rows(self.life.step(until_us)))

    def _keep_up(self, now_us: int) -> None:
        """What a running post does from time to time: the picture is kept; history is sealed beside the commits."""
        self.engine.keep(self.engine.frame(now_us))
        self._join_sealing()
        self._sealing = self._sealer.submit(self._seal, now_us)

    def _seal(self, now_us: int) -> None:
        self.observations.seal(now_us - HOT_US)
        for day in self.observations.days_in_parts(day_of(now_us - HOT_US)):
            self.observations.compact(day)

    def _join_sealing(self) -> None:
        sealing, self._sealing = self._sealing, None
        if sealing is not None:
            sealing.result()

    def _open(self) -> None:
        """The post comes up from what is on disk."""
        self.facts = SqlFacts.sqlite(self._folder / "facts.sqlite", self._catalogue, self._salts, reserve_bytes=0)
        self.observations = DuckObservations(
            self._folder / "observations", memory_mb=self.setting.memory_mb, reserve_bytes=0
        )
        registry = Registry(self._catalogue, self.facts.point_numbers())
        registry.add_columns(self.facts.registry_rows())
        self.engine = Engine(
            self._services,
            registry,
            self.facts,
            self.observations,
            self.facts.open_conditions(),
            shard="simulation",
            commands=self.facts.orders.kept(self.clock.now_us()),
            consignations=self.facts.orders.holding(),
            plans=self.facts.plans.kept(kinds_of(self._services)),
            whereabouts=Whereabouts(registry, self.facts.known_areas()),
            zone=ZoneInfo(ZONE),
        )
        self.engine.start()
        # No inventory is taken in while a day is lived.
        self.engine.attributes.read(registry.version)
        self._prepare()
        self.acts = Acts(self.engine, self.facts, self.clock, self._dice)
        self.tally.starts += 1
