"""Admission: each fault refuses its own row, with its own outcome, and takes no other with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.city import CATALOGUE, NOW_US
from vigie.core.kinds import AssetKind, Catalogue, Quality, Sort, text
from vigie.core.observations import FUTURE_US_MAX, Outcome, Rejected
from vigie.core.readings import Readings
from vigie.engine.admission import (
    AGE_US_MAX,
    ANY_REPORTER,
    TEXT_LENGTH_MAX,
    Admission,
    Admitted,
    Columns,
)
from vigie.engine.registry import Registry


class Panel(AssetKind, name="panel", service="roads"):
    """A sign with a text."""

    message = text()


KINDS = Catalogue({**CATALOGUE.assets, "panel": Panel})
POINTS = [(kind.kind, point) for kind in KINDS.assets.values() for point in kind.points]
MINE, OTHER = 1, 2

Row = tuple[str, str, Any, int]


def new_registry() -> Registry:
    registry = Registry(KINDS, {key: number for number, key in enumerate(POINTS, 1)})
    kinds = ["luminaire", "cabinet", "bus", "panel", "luminaire", "luminaire"]
    names = ["lamp", "cabinet", "bus", "panel", "other", "gone"]
    registry.add_columns(
        [
            (no, name, kind, "", 0, OTHER if name == "other" else MINE, 0.0, 0.0, name == "gone", name, "")
            for no, (name, kind) in enumerate(zip(names, kinds, strict=True), 1)
        ]
    )
    return registry


REGISTRY = new_registry()
ADMISSION = Admission(REGISTRY)

GOOD: list[Row] = [
    ("lamp", "level", 60.0, NOW_US),
    ("lamp", "level", 0, NOW_US - AGE_US_MAX),
    ("lamp", "level", 100.0, NOW_US + FUTURE_US_MAX),
    ("lamp", "fault", "driver", NOW_US),
    ("cabinet", "full_light", True, NOW_US),
    ("bus", "position", (5.0, 47.3), NOW_US),
    ("panel", "message", "x" * TEXT_LENGTH_MAX, NOW_US),
]
BAD: list[tuple[Row, Outcome]] = [
    (("dragon", "level", 60.0, NOW_US), Outcome.UNKNOWN_ASSET),
    (("gone", "level", 60.0, NOW_US), Outcome.UNKNOWN_ASSET),
    (("other", "level", 60.0, NOW_US), Outcome.NOT_YOURS),
    (("lamp", "humour", 60.0, NOW_US), Outcome.UNKNOWN_POINT),
    (("lamp", "door", "open", NOW_US), Outcome.UNKNOWN_POINT),
    (("lamp", "level", 60.0, NOW_US + FUTURE_US_MAX + 1), Outcome.FUTURE),
    (("lamp", "level", 60.0, NOW_US - AGE_US_MAX - 1), Outcome.TOO_OLD),
    (("lamp", "level", True, NOW_US), Outcome.WRONG_TYPE),
    (("lamp", "level", "60", NOW_US), Outcome.WRONG_TYPE),
    (("lamp", "fault", "dragon", NOW_US), Outcome.WRONG_TYPE),
    (("lamp", "fault", 1.0, NOW_US), Outcome.WRONG_TYPE),
    (("cabinet", "full_light", 1.0, NOW_US), Outcome.WRONG_TYPE),
    (("bus", "position", 5.0, NOW_US), Outcome.WRONG_TYPE),
    (("bus", "delay", (5.0, 47.3), NOW_US), Outcome.WRONG_TYPE),
    (("panel", "message", 5.0, NOW_US), Outcome.WRONG_TYPE),
    (("lamp", "level", float("nan"), NOW_US), Outcome.NOT_FINITE),
    (("lamp", "level", float("inf"), NOW_US), Outcome.NOT_FINITE),
    (("bus", "position", (5.0, float("nan")), NOW_US), Outcome.NOT_FINITE),
    (("lamp", "level", 100.5, NOW_US), Outcome.OUT_OF_RANGE),
    (("lamp", "level", -1, NOW_US), Outcome.OUT_OF_RANGE),
    (("bus", "position", (181.0, 47.3), NOW_US), Outcome.OUT_OF_RANGE),
    (("bus", "position", (5.0, -91.0), NOW_US), Outcome.OUT_OF_RANGE),
    (("panel", "message", "x" * (TEXT_LENGTH_MAX + 1), NOW_US), Outcome.OUT_OF_RANGE),
]


def admit(rows: Sequence[Row], reporter: int = MINE, **more: Any) -> Admitted:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    return ADMISSION.admit(Readings(*columns, rows=list(range(len(rows))), **more), reporter, NOW_US)


def said(admitted: Admitted) -> list[tuple[Any, ...]]:
    batch = admitted.batch
    columns = (batch.slot, batch.observed_us, batch.value, batch.value2)
    plain = zip(*(map(repr, column.tolist()) for column in columns), strict=True)
    return [(*each, batch.texts.get(row)) for row, each in enumerate(plain)]


@pytest.mark.parametrize(("row", "outcome"), BAD)
def test_each_fault_has_its_outcome(row: Row, outcome: Outcome) -> None:
    for rows in ([row], [GOOD[0], row, GOOD[0]], [GOOD[3], row, GOOD[6]]):
        (rejected,) = admit(rows).rejected
        assert (rejected.row, rejected.outcome) == (rows.index(row), outcome)
        assert rejected.detail


@settings(deadline=None)
@given(st.lists(st.sampled_from([(row, None) for row in GOOD] + BAD), max_size=15))
def test_a_fault_takes_no_other_row_with_it(sent: list[tuple[Row, Outcome | None]]) -> None:
    admitted = admit([row for row, _ in sent])
    wrong = [(place, outcome) for place, (_, outcome) in enumerate(sent) if outcome is not None]
    assert [(each.row, each.outcome) for each in admitted.rejected] == wrong
    assert admitted.rows.tolist() == [place for place, (_, outcome) in enumerate(sent) if outcome is None]
    assert said(admitted) == [said(admit([row]))[0] for row, outcome in sent if outcome is None]


def test_values_are_stored_as_their_sort_says() -> None:
    batch = admit(GOOD).batch
    assert batch.value[:5].tolist() == [60.0, 0.0, 100.0, 2.0, 1.0]
    assert (batch.value[5], batch.value2[5]) == (5.0, 47.3)
    assert batch.texts == {6: "x" * TEXT_LENGTH_MAX}
    assert batch.slot[0] == REGISTRY.slot(1, KINDS.assets["luminaire"].points["level"])


def test_the_post_itself_may_speak_for_every_asset() -> None:
    assert len(admit([("other", "level", 60.0, NOW_US)], ANY_REPORTER).batch) == 1


def test_what_could_not_be_read_is_refused_in_its_place_and_quality_is_kept() -> None:
    unread = Rejected(9, Outcome.MALFORMED, "rubbish")
    admitted = admit([BAD[0][0], GOOD[0], GOOD[1]], refused=[unread], quality={2: Quality.BAD})
    assert [each.row for each in admitted.rejected] == [0, 9]
    assert admitted.batch.quality.tolist() == [Quality.GOOD, Quality.BAD]
    assert admit([], refused=[unread]).rejected == [unread]


NUMBERS = st.one_of(
    st.floats(-200, 300), st.integers(-2, 102), st.sampled_from([float("nan"), float("inf"), 0.0, 100.0, 1e9])
)
INSTANTS = st.sampled_from([0, -AGE_US_MAX, -AGE_US_MAX - 1, FUTURE_US_MAX, FUTURE_US_MAX + 1])


@st.composite
def in_both_forms(draw: st.DrawFn) -> tuple[Row, tuple[int, int, int, float, float]]:
    """A reading in names, and the same in numbers: of every outcome that both can have."""
    asset = draw(st.sampled_from(["lamp", "cabinet", "bus", "other", "gone", "dragon"]))
    number = REGISTRY.numbers.get(asset, 0)
    own = REGISTRY.kind_of(number).points if number else {}
    name = draw(st.sampled_from([*own, "humour", "message"])) if own else "level"
    sort = own[name].sort if name in own else Sort.NUMBER
    value: Any
    value2 = float("nan")
    if sort is Sort.PLACE or (sort is Sort.NUMBER and draw(st.integers(0, 9)) == 0):
        value = (draw(NUMBERS), draw(NUMBERS.filter(lambda each: sort is Sort.PLACE or each == each)))
        code, value2 = value
    elif sort is Sort.FLAG:
        value = draw(st.booleans())
        code = float(value)
    elif sort is Sort.CHOICE:
        choices = own[name].choices
        code = float(draw(st.integers(-1, len(choices))))
        value = choices[int(code)] if 0 <= code < len(choices) else "dragon"
    else:
        value = code = draw(NUMBERS)
    point = REGISTRY.point_codes.get(name, REGISTRY.unknown_point)
    at_us = NOW_US + draw(INSTANTS)
    return (asset, name, value, at_us), (number, point, at_us, float(code), float(value2))


@settings(deadline=None)
@given(st.lists(in_both_forms(), max_size=20), st.sampled_from([MINE, OTHER, ANY_REPORTER]))
def test_names_and_numbers_are_under_the_same_rules(said_twice: list[Any], reporter: int) -> None:
    named, numbered = [each[0] for each in said_twice], [each[1] for each in said_twice]
    types = (np.int64, np.int64, np.int64, np.float64, np.float64)
    columns = [np.array([row[i] for row in numbered], types[i]) for i in range(5)]
    by_name, by_number = admit(named, reporter), ADMISSION.admit_columns(Columns(*columns), reporter, NOW_US)
    assert [(each.row, each.outcome) for each in by_name.rejected] == [
        (each.row, each.outcome) for each in by_number.rejected
    ]
    assert all(each.detail for each in by_number.rejected)
    assert said(by_name) == said(by_number)
    assert by_name.rows.tolist() == by_number.rows.tolist()


def test_what_has_no_form_in_numbers_is_of_the_wrong_type() -> None:
    codes, nan = REGISTRY.point_codes, float("nan")
    rows = [
        (4, codes["message"], 1.0, nan), (1, codes["fault"], 1.5, nan), (1, codes["fault"], nan, nan),
        (2, codes["full_light"], 0.5, nan), (1, codes["level"], 5.0, 47.0),
    ]  # fmt: skip
    asset, point, value, value2 = (np.array(column) for column in zip(*rows, strict=True))
    columns = Columns(asset, point, np.full(len(rows), NOW_US), value, value2)
    admitted = ADMISSION.admit_columns(columns, MINE, NOW_US)
    assert [each.outcome for each in admitted.rejected] == [Outcome.WRONG_TYPE] * len(rows)


def test_whose_clock_is_too_far_ahead_is_remembered_of_those_who_may_speak_for_it() -> None:
    admission = Admission(new_registry())
    ahead_us = 2 * FUTURE_US_MAX
    readings = Readings(["lamp", "other", "cabinet"], ["level", "level", "power"], [60.0, 60.0, 5.0],
                        [NOW_US + ahead_us, NOW_US + ahead_us, NOW_US + FUTURE_US_MAX], [0, 1, 2])  # fmt: skip
    admission.admit(readings, MINE, NOW_US)
    when, by = admission.refused_ahead(np.array([1, 2, 5, 4_000]))
    assert when.tolist() == [NOW_US, 0, 0, 0]
    assert by.tolist() == [ahead_us, 0, 0, 0]
