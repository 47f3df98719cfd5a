"""The one loop: a batch is recorded, folded into the live picture, stepped through the services, and its facts owed.

The same calls serve a wall clock over sockets (`vigie.engine.pump`) and a virtual clock in a test:

    n = engine.next_ingest
    sorting = engine.picture.sort(batch, now_us)
    engine.record(n, now_us, batch.take(~sorting.duplicate))   # synced to disk when it returns
    engine.react(n, now_us, batch)                             # picture, services, conditions
    engine.settle()                                            # the facts, synced to disk

A crash between `record` and `settle` loses no effect: the start steps again from the last settled ingest number, and
effects have the same ids as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vigie.core.arrays import ints
from vigie.core.cases import Answer
from vigie.core.facts import POST, Entry
from vigie.core.ids import effect_id
from vigie.core.kinds import Action, AssetKind, Attribute, Catalogue, ConditionKind, Point, Quality
from vigie.core.observations import Batch, Floats, Int64s, Mask
from vigie.core.past import Past, Told
from vigie.core.plans import Given
from vigie.core.service import Change, Effect, Newest, Numbers, Present, Service, Sweeper, Warn
from vigie.engine.admission import Admission
from vigie.engine.attributes import Attributes
from vigie.engine.automations import Automations
from vigie.engine.cases import Cases
from vigie.engine.clocks import DeviceClocks
from vigie.engine.command import Command
from vigie.engine.commands import Commands, NewId
from vigie.engine.conditions import Condition, Conditions, troubles
from vigie.engine.consignations import Consignation, Consignations
from vigie.engine.holds import Holds
from vigie.engine.orders import Examiner
from vigie.engine.picture import NEVER_US, Moved, Picture
from vigie.engine.plans import By, Plan, Plans
from vigie.engine.ports import FactStore, ObservationStore, PictureFrame, StorageFull, StoredBatch
from vigie.engine.registry import Registry
from vigie.engine.reticence import Reticences
from vigie.engine.standing import Standing
from vigie.engine.visibility import Visibility
from vigie.engine.whereabouts import Whereabouts

Payload = TypeVar("Payload")


def catalogue_of(services: Sequence[Service]) -> Catalogue:
    """All kinds that the services declare. Raises ValueError where two share a name."""
    assets: dict[str, type[AssetKind]] = {}
    conditions: dict[str, ConditionKind] = {}
    for service in services:
        for kind in service.assets:
            if assets.setdefault(kind.kind, kind) is not kind:
                raise ValueError(f"two services declare the asset kind {kind.kind!r}")
        for condition in service.conditions:
            if conditions.setdefault(condition.name, condition) is not condition:
                raise ValueError(f"two services declare the condition {condition.name!r}")
    return Catalogue(assets, conditions)


class Engine:
    """The state of one city, and what moves it. One thread at a time calls it."""

    def __init__(
        self,
        services: Sequence[Service],
        registry: Registry,
        facts: FactStore,
        observations: ObservationStore,
        open_conditions: Sequence[Condition],
        *,
        shard: str,
        commands: Sequence[Command] = (),
        consignations: Sequence[Consignation] = (),
        plans: Sequence[Plan] = (),
        cases: Cases | None = None,
        whereabouts: Whereabouts | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        """whereabouts: finds the area that a moving asset is in; without it, each is where the inventory has it. zone:
        the town's."""
        self.registry = registry
        self.zone = zone
        self.attributes = Attributes(registry, facts, services, on_disk=self._on_disk)
        self.picture = Picture(registry)
        self.reticences = Reticences(registry, self.picture, self.attributes, zone, services)
        self.admission = Admission(registry, self.reticences)
        self.conditions = Conditions(registry, open_conditions)
        self.whereabouts = whereabouts or Whereabouts(registry, [])
        self.standing = Standing(registry, self.picture, self.conditions, whereabouts)
        self.visibility = Visibility(registry, self.standing)
        self.clocks = DeviceClocks()
        self.consignations = Consignations(registry, consignations)
        self.plans = Plans(plans)
        self.cases = Cases(registry) if cases is None else cases
        guards = [guarded for service in services for guarded in service.guards.items()]
        self.examiner = Examiner(registry, self.picture, self, guards)
        self.commands = Commands(registry, self.examiner, self.consignations, commands)
        self.holds = Holds(registry, self.picture, self.commands, self.conditions)
        self.commands.on_pending = self._mark_orders
        self.consignations.on_changed = lambda: self.standing.mark_consigned(self.consignations.held)
        self._mark_orders(np.flatnonzero(self.commands.pending))
        self.consignations.on_changed()
        self._services = services
        self.facts = facts
        self._observations = observations
        self._shard = shard
        self._owed: list[Entry] = []
        self._owed_ever = 0
        # A version of the registry, and how many facts had ever been owed when those that made it were: one value, for
        # other threads read it.
        self._inventory = (registry.version, 0)
        # Facts that no table takes, each with the reason; who runs the engine takes them and says so.
        self.set_aside: list[tuple[Entry, Exception]] = []
        self._reacted_to = facts.reacted_to
        # point number -> which services react to it, so that a batch nobody reacts to costs one look-up.
        self._reacting = np.zeros(max(registry.by_number, default=0) + 1, np.bool_)
        self._reactions: list[tuple[Service, dict[int, tuple[type[AssetKind], Point[Any]]]]] = []
        self.automations = Automations(services, registry, facts, self.plans)
        self._sweepers: dict[str, Sweeper] = {}
        self._recalled: dict[tuple[str, str], Told] = {}
        self._menders: dict[str, tuple[Answer, Warn]] = {}
        for service in services:
            wanted = {self._number_of(kind, point): (kind, point) for kind, point in service.reacts}
            self._reacting[list(wanted)] = True
            self._reactions.append((service, wanted))

    @property
    def next_ingest(self) -> int:
        """The number that the next batch is recorded under."""
        return self._observations.last_ingest + 1

    @property
    def owed(self) -> int:
        """How many facts wait to be committed: more than a few means that the disk of facts is full."""
        return len(self._owed)

    def owing(self, payload: type[Payload]) -> list[Payload]:
        """What travels beside the facts that wait, of one sort."""
        return [each.payload for each in self._owed if isinstance(each.payload, payload)]

    def start(self) -> int:
        """Builds the live picture from what is on disk, and reacts to what was not reacted to. Returns how many
        batches were read."""
        frame = self._observations.newest_frame()
        if frame is not None:
            self._fold_frame(frame)
        batches = self._observations.since(frame.ingest if frame else 0)
        for stored in batches:
            batch = self._with_slots(stored)
            if stored.ingest > self.facts.reacted_to:
                self.react(stored.ingest, stored.received_us, batch)
            else:
                self._fold(batch, stored.received_us)
        self.settle()
        return len(batches)

    def recall(self, past: Past, now_us: int) -> None:
        """Reads what sweeps need of the time before the start, before the first of them. Raises TooLong; then what was
        not read is not known."""
        for recall in (each for service in self._services if service.sweep for each in service.sweep.recalls):
            kind = self.kind_named(recall.kind)
            if kind is None or not len(assets := self.registry.of_kind(kind)):
                continue
            for point in (kind.points[name] for name in recall.points if name in kind.points):
                told = past.told(kind, point, now_us - recall.for_us, now_us, only=assets)
                self._recalled[kind.kind, point.name] = told

    def record(self, ingest: int, received_us: int, batch: Batch) -> None:
        """Puts a batch on disk. Raises StorageFull, and then nothing has changed."""
        registry = self.registry
        asset, point = registry.slot_asset[batch.slot], registry.slot_point[batch.slot].astype(np.int64)
        self._observations.append(StoredBatch(ingest, received_us, asset, point, batch))

    def react(self, ingest: int, received_us: int, batch: Batch) -> None:
        """Folds a recorded batch and steps the services; the facts are owed until `settle`."""
        moved = self._fold(batch, received_us)
        changes = self._changes(moved)
        for service, wanted in self._reactions:
            mine = [change for number, change in changes if number in wanted]
            if mine:
                self.apply(service.step(mine, self, received_us), ingest, service.name, received_us)
        self.automations.hear(changes, received_us)
        self.commands.prove(moved, received_us, self.clocks)
        shard = self._shard
        self.owe_orders(lambda what: str(effect_id(received_us, shard, ingest, what, 0)), received_us)
        self._reacted_to = ingest

    def apply(self, effects: Sequence[Effect], ingest: int, rule: str, now_us: int) -> None:
        """Applies finished effects to the lives; their facts are owed."""
        self.owe(self.conditions.apply(effects, shard=self._shard, ingest=ingest, rule=rule, first=0, now_us=now_us))

    def sweep(self, now_us: int) -> bool:
        """Lets the services look over the whole picture; the facts are owed. Returns False, and does nothing, while
        what they ask of the inventory is not there (`attributes`).

        An effect's id comes from the instant, the condition and the asset: a sweep that a crash has cut short finds
        again what was not kept, and what was kept is open.
        """
        if not self.attributes.are_warm:
            return False
        self.picture.fit()
        for service in self._services:
            if service.sweep is None:
                continue
            if service.name not in self._sweepers:
                self._sweepers[service.name] = service.sweep.make(self, now_us)
            for effect in self._sweepers[service.name](self, now_us):
                rule = f"{service.name}.sweep.{now_us}.{effect.condition.name}.{effect.asset}"
                self.apply([effect], 0, rule, now_us)
        self._look_after_cases(now_us)
        return True

    def _look_after_cases(self, now_us: int) -> None:
        """Opens and moves the cases that the services' rules ask for, and archives those that are over."""

        def by(rule: str, place: int | str) -> By:
            return By(POST, now_us, str(effect_id(now_us, self._shard, 0, f"cases.{rule}.{now_us}.{place}", 0)))

        kept = set[str]()
        for service in self._services:
            rule = service.opens
            if rule is None:
                continue
            known, wrong = self.cases.heard_of(), troubles(self.conditions, self.registry)
            if service.name not in self._menders:
                self._menders[service.name] = (rule.mends(), rule.warns())
            mends, warns = self._menders[service.name]
            effects = mends(wrong, known, now_us)
            kept |= {*rule.keeps(wrong, known)}
            answers = {"mends": effects}
            for kind, ahead in rule.ahead.items():
                plans = [(each.id, each.in_force.body) for each in self.plans if each.kind is kind and each.in_force]
                answers[f"ahead.{kind.name}"] = ahead(plans, self, known, now_us) if plans else []
            for name, asked in answers.items():
                self.cases.answer(asked, partial(by, f"{service.name}.{name}"), self.owe)
            for effect in warns(known, self, now_us):
                self.apply([effect], 0, f"{service.name}.cases.{now_us}.{effect.condition.name}.{effect.asset}", now_us)
        self.owe(self.cases.archive(now_us, kept, partial(by, "archive")))

    def owe(self, entries: Sequence[Entry]) -> None:
        """Facts whose effects stand already: they are kept by the next `settle`. What moved the registry is owed before
        anything else is."""
        self._owed += entries
        self._owed_ever += len(entries)
        if self._inventory[0] != self.registry.version:
            self._inventory = (self.registry.version, self._owed_ever)

    def owe_orders(self, new_id: NewId, now_us: int) -> None:
        """Owes the facts of all that has happened to orders since this was last called."""
        self.owe(self.commands.collect(new_id, now_us))
        self.commands.owed(self._owed_ever)

    def settle(self) -> None:
        """Commits the facts owed. Raises StorageFull, and then they are owed still."""
        if self._owed:
            self._commit_owed()

    def keep(self, frame: PictureFrame) -> None:
        """Keeps a picture on disk; the facts of what it holds come first. Raises StorageFull."""
        self._commit_owed()
        self._observations.keep_frame(frame)

    def frame(self, now_us: int) -> PictureFrame:
        """The live picture as it is kept, by asset and point number, in columns of its own. Taken on the thread that
        folds, or it would be torn."""
        picture, registry = self.picture, self.registry
        picture.fit()
        held = np.flatnonzero(picture.observed_us[: registry.slots] != NEVER_US)
        at = {slot: row for row, slot in enumerate(held.tolist())} if picture.texts else {}
        return PictureFrame(
            self._reacted_to,
            now_us,
            registry.slot_asset[held],
            registry.slot_point[held].astype(np.int64),
            picture.observed_us[held],
            picture.received_us[held],
            picture.value[held],
            picture.value2[held],
            picture.quality[held],
            {at[slot]: text for slot, text in picture.texts.items() if slot in at},
        )

    # What a service may know of the city (vigie.core.service.City).

    def is_open(self, condition: ConditionKind, assets: Numbers) -> Mask:
        """Whether each asset has this condition open."""
        return self.conditions.is_open(condition, assets)

    def value(self, kind: type[AssetKind], point: Point[Any], assets: Numbers) -> Floats:
        """The newest value of a point of each asset, NaN where none is known."""
        return self.picture.value[self.registry.slots_of(kind, point, assets)]

    @property
    def inventory(self) -> int:
        """Grows with each change of the inventory."""
        return self.registry.version

    def present(self, condition: ConditionKind) -> Sequence[Present]:
        """Where this condition is open, in the order in which it was raised."""
        return self.conditions.present(condition)

    def assets(self, kind: type[AssetKind]) -> Numbers:
        """The assets of a kind that are in service, by number."""
        return self.registry.of_kind(kind)

    def newest(self, kind: type[AssetKind], point: Point[Any], assets: Numbers) -> Newest:
        """The newest of a point of each asset."""
        return self._newest(self.registry.slots_of(kind, point, assets))

    def everywhere(self, point: str) -> tuple[Numbers, Newest]:
        """Every asset in service that has a point of this name, and the newest of it."""
        registry = self.registry
        kinds = [(kind, kind.points[point]) for kind in registry.kinds if point in kind.points]
        own = [(registry.of_kind(kind), kind, declared) for kind, declared in kinds]
        assets = np.concatenate([np.empty(0, np.int64), *(numbers for numbers, _, _ in own)])
        slots = [registry.slots_of(kind, declared, numbers) for numbers, kind, declared in own]
        return assets, self._newest(np.concatenate([np.empty(0, np.int64), *slots]))

    def seen_at(self, kind: type[AssetKind], point: Point[Any], assets: Numbers) -> tuple[Floats, Floats]:
        """Longitude and latitude that each asset has said last of a point that is a place."""
        slots = self.registry.slots_of(kind, point, assets)
        return self.picture.value[slots], self.picture.value2[slots]

    def ordered(self, kind: type[AssetKind], action: Action, assets: Numbers, now_us: int) -> Mask:
        """Which of these assets an order of somebody's that decides the same rules, or may rule yet."""
        return self.commands.ordered(kind, action, assets, now_us)

    def locked_out(self, assets: Numbers) -> Mask:
        """Which of these assets a lock-out holds."""
        return self.consignations.held[assets]

    def given(self, automation: str, since_us: int) -> Sequence[Given]:
        """What an automation has ordered since an instant."""
        return self.facts.given(automation, since_us)

    def attribute(self, kind: type[AssetKind], attribute: Attribute, assets: Numbers) -> NDArray[Any]:
        """What the inventory says of each asset, of what sweeps ask for."""
        return self.attributes.swept(kind, attribute, assets)

    def ids(self, assets: Numbers) -> list[str]:
        """The id of each asset."""
        return [self.registry.ids[no] for no in ints(assets)]

    def streets(self, assets: Numbers) -> Int64s:
        """The street of each asset, 0 for none."""
        return self.registry.street[assets].astype(np.int64)

    def areas(self, assets: Numbers) -> Int64s:
        """The area of each asset."""
        return self.registry.area[assets].astype(np.int64)

    def kind_named(self, name: str) -> type[AssetKind] | None:
        """The kind of this name."""
        return self.registry.catalogue.assets.get(name)

    def area_path(self, area: int) -> str:
        """The path of a part of the town."""
        return self.registry.areas[area]

    def street_name(self, street: int) -> str:
        """What a street is called."""
        return self.registry.streets[street]

    def places(self, assets: Numbers) -> tuple[Floats, Floats]:
        """Longitude and latitude of each asset, in degrees."""
        return self.registry.lon[assets], self.registry.lat[assets]

    def reporters(self, assets: Numbers) -> Int64s:
        """The device that speaks for each asset, 0 for none."""
        return self.registry.reporter[assets].astype(np.int64)

    def recalled(self, kind: type[AssetKind], point: Point[Any]) -> Told:
        """What was said of a point in the time before the start."""
        return self._recalled.get((kind.kind, point.name)) or Told.nothing()

    def refused_ahead(self, assets: Numbers) -> tuple[Int64s, Int64s]:
        """When a reading of each asset was last refused because it was of the future, and by how much."""
        return self.admission.refused_ahead(assets)

    def area_at(self, lon: float, lat: float) -> str:
        """The path of the narrowest area that holds a place (degrees), "" for none."""
        return self.registry.areas[int(self.whereabouts.find(np.array([lon]), np.array([lat]))[0])]

    def feeders(self, kind: type[AssetKind], assets: Numbers) -> Numbers:
        """What feeds each asset, 0 where that is nothing of this kind."""
        parent = self.registry.parent[assets].astype(np.int64)
        return np.where(self.registry.kind[parent] == self.registry.kind_codes[kind.kind], parent, 0)

    def children(self, asset: int) -> Numbers:
        """The assets that an asset feeds."""
        return self.registry.children(asset)

    def _newest(self, slots: Int64s) -> Newest:
        picture = self.picture
        observed_us = picture.observed_us[slots]
        said = observed_us != NEVER_US
        return Newest(
            picture.value[slots], np.where(said, observed_us, 0), picture.received_us[slots], picture.quality[slots]
        )

    def _on_disk(self, version: int) -> bool:
        """Whether the facts of a version of the registry are committed. Between the registry's move and its fact being
        owed no mark is of that version, and the answer is no."""
        marked, owed_ever = self._inventory
        return marked == version and self.commands.settled >= owed_ever

    def _commit_owed(self) -> None:
        # The number first: what was reacted to by then is owed by then, whatever another thread adds meanwhile.
        reacted_to = self._reacted_to
        entries = tuple(self._owed)
        try:
            self.facts.commit(entries, reacted_to=reacted_to)
            self._forget_owed(len(entries))
        except (StorageFull, OSError):
            raise
        except Exception:
            # One that cannot be written must not keep all others from being written, now and for ever.
            self._commit_singly(entries)
            self.facts.commit((), reacted_to=reacted_to)

    def _commit_singly(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            try:
                self.facts.commit((entry,))
            except (StorageFull, OSError):
                raise
            except Exception as error:
                self.set_aside.append((entry, error))
            self._forget_owed(1)

    def _mark_orders(self, assets: Numbers) -> None:
        self.standing.mark_orders(assets, self.commands.pending[assets] > 0)

    def _forget_owed(self, count: int) -> None:
        del self._owed[:count]
        self.commands.settled += count

    def _fold(self, batch: Batch, received_us: int) -> Moved:
        reporter = self.registry.reporter[self.registry.slot_asset[batch.slot]]
        self.clocks.note(reporter.astype(np.int64), batch.observed_us, received_us)
        moved = self.picture.fold(batch, received_us)
        self.standing.folded(moved, received_us)
        return moved

    def _number_of(self, kind: type[AssetKind], point: Point[Any]) -> int:
        code = self.registry.kind_codes[kind.kind]
        ordinal = self.registry.ordinal[code, self.registry.point_codes[point.name]]
        return int(self.registry.point_number[code, ordinal])

    def _changes(self, moved: Moved) -> list[tuple[int, Change]]:
        """What moved, by the points that somebody reacts to; values their device does not vouch for are left out."""
        numbers = self.registry.slot_point[moved.slot]
        rows = np.flatnonzero((self._reacting | self.automations.hears)[numbers] & (moved.quality == Quality.GOOD))
        if not len(rows):
            return []
        changes: list[tuple[int, Change]] = []
        for number in np.unique(numbers[rows]).tolist():
            mine = rows[numbers[rows] == number]
            kind, point = self.registry.by_number[number]
            asset = self.registry.slot_asset[moved.slot[mine]]
            change = Change(point, kind, asset, moved.observed_us[mine], moved.value[mine], moved.before[mine])
            changes.append((number, change))
        return changes

    def _with_slots(self, stored: StoredBatch) -> Batch:
        """A batch from disk with the slots of this process; rows of points no longer declared are left out."""
        slot = self.registry.slots_at(stored.asset, stored.point)
        batch = stored.batch
        whole = Batch(slot, batch.observed_us, batch.value, batch.value2, batch.quality, batch.texts)
        return whole.take(slot >= 0)

    def _fold_frame(self, frame: PictureFrame) -> None:
        slot = self.registry.slots_at(frame.asset, frame.point)
        texts: Mapping[int, str] = frame.texts
        known = slot >= 0
        batch = Batch(slot, frame.observed_us, frame.value, frame.value2, frame.quality, texts).take(known)
        self.standing.folded(self.picture.fold(batch, frame.at_us), frame.at_us)
        self.picture.received_us[batch.slot] = frame.received_us[known]
