"""What the order of 27 December 2018 has against luminaires, article by article."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.calendar import Calendar, day_number
from vigie.core.drafts import Draft, Scalar
from vigie.core.kinds import AssetKind, Sort
from vigie.core.plans import Columns, Phrase, PlanKind, Standing
from vigie.services.lighting.compliance.dates import installed_day
from vigie.services.lighting.compliance.judge import OWED, RULES
from vigie.services.lighting.compliance.report import (
    Compliance,
    ComplianceAsked,
    LampFound,
    compliance,
    compliance_table,
    judge_drafts,
)
from vigie.services.lighting.kinds import Luminaire

DIJON, QUETIGNY = "metropole/dijon", "metropole/quetigny"
SOUND: Mapping[str, Scalar] = {
    "category": "a", "lights": "road", "colour_temperature": 2_700.0, "upward_light_share": 0.5, "flux_code_3": 98.0,
    "rated_power": 60.0, "flux": 7_000.0, "installed": "2021-05",
}  # fmt: skip
"""A luminaire that nothing can be said against."""


@dataclass(frozen=True)
class Town:
    """Luminaires as a question sees them. The street of the first half is one, of the second another."""

    lamps: Sequence[Mapping[str, Scalar]]
    street: Sequence[int] = ()
    now_us: int = 0
    calendar: Calendar = field(default_factory=lambda: Calendar(None))  # type: ignore[arg-type]

    def columns(self, kind: type[AssetKind], *attributes: str) -> Columns:
        assert kind is Luminaire
        count = len(self.lamps)
        said: dict[str, Any] = {}
        for name in attributes:
            number = Luminaire.attributes[name].sort is Sort.NUMBER
            values = [each.get(name, np.nan if number else "") for each in self.lamps]
            said[name] = np.array(values, np.float64 if number else np.object_)
        return Columns(
            no=np.arange(10, 10 + count),
            ids=[f"lamp-{n}" for n in range(count)],
            area=np.array([1 + (2 * n >= count) for n in range(count)], np.int64),
            street=np.array(self.street or [0] * count, np.int64),
            parent=np.zeros(count, np.int64),
            lon=np.full(count, 5.04),
            lat=np.full(count, 47.32),
            areas=["", DIJON, QUETIGNY],
            streets=["", "Rue Verte", "Rue Haute"],
            attributes=said,
        )

    def plans(self, kind: PlanKind) -> Sequence[Standing]:
        return ()


def told(*lamps: Mapping[str, Scalar], street: Sequence[int] = (), **asked: Any) -> Compliance:
    return compliance(ComplianceAsked(**asked), Town(lamps, street))


def broken(*lamps: Mapping[str, Scalar], street: Sequence[int] = ()) -> dict[str, list[str]]:
    """By luminaire, the rules that it breaks."""
    return {each.id: [finding.rule.removeprefix("lighting.") for finding in each.findings]
            for each in told(*lamps, street=street).items}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2021", "2021-01-01"),
        ("2021-05", "2021-05-01"),
        ("2021-05-12", "2021-05-12"),
        ("20210512", "2021-05-12"),
        (" 2021 ", "2021-01-01"),
        ("", None),
        ("2021-13", None),
        ("20210230", None),
        ("mai 2021", None),
        ("202105", None),
    ],
)
def test_a_date_of_installation_is_read_as_inventories_write_it(text: str, day: str | None) -> None:
    found = installed_day(text)
    assert np.isnan(found) if day is None else found == day_number(day)


def test_nothing_is_said_against_a_sound_luminaire() -> None:
    said = told(SOUND)
    assert (said.lamps, said.judged, said.found, said.total, said.items) == (1, 1, 0, 0, [])
    assert [each.rule for each in said.rules] == [rule.name for rule in RULES]
    assert {each.lamps for each in said.rules} == {0}


LIMITS = [
    ("colour_temperature", 3_001.0, 3_000.0, "colour_over", "ade", "art. 3, II, 3°"),
    ("upward_light_share", 1.0, 0.99, "upward_over", "ae", "art. 3, II, 1°"),
    ("flux_code_3", 95.0, 95.1, "flux_code_under", "ae", "art. 3, II, 2°"),
]


@pytest.mark.parametrize(("name", "over", "within", "rule", "categories", "article"), LIMITS)
@pytest.mark.parametrize("category", "abcdefg")
def test_each_limit_is_for_its_categories_and_for_what_is_new(
    name: str, over: float, within: float, rule: str, categories: str, article: str, category: str
) -> None:
    lamp = {**SOUND, "category": category, name: over}
    assert broken(lamp) == ({"lamp-0": [rule]} if category in categories else {})
    assert broken({**lamp, name: within}) == {}
    assert broken({**lamp, "installed": "2019-12"}) == {}
    assert broken({**lamp, "lights": "tunnel"}) == {}
    if category in categories:
        (finding,) = told(lamp).items[0].findings
        assert finding.article == f"27.12.2018, {article}"
        assert finding.detail["value"] == over


def test_a_year_alone_tells_what_is_new() -> None:
    assert broken(*({**SOUND, "colour_temperature": 4_000.0, "installed": year} for year in ("2019", "2020"))) == {
        "lamp-1": ["colour_over"]
    }


@pytest.mark.parametrize("installed", ["1998", "2021"])
def test_what_lights_the_sky_had_to_go_whatever_its_age(installed: str) -> None:
    ball = {**SOUND, "upward_light_share": 55.0, "installed": installed}
    new = ["upward_over"] if installed == "2021" else []
    assert broken(ball, {**ball, "upward_light_share": 50.0}) == {
        "lamp-0": [*new, "upward_replaced"],
        **({"lamp-1": new} if new else {}),
    }
    assert broken({**ball, "category": "b"}) == {}


@pytest.mark.parametrize("name", OWED)
def test_each_datum_that_is_owed_is_counted_where_it_is_missing(name: str) -> None:
    lamp = {key: value for key, value in SOUND.items() if key != name}
    assert broken(lamp) == {"lamp-0": [f"owed_{name}"]}
    assert told(lamp).items[0].findings[0].article == "27.12.2018, art. 5"
    assert told(lamp).judged == (name != "installed")


def test_without_a_category_nothing_but_that_is_judged() -> None:
    lamp = {**SOUND, "category": "", "colour_temperature": 6_000.0}
    assert broken(lamp) == {"lamp-0": ["no_category"]}
    assert (told(lamp).lamps, told(lamp).judged) == (1, 0)


DENSITIES = [
    ("a", "in_town", 35.0), ("a", "out_of_town", 25.0), ("e", "in_town", 25.0), ("e", "out_of_town", 20.0),
    ("a", "", 35.0), ("e", "", 25.0),
]  # fmt: skip


@pytest.mark.parametrize(("category", "setting", "most"), DENSITIES)
def test_flux_is_set_against_the_ground_that_it_is_meant_to_light(category: str, setting: str, most: float) -> None:
    lamp = {**SOUND, "category": category, "setting": setting, "flux": most * 200, "lit_area": 200.0}
    (found,) = told(lamp).items
    assert found.findings[0].rule == "lighting.density_over"
    assert found.findings[0].detail == {"value": most, "unit": "lm/m2"}
    assert broken({**lamp, "flux": most * 200 - 1}) == {}
    assert broken({**lamp, "installed": "2019"}) == {}
    assert broken({**lamp, "lit_area": 0.0}) == {}


def test_a_street_is_judged_whole_or_not_at_all() -> None:
    bright = {**SOUND, "flux": 8_000.0, "lit_area": 200.0}
    dim = {**bright, "flux": 4_000.0}
    # 8,000 and 4,000 lm over 400 m2 are 30 lm/m2; alone, the first would be over.
    assert broken(bright, dim, dim, dim, street=[1, 1, 2, 2]) == {}
    assert broken(bright, bright, dim, dim, street=[1, 1, 2, 2]) == {
        "lamp-0": ["density_over"], "lamp-1": ["density_over"]
    }  # fmt: skip
    unknown = {key: value for key, value in dim.items() if key != "lit_area"}
    assert broken(bright, unknown, dim, dim, street=[1, 1, 2, 2]) == {}


def test_what_is_found_is_told_by_rule_by_area_and_by_luminaire() -> None:
    cold = {**SOUND, "colour_temperature": 4_000.0}
    bare: dict[str, Scalar] = {"category": "a"}
    said = told(SOUND, cold, cold, bare, street=[1, 1, 2, 2])
    assert (said.lamps, said.judged, said.found, said.total) == (4, 3, 3, 3)
    assert {each.rule: each.lamps for each in said.rules if each.lamps} == {
        "lighting.colour_over": 2, **{rule.name: 1 for rule in OWED.values()}
    }  # fmt: skip
    assert [(each.area, each.lamps, each.judged, each.found) for each in said.areas] == [
        (DIJON, 2, 2, 1), (QUETIGNY, 2, 1, 2)
    ]  # fmt: skip
    assert said.areas[0].rules == {"lighting.colour_over": 1}
    one = told(SOUND, cold, cold, bare, area=QUETIGNY, rule="lighting.colour_over")
    assert ([each.id for each in one.items], one.total, one.found) == (["lamp-2"], 1, 2)
    assert [each.id for each in told(SOUND, cold, cold, bare, lamp="lamp-3").items] == ["lamp-3"]
    with pytest.raises(LookupError):
        told(SOUND, rule="lighting.nothing")


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 5))
def test_pages_join_to_the_whole(cold: list[bool], limit: int) -> None:
    lamps = [{**SOUND, "colour_temperature": 4_000.0 if each else 2_700.0} for each in cold]
    found: list[LampFound] = []
    after: int | None = 0
    while after is not None:
        page = told(*lamps, after=after, limit=limit)
        assert len(page.items) <= limit
        assert page.total == sum(cold)
        found += page.items
        after = page.next
    assert [each.id for each in found] == [f"lamp-{n}" for n, each in enumerate(cold) if each]


def test_the_table_has_a_row_for_each_finding() -> None:
    cold = {**SOUND, "colour_temperature": 4_000.0, "upward_light_share": 2.0}
    table = compliance_table(ComplianceAsked(), Town([SOUND, cold], [1, 1]))
    rows = list(table.rows)
    assert [row[0] for row in rows] == ["lamp-1", "lamp-1"]
    assert rows[0][5:] == (Phrase("finding.lighting.colour_over"), "27.12.2018, art. 3, II, 3°", 4_000.0, "K")
    assert {len(row) for row in rows} == {len(table.heads)}


def test_what_an_inventory_brings_is_judged_as_what_is_there() -> None:
    def draft(n: int, **attributes: Scalar) -> Draft:
        return Draft(key=f"{n}", id=f"lamp-{n}", kind="luminaire", lon=5.0, lat=47.3, street="s", area=DIJON,
                     attributes={**SOUND, **attributes})  # fmt: skip

    lamps = [draft(0), draft(1, colour_temperature=4_000), draft(2, flux=8_000, lit_area=100.0)]
    other = Draft(key="c", id="c", kind="cabinet", lon=5.0, lat=47.3)
    said = judge_drafts([other, *lamps])
    assert [(each.rule, each.count, each.assets) for each in said] == [("lighting.colour_over", 1, ["lamp-1"])]
    alone = judge_drafts(lamps[2:])
    assert [(each.rule, each.count) for each in alone] == [("lighting.density_over", 1)]
    assert judge_drafts([other]) == []
