"""Circuits: the streets that are swept, salted or collected in, and when. Documents with versions, as all plans are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from vigie.core.ground import merged, metres
from vigie.core.hours import LENGTH_MAX as HOURS_LENGTH_MAX
from vigie.core.hours import HoursWrong, read
from vigie.core.plans import Drawn, Finding, Known, PlanKind
from vigie.core.scope import lies_in
from vigie.services.roads.matching.network import APART_M

STREETS_MAX = 3_000
ASSETS_TOLD = 50
ANSWER_LENGTH_MAX = 2_000

STATION = "weather_station"
"""The kind of what calls salting circuits out, whichever service owns it."""

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Task = Literal["sweeping", "salting", "collection"]
TASKS: Sequence[Task] = ("sweeping", "salting", "collection")
"""What is done on rounds; their places here are bits of what a vehicle does (`driving`)."""

Way = Literal["either", "along", "against", "both"]


class Stretch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A street of a circuit.

    street: the stretch in the inventory, by its id. way: which way it is driven: `along` its line, `against` it, `both`
    ways (a side each), or `either`, whichever. due_min: minutes from the beginning of a turn by which it is to be done;
    none: the turn's end.
    """

    street: Name
    way: Way = "either"
    due_min: Annotated[int, Meta(ge=1, le=1_440)] | None = None


class Circuit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A round that is driven again and again.

    name: what people call it. task: what is done on it. area: the part of the town that it lies in: who plans there may
    write it. hours: when it is driven, such as `mon-fri 05:00-11:00` by the town's clock; each span is a turn, and its
    end is when it is due. Empty: as need be, each day is a turn. streets: in the order in which they are driven.
    station: of a salting circuit, the weather station whose word calls it out, by its id; empty: the nearest.
    answer: what is answered in writing to what is found wrong.
    """

    name: Name
    task: Task
    streets: Annotated[tuple[Stretch, ...], Meta(min_length=1, max_length=STREETS_MAX)]
    area: Annotated[str, Meta(max_length=300)] = ""
    hours: Annotated[str, Meta(max_length=HOURS_LENGTH_MAX)] = ""
    station: Annotated[str, Meta(max_length=200)] = ""
    answer: Annotated[str, Meta(max_length=ANSWER_LENGTH_MAX)] = ""


def check(circuit: Circuit, plan: str, known: Known) -> list[Finding]:
    """Everything that is wrong with a circuit: streets that are not there, are outside its area, stand in it twice or
    are not driven that way; gaps; hours that say none; a name that another has."""
    found = [*_of_hours(circuit), *_of_station(circuit, known)]
    if any(each.id != plan and each.in_force and each.in_force.name == circuit.name for each in known.plans(CIRCUIT)):
        found.append(Finding("roads.circuit_name", True, detail={"name": circuit.name}))
    drawn = known.drawn()
    row = {id: n for n, id in enumerate(drawn.ids)}
    inside = [lies_in(area, circuit.area) for area in drawn.areas]
    there = [each for each in circuit.streets if each.street in row]
    found += told("roads.no_such_street", [each.street for each in circuit.streets if each.street not in row])
    outside = [each.street for each in there if not inside[int(drawn.area[row[each.street]])]]
    found += told("roads.street_elsewhere", outside)
    one_way = [each.street for each in there if drawn.one_way[row[each.street]] and each.way in ("against", "both")]
    found += told("roads.against_one_way", one_way)
    times = Counter(each.street for each in circuit.streets)
    found += told("roads.street_twice", [street for street, count in times.items() if count > 1])
    found += told("roads.circuit_gap", _gaps([(row[each.street], each) for each in there], drawn), refuses=False)
    return found


def told(rule: str, streets: Sequence[str], *, refuses: bool = True) -> list[Finding]:
    """What is wrong with some streets of a circuit; nothing where there are none."""
    return [Finding(rule, refuses, assets=list(streets[:ASSETS_TOLD]), count=len(streets))] if streets else []


def _of_hours(circuit: Circuit) -> Iterable[Finding]:
    if not circuit.hours:
        return
    try:
        read(circuit.hours)
    except HoursWrong as error:
        yield Finding("roads.circuit_hours", True, detail={"why": str(error)})


def _of_station(circuit: Circuit, known: Known) -> Iterable[Finding]:
    if not circuit.station:
        return
    kind = next((each for each in known.kinds if each.kind == STATION), None)
    if circuit.task != "salting" or kind is None or circuit.station not in known.ids(kind):
        yield Finding("roads.circuit_station", True, detail={"station": circuit.station})


def _gaps(own: Sequence[tuple[int, Stretch]], drawn: Drawn) -> list[str]:
    """The streets that do not begin where the one before can end, in the ways that they are driven. own: each with its
    row in what is drawn."""
    ends = np.array([(drawn.start[n], drawn.start[n + 1] - 1) for n, _ in own], np.int64).ravel()
    if not len(ends):
        return []
    spots = metres(drawn.lon[ends], drawn.lat[ends], middle_lat=float(drawn.lat[ends].mean()))
    node = merged(spots, APART_M).reshape(-1, 2).tolist()

    def ways(n: int) -> tuple[set[int], set[int]]:
        """Where a street may be entered, and left."""
        (first, last), (row, stretch) = node[n], own[n]
        if stretch.way == "along" or (stretch.way == "either" and drawn.one_way[row]):
            return {first}, {last}
        return ({last}, {first}) if stretch.way == "against" else ({first, last}, {first, last})

    return [own[n][1].street for n in range(1, len(own)) if not ways(n - 1)[1] & ways(n)[0]]


CIRCUIT = PlanKind(
    "circuit", "roads", Circuit,
    area=lambda body: body.area, title=lambda body: body.name, rank=lambda _: "",
    answer=lambda body: body.answer, check=check,
    brief=lambda body: {"task": body.task, "hours": body.hours, "streets": len(body.streets)},
)  # fmt: skip
