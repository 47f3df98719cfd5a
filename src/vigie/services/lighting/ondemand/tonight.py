"""What light on demand has done tonight, rule by rule, and what is left of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from vigie.core.calendar import EPOCH_DAY
from vigie.core.observations import Mask
from vigie.core.plans import Given, Known
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US
from vigie.services.lighting.ondemand.calls import LEAST_US
from vigie.services.lighting.ondemand.model import AUTOMATION, OnDemand, Trigger
from vigie.services.lighting.ondemand.rules import middle, spans
from vigie.services.lighting.ondemand.tally import Added, Tally, within
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.park import Park


class TonightAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """plan: the id of one rule in force, "" for all of them."""

    plan: Annotated[str, Meta(max_length=100)] = ""


class RuleTonight(msgspec.Struct, frozen=True):
    """A rule in force, as far as it speaks for lamps that you may see, since the noon before.

    hours: when it raises in this night, in seconds since the epoch. now: whether it may at this moment. lamps: how many
    it may raise. calls: how many sensors and buses it has answered. raises: how often one of its lamps was raised;
    raised: how many of them were; lit: how many are now. lamp_hours: how long, all together. last: when it gave its
    last order, in seconds since the epoch. most_raises, most_minutes: what the lamp has had that had most, all rules
    together. spent: how many of its lamps have had all that it gives them in a night.
    """

    plan: str
    name: str
    level: int
    triggers: list[Trigger]
    hours: list[tuple[int, int]]
    now: bool
    lamps: int
    calls: int
    raises: int
    raised: int
    lit: int
    lamp_hours: float
    last: int | None
    most_raises: int
    most_minutes: float
    spent: int


class Tonight(msgspec.Struct, frozen=True):
    """Every rule in force that speaks for a lamp that you may see, the highest level first. night: the day on which the
    night began."""

    night: date
    rules: list[RuleTonight]


def tonight(rules: Sequence[tuple[str, OnDemand]], park: Park, known: Known) -> Tonight:
    """What rules, by the ids of their plans, have done in the night that it is."""
    nights, now_us = Nights.at(known.now_us, known.calendar), known.now_us
    begin_us, end_us = (int(each[0]) for each in nights.bounds_us)
    tally, done = Tally(), {plan: _Done(np.zeros(len(park), np.bool_)) for plan, _ in rules}
    for given in within(known.given(AUTOMATION, begin_us), begin_us, end_us):
        added = tally.note(given)
        if (of := done.get(given.words.get("plan", ""))) is not None:
            of.note(given, added, park)
    tally.fit(park.no)
    found: list[RuleTonight] = []
    for plan, body in sorted(rules, key=lambda each: (-each[1].level, each[0])):
        mine, did = park.named(body), done[plan]
        own = park.no[mine]
        if not len(own):
            continue
        hours = spans(body, nights, middle(park))
        lasts = (tally.until_us[own] > now_us) & did.raised[mine]
        found.append(
            RuleTonight(
                plan=plan,
                name=body.name,
                level=body.level,
                triggers=list(body.triggers),
                hours=[(start // SECOND_US, end // SECOND_US) for start, end in hours],
                now=any(start <= now_us < end for start, end in hours),
                lamps=len(own),
                calls=did.calls,
                raises=did.raises,
                raised=int(did.raised.sum()),
                lit=int(lasts.sum()),
                lamp_hours=round(did.raised_us / HOUR_US, 2),
                last=did.last_us // SECOND_US if did.last_us else None,
                most_raises=int(tally.raises[own].max()),
                most_minutes=round(int(tally.raised_us[own].max()) / MINUTE_US, 1),
                spent=int(tally.spent(own, body, now_us + LEAST_US, now_us).sum()),
            )
        )
    return Tonight(EPOCH_DAY + timedelta(days=int(nights.days[0])), found)


@dataclass
class _Done:
    """What one rule has done. raised: which rows of the park."""

    raised: Mask
    calls: int = 0
    raises: int = 0
    raised_us: int = 0
    last_us: int = 0

    def note(self, given: Given, added: Added, park: Park) -> None:
        """One of its orders more."""
        rows = np.searchsorted(park.no, given.assets)
        # What was read of the park may be a moment older than the order.
        known = rows < len(park)
        known[known] = park.no[rows[known]] == given.assets[known]
        self.raised[rows[known]] = True
        self.calls += sum(int(given.words.get(each, "0")) for each in Trigger)
        self.raises += int(added.begun.sum())
        self.raised_us += int(added.longer_us.sum())
        self.last_us = given.at_us
