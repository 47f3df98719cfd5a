"""What light a street should get, and why: precedence, windows, reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services.lighting.parks import CALENDAR, SENNECEY, TOWN, dark, layers, p4, park, programme, window
from vigie.core.plans import Unanswerable
from vigie.core.times import MINUTE_US, to_us
from vigie.services.lighting.programmes.layers import GROUPS_MAX, PLAIN, Layer, Sunlit, groups, schedule, stack
from vigie.services.lighting.programmes.model import (
    Clock,
    Dawn,
    Dusk,
    Programme,
    Rank,
    Rule,
    Span,
    Switching,
    Target,
    When,
    Window,
)
from vigie.services.lighting.programmes.moment import Says, levels_at, reasons
from vigie.services.lighting.programmes.nights import Nights

PARK = park()
ROAD_OF_SENNECEY = 6


def at(text: str) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Paris")))


def levels(text: str, *programmes: Programme) -> list[int]:
    return levels_at(PARK, layers(*programmes), CALENDAR, at(text))[0].tolist()


def test_without_a_programme_a_night_is_plain() -> None:
    assert set(levels("2026-11-26 21:00")) == {100}
    assert set(levels("2026-11-26 12:30")) == {0}


def test_a_commune_is_heard_over_a_class() -> None:
    both = (p4(), dark())
    assert levels("2026-11-26 21:59", *both)[ROAD_OF_SENNECEY:] == [100] * 6
    assert levels("2026-11-26 22:00", *both)[ROAD_OF_SENNECEY:] == [50] * 6
    assert levels("2026-11-27 00:00", *both)[ROAD_OF_SENNECEY:] == [0] * 6
    assert levels("2026-11-27 05:00", *both)[ROAD_OF_SENNECEY:] == [50] * 6
    assert levels("2026-11-27 03:00", *both)[:6] == [100] * 6


def test_an_event_is_heard_over_all_in_its_night_alone() -> None:
    ball = programme(
        "Bal",
        Rank.EVENT,
        TOWN,
        window("22:00", "02:00", 100),
        when=When(dates=(Span("2026-07-14", "2026-07-14"),)),
    )
    every = (p4(), dark(), ball)
    assert levels("2026-07-14 23:40", *every) == [100] * 12
    assert levels("2026-07-15 01:00", *every) == [100] * 12
    assert levels("2026-07-15 03:00", *every)[ROAD_OF_SENNECEY:] == [0] * 6
    assert levels("2026-07-16 01:00", *every)[ROAD_OF_SENNECEY:] == [0] * 6


def test_a_reason_names_all_that_speaks_and_what_is_heard() -> None:
    said = reasons(PARK, ROAD_OF_SENNECEY, layers(p4(), dark()), CALENDAR, at("2026-11-27 03:00"))
    assert said.level == 0
    assert said.night == "2026-11-26"
    assert [(each.name, each.says, each.level, each.heard) for each in said.opinions] == [
        ("Sennecey", Says.LEVEL, 0, True),
        ("P4", Says.LEVEL, 50, False),
        ("", Says.LEVEL, 100, False),
    ]
    evening = reasons(PARK, ROAD_OF_SENNECEY, layers(p4(), dark()), CALENDAR, at("2026-11-26 20:00"))
    assert [each.says for each in evening.opinions] == [
        Says.OUTSIDE_ITS_WINDOWS,
        Says.OUTSIDE_ITS_WINDOWS,
        Says.LEVEL,
    ]
    noon = reasons(PARK, ROAD_OF_SENNECEY, layers(dark()), CALENDAR, at("2026-07-14 13:00"))
    assert (noon.level, noon.holiday) == (0, "Fête nationale")
    assert {each.says for each in noon.opinions} == {Says.BY_DAY}


def test_a_window_lights_no_street_by_day() -> None:
    early = programme("early", Rank.CLASS, "", window("16:00", "23:00", 80))
    assert set(levels("2026-06-21 20:00", early)) == {0}
    assert set(levels("2026-12-21 20:00", early)) == {80}
    tunnel = msgspec.structs.replace(early, switching=Switching(always=True))
    assert set(levels("2026-06-21 20:00", tunnel)) == {80}


def test_the_first_rule_for_a_night_counts_and_no_other() -> None:
    weekend = Rule("weekend", (window("22:00", "23:00", 30),), When(weekdays=(5, 6)))
    other = Rule("week", (window("22:00", "05:00", 60),))
    both = Programme("both", Rank.AREA, rules=(weekend, other))
    assert set(levels("2026-11-28 22:30", both)) == {30}
    assert set(levels("2026-11-28 23:30", both)) == {100}, (
        "the weekend's rule says nothing of it, and the other is not for it"
    )
    assert set(levels("2026-11-27 23:30", both)) == {60}


def test_targets_name_lamps_and_leave_others_out() -> None:
    def named(area: str, target: Target = Target()) -> list[int]:  # noqa: B008 - frozen
        return np.flatnonzero(PARK.named(Programme("x", Rank.AREA, area, target))).tolist()

    assert named(SENNECEY) == list(range(6, 12))
    assert named(SENNECEY, Target(except_classes=("P4",))) == []
    assert named(TOWN, Target(streets=("Rue Verte",))) == list(range(6))
    assert named(SENNECEY, Target(streets=("Rue Verte",))) == []
    assert named("", Target(assets=("lamp-3", "no-such"))) == [3]
    assert named("", Target(except_assets=("lamp-3",))) == [0, 1, 2, *range(4, 12)]
    assert named("metro") == [], "a path is no beginning of a text"


MOMENTS = st.one_of(
    st.builds(Clock, st.integers(0, 1_439)),
    st.builds(Dusk, st.integers(-180, 180)),
    st.builds(Dawn, st.integers(-180, 180)),
)
WINDOWS = st.builds(Window, MOMENTS, MOMENTS, st.integers(0, 100))
WHENS = st.builds(When, weekdays=st.lists(st.integers(0, 6), max_size=7, unique=True).map(tuple))
RULES = st.builds(Rule, st.just("rule"), st.lists(WINDOWS, max_size=5).map(tuple), WHENS)
TARGETS = st.sampled_from([Target(), Target(), Target(classes=("M3",)), Target(assets=("lamp-1", "lamp-8"))])
AREAS = st.sampled_from(["", TOWN, SENNECEY])
SWITCHINGS = st.none() | st.builds(
    Switching, st.floats(-12, 3), st.integers(-60, 60), st.integers(-60, 60), st.booleans(), st.integers(0, 30)
)
PROGRAMMES = st.builds(
    Programme,
    st.sampled_from("abcdef"),
    st.sampled_from(list(Rank)),
    AREAS,
    TARGETS,
    st.lists(RULES, max_size=3).map(tuple),
    SWITCHINGS,
)
STACKS = st.lists(PROGRAMMES, max_size=5).map(lambda found: [Layer(str(n), each) for n, each in enumerate(found)])
WEEK = Nights.of_year(2026, CALENDAR).days[80:96]


@given(STACKS, st.randoms())
def test_the_order_in_which_programmes_are_read_changes_nothing(found: list[Layer], dice) -> None:
    other = list(found)
    dice.shuffle(other)
    assert stack(found) == stack(other)


@given(STACKS)
def test_a_schedule_is_whole_ordered_and_without_overlap(found: list[Layer]) -> None:
    own = stack(found)
    sunlit = Sunlit(Nights(WEEK, CALENDAR))
    noon, next_noon = sunlit.nights.bounds_us
    seen = np.zeros(len(PARK), np.int64)
    for group in groups(PARK, own):
        seen[group.rows] += 1
        plan = schedule(group, own, sunlit)
        assert (plan.start_us < plan.end_us).all()
        assert (plan.end_us[:-1] <= plan.start_us[1:]).all()
        assert (noon[plan.night] <= plan.start_us).all()
        assert (plan.end_us <= next_noon[plan.night]).all()
        assert set(plan.layer.tolist()) <= {PLAIN, *group.layers}
    assert (seen == 1).all(), "every lamp is in one group"


@given(STACKS, st.integers(0, 15 * 1_440))
def test_three_ways_of_asking_give_one_answer(found: list[Layer], minute: int) -> None:
    """The schedule of many nights, the level of all lamps at an instant, and the reasons of one lamp."""
    own = stack(found)
    nights = Nights(WEEK, CALENDAR)
    instant = int(nights.bounds_us[0][0]) + minute * MINUTE_US + 17
    whole, layer = levels_at(PARK, own, CALENDAR, instant)
    sunlit = Sunlit(nights)
    for group in groups(PARK, own):
        plan = schedule(group, own, sunlit)
        span = plan.at(instant)
        expected = (0, PLAIN) if span is None else (int(plan.level[span]), int(plan.layer[span]))
        assert {*zip(whole[group.rows].tolist(), layer[group.rows].tolist(), strict=True)} == {expected}
    for row in (1, 8):
        said = reasons(PARK, row, own, CALENDAR, instant)
        assert said.level == whole[row]
        heard = [each for each in said.opinions if each.heard]
        assert len(heard) == 1


@given(PROGRAMMES)
def test_a_programme_reads_back_as_it_was_written(made: Programme) -> None:
    assert msgspec.json.decode(msgspec.json.encode(made), type=Programme) == made


def test_no_more_groups_are_computed_than_a_policy_has() -> None:
    many = replace(
        PARK,
        no=np.arange(GROUPS_MAX + 1),
        ids=[str(n) for n in range(GROUPS_MAX + 1)],
        **{name: np.zeros(GROUPS_MAX + 1, np.int64) for name in ("area", "street", "cabinet")},
        **{name: np.full(GROUPS_MAX + 1, 5.0) for name in ("lon", "lat", "rated_w")},
        **{name: ["road"] * (GROUPS_MAX + 1) for name in ("lighting_class", "lights", "category")},
    )
    # Twelve programmes, each for the lamps that have a bit in their number: as many groups as lamps.
    ids = [tuple(str(n) for n in range(GROUPS_MAX + 1) if n >> bit & 1) for bit in range(12)]
    own = stack(
        [Layer(f"{bit:02d}", Programme("x", Rank.STREET, target=Target(assets=each))) for bit, each in enumerate(ids)]
    )
    with pytest.raises(Unanswerable):
        groups(many, own)
    assert len(groups(many, own[:5])) == 32
