"""Sudden blockages: traffic that was there a few minutes ago, and is not any more.

At signals a queue stands before the line in each cycle, so neither a low speed nor a full loop says anything by itself.
What does is that nobody gets through: the vehicles of the last minutes are set against those of the quarter of an hour
before. Arrivals are taken as a Poisson process, of which so few as k where m come are no likelier than
exp(-(m - k + k ln(k / m))) (Chernoff's bound: Hoeffding, JASA 58, 1963); the exponent is halved, since signals let
vehicles through in platoons. An evening that grows quiet does so slowly, and no two of its minutes are so far apart.

Whether vehicles stand on the loop tells which side of it is blocked: beyond it they stand, before it nobody comes.
"""

from __future__ import annotations

import numpy as np

from vigie.core.kinds import ConditionKind, Outlet, Quality
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.service import City, Clear, Effect, Raise, Sweep
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US
from vigie.services.signals.kinds import Detector

TRAFFIC_BLOCKED = ConditionKind(name="traffic_blocked", service="signals", outlet=Outlet.ALARM, priority=3)

NOW_US = 4 * MINUTE_US
BEFORE_US = 20 * MINUTE_US
"""The last minutes are set against those from `BEFORE_US` to `NOW_US` ago."""

SAMPLES = 24
SAMPLES_NOW, SAMPLES_BEFORE = 3, 8
"""So many values there must be: a detector that tells its counts each two minutes or less often finds no blockage."""

APART_US = 45 * SECOND_US
"""Nor does one that tells them more often than this: a sweep sees the newest alone, and what was counted in a few
seconds says nothing of the half minute between two sweeps."""

LEFT = 0.3
"""At most this share of the traffic is left."""

EXPONENT = 10.0
"""Of the bound, halved: e^-10, one in twenty thousand. Three hundred vehicles an hour may be enough to find one."""

BACK = 0.6
"""The blockage is over when this share of what there was is back, or after `FORGOTTEN_US`: what was may be over too."""
FORGOTTEN_US = 2 * HOUR_US

STANDS_PERCENT = 35.0
"""Above this occupancy vehicles stand on the loop."""


class Incidents:
    """What the detectors counted in the last minutes, and where they say that traffic is blocked."""

    def __init__(self, city: City, now_us: int) -> None:
        self._inventory = -1
        self._assets: Int64s = np.empty(0, np.int64)
        self._at_us: Int64s = np.empty((0, SAMPLES), np.int64)
        self._flow: Floats = np.empty((0, SAMPLES))
        # What there was before it, by the detectors that find a blockage now.
        self._lost: dict[int, tuple[int, float]] = {
            each.asset: (each.at_us, float(each.evidence.get("usual_flow", 0.0)))
            for each in city.present(TRAFFIC_BLOCKED)
        }

    def sweep(self, city: City, now_us: int) -> list[Effect]:
        """Takes in what was counted since the last sweep, and tells what is blocked, and what no longer is."""
        self._follow(city)
        self._take(city)
        if not len(self._assets):
            return []
        newest_us = self._at_us[:, -1]
        age_us = newest_us[:, None] - self._at_us
        known = self._at_us > 0
        recent, before = known & (age_us < NOW_US), known & (age_us >= NOW_US) & (age_us < BEFORE_US)
        many = (recent.sum(1) >= SAMPLES_NOW) & (before.sum(1) >= SAMPLES_BEFORE)
        many &= _apart_us(self._at_us, recent | before) >= APART_US
        was, is_now = _mean(self._flow, before), _mean(self._flow, recent)
        fresh = now_us - newest_us < NOW_US
        minutes = NOW_US / MINUTE_US
        unlikely = _exponent(was / 60 * minutes, is_now / 60 * minutes) / 2 >= EXPONENT
        blocked = many & fresh & (is_now <= LEFT * was) & unlikely
        return self._raised(city, blocked, was, is_now) + self._cleared(fresh & (recent.sum(1) > 0), is_now, now_us)

    def _follow(self, city: City) -> None:
        """Keeps a row for each detector that is in service."""
        if city.inventory == self._inventory:
            return
        assets = city.assets(Detector)
        at_us, flow = np.zeros((len(assets), SAMPLES), np.int64), np.full((len(assets), SAMPLES), np.nan)
        _, new, old = np.intersect1d(assets, self._assets, return_indices=True)
        at_us[new], flow[new] = self._at_us[old], self._flow[old]
        self._assets, self._at_us, self._flow, self._inventory = assets, at_us, flow, city.inventory
        there = set(assets.tolist())
        self._lost = {asset: lost for asset, lost in self._lost.items() if asset in there}

    def _take(self, city: City) -> None:
        newest = city.newest(Detector, Detector.flow, self._assets)
        works = city.value(Detector, Detector.working, self._assets) != 0
        vouched = ~np.isnan(newest.value) & (newest.quality != Quality.BAD) & works
        new = (newest.observed_us > self._at_us[:, -1]) & vouched
        self._at_us[new, :-1], self._flow[new, :-1] = self._at_us[new, 1:], self._flow[new, 1:]
        self._at_us[new, -1], self._flow[new, -1] = newest.observed_us[new], newest.value[new]

    def _raised(self, city: City, blocked: Mask, was: Floats, is_now: Floats) -> list[Effect]:
        rows = [row for row in np.flatnonzero(blocked).tolist() if int(self._assets[row]) not in self._lost]
        occupancy = city.value(Detector, Detector.occupancy, self._assets)
        effects: list[Effect] = []
        for row in rows:
            asset, at_us = int(self._assets[row]), int(self._at_us[row, -1])
            evidence: dict[str, float | str] = {"flow": round(float(is_now[row])), "usual_flow": round(float(was[row]))}
            if not np.isnan(occupancy[row]):
                evidence["blocked"] = "beyond" if occupancy[row] >= STANDS_PERCENT else "before"
            self._lost[asset] = at_us, float(was[row])
            effects.append(Raise(TRAFFIC_BLOCKED, asset, at_us, evidence))
        return effects

    def _cleared(self, heard: Mask, is_now: Floats, now_us: int) -> list[Effect]:
        row_of = {asset: row for row, asset in enumerate(self._assets.tolist())}
        effects: list[Effect] = []
        for asset, (since_us, was) in list(self._lost.items()):
            row = row_of[asset]
            back = bool(heard[row]) and float(is_now[row]) >= BACK * was
            if back or now_us - since_us > FORGOTTEN_US:
                at_us = int(self._at_us[row, -1]) if back else now_us
                del self._lost[asset]
                effects.append(Clear(TRAFFIC_BLOCKED, asset, at_us))
        return effects


def _mean(values: Floats, among: Mask) -> Floats:
    """The mean of each row's values; 0 where there is none."""
    total: Floats = np.where(among, values, 0.0).sum(1)
    return total / np.maximum(among.sum(1), 1)


def _exponent(expected: Floats, found: Floats) -> Floats:
    """What makes so few vehicles unlikely: the exponent of Chernoff's bound, 0 where there are not fewer."""
    ratio = np.maximum(found, 1e-9) / np.maximum(expected, 1e-9)
    exponent: Floats = np.where(found < expected, expected - found + found * np.log(ratio), 0.0)
    return exponent


def _apart_us(at_us: Int64s, among: Mask) -> Floats:
    """How far apart each row's values are, in the mean; 0 for fewer than two."""
    first = np.where(among, at_us, np.iinfo(np.int64).max).min(1)
    last = np.where(among, at_us, 0).max(1)
    count = among.sum(1)
    apart: Floats = np.where(count > 1, (last - first) / np.maximum(count - 1, 1), 0.0)
    return apart


BLOCKAGES = Sweep(lambda city, now_us: Incidents(city, now_us).sweep, {})
