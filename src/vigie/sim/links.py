"""Simulated links from devices to the post: what is lost, late, said twice or in another order, and who is silent.

A reading goes two ways. By radio from its device to its gateway, where it can be lost for good, be late or be heard
twice. Then from the gateway to the post, in requests: a gateway keeps what was not acknowledged, up to a limit, and
sends it again with what is new, as `vigie.sim.devices` does; so a lost answer makes duplicates.

Nothing here keeps dice: each mishap is a hash of (seed, device or gateway, instant), as the life of the devices is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.times import DAY_US, SECOND_US
from vigie.sim.devices import ROWS_KEPT_MAX
from vigie.sim.life.columns import broken, key_of, normal, uniform
from vigie.sim.roll import NO_ROWS, Rows

_DEAD_BLOCK_US = DAY_US // 4


@dataclass(frozen=True, slots=True)
class Faults:
    """How bad the links are. Shares are of 0 to 1, times in seconds.

    lost: readings that no gateway hears. late, delay_s: readings that their gateway hears late, and by how much at
    most; most of them by far less. twice: readings that are heard a second time, up to delay_s later. shuffled:
    requests whose readings come in another order. request_lost, answer_lost: requests that do not arrive, and those
    whose answer does not. outage: gateways that are cut off in a quarter of a day, for 1 to 40 minutes. dead: devices
    that say nothing for a quarter of a day, and do nothing either. gateway_skew_s, device_skew_s: standard deviations
    of their clocks. astray: devices whose clock is wrong for good, either way, by a minute to astray_s.
    """

    lost: float = 0.0
    late: float = 0.0
    delay_s: float = 0.0
    twice: float = 0.0
    shuffled: float = 0.0
    request_lost: float = 0.0
    answer_lost: float = 0.0
    outage: float = 0.0
    dead: float = 0.0
    gateway_skew_s: float = 0.0
    device_skew_s: float = 0.0
    astray: float = 0.0
    astray_s: float = 14_400.0


FLAWLESS = Faults()
"""All arrives, once and at once."""

ROUGH = Faults(
    lost=0.003, late=0.05, delay_s=90, twice=0.01, shuffled=0.2, request_lost=0.02, answer_lost=0.02, outage=0.15,
    dead=0.01, gateway_skew_s=5, device_skew_s=0.5,
)  # fmt: skip
"""A bad day for radio and network."""


class Links:
    """All links of a city at once. One request of each gateway is under way at a time."""

    def __init__(self, seed: int, faults: Faults, reporter: NDArray[np.integer[Any]]) -> None:
        """reporter: of each asset, by its number, the number of its gateway."""
        self.faults = faults
        self.reporter: Int64s = reporter.astype(np.int64)
        """The gateway of each asset, by the asset's number."""
        self._gateways = np.arange(int(self.reporter.max(initial=0)) + 1)
        names = ("lost", "delay", "twice", "order", "request", "answer", "outage", "dead", "gateway", "device")
        self._key = {name: key_of(seed, f"link.{name}") for name in names}
        gateway_us = normal(self._key["gateway"], self._gateways, 0) * faults.gateway_skew_s * SECOND_US
        own_us = normal(self._key["device"], np.arange(len(reporter)), 0) * faults.device_skew_s * SECOND_US
        own_us = own_us + self._astray_us(len(reporter))
        self.skew_us: Int64s = gateway_us[self.reporter].astype(np.int64) + own_us.astype(np.int64)
        """How far the clock of each asset's device is ahead, by the asset's number."""
        self._heard: list[Rows] = []
        self._waiting = NO_ROWS
        self._under_way = np.empty(0, np.bool_)
        self.counts: Counter[str] = Counter()
        """What became of readings on their way: said, lost, silent, late, twice, sent, dropped."""

    def _astray_us(self, count: int) -> Floats:
        """How far the clocks are ahead that are wrong for good: as often by a few minutes as by hours."""
        faults, key, who = self.faults, self._key["device"], np.arange(count)
        far_s = 60.0 * (faults.astray_s / 60.0) ** uniform(key, who, 4)
        way = np.where(uniform(key, who, 5) < 0.5, -1, 1)
        return np.where(uniform(key, who, 6) < faults.astray, way * far_s * SECOND_US, 0.0)

    @property
    def waiting(self) -> int:
        """How many readings are kept for the next request, or have not come to their gateway yet."""
        return len(self._waiting) + sum(len(rows) for rows in self._heard)

    def silent(self, asset: Int64s, at_us: Int64s | int) -> Mask:
        """Whether each device is dead at an instant."""
        if not self.faults.dead:
            return np.zeros(len(asset), np.bool_)
        return uniform(self._key["dead"], asset, np.asarray(at_us, np.int64) // _DEAD_BLOCK_US) < self.faults.dead

    def open(self, at_us: int) -> Mask:
        """Which gateways reach the post at an instant, by their numbers."""
        faults, key = self.faults, self._key
        reached = np.ones(len(self._gateways), np.bool_)
        if faults.outage:
            reached &= ~broken(
                key["outage"], len(self._gateways), at_us, block_s=21_600, chance=faults.outage, least_s=60,
                most_s=2_400,
            )  # fmt: skip
        if faults.request_lost:
            reached &= uniform(key["request"], self._gateways, at_us) >= faults.request_lost
        return reached

    def answered(self, at_us: int) -> Mask:
        """Which gateways hear what the post answers to their request of an instant, by their numbers."""
        return uniform(self._key["answer"], self._gateways, at_us) >= self.faults.answer_lost

    def hear(self, said: Rows) -> None:
        """Takes what devices say: gateways hear it, later, twice or not at all."""
        self.counts["said"] += len(said)
        if self.faults != FLAWLESS and len(said):
            said = self._by_radio(said)
        if len(said):
            self._heard.append(said)

    def send(self, now_us: int) -> Rows:
        """The readings that come to the post at this instant. They stay kept until `acknowledge`."""
        self._waiting = Rows.joined([self._waiting, *self._heard]) if len(self._waiting) or self._heard else NO_ROWS
        self._heard.clear()
        rows = self._waiting
        if self.faults == FLAWLESS:
            self._under_way = np.ones(len(rows), np.bool_)
        else:
            self._under_way = (rows.heard_us <= now_us) & self.open(now_us)[self.reporter[rows.asset]]
            rows = self._shuffled(rows.take(self._under_way), now_us)
        self.counts["sent"] += len(rows)
        return rows

    def acknowledge(self, now_us: int) -> Rows:
        """The post has what was sent last. Returns the readings whose gateways hear of that, and keep them no more."""
        done = self._under_way
        if self.faults.answer_lost:
            done = done & self.answered(now_us)[self.reporter[self._waiting.asset]]
        whole = bool(done.all())
        told = self._waiting if whole else self._waiting.take(done)
        self._waiting = NO_ROWS if whole else self._waiting.take(~done)
        self._drop()
        self._under_way = np.zeros(len(self._waiting), np.bool_)
        return told

    def _by_radio(self, said: Rows) -> Rows:
        """What gateways hear of what devices say, and when; instants are the devices' own from here on."""
        faults, key, true_us = self.faults, self._key, said.observed_us
        silent = self.silent(said.asset, true_us)
        lost = ~silent & (uniform(key["lost"], said.asset, true_us) < faults.lost)
        self.counts["silent"] += int(silent.sum())
        self.counts["lost"] += int(lost.sum())
        said = said.take(~silent & ~lost)
        true_us = said.observed_us
        # A cube: most of those that are late are so by a few seconds, a few by all of it.
        chance = uniform(key["delay"], said.asset, true_us)
        late = chance < faults.late
        behind = (chance / (faults.late or 1.0)) ** 3 * faults.delay_s * SECOND_US
        heard_us = true_us + np.where(late, behind, 0).astype(np.int64)
        own_us = true_us + self.skew_us[said.asset]
        heard = Rows(said.asset, said.point, own_us, said.value, said.value2, heard_us)
        again = uniform(key["twice"], said.asset, true_us)
        twice = again < faults.twice
        self.counts["late"] += int(late.sum())
        self.counts["twice"] += int(twice.sum())
        if not twice.any():
            return heard
        after = (again[twice] / faults.twice * faults.delay_s * SECOND_US).astype(np.int64)
        copy = heard.take(twice)
        second = Rows(copy.asset, copy.point, copy.observed_us, copy.value, copy.value2, copy.heard_us + after)
        return Rows.joined([heard, second])

    def _shuffled(self, rows: Rows, now_us: int) -> Rows:
        """The same rows; those of some gateways' requests in another order."""
        if not self.faults.shuffled or not len(rows):
            return rows
        mixed = uniform(self._key["order"], self._gateways, now_us) < self.faults.shuffled
        place = np.flatnonzero(mixed[self.reporter[rows.asset]])
        order = np.arange(len(rows))
        turn = uniform(self._key["order"], rows.asset[place] * 64 + rows.point[place], rows.observed_us[place])
        order[place] = place[np.argsort(turn, kind="stable")]
        return rows.take(order)

    def _drop(self) -> None:
        """The oldest of what a gateway keeps give way to what is too much for it."""
        if len(self._waiting) <= ROWS_KEPT_MAX:
            return
        gateway = self.reporter[self._waiting.asset]
        kept = np.bincount(gateway, minlength=len(self._gateways))
        if kept.max() <= ROWS_KEPT_MAX:
            return
        order = np.lexsort((np.arange(len(gateway))[::-1], gateway))
        newest = np.arange(len(gateway)) - (np.cumsum(kept) - kept)[gateway[order]]
        keep = np.zeros(len(gateway), np.bool_)
        keep[order[newest < ROWS_KEPT_MAX]] = True
        self.counts["dropped"] += int((~keep).sum())
        self._waiting = self._waiting.take(keep)
