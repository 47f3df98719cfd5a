"""A year's energy: against sums made another way."""

from __future__ import annotations

import numpy as np
import pytest

from tests.services.lighting.parks import CALENDAR, DIJON, SENNECEY, dark, layers, p4, park
from vigie.core.times import HOUR_US, MINUTE_US
from vigie.services.lighting.power import STANDING_SHARE, expected_w
from vigie.services.lighting.programmes.moment import levels_at
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.year import Tariff, year_of

PARK = park()
YEAR = Nights.of_year(2026, CALENDAR)
TARIFF = Tariff(0.30, 0.10, kg_co2_per_kwh=0.05, source="a test")


def test_a_lamp_draws_nothing_when_it_is_off_and_its_rating_when_it_is_full() -> None:
    assert expected_w(100.0, np.array([0.0, 100.0])).tolist() == [0.0, 100.0]
    assert float(expected_w(100.0, 0.001)) == pytest.approx(100 * STANDING_SHARE, rel=0.01)


def test_a_plain_year_is_about_four_thousand_hours() -> None:
    year = year_of(PARK, (), YEAR, None)
    assert 4_000 < year.whole.hours / 12 < 4_300
    assert year.whole.kwh == pytest.approx(year.whole.hours / 12 * (6 * 100 + 6 * 40) / 1_000, rel=0.001)
    assert (year.whole.eur, year.whole.kg_co2) == (0, 0)
    assert set(year.layers) == {""}


def test_the_parts_sum_to_the_whole() -> None:
    year = year_of(PARK, layers(p4(), dark()), YEAR, TARIFF)
    assert set(year.areas) == {DIJON, SENNECEY}
    for name in ("hours", "kwh", "eur", "kg_co2"):
        whole = getattr(year.whole, name)
        assert sum(getattr(each, name) for each in year.areas.values()) == pytest.approx(whole, abs=0.01)
        assert sum(getattr(each, name) for each in year.layers.values()) == pytest.approx(whole, abs=0.01)
    assert year.layers.get("Sennecey") is None, "what is dark uses nothing"


def test_off_peak_hours_of_midday_cost_what_they_should() -> None:
    nights = Nights(YEAR.days[340:350], CALENDAR)
    midday = Tariff(0.30, 0.10, off_peak_from=11 * 60, off_peak_to=17 * 60 + 30)
    early = Tariff(0.30, 0.10, off_peak_from=12 * 60, off_peak_to=17 * 60 + 30)
    # Nothing burns from eleven to noon; what burns before half past five does in December.
    year = year_of(PARK, (), nights, midday).whole
    assert year.eur == pytest.approx(year_of(PARK, (), nights, early).whole.eur)
    assert 0.2 * year.kwh < year.eur < 0.3 * year.kwh


def test_energy_agrees_with_a_walk_through_the_minutes() -> None:
    """The levels of each fifth minute of ten nights, added up."""
    own = layers(p4(), dark())
    nights = Nights(YEAR.days[300:310], CALENDAR)
    first, last = int(nights.bounds_us[0][0]), int(nights.bounds_us[1][-1])
    kwh = cheap = 0.0
    for at in range(first, last, 5 * MINUTE_US):
        level, _ = levels_at(PARK, own, CALENDAR, at)
        used = float(expected_w(PARK.rated_w, level.astype(np.float64)).sum()) / 12_000
        kwh += used
        hour = (at // HOUR_US + 1) % 24  # In November the town is an hour ahead of UTC.
        cheap += used if hour >= 22 or hour < 6 else 0.0
    year = year_of(PARK, own, nights, TARIFF)
    assert year.whole.kwh == pytest.approx(kwh, rel=0.01)
    assert year.whole.eur == pytest.approx((kwh - cheap) * 0.30 + cheap * 0.10, rel=0.01)
    assert year.whole.kg_co2 == pytest.approx(kwh * 0.05, rel=0.01)


def test_lamps_of_unknown_power_are_counted_and_use_nothing() -> None:
    unknown = park()
    unknown.rated_w[:] = np.nan
    year = year_of(unknown, (), YEAR, TARIFF)
    assert year.unrated == 12
    assert year.whole.kwh == 0
    assert year.whole.hours > 40_000


def test_a_policy_saves_what_it_says() -> None:
    before = year_of(PARK, layers(p4()), YEAR, None)
    after = year_of(PARK, layers(p4(), dark()), YEAR, None)
    assert before.whole.hours - after.whole.hours == pytest.approx(5 * 365 * 6, rel=0.01)
    assert after.areas[DIJON] == before.areas[DIJON]
