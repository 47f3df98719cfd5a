"""The sums of energy: what is known is kept, what is not follows the programme, and parts make up the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.lighting.parks import CALENDAR, DIJON, SENNECEY, TOWN, dark, layers, p4, park
from vigie.core.calendar import day_number
from vigie.core.observations import Floats, Int64s
from vigie.core.past import Steps, Told
from vigie.core.times import HOUR_US
from vigie.services.lighting.energy.heard import BINS, SILENT
from vigie.services.lighting.energy.lamps import Lamps, Sums
from vigie.services.lighting.energy.meters import Metered, Span, metered
from vigie.services.lighting.energy.model import WHY, Baseline, Report, Used
from vigie.services.lighting.energy.report import Case, report
from vigie.services.lighting.energy.saving import Former, Now, Old, Survey, saving
from vigie.services.lighting.power import expected_w
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.year import Tariff, year_of

FIRST = day_number("2026-11-24")
TARIFF = Tariff(0.20, 0.14, kg_co2_per_kwh=0.06)
LAYERS = layers(p4(), dark())
PARK = park()
COUNT = len(PARK)


def nights(count: int) -> Nights:
    return Nights(np.arange(FIRST, FIRST + count), CALENDAR)


def told(known: Floats, watts: Floats) -> Steps:
    """Lamps that were known for a share of each bin and drew so much."""
    seconds = known * 1_800
    seconds[:, 48:] = 0.0
    return Steps(PARK.no, seconds, seconds * watts)


def lamps(steps: Sequence[Steps], level: Steps = SILENT) -> Lamps:
    sums = Sums(PARK, LAYERS, nights(len(steps)), TARIFF)
    for number, each in enumerate(steps):
        sums.add(number, each, level)
    return sums.lamps()


# Lamps.


def test_a_gap_of_whole_nights_is_what_the_programme_makes_of_them() -> None:
    found = lamps([SILENT, SILENT])
    year = year_of(PARK, LAYERS, nights(2), TARIFF)
    assert found.kwh.sum() == pytest.approx(year.whole.kwh, abs=0.002)
    eur = (found.kwh - found.off_kwh).sum() * TARIFF.peak_eur_per_kwh
    eur += found.off_kwh.sum() * TARIFF.off_peak_eur_per_kwh
    assert eur == pytest.approx(year.whole.eur, abs=0.002)
    assert found.filled_kwh == pytest.approx(found.kwh)
    assert found.known_h.sum() == 0
    assert found.dark_h.sum() == pytest.approx(year_of(PARK, (), nights(2), None).whole.hours, abs=0.01)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_energy_is_never_negative_and_nights_add_up(seed: int, count: int) -> None:
    dice = np.random.default_rng(seed)
    steps = [told(np.ones((COUNT, BINS)), dice.uniform(0, 150, (COUNT, BINS))) for _ in range(count)]
    whole = lamps(steps)
    parts: list[Floats] = []
    for number, each in enumerate(steps):
        sums = Sums(PARK, LAYERS, nights(count), TARIFF)
        sums.add(number, each, SILENT)
        parts.append(sums.lamps().kwh)
    assert np.sum(parts, 0) == pytest.approx(whole.kwh)
    joules = sum(each.total.sum(1) for each in steps)
    assert whole.kwh == pytest.approx(joules / 3.6e6), "what is known is not touched"
    gaps = lamps([told(dice.uniform(0, 1, (COUNT, BINS)), each.total / 1_800) for each in steps])
    assert (gaps.kwh >= 0).all()
    assert (gaps.off_kwh <= gaps.kwh + 1e-9).all()
    assert (gaps.known_h <= gaps.dark_h + 1e-9).all()


def test_a_lamp_that_was_heard_draws_in_its_gaps_what_is_usual_for_it() -> None:
    sums = Sums(PARK, (), nights(2), None)
    bright = told(np.ones((COUNT, BINS)), np.full((COUNT, BINS), 55.0))
    edges = Sums(PARK, (), nights(2), None)
    lit = (edges._dark_h[0, 0] > 0)[None, :]
    sums.add(0, replace(bright, total=bright.total * lit), SILENT)
    sums.add(1, SILENT, SILENT)
    found = sums.lamps()
    # Half hours in which it is lit for a part count whole here: a few per cent.
    assert found.filled_kwh == pytest.approx(found.kwh - found.filled_kwh, rel=0.06)
    assert found.filled_kwh[0] == pytest.approx(found.filled_kwh[11]), "whatever is printed on them"


def test_a_lamp_that_tells_its_level_only_is_reckoned_from_it() -> None:
    share = expected_w(1.0, np.full((COUNT, BINS), 50.0))
    level = told(np.ones((COUNT, BINS)), share)
    found = lamps([SILENT], level)
    assert found.kwh == pytest.approx(PARK.rated_w * 24 * float(share[0, 0]) / 1_000)
    assert found.by_level.all()


# Meters.

START_US, END_US = (int(each[0]) for each in nights(1).bounds_us)


def meter(at_h: Sequence[float], index: Sequence[float], *, most_w: float = np.nan, lamps_kwh: float = 10.0) -> Metered:
    """One cabinet's meter: hours since noon, and what it showed."""
    at_us = np.array([START_US + int(h * HOUR_US) for h in at_h])
    one = Told(np.ones(len(at_us), np.int64), at_us, np.array(index, np.float64))
    off_us = START_US + 10 * HOUR_US
    span = Span(START_US, END_US, np.array([off_us]), np.array([off_us + 8 * HOUR_US]))
    return metered(np.array([1]), one, span, np.array([most_w]), np.array([lamps_kwh]))


def test_a_meter_counts_between_its_indexes_and_off_peak_apart() -> None:
    steady = meter(np.arange(0, 24.1, 0.25).tolist(), (1_000 + np.arange(0, 24.1, 0.25)).tolist())
    assert (steady.kwh[0], steady.why) == (pytest.approx(24.0), [""])
    assert steady.off_share[0] == pytest.approx(8 / 24)
    assert steady.known_share[0] == pytest.approx(1.0)
    around = meter([-0.5, 0.5, 23.9, 24.4], [0, 1, 24.4, 24.9])
    assert around.kwh[0] == pytest.approx(0.5 + 23.4 + 0.1)
    assert around.why == ["gaps"], "what it counted is known, when it did is not"


@pytest.mark.parametrize(
    ("at_h", "index", "why"),
    [
        ([], [], "no_meter"),
        ([0, 2, 4], [1, 2, 3], "silent"),
        (range(25), [*range(100, 112), *range(13)], "meter_went_back"),
        (range(-1, 26), [5.0] * 27, "meter_stuck"),
        (range(25), [*range(12), *range(900, 913)], "meter_wrong"),
        (range(4, 24), range(4, 24), "gaps"),
    ],
)
def test_what_is_the_matter_with_a_meter_is_said(at_h: Sequence[float], index: Sequence[float], why: str) -> None:
    found = meter(at_h, index, most_w=20_000.0)
    assert found.why == [why]
    assert why in WHY
    usable = why in ("meter_went_back", "gaps")
    assert np.isnan(found.kwh[0]) != usable
    if usable:
        assert found.kwh[0] == pytest.approx(24.0, rel=0.05)


def test_an_index_that_stands_still_where_nothing_burns_is_right() -> None:
    assert meter(range(-1, 26), [5.0] * 27, lamps_kwh=0.2).why == [""]


@pytest.mark.parametrize("most_w", [np.nan, 20_000.0])
@pytest.mark.parametrize("fell", [[0.0], [0.0, 1.0], [83_000.0]])
def test_an_index_that_falls_and_is_back_at_once_had_not_fallen(most_w: float, fell: list[float]) -> None:
    index = 84_000.0 + np.arange(25)
    index[10 : 10 + len(fell)] = fell
    found = meter(range(25), index.tolist(), most_w=most_w)
    assert (found.kwh[0], found.why) == (pytest.approx(24.0), [""])


def test_a_new_meter_that_grows_past_the_old_one_is_a_new_meter() -> None:
    assert meter(range(25), [*range(5, 9), *range(21)]).why == ["meter_went_back"]


def test_an_index_of_whole_digits_stands_still_by_itself() -> None:
    whole = [float(int(0.045 * h)) for h in range(-1, 49)]
    assert meter(range(-1, 49), whole, lamps_kwh=1.25).why == [""]
    assert meter(range(-1, 49), [0.0] * 10 + [1.0] * 40, lamps_kwh=1.3).why == ["meter_stuck"]
    tens = [10.0 * int(0.045 * h) for h in range(-1, 49)]
    assert meter(range(-1, 49), tens, lamps_kwh=12.5).why == [""]


def test_off_peak_hours_of_midday_are_counted_on_both_sides_of_noon() -> None:
    two = nights(2)
    start_us, end_us = (each.ravel() for each in two.hours_us(11 * 60, 17 * 60))
    at_us = np.arange(int(two.bounds_us[0][0]), int(two.bounds_us[1][-1]) + 1, HOUR_US // 4)
    steady = Told(np.ones(len(at_us), np.int64), at_us, np.arange(len(at_us)) / 4)
    span = Span(int(at_us[0]), int(at_us[-1]), start_us, end_us)
    found = metered(np.array([1]), steady, span, np.array([np.nan]), np.array([10.0]))
    assert found.off_share[0] == pytest.approx(6 / 24)
    for first, after, hours in ((22, 6, 8), (12, 17, 5), (2, 7, 5), (22, 12, 14), (22, 21, 23), (9, 9, 0)):
        start_us, end_us = two.hours_us(first * 60, after * 60)
        assert ((end_us - start_us).sum(1) / HOUR_US).tolist() == [hours, hours]


def test_lamps_that_burn_at_midday_are_counted_off_peak() -> None:
    sums = Sums(PARK, LAYERS, nights(1), msgspec.structs.replace(TARIFF, off_peak_from=11 * 60, off_peak_to=17 * 60))
    sums.add(0, told(np.ones((COUNT, BINS)), np.full((COUNT, BINS), 48.0)), SILENT)
    found = sums.lamps()
    assert found.off_kwh == pytest.approx(found.kwh * 6 / 24)


# The report.


def case(seed: int = 1, *, cabinets: int = 2, former: bool = True, meters: bool = True) -> Case:
    """A town of twelve lamps on some cabinets, in which everything is told."""
    dice = np.random.default_rng(seed)
    made = replace(
        PARK,
        cabinet=np.arange(COUNT) % cabinets + 1,
        cabinets={n + 1: f"c{n + 1}" for n in range(cabinets)},
    )
    used = lamps([told(np.ones((COUNT, BINS)), dice.uniform(10, 60, (COUNT, BINS))) for _ in range(3)])
    numbers: Int64s = np.arange(cabinets) + 1
    own = np.bincount(made.cabinet - 1, used.kwh, cabinets)
    kwh = own * 1.01 if meters else np.full(cabinets, np.nan)
    metered = Metered(kwh, np.full(cabinets, 0.4), np.ones(cabinets), [""] * cabinets)
    blank = np.full(cabinets, np.nan)
    watts = np.where(np.arange(COUNT) % 3 == 0, np.nan, 150.0)
    old = Former(watts, np.full(COUNT, 42.0), 3, blank, blank, blank, np.zeros(cabinets, np.bool_))
    baseline = Baseline(lamp_w=140.0, lamp_w_sd=40.0, surveyed=30, target=0.65)
    return Case(made, LAYERS, nights(3), used, numbers, metered, TARIFF, baseline, old if former else None)


def report_bytes(found: Report) -> bytes:
    """As it leaves the post: of plain numbers."""
    return msgspec.json.encode(found)


def split(parts: Sequence[Used], whole: Used) -> None:
    for name in ("lamps", "estimated_kwh"):
        assert sum(getattr(each, name) for each in parts) == pytest.approx(getattr(whole, name))


@settings(max_examples=15)
@given(st.integers(0, 1_000), st.integers(1, 5), st.booleans())
def test_streets_programmes_and_areas_make_up_the_whole(seed: int, cabinets: int, metered: bool) -> None:
    found = report(case(seed, cabinets=cabinets, meters=metered))
    split(list(found.streets.values()), found.whole)
    split(list(found.programmes.values()), found.whole)
    split([found.areas[DIJON], found.areas[SENNECEY]], found.whole)
    assert found.areas[TOWN].estimated_kwh == pytest.approx(found.whole.estimated_kwh)
    assert set(found.streets) == {f"{DIJON}/Rue Verte", f"{SENNECEY}/Route de Beaune"}
    assert set(found.programmes) == {"", "Sennecey"}
    assert (found.whole.metered_kwh is None) == (not metered)
    assert report_bytes(found)
    for each in (found.whole, *found.streets.values()):
        assert each.saving is not None
        assert each.before is not None
        assert each.saving.low < each.saving.value < each.saving.high < 1
        assert each.before.low < each.before.value < each.before.high
    if cabinets > 1:
        assert all(each.metered_kwh is None for each in found.streets.values()), "a street shares its cabinet"


def test_euros_are_of_what_is_metered_else_of_what_is_estimated() -> None:
    by_meter, by_lamps = report(case()).whole, report(case(meters=False)).whole
    assert by_meter.metered_kwh is not None
    mean_eur = 0.6 * TARIFF.peak_eur_per_kwh + 0.4 * TARIFF.off_peak_eur_per_kwh
    assert by_meter.eur == pytest.approx(by_meter.metered_kwh * mean_eur)
    assert by_lamps.kg_co2 == pytest.approx(by_lamps.estimated_kwh * 0.06)


def test_only_what_was_asked_for_is_told() -> None:
    found = report(case(), [SENNECEY])
    assert set(found.areas) == {SENNECEY}
    assert found.whole.lamps == 6
    assert found.target == 0.65
    by_lamps = sum(each.estimated_kwh for each in found.cabinets)
    assert by_lamps == pytest.approx(found.whole.estimated_kwh), "not what the same cabinets feed elsewhere"
    assert {(each.metered_kwh, each.unexplained_kwh, each.why) for each in found.cabinets} == {(None, None, "shared")}
    assert not any(each.why for each in report(case()).cabinets)
    assert (found.nights, str(found.first), str(found.last)) == (3, "2026-11-24", "2026-11-26")


def test_a_town_that_has_stated_nothing_is_told_no_saving() -> None:
    assert report(case(former=False)).whole.saving is None
    blind = case()
    assert blind.baseline is not None
    assert blind.former is not None
    nothing = replace(blind.former, watts=np.full(COUNT, np.nan))
    assert report(replace(blind, baseline=Baseline(), former=nothing)).whole.before is None


def test_each_cabinet_is_held_against_its_lamps() -> None:
    found = case()
    more = Metered(found.meters.kwh + np.array([0.0, 9.0]), found.meters.off_share, np.ones(2), ["", "gaps"])
    first, second = report(replace(found, meters=more)).cabinets
    assert first.unexplained_kwh is not None
    assert second.unexplained_kwh is not None
    assert second.unexplained_kwh - first.unexplained_kwh > 8
    assert (first.why, second.why) == ("", "gaps")


# How sure.


def width(made: Case) -> float:
    said = report(made).whole.saving
    assert said is not None
    return said.high - said.low


@given(st.floats(1.0, 100.0), st.integers(2, 60))
def test_the_interval_shrinks_with_more_meters_surveyed_lamps_and_a_better_class(spread_w: float, many: int) -> None:
    def width_of(meters: int, surveyed: int = 30, meter_class: float = 2.0) -> float:
        baseline = Baseline(lamp_w=140.0, lamp_w_sd=spread_w, surveyed=surveyed, meter_class=meter_class)
        blank = np.full(meters, np.nan)
        old = Former(np.full(900, np.nan), np.full(900, 42.0), 3, blank, blank, blank, np.zeros(meters, np.bool_))
        now = Now(np.arange(meters), np.full(meters, 2_000.0 / meters), np.ones(meters), 0.0, 0.0, 0.0)
        against = Old(np.arange(900), np.zeros(900, np.bool_), np.empty(0, np.int64), 0.0)
        found = saving(baseline, Survey.of(baseline, old.watts), old, against, now)
        assert found is not None
        return found[1].high - found[1].low

    assert width_of(many) < width_of(1)
    assert width_of(many, surveyed=30 * many) < width_of(many)
    assert width_of(many, meter_class=0.5) < width_of(many)


def test_a_meter_that_counted_before_and_after_is_less_to_doubt_than_two() -> None:
    made = case()
    assert made.former is not None
    then = replace(made.former, cabinet_kwh=np.full(2, 900.0), cabinet_scale=np.full(2, 0.01), cabinet_sun=np.zeros(2))
    same = replace(made, former=replace(then, same_meter=np.ones(2, np.bool_)))
    other = replace(made, former=then)
    assert width(same) < width(other)
    before = report(same).whole.before
    assert before is not None
    assert before.value == pytest.approx(2 * 900 * 0.01), "what was metered goes before what is printed on lamps"
