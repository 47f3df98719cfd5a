"""By when a request about buried networks is answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.calendar import EPOCH_DAY, Calendar
from vigie.core.cases import Opened
from vigie.core.kinds import AssetKind, ConditionKind
from vigie.core.service import Present
from vigie.services.roads.works.buried import BURIED, DAYS, Buried, Overdue, last_day
from vigie.services.roads.works.permits import Stretch, moment_at

PARIS = ZoneInfo("Europe/Paris")
CHRISTMAS = {(date(2026, 12, 25) - EPOCH_DAY).days: "Noël", (date(2027, 1, 1) - EPOCH_DAY).days: "Jour de l'an"}


@pytest.mark.parametrize(
    ("sort", "electronic", "last"),
    [
        ("dt", True, "2026-12-30"),
        ("dt", False, "2027-01-06"),
        ("dict", True, "2026-12-28"),
        ("dict", False, "2026-12-30"),
    ],
)
def test_the_legal_day_is_counted_without_public_holidays(sort: str, electronic: bool, last: str) -> None:
    request = Buried(kind=sort, received="2026-12-20", electronic=electronic)  # type: ignore[arg-type]
    due = BURIED.due(request, "received", 0, Calendar(PARIS, CHRISTMAS))
    assert due is not None
    assert moment_at(due - 1, PARIS) == f"{last}T23:59"


@given(st.sampled_from(sorted(DAYS)), st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.sets(st.integers(0, 40)))
def test_so_many_days_that_count_lie_after_reception(asked: tuple[str, bool], received: date, off: set[int]) -> None:
    holidays = {(received + timedelta(days=n) - EPOCH_DAY).days: "" for n in off}
    last = last_day(asked[0], received, asked[1], holidays)  # type: ignore[arg-type]
    after = [received + timedelta(days=n) for n in range(1, (last - received).days + 1)]
    counted = [day for day in after if (day - EPOCH_DAY).days not in holidays]
    assert (len(counted), counted[-1]) == (DAYS[asked], last)  # type: ignore[index]


def test_it_is_answered_once_it_is_said_what() -> None:
    assert BURIED.allows(Buried(received="2026-12-20"), "received", "answer") is not None
    assert BURIED.allows(Buried(received="2026-12-20", answer="concerned"), "received", "answer") is None


def test_it_lies_in_its_streets_or_in_the_middle_of_its_area() -> None:
    assert BURIED.lies(Buried(stretches=(Stretch("a"), Stretch("a", 5.0)))).assets == ("a",)
    middle = BURIED.lies(Buried(area=((5.0, 47.0), (5.2, 47.0), (5.1, 47.3))))
    assert (round(middle.lon, 6), round(middle.lat, 6), middle.assets) == (5.1, 47.1, ())


class Lamp(AssetKind, name="luminaire", service="lighting"):
    """What may stand for a request."""


class Town:
    """Lamps, each at so many degrees east in an area, and what is alarmed of them."""

    zone = PARIS

    def __init__(self, *lamps: tuple[float, str]) -> None:
        self.lamps, self.inventory, self.looks = dict(enumerate(lamps, 1)), 1, 0
        self.paths = sorted({area for _, area in lamps})

    def kind_named(self, name: str) -> type[AssetKind] | None:
        return Lamp if name == "luminaire" else None

    def assets(self, kind: type[AssetKind]) -> Any:
        return np.array([*self.lamps], np.int64)

    def places(self, assets: Any) -> Any:
        self.looks += 1
        return np.array([self.lamps[no][0] for no in assets.tolist()]), np.full(len(assets), 47.0)

    def areas(self, assets: Any) -> Any:
        return np.array([self.paths.index(self.lamps[no][1]) for no in assets.tolist()], np.int64)

    def area_path(self, area: int) -> str:
        return self.paths[area]

    def present(self, condition: ConditionKind) -> Sequence[Present]:
        return ()


def late(no: int, lon: float, area: str) -> Opened:
    return Opened(f"c{no}", BURIED, "received", "", (), 0, 0, lon=lon, lat=47.0, due_us=1, no=no, area=area)


def test_the_alarm_stands_where_who_sees_the_request_sees_it() -> None:
    town = Town((5.0, "metropole/a"), (5.4, "metropole/b/north"), (5.9, "metropole/c"))
    for area, asset in (("metropole/a", 1), ("metropole/b", 2), ("metropole/d", 1), ("", 1)):
        (effect,) = Overdue()([late(1, 5.1, area)], town, 2)  # type: ignore[arg-type]
        assert effect.asset == asset
    assert Overdue()([late(1, 5.1, "metropole/a")], Town(), 2) == []  # type: ignore[arg-type]


def test_what_stands_for_a_request_is_looked_for_once() -> None:
    town, overdue = Town((5.0, "a"), (5.4, "a")), Overdue()

    def alarmed(*cases: Opened) -> list[int]:
        return [effect.asset for effect in overdue(cases, town, 2)]  # type: ignore[arg-type]

    for _ in range(3):
        town.inventory += 1
        assert alarmed(late(1, 5.1, "a"), late(2, 5.3, "a")) == [1, 2]
    assert town.looks == 2
    # What was moved, or stood for by what is gone, is looked for again.
    assert alarmed(late(1, 5.3, "a")) == [2]
    town.lamps.pop(2)
    town.inventory += 1
    assert alarmed(late(1, 5.3, "a")) == [1]
    assert town.looks == 4


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"received": "2026-02-30"},
        {"received": "9999-12-31"},
        {"received": "2026-12-20", "area": [[5, 47], [6, 47]]},
    ],
)
def test_a_request_without_a_day_or_an_inside_is_none(said: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(msgspec.convert(said, Buried)), type=Buried)
