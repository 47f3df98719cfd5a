"""The circuits of the demo, as whoever plans them would have written them."""

from __future__ import annotations

from math import ceil

import numpy as np

from vigie.core.arrays import ints
from vigie.services.roads.rounds.circuits import Circuit, Stretch, Task
from vigie.sim.city import City
from vigie.sim.city import circuits as driven
from vigie.sim.city.facts import COMMUNES
from vigie.sim.city.inventory import AREAS, asset_id
from vigie.sim.city.network import SECONDARY

_WORDS: dict[Task, str] = {"sweeping": "Balayage", "collection": "Collecte", "salting": "Salage"}
_DUE_STEP_MIN, _SPARE_MIN = 15, 20
"""The main streets are due when they are driven, and so much later."""
_ANSWER = "Entre deux tronçons qui ne se touchent pas, le véhicule passe par des rues déjà faites du même circuit."


def documents(city: City) -> list[Circuit]:
    """Those that the simulated vehicles drive."""
    return [_document(city, n, each) for n, each in enumerate(driven.circuits(city), 1)]


def _document(city: City, number: int, circuit: driven.Circuit) -> Circuit:
    trade, network = circuit.trade, city.network
    first = int(circuit.streets[int(np.argmin(network.rank[circuit.streets]))])
    hours = "" if circuit.hours is None else "mon-sun {:02d}:00-{:02d}:00".format(*circuit.hours)
    place = f"{COMMUNES[circuit.commune].name}, {network.names[int(network.name_of[first])]}"
    return Circuit(
        f"{_WORDS[trade.task]} {number} · {place}",
        trade.task,
        tuple(Stretch(asset_id("street", arc), due_min=_due_min(city, circuit, arc)) for arc in ints(circuit.streets)),
        area=AREAS[circuit.commune],
        hours=hours,
        answer=_ANSWER,
    )


def _due_min(city: City, circuit: driven.Circuit, arc: int) -> int | None:
    """Of a main street of a circuit with hours, when it is to be done; None for any other."""
    if circuit.hours is None or city.network.rank[arc] > SECONDARY:
        return None
    leg = int(np.argmax(circuit.arc == arc)) + 1
    planned_min = float(circuit.course.node_at_m[leg]) / circuit.trade.speed_m_s / 60
    return ceil((planned_min + _SPARE_MIN) / _DUE_STEP_MIN) * _DUE_STEP_MIN
