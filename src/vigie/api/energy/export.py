"""A report as a table for spreadsheets: whole, areas, streets, programmes and cabinets in one file.

As RFC 4180 says in English; in French as spreadsheets there read it: semicolons, decimal commas, and a mark that says
UTF-8. Heads are in the reader's language.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

from vigie.api.city.export import harmless
from vigie.api.energy.tables import Names, street_of
from vigie.api.words import Words, words
from vigie.services.lighting.energy.model import Cabinet, Interval, Report, Used

COLUMNS = (
    "of", "id", "name", "area", "first", "last", "lamps", "estimated_kwh", "known_percent", "metered_kwh", "eur",
    "kg_co2", "before_kwh", "before_low_kwh", "before_high_kwh", "saving_percent", "saving_low_percent",
    "saving_high_percent", "unexplained_kwh", "why",
)  # fmt: skip

_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"

Number = Callable[[float | None], str]


def csv_of(report: Report, names: Names, language: str) -> bytes:
    """The table."""
    said, french = words(language), language == "fr"

    def number(value: float | None) -> str:
        text = "" if value is None else f"{round(value, 3) or 0:.12g}"
        return text.replace(".", ",") if french else text

    page = io.StringIO()
    lines = csv.writer(page, delimiter=";" if french else ",", lineterminator="\r\n")
    lines.writerow([said(f"energy.csv.{column}") for column in COLUMNS])
    lines.writerows(_rows(report, names, said, number))
    return ((_MARK if french else "") + page.getvalue()).encode()


def _rows(report: Report, names: Names, said: Words, number: Number) -> Iterator[list[str]]:
    nights = [report.first.isoformat(), report.last.isoformat()]

    def row(of: str, id: str, name: str, area: str, figures: list[str]) -> list[str]:
        return [said(f"energy.csv.of.{of}"), *map(harmless, (id, name, area)), *nights, *figures]

    yield row("whole", "", names.place, "", _used(report.whole, report, number))
    for path, used in sorted(report.areas.items()):
        yield row("area", path, names.area(path), path.rpartition("/")[0], _used(used, report, number))
    for key, used in sorted(report.streets.items()):
        name, path = street_of(key, report.areas)
        yield row("street", key, name or said("energy.no_street"), path, _used(used, report, number))
    for id, used in sorted(report.programmes.items()):
        name = names.programmes.get(id, id) or said("energy.no_programme")
        yield row("programme", id, name, "", _used(used, report, number))
    for each in report.cabinets:
        yield row("cabinet", each.id, names.cabinet(each.id), "", _cabinet(each, said, number))


def _used(used: Used, report: Report, number: Number) -> list[str]:
    priced = report.tariff is not None
    percent = None if used.saving is None else Interval(*(100 * each for each in _three(used.saving)))
    return [
        str(used.lamps),
        number(used.estimated_kwh),
        number(100 * used.known_share),
        number(used.metered_kwh),
        number(used.eur if priced else None),
        number(used.kg_co2 if priced else None),
        *(map(number, _three(used.before)) if used.before else ("", "", "")),
        *(map(number, _three(percent)) if percent else ("", "", "")),
        "",
        "",
    ]


def _cabinet(cabinet: Cabinet, said: Words, number: Number) -> list[str]:
    why = said(f"energy.why.{cabinet.why}") if cabinet.why else ""
    metered, unexplained = map(number, (cabinet.metered_kwh, cabinet.unexplained_kwh))
    return ["", number(cabinet.estimated_kwh), "", metered, *[""] * 8, unexplained, why]


def _three(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high
