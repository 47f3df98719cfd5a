"""Work that comes again: once a period at each asset, spread over it, whatever becomes of the orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.city import CATALOGUE
from vigie.core.calendar import day_number
from vigie.core.cases import Open, Opened
from vigie.core.times import DAY_US, HOUR_US, from_us
from vigie.services.roads.orders import LIFE, WORK_ORDER
from vigie.services.roads.preventive import AT_ONCE, LATE_DAYS, Preventive, coming, due_day, source_of

SINCE = "2026-01-01"
FIRST = day_number(SINCE)
CABINETS = 8
DAYS = st.integers(0, 7)


class Town:
    """So many cabinets, every second one in another commune."""

    zone = ZoneInfo("Europe/Paris")

    def __init__(self, cabinets: int = CABINETS) -> None:
        self._assets = np.arange(1, cabinets + 1)

    def kind_named(self, name: str) -> object:
        return CATALOGUE.assets.get(name)

    def assets(self, kind: object) -> np.ndarray:
        return self._assets

    def ids(self, assets: np.ndarray) -> list[str]:
        return [f"cabinet-{each:04d}" for each in assets]

    def areas(self, assets: np.ndarray) -> np.ndarray:
        return assets % 2

    def area_path(self, area: int) -> str:
        return ("town/north", "town/south")[area]


def plan(**said: object) -> Preventive:
    return Preventive(name="Visite annuelle", kind="cabinet", category="lighting", since=SINCE, **said)  # type: ignore[arg-type]


def look(town: Town, asked: Preventive, cases: Sequence[Opened], day: int) -> list[Open]:
    found = coming([("p", asked)], town, cases, (FIRST + day) * DAY_US + 12 * HOUR_US)  # type: ignore[arg-type]
    assert all(isinstance(each, Open) for each in found)
    return found  # type: ignore[return-value]


@settings(max_examples=25, deadline=None)
@given(st.integers(28, 90), st.integers(0, 15), st.lists(st.integers(0, 60), max_size=6), st.integers(0, 60), DAYS)
def test_each_asset_has_one_order_a_period_whenever_it_is_done(
    every: int, ahead: int, days_to_do: list[int], stopped_on: int, stopped_for: int
) -> None:
    """The post may be stopped for a week on the way."""
    asked, town = plan(every_days=every, ahead_days=ahead), Town()
    cases: dict[int, tuple[Opened, int | None]] = {}
    orders: Counter[tuple[int, int]] = Counter()
    for day in range(4 * every):
        if stopped_on <= day < stopped_on + stopped_for:
            continue
        # What is done is archived two weeks later, and seen by the rule no longer.
        cases = {n: each for n, each in cases.items() if each[1] is None or day < each[1] + WORK_ORDER.settles_days}
        for each in look(town, asked, [case for case, _ in cases.values()], day):
            due = from_us(each.due_us or 0)
            assert due.astimezone(town.zone).hour == 17
            number = (due.date().toordinal() - 719_163 - FIRST) // every
            orders[each.assets[0], number] += 1
            takes = days_to_do[each.assets[0] % len(days_to_do)] if days_to_do else 0
            # What is not done when its next period comes is the one order of both.
            takes = min(takes, max(0, every - LATE_DAYS - WORK_ORDER.settles_days - 1))
            case = Opened("c", WORK_ORDER, LIFE.first, each.source, each.assets, 0, 0)
            cases[len(orders)] = case, day + takes
    assert set(orders.values()) <= {1}
    whole = [(asset, number) for asset in range(1, CABINETS + 1) for number in (1, 2)]
    assert [each for each in whole if not orders[each]] == []


def test_days_are_spread_and_an_order_says_what_is_to_be_done() -> None:
    asked = plan(
        every_days=365, ahead_days=30, checklist=("serrage", "différentiel"), takes_min=45, hours="mon-fri 09:30-16:00"
    )
    days = Counter(due_day(asked, f"cabinet-{n:04d}", FIRST + day) for n in range(400) for day in (100, 101))
    assert max(count for due, count in days.items() if due is not None) <= 10
    opened = [each for day in range(400) for each in look(Town(), asked, [], day)]
    assert {each.assets[0] for each in opened} == set(range(1, CABINETS + 1))
    first = opened[0]
    assert (first.title, first.category, first.priority, first.source) == (
        "Visite annuelle", "lighting", 4, source_of("p"),
    )  # fmt: skip
    assert msgspec.to_builtins(first.document) == {
        "takes_min": 45, "spent_min": 0, "skills": ("electrical",), "parts": (), "load_kg": 0,
        "hours": "mon-fri 09:30-16:00",
        "checklist": ({"what": "serrage", "done": False}, {"what": "différentiel", "done": False}),
    }  # fmt: skip


def test_a_plan_is_for_its_area_and_thousands_come_over_some_minutes() -> None:
    asked = plan(every_days=28, ahead_days=0, area="town/south")
    south = {each.assets[0] for day in range(60) for each in look(Town(), asked, [], day)}
    assert south == {1, 3, 5, 7}
    assert len(look(Town(5_000), plan(every_days=28, ahead_days=10), [], 40)) == AT_ONCE


@pytest.mark.parametrize("kind", ["ufo", ""])
def test_a_plan_for_what_there_is_not_opens_nothing(kind: str) -> None:
    assert look(Town(), msgspec.structs.replace(plan(every_days=28), kind=kind), [], 40) == []
