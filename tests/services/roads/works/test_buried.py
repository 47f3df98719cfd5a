"""By when a request about buried networks is answered."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.calendar import EPOCH_DAY, Calendar
from vigie.services.roads.works.buried import BURIED, DAYS, Buried, last_day
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
