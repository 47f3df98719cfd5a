"""A lane with a sensor and a bus, whose lamps do as they are told: what the tests of light on demand live through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from tests.city import SeededDice
from tests.services.lighting.town import Lamp, M, Town
from vigie.core.assets import AssetRecord
from vigie.core.calendar import Calendar
from vigie.core.observations import Batch
from vigie.core.scope import Scope
from vigie.core.times import HOUR_US, SECOND_US, rfc3339, to_us
from vigie.engine.acts import Acts
from vigie.engine.command import Command
from vigie.engine.known import Frozen
from vigie.engine.plans import By
from vigie.engine.selection import Selection
from vigie.services.lighting.faults.reports import REPORT_US
from vigie.services.lighting.kinds import Luminaire
from vigie.services.lighting.ondemand.model import OnDemand, Trigger
from vigie.services.lighting.plans import ON_DEMAND, PROGRAMME
from vigie.services.lighting.programmes.model import Programme

LAMPS, SENSOR_AT, APART_M = 12, 5, 30.0
ZONE = ZoneInfo("Europe/Paris")
CONTROLS = Luminaire.control.choices


def rule(**said: Any) -> OnDemand:
    """A rule for all of the lane."""
    base: dict[str, Any] = {"name": "Sentier", "level": 80, "triggers": (Trigger.MOTION, Trigger.BUS),
                            "ahead_m": 70.0, "behind_m": 20.0}  # fmt: skip
    return OnDemand(**(base | said))


class Lane(Town):
    """Lamps l0 to l11 from south to north, 30 m apart, that burn at 30 %; a sensor `s1` beside l5, a bus `b1`.

    given: every raise that was asked of the gateway: (lamp, level, from, until), in microseconds. released: every lamp
    that it was told to give back, and when. deaf: whether the
    gateway picks nothing up.
    """

    def __init__(self, *rules: OnDemand, level: float = 30.0, programme: Programme | None = None, **said: Any) -> None:
        super().__init__([Lamp(f"l{n}", "c1", level=level) for n in range(LAMPS)], **said)
        self.given: list[tuple[int, float, int, int]] = []
        self.released: list[tuple[int, int]] = []
        self.ends: dict[int, int] = {}
        self.before = level
        self.repeated_us = 0
        self.deaf = False
        self.dice_of_ids = SeededDice(3)
        self.acts = Acts(self.engine, self.facts, self, self.dice_of_ids)
        self.at_us += 3 * HOUR_US
        for lamp in self.lamps.values():
            self.report(lamp)
        self.numbers = [self.engine.registry.numbers[id] for id in self.lamps]
        for number, each in enumerate(rules):
            by = [By(who, self.at_us, f"{who}-{number}") for who in ("u-a", "u-b")]
            self.engine.plans.make(f"p{number}", ON_DEMAND, each, by=by[0])
            self.engine.plans.move(f"p{number}", "approve", number=1, revision=1, by=by[1])
        if programme is not None:
            self.approve("programme", programme)
        self.prepare()

    def now_us(self) -> int:
        """A clock for the acts."""
        return self.at_us

    def _inventory(self) -> list[AssetRecord]:
        records = super()._inventory()
        for id, kind, place in (("s1", "motion_sensor", SENSOR_AT), ("b1", "bus", 0)):
            records.append(
                AssetRecord(no=len(records) + 1, id=id, kind=kind, name="", area="town/north", street="", parent=0,
                            reporter=1, lon=5.0, lat=47.3 + place * APART_M * M, attributes={}, made_us=0)
            )  # fmt: skip
        return records

    def approve(self, id: str, programme: Programme) -> None:
        """A programme comes into force."""
        by = [By(who, self.at_us, f"{who}-{id}") for who in ("u-a", "u-b")]
        self.engine.plans.make(id, PROGRAMME, programme, by=by[0])
        self.engine.plans.move(id, "approve", number=1, revision=1, by=by[1])
        self.prepare()

    def prepare(self) -> None:
        due = self.engine.automations.due()
        if due:
            known = Frozen.of(self.engine, Calendar(ZONE), Scope.everything(), self.at_us)
            self.engine.automations.prepare(due, known)
            self.tick()

    def tick(self, seconds: float = 0.0) -> None:
        """Time passes; automations order, and the lamps obey and say so."""
        self.at_us += int(seconds * SECOND_US)
        for no in [each for each, end_us in self.ends.items() if end_us <= self.at_us]:
            del self.ends[no]
            self.say(self.engine.registry.ids[no], level=self.before, control="programme")
        if self.at_us - self.repeated_us >= REPORT_US:
            self._repeat()
        self.acts.tick()
        assert self.engine.automations.faults == {}
        self.engine.settle()
        for offer in () if self.deaf else self.engine.commands.offers(1, self.at_us):
            command = offer.command
            if command.order.action is Luminaire.release:
                for no in command.order.assets[offer.rows].tolist():
                    del self.ends[no]
                    self.released.append((no, self.at_us))
                    self.say(self.engine.registry.ids[no], level=self.before, control="programme")
                continue
            level, until_us = command.order.params["level"], command.order.until_us or 0
            for no in command.order.assets[offer.rows].tolist():
                if command.is_automatic:
                    self.given.append((no, float(level), self.at_us, until_us))
                self.ends[no] = until_us
                self.say(self.engine.registry.ids[no], level=float(level), control="order")
        self.acts.note_orders()
        self.engine.settle()

    def _repeat(self) -> None:
        """Lamps that are not silent say again how they stand."""
        self.repeated_us = self.at_us
        for id in [id for id, lamp in self.lamps.items() if not lamp.silent]:
            number = np.array([self.engine.registry.numbers[id]])
            level = float(self.engine.value(Luminaire, Luminaire.level, number)[0])
            control = int(self.engine.value(Luminaire, Luminaire.control, number)[0])
            self._send([(id, "level", level, self.at_us), (id, "control", CONTROLS[control], self.at_us)])

    def walk(self, *, late_s: float = 0.0) -> None:
        """Somebody passes the sensor."""
        self.see(True, late_s=late_s)
        self.tick(1)
        self.see(False)

    def see(self, there: bool, *, late_s: float = 0.0) -> None:
        self.at_us += SECOND_US
        self._send([("s1", "motion", float(there), self.at_us - int(late_s * SECOND_US))])

    def drive(self, metres_north: float) -> None:
        """The bus says where it is: so far north of l0."""
        self.at_us += SECOND_US
        registry = self.engine.registry
        number = registry.numbers["b1"]
        slot = np.array([registry.slot(number, registry.kind_of(number).points["position"])])
        lat = np.array([47.3 + metres_north * M])
        batch = Batch(slot, np.array([self.at_us]), np.array([5.0]), lat, np.zeros(1, np.uint8))
        self.engine.react(self.engine.next_ingest, self.at_us, batch)
        self.tick(3)

    def dim(self, lamps: Sequence[int], level: float, lasts_s: float) -> Command:
        """An operator orders."""
        params = {"level": level, "until": rfc3339(self.at_us + int(lasts_s * SECOND_US))}
        select = Selection(assets=[f"l{n}" for n in lamps])
        everything = np.ones(self.engine.registry.count, np.bool_)
        return self.acts.order(self.acts.understood("luminaire.dim", params, select, everything), actor="u-op")

    def raised(self) -> list[int]:
        """The lamps that were raised, by their places in the lane, none twice."""
        return sorted({self.numbers.index(no) for no, *_ in self.given})


__all__ = ["APART_M", "LAMPS", "Lane", "rule", "to_us"]
