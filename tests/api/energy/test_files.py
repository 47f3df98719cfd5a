"""A report as a table for spreadsheets and on paper."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest

from tests.api.energy.sample import DIJON, NAMES, REPORT, UNSTATED
from vigie.api.energy.export import COLUMNS, csv_of
from vigie.api.energy.printing import About, pdf_of, printed
from vigie.api.energy.tables import communes, keeps_promise, street_of, unexplained
from vigie.api.words import words
from vigie.services.lighting.energy.model import WHY, Interval, KeptNights, Report

ABOUT = About(date(2026, 11, 3), "1.2.3")


def rows(report: Report, language: str) -> list[dict[str, str]]:
    text = csv_of(report, NAMES, language).decode("utf-8-sig")
    assert text.endswith("\r\n")
    found = csv.reader(io.StringIO(text, newline=""), delimiter=";" if language == "fr" else ",")
    heads = next(found)
    assert len(heads) == len(COLUMNS)
    return [dict(zip(COLUMNS, row, strict=True)) for row in found]


def test_a_french_table_is_as_spreadsheets_there_read_it_and_an_english_one_as_the_standard_says() -> None:
    french, english = (csv_of(REPORT, NAMES, language) for language in ("fr", "en"))
    assert french.startswith(b"\xef\xbb\xbfde;")
    assert english.startswith(b"of,")
    for language, decimal in (("fr", ","), ("en", ".")):
        whole, *others = rows(REPORT, language)
        assert whole["metered_kwh"] == f"12345{decimal}678"
        assert whole["saving_percent"] == f"66{decimal}7"
        assert len(others) == len(REPORT.areas) + len(REPORT.streets) + len(REPORT.programmes) + len(REPORT.cabinets)
        by_id = {each["id"]: each for each in others}
        assert by_id["c1"]["unexplained_kwh"] == f"-12{decimal}5", "a number is no formula"
        assert (by_id["c3"]["metered_kwh"], by_id["c3"]["lamps"]) == ("", "")
        assert by_id[f"{DIJON}/Rue A/B"]["name"] == "Rue A/B"
        assert by_id[f"{DIJON}/=1+1"]["name"] == "'=1+1"


def test_the_paper_says_which_nights_are_from_kept_sums() -> None:
    def sources(*kept: KeptNights, language: str = "en") -> list[str]:
        return printed(msgspec.structs.replace(REPORT, kept=list(kept)), NAMES, language, ABOUT)["sources"]["rows"]

    some = KeptNights(date(2026, 10, 1), date(2026, 10, 3)), KeptNights(date(2026, 10, 5), date(2026, 10, 5))
    assert sources(*some)[1].endswith("1\xa0October 2026 – 3\xa0October 2026; 5\xa0October 2026")
    assert "toutes ces nuits" in sources(KeptNights(REPORT.first, REPORT.last), language="fr")[1]
    assert len(sources()) == len(sources(*some)) - 1


def test_what_nobody_has_stated_is_blank_and_not_zero() -> None:
    whole = rows(UNSTATED, "en")[0]
    assert [whole[each] for each in ("eur", "kg_co2", "before_kwh", "saving_percent")] == [""] * 4
    said = printed(UNSTATED, NAMES, "en", ABOUT)
    assert (said["saving"], said["bars"]) == (None, None)
    assert [each["value"] for each in said["figures"]] == ["12,346", "–", "–"]


def test_a_promise_is_kept_missed_or_open() -> None:
    def with_saving(low: float, high: float) -> Report:
        return replace_whole(REPORT, saving=Interval((low + high) / 2, low, high))

    assert [keeps_promise(with_saving(*each)) for each in ((0.65, 0.7), (0.5, 0.64), (0.6, 0.65))] == [
        "kept", "missed", "open",
    ]  # fmt: skip
    assert keeps_promise(UNSTATED) == ""


def replace_whole(report: Report, **changed: Any) -> Report:
    return msgspec.structs.replace(report, whole=msgspec.structs.replace(report.whole, **changed))


def test_areas_that_divide_it_are_told_the_largest_first_and_cabinets_by_what_is_unexplained() -> None:
    assert [path for path, _ in communes(REPORT)] == [DIJON, "metropole/quetigny"]
    assert [each.id for each in unexplained(REPORT.cabinets)] == ["c2", "c1", "c3"]
    assert street_of("metropole/dijon/Rue A/B", REPORT.areas) == ("Rue A/B", DIJON)
    assert street_of("/Rue A", REPORT.areas) == ("Rue A", "")


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from texts(each)
        case list():
            for each in value:
                yield from texts(each)
        case _:
            return


@pytest.mark.parametrize("language", ["fr", "en"])
def test_all_that_is_printed_is_said_and_nothing_is_left_open(language: str) -> None:
    said = printed(REPORT, NAMES, language, ABOUT)
    assert [each for each in texts(said) if re.search(r"[{}]|\bNone\b|\bnan\b", each)] == []
    assert said["title"] == "Dijon métropole"
    told = words(language)
    assert all(told(f"energy.why.{each}") for each in WHY if each), "a word for all that can be wrong with a meter"
    own = printed(REPORT, replace(NAMES, own=["metropole/quetigny"]), language, ABOUT)
    assert own["title"] == "Quetigny", "a part is not told as the whole"
    cabinets = said["tables"][-1]["rows"]
    assert [row[0] for row in cabinets] == ["Armoire Verte"], "what a meter may err by, and the lack of one, is no news"


def test_the_paper_is_tagged_named_and_the_same_twice() -> None:
    made = pdf_of(REPORT, NAMES, "fr", ABOUT)
    assert made == pdf_of(REPORT, NAMES, "fr", ABOUT)
    assert made.startswith(b"%PDF-1.7")
    for part in (b"/MarkInfo", b"/StructTreeRoot", b"/Lang", b"pdfuaid", b"Inter-Regular", b"Inter-SemiBold"):
        assert part in made, part
    # What a town calls its streets and programmes is text, whatever it looks like.
    odd = replace(NAMES, areas={DIJON: '#image("/etc/hosts") *x* $y$ @z'}, town='"]#panic()')
    assert pdf_of(UNSTATED, odd, "en", ABOUT).startswith(b"%PDF")
