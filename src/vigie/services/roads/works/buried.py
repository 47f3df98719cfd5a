"""Requests about buried networks, and by when each must be answered.

Whoever plans works (DT) or is about to begin them (DICT) asks each operator of buried networks there; lighting is one.
A DT is answered within nine days of its reception, fifteen where it did not come electronically; a DICT within seven,
or nine. Public holidays do not count (Code de l'environnement, R554-22 and R554-26).

Public lighting is a network that is sensitive for safety (R554-2): works there may not begin before its answer to the
DICT has come. Who has none in time renews the DICT, and it is to be answered within two working days (R554-26). The day
that was missed stays missed, and so the alarm stands until it is answered.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct

from vigie.core.arrays import ints
from vigie.core.calendar import EPOCH_DAY, Calendar
from vigie.core.cases import CaseKind, Level, Lies, Move, Opened, Private
from vigie.core.ground import metres
from vigie.core.kinds import ConditionKind, Outlet
from vigie.core.lives import BURIED as LIFE
from vigie.core.refusals import Refusal
from vigie.core.scope import lies_in
from vigie.core.service import City, Clear, Effect, Numbers, Raise
from vigie.core.times import rfc3339, to_us
from vigie.services.roads.works.permits import Line, Stretch

Sort = Literal["dt", "dict"]

DAYS: Mapping[tuple[Sort, bool], int] = {("dt", True): 9, ("dt", False): 15, ("dict", True): 7, ("dict", False): 9}
"""How many days there are to answer, by what is asked and whether it came electronically."""

Corner = tuple[Annotated[float, Meta(ge=-180, le=180)], Annotated[float, Meta(ge=-90, le=90)]]


class Buried(Struct, frozen=True, forbid_unknown_fields=True):
    """The document of a request.

    asker_name: who asks. organisation: whether that is one; a person's name is kept where it can be erased. kind: what
    is asked. number: of the consultation. received: the day on which it came. electronic: whether it came by the
    national service or by mail in its form. area: longitude and latitude of the corners within which works are to be;
    stretches: or the parts of streets. answer: what is answered.
    """

    asker_name: Line = ""
    kind: Sort = "dt"
    number: Line = ""
    received: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$")] = ""
    electronic: bool = True
    area: Annotated[tuple[Corner, ...], Meta(max_length=200)] = ()
    stretches: Annotated[tuple[Stretch, ...], Meta(max_length=50)] = ()
    answer: Literal["", "concerned", "not_concerned", "conditional"] = ""
    organisation: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for a day that is none or a slip of the pen, and for an area without an inside."""
        if self.received and not 2000 <= date.fromisoformat(self.received).year <= 2200:
            raise ValueError(f"nothing was received on {self.received}")
        if 0 < len(self.area) < 3:
            raise ValueError("an area has three corners or more")

    @property
    def published_name(self) -> str:
        """Who asks, where that is an organisation."""
        return self.asker_name if self.organisation else ""


def last_day(sort: Sort, received: date, electronic: bool, holidays: Mapping[int, str]) -> date:
    """The last day on which a request may be answered. holidays: public ones, by their numbers."""
    day, left = received, DAYS[sort, electronic]
    while left:
        day += timedelta(days=1)
        left -= (day - EPOCH_DAY).days not in holidays
    return day


def _due(request: Buried, state: str, opened_us: int, calendar: Calendar) -> int | None:
    if not request.received:
        return None
    last = last_day(request.kind, date.fromisoformat(request.received), request.electronic, calendar.public)
    return to_us(datetime.combine(last + timedelta(days=1), time(), calendar.zone))


def _allows(request: Buried, state: str, event: str) -> Refusal | None:
    return Refusal("roads.buried_unsaid") if event == "answer" and not request.answer else None


def _lies(request: Buried) -> Lies:
    if request.stretches:
        return Lies(tuple(dict.fromkeys(each.street for each in request.stretches)))
    if not request.area:
        return Lies(near=NEAR)
    lon, lat = (math.fsum(corner[n] for corner in request.area) / len(request.area) for n in range(2))
    return Lies((), lon, lat, NEAR)


NEAR = ("street", "cabinet", "luminaire")
"""What may stand for an area on the map of alarms: the nearest of them."""

BURIED = CaseKind(
    name="buried",
    service="roads",
    life=LIFE,
    moves={
        "answer": Move(),
        "withdraw": Move(reason=True),
        "reopen": Move(reason=True),
        "archive": Move(by_post=True),
    },
    form=Buried,
    categories={"lighting": "lighting", "signals": "signals"},
    levels={priority: Level(7 * 24, working=False) for priority in (1, 2, 3, 4)},
    settles_days=90,
    private={"asker_name": Private("whom to answer", lambda request: request.published_name)},
    allows=_allows,
    lies=_lies,
    due=_due,
    by_law=True,
)

BURIED_OVERDUE = ConditionKind(name="buried_overdue", service="roads", outlet=Outlet.ALARM, priority=2)
"""A request about buried networks is past its legal day without an answer: works wait for it, or were planned without
knowing where our cables are."""


class Overdue:
    """Says which requests should have been answered by now, and remembers what stands for those that are about nothing
    of the inventory: to look for that again each time would take long."""

    def __init__(self) -> None:
        self._nearest: dict[str, tuple[tuple[float, float, str], int]] = {}
        self._inventory = -1

    def __call__(self, cases: Sequence[Opened], city: City, now_us: int) -> list[Effect]:
        """The alarms, at what each request is about, or what is nearest to it; cleared once none is left there, and
        where the one that it names is answered and another is not: then the next look raises it anew."""
        waiting = [case for case in cases if case.kind is BURIED and not case.is_over and case.due_us <= now_us]
        self._forget(waiting, city)
        late: dict[int, Opened] = {}
        for case in waiting:
            asset = case.assets[0] if case.assets else self._stands_for(case, city)
            known = late.get(asset)
            if asset and (known is None or (case.due_us, case.no) < (known.due_us, known.no)):
                late[asset] = case
        told = {each.asset: each.evidence.get("number") for each in city.present(BURIED_OVERDUE)}
        over = sorted(asset for asset, no in told.items() if asset not in late or late[asset].no != no)
        return [
            *(
                Raise(BURIED_OVERDUE, asset, now_us, {"number": case.no, "due": rfc3339(case.due_us)})
                for asset, case in sorted(late.items())
                if asset not in told
            ),
            *(Clear(BURIED_OVERDUE, asset, now_us) for asset in over),
        ]

    def _stands_for(self, case: Opened, city: City) -> int:
        where = (case.lon, case.lat, case.area)
        known, asset = self._nearest.get(case.id, (None, 0))
        if known != where:
            asset = _nearest(case, city)
            self._nearest[case.id] = (where, asset)
        return asset

    def _forget(self, waiting: Sequence[Opened], city: City) -> None:
        """Forgets what is not asked for any more, and what is not in service any more."""
        ids = {case.id for case in waiting}
        self._nearest = {name: each for name, each in self._nearest.items() if name in ids}
        if self._nearest and self._inventory != city.inventory:
            there = {*ints(_candidates(city))}
            self._nearest = {name: each for name, each in self._nearest.items() if each[1] in there}
        self._inventory = city.inventory


def _candidates(city: City) -> Numbers:
    kinds = [kind for name in NEAR if (kind := city.kind_named(name)) is not None]
    return np.concatenate([np.empty(0, np.int64), *(city.assets(kind) for kind in kinds)])


def _nearest(case: Opened, city: City) -> int:
    """What stands for a request that is about nothing of the inventory: what is nearest to it, however far, in the
    narrowest area around it that has something, for there the alarm is seen by whoever sees the request; the post
    itself where the town has none of `NEAR`."""
    there = _candidates(city)
    lon, lat = city.places(there)
    far_m = np.hypot(*metres(lon - case.lon, lat - case.lat, middle_lat=case.lat).T)
    areas = city.areas(there)
    within = case.area
    while True:
        inside = [area for area in ints(np.unique(areas)) if lies_in(city.area_path(area), within)]
        own_m = np.where(np.isin(areas, inside), far_m, np.nan)
        if np.isfinite(own_m).any():
            return int(there[np.nanargmin(own_m)])
        if not within:
            break
        within = within.rpartition("/")[0]
    post = city.kind_named("post")
    return 0 if post is None else next(iter(ints(city.assets(post))), 0)
