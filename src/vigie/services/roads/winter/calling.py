"""Which salting circuits are called out: a work order each, for a night.

An order says that the circuit is to be driven, and by when. Who drives it is for a dispatcher to say. How far it is,
the round itself tells (`rounds`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import numpy as np

from vigie.core.arrays import ints
from vigie.core.cases import CaseEffect, MoveOn, Open, Opened
from vigie.core.ground import metres
from vigie.core.observations import Floats
from vigie.core.service import City, Present
from vigie.core.times import HOUR_US, MINUTE_US, from_us
from vigie.services.roads.orders import LIFE, WORK_ORDER, WorkOrder
from vigie.services.roads.rounds.circuits import Circuit
from vigie.services.roads.winter.risk import judge
from vigie.services.roads.winter.stations import ICE_RISK, cooler, readings, speaking, station_kind

STREET = "street"
"""The kind of the streets, whichever service owns it."""
FAR_M = 15_000.0
"""No station further away says anything of a circuit."""
THERE_US = HOUR_US
"""Nobody is out sooner than so long after they are called."""
TAKES_MIN = 120
PRIORITY, CATEGORY = 1, "winter"


def source_of(plan_id: str) -> str:
    """The source of the orders by which a circuit is called out."""
    return f"ice:{plan_id}"


def night_of(at_us: int, city: City) -> int:
    """The night that an instant is of, by a number: from noon to noon by the town's clock."""
    return (from_us(at_us).astimezone(city.zone) - timedelta(hours=12)).date().toordinal()


def called(plans: Iterable[tuple[str, Circuit]], city: City, cases: Sequence[Opened], now_us: int) -> list[CaseEffect]:
    """The orders for salting circuits that ice asks for now. plans: the circuits in force, by their ids.

    A circuit has one order a night. One that lapsed, or was cancelled, is opened again where ice is found anew in the
    same night; one that was done is not: whether salt lies there still is for a person to say. An order that nobody was
    given lapses when its station says that ice is over.
    """
    salted = sorted((plan for plan in plans if plan[1].task == "salting"), key=lambda each: each[0])
    present = {each.asset: each for each in city.present(ICE_RISK)} if salted else {}
    open_orders = any(case.source.startswith(source_of("")) and case.state == LIFE.first for case in cases)
    if not present and not open_orders:
        return []
    stations = _Stations(city, present, now_us)
    effects: list[CaseEffect] = []
    for plan_id, circuit in salted:
        own = [case for case in cases if case.source == source_of(plan_id)]
        station = stations.of(circuit)
        found = present.get(station)
        if found is not None:
            effects += _called(plan_id, circuit, own, found, stations, now_us)
        elif station in stations.well:
            effects += (MoveOn(case.id, "lapse") for case in own if case.state == LIFE.first)
    return effects


def _called(
    plan_id: str, circuit: Circuit, own: Sequence[Opened], found: Present, stations: _Stations, now_us: int
) -> list[CaseEffect]:
    night = night_of(now_us, stations.city)
    tonight = [each for each in own if not each.is_over or night_of(each.opened_us, stations.city) == night]
    if tonight:
        last = max(tonight, key=lambda each: (not each.is_over, each.moved_us, each.id))
        return [MoveOn(last.id, "reopen")] if last.state == "cancelled" and found.at_us > last.moved_us else []
    first = stations.first_street(circuit)
    if not first:
        return []
    minutes = found.evidence.get("ice_in_min", 0.0)
    ahead_us = int(minutes * MINUTE_US) if isinstance(minutes, float) else 0
    due_us = max(found.at_us + ahead_us, now_us + THERE_US)
    document = WorkOrder(takes_min=TAKES_MIN)
    return [Open(WORK_ORDER, source_of(plan_id), CATEGORY, PRIORITY, (first,), document, circuit.name, due_us)]


class _Stations:
    """Which station speaks for a circuit. well: those that say that there is no ice, by a degree."""

    def __init__(self, city: City, present: Mapping[int, Present], now_us: int) -> None:
        self.city = city
        kind = station_kind(city)
        every = city.assets(kind) if kind is not None else np.empty(0, np.int64)
        said = readings(city, kind, every, now_us) if kind is not None else []
        # Where ice was found is asked though it is silent now.
        speaks = speaking(city, kind, every, said) if kind is not None else []
        asked = [each or no in present for no, each in zip(ints(every), speaks, strict=True)]
        self._numbers = every[np.array(asked, np.bool_)] if len(every) else every
        self._lon, self._lat = city.places(self._numbers)
        self.well = {
            no
            for no, each in zip(ints(every), said, strict=True)
            if no not in present and judge(each).level != "not_known" and not judge(cooler(each)).calls
        }
        names = city.ids(every)
        self._of_name = dict(zip(names, ints(every), strict=True))
        street = city.kind_named(STREET)
        streets = city.assets(street) if street is not None else np.empty(0, np.int64)
        self._street = dict(zip(city.ids(streets), ints(streets), strict=True))

    def first_street(self, circuit: Circuit) -> int:
        """The number of the first street of a circuit that the inventory has, 0 for none."""
        return next((self._street[each.street] for each in circuit.streets if each.street in self._street), 0)

    def of(self, circuit: Circuit) -> int:
        """The station that a circuit names, or the one that is nearest to its first street; 0 for none."""
        if circuit.station:
            return self._of_name.get(circuit.station, 0)
        first = self.first_street(circuit)
        if not first or not len(self._numbers):
            return 0
        lon, lat = self.city.places(np.array([first]))
        middle: float = float(lat[0])
        away: Floats = metres(self._lon - lon[0], self._lat - lat[0], middle_lat=middle)
        far_m = np.hypot(*away.T)
        nearest = int(np.argmin(far_m))
        return int(self._numbers[nearest]) if far_m[nearest] <= FAR_M else 0
