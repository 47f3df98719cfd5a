"""A junction as a document, and what is found wrong with one."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from tests.conftest import PROJECT
from tests.services.signals.junctions import QUICK, cross_roads, junction_of, junctions, with_longest_red
from vigie.services.signals.completeness import FRANCE, Problem, problems
from vigie.services.signals.control.steering import Because
from vigie.services.signals.junction import (
    Detector,
    Junction,
    Meeting,
    Movement,
    SignalGroup,
    Stage,
    of_json,
    to_json,
)
from vigie.services.signals.rounds import Rounds, cover
from vigie.services.signals.safety import Kernel, Rule, Unfit
from vigie.services.signals.sequencer import Sequencer

WHOLE = cross_roads()


@given(junction=junctions())
@settings(max_examples=40, deadline=None)
def test_a_junction_is_what_its_document_says_and_a_drawn_one_may_be_controlled(junction: Junction) -> None:
    assert of_json(to_json(junction)) == junction
    assert to_json(of_json(to_json(junction))) == to_json(junction)
    assert problems(junction, QUICK) == ()


def other(**fields: Any) -> Junction:
    return replace(WHOLE, **fields)


def group(index: int, **fields: Any) -> Junction:
    return other(groups=tuple(replace(g, **fields) if n == index else g for n, g in enumerate(WHOLE.groups)))


def cell(matrix: tuple[tuple[Any, ...], ...], i: int, j: int, value: Any) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(value if (i, j) == (r, c) else v for c, v in enumerate(row)) for r, row in enumerate(matrix))


def between(i: int, j: int, value: int | None) -> Junction:
    return other(intergreens=cell(WHOLE.intergreens, i, j, value))


def met(i: int, j: int, meeting: Meeting) -> Junction:
    return other(meetings=cell(WHOLE.meetings, i, j, meeting))


def lane(name: str, **fields: Any) -> Junction:
    return other(lanes=tuple(replace(each, **fields) if each.name == name else each for each in WHOLE.lanes))


def walking_to(way_out: str) -> Junction:
    """The walkers of group 2 leave by another lane than their crossing."""
    walked = (replace(each, exit=way_out) if each.group == 2 else each for each in WHOLE.movements)
    return other(movements=tuple(walked))


MERGING = replace(
    junction_of([SignalGroup("a"), SignalGroup("b")], {}, [{0, 1}]),
    movements=(Movement(0, "in 0", "out 0"), Movement(1, "in 1", "out 0")),
)

WRONG: list[tuple[str, tuple[int, ...], bool, Junction]] = [
    ("no_groups", (), True, other(groups=(), meetings=(), intergreens=(), movements=(), stages=())),
    ("name_twice", (), True, group(1, name="F1")),
    ("name_twice", (), True, other(stages=(*WHOLE.stages, WHOLE.stages[0]))),
    ("matrix_shape", (), True, other(meetings=WHOLE.meetings[:-1])),
    ("matrix_shape", (), True, other(intergreens=tuple(row[:-1] for row in WHOLE.intergreens))),
    ("unknown_group", (), True, other(stages=(*WHOLE.stages, Stage("all", frozenset({5}))))),
    ("unknown_group", (), True, other(movements=(*WHOLE.movements, Movement(9, "in 0", "out 0")))),
    ("green_min_short", (1,), True, group(1, green_min_s=5)),
    ("yellow_of_pedestrians", (2,), True, group(2, yellow_s=3)),
    ("yellow_short", (0,), True, group(0, yellow_s=2)),
    ("yellow_short_for_speed", (0,), False, lane("in 0", speed_m_s=70 / 3.6)),
    ("red_max_long", (0,), True, group(0, red_max_s=121)),
    ("red_max_served", (0,), True, group(0, red_max_served_s=241)),
    ("red_max_served", (0,), True, group(0, red_max_served_s=100)),
    ("no_movement", (4,), True, other(movements=WHOLE.movements[:-1])),
    ("meets_itself", (3,), True, met(3, 3, Meeting.YIELDS)),
    ("meets_itself", (3,), True, between(3, 3, 4)),
    ("unsymmetrical", (0, 2), True, met(2, 0, Meeting.APART)),
    ("intergreen_without_conflict", (0, 2), True, between(0, 2, 4)),
    ("no_intergreen", (1, 0), True, between(1, 0, None)),
    ("intergreen_under_yellow", (1, 0), True, between(1, 0, 2)),
    ("intergreen_under_yellow", (4, 0), True, between(4, 0, 0)),
    ("pedestrian_clearance", (3, 0), True, between(3, 0, 13)),
    ("pedestrian_clearance", (2, 1), True, lane("in 2", length_m=9.01)),
    ("stage_conflict", (0, 1), True, other(stages=(*WHOLE.stages, Stage("both", frozenset({0, 1}))))),
    ("group_in_no_stage", (4,), True, other(stages=WHOLE.stages[:-1])),
    ("unknown_lane", (0,), True, other(movements=(*WHOLE.movements, Movement(0, "in 0", "nowhere")))),
    ("crossing_without_length", (2,), True, lane("in 2", length_m=0.0)),
    ("crossing_of_two_lanes", (2,), True, walking_to("out 0")),
    ("detector_unknown_lane", (), True, other(detectors=(Detector("d", "nowhere", 1.0),))),
    ("detector_too_long", (), False, other(detectors=(Detector("d", "in 0", 60.0, 90.5),))),
    ("same_exit_apart", (0, 1), False, MERGING),
    ("red_max_unreachable", (0,), True, group(0, red_max_s=Rounds(WHOLE).round_s - 1)),
]


@pytest.mark.parametrize(("code", "groups", "refuses", "junction"), WRONG, ids=[each[0] for each in WRONG])
def test_what_is_wrong_is_found_and_only_that(
    code: str, groups: tuple[int, ...], refuses: bool, junction: Junction
) -> None:
    found = problems(junction)
    assert [(each.code, each.groups, each.refuses) for each in found] == [(code, groups, refuses)]
    if refuses:
        for make in (Kernel, Sequencer):
            with pytest.raises(Unfit, match=code):
                make(junction)
    else:
        Kernel(junction)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_problem_and_each_rule_has_a_text_with_its_gaps_filled(language: str) -> None:
    texts = json.loads((PROJECT / "src/vigie/texts" / f"{language}.signals.json").read_text("utf-8"))
    told: dict[str, Problem] = {each.code: each for *_, junction in WRONG for each in problems(junction)}
    kernels = {key.rsplit(".", 1)[-1] for key in texts if key.startswith(("signals.refusal.", "signals.violation."))}
    assert kernels == set(Rule)
    assert {key.removeprefix("signals.because.") for key in texts if key.startswith("signals.because.")} == set(Because)
    assert {f"finding.signals.{code}" for code in told} <= texts.keys()
    for code, problem in told.items():
        said = texts[f"finding.signals.{code}"].format(groups="F1", **problem.detail)
        assert "{" not in said


def test_a_whole_junction_has_no_problem() -> None:
    assert problems(WHOLE, FRANCE) == ()


def test_few_stages_serve_all_and_a_round_of_them_is_timed_at_its_worst() -> None:
    rounds = Rounds(WHOLE)
    assert cover(WHOLE) == (0b00101, 0b01010, 0b10000)
    # Six seconds of green of what was before, and the longest intergreen into each: 14 s from the walkers of group 3 to
    # the main road, 10 s from the tram to them, 14 s again from them to the tram.
    assert [rounds.visit_s(stage) for stage in rounds.stages] == [6 + 14, 6 + 10, 6 + 14]
    assert rounds.round_s == 56


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": "blue"},
        {"groups": [{"name": "F1", "users": "horses"}]},
        {"groups": [{"name": "F1", "yellow_s": "3"}]},
        {"groups": [{"name": "F1", "yellow_s": 3.5}]},
        {"groups": [{"name": "", "yellow_s": 3}]},
        {"groups": [{"name": "F1", "yellow_s": -1}]},
        {"groups": [{"name": "F1"}] * 65},
        {"meetings": [["sometimes"]]},
        {"stages": [{"name": "one", "greens": [-1]}]},
    ],
)
def test_a_document_that_is_no_junction_is_not_taken(wrong: dict[str, Any]) -> None:
    document = json.loads(to_json(WHOLE)) | wrong
    with pytest.raises(msgspec.ValidationError):
        of_json(json.dumps(document))


def test_the_shortest_longest_red_that_can_be_promised_is_taken_and_no_shorter() -> None:
    assert problems(with_longest_red(WHOLE, 0), QUICK) == ()
    found = problems(with_longest_red(WHOLE, -1), QUICK)
    assert [each.code for each in found] == ["red_max_unreachable"]
