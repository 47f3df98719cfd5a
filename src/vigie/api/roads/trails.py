"""Trails over the API: which streets a vehicle was on, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np
import shapely
from msgspec import Meta

from vigie.api.access import Caller
from vigie.api.city.forms import Form, Instant
from vigie.api.city.history import allowed_spans, once_seen, point_of
from vigie.api.city.sources import Sources
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.plans import touches
from vigie.api.problems import Problem
from vigie.api.roads.streets import Streets
from vigie.core.arrays import floats, ints
from vigie.core.ground import metres
from vigie.core.kinds import Sort
from vigie.core.observations import Floats, Int64s
from vigie.core.times import DAY_US, SECOND_US, from_us, to_us
from vigie.services.roads import Bus, Tram, Vehicle
from vigie.services.roads.fences import FENCE, Fence, passages
from vigie.services.roads.matching import Matched, Network, match
from vigie.services.roads.matching.sifting import Sifted, sift
from vigie.services.roads.matching.stops import SILENT_US, Stop, driven_m, stops
from vigie.store.history import HistoryTooLong

POSITIONS_MAX = 20_000
"""A day of a tracker that speaks each five seconds, and some more."""

SPAN_US_MAX = 2 * DAY_US
Fences = Sequence[tuple[str, Fence]]
"""Each with the id of its plan."""

_PATH_DEGREES = 4e-5
"""What bends a line by less is not seen on a map."""
WAITING_MAX = 16
"""Questions that wait for the one that is answered; the next are told to come back."""


class TrailQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Of which time."""

    start: Annotated[
        Instant | None, Meta(description="The first instant, RFC 3339; a day before `to` unless said.")
    ] = msgspec.field(name="from", default=None)
    end: Annotated[Instant | None, Meta(description="The first instant that is no more of it; now unless said.")] = (
        msgspec.field(name="to", default=None)
    )


class OnStreet(Form, frozen=True, kw_only=True):
    """A time on one street. street, name: of the stretch, in the inventory. start, until: of the first and of the last
    position on it. direction: `along` the stretch as it is drawn, or `against` it. sure: how likely it is that the
    vehicle was on it, 0 to 1: the mean over its positions."""

    street: str
    name: str
    start: Instant = msgspec.field(name="from")
    until: Instant = msgspec.field(name="to")
    positions: int
    direction: Literal["along", "against"]
    sure: float


class Aside(Form, frozen=True, kw_only=True):
    """Positions that cannot be true, by why: no place; a time yet to come; no later than the one before; too far from
    it. off_street: true, as far as is known, and near no street."""

    nowhere: int
    future: int
    stale: int
    jumps: int
    off_street: int


class StopForm(Form, frozen=True, kw_only=True):
    """A time of three minutes or more at one place: of its first and its last position, where that was in the mean
    (degrees), and on which street; null where it is near none."""

    start: Instant = msgspec.field(name="from")
    until: Instant = msgspec.field(name="to")
    lon: float
    lat: float
    street: str | None
    name: str | None


class PassageForm(Form, frozen=True, kw_only=True):
    """A time within a fence: of the first and of the last position in it; null where it was still there at the last
    that is known."""

    fence: str
    name: str
    start: Instant = msgspec.field(name="from")
    until: Instant | None = msgspec.field(name="to")


class TrailForm(Form, frozen=True, kw_only=True):
    """Where a vehicle was. positions: so many were told. driven: its streets, one after the other. distance_m: how
    far it drove by the streets, but for the last metres at a stop, and where it told nothing for long. stops: where it
    stood; a silence of a quarter of an hour is none. fences: of those in force, those that it was in. path: longitudes
    and latitudes to draw it by, in degrees, anew after each such silence: its positions but for those aside, and those
    that lie within 4 m of the line between others."""

    positions: int
    aside: Aside
    driven: Sequence[OnStreet]
    distance_m: float
    stops: Sequence[StopForm]
    fences: Sequence[PassageForm]
    path: Sequence[Sequence[tuple[float, float]]]


class TrailsDoor:
    """The operations on trails."""

    def __init__(self, sources: Sources, streets: Streets) -> None:
        self._sources, self._streets = sources, streets
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation(
                "GET", "roads/vehicles/{id}/trail", self.of_vehicle, query=TrailQuery, answer=TrailForm, problems=(503,)
            )
        ]

    async def of_vehicle(self, ask: Ask[TrailQuery, Nothing]) -> TrailForm:
        """Tells which streets a vehicle, bus or tram was on over a time, two days at the most, one after the other.

        Positions are matched to the streets of the inventory with all that came before and after. Only of the times at
        which the vehicle belonged where you may see it.
        """
        sources, query = self._sources, ask.query
        no, placed = await once_seen(sources, ask.caller, ask.part("id"))
        kind = sources.engine.registry.kind_of(no)
        if kind not in (Vehicle, Bus, Tram):
            raise Problem(404, "No such vehicle", f"{ask.part('id')[:80]!r} is no vehicle, bus or tram.")
        point = point_of(kind, "position", (Sort.PLACE,), ask.caller)
        end = sources.clock.now_us() if query.end is None else to_us(query.end)
        start = end - DAY_US if query.start is None else to_us(query.start)
        if not 0 <= start < end <= start + SPAN_US_MAX:
            raise Problem(400, "Impossible span", "`from` lies before `to`, by two days at most.")
        spans = allowed_spans(ask.caller, placed, point, (start, end))
        registry = sources.engine.registry
        code = int(registry.point_number[registry.kind_codes[kind.kind], tuple(kind.points).index(point.name)])
        if self._waiting >= WAITING_MAX:
            raise Problem(503, "Busy", "Many ask for trails just now.", retry_after_s=5)
        self._waiting += 1
        try:
            async with self._turn:
                fences = self._fences(ask.caller)
                return await asyncio.to_thread(self._told, no, code, spans, sources.clock.now_us(), fences)
        except HistoryTooLong as error:
            raise Problem(503, "Takes too long", f"{str(error).capitalize()}.", retry_after_s=10) from error
        finally:
            self._waiting -= 1

    def _fences(self, caller: Caller) -> Fences:
        return [
            (each.id, each.in_force.body)
            for each in self._sources.engine.plans
            if each.kind is FENCE and each.in_force is not None and touches(caller, each.area, FENCE.service)
        ]

    def _told(self, no: int, code: int, spans: Sequence[tuple[int, int]], now_us: int, fences: Fences) -> TrailForm:
        at_us, lon, lat = self._sources.history.of_places(no, code, spans, POSITIONS_MAX)
        if len(at_us) > POSITIONS_MAX:
            raise Problem(
                400, "Too much", f"There are more than {POSITIONS_MAX:,} positions.", mend="Ask for less time."
            )
        sifted = sift(lon, lat, at_us, now_us=now_us)
        kept = sifted.kept
        network, numbers = self._streets.network()
        at_s = (at_us[kept] - at_us[kept[0]]) / SECOND_US if len(kept) else np.empty(0)
        matched = match(network, lon[kept], lat[kept], at_s)
        stood = stops(metres(lon[kept], lat[kept], middle_lat=network.middle_lat), at_us[kept])
        return TrailForm(
            positions=len(at_us),
            aside=_aside(sifted, matched),
            driven=self._driven(network, numbers, matched, at_us[kept]),
            distance_m=round(driven_m(network, matched, stood)),
            stops=[self._stop(each, numbers, network, matched, at_us[kept], lon[kept], lat[kept]) for each in stood],
            fences=_passed(fences, lon[kept], lat[kept], at_us[kept]),
            path=_path(lon[kept], lat[kept], at_us[kept]),
        )

    def _stop(
        self, stop: Stop, numbers: Int64s, network: Network, matched: Matched, at_us: Int64s, lon: Floats, lat: Floats
    ) -> StopForm:
        rows, registry = slice(stop.first, stop.last + 1), self._sources.engine.registry
        arcs = matched.arc[rows]
        on, times = np.unique(arcs[arcs >= 0], return_counts=True)
        no = int(numbers[network.line[on[times.argmax()]]]) if len(on) else 0
        return StopForm(
            start=from_us(int(at_us[stop.first])), until=from_us(int(at_us[stop.last])),
            lon=round(float(lon[rows].mean()), 6), lat=round(float(lat[rows].mean()), 6),
            street=registry.ids[no] if no else None, name=registry.names[no] if no else None,
        )  # fmt: skip

    def _driven(self, network: Network, numbers: Int64s, matched: Matched, at_us: Int64s) -> list[OnStreet]:
        """Positions that follow each other on one street, in one direction, are told as one."""
        on = np.flatnonzero(matched.arc >= 0)
        if not len(on):
            return []
        asset, against, sure = numbers[network.line[matched.arc[on]]], matched.against[on], matched.sure[on]
        apart = (np.diff(asset) != 0) | (np.diff(against) != 0) | (np.diff(on) != 1)
        first = np.flatnonzero(np.concatenate([[True], apart]))
        last = np.append(first[1:], len(on)) - 1
        registry = self._sources.engine.registry
        mean = np.add.reduceat(sure, first) / (last - first + 1)
        return [
            OnStreet(
                street=registry.ids[number],
                name=registry.names[number],
                start=from_us(int(at_us[on[one]])),
                until=from_us(int(at_us[on[other]])),
                positions=other - one + 1,
                direction="against" if against[one] else "along",
                sure=round(share, 3),
            )
            for number, one, other, share in zip(ints(asset[first]), ints(first), ints(last), floats(mean), strict=True)
        ]


def _path(lon: Floats, lat: Floats, at_us: Int64s) -> list[Sequence[tuple[float, float]]]:
    cuts = np.flatnonzero(np.diff(at_us) > SILENT_US) + 1
    parts = list[Sequence[tuple[float, float]]]()
    for own in np.split(np.stack([lon, lat], 1), cuts):
        if len(own) > 1:
            thin = shapely.get_coordinates(shapely.simplify(shapely.LineString(own), _PATH_DEGREES)).round(6)
            parts.append([(each_lon, each_lat) for each_lon, each_lat in thin.tolist()])
    return parts


def _passed(fences: Fences, lon: Floats, lat: Floats, at_us: Int64s) -> list[PassageForm]:
    """One after the other, as they were entered."""
    found = [(fence, body.name, each) for fence, body in fences for each in passages(body, lon, lat, at_us)]
    return [
        PassageForm(
            fence=fence, name=name, start=from_us(each.start_us), until=from_us(each.end_us) if each.left else None
        )
        for fence, name, each in sorted(found, key=lambda one: (one[2].start_us, one[0]))
    ]


def _aside(sifted: Sifted, matched: Matched) -> Aside:
    return Aside(
        nowhere=sifted.nowhere,
        future=sifted.future,
        stale=sifted.stale,
        jumps=sifted.jumps,
        off_street=int(np.count_nonzero(matched.arc < 0)),
    )
