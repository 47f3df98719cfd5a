"""Admission: each fault refuses its own row, with its own outcome, and takes no other with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.city import CATALOGUE, NOW_US
from vigie.core.kinds import AssetKind, Catalogue, Quality, text
from vigie.core.observations import Outcome, Rejected
from vigie.core.readings import Readings
from vigie.engine.admission import AGE_US_MAX, ANY_REPORTER, FUTURE_US_MAX, TEXT_LENGTH_MAX, Admission, Admitted
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
