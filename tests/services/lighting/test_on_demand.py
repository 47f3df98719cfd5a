"""Light on demand: what calls raises what lies ahead, within its hours, its caps and beneath every person's order."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.services.lighting.lane import LAMPS, Lane, rule
from vigie.core.plans import Given
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US, to_us
from vigie.services.lighting.kinds import Luminaire
from vigie.services.lighting.ondemand.calls import LATE_US, STUCK_US, Calls
from vigie.services.lighting.ondemand.graph import Graph, Reach
from vigie.services.lighting.ondemand.model import Hours, Trigger
from vigie.services.lighting.programmes.model import Clock, Dawn, Dusk, Programme, Rank, Target, Window
from vigie.services.lighting.programmes.model import Rule as NightRule

ALL_NIGHT = (Hours(Dusk(), Dawn()),)
MIDNIGHT_US = to_us(datetime.fromisoformat("2026-11-25T00:00:00+01:00"))


def programme(*windows: tuple[int, int, int]) -> Programme:
    """From dusk on, at levels between hours of the clock; the plain night for the rest."""
    said = tuple(Window(Clock(start * 60), Clock(end * 60), level) for start, end, level in windows)
    return Programme(name="Abaissement", rank=Rank.AREA, rules=(NightRule("Toutes les nuits", said),))


def stay(lane: Lane, minutes: int) -> None:
    """Somebody stays beside the sensor, which says so every half minute."""
    for _ in range(2 * minutes):
        lane.see(True)
        lane.tick(29)


def test_who_passes_lights_the_lane_both_ways_for_a_while_and_it_ends_by_itself() -> None:
    lane = Lane(rule(hold_s=120))
    lane.walk()
    assert lane.raised() == [3, 4, 5, 6, 7]
    (command,) = [each for each in lane.engine.commands if each.is_automatic]
    assert command.order.params["level"] == 80.0
    assert command.order.params["fade"] == 2.0
    assert 118 * SECOND_US < (command.order.until_us or 0) - lane.given[0][2] <= 120 * SECOND_US
    assert dict(command.order.selection) == {"automation": "lighting.on_demand", "plan": "p0", "motion": "1"}
    for _ in range(4):
        lane.tick(40)
    assert lane.ends == {}
    assert command.counts == {"returned": 5}
    assert len(lane.given) == 5


def test_who_stays_keeps_the_light_with_two_orders_a_hold_at_most() -> None:
    lane = Lane(rule(hold_s=120))
    for _ in range(60):
        lane.see(True)
        lane.tick(10)
        assert set(lane.ends) == set(lane.numbers[3:8])
    orders = [each for each in lane.engine.commands if each.is_automatic]
    assert len(orders) <= 2 * 600 // 120


def test_a_bus_raises_what_lies_ahead_and_little_behind_and_one_that_stands_raises_nothing() -> None:
    lane = Lane(rule(ahead_m=100.0, behind_m=35.0))
    lane.drive(60)
    lane.given.clear()
    lane.tick(300)
    lane.drive(100)  # Northward: from l3 and a third on.
    assert lane.raised() == [3, 4, 5, 6]
    lane.tick(300)
    lane.given.clear()
    lane.drive(101)
    assert lane.given == []


def test_a_lamp_that_is_raised_already_is_not_asked_again_by_each_word_of_a_bus() -> None:
    lane = Lane(rule(hold_s=300))
    for metres in range(0, 300, 20):
        lane.drive(metres)
    asked = defaultdict(int)
    for no, *_ in lane.given:
        asked[no] += 1
    assert max(asked.values()) == 1


def test_outside_its_hours_and_by_day_nothing_is_raised() -> None:
    early = Lane(rule(hours=(Hours(Clock(0), Clock(5 * 60)),)))
    early.walk()  # Eleven at night.
    assert early.given == []
    early.tick(3_600)
    early.walk()
    assert early.raised() == [3, 4, 5, 6, 7]
    day = Lane(rule(hours=ALL_NIGHT))
    day.tick(9 * 3_600)
    day.walk()
    assert day.given == []


def test_what_comes_late_raises_nothing() -> None:
    lane = Lane(rule())
    lane.see(True, late_s=LATE_US / SECOND_US + 2)
    lane.see(False)
    lane.tick()
    assert lane.given == []


def test_a_raise_is_over_with_its_hours() -> None:
    lane = Lane(rule(hold_s=1_800, hours=(Hours(Clock(22 * 60), Clock(23 * 60 + 10)),)))
    lane.walk()
    end_us = max(until for *_, until in lane.given)
    assert end_us - lane.at_us <= 10 * MINUTE_US + SECOND_US
    lane.tick(10 * 60 - 15)
    lane.given.clear()
    lane.walk()  # A few seconds are not worth while.
    assert lane.given == []


def test_what_is_out_stays_out_without_leave() -> None:
    without, given_leave = Lane(rule(), level=0.0), Lane(rule(leave="Délibération 2025-31"), level=0.0)
    for lane in (without, given_leave):
        lane.walk()
        for _ in range(4):
            lane.tick(2)
    assert without.given == []
    assert given_leave.raised() == [3, 4, 5, 6, 7]


def test_a_raise_ends_where_the_programme_puts_its_lamps_out_and_who_stays_gets_no_other() -> None:
    lane = Lane(rule(hold_s=1_800, hours=ALL_NIGHT), programme=programme((22, 0, 30), (0, 5, 0)))
    lane.tick(MIDNIGHT_US / SECOND_US - lane.at_us / SECOND_US - 60)
    stay(lane, 30)
    assert lane.raised() == [3, 4, 5, 6, 7]
    assert max(until_us for *_, until_us in lane.given) == MIDNIGHT_US


@pytest.mark.parametrize(("new", "after_s"), [((22, 5, 0), 0), ((0, 5, 0), 600), ((0, 5, 90), 600)])
def test_a_raise_is_over_early_where_a_programme_approved_meanwhile_says_so(
    new: tuple[int, int, int], after_s: int
) -> None:
    lane = Lane(rule(hold_s=1_800, hours=ALL_NIGHT), programme=programme((22, 5, 30)))
    lane.tick(MIDNIGHT_US / SECOND_US - lane.at_us / SECOND_US - 610)
    lane.walk()
    lane.tick(1)
    assert lane.raised() == [3, 4, 5, 6, 7]
    # A person's order is a person's, whatever the programmes say.
    lane.dim([3], 60.0, 3_600)
    lane.tick(6)
    lane.approve("q-newer", programme((22, 0, 30), new))
    lane.tick(1)
    if after_s:
        assert lane.released == []
        lane.tick(after_s)
        lane.tick(1)
    assert sorted({lane.numbers.index(no) for no, _ in lane.released}) == [4, 5, 6, 7]
    lane.tick(2)
    assert len(lane.released) == 4


def test_a_lamp_whose_word_comes_a_moment_late_is_given_back_as_soon_as_it_says_that_it_obeys() -> None:
    lane = Lane(rule(hold_s=1_800, hours=ALL_NIGHT), programme=programme((22, 5, 30)))
    lane.walk()
    lane.tick(1)
    lane.say("l5", level=30.0, control="programme")
    lane.approve("q-newer", programme((22, 5, 0)))
    lane.tick(1)
    assert sorted({lane.numbers.index(no) for no, _ in lane.released}) == [3, 4, 6, 7]
    lane.say("l5", level=80.0, control="order")
    lane.tick(1)
    lane.tick(1)
    assert [lane.numbers.index(no) for no, _ in lane.released][4:] == [5]


def test_a_programme_approved_meanwhile_ends_no_raise_that_it_leaves_room_for() -> None:
    leave = rule(hold_s=1_800, hours=ALL_NIGHT, leave="Délibération 2025-31")
    for each, new in ((leave, (22, 5, 0)), (rule(hold_s=1_800, hours=ALL_NIGHT), (22, 5, 50))):
        lane = Lane(each, programme=programme((22, 5, 30)))
        lane.walk()
        lane.approve("q-newer", programme(new))
        lane.tick(60)
        assert lane.raised() == [3, 4, 5, 6, 7]
        assert lane.released == []


def test_with_leave_a_raise_goes_on_over_the_hour_at_which_its_lamps_go_out() -> None:
    leave = rule(hold_s=1_800, hours=ALL_NIGHT, leave="Délibération 2025-31")
    lane = Lane(leave, programme=programme((22, 0, 30), (0, 5, 0)))
    lane.tick(MIDNIGHT_US / SECOND_US - lane.at_us / SECOND_US - 60)
    stay(lane, 2)
    assert max(until_us for *_, until_us in lane.given) > MIDNIGHT_US + 20 * MINUTE_US


def test_a_raise_ends_where_the_programme_has_its_lamps_brighter() -> None:
    lane = Lane(rule(level=80, hold_s=600, hours=ALL_NIGHT), level=70.0, programme=programme((22, 0, 70)))
    lane.tick(MIDNIGHT_US / SECOND_US - lane.at_us / SECOND_US - 120)
    stay(lane, 10)
    assert lane.raised() == [3, 4, 5, 6, 7]
    assert max(until_us for *_, until_us in lane.given) == MIDNIGHT_US


def test_each_lamp_of_a_call_has_its_own_end() -> None:
    lane = Lane(rule(hold_s=1_800, hours=ALL_NIGHT), programme=programme((22, 0, 30), (0, 5, 0)))
    other = Programme(name="Place", rank=Rank.STREET, target=Target(assets=("l5",)),
                      rules=(NightRule("Toutes les nuits", (Window(Clock(22 * 60), Clock(5 * 60), 30),)),))  # fmt: skip
    lane.approve("place", other)
    lane.tick(MIDNIGHT_US / SECOND_US - lane.at_us / SECOND_US - 60)
    lane.walk()
    beyond = {lane.numbers.index(no) for no, _, _, until_us in lane.given if until_us > MIDNIGHT_US}
    assert (lane.raised(), beyond) == ([3, 4, 5, 6, 7], {5})


def test_a_raise_that_nobody_carried_out_opens_nothing() -> None:
    lane = Lane(rule(hold_s=600))
    lane.deaf = True
    lane.walk()
    assert lane.given == []
    lane.deaf = False
    lane.say("l5", level=0.0)
    lane.tick(400)
    lane.walk()
    assert 5 not in lane.raised()
    assert 4 in lane.raised()


def test_a_lamp_that_has_been_silent_for_longer_than_its_word_holds_is_not_raised() -> None:
    lane = Lane(rule())
    lane.lamps["l5"].silent = True
    lane.tick(Luminaire.level.valid_s / 2)
    lane.tick(Luminaire.level.valid_s / 2 + 1)
    lane.walk()
    assert lane.raised() == [3, 4, 6, 7]


def test_a_lamp_of_no_programme_is_raised_no_longer_than_what_it_said_before_holds() -> None:
    lane = Lane(rule(hold_s=1_800, hours=ALL_NIGHT))
    stay(lane, 5)
    told_us = lane.at_us - 5 * MINUTE_US
    assert max(until_us for *_, until_us in lane.given) <= told_us + Luminaire.level.valid_s * SECOND_US


def test_lamps_that_stand_higher_that_say_nothing_or_that_are_ruled_on_the_spot_are_left_alone() -> None:
    lane = Lane(rule())
    lane.say("l3", level=90.0, control="programme")
    lane.say("l4", control="local")
    lane.say("l6", control="order")
    lane.walk()
    assert lane.raised() == [5, 7]


def test_an_order_of_a_person_is_neither_overruled_nor_shortened_and_overrules() -> None:
    lane = Lane(rule(hold_s=120))
    lane.dim([4, 5], 10.0, 3_600)
    lane.tick(1)
    lane.walk()
    assert lane.raised() == [3, 6, 7]
    lane.dim([6], 20.0, 3_600)
    lane.tick(1)
    ends = dict(lane.ends)
    lane.walk()
    lane.tick(200)
    lane.walk()
    assert ends[lane.numbers[6]] == lane.ends[lane.numbers[6]]
    assert lane.engine.picture.value[lane.engine.registry.slot(lane.numbers[6], Luminaire.level)] == 20.0


def test_a_lock_out_and_full_light_hold() -> None:
    locked, full = Lane(rule()), Lane(rule())
    locked.acts.consign(locked.numbers[5], actor="u-crew", crew="E3", reason="r")
    locked.walk()
    assert locked.raised() == [3, 4, 6, 7]
    full.say("c1", full_light=1.0)
    full.walk()
    assert full.given == []


def test_two_rules_give_the_higher_level_and_never_darken() -> None:
    lane = Lane(rule(level=50, hold_s=600), rule(level=90, hold_s=120, target=Target(assets=("l5",))))
    lane.walk()
    levels = {lane.numbers.index(no): level for no, level, *_ in lane.given}
    assert levels == {3: 50.0, 4: 50.0, 5: 90.0, 6: 50.0, 7: 50.0}
    lane.tick(80)
    lane.walk()
    assert all(level == 90.0 for no, level, *_ in lane.given if no == lane.numbers[5])


def test_a_sensor_that_sees_somebody_without_end_is_stuck_and_calls_no_more_until_it_lets_go() -> None:
    lane = Lane(rule(hold_s=600, minutes_max=720, hours=ALL_NIGHT))
    for _ in range(STUCK_US // (5 * MINUTE_US) + 4):
        lane.see(True)
        lane.tick(300)
    assert lane.open() == {"motion_stuck": ["s1"]}
    assert lane.evidence("motion_stuck")["minutes_on"] >= STUCK_US // MINUTE_US
    lane.tick(700)
    before = len(lane.given)
    lane.tick(60)
    assert len(lane.given) == before
    lane.see(False)
    lane.tick()
    assert lane.open() == {}
    lane.walk()
    assert len(lane.given) > before


def test_a_sensor_that_fires_beyond_the_cap_is_capped_and_is_work_for_the_maintenance_until_the_next_night() -> None:
    lane = Lane(rule(hold_s=60, raises_max=4))
    for _ in range(8):
        lane.walk()
        lane.tick(70)
    counted = defaultdict(int)
    for no, *_ in lane.given:
        counted[no] += 1
    assert set(counted.values()) == {4}
    assert lane.open() == {"motion_stuck": ["s1"]}
    assert lane.evidence("motion_stuck")["raises"] == 4
    lane.tick(24 * 3_600)
    assert lane.open() == {}
    before = len(lane.given)
    for lamp in lane.lamps.values():
        lane.report(lamp)
    lane.walk()
    assert len(lane.given) > before


def test_a_sensor_that_falls_silent_while_it_sees_somebody_calls_for_a_hold_and_is_not_stuck() -> None:
    lane = Lane(rule(hold_s=120, hours=ALL_NIGHT))
    lane.see(True)
    for _ in range(30):
        lane.tick(10)
    assert max(until_us for *_, until_us in lane.given) <= lane.at_us
    for _ in range(STUCK_US // (10 * MINUTE_US)):
        lane.tick(600)
    assert lane.open() == {}


def test_a_sensor_that_is_retired_calls_no_more_and_gets_no_alarm() -> None:
    lane = Lane(rule(hold_s=600, hours=ALL_NIGHT))
    lane.see(True)
    lane.acts.retire_asset(lane.engine.registry.numbers["s1"], actor="u-manager", reason="r")
    for _ in range(STUCK_US // (5 * MINUTE_US) + 4):
        lane.see(True)
        lane.tick(300)
    assert (lane.given, lane.open()) == ([], {})


def test_a_lamp_in_reach_that_has_had_its_night_makes_no_sensor_stuck() -> None:
    lane = Lane(rule(hold_s=60, raises_max=4, triggers=(Trigger.MOTION,)),
                rule(hold_s=60, raises_max=4, triggers=(Trigger.BUS,), ahead_m=10.0, behind_m=0.0))  # fmt: skip
    for metres in (0, 60, 120, 180, 240):
        lane.drive(metres)
    assert lane.raised() == [0, 2, 4, 6, 8]
    for _ in range(4):
        lane.tick(70)
        lane.walk()
    # Those of the bus have had their night; the others are raised still, and the sensor sees somebody again.
    lane.walk()
    assert lane.open() == {}
    lane.tick(70)
    lane.walk()
    assert lane.open() == {"motion_stuck": ["s1"]}


def test_only_what_was_really_given_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Given] = []
    gave = Calls.gave

    def noted(self: Calls, given: Given) -> None:
        told.append(given)
        gave(self, given)

    monkeypatch.setattr(Calls, "gave", noted)
    lane = Lane(rule())
    # What was prepared still has it: it is refused when it is asked for.
    lane.acts.retire_asset(lane.numbers[5], actor="u-manager", reason="r")
    lane.walk()
    assert [each.assets.tolist() for each in told] == [[lane.numbers[n] for n in (3, 4, 6, 7)]]


def test_the_streets_are_looked_along_once_for_a_sensor_and_once_for_each_word_of_a_bus(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[tuple[float, ...]] = []
    ahead = Graph.ahead

    def counted(self: Graph, *where: float) -> Reach:
        looked.append(where)
        return ahead(self, *where)

    monkeypatch.setattr(Graph, "ahead", counted)
    far = rule(target=Target(assets=("l11",)), ahead_m=20.0)
    lane = Lane(rule(), rule(level=60), rule(level=50, behind_m=10.0, triggers=(Trigger.MOTION,)), far)
    stay(lane, 5)
    assert len(looked) == 1
    looked.clear()
    for metres in (0, 40, 80):
        lane.drive(metres)
    assert len(looked) == 3


def test_a_counter_that_grows_calls_as_well() -> None:
    lane = Lane(rule())
    lane.say("s1", passages=10.0)
    lane.tick()
    assert lane.given == []  # Nobody knows how many there were.
    lane.say("s1", passages=11.0)
    lane.tick()
    assert lane.raised() == [3, 4, 5, 6, 7]


@pytest.mark.parametrize("triggers", [(Trigger.BUS,), (Trigger.MOTION,)])
def test_a_rule_hears_what_it_names_alone(triggers: tuple[Trigger, ...]) -> None:
    lane = Lane(rule(triggers=triggers))
    lane.walk()
    assert bool(lane.given) == (triggers == (Trigger.MOTION,))


STEPS = st.lists(
    st.one_of(
        st.just(("walk", 0, 0.0)),
        st.tuples(st.just("drive"), st.integers(-50, 400), st.just(0.0)),
        st.tuples(st.just("wait"), st.integers(1, 900), st.just(0.0)),
        st.tuples(st.just("dim"), st.integers(0, LAMPS - 1), st.floats(0, 100)),
        st.tuples(st.just("lock"), st.integers(0, LAMPS - 1), st.just(0.0)),
        st.tuples(st.just("see"), st.integers(0, 1), st.just(0.0)),
    ),
    min_size=5,
    max_size=25,
)


@given(STEPS, st.integers(1, 6), st.integers(1, 15), st.sampled_from([30, 90, 300]))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_happens_caps_hold_and_persons_and_lock_outs_stand_above(
    steps: list[tuple[str, int, float]], raises_max: int, minutes_max: int, hold_s: int
) -> None:
    lane = Lane(rule(raises_max=raises_max, minutes_max=minutes_max, hold_s=hold_s))
    night_end_us = lane.at_us // (24 * HOUR_US) * 24 * HOUR_US + 35 * HOUR_US
    ruled: dict[int, int] = {}
    locked: set[int] = set()
    seen = 0
    for what, which, level in steps:
        match what:
            case "walk":
                lane.walk()
            case "drive":
                lane.drive(which)
            case "wait":
                lane.tick(which)
            case "see":
                lane.see(bool(which))
            case "dim":
                lane.dim([which], level, 400)
                ruled[lane.numbers[which]] = lane.at_us + 399 * SECOND_US
                lane.tick()
            case _ if which not in locked:
                locked.add(which)
                lane.acts.consign(lane.numbers[which], actor="u-crew", crew="E3", reason="r")
            case _:
                pass
        for no, raised_to, at_us, until_us in lane.given[seen:]:
            assert lane.numbers.index(no) not in locked
            assert ruled.get(no, 0) <= at_us
            assert at_us < until_us <= at_us + hold_s * SECOND_US
            assert raised_to == 80.0
        seen = len(lane.given)
    assert lane.at_us < night_end_us
    by_lamp: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for no, _, at_us, until_us in lane.given:
        by_lamp[no].append((at_us, until_us))
    for own in by_lamp.values():
        raises, lit_us, lit_until_us = 0, 0, 0
        for at_us, until_us in own:
            raises += at_us >= lit_until_us
            lit_us += max(0, until_us - max(at_us, lit_until_us))
            lit_until_us = max(lit_until_us, until_us)
        assert raises <= raises_max
        assert lit_us <= minutes_max * MINUTE_US
