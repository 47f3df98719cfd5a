"""From what the post knows to a report: the park and the plans as they stand, the past as it was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np

from vigie.core.calendar import EPOCH_DAY, date_of
from vigie.core.observations import Floats, Int64s
from vigie.core.past import Past, Told
from vigie.core.plans import Columns, Known, Unanswerable
from vigie.core.times import HOUR_US
from vigie.services.lighting.energy.heard import Find, Heard, runs
from vigie.services.lighting.energy.lamps import lamps_of
from vigie.services.lighting.energy.meters import Metered, Span, metered
from vigie.services.lighting.energy.model import Baseline, KeptNights, Report
from vigie.services.lighting.energy.report import Case, report
from vigie.services.lighting.energy.saving import Former
from vigie.services.lighting.kinds import Cabinet, Luminaire
from vigie.services.lighting.plans import baseline_of, layers_of, park_of, tariff_of
from vigie.services.lighting.programmes.model import Switching
from vigie.services.lighting.programmes.nights import Edges, Nights
from vigie.services.lighting.programmes.park import Park
from vigie.services.lighting.programmes.year import Tariff

NIGHTS_MAX = 62
"""Each takes seconds to read where its sums are not kept."""

YEARS = range(1950, 2101)
"""In these a bill may have been written; another year is a slip of who typed it, and of no use."""

SUPPLY_W_MIN, LAMPS_MAX, LAMP_W = 36_000.0, 10.0, 100.0
"""A cabinet of which no rating is stated draws less than the largest supply without a power meter of its own in France
(36 kVA), or ten times what its lamps are rated at, whichever is more: it may feed a market or a theft beside them, and
that is to be seen. A lamp of unknown power counts as 100 W."""


def nothing_kept(start_us: int, end_us: int) -> None:
    """Where no sums of nights are kept."""


def energy_report(
    known: Known, past: Past, first: date, last: date, areas: Sequence[str] = ("",), find: Find = nothing_kept
) -> Report:
    """The report of the nights from one to another, both included, each named by the day of its evening.

    known: of the whole town, whoever asks, for a cabinet may feed lamps of two areas; areas: what may be told of it.
    find: the sums of a night that are kept, in the place of what was reported in it. Programmes and the inventory are
    taken as they stand now. Raises Unanswerable where there are no nights or too many, TooLong.
    """
    count = (last - first).days + 1
    if not 1 <= count <= NIGHTS_MAX:
        raise Unanswerable("lighting.nights", most=NIGHTS_MAX)
    start = (first - EPOCH_DAY).days
    nights = Nights(np.arange(start, start + count), known.calendar)
    park, layers, tariff, baseline = park_of(known), layers_of(known), tariff_of(known), baseline_of(known)
    heard = Heard(past, find)
    lamps = lamps_of(park, layers, nights, tariff, heard)
    numbers = np.array(sorted(park.cabinets), np.int64)
    meters = _meters(park, numbers, lamps.kwh, nights, tariff, heard.meters())
    former = former_of(known, park, numbers, nights, baseline) if baseline else None
    made = report(Case(park, layers, nights, lamps, numbers, meters, tariff, baseline, former), areas)
    kept = runs(heard.kept_us, nights.bounds_us[0].tolist())
    days = [date_of(day) for day in nights.days.tolist()]
    return msgspec.structs.replace(made, kept=[KeptNights(days[a], days[b]) for a, b in kept])


def _meters(park: Park, numbers: Int64s, kwh: Floats, nights: Nights, tariff: Tariff | None, told: Told) -> Metered:
    start_us, end_us = (int(each) for each in (nights.bounds_us[0][0], nights.bounds_us[1][-1]))
    none = np.empty(0, np.int64)
    off = (none, none)
    if tariff is not None:
        start, end = nights.hours_us(tariff.off_peak_from, tariff.off_peak_to)
        off = (start.ravel(), end.ravel())
    most_w = _most_w(park, numbers)
    own = np.array([kwh[park.cabinet == number].sum() for number in numbers.tolist()])
    return metered(numbers, told, Span(start_us, end_us, *off), most_w, own)


def _most_w(park: Park, numbers: Int64s) -> Floats:
    """What each cabinet can draw at most: as it is rated, else as `SUPPLY_W_MIN` says."""
    lamp_w = np.nan_to_num(park.rated_w, nan=LAMP_W)
    lamps_w = np.array([lamp_w[park.cabinet == number].sum() for number in numbers.tolist()])
    unrated_w = np.maximum(SUPPLY_W_MIN, LAMPS_MAX * lamps_w)
    return np.array([park.rating_w.get(number, w) for number, w in zip(numbers.tolist(), unrated_w, strict=True)])


def former_of(known: Known, park: Park, numbers: Int64s, nights: Nights, baseline: Baseline) -> Former:
    """The old inventory as it would have burnt on these nights."""
    lamps = known.columns(Luminaire, "former_power")
    cabinets = known.columns(Cabinet, "former_energy", "former_year", "former_meter")
    sites, places = park.sites
    here = np.array([_hours(Edges.of(nights, place, baseline.switching)) for place in places])
    kwh, year = (_of(cabinets, cabinets.numbers(each), numbers) for each in ("former_energy", "former_year"))
    kwh = np.where((year >= YEARS.start) & (year < YEARS.stop), kwh, np.nan)
    scale, sun = np.zeros((2, len(numbers)))
    years: dict[int, tuple[float, int]] = {}
    for at in np.flatnonzero(~np.isnan(kwh)).tolist():
        if int(year[at]) not in years:
            then = Nights.of_year(int(year[at]), known.calendar)
            years[int(year[at])] = _hours(_edges(then, park, baseline.switching)), len(then)
        hours, count = years[int(year[at])]
        scale[at] = _hours(_edges(nights, park, baseline.switching)) / hours
        # A sun that is seen later lengthens these nights and those of that year.
        sun[at] = len(nights) / (hours * scale[at]) - count / hours
    same = np.array([each == "same" for each in cabinets.texts("former_meter")], np.float64)
    watts = _of(lamps, lamps.numbers("former_power"), park.no)
    return Former(watts, here[sites], len(nights), kwh, scale, sun, _of(cabinets, same, numbers) == 1)


def _of(columns: Columns, values: Floats, numbers: Int64s) -> Floats:
    """A column of these assets; NaN where one is not among the columns, which are read at another moment."""
    found = np.full(len(numbers), np.nan)
    there = np.isin(numbers, columns.no)
    found[there] = values[np.searchsorted(columns.no, numbers[there])]
    return found


def _edges(nights: Nights, park: Park, switching: Switching) -> Edges:
    """The nights in the middle of the town."""
    return Edges.of(nights, park.middle, switching)


def _hours(edges: Edges) -> float:
    return float((edges.off_us - edges.on_us).sum()) / HOUR_US
