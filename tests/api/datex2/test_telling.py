"""Works as everybody may know them: valid by the standard's schemas whatever they take up, and what each form says."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from tests.city import NOW_US
from vigie.api.datex2.telling import COLUMNS, Phase, Stretch, Works, geojson, periods_of, phases_of, rows, situation_of
from vigie.api.words import words
from vigie.core.times import DAY_US
from vigie.protocols.datex2 import Days, Hours, Period, Publication, read, write
from vigie.services.roads.works import permits
from vigie.services.roads.works.permits import Nature, Occupancy, Roadworks

etree: Any = import_module("lxml.etree")

ZONE = ZoneInfo("Europe/Paris")
SAID = [(language, words(language)) for language in ("fr", "en")]
FORGES = Stretch("Rue des Forges", ((5.04, 47.322), (5.041, 47.3221)), one_way=False)
DOWN = replace(FORGES, street="Rue Musette", one_way=True)
NIGHTS = "mon-thu 21:00-05:00; sat 08:00-12:00 13:00-24:00"
PHASE = Phase(2, NOW_US, NOW_US + 9 * DAY_US, NIGHTS, "closure", ("pedestrians", "cycles"), (FORGES, DOWN))
WORKS = Works(
    "0190", 12, 3, "granted", NOW_US - DAY_US, NOW_US, "network", True, "Dijon", (PHASE,),
    (replace(FORGES, street="Rue de la Liberté", one_way=True),),
)  # fmt: skip


def situations(*works: Works) -> Publication:
    """What is published of works."""
    return Publication(NOW_US, "fr", "dijon", "fr", tuple(situation_of(each, SAID) for each in works))


def test_whatever_works_take_up_is_valid_and_read_as_it_was_told(shared: Path) -> None:
    natures, occupancies = get_args(Nature), get_args(Occupancy)
    phases = [replace(PHASE, occupancy=each, number=n, ends_us=None) for n, each in enumerate(occupancies, 1)]
    told = [replace(WORKS, id=each, nature=each, state="suspended", phases=tuple(phases)) for each in natures]
    publication = situations(*told)
    written = write(publication)
    reading = read(written)
    assert reading.publication == publication
    assert not reading.deviations
    path = shared / "standards" / "datex2" / "v3.7" / "DATEXII_3_D2Payload.xsd"
    if not path.exists():
        pytest.skip("no folder ../shared/standards/datex2 with the schemas of DATEX II 3.7")
    etree.XMLSchema(etree.parse(str(path))).assertValid(etree.fromstring(written))


def test_a_closure_is_works_a_closed_road_each_way_that_is_closed_and_a_way_round() -> None:
    (situation,) = situations(WORKS).situations
    works, traffic, direction, detour = situation.records
    assert (situation.id, situation.severity) == ("0190", "high")
    assert (works.form, works.kinds, works.identifier, works.urgent) == (
        "ConstructionWorks", ("constructionWork",), "12", True,
    )  # fmt: skip
    assert works.under_traffic is False
    assert [(each.kinds, each.directions) for each in (traffic, direction)] == [
        (("roadClosed",), ("bothWays",)), (("roadClosed",), ("aligned",)),
    ]  # fmt: skip
    assert [place.road_name for each in (traffic, direction) for place in each.places] == [
        "Rue des Forges", "Rue Musette",
    ]  # fmt: skip
    assert (detour.form, detour.route_words[0][1]) == ("ReroutingManagement", "Rue de la Liberté")
    assert detour.route[0].points == FORGES.line
    assert {each.version for each in situation.records} == {"3"}
    assert works.comments[0].words[0][1].endswith("rue fermée; passent toujours\u00a0: piétons, cycles")


@pytest.mark.parametrize(
    ("occupancy", "kinds"),
    [
        ("pavement", []),
        ("parking", ["parkingProhibitionInOperation"]),
        ("lane", ["laneClosures"]),
        ("alternating", ["singleAlternateLineTraffic"]),
        ("one_way", ["createOneDirectionWay"]),
    ],
)
def test_what_is_done_to_traffic_follows_from_what_is_taken(occupancy: Occupancy, kinds: list[str]) -> None:
    phase = replace(PHASE, occupancy=occupancy, stretches=(FORGES,))
    (situation,) = situations(replace(WORKS, phases=(phase,), detour=())).situations
    assert [kind for each in situation.records[1:] for kind in each.kinds] == kinds
    assert situation.records[0].under_traffic is True


def test_hours_are_told_day_by_day_with_nights_that_go_on() -> None:
    week = ("monday", "tuesday", "wednesday", "thursday")
    assert periods_of(NIGHTS) == (
        Period(hours=(Hours(75_600, 18_000),), days=(Days(week),)),
        Period(hours=(Hours(28_800, 43_200), Hours(46_800, 0)), days=(Days(("saturday",)),)),
    )
    assert periods_of("") == ()


def test_phases_that_are_over_are_left_out_but_not_those_of_works_that_go_on() -> None:
    phase = permits.Phase("2026-11-20T08:00", "2026-11-21T18:00", (permits.Stretch("s"),), "lane")
    later = permits.Phase("2026-12-01T08:00", "2026-12-04T18:00", (permits.Stretch("s"),), "closure")
    begins_us, at_us = (permits.instant_of(each, ZONE) for each in (phase.begins, "2026-11-25T12:00"))
    both, first = Roadworks(phases=(phase, later)), Roadworks(phases=(phase,))
    assert [each[0] for each in phases_of(both, "under_way", ZONE, at_us)] == [2]
    assert phases_of(first, "granted", ZONE, at_us) == []
    assert phases_of(first, "under_way", ZONE, at_us) == [(1, begins_us, None)]
    assert phases_of(first, "under_way", ZONE, begins_us) == [(1, begins_us, permits.instant_of(phase.ends, ZONE))]
    left = replace(WORKS, state="suspended", phases=(replace(PHASE, ends_us=None),))
    validity = situation_of(left, SAID).records[0].validity
    assert (validity.status, validity.overrunning, validity.ends_us) == ("suspended", True, None)


def test_open_data_says_the_same_as_lines_and_as_a_table() -> None:
    odd = replace(WORKS, phases=(replace(PHASE, stretches=(replace(FORGES, street="=SUM(A1)"),)),))
    told = json.loads(geojson([odd], NOW_US))
    (feature,) = told["features"]
    assert feature["geometry"] == {"type": "MultiLineString", "coordinates": [[list(each) for each in FORGES.line]]}
    assert (feature["properties"]["occupancy"], feature["properties"]["hours"]) == ("closure", NIGHTS)
    page = io.StringIO()
    csv.writer(page).writerows(rows([odd]))
    (row,) = csv.DictReader(io.StringIO(page.getvalue()))
    assert row.keys() == set(COLUMNS)
    assert (row["streets"], row["passes"], row["lon"], row["urgent"]) == (
        "'=SUM(A1)", "pedestrians, cycles", "5.040000", "1",
    )  # fmt: skip
