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
    Switching,
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
        "lighting.park_late"
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


def standing(category: str, lights: str) -> Park:
    """The park of lamps, of which the last lights something else."""
    return replace(park(), category=["a"] * 11 + [category], lights=["road"] * 11 + [lights])


def test_heritage_is_dark_at_one_but_for_an_event() -> None:
    heritage = standing("b", "heritage")
    late = programme("late", Rank.AREA, SENNECEY, window("22:00", "02:00", 60))
    assert found(late, on=heritage)["lighting.heritage_late"].refuses
    assert found(late, on=heritage)["lighting.heritage_late"].assets == ["lamp-11"]
    assert found(late, on=heritage)["lighting.heritage_late"].article == "27.12.2018, art. 2, II"
    event = programme("ball", Rank.EVENT, SENNECEY, window("22:00", "02:00", 60))
    assert not found(event, on=heritage)["lighting.heritage_late"].refuses
    early = programme("early", Rank.AREA, SENNECEY, window("01:00", Dawn(), 0))
    assert "lighting.heritage_late" not in found(msgspec.structs.replace(early, decision=DECISION), on=heritage)


def test_an_event_is_answered_for_by_itself_and_refuses_no_programme_under_it() -> None:
    heritage = standing("b", "heritage")
    night = When(dates=(Span("2026-07-14", "2026-07-14"),))
    ball = programme("ball", Rank.EVENT, SENNECEY, window("22:00", "02:00", 60), when=night)
    off = programme("off", Rank.AREA, SENNECEY, window("01:00", Dawn(), 0))
    off = msgspec.structs.replace(off, decision=DECISION)
    assert "lighting.heritage_late" not in found(off, ball, on=heritage)
    assert not found(ball, off, on=heritage)["lighting.heritage_late"].refuses
    # Nor does one that goes on too long while it is not seen to by the one above it: that one is told for its own.
    late = programme("late", Rank.CLASS, Target(classes=("P4",)), window("22:00", "03:00", 60))
    until_one = programme("until one", Rank.AREA, SENNECEY, window("22:00", "01:00", 80), window("03:00", Dawn(), 0))
    assert "lighting.heritage_late" not in found(until_one, late, on=heritage)
    assert found(late, until_one, on=heritage)["lighting.heritage_late"].refuses
    # The plain night that nobody ends is told of whoever speaks for the lamp.
    left = programme("left", Rank.AREA, SENNECEY, window("22:00", "00:00", 60))
    assert found(left, ball, on=heritage)["lighting.heritage_late"].refuses


def test_who_is_lit_before_sunset_by_an_events_switching_is_not_to_blame() -> None:
    heritage = standing("b", "heritage")
    fair = programme("fair", Rank.EVENT, SENNECEY, switching=Switching(sun_deg=2.0))
    usual = programme("usual", Rank.AREA, SENNECEY, switching=Switching(sun_deg=-2.0))
    assert "lighting.heritage_early" not in found(usual, fair, on=heritage)
    assert not found(fair, usual, on=heritage)["lighting.heritage_early"].refuses


@pytest.mark.parametrize(
    ("category", "lights", "rule", "paragraph"),
    [("b", "park", "park_late", "II"), ("d", "", "building_late", "III"), ("e", "car_park", "car_park_late", "IV")],
)
def test_what_closes_when_its_activity_ends_is_answered_for(
    category: str, lights: str, rule: str, paragraph: str
) -> None:
    late = programme("late", Rank.AREA, SENNECEY, window("22:00", "02:00", 60))
    (said,) = found(late, on=standing(category, lights)).values()
    assert (said.rule, said.refuses, said.assets) == (f"lighting.{rule}", False, ["lamp-11"])
    assert said.article == f"27.12.2018, art. 2, {paragraph}"
    off = msgspec.structs.replace(dark(), rules=programme("", Rank.AREA, "", window("01:00", Dawn(), 0)).rules)
    assert f"lighting.{rule}" not in found(off, on=standing(category, lights))


@pytest.mark.parametrize(("category", "refuses"), [("a", None), ("b", True), ("d", True), ("e", False)])
def test_nothing_but_a_road_is_lit_before_sunset(category: str, refuses: bool | None) -> None:
    bright = programme("bright", Rank.AREA, SENNECEY, switching=Switching(sun_deg=2.0))
    said = [each for rule, each in found(bright, on=standing(category, "")).items() if rule.endswith("_early")]
    assert [(each.refuses, each.assets) for each in said] == ([] if refuses is None else [(refuses, ["lamp-11"])])
    assert not [rule for rule in found(programme("dusk", Rank.AREA, SENNECEY)) if rule.endswith("_early")]


def test_roads_are_dark_by_decision_and_in_its_hours() -> None:
    roads = replace(park(), category=["a"] * 12, lights=["road"] * 12)
    undecided = found(dark(), on=roads)["lighting.dark_undecided"]
    assert (undecided.refuses, undecided.count, undecided.article) == (False, 6, "CGCT L2212-2")
    assert found(msgspec.structs.replace(dark(), decision=DECISION), on=roads) == {}
    exact = msgspec.structs.replace(DECISION, dark_from=0, dark_to=300)
    assert found(msgspec.structs.replace(dark(), decision=exact), on=roads) == {}
    narrow = msgspec.structs.replace(DECISION, dark_from=30, dark_to=300)
    said = found(msgspec.structs.replace(dark(), decision=narrow), on=roads)["lighting.beyond_decision"]
    assert (said.refuses, said.count, said.detail) == (True, 6, {"from": "00:30", "to": "05:00"})
    # A tunnel that is switched off is somebody else's rule.
    tunnels = replace(roads, lights=["tunnel"] * 12)
    assert found(dark(), on=tunnels) == {}


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
