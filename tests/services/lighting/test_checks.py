"""What a programme is refused for, and what it has to be answered for."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from tests.services.lighting.parks import CALENDAR, DIJON, SENNECEY, dark, layers, p4, park, programme, window
from vigie.core.plans import Finding
from vigie.services.lighting.programmes.checks import check
from vigie.services.lighting.programmes.model import (
    Dawn,
    Decision,
    Dusk,
    Programme,
    Rank,
    Season,
    Span,
    Target,
    When,
)
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.park import Park

YEAR = Nights.of_year(2026, CALENDAR)
DECISION = Decision("2026-31", "2026-03-02", "the mayor", "0 h to 5 h", "panels at the town's edges")


def found(own: Programme, *others: Programme, on: Park | None = None) -> dict[str, Finding]:
    stacked = layers(own, *others)
    index = next(n for n, each in enumerate(stacked) if each.programme is own)
    return {each.rule: each for each in check(on or park(), stacked, index, YEAR)}


def test_dimming_a_class_is_refused_for_nothing() -> None:
    assert found(programme("P4", Rank.CLASS, Target(classes=("P4",)), window("22:00", Dawn(), 50))).keys() == {
        "lighting.heritage_late"
    }
    assert found(p4(), on=replace(park(), category=["a"] * 12)) == {}


def test_a_crossing_is_darkened_by_decision_alone() -> None:
    said = found(dark())
    assert said["lighting.crossing_dark"].refuses
    assert said["lighting.crossing_dark"].assets == ["lamp-8"]
    assert said["lighting.crossing_dark"].article == "CGCT L2212-2"
    decided = found(msgspec.structs.replace(dark(), decision=DECISION))
    assert "lighting.crossing_dark" not in decided


def test_a_crossing_dark_among_lit_neighbours_is_to_be_answered_for() -> None:
    alone = programme("crossing", Rank.STREET, Target(assets=("lamp-8",)), window("00:00", "05:00", 0))
    said = found(msgspec.structs.replace(alone, decision=DECISION))
    assert not said["lighting.crossing_dark_among_lit"].refuses
    # Where the whole commune is dark, nobody is blinded by a neighbour's light.
    whole = found(msgspec.structs.replace(dark(), decision=DECISION))
    assert "lighting.crossing_dark_among_lit" not in whole


def test_a_park_is_dark_at_one_but_for_an_event() -> None:
    late = programme("late", Rank.AREA, SENNECEY, window("22:00", "02:00", 60))
    assert found(late)["lighting.heritage_late"].refuses
    assert found(late)["lighting.heritage_late"].assets == ["lamp-11"]
    event = programme("ball", Rank.EVENT, SENNECEY, window("22:00", "02:00", 60))
    assert not found(event)["lighting.heritage_late"].refuses
    early = programme("early", Rank.AREA, SENNECEY, window("01:00", Dawn(), 0))
    assert "lighting.heritage_late" not in found(msgspec.structs.replace(early, decision=DECISION))


def test_a_cabinet_is_not_overloaded() -> None:
    full = programme("full", Rank.AREA, DIJON, window(Dusk(), Dawn(), 100))
    said = found(full, on=park(rating_w=599.0))["lighting.cabinet_overloaded"]
    assert said.refuses
    assert (said.assets, said.detail) == (["cabinet-7"], {"load_w": 600, "rating_w": 599})
    assert "lighting.cabinet_overloaded" not in found(full, on=park(rating_w=600.0))
    half = programme("half", Rank.AREA, DIJON, window(Dusk(), Dawn(), 50))
    assert "lighting.cabinet_overloaded" not in found(half, on=park(rating_w=400.0))


def test_names_that_name_nothing_are_told() -> None:
    lost = programme(
        "lost",
        Rank.STREET,
        Target(streets=("Rue Perdue",), assets=("lamp-1", "gone"), classes=("X9",)),
        window("22:00", "23:00", 50),
    )
    said = found(lost)
    assert {rule: each.refuses for rule, each in said.items()} == {
        "lighting.unknown_street": False,
        "lighting.unknown_lamps": False,
        "lighting.unknown_class": True,
    }
    nobody = programme("nobody", Rank.AREA, "metropole/nowhere", window("22:00", "23:00", 50))
    assert found(nobody)["lighting.speaks_for_none"].refuses
    assert found(nobody)["lighting.unknown_area"].refuses


def test_a_programme_that_is_never_heard_is_told() -> None:
    over = programme("over", Rank.STREET, SENNECEY, window(Dusk(), Dawn(), 80))
    assert not found(p4(), over)["lighting.never_heard"].refuses


@pytest.mark.parametrize(
    ("when", "rule"),
    [
        (When(dates=(Span("2026-02-30", "2026-03-01"),)), "lighting.no_such_day"),
        (When(dates=(Span("2026-03-02", "2026-03-01"),)), "lighting.span_backwards"),
        (When(seasons=(Season("02-30", "03-01"),)), "lighting.no_such_day"),
    ],
)
def test_days_that_do_not_exist_are_refused(when: When, rule: str) -> None:
    wrong = programme("wrong", Rank.AREA, DIJON, window("22:00", "23:00", 50), when=when)
    assert found(wrong)[rule].refuses


def test_a_leap_day_is_a_day() -> None:
    leap = When(seasons=(Season("02-29", "03-01"),))
    right = programme("right", Rank.AREA, DIJON, window("22:00", "23:00", 50), when=leap)
    assert found(right) == {}
    assert np.count_nonzero(YEAR.match(leap)) == 1
