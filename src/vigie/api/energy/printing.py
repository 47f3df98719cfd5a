"""A report on paper: A4, tagged as PDF/UA-1 wants it, typeset by Typst from data and nothing else.

The template holds no word and reckons nothing; all that it prints is made here, in the reader's language.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import typst

from vigie.api.energy.spans import Span
from vigie.api.energy.tables import Names, communes, drawn_kwh, keeps_promise, unexplained
from vigie.api.energy.written import FIRM, NONE, Written
from vigie.api.words import words
from vigie.services.lighting.energy.model import Interval, Report, Used

PAPER = Path(__file__).resolve().parent / "paper"
CABINETS_MAX = 15
"""Cabinets that are printed; all of them are in the table for spreadsheets."""
TELLING_SHARE = 0.02
"""An unexplained load below this share of what its meter counted is its meter's own error."""


@dataclass(frozen=True)
class About:
    """What a report says of itself. made: the day. version: of vigie."""

    made: date
    version: str


def pdf_of(report: Report, names: Names, language: str, about: About) -> bytes:
    """The report as a PDF. Takes some hundredths of a second, without the interpreter's lock."""
    made = typst.compile(
        PAPER / "report.typ",
        root=PAPER,
        font_paths=[PAPER],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(printed(report, names, language, about))},
        pdf_standards=["ua-1"],
        # The file is of its day, so that the same report is the same bytes.
        timestamp=(about.made - date(1970, 1, 1)).days * 86_400,
    )
    assert isinstance(made, bytes)
    return made


def printed(report: Report, names: Names, language: str, about: About) -> dict[str, Any]:
    """All that is printed, as the template reads it."""
    w = Written(language, words(language))
    said, span = w.said, Span(report.first, report.last)
    nights = said("energy.nights.one" if report.nights == 1 else "energy.nights.other", n=w.number(report.nights))
    days = w.day(report.first)
    if report.nights > 1:
        days = said("energy.from_to", first=days, last=w.day(report.last))
    return {
        "language": language,
        "overline": said("energy.report"),
        "title": names.place,
        "place": names.place,
        "subtitle": w.month(report.first).capitalize() if span.month else days,
        "nights": f"{w.month(report.first).capitalize()} · {nights}" if span.month else f"{days} · {nights}",
        "made": said("energy.made", day=w.day(about.made)),
        "figures": _figures(report, w),
        "saving": _saving(report, w),
        "bars": _bars(report.whole, w),
        "tables": [*_used_tables(report, names, w), _cabinets(report, names, w)],
        "method": {"heading": said("energy.method"), "parts": _method(report, w)},
        "sources": {"heading": said("energy.sources"), "rows": _sources(report, w, about)},
    }


def _figures(report: Report, w: Written) -> list[dict[str, Any]]:
    said, whole, tariff = w.said, report.whole, report.tariff
    metered = whole.metered_kwh is not None
    carbon = said("energy.carbon", kg=w.amount(whole.kg_co2)) if tariff else said("energy.no_tariff")
    saving = whole.saving
    below = [said("energy.no_baseline") if saving is None else w.between(saving)]
    if saving is not None and report.target is not None:
        below.append(said("energy.promised", share=w.percent(report.target)))
    lamps = said("energy.lamps", n=w.number(whole.lamps))
    return [
        {
            "name": said("energy.used"),
            "value": w.amount(drawn_kwh(whole)),
            "unit": "kWh",
            "below": [said("energy.metered" if metered else "energy.estimated"), lamps],
        },
        {"name": said("energy.cost"), "value": w.amount(whole.eur) if tariff else NONE, "unit": "€", "below": [carbon]},
        {
            "name": said("energy.saving"),
            "value": NONE if saving is None else w.number(100 * saving.value, 1),
            "unit": "%",
            "below": below,
        },
    ]


def _saving(report: Report, w: Written) -> dict[str, Any] | None:
    saving, target, said = report.whole.saving, report.target, w.said
    if saving is None:
        return None
    promised = None if target is None else said("energy.promised", share=w.percent(target))
    verdict = keeps_promise(report)
    sentence = said("energy.saving.words", share=w.percent(saving.value, 1), between=w.between(saving))
    if verdict:
        sentence += " " + said(f"energy.promise.{verdict}", share=w.percent(target))
    return {
        "heading": said("energy.saving.heading"),
        "alt": sentence,
        "words": sentence,
        "value": saving.value,
        "low": saving.low,
        "high": saving.high,
        "target": target,
        "target_word": promised,
        "scale": [w.percent(each / 4) for each in range(5)],
    }


def _bars(whole: Used, w: Written) -> dict[str, Any] | None:
    before = whole.before
    if before is None:
        return None
    now, most = drawn_kwh(whole), max(before.high, drawn_kwh(whole), 1e-9)
    ends = w.said("energy.from_to", first=w.number(before.low), last=w.quantity(before.high, "kWh"))
    rows = [
        {
            "name": w.said("energy.before"),
            "value": w.quantity(before.value, "kWh"),
            "share": before.value / most,
            "low": before.low / most,
            "high": before.high / most,
            "past": True,
        },
        {
            "name": w.said("energy.now"),
            "value": w.quantity(now, "kWh"),
            "share": now / most,
            "low": None,
            "high": None,
            "past": False,
        },
    ]
    alt = "; ".join(f"{each['name']}: {each['value']}" for each in rows) + f" ({ends})"
    return {"heading": w.said("energy.bars"), "alt": alt, "rows": rows}


def _used_tables(report: Report, names: Names, w: Written) -> list[dict[str, Any]]:
    said = w.said
    areas = [(names.area(path), used) for path, used in communes(report)]
    programmes = sorted(report.programmes.items(), key=lambda each: -drawn_kwh(each[1]))
    named = [(names.programmes.get(id, id) or said("energy.no_programme"), used) for id, used in programmes]
    return [
        _used_table(said("energy.by_area"), areas, report, w),
        _used_table(said("energy.by_programme"), named, report, w),
    ]


def _used_table(heading: str, rows: Sequence[tuple[str, Used]], report: Report, w: Written) -> dict[str, Any]:
    said, priced = w.said, report.tariff is not None
    heads = ["name", "lamps", "kwh", "eur", "before", "saving", "between"]
    estimated = any(used.metered_kwh is None for _, used in rows)
    mark = "*" if estimated else ""

    def cells(name: str, used: Used) -> list[str]:
        own = "*" if used.metered_kwh is None else FIRM if mark else ""
        return [
            name,
            w.number(used.lamps),
            w.amount(drawn_kwh(used)) + own,
            w.amount(used.eur) if priced else NONE,
            w.amount(used.before.value) if used.before else NONE,
            w.percent(used.saving.value, 1) if used.saving else NONE,
            _span_of(used.saving, w),
        ]

    return {
        "heading": heading,
        "lead": "",
        "heads": [said(f"energy.column.{each}") for each in heads],
        "left": [0],
        "rows": [cells(name, used) for name, used in rows],
        "note": said("energy.estimated.note") if estimated else "",
    }


def _span_of(saving: Interval | None, w: Written) -> str:
    if saving is None:
        return NONE
    return f"{w.number(100 * saving.low, 1)} – {w.percent(saving.high, 1)}"


def _cabinets(report: Report, names: Names, w: Written) -> dict[str, Any]:
    said = w.said
    metered = [each for each in report.cabinets if each.metered_kwh is not None]
    lead = said(
        "energy.cabinets.lead",
        metered=w.number(len(metered)),
        all=w.number(len(report.cabinets)),
        kwh=w.quantity(sum(each.metered_kwh or 0.0 for each in metered), "kWh"),
        lamps=w.quantity(sum(each.estimated_kwh for each in metered), "kWh"),
    )
    # That a cabinet has no meter is told by how many have one.
    telling = [
        each
        for each in unexplained(report.cabinets)
        if each.why not in ("", "no_meter")
        or abs(each.unexplained_kwh or 0.0) > TELLING_SHARE * (each.metered_kwh or 0.0)
    ]
    rows = [
        [
            names.cabinet(each.id),
            w.amount(each.metered_kwh),
            w.amount(each.estimated_kwh),
            w.amount(each.unexplained_kwh),
            said(f"energy.why.{each.why}") if each.why else "",
        ]
        for each in telling[:CABINETS_MAX]
    ]
    if metered:
        lead += " " + said("energy.cabinets.telling" if rows else "energy.cabinets.clear")
    return {
        "heading": said("energy.cabinets"),
        "lead": lead if report.cabinets else said("energy.cabinets.none"),
        "heads": [said(f"energy.column.{each}") for each in ("cabinet", "metered", "by_lamps", "unexplained", "why")],
        "left": [0, 4],
        "rows": rows,
        "note": said("energy.cabinets.more", n=w.number(len(rows))) if len(telling) > len(rows) else "",
    }


def _method(report: Report, w: Written) -> list[Mapping[str, str]]:
    said, known = w.said, w.percent(report.whole.known_share, 1)
    parts = ["used", *(["saving"] if report.whole.saving else []), "cabinets", *(["eur"] if report.tariff else [])]
    return [
        {"name": said(f"energy.method.{each}"), "words": said(f"energy.method.{each}.words", known=known)}
        for each in parts
    ]


def _kept(report: Report, w: Written) -> list[str]:
    """Of which nights the sums were read that are kept of them."""
    nights = sum((each.last - each.first).days + 1 for each in report.kept)
    if not nights:
        return []
    if nights == report.nights:
        return [w.said("energy.source.kept.all")]
    spans = [
        w.day(each.first)
        if each.first == each.last
        else w.said("energy.from_to", first=w.day(each.first), last=w.day(each.last))
        for each in report.kept
    ]
    return [w.said("energy.source.kept", nights="; ".join(spans))]


def _sources(report: Report, w: Written, about: About) -> list[str]:
    said, tariff = w.said, report.tariff
    rows = [said("energy.source.history"), *_kept(report, w), said("energy.source.inventory")]
    if tariff is not None:
        prices = (tariff.peak_eur_per_kwh, tariff.off_peak_eur_per_kwh)
        peak, off = (w.number(each, 4) for each in prices)
        carbon = w.number(1_000 * tariff.kg_co2_per_kwh)
        rows.append(said("energy.source.tariff", peak=peak, off=off, carbon=carbon, source=tariff.source or NONE))
    return [*rows, said("energy.source.vigie", version=about.version)]
