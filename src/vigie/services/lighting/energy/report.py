"""The report of some nights: sums by area, street and programme, and each cabinet beside its meter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vigie.core.arrays import ints
from vigie.core.calendar import date_of
from vigie.core.observations import Int64s, Mask
from vigie.core.scope import lies_in
from vigie.core.times import HOUR_US
from vigie.services.lighting.energy.lamps import Lamps
from vigie.services.lighting.energy.meters import Metered
from vigie.services.lighting.energy.model import Baseline, Cabinet, Interval, Report, Used
from vigie.services.lighting.energy.saving import CABINET_W, CABLES, Former, Now, Old, Survey, saving
from vigie.services.lighting.programmes.layers import Layer
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.park import Park
from vigie.services.lighting.programmes.year import Tariff

METERED_MIN = 0.9
"""So much of the energy of some lamps is metered, or it is not called so."""

KNOWN_MIN = 0.8
"""Of lamps that were heard less nothing is called unexplained."""


@dataclass(frozen=True)
class Case:
    """All that is reckoned with.

    numbers: the cabinets, by asset number, in the order of `meters` and of `former`'s cabinet columns. former: None
    where the town has not stated the old inventory.
    """

    park: Park
    layers: Sequence[Layer]
    nights: Nights
    lamps: Lamps
    numbers: Int64s
    meters: Metered
    tariff: Tariff | None
    baseline: Baseline | None
    former: Former | None

    @cached_property
    def fed_by(self) -> Int64s:
        """The row of each lamp's cabinet, -1 for none."""
        row = np.searchsorted(self.numbers, self.park.cabinet)
        row[row == len(self.numbers)] = 0
        known = self.numbers[row] == self.park.cabinet if len(self.numbers) else np.zeros(len(self.park), np.bool_)
        return np.where(known, row, -1)

    @cached_property
    def fed(self) -> Int64s:
        """How many lamps each cabinet feeds."""
        return np.bincount(self.fed_by[self.fed_by >= 0], minlength=len(self.numbers)).astype(np.int64)

    @cached_property
    def survey(self) -> Survey | None:
        """What is known of old lamps of which their own watts are not."""
        if self.baseline is None or self.former is None:
            return None
        return Survey.of(self.baseline, self.former.watts)

    @cached_property
    def counted(self) -> Mask:
        """The cabinets whose meter can be used."""
        return ~np.isnan(self.meters.kwh)

    @cached_property
    def cabinet_kwh(self) -> float:
        """What a cabinet needs itself in these nights and days."""
        start_us, end_us = self.nights.bounds_us
        return CABINET_W * float((end_us - start_us).sum()) / HOUR_US / 1_000


def report(case: Case, areas: Sequence[str] = ("",)) -> Report:
    """The report of these areas, with all that lies in them; "" is all of the town."""
    park = case.park
    asked = np.zeros(len(park), np.bool_)
    for each in areas:
        asked |= park.within(each)
    rows = np.flatnonzero(asked)
    paths = sorted({path for name in _names(park.areas, park.area[rows]) for path in _above(name)})
    inside = [path for path in paths if any(lies_in(path, each) for each in areas)]
    called = np.array([bool(name) for name in park.streets], np.bool_)
    named = rows[called[park.street[rows]]]
    streets = _split(named, park.area[named] * len(park.streets) + park.street[named])
    programmes = _split(rows, case.lamps.programme[rows])
    days = case.nights.days
    return Report(
        first=date_of(int(days[0])),
        last=date_of(int(days[-1])),
        nights=len(days),
        whole=used(case, rows),
        areas={path: used(case, np.flatnonzero(asked & park.within(path))) for path in inside},
        streets={
            f"{park.areas[int(park.area[own[0]])]}/{park.streets[int(park.street[own[0]])]}": used(case, own)
            for own in streets
        },
        programmes={_programme(case, own): used(case, own) for own in programmes},
        cabinets=_cabinets(case, rows),
        target=case.baseline and case.baseline.target,
        tariff=case.tariff,
    )


def used(case: Case, rows: Int64s) -> Used:
    """What some lamps used, and saved."""
    lamps, own = case.lamps, case.fed_by[rows]
    kwh = float(lamps.kwh[rows].sum())
    whole = _whole_cabinets(case, own)
    by_meter = np.isin(own, whole[case.counted[whole]])
    metered = float(lamps.kwh[rows[by_meter]].sum()) >= METERED_MIN * kwh and bool(by_meter.any())
    counted = whole[case.counted[whole]] if metered else np.empty(0, np.int64)
    rest = rows[~by_meter] if metered else rows
    meters = case.meters
    in_meters = meters.kwh[counted]
    total = float(in_meters.sum() + lamps.kwh[rest].sum())
    off = float((in_meters * meters.off_share[counted]).sum() + lamps.off_kwh[rest].sum())
    tariff, eur, kg_co2 = case.tariff, 0.0, 0.0
    if tariff is not None:
        eur = (total - off) * tariff.peak_eur_per_kwh + off * tariff.off_peak_eur_per_kwh
        kg_co2 = total * tariff.kg_co2_per_kwh
    dark_h = float(lamps.dark_h[rows].sum())
    before = _saved(case, rows, counted, rest)
    return Used(
        lamps=len(rows),
        estimated_kwh=kwh,
        known_share=float(lamps.known_h[rows].sum()) / dark_h if dark_h > 0 else 0.0,
        metered_kwh=total if metered else None,
        eur=eur,
        kg_co2=kg_co2,
        before=before and before[0],
        saving=before and before[1],
    )


def _saved(case: Case, rows: Int64s, counted: Int64s, rest: Int64s) -> tuple[Interval, Interval] | None:
    former, baseline, lamps = case.former, case.baseline, case.lamps
    if former is None or baseline is None:
        return None
    # What was metered is held against what is metered, for both are with the heat of cables.
    then = counted[~np.isnan(former.cabinet_kwh[counted])]
    by_watts = rows[~np.isin(case.fed_by[rows], then)]
    behind = np.isin(case.fed_by[by_watts], counted)
    heard = lamps.kwh[rest] - lamps.filled_kwh[rest]
    by_level = lamps.by_level[rest]
    now = Now(
        counted,
        case.meters.kwh[counted],
        case.meters.known_share[counted],
        float(heard[~by_level].sum()),
        float(heard[by_level].sum()),
        float(lamps.filled_kwh[rest].sum()),
    )
    own_kwh = case.cabinet_kwh * (len(counted) - len(then))
    return saving(baseline, case.survey, former, Old(by_watts, behind, then, own_kwh), now)


def _whole_cabinets(case: Case, own: Int64s) -> Int64s:
    """The cabinets all of whose lamps are among these; own: the cabinets of some lamps."""
    found, count = np.unique(own[own >= 0], return_counts=True)
    return found[count == case.fed[found]]


def _cabinets(case: Case, rows: Int64s) -> list[Cabinet]:
    """The cabinets of some lamps. Of one that feeds others too, its meter would tell what those use."""
    lamps, meters = case.lamps, case.meters
    rows = rows[case.fed_by[rows] >= 0]
    own = case.fed_by[rows]
    kwh, known_h, dark_h = (
        np.bincount(own, each[rows], len(case.numbers)) for each in (lamps.kwh, lamps.known_h, lamps.dark_h)
    )
    whole = frozenset(ints(_whole_cabinets(case, own)))
    found: list[Cabinet] = []
    for row in ints(np.unique(own)):
        id, estimated = case.park.cabinets.get(int(case.numbers[row]), ""), float(kwh[row])
        if row not in whole:
            found.append(Cabinet(id, None, estimated, None, "shared"))
            continue
        counted = float(meters.kwh[row]) if case.counted[row] else None
        sure = known_h[row] >= KNOWN_MIN * dark_h[row]
        unexplained = None if counted is None or not sure else counted - estimated * (1 + CABLES) - case.cabinet_kwh
        found.append(Cabinet(id, counted, estimated, unexplained, meters.why[row]))
    return found


def _programme(case: Case, rows: Int64s) -> str:
    layer = int(case.lamps.programme[rows[0]])
    return case.layers[layer].id if layer >= 0 else ""


def _split(rows: Int64s, group: Int64s) -> list[Int64s]:
    """Rows by group."""
    if not len(rows):
        return []
    order = np.argsort(group, kind="stable")
    return np.split(rows[order], np.flatnonzero(np.diff(group[order])) + 1)


def _names(names: Sequence[str], codes: Int64s) -> list[str]:
    return [names[code] for code in ints(np.unique(codes))]


def _above(path: str) -> list[str]:
    """A path and all it lies in: a/b/c, a/b, a."""
    parts = path.split("/") if path else []
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]
