"""A small town that is lived through by hand: lamps and cabinets that say what a test makes them, and an engine that
sweeps them. The stores under it hold nothing: what is tested is what is found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from vigie.app import services
from vigie.core.assets import AssetRecord
from vigie.core.facts import ConditionMoved, ConditionRaised, Entry
from vigie.core.kinds import AssetKind, Sort
from vigie.core.observations import Batch, Floats, Int64s
from vigie.core.readings import Readings
from vigie.core.service import Given
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US, to_us
from vigie.engine.admission import ANY_REPORTER
from vigie.engine.loop import Engine, catalogue_of
from vigie.engine.ports import PictureFrame, StoredBatch
from vigie.engine.registry import Registry
from vigie.services.lighting.faults.reports import REPORT_US
from vigie.services.lighting.power import expected_w

SERVICES = services()
CATALOGUE = catalogue_of(SERVICES)

EVENING_US = to_us(datetime.fromisoformat("2026-11-24T19:00:00Z"))
"""A November evening, deep in the dark."""
ZONE = ZoneInfo("Europe/Paris")
NOON_US = to_us(datetime.fromisoformat("2026-11-24T11:00:00Z"))
Said = tuple[str, str, float | str, int]
"""An asset, a point, its value, and when its own clock says that it was so."""
M = 1 / 111_195
"""A metre of latitude, in degrees."""


class NoFacts:
    """Facts that are told and kept nowhere."""

    def __init__(self, known: Mapping[str, list[tuple[int, Mapping[str, Any]]]]) -> None:
        self.known = known
        self.entries: list[Entry] = []
        self.reacted_to = 0
        self.has_room = True
        self.drawn: tuple[Int64s, list[str], Int64s, Floats, Floats] = (
            np.empty(0, np.int64),
            [],
            np.zeros(1, np.int64),
            np.empty(0),
            np.empty(0),
        )

    def commit(self, entries: Sequence[Entry], *, reacted_to: int | None = None) -> list[int]:
        self.entries += entries
        return list(range(len(entries)))

    def attributes(self, kind: type[AssetKind], names: Sequence[str]) -> tuple[Int64s, Mapping[str, NDArray[Any]]]:
        rows = self.known.get(kind.kind, [])
        columns: dict[str, NDArray[Any]] = {}
        for name in names:
            if kind.attributes[name].sort is Sort.NUMBER:
                columns[name] = np.array([said.get(name, np.nan) for _, said in rows], np.float64)
            else:
                columns[name] = np.array([said.get(name, "") for _, said in rows], np.object_)
        return np.array([no for no, _ in rows], np.int64), columns

    def lines(self, kind: type[AssetKind] | None = None) -> tuple[Int64s, list[str], Int64s, Floats, Floats]:
        return self.drawn

    def given(self, automation: str, since_us: int) -> list[Given]:
        return []


class NoObservations:
    """Observations that are kept nowhere."""

    last_ingest = 0

    def append(self, stored: StoredBatch) -> None: ...

    def since(self, ingest: int) -> Sequence[StoredBatch]:
        return []

    def keep_frame(self, frame: PictureFrame) -> None: ...

    def newest_frame(self) -> PictureFrame | None:
        return None


@dataclass
class Lamp:
    """What a lamp is and says. factor: what it draws over what is expected of it; skew_us: how wrong its clock is."""

    id: str
    cabinet: str
    rated_w: float = 60.0
    level: float = 100.0
    factor: float = 1.0
    fault: str = "none"
    control: str = "programme"
    temperature: float = 25.0
    switch_ons: float = 100.0
    power: float | None = None
    silent: bool = False
    skew_us: int = 0
    attributes: dict[str, Any] = field(default_factory=dict[str, Any])

    def draws(self) -> float:
        own = float(expected_w(self.rated_w, self.level)) * self.factor
        return max(0.3, own) if self.power is None else self.power


class Town:
    """Lamps and cabinets by id, a clock, and an engine. Each lamp reports each quarter of an hour at its own minute."""

    def __init__(
        self,
        lamps: Iterable[Lamp],
        cabinets: Mapping[str, str] | None = None,
        *,
        at_us: int = EVENING_US,
        lost: float = 0.0,
        seed: int = 1,
        stated: Mapping[str, Any] | None = None,
    ) -> None:
        """cabinets: id -> how its circuits are switched; stated: what else is known of each of them. lost: the share
        of readings that do not arrive."""
        self.at_us, self.lost = at_us, lost
        self.dice = np.random.default_rng(seed)
        self.lamps = {lamp.id: lamp for lamp in lamps}
        self.cabinets = dict(cabinets or {"c1": "permanent"})
        self.words: dict[str, dict[str, float | str]] = {
            id: {"supply": "on", "contactor": "closed", "breaker": "closed", "residual_current": "closed",
                 "door": "closed", "current": 10.0}
            for id in self.cabinets
        }  # fmt: skip
        self.stated = dict(stated or {})
        self.mute: set[str] = set()
        self.rain = 0.0
        self._records = self._inventory()
        self._start()

    def _inventory(self) -> list[AssetRecord]:
        def record(no: int, id: str, kind: str, **said: Any) -> AssetRecord:
            base: dict[str, Any] = {
                "name": "", "area": "town/north", "street": "", "parent": 0, "reporter": 1, "lon": 5.0, "lat": 47.3,
                "attributes": {}, "made_us": 0,
            }  # fmt: skip
            return AssetRecord(no=no, id=id, kind=kind, **(base | said))

        records = [
            record(no, id, "cabinet", attributes=({"switching": how} if how else {}) | self.stated)
            for no, (id, how) in enumerate(self.cabinets.items(), 1)
        ]
        number = {each.id: each.no for each in records}
        for place, lamp in enumerate(self.lamps.values()):
            said = {"rated_power": lamp.rated_w, "lamp": "LED", "circuit": 1.0} | lamp.attributes
            apart = {name: said.pop(name) for name in ("street", "area", "lon", "lat") if name in said}
            base: dict[str, Any] = {"street": "Rue Verte", "lat": 47.3 + place * 30 * M}
            parent = number.get(lamp.cabinet, 0)
            no = len(records) + 1
            records.append(record(no, lamp.id, "luminaire", parent=parent, attributes=said, **(base | apart)))
        return [*records, record(len(records) + 1, "w1", "weather_station")]

    def _start(self, open_conditions: Sequence[Any] = ()) -> None:
        points = [(kind.kind, point) for kind in CATALOGUE.assets.values() for point in kind.points]
        registry = Registry(CATALOGUE, {key: number for number, key in enumerate(points, 1)})
        registry.add(self._records)
        known: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
        for each in self._records:
            known.setdefault(each.kind, []).append((each.no, each.attributes))
        self.facts = NoFacts(known)
        self.engine = Engine(SERVICES, registry, self.facts, NoObservations(), open_conditions, shard="town", zone=ZONE)
        self.engine.attributes.read(registry.version)

    def restart(self) -> None:
        """Another process: what is open is known, and the picture; what was remembered is not."""
        picture, opened = self.engine.picture, list(self.engine.conditions)
        told = self.facts.entries
        self._start(opened)
        self.facts.entries = told
        for name in ("value", "value2", "observed_us", "received_us", "quality", "changed"):
            setattr(self.engine.picture, name, getattr(picture, name))

    def say(self, asset: str, **said: float | str) -> None:
        """An asset says something, a second later."""
        self.at_us += SECOND_US
        self._send([(asset, name, value, self.at_us) for name, value in said.items()])

    def report(self, lamp: Lamp, **besides: float | str) -> None:
        """A lamp's whole report."""
        self._send(self._said(lamp, **besides))

    def say_too_early(self, lamp: Lamp, *, by_us: int) -> None:
        """A lamp says something of the future, which the door does not take."""
        readings = Readings([lamp.id], ["level"], [lamp.level], [self.at_us + by_us], [0])
        assert self.engine.admission.admit(readings, ANY_REPORTER, self.at_us).rejected

    def _said(self, lamp: Lamp, **besides: float | str) -> list[Said]:
        said: dict[str, float | str] = {
            "level": lamp.level, "power": lamp.draws(), "fault": lamp.fault, "control": lamp.control,
            "driver_temperature": lamp.temperature, "switch_ons": lamp.switch_ons,
        } | besides  # fmt: skip
        return [(lamp.id, name, value, self.at_us + lamp.skew_us) for name, value in said.items()]

    def run(self, minutes: float, *, each_s: float = 300.0) -> None:
        """Time goes on; who is due reports, and the picture is swept."""
        until_us = self.at_us + int(minutes * MINUTE_US)
        while self.at_us < until_us:
            before_us = self.at_us
            self.at_us += int(each_s * SECOND_US)
            rows: list[Said] = []
            for place, lamp in enumerate(self.lamps.values()):
                if not lamp.silent and self._due(place * 37 * SECOND_US, before_us):
                    rows += self._said(lamp)
            for place, (id, words) in enumerate(self.words.items()):
                if id not in self.mute and self._due(place * 53 * SECOND_US, before_us):
                    rows += [(id, name, value, self.at_us) for name, value in words.items()]
            if self._due(0, before_us):
                rows.append(("w1", "rain", self.rain, self.at_us))
            self._send(rows)
            self.sweep()

    def sweep(self) -> None:
        assert self.engine.sweep(self.at_us)
        self.engine.settle()

    def open(self) -> dict[str, list[str]]:
        """The names of the conditions that are present, and where."""
        found: dict[str, list[str]] = {}
        for each in self.engine.conditions:
            if each.state not in ("returned_unacknowledged",):
                found.setdefault(each.kind.name, []).append(self.engine.registry.ids[each.asset])
        return found

    def evidence(self, condition: str) -> Mapping[str, float | str]:
        """What the newest raising of a condition says."""
        facts = [each.fact for each in self.facts.entries]
        return next(f.evidence for f in reversed(facts) if isinstance(f, ConditionRaised) and f.kind == condition)

    def told(self) -> list[str]:
        """All that was said of conditions, in order."""
        facts = [each.fact for each in self.facts.entries]
        return [
            f"{f.kind} {f.asset}" if isinstance(f, ConditionRaised) else f.event
            for f in facts
            if isinstance(f, ConditionRaised | ConditionMoved)
        ]

    def _due(self, phase_us: int, before_us: int) -> bool:
        return (self.at_us + phase_us) // REPORT_US != (before_us + phase_us) // REPORT_US

    def _send(self, rows: list[Said]) -> None:
        registry = self.engine.registry
        kept = [row for row in rows if not self.lost or self.dice.random() >= self.lost]
        if not kept:
            return
        slots: list[int] = []
        values: list[float] = []
        for asset, name, value, _ in kept:
            number = registry.numbers[asset]
            point = registry.kind_of(number).points[name]
            slots.append(registry.slot(number, point))
            values.append(float(point.code(value)) if isinstance(value, str) else float(value))
        count = len(kept)
        batch = Batch(
            np.array(slots, np.int64),
            np.array([at_us for *_, at_us in kept], np.int64),
            np.array(values),
            np.full(count, np.nan),
            np.zeros(count, np.uint8),
        )
        self.engine.react(self.engine.next_ingest, self.at_us, batch)
        self.engine.settle()


def row_of(count: int, cabinet: str = "c1", *, circuit: float = 1, first: int = 0, **said: Any) -> list[Lamp]:
    """Lamps of one circuit, one after another."""
    return [
        Lamp(f"l{first + n:02d}", cabinet, **said, attributes={"circuit": circuit, "street": f"Rue {n % 3}"})
        for n in range(count)
    ]


__all__ = ["EVENING_US", "HOUR_US", "NOON_US", "Lamp", "Town", "row_of"]
