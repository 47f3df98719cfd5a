"""The town's roadworks as everybody may know them: as situations of DATEX II, as GeoJSON and as a table.

Told are works that are granted, under way or suspended, phase by phase, those that are over left out. Of the permit are
told where, when, what is taken up, who gets through and the way round; not who asked for it, what people wrote in it,
its acts, nor what it clashes with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec

from vigie.api.city.export import harmless
from vigie.api.words import Words
from vigie.core.hours import read
from vigie.core.times import SECOND_US, rfc3339
from vigie.protocols.datex2 import (
    DAYS,
    Comment,
    Days,
    Hours,
    Period,
    Place,
    Position,
    Record,
    Situation,
    Source,
    Validity,
)
from vigie.services.roads.works.permits import EFFECTS, Nature, Occupancy, Roadworks, instant_of, moment_at

_DAY_MIN = 24 * 60

COLUMNS = (
    "id", "number", "phase", "state", "nature", "urgent", "occupancy", "begins", "ends", "hours", "passes", "town",
    "streets", "lon", "lat",
)  # fmt: skip


@dataclass(frozen=True)
class Stretch:
    """A part of a street that works take up. line: in the order of travel where one way of it is meant, `one_way`."""

    street: str
    line: tuple[Position, ...]
    one_way: bool


@dataclass(frozen=True)
class Phase:
    """A phase that is not over, with its number from 1. ends_us: None where it should be over and is not."""

    number: int
    begins_us: int
    ends_us: int | None
    hours: str
    occupancy: Occupancy
    passes: tuple[str, ...]
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True)
class Works:
    """Works as they are told. changed_us: when what is told of them was changed last. detour: the way round, a street
    each."""

    id: str
    number: int
    revision: int
    state: str
    opened_us: int
    changed_us: int
    nature: Nature
    urgent: bool
    town: str
    phases: tuple[Phase, ...]
    detour: tuple[Stretch, ...]


@dataclass(frozen=True)
class _Form:
    """What works of a nature are in DATEX II: the class of the record, what of it they are, and what they cause."""

    form: str
    kind: str
    cause: str = "roadMaintenance"


_FORMS: dict[Nature, _Form] = {
    "network": _Form("ConstructionWorks", "constructionWork", "constructionWork"),
    "surface": _Form("MaintenanceWorks", "resurfacingWork"),
    "building": _Form("ConstructionWorks", "constructionWork", "constructionWork"),
    "lighting": _Form("MaintenanceWorks", "maintenanceWork"),
    "event": _Form("PublicEvent", "other", "publicEvent"),
    "crane": _Form("ConstructionWorks", "constructionWork", "constructionWork"),
    "other": _Form("MaintenanceWorks", "roadworks"),
}

_MEASURES: dict[Occupancy, str] = {
    "parking": "parkingProhibitionInOperation",
    "lane": "laneClosures",
    "alternating": "singleAlternateLineTraffic",
    "one_way": "roadClosed",
    "closure": "roadClosed",
}
"""What is done to traffic. One way that is taken is a road closed in that direction. On the pavement nothing is done to
vehicles."""

_SEVERITY: dict[Occupancy, str] = {
    "pavement": "low",
    "parking": "low",
    "lane": "medium",
    "alternating": "medium",
    "one_way": "medium",
    "closure": "high",
}
_GRAVER = ("low", "medium", "high")


def situation_of(works: Works, said: Sequence[tuple[str, Words]]) -> Situation:
    """Works as a situation: of each phase the works, what is done to traffic, and the way round. said: the words of
    each language in which they are told."""
    records = tuple(record for phase in works.phases for record in _records(works, phase, said))
    severity = max((each.severity for each in records), key=_GRAVER.index)
    return Situation(works.id, records, severity, works.changed_us)


def _records(works: Works, phase: Phase, said: Sequence[tuple[str, Words]]) -> Iterator[Record]:
    form = _FORMS[works.nature]
    common = Record(
        id=f"{works.id}-{phase.number}",
        version=str(works.revision),
        form=form.form,
        created_us=works.opened_us,
        changed_us=works.changed_us,
        validity=Validity(
            phase.begins_us,
            phase.ends_us,
            periods_of(phase.hours),
            status="suspended" if works.state == "suspended" else "definedByValidityTimeSpec",
            overrunning=True if phase.ends_us is None else None,
        ),
        places=tuple(_place(each, works.town) for each in phase.stretches),
        kinds=(form.kind,),
        severity=_SEVERITY[phase.occupancy],
        source=Source(kind="roadAuthorities", reliable=True),
        comments=(Comment(tuple((name, summary(works, phase, words)) for name, words in said), "description"),),
    )
    if form.form == "PublicEvent":
        yield common
    else:
        through = phase.occupancy != "closure"
        yield replace(common, identifier=str(works.number), urgent=works.urgent, under_traffic=through)
    measure = replace(common, form="RoadOrCarriagewayOrLaneManagement", cause=form.cause, comments=())
    for name, one_way in (("traffic", False), ("direction", True)):
        places = tuple(_place(each, works.town) for each in phase.stretches if each.one_way is one_way)
        if places and phase.occupancy in _MEASURES:
            yield replace(
                measure, id=f"{common.id}-{name}", places=places, kinds=(_measure(phase.occupancy, one_way),),
                compliance="mandatory", directions=("aligned" if one_way else "bothWays",),
            )  # fmt: skip
    if works.detour and EFFECTS[phase.occupancy].turns_away:
        names = ", ".join(dict.fromkeys(each.street for each in works.detour if each.street))
        yield replace(
            measure, id=f"{common.id}-detour", form="ReroutingManagement", kinds=("followDiversionSigns",),
            compliance="advisory", route=tuple(_place(each, works.town) for each in works.detour if len(each.line) > 1),
            route_words=tuple((name, names) for name, _ in said) if names else (),
        )  # fmt: skip


def _measure(occupancy: Occupancy, one_way: bool) -> str:
    """A street that becomes one of one way, without it being said which, is told as that."""
    return "createOneDirectionWay" if occupancy == "one_way" and not one_way else _MEASURES[occupancy]


def _place(stretch: Stretch, town: str) -> Place:
    return Place(points=stretch.line, road_name=stretch.street, town=town)


def periods_of(hours: str) -> tuple[Period, ...]:
    """The hours of a week as `vigie.core.hours` reads them; days with the same hours together. None: at all times."""
    if not hours:
        return ()
    days: dict[tuple[tuple[int, int], ...], list[str]] = {}
    for name, spans in zip(DAYS, read(hours), strict=True):
        if spans:
            days.setdefault(spans, []).append(name)
    return tuple(
        Period(
            hours=tuple(Hours(start % _DAY_MIN * 60, end % _DAY_MIN * 60) for start, end in spans),
            days=(Days(tuple(names)),),
        )
        for spans, names in days.items()
    )


def summary(works: Works, phase: Phase, said: Words) -> str:
    """What goes on, in a sentence that names nobody."""
    streets = ", ".join(dict.fromkeys(each.street for each in phase.stretches if each.street))
    parts = [
        said(f"datex2.nature.{works.nature}"),
        streets,
        said(f"datex2.occupancy.{phase.occupancy}"),
        said("datex2.passes", who=", ".join(said(f"datex2.pass.{each}") for each in phase.passes))
        if phase.passes
        else "",
    ]
    return "; ".join(filter(None, parts))


def phases_of(works: Roadworks, state: str, zone: ZoneInfo, now_us: int) -> list[tuple[int, int, int | None]]:
    """The phases that are not over: number, begin and end. Works that are under way, or were left, when their last
    phase should be over go on until somebody says that they are finished."""
    now = moment_at(now_us, zone)
    left = [n for n, phase in enumerate(works.phases) if phase.ends > now]
    if not left and works.phases and state in ("under_way", "suspended"):
        last = max(range(len(works.phases)), key=lambda n: works.phases[n].ends)
        return [(last + 1, instant_of(works.phases[last].begins, zone), None)]
    return [(n + 1, instant_of(works.phases[n].begins, zone), instant_of(works.phases[n].ends, zone)) for n in left]


def geojson(told: Sequence[Works], published_us: int) -> bytes:
    """A feature for each phase: the stretches that it takes up."""
    features = [
        {
            "type": "Feature",
            "id": f"{works.id}-{phase.number}",
            "geometry": {
                "type": "MultiLineString",
                "coordinates": [each.line for each in phase.stretches if len(each.line) > 1],
            },
            "properties": _properties(works, phase),
        }
        for works in told
        for phase in works.phases
    ]
    return msgspec.json.encode({"type": "FeatureCollection", "published": _instant(published_us), "features": features})


def rows(told: Sequence[Works]) -> Iterator[list[str]]:
    """The same as a table, a row for each phase: its heads, and the place of its first corner."""
    yield [*COLUMNS]
    for works in told:
        for phase in works.phases:
            said = _properties(works, phase)
            first = next((each.line[0] for each in phase.stretches if each.line), None)
            said["lon"], said["lat"] = (f"{first[0]:.6f}", f"{first[1]:.6f}") if first else ("", "")
            yield [_cell(said[name]) for name in COLUMNS]


def _properties(works: Works, phase: Phase) -> dict[str, Any]:
    return {
        "id": works.id,
        "number": works.number,
        "phase": phase.number,
        "state": works.state,
        "nature": works.nature,
        "urgent": works.urgent,
        "occupancy": phase.occupancy,
        "begins": _instant(phase.begins_us),
        "ends": None if phase.ends_us is None else _instant(phase.ends_us),
        "hours": phase.hours,
        "passes": phase.passes,
        "town": works.town,
        "streets": [*dict.fromkeys(each.street for each in phase.stretches if each.street)],
    }


def _cell(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return harmless(", ".join(cast(Sequence[str], value)))
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else harmless(str(value))


def _instant(instant_us: int) -> str:
    return rfc3339(instant_us // SECOND_US * SECOND_US)
