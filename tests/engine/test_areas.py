"""Which part of the town a place lies in."""

from __future__ import annotations

import msgspec
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tests.city import CATALOGUE
from vigie.core.drafts import Draft
from vigie.engine.areas import Area, Areas, segment
from vigie.engine.inventory import Intake, Known, KnownArea, plan_intake


def square(west: float, south: float, side: float) -> bytes:
    return shapely.to_wkb(shapely.box(west, south, west + side, south + side))


def area(name: str, west: float, south: float, side: float, *, rank: int = 0, within: str = "") -> Area:
    return Area(rank, name, within, west + side / 2, south + side / 2, square(west, south, side))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("Marsannay-la-Côte", "marsannay-la-cote"),
        ("Près d'Arènes", "pres-d-arenes"),
        ("Les Beaux - Arts", "les-beaux-arts"),
        ("A/B_C", "a-b-c"),
        ("Тверь", "тверь"),
        ("  ", ""),
    ],
)
def test_a_name_as_a_step_of_a_path(name: str, path: str) -> None:
    assert segment(name) == path


def test_areas_lie_in_one_another_and_places_in_the_narrowest() -> None:
    areas = Areas(
        [
            area("Quartier", 5.0, 47.0, 0.1, rank=1),
            area("Ville", 5.0, 47.0, 1.0, within="metropole"),
            area("Coin", 5.0, 47.0, 0.01, rank=1),
            area("Ailleurs", 9.0, 47.0, 1.0),
        ]
    )
    assert areas.paths == [
        "metropole/ville/quartier",
        "metropole/ville",
        "metropole/ville/quartier/coin",
        "ailleurs",
    ]
    found = areas.find([5.005, 5.05, 5.5, 9.5, 0.0], [47.005, 47.05, 47.5, 47.5, 0.0])
    assert found == ["metropole/ville/quartier/coin", "metropole/ville/quartier", "metropole/ville", "ailleurs", ""]


def test_a_district_is_narrower_than_a_commune_even_where_it_is_drawn_larger() -> None:
    areas = Areas([area("Seul", 4.99, 46.99, 1.02, rank=1), area("Ville", 5.0, 47.0, 1.0, rank=0)])
    assert areas.paths == ["ville/seul", "ville"]
    assert areas.find([5.5], [47.5]) == ["ville/seul"]


def test_no_areas_hold_nothing_and_rubbish_is_no_area() -> None:
    assert Areas([]).find([5.0], [47.0]) == [""]
    assert Areas([]).find([], []) == []
    broken = Area(0, "Ville", "", 5.0, 47.0, b"rubbish")
    assert Areas([broken]).find([5.0], [47.0]) == [""]


@given(st.lists(st.tuples(st.floats(4.9, 6.1), st.floats(46.9, 48.1)), max_size=20), st.randoms())
def test_a_place_lies_in_one_area_whatever_the_order(places: list[tuple[float, float]], order: object) -> None:
    """Four communes side by side, with common borders."""
    names = ["sw", "se", "nw", "ne"]
    four = [area(name, 5.0 + n % 2 / 2, 47.0 + n // 2 / 2, 0.5) for n, name in enumerate(names)]
    found = Areas(four).find([lon for lon, _ in places], [lat for _, lat in places])
    for (lon, lat), path in zip(places, found, strict=True):
        inside = 5.0 <= lon <= 6.0 and 47.0 <= lat <= 48.0
        assert (path in names) == inside
    alone = [Areas(four).find([lon], [lat])[0] for lon, lat in places]
    assert alone == found


COMMUNE = Draft(key="c/1", kind="commune", name="Ville", lon=5.5, lat=47.5, geometry=square(5.0, 47.0, 1.0))
DISTRICT = Draft(key="d/1", kind="district", name="Nord", lon=5.5, lat=47.9, geometry=square(5.4, 47.8, 0.2))
LAMPS = [Draft(key=f"l/{n}", kind="luminaire", lon=5.5, lat=lat) for n, lat in enumerate((47.9, 47.1, 40.0))]


def taken(drafts: list[Draft], areas: list[KnownArea], **words: object) -> Intake:
    return plan_intake(CATALOGUE, drafts, {}, {}, 1, source="here", areas=areas, **words)


def test_an_import_places_its_own_and_keeps_what_is_said() -> None:
    said = msgspec.structs.replace(LAMPS[0], key="l/9", area="elsewhere/said")
    intake = taken([*LAMPS, said, DISTRICT, COMMUNE], [])
    assert [change.draft.area for change in intake.changes] == [
        "ville/nord", "ville", "", "elsewhere/said", "ville", "",
    ]  # fmt: skip
    assert intake.unplaced == ("l/2",)


def test_areas_that_the_post_has_count_unless_this_import_brings_or_retires_them() -> None:
    had = KnownArea("here", "c/1", "commune", "Ville", "metropole", 5.5, 47.5, square(5.0, 47.0, 1.0))
    assert [change.draft.area for change in taken(LAMPS, [had]).changes] == ["metropole/ville"] * 2 + [""]
    renamed = msgspec.structs.replace(COMMUNE, name="Bourg")
    assert taken([*LAMPS, renamed], [had]).changes[0].draft.area == "bourg"
    known = {"c/1": Known(1, "commune", b"x", "commune-1")}
    words = {"source": "here", "areas": [had]}
    kept = plan_intake(CATALOGUE, LAMPS, known, {"commune-1": 1}, 2, **words)
    assert kept.changes[0].draft.area == "metropole/ville"
    ended = plan_intake(CATALOGUE, LAMPS, known, {"commune-1": 1}, 2, **words, retire=True)
    assert ended.changes[0].draft.area == ""
