"""What works clash with: found exactly where a table of each metre and minute says so, and told of both alike."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.services.roads.works.sites import STREETS, clashes, known, phase, works
from tests.services.roads.works.test_windows import HOURS, minutes
from vigie.services.roads.works.clashes import ALONG, Course, Index, Surroundings, refusal, years_after
from vigie.services.roads.works.coordination import Coordination, weeks
from vigie.services.roads.works.occasions import Occasion
from vigie.services.roads.works.permits import Answered, Leg, Phase, Roadworks, Stretch
from vigie.services.roads.works.windows import moment_of

stretches = st.builds(
    lambda street, begin, long: Stretch(street, float(begin), float(begin + long) if long else None),
    st.sampled_from("ab"), st.integers(0, 8), st.integers(0, 4),
)  # fmt: skip
phases = st.builds(
    lambda own, day, minute, long, hours: Phase(
        moment_of(29_700_000 + day * 1_440 + minute), moment_of(29_700_000 + day * 1_440 + minute + long), tuple(own),
        "lane", hours,
    ),
    st.lists(stretches, min_size=1, max_size=2), st.integers(0, 3), st.integers(0, 1_439), st.integers(1, 3_000),
    st.sampled_from(HOURS),
)  # fmt: skip
documents = st.lists(phases, min_size=1, max_size=2).map(lambda own: works(*own))


def rules(own: Roadworks, *others: tuple[str, Roadworks], around: Surroundings | None = None) -> list[tuple[str, bool]]:
    return [(each.finding.rule.removeprefix("roads.works_"), each.finding.refuses)
            for each in clashes(own, *others, around=around)]  # fmt: skip


def spots(document: Roadworks) -> set[tuple[str, int, int]]:
    """Every street, metre and minute that works take up, each for itself."""
    found = set[tuple[str, int, int]]()
    for each in document.phases:
        when = minutes(each.window)
        for own in each.stretches:
            metres = range(int(own.from_m), 20 if own.to_m is None else int(own.to_m))
            found |= {(own.street, metre, minute) for metre in metres for minute in when}
    return found


@given(documents, documents)
def test_no_overlap_is_missed_and_none_invented(one: Roadworks, other: Roadworks) -> None:
    both = spots(one) & spots(other)
    found = clashes(one, ("granted", other))
    assert bool(found) == bool(both)
    if both:
        assert found[0].finding.detail["at"] == moment_of(min(minute for *_, minute in both))
    assert clashes(one, ("granted", other), many=0) == found
    back = clashes(other, ("granted", one))
    assert [each.finding.detail["at"] for each in found] == [each.finding.detail["at"] for each in back]


SIDES = {"pavement": 0, "parking": 0, "lane": 1, "alternating": 1, "one_way": 2, "closure": 2}


@pytest.mark.parametrize(("one", "other"), [*itertools.product(SIDES, SIDES)])
def test_works_on_opposite_sides_clash_where_they_leave_no_room_between(one: Any, other: Any) -> None:
    along, against = (
        phase(Stretch("a", way=way), occupancy=what) for way, what in (("along", one), ("against", other))
    )
    facing = [("facing", False)] if SIDES[one] + SIDES[other] < 2 else [("overlap", True)]
    if one == other == "pavement":
        facing = [("pavements", True)]
    for many in (64, 0):
        found = clashes(works(along), ("granted", works(against)), many=many)
        assert [(each.finding.rule.removeprefix("roads.works_"), each.finding.refuses) for each in found] == facing
    # On one side, or where one says none, they need the same place whatever they are.
    for way in ("against", "either"):
        there = phase(Stretch("a", way=way), occupancy=one)  # type: ignore[arg-type]
        assert rules(works(there), ("granted", works(against))) == [("overlap", True)]


def test_works_that_meet_somewhere_are_not_told_as_facing_too() -> None:
    along, against = (phase(Stretch("a", way=way), occupancy="parking") for way in ("along", "against"))
    both = works(along, phase(Stretch("b", way="along"), occupancy="parking"))
    other = works(against, phase(Stretch("b", way="along"), occupancy="parking"))
    assert rules(both, ("granted", other)) == [("overlap", True)]
    assert rules(works(along), ("granted", works(phase(Stretch("a", 90.0, way="against"), occupancy="parking")))) == [
        ("facing", False)
    ]
    later = phase(Stretch("a", way="against"), occupancy="parking", begins="2027-01-01T00:00", ends="2027-02-01T00:00")
    assert rules(works(along), ("granted", works(later))) == []


def test_two_pavements_that_face_each_other_leave_nobody_a_way_to_walk() -> None:
    along, against = (phase(Stretch("a", way=way), occupancy="pavement") for way in ("along", "against"))
    own, other = works(along), works(against)
    assert rules(own, ("requested", other)) == [("pavements", False)]
    (clash,) = clashes(own, ("granted", other))
    assert refusal(own, [clash]) is not None
    assert refusal(replace(own, answers=(Answered(clash.key, "they walk in the parking lane"),)), [clash]) is None
    # Somewhere else, or at another time, or where who walks gets through on one of them, there is a way.
    elsewhere = replace(against, stretches=(Stretch("a", 5.0, way="against"),))
    assert (
        rules(works(replace(along, stretches=(Stretch("a", 0.0, 5.0, "along"),))), ("granted", works(elsewhere))) == []
    )
    for many in (64, 0):
        found = clashes(own, ("granted", works(replace(against, passes=("pedestrians",)))), many=many)
        assert [each.finding.rule for each in found] == ["roads.works_facing"]
    # That they need the same place elsewhere too answers nothing for who walks.
    there = phase(Stretch("b"), occupancy="lane")
    met = rules(works(along, there), ("granted", works(against, there)))
    assert met == [("overlap", True), ("pavements", True)]


def test_a_clash_that_was_answered_before_sides_counted_is_the_same_still() -> None:
    own = works(phase("a"))
    assert [each.key for each in clashes(own, ("granted", own))] == ["overlap:w1:571896d2f6cb"]


def test_what_is_taken_out_of_the_index_or_changed_clashes_no_more() -> None:
    here, there = (known("w1", 1, "granted", works(phase(street))) for street in "ab")
    own, index = known("own", 0, "requested", works(phase("a"))), Index([here])
    assert [other.id for other, *_ in index.overlapping(own)] == ["w1"]
    index.put(there)
    assert [*index.overlapping(own)] == []
    index.put(here)
    index.drop("w1")
    index.drop("w1")
    assert [*index.overlapping(own)] == []


def test_what_stands_refuses_and_what_is_asked_for_is_told() -> None:
    own = works(phase("a"))
    assert rules(own, ("granted", own), ("requested", own)) == [("overlap", True), ("overlap", False)]


def test_a_diversion_and_a_closure_are_held_against_each_other_by_way_of_travel() -> None:
    closing = works(phase("a", occupancy="closure"), diversion=(Leg("b"), Leg("c", "against")))
    assert rules(closing, ("granted", works(phase("b", occupancy="closure")))) == [("diversion_closed", True)]
    assert rules(works(phase("b", occupancy="closure")), ("granted", closing)) == [("closes_diversion", True)]
    against = Stretch("b", way="against")
    assert rules(closing, ("granted", works(phase(against, occupancy="one_way")))) == []
    assert rules(closing, ("granted", works(phase("c", occupancy="lane")))) == []
    later = phase("b", occupancy="closure", begins="2027-01-01T00:00", ends="2027-02-01T00:00")
    assert rules(closing, ("granted", works(later))) == []


def test_a_line_that_cannot_pass_refuses_and_one_that_waits_is_told() -> None:
    around = Surroundings(STREETS, courses={"a": [Course("L1", "bus", ALONG, 10.0, 90.0)]})
    assert rules(works(phase("a", occupancy="closure")), around=around) == [("line_closed", True)]
    assert rules(works(phase("a", occupancy="alternating")), around=around) == [("line_slowed", False)]
    against = phase(Stretch("a", way="against"), occupancy="one_way")
    assert rules(works(against), around=around) == []
    assert rules(works(phase("a", occupancy="closure", passes=("buses",))), around=around) == []
    assert rules(works(phase(Stretch("a", 90.0), occupancy="closure")), around=around) == []
    assert rules(works(phase("a", occupancy="parking")), around=around) == []


def test_a_market_stands_in_the_way_on_its_day_alone() -> None:
    market = Occasion("Marché du centre", "market", ("a",), hours="sat 06:00-14:00")
    around = Surroundings(STREETS, occasions=[("m", market)])
    long = phase("a", begins="2026-12-07T00:00", ends="2026-12-21T00:00", hours="mon-fri 08:00-17:00")
    assert rules(works(long), around=around) == []
    night = phase("a", begins="2026-12-07T00:00", ends="2026-12-21T00:00")
    (found,) = clashes(works(night), around=around)
    assert found.key.startswith("occasion:m:")
    assert (found.finding.refuses, found.finding.detail["at"]) == (True, "2026-12-12T06:00")


def test_a_young_surface_is_opened_for_a_reason_or_where_it_bears_no_delay() -> None:
    around = Surroundings(STREETS, surfaced={"a": date(2023, 12, 8), "b": date(2023, 12, 7)})
    both = phase("a", "b", occupancy="parking")
    assert rules(works(both, cuts_surface=True), around=around) == [("surface", True)]
    assert rules(works(both, cuts_surface=True, urgent=True), around=around) == [("surface", False)]
    assert rules(works(both), around=around) == []
    long = phase("a", begins="2023-12-01T08:00", ends="2024-01-31T08:00")
    assert rules(works(long, cuts_surface=True), around=around) == [("surface", True)]
    assert rules(works(long, cuts_surface=True, nature="surface"), around=around) == []
    assert years_after(date(2024, 2, 29), 3) == date(2027, 3, 1)


def test_what_is_answered_refuses_no_more_and_what_comes_after_does() -> None:
    own, other = works(phase("a")), works(phase("a"))
    found = clashes(own, ("granted", other))
    refused = refusal(own, found)
    assert refused is not None
    assert (refused.rule, refused.detail) == ("roads.works_clashes", {"count": 1})
    answered = works(phase("a"), answers=(Answered(found[0].key, "Both are of one contractor."),))
    assert refusal(answered, clashes(answered, ("granted", other))) is None
    assert refusal(answered, clashes(answered, ("granted", other), ("granted", other))) is not None


def test_what_was_answered_is_to_be_answered_again_once_it_is_another_thing() -> None:
    own, other = works(phase("a")), works(phase("a"))
    (asked,) = clashes(own, ("granted", other))
    answered = works(phase("a"), answers=(Answered(asked.key, "Both are of one contractor."),))

    def refuses(*phases: Phase, state: str = "granted", **said: Any) -> bool:
        return refusal(answered, clashes(answered, (state, works(*phases, **said)))) is not None

    assert not refuses(phase("a"), state="under_way", owner_name="Another")
    assert not refuses(phase("a"), diversion=(Leg("b"),))
    assert refuses(phase("a", begins="2026-12-08T08:00"))
    assert refuses(phase("a", ends="2027-12-11T17:00"))
    assert refuses(phase("a", occupancy="closure"))
    market = Occasion("Marché", "market", ("a",))
    (asked,) = clashes(own, around=Surroundings(STREETS, occasions=[("m", market)]))
    later = Surroundings(STREETS, occasions=[("m", Occasion("Braderie", "event", ("a",)))])
    assert clashes(own, around=later)[0].key != asked.key


def test_a_street_that_is_not_there_refuses() -> None:
    assert rules(works(phase("z"))) == [("street", True)]
    assert rules(works(phase("a", occupancy="closure"), diversion=(Leg("z"),))) == [("street", True)]


def test_metres_past_the_end_of_a_street_are_granted_whatever_is_answered() -> None:
    around = Surroundings(STREETS, lengths_m={"a": 93.0})
    assert rules(works(phase(Stretch("a", 90.0))), around=around) == []
    past = works(phase(Stretch("a", 93.0)), answers=(Answered("beyond", "So it is."),))
    found = clashes(past, around=around)
    assert [each.finding.rule for each in found] == ["roads.works_beyond"]
    assert refusal(past, found) is not None


def test_a_diversion_leads_neither_through_its_own_closure_nor_the_wrong_way() -> None:
    closing = phase("a", occupancy="closure")
    assert rules(works(closing, diversion=(Leg("b"), Leg("a")))) == [("diversion_own", True)]
    half = phase(Stretch("a", way="along"), occupancy="one_way")
    assert rules(works(half, diversion=(Leg("a", "against"),))) == []
    around = Surroundings(STREETS, one_way=frozenset("b"))
    assert rules(works(closing, diversion=(Leg("b", "against"),)), around=around) == [("diversion_one_way", True)]
    assert rules(works(closing, diversion=(Leg("b"), Leg("c", "against"))), around=around) == []
    assert rules(works(phase("a"), diversion=(Leg("b", "against"),)), around=around) == []


def test_works_past_their_end_are_there_until_they_are_over() -> None:
    late = works(phase("a", begins="2026-11-01T08:00", ends="2026-11-20T18:00"))
    own = known("own", 0, "requested", works(phase("a")))
    assert [*Index([known("w1", 1, "under_way", late)]).overlapping(own)] == []
    met = [*Index([known("w1", 1, "under_way", late, lasts=True)]).overlapping(own)]
    assert [moment_of(first) for *_, first in met] == ["2026-12-07T08:00"]


def test_what_was_asked_for_after_the_years_day_is_not_in_its_calendar() -> None:
    calendar = Surroundings(STREETS, coordinations=[Coordination(2026, "2026-01-31"), Coordination(2027, "2027-01-31")])
    over = phase("a", ends="2027-02-01T00:00")
    assert rules(works(over), around=calendar) == [("calendar", False)]
    assert rules(works(over, urgent=True), around=calendar) == []
    # Of two that hold one place, that of the narrower area counts, whichever comes first.
    both = [Coordination(2026, "2026-12-31", "metropole/dijon"), Coordination(2026, "2026-01-31", "metropole")]
    for some in (both, both[::-1]):
        assert rules(works(phase("a")), around=Surroundings(STREETS, coordinations=some)) == []


def test_the_calendar_has_each_street_in_each_week_of_its_year() -> None:
    over = phase("a", begins="2026-12-24T08:00", ends="2027-01-05T00:00")
    rows = weeks([("w", works(over)), ("v", works(phase("a", ends="2026-12-24T12:00")))], 2026)
    assert [(each.monday.isoformat(), each.works) for each in rows] == [
        ("2026-12-07", ("v",)), ("2026-12-14", ("v",)), ("2026-12-21", ("w", "v")), ("2026-12-28", ("w",)),
    ]  # fmt: skip
    assert [each.monday.isoformat() for each in weeks([("w", works(over))], 2027)] == ["2026-12-28", "2027-01-04"]
