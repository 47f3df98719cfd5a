"""The kernel: what it finds in seconds that were shown, against a judge of its own kind, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.signals.junctions import (
    GREEN,
    QUICK,
    RED,
    YELLOW,
    broken,
    cross_roads,
    junction_of,
    junctions,
    with_longest_red,
)
from vigie.services.signals.junction import Junction, Second, SignalGroup, Users
from vigie.services.signals.safety import Kernel, Refusal, Rule, Violation

CAR_AND_WALKER = junction_of(
    [SignalGroup("F1"), SignalGroup("P2", Users.PEDESTRIANS, yellow_s=0)], {(0, 1): 5, (1, 0): 8}, [{0}, {1}]
)
TRAM_TOO = junction_of(
    [SignalGroup("F1"), SignalGroup("F2"), SignalGroup("T3", Users.TRAM)],
    {(i, j): 5 for i in range(3) for j in range(3) if i != j},
    [{0}, {1}, {2}],
)
NOBODY: frozenset[int] = frozenset()


def seconds(*lines: str) -> list[Second]:
    """Seconds from one line a group: `G*6 Y*3 R*2`."""
    colours = {"G": GREEN, "Y": YELLOW, "R": RED}
    rows = [
        [colours[part[0]] for part in line.split() for _ in range(int(part[2:] or 1) if "*" in part else 1)]
        for line in lines
    ]
    return list(zip(*rows, strict=True))


def judged(kernel: Kernel, shown: list[Second], called: frozenset[int] = NOBODY) -> list[tuple[int, Violation]]:
    return [(at, each) for at, second in enumerate(shown) for each in kernel.see(second, called)]


SHOWN = [
    ("a lawful cycle", ("R*2 G*6 Y*3 R*20", "R*13 G*9 R*9"), []),
    ("green together", ("R*2 G*8", "R*8 G*2"), [(8, "conflict"), (9, "conflict")]),
    ("green beside yellow", ("R*2 G*8 Y*2", "R*10 G*2"), [(10, "intergreen"), (11, "intergreen")]),
    ("walkers too soon", ("R*2 G*6 Y*3 R*20", "R*12 G*9 R*10"), [(12, "intergreen")]),
    ("cars before the walkers are over", ("R*15 G*6", "R*2 G*6 R*13"), [(15, "pedestrian_clearance")]),
    ("a short green", ("R*2 G*5 Y*3 R*5", "R*15"), [(7, "green_min")]),
    ("a green whose beginning nobody saw", ("G*2 Y*3 R*5", "R*10"), []),
    ("no yellow", ("R*2 G*6 R*5", "R*13"), [(8, "yellow_skipped")]),
    ("a short yellow", ("R*2 G*6 Y*2 R*5", "R*15"), [(10, "yellow_short")]),
    ("a long yellow", ("R*2 G*6 Y*5 R*5", "R*18"), [(11, "yellow_long"), (12, "yellow_long")]),
    ("no red", ("R*2 G*6 Y*3 G*6", "R*17"), [(11, "red_skipped")]),
    ("yellow before green", ("R*2 Y*1 G*6", "R*9"), [(2, "yellow_unasked"), (3, "yellow_short"), (3, "red_skipped")]),
    ("yellow for walkers", ("R*20", "R*2 G*6 Y*1 R*11"), [(8, "yellow_long")]),
    ("longer than the longest red", ("R*121 R*1", "R*2 G*6 R*30 G*6 R*78"), [(120, "red_max"), (121, "red_max")]),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), [each[1:] for each in SHOWN], ids=[each[0] for each in SHOWN])
def test_each_second_is_told_what_it_breaks(lines: tuple[str, ...], expected: list[tuple[int, str]]) -> None:
    assert [(at, each.rule.value) for at, each in judged(Kernel(CAR_AND_WALKER), seconds(*lines))] == expected


def test_a_violation_says_whose_it_is_how_long_it_was_and_how_long_it_had_to_be() -> None:
    shown = seconds("R*15 G*6", "R*2 G*6 R*13")
    (only,) = judged(Kernel(CAR_AND_WALKER), shown)
    assert only == (15, Violation(Rule.PEDESTRIAN_CLEARANCE, (1, 0), 7, 8))


def test_of_two_that_may_hold_a_third_back_only_the_one_that_was_seen_to_end_is_blamed() -> None:
    shown = seconds("R*4", "G*1 R*3", "R*3 G*1")
    found = [(at, each.rule, each.groups) for at, each in judged(Kernel(TRAM_TOO), shown)]
    assert found == [(1, Rule.YELLOW_SKIPPED, (1,)), (3, Rule.INTERGREEN, (1, 2))]


@pytest.mark.parametrize(
    ("tram", "called", "found"),
    [
        ("R*20 G*6 Y*3 R*212", {2}, [240]),
        ("R*20 G*6 Y*3 R*212", set(), list(range(120, 241))),
        ("R*241", {2}, list(range(120, 241))),
        ("R*20 G*6 Y*3 R*212", {1}, list(range(120, 241))),
    ],
    ids=["announced and served", "served and not announced", "announced and not served", "another is announced"],
)
def test_a_red_may_last_240_s_only_if_an_announced_tram_was_served_in_it(
    tram: str, called: set[int], found: list[int]
) -> None:
    """IISR art. 110 C 3. The side road has its turns meanwhile; the tram's own red is not asked about here."""
    side = "R*40 G*6 Y*3 R*80 G*6 Y*3 R*80 G*6 Y*3 R*14"
    late = judged(Kernel(TRAM_TOO), seconds("R*241", side, tram), frozenset(called))
    assert [at for at, each in late if each.groups == (0,)] == found
    assert {each.rule for _, each in late} <= {Rule.RED_MAX}


@st.composite
def histories(draw: st.DrawFn) -> tuple[Junction, list[Second], list[frozenset[int]], bool]:
    """Any colours at all, each held for some seconds, so that every age is reached; who is announced; and whether it
    is known that there were no colours before."""
    junction = draw(junctions(groups_max=4))
    everyone = range(len(junction.groups))
    turn = st.tuples(st.sampled_from([RED, YELLOW, GREEN]), st.integers(1, 6) | st.sampled_from([25, 60]))
    rows = [
        [c for c, lasting_s in draw(st.lists(turn, min_size=5, max_size=8)) for _ in range(lasting_s)] for _ in everyone
    ]
    length = min(90, *(len(row) for row in rows))
    calls = st.lists(st.tuples(st.frozensets(st.sampled_from(everyone)), st.integers(1, 30)), max_size=5)
    called = [who | {len(rows) + 3, -1} for who, lasting_s in draw(calls) for _ in range(lasting_s)]
    called = (called + [NOBODY] * length)[:length]
    return junction, [tuple(row[n] for row in rows) for n in range(length)], called, draw(st.booleans())


@given(case=histories())
@settings(max_examples=60, deadline=None)
def test_whatever_is_shown_the_kernel_finds_what_the_rules_say(
    case: tuple[Junction, list[Second], list[frozenset[int]], bool],
) -> None:
    junction, history, called, known = case
    kernel = Kernel(junction, QUICK)
    if known:
        kernel.away()
    for at in range(len(history)):
        found = {(each.rule, each.groups) for each in kernel.see(history[at], called[at])}
        assert found == broken(junction, history[: at + 1], called[: at + 1], known), at


def test_a_second_of_another_junction_is_an_error() -> None:
    with pytest.raises(ValueError, match="a second of 2 groups at a junction of 5"):
        Kernel(cross_roads()).see((RED, RED))
    with pytest.raises(ValueError, match="'blue' is not a valid Colour"):
        Kernel(CAR_AND_WALKER).see((RED, "blue"))  # type: ignore[arg-type]


def test_colours_read_from_a_text_count_as_colours() -> None:
    kernel = Kernel(CAR_AND_WALKER)
    kernel.see((RED, RED))
    assert [each.rule for each in kernel.see(("green", "green"))] == [Rule.CONFLICT]  # type: ignore[arg-type]


def after(kernel: Kernel, *lines: str) -> Kernel:
    assert judged(kernel, seconds(*lines)) == []
    return kernel


def fresh(junction: Junction) -> Kernel:
    kernel = Kernel(junction)
    kernel.away()
    return kernel


def test_a_wish_is_refused_by_the_rule_that_it_would_break() -> None:
    kernel = after(fresh(cross_roads()), "R*15 G*3", "R*18", "R*15 G*3", "R*18", "R*18")
    assert kernel.refusal(frozenset({0, 2})) is None
    assert kernel.refusal(frozenset({0, 1})) == Refusal(Rule.CONFLICT, (0, 1))
    assert kernel.refusal(frozenset({0, 1, 2, 3, 4})) == Refusal(Rule.CONFLICT, (0, 1, 2, 3, 4))
    assert kernel.refusal(frozenset({1, 3})) == Refusal(Rule.GREEN_MIN, (0, 2))
    assert kernel.refusal(frozenset({0})) == Refusal(Rule.GREEN_MIN, (2,))
    assert kernel.refusal(frozenset({5})) == Refusal(Rule.NO_SUCH_GROUP)
    assert kernel.refusal(frozenset({-1})) == Refusal(Rule.NO_SUCH_GROUP)


def test_a_green_is_held_as_long_as_all_who_wait_can_still_be_served_and_no_second_longer() -> None:
    """Two groups: the second is red since second 0 and must be green by second 120. Five seconds before that the first
    must end: the wish for second 115 is the first that is refused."""
    pair = junction_of([SignalGroup("a"), SignalGroup("b")], {(0, 1): 5, (1, 0): 5}, [{0}, {1}])
    kernel = after(fresh(pair), "R*5 G*109", "R*114")
    assert kernel.refusal(frozenset({0})) is None
    kernel.see((GREEN, RED))
    assert kernel.refusal(frozenset({0})) == Refusal(Rule.RED_MAX, (1,))
    assert kernel.refusal(frozenset()) is None
    assert kernel.refusal(frozenset({1})) is None
    assert kernel.promise() == frozenset({1})
    assert after(kernel, "Y*3 R*8", "R*5 G*5 G*1").refusal(frozenset({1})) is None


def test_nothing_is_asked_of_a_junction_that_is_not_in_colours() -> None:
    kernel = after(fresh(cross_roads()), "R*15 G*9", "R*24", "R*15 G*9", "R*24", "R*24")
    for gone in (kernel.away, kernel.lost):
        gone()
        assert kernel.refusal(frozenset({0, 2})) == Refusal(Rule.NOT_IN_COLOURS)
        assert kernel.promise() is None
        after(kernel, "R*1", "R*1", "R*1", "R*1", "R*1")
        assert kernel.refusal(frozenset({0, 2})) is None


def test_after_a_restart_greens_count_as_begun_and_reds_as_overdue() -> None:
    kernel = after(Kernel(cross_roads()), "G*1", "R*1", "G*1", "R*1", "R*1")
    assert kernel.refusal(frozenset({1, 3})) == Refusal(Rule.GREEN_MIN, (0, 2))
    after(kernel, "G*5", "R*5", "G*5", "R*5", "R*5")
    # No second is given away, now or as long as one red is left whose beginning nobody saw.
    assert kernel.refusal(frozenset({0, 2})) == Refusal(Rule.RED_MAX, (1, 3, 4))
    assert kernel.refusal(frozenset({0})) == Refusal(Rule.RED_MAX, (3, 4))
    assert kernel.refusal(frozenset({1, 3})) is None
    assert kernel.promise() == frozenset({1, 3})


def test_a_tram_that_is_served_lengthens_no_red_whose_beginning_nobody_saw() -> None:
    kernel = Kernel(TRAM_TOO)
    assert judged(kernel, seconds("R*6", "R*6", "G*6"), frozenset({2})) == []
    assert kernel.refusal(frozenset({2})) == Refusal(Rule.RED_MAX, (0, 1))


def test_a_junction_that_does_not_obey_costs_a_promise_only_when_time_is_up() -> None:
    """The side road was asked for and is not given: as long as there is time nothing is late, and afterwards nothing
    but the side road may be asked for."""
    pair = with_longest_red(junction_of([SignalGroup("a"), SignalGroup("b")], {(0, 1): 5, (1, 0): 5}, [{0}, {1}]), 0)
    kernel = Kernel(pair, QUICK)
    kernel.away()
    after(kernel, "R*5 G*10", "R*15")
    for _ in range(6):
        assert kernel.refusal(frozenset({1})) is None
        kernel.see((GREEN, RED))
    assert kernel.refusal(frozenset({0})) == Refusal(Rule.RED_MAX, (1,))
    assert kernel.promise() == frozenset({1})
    assert kernel.refusal(frozenset({1})) is None
