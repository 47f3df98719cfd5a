"""A year of gateways held against the programmes that were in force: how long lamps were at another level, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from bench.gateways import NO_OTHER_SUN, Field, Line, Own, Sun
from bench.steps import Steps, apart_us
from vigie.api.talq.health import WRONG_US
from vigie.core.observations import Int64s
from vigie.services.lighting.programmes.layers import Group, Sunlit, groups, schedule
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.park import Park


@dataclass
class Sums:
    """What a year came to. lamp_us: of all lamps. wrong_us: by cause. of: by gateway, the share that was right. nights:
    of each gateway, by lamp and night, how long it was wrong."""

    lamp_us: int = 0
    wrong_us: dict[str, int] = field(default_factory=dict[str, int])
    of: dict[str, float] = field(default_factory=dict[str, float])
    nights: dict[str, Int64s] = field(default_factory=dict[str, Int64s])

    @property
    def right(self) -> float:
        """The share of lamp-minutes at the right level, in per cent."""
        return 100 * (1 - sum(self.wrong_us.values()) / self.lamp_us)


ROUNDED, SUN, CLOCKS, UNTOLD, FORGOT, LOST, ON_ITS_WAY = (
    "rounding to minutes", "the gateways' own suns", "wrong clocks until they are set right",
    "clocks too little wrong to be told", "what gateways held was gone", "changes while gateways were lost",
    "changes on their way",
)  # fmt: skip


class Judge:
    """Holds what was against what should have been."""

    def __init__(self, gateways: Field, park: Park, in_force: Line, nights: Nights, span: tuple[int, int]) -> None:
        """in_force: the layers, and since when. nights: more than lie in the span."""
        self._field, self._span = gateways, span
        self._noons = np.append(nights.bounds_us[0], nights.bounds_us[1][-1])
        self._editions = [
            (at_us, groups(park, layers), layers) for at_us, layers in zip(in_force.at_us, in_force.what, strict=True)
        ]
        self._group_of = [_group_of(found, len(park)) for _, found, _ in self._editions]
        self._sunlit = Sunlit(nights)
        self._true: dict[tuple[int, int], Steps] = {}
        self._rows = {id: row for row, id in enumerate(park.ids)}

    def sums(self) -> Sums:
        """All of it."""
        found = Sums(wrong_us=dict.fromkeys((ROUNDED, SUN, CLOCKS, UNTOLD, FORGOT, LOST, ON_ITS_WAY), 0))
        for own in self._field.own.values():
            self._judge(own, found)
        return found

    def _judge(self, own: Own, found: Sums) -> None:
        from_us, until_us = self._span
        assets = {each.address: each.name for each in own.devices}
        rows = np.array([self._rows[assets[device]] for device, _ in own.lamps])
        nights = np.zeros((len(rows), len(self._noons) - 1), np.int64)
        starts = [at_us for at_us, _, _ in self._editions]
        cuts = {*starts, *own.held.at_us, *own.clock.at_us, *own.lost.at_us, *own.forgot_us, until_us}
        bounds = [from_us, *sorted(each for each in cuts if from_us < each <= until_us)]
        for first_us, after_us in pairwise(bounds):
            edition = max(n for n, at_us in enumerate(starts) if at_us <= first_us)
            next_us = starts[edition + 1] if edition + 1 < len(starts) else until_us
            held, wanted, ahead_us = own.held.of(first_us), own.wanted.of(next_us - 1), own.clock.of(first_us)
            kinds = np.stack([self._group_of[edition][rows], held, wanted], 1)
            alike, which = np.unique(kinds, axis=0, return_inverse=True)
            for number, (group, code, right) in enumerate(alike.tolist()):
                members = np.flatnonzero(which.ravel() == number)
                true = self._steps(edition, group)
                span = (first_us, after_us)
                whole = self._apart(true, code, ahead_us, own.sun, span)
                nights[members] += whole
                by_clock = self._apart(true, code, 0, own.sun, span) if ahead_us else whole
                by_rest = self._apart(true, right, 0, own.sun, span) if code != right else by_clock
                rounded = self._apart(true, right, 0, NO_OTHER_SUN, span)
                clocks = CLOCKS if abs(ahead_us) > WRONG_US else UNTOLD
                why = self._cause(own, starts[edition], first_us)
                parts = ((clocks, whole - by_clock), (why, by_clock - by_rest), (SUN, by_rest - rounded))
                for cause, us in (*parts, (ROUNDED, rounded)):
                    found.wrong_us[cause] += len(members) * int(us.sum())
        found.nights[own.name] = nights
        lamp_us = len(rows) * (until_us - from_us)
        found.lamp_us += lamp_us
        found.of[own.name] = 100 * (1 - float(nights.sum()) / lamp_us)

    def _cause(self, own: Own, since_us: int, at_us: int) -> str:
        """Why what is held is not what is wanted: the last that happened to it."""
        if any(since_us <= each <= at_us for each in own.forgot_us):
            return FORGOT
        away = any(own.lost.what[n] for n, each in enumerate(own.lost.at_us) if since_us <= each <= at_us)
        return LOST if away or own.lost.of(since_us) else ON_ITS_WAY

    def _steps(self, edition: int, group: int) -> Steps:
        if (edition, group) not in self._true:
            _, found, layers = self._editions[edition]
            self._true[edition, group] = Steps.of(schedule(found[group], layers, self._sunlit))
        return self._true[edition, group]

    def _apart(self, true: Steps, code: int, ahead_us: int, sun: Sun, span: tuple[int, int]) -> Int64s:
        held = self._field.library.levels(code, span[0] + ahead_us, span[1] + ahead_us, sun)
        return apart_us(true, held.moved(-ahead_us), *span, self._noons)


def _group_of(found: Sequence[Group], count: int) -> Int64s:
    which = np.zeros(count, np.int64)
    for number, group in enumerate(found):
        which[group.rows] = number
    return which
