"""The circuits of the demo, as whoever plans them would have written them."""

from __future__ import annotations

import numpy as np

from vigie.core.arrays import ints
from vigie.core.hours import DAYS
from vigie.services.roads.rounds.circuits import STATION, Circuit, Stretch, Task
from vigie.sim.city import City
from vigie.sim.city.facts import COMMUNES
from vigie.sim.city.inventory import AREAS, asset_id
from vigie.sim.city.network import SECONDARY
from vigie.sim.city.rounds import TRADES, Round, Trade
from vigie.sim.life.others import ROAD_EACH

_WORDS: dict[Task, str] = {"sweeping": "Balayage", "collection": "Collecte", "salting": "Salage"}
_DUE_STEP_MIN, _SPARE_MIN = 15, 20
"""The main streets are due when they are driven, and so much later."""
_STATION_M = 6_000.0
_ANSWER = (
    "Entre deux tronçons qui ne se touchent pas, le véhicule passe par des rues déjà faites ou d'un autre circuit."
)


def documents(city: City) -> list[Circuit]:
    """Those that the simulated vehicles drive."""
    return [
        _document(city, n, each, trade)
        for trade in TRADES
        for n, each in enumerate((each for each in city.rounds.circuits if each.trade == trade), 1)
    ]


def _document(city: City, number: int, driven: Round, trade: Trade) -> Circuit:
    network = city.network
    # It is called after what is longest of it.
    longest = int(np.bincount(network.name_of[driven.streets], network.length_m[driven.streets]).argmax())
    place = f"{COMMUNES[driven.commune].name}, {network.names[longest]}"
    return Circuit(
        f"{_WORDS[trade.task]} {number:02d} · {place}",
        trade.task,
        tuple(
            Stretch(asset_id("street", arc), due_min=due_min)
            for arc, due_min in zip(ints(driven.streets), _due_min(city, driven), strict=True)
        ),
        area=AREAS[driven.commune],
        hours=_hours(driven),
        station=_station(city, driven) if trade.task == "salting" else "",
        answer=_ANSWER,
    )


def _hours(driven: Round) -> str:
    """When a circuit is driven, day for day; nothing where that is when it is cold."""
    if driven.begins_min is None:
        return ""
    span = "-".join(f"{each // 60:02d}:{each % 60:02d}" for each in (driven.begins_min, driven.ends_min))
    first, last = driven.days[0], driven.days[-1]
    if driven.days == tuple(range(first, last + 1)):
        return f"{DAYS[first]}-{DAYS[last]} {span}"
    return "; ".join(f"{DAYS[day]} {span}" for day in driven.days)


def _station(city: City, driven: Round) -> str:
    """The nearest weather station with sensors in a road; nothing where none is near: then the post looks for one."""
    spots = city.weather.xy[::ROAD_EACH]
    middle = city.network.nodes[city.network.tail[driven.streets]].mean(0)
    far_m = np.hypot(*(spots - middle).T)
    nearest = int(far_m.argmin())
    return asset_id(STATION, nearest * ROAD_EACH) if far_m[nearest] <= _STATION_M else ""


def _due_min(city: City, driven: Round) -> list[int | None]:
    """Of each street, when it is to be done, if it is a main street of a circuit with hours."""
    if driven.begins_min is None:
        return [None] * len(driven.streets)
    main = (city.network.rank[driven.streets] <= SECONDARY).tolist()
    arcs, legs = np.unique(driven.arc, return_index=True)
    planned_min = driven.clock_s[1:][legs[np.searchsorted(arcs, driven.streets)]] / 60
    due_min = (np.ceil((planned_min + _SPARE_MIN) / _DUE_STEP_MIN) * _DUE_STEP_MIN).astype(np.int64)
    return [each if is_main else None for each, is_main in zip(ints(due_min), main, strict=True)]
