"""Orders on real stores, with a gateway that speaks for every asset and a clock in the test's hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.city import LAMPS, NOW_US, SeededDice, batch, drafts, open_engine, open_facts, open_observations, take
from vigie.core.facts import DeviceAdmitted, Entry
from vigie.core.times import HOUR_US, SECOND_US, rfc3339
from vigie.engine.acts import Acts
from vigie.engine.command import Command
from vigie.engine.selection import Selection

OPERATOR, SECOND, CREW = "u-operator", "u-second", "u-crew"
GATEWAY = 1


class HandClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at_us = NOW_US

    def now_us(self) -> int:
        """Where it was set."""
        return self.at_us


class Bench:
    """An engine on real stores, with a gateway that speaks for every asset, and a clock in the test's hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts, self.observations = open_facts(folder), open_observations(folder)
        take(self.facts, drafts())
        numbers = [row[0] for row in self.facts.registry_rows()]
        admitted = DeviceAdmitted(id="gw", at=NOW_US, actor="test", device="gw", count=len(numbers), items="")
        self.facts.commit([Entry(admitted, payload=(b"d" * 32, numbers))])
        self.clock = HandClock()
        self.dice = SeededDice(7)
        self.engine = open_engine(self.facts, self.observations)
        self.acts = Acts(self.engine, self.facts, self.clock, self.dice)
        # All lamps burn a little: what goes out to lamps that are dark is paced (tests/engine/test_pace.py).
        self.clock.at_us -= 3 * HOUR_US
        self.report(range(LAMPS), 5.0)
        self.clock.at_us = NOW_US

    def close(self) -> None:
        self.facts.close()
        self.observations.close()

    def restart(self) -> None:
        """As after a kill: what is on disk is all there is."""
        self.close()
        self.facts, self.observations = open_facts(self.folder), open_observations(self.folder)
        self.engine = open_engine(self.facts, self.observations, now_us=self.clock.at_us)
        self.acts = Acts(self.engine, self.facts, self.clock, self.dice)

    def later(self, seconds: float) -> None:
        self.clock.at_us += int(seconds * SECOND_US)

    def dim(
        self,
        level: float,
        *,
        lamps: Any = range(LAMPS),
        actor: str = OPERATOR,
        key: str = "",
        until_us: int | None = None,
    ) -> Command:
        params = {"level": level} | ({} if until_us is None else {"until": rfc3339(until_us)})
        return self.give("luminaire.dim", params, [f"luminaire-{n:06d}" for n in lamps], actor=actor, key=key)

    def give(self, action: str, params: Any, ids: list[str], *, actor: str = OPERATOR, key: str = "") -> Command:
        """Any order, given for a reason and confirmed at once."""
        everything = np.ones(self.engine.registry.count, np.bool_)
        order = self.acts.understood(action, params, Selection(assets=ids), everything)
        command = self.acts.order(order, actor=actor, reason="a test", key=key)
        if command.state == "proposed":
            self.acts.confirm(command, actor)
        self.engine.settle()
        return command

    def pick_up(self, reporter: int = GATEWAY) -> list[str]:
        offers = self.engine.commands.offers(reporter, self.clock.at_us)
        self.acts.note_orders()
        self.engine.settle()
        ids = self.engine.registry.ids
        return [ids[int(no)] for offer in offers for no in offer.command.order.assets[offer.rows]]

    def report(self, lamps: Any, level: float, *, control: str = "", observed_us: int | None = None) -> None:
        """The lamps say their level, and what rules it where they know; observed now unless said otherwise."""
        at = self.clock.at_us if observed_us is None else observed_us
        said: list[tuple[str, str, float | str, int]] = [(f"luminaire-{n:06d}", "level", level, at) for n in lamps]
        if control:
            said += [(f"luminaire-{n:06d}", "control", control, at) for n in lamps]
        self.say(said)

    def say(self, said: list[tuple[str, str, float | str, int]]) -> None:
        """Devices say anything: (asset, point, value, observed_us)."""
        rows = batch(self.engine, said)
        number = self.engine.next_ingest
        self.engine.record(number, self.clock.at_us, rows)
        self.engine.react(number, self.clock.at_us, rows)
        self.engine.settle()

    def tick(self) -> None:
        self.acts.tick()
        assert self.engine.automations.faults == {}
        self.engine.settle()

    def stored(self, command: Command) -> dict[str, int]:
        found = self.facts.orders.find(command.id)
        assert found is not None
        return dict(found.counts)
