"""A year under some programmes: hours, energy, and what it costs; the draft beside what is in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from vigie.core.observations import Floats, Int64s
from vigie.core.times import HOUR_US
from vigie.services.lighting.power import expected_w
from vigie.services.lighting.programmes.layers import Layer, Schedule, Sunlit, groups, schedule
from vigie.services.lighting.programmes.model import Minute
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.park import Park


class Tariff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a kilowatt-hour costs and weighs. off_peak: from one time of the town's clock to another, over midnight.

    source: where the figures are from, for whoever checks the sum.
    """

    peak_eur_per_kwh: Annotated[float, Meta(ge=0, le=10)]
    off_peak_eur_per_kwh: Annotated[float, Meta(ge=0, le=10)]
    off_peak_from: Minute = 22 * 60
    off_peak_to: Minute = 6 * 60
    kg_co2_per_kwh: Annotated[float, Meta(ge=0, le=5)] = 0.0
    source: Annotated[str, Meta(max_length=300)] = ""


class Sum(msgspec.Struct, frozen=True):
    """What some lamps use in the nights asked about. hours: lamp-hours lit."""

    lamps: int = 0
    hours: float = 0.0
    kwh: float = 0.0
    eur: float = 0.0
    kg_co2: float = 0.0


class Year(msgspec.Struct, frozen=True):
    """The sums: of the town, of each of its areas, and of what each programme lights (layer's id -> its sum; "" is
    what no programme speaks for). unrated: lamps whose power nobody has stated: they are lit here and use nothing."""

    whole: Sum
    areas: dict[str, Sum]
    layers: dict[str, Sum]
    unrated: int


@dataclass(frozen=True)
class _Off:
    """The off-peak hours: nights by the pieces in each (`Nights.hours_us`)."""

    start_us: Int64s
    end_us: Int64s


def year_of(park: Park, layers: Sequence[Layer], nights: Nights, tariff: Tariff | None) -> Year:
    """What a park uses in some nights under some layers (see `stack`)."""
    sunlit = Sunlit(nights)
    off = None
    if tariff is not None:
        off = _Off(*nights.hours_us(tariff.off_peak_from, tariff.off_peak_to))
    rated = np.nan_to_num(park.rated_w)
    names = ["", *(layer.id for layer in layers)]
    by_area, by_layer = np.zeros((len(park.areas), 4)), np.zeros((len(names), 4))
    lamps_of_layer = np.zeros(len(names), np.int64)
    for group in groups(park, layers):
        found = schedule(group, layers, sunlit)
        use = _per_watt(found, off, tariff)
        watts = float(rated[group.rows].sum())
        lit = (found.end_us - found.start_us) / HOUR_US * (found.level > 0)
        rows = np.stack([lit * len(group.rows), *(watts * each / 1_000 for each in use)], 1)
        np.add.at(by_layer, found.layer + 1, rows)
        lamps_of_layer[np.unique(found.layer + 1)] += len(group.rows)
        total = rows.sum(0)
        by_area[park.area[group.rows[0]]] += total  # A group lies in one area: its place is the area's.
    lamps_in = np.bincount(park.area, minlength=len(park.areas))
    return Year(
        whole=_sum(len(park), by_area.sum(0)),
        areas={name: _sum(int(n), row) for name, n, row in zip(park.areas, lamps_in, by_area, strict=True) if n},
        layers={
            name: _sum(int(n), row) for name, n, row in zip(names, lamps_of_layer, by_layer, strict=True) if row.any()
        },
        unrated=int(np.isnan(park.rated_w).sum()),
    )


def _per_watt(found: Schedule, off: _Off | None, tariff: Tariff | None) -> tuple[Floats, Floats, Floats]:
    """Watt-hours, thousandths of euros and grams of CO2 of each span for one watt of rated power."""
    hours = (found.end_us - found.start_us) / HOUR_US
    share = expected_w(1.0, found.level.astype(np.float64))
    energy = hours * share
    if off is None or tariff is None:
        return energy, np.zeros(len(found)), np.zeros(len(found))
    first, last = off.start_us[found.night], off.end_us[found.night]
    inside_us = np.minimum(found.end_us[:, None], last) - np.maximum(found.start_us[:, None], first)
    cheap = np.maximum(inside_us, 0).sum(1) / HOUR_US * share
    cost = (energy - cheap) * tariff.peak_eur_per_kwh + cheap * tariff.off_peak_eur_per_kwh
    return energy, cost, energy * tariff.kg_co2_per_kwh


def _sum(lamps: int, row: Floats) -> Sum:
    hours, kwh, eur, kg_co2 = (round(float(each), 3) for each in row)
    return Sum(lamps, hours, kwh, eur, kg_co2)
