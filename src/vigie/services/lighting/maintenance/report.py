"""What is told of maintenance: batches by how often they fail, and a crew's round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from vigie.core.arrays import floats, ints
from vigie.core.calendar import date_of
from vigie.core.ground import M_PER_DEGREE
from vigie.core.kinds import ConditionKind
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.plans import Columns, Known, Table, Troubles
from vigie.core.scope import lies_in
from vigie.core.times import DAY_US
from vigie.services.lighting import conditions as found
from vigie.services.lighting.compliance.dates import installed_days
from vigie.services.lighting.kinds import Cabinet, Luminaire
from vigie.services.lighting.maintenance.rates import rates
from vigie.services.lighting.maintenance.tour import Job, best_tour

WINDOW_DAYS = 730
"""Failures of two years at most are counted: what failed before says little of what stands now."""
YEAR_DAYS = 365.25
BATCHES_MAX = 300
STOPS_MAX = 300
"""So many of the faults, the worthiest for the way to them, are looked at for a round: far more than a crew's day."""

FAILURES = (found.LAMP_OUT,)
DRIFT = (found.POWER_LOW, found.POWER_HIGH, found.DRIVER_HOT, found.LAMP_CYCLING)
"""What a driver says before it fails."""


@dataclass(frozen=True)
class Work:
    """What a fault asks of a crew, unless they say otherwise. minutes: on the spot. worth: against other faults; a
    place that is dark for people on foot comes first, then a circuit, then a lamp."""

    condition: ConditionKind
    minutes: float
    worth: float


WORK: Sequence[Work] = (
    Work(found.CROSSING_DARK, 0, 30), Work(found.SCHOOL_ROUTE_DARK, 0, 20), Work(found.STREET_DARK, 0, 10),
    Work(found.SUPPLY_LOST, 60, 40), Work(found.CIRCUIT_LOST, 60, 40), Work(found.DOOR_OPEN, 15, 10),
    Work(found.LAMP_OUT, 30, 4), Work(found.LAMP_CYCLING, 30, 3), Work(found.PHOTOCELL_STUCK, 30, 3),
    Work(found.DRIVER_HOT, 30, 2), Work(found.POWER_LOW, 30, 2), Work(found.POWER_HIGH, 30, 2),
    Work(found.LAMP_BY_DAY, 20, 2), Work(found.LAMP_SILENT, 20, 1),
)  # fmt: skip
"""A dark place is mended by mending its lamps: it adds worth to the lamp that it is told of, and no minutes."""


class BatchesAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of which part of the town."""

    area: Annotated[str, Meta(max_length=200, description="The path of an area, with all below it.")] = ""


class Batch(msgspec.Struct, frozen=True):
    """Lamps of one source, one power and one year of installation, which share a driver's batch as far as the inventory
    knows. lamp, power, year: "" or None where nothing is stated.

    lamps: in service. years: how long they were watched, all together. failed: how many went out in that time; out:
    are out now; drifting: draw too much or too little, run hot or go on and off now. rate: failures a lamp and year,
    drawn to the town's where little is known; low, high: nine tenths of the probability lie between. expected:
    failures in a year at that rate. worse: even the low end is above the town's rate.
    """

    lamp: str
    power: float | None
    year: str
    lamps: int
    years: float
    failed: int
    out: int
    drifting: int
    rate: float
    low: float
    high: float
    expected: float
    worse: bool


class Batches(msgspec.Struct, frozen=True):
    """The batches, those that fail surely more than the town first, by their low end. since: from when on failures
    were counted, None where none was ever seen: then there are no rates and no batches. town: failures a lamp and year
    of all. lamps: how many there are; total: how many batches."""

    since: str | None
    town: float
    lamps: int
    total: int
    batches: list[Batch]


class RoundAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A round to be made. lon, lat: where the crew begins and ends. hours: from leaving to being back. speed_km_h:
    through the town. detour: how much longer streets are than the straight line. minutes, worth: of faults, by the
    condition's name, where they are not what is usual; a worth of 0 leaves that fault out."""

    lon: Annotated[float, Meta(ge=-180, le=180)]
    lat: Annotated[float, Meta(ge=-90, le=90)]
    hours: Annotated[float, Meta(ge=0.25, le=12)] = 7.0
    speed_km_h: Annotated[float, Meta(ge=3, le=90)] = 25.0
    detour: Annotated[float, Meta(ge=1, le=3)] = 1.3
    area: Annotated[str, Meta(max_length=200)] = ""
    minutes: dict[str, Annotated[float, Meta(ge=0, le=600)]] = {}
    worth: dict[str, Annotated[float, Meta(ge=0, le=1_000)]] = {}


class Stop(msgspec.Struct, frozen=True):
    """One stop. kind: of the asset. conditions: what is wrong there. travel_min, travel_m: from the stop before.
    arrive_min: after leaving."""

    no: int
    id: str
    kind: str
    street: str
    area: str
    lon: float
    lat: float
    conditions: list[str]
    worth: float
    travel_min: float
    travel_m: float
    arrive_min: float
    work_min: float


class Round(msgspec.Struct, frozen=True):
    """A crew's round. open: how many assets have something that a crew can mend; of those considered were looked at.
    worth: of the stops, worth_all: of all that is open. back_min: when the crew is back, after leaving. Ways are
    straight lines times the detour: no street is known to it."""

    stops: list[Stop]
    open: int
    considered: int
    worth: float
    worth_all: float
    travel_km: float
    work_min: float
    back_min: float


def batches(asked: BatchesAsked, known: Known) -> Batches:
    """Tells which batches of luminaires fail more than others: failures a lamp and year, with how sure that is.

    A batch is a source, a power and a year of installation. Failures are counted from the first that the post has seen,
    for two years at most. `BATCHES_MAX` are told, the worst; the table has all.
    """
    found = _every_batch(asked, known)
    return msgspec.structs.replace(found, batches=found.batches[:BATCHES_MAX])


def batches_table(asked: BatchesAsked, known: Known) -> Table:
    """Tells every batch as a row."""
    heads = ("lamp", "power", "year", "lamps", "failed", "out", "drifting", "rate", "low", "high", "expected")
    found = _every_batch(asked, known).batches
    return Table(heads, ([getattr(each, head) for head in heads] for each in found))


def _every_batch(asked: BatchesAsked, known: Known) -> Batches:
    lamps = known.columns(Luminaire, "lamp", "rated_power", "installed")
    inside = _inside(lamps, asked.area)
    since_us = known.now_us - WINDOW_DAYS * DAY_US
    seen = known.troubles((*FAILURES, *DRIFT), since_us)
    recent = seen.raised_us[seen.raised_us >= since_us]
    if not len(recent) or not inside.any():
        return Batches(None, 0.0, int(inside.sum()), 0, [])
    since_us = int(recent.min())
    rows = np.flatnonzero(inside)
    now_day, since_day = known.now_us / DAY_US, since_us / DAY_US
    # A head that was installed meanwhile was watched since then; at least for a day, so that no rate is without end.
    installed = np.nan_to_num(installed_days([str(each) for each in lamps.attributes["installed"]]), nan=0.0)[rows]
    years = np.maximum(now_day - np.maximum(installed, since_day), 1.0) / YEAR_DAYS
    failed = _failed(seen, lamps.no[rows], np.maximum(installed * DAY_US, since_us))
    out, drifting = (np.isin(lamps.no[rows], _lasting(seen, kinds)) for kinds in (FAILURES, DRIFT))
    keys = _keys(lamps, rows)
    of, which = np.unique(keys, return_inverse=True)
    which = which.ravel()
    count, exposure, events, dark, drift = (
        np.bincount(which, weights, len(of)).astype(np.float64) for weights in (None, years, failed, out, drifting)
    )
    rate = rates(events, exposure)
    told = [
        Batch(
            *_named(of[n]), lamps=int(count[n]), years=round(float(exposure[n]), 1), failed=int(events[n]),
            out=int(dark[n]), drifting=int(drift[n]), rate=round(float(rate.mean[n]), 4),
            low=round(float(rate.low[n]), 4), high=round(float(rate.high[n]), 4),
            expected=round(float(rate.mean[n] * count[n]), 1), worse=bool(rate.low[n] > rate.town),
        )
        for n in range(len(of))
    ]  # fmt: skip
    told.sort(key=lambda each: (-each.worse, -each.low, -each.expected, each.lamp, each.year))
    since = date_of(int(since_day)).isoformat()
    return Batches(since, round(rate.town, 4), len(rows), len(told), told)


def plan_round(asked: RoundAsked, known: Known) -> Round:
    """Tells the round that mends most for the least travel: which faults, in which order, from leaving to being back.

    Stops of the most worth that fit into the hours, and of as much worth the shortest way. The same faults give the
    same round.
    """
    stops = _Stops.of(asked, known)
    lon, lat = np.append(stops.lon, asked.lon), np.append(stops.lat, asked.lat)
    far_m = _apart_m(lon[:-1], lat[:-1], asked.lon, asked.lat) * asked.detour
    m_per_min = asked.speed_km_h * 1_000 / 60
    near = np.argsort(-stops.worth / (stops.work_min + far_m / m_per_min + 1.0), kind="stable")[:STOPS_MAX]
    near.sort()
    at = np.append(near, len(stops.lon))
    apart_m = _apart_m(lon[at][:, None], lat[at][:, None], lon[at][None, :], lat[at][None, :]) * asked.detour
    job = Job(apart_m / m_per_min, stops.work_min[near], stops.worth[near], asked.hours * 60)
    tour = best_tour(job)
    told: list[Stop] = []
    clock, here = 0.0, job.home
    for row in tour:
        travel, metres = (float(each[here, row]) for each in (job.travel_min, apart_m))
        told.append(stops.told(int(near[row]), travel, metres, clock + travel))
        clock, here = clock + travel + float(job.work_min[row]), row
    ways = list(zip([job.home, *tour], [*tour, job.home], strict=True)) if tour else []
    return Round(
        stops=told,
        open=len(stops.lon),
        considered=len(near),
        worth=round(job.value(tour), 1),
        worth_all=round(float(stops.worth.sum()), 1),
        travel_km=round(sum(float(apart_m[way]) for way in ways) / 1_000, 2),
        work_min=round(float(job.work_min[tour].sum()), 1),
        back_min=round(job.length(tour), 1),
    )


@dataclass
class _Stops:
    """Assets that have something that a crew can mend, in columns, by their numbers."""

    no: list[int] = field(default_factory=list[int])
    id: list[str] = field(default_factory=list[str])
    kind: list[str] = field(default_factory=list[str])
    street: list[str] = field(default_factory=list[str])
    area: list[str] = field(default_factory=list[str])
    lon: Floats = field(default_factory=lambda: np.empty(0))
    lat: Floats = field(default_factory=lambda: np.empty(0))
    work_min: Floats = field(default_factory=lambda: np.empty(0))
    worth: Floats = field(default_factory=lambda: np.empty(0))
    conditions: list[list[str]] = field(default_factory=list[list[str]])

    @staticmethod
    def of(asked: RoundAsked, known: Known) -> _Stops:
        """Those of the part of the town that is meant."""
        named = {each.condition.name for each in WORK}
        for name in (*asked.minutes, *asked.worth):
            if name not in named:
                raise LookupError(name)
        minutes = {each.condition.name: asked.minutes.get(each.condition.name, each.minutes) for each in WORK}
        worth = {each.condition.name: asked.worth.get(each.condition.name, each.worth) for each in WORK}
        open_at: dict[int, list[str]] = {}
        seen = known.troubles([each.condition for each in WORK], known.now_us)
        for asset, kind, cleared_us in zip(ints(seen.asset), seen.kind, ints(seen.cleared_us), strict=True):
            if not cleared_us and worth[kind] > 0:
                open_at.setdefault(asset, []).append(kind)
        stops = _Stops()
        for kind in (Luminaire, Cabinet):
            stops._add(kind.kind, known.columns(kind), asked.area, open_at)
        stops.work_min = np.array([max(minutes[name] for name in own) for own in stops.conditions], np.float64)
        stops.worth = np.array([sum(worth[name] for name in own) for own in stops.conditions], np.float64)
        return stops

    def _add(self, kind: str, assets: Columns, area: str, open_at: Mapping[int, list[str]]) -> None:
        rows = np.flatnonzero(_inside(assets, area) & np.isin(assets.no, list(open_at)))
        for row in ints(rows):
            self.no.append(int(assets.no[row]))
            self.id.append(assets.ids[row])
            self.kind.append(kind)
            self.street.append(assets.streets[int(assets.street[row])])
            self.area.append(assets.areas[int(assets.area[row])])
            self.conditions.append(open_at[int(assets.no[row])])
        self.lon = np.append(self.lon, assets.lon[rows])
        self.lat = np.append(self.lat, assets.lat[rows])

    def told(self, row: int, travel_min: float, travel_m: float, arrive_min: float) -> Stop:
        """One of them as a stop."""
        return Stop(
            no=self.no[row], id=self.id[row], kind=self.kind[row], street=self.street[row], area=self.area[row],
            lon=float(self.lon[row]), lat=float(self.lat[row]), conditions=self.conditions[row],
            worth=float(self.worth[row]), travel_min=round(travel_min, 1), travel_m=round(travel_m),
            arrive_min=round(arrive_min, 1), work_min=float(self.work_min[row]),
        )  # fmt: skip


def _inside(assets: Columns, area: str) -> np.ndarray:
    inside = np.array([lies_in(path, area) for path in assets.areas], np.bool_)
    return inside[assets.area] if len(inside) else np.zeros(len(assets.no), np.bool_)


def _failed(seen: Troubles, no: Int64s, since_us: Floats) -> Mask:
    """Which of some luminaires, sorted by number, went out since an instant of their own: what failed before a head was
    there is the failure of the one that it replaced."""
    mine = _of(seen, FAILURES) & np.isin(seen.asset, no)
    asset, raised_us = seen.asset[mine], seen.raised_us[mine]
    return np.isin(no, asset[raised_us >= since_us[np.searchsorted(no, asset)]])


def _lasting(seen: Troubles, kinds: Sequence[ConditionKind]) -> np.ndarray:
    """The assets that have one of some conditions now."""
    return seen.asset[_of(seen, kinds) & (seen.cleared_us == 0)]


def _of(seen: Troubles, kinds: Sequence[ConditionKind]) -> np.ndarray:
    return np.isin(np.array(seen.kind, np.str_), [each.name for each in kinds])


_BETWEEN = "\x1f"


def _keys(lamps: Columns, rows: np.ndarray) -> np.ndarray:
    """What is one batch, as text: source, power and year."""
    texts = (lamps.texts(name) for name in ("lamp", "installed"))
    sources, installed = ([said[row] for row in ints(rows)] for said in texts)
    powers = floats(lamps.numbers("rated_power")[rows])
    return np.array(
        [
            _BETWEEN.join((source, "" if power != power else f"{power:g}", date[:4] if date[:4].isdigit() else ""))
            for source, power, date in zip(sources, powers, installed, strict=True)
        ],
        np.str_,
    )


def _named(key: str) -> tuple[str, float | None, str]:
    source, power, year = str(key).split(_BETWEEN)
    return source, float(power) if power else None, year


def _apart_m(lon: Floats, lat: Floats, lon_to: Floats | float, lat_to: Floats | float) -> Floats:
    """Metres as the crow flies between places in degrees, in a town small enough to be flat."""
    east = (lon - lon_to) * np.cos(np.radians((lat + np.asarray(lat_to)) / 2))
    return np.hypot(east, lat - np.asarray(lat_to)) * M_PER_DEGREE
