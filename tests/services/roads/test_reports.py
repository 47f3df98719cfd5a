"""Residents' reports: joined to what was reported before, done by one order, moved as that one is, closed with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.cases import PARTED, Answer, CaseEffect, CaseKind, Hasten, MoveOn, Open, Opened, Trouble
from vigie.core.times import DAY_US, HOUR_US
from vigie.services.lighting.conditions import LAMP_OUT
from vigie.services.roads import preventive, service
from vigie.services.roads.orders import BY_REPORT, LASTS_US, MENDED_WITHIN_US, WORK_ORDER, source_of
from vigie.services.roads.reports import JUDGED_AT_ONCE, REPORT, SUBJECTS, Report, priority_of

LAMP, OTHER_LAMP = 10, 11


def mends() -> Answer:
    assert service.opens is not None
    return service.opens.mends()


@dataclass
class Office:
    """Cases as the effects of all that road services do leave them."""

    cases: dict[str, Opened] = field(default_factory=dict[str, Opened])
    now_us: int = 0
    mends: Answer = field(default_factory=mends)

    def look(self, *troubles: Trouble) -> list[CaseEffect]:
        assert service.opens is not None
        self.now_us += HOUR_US
        effects = self.mends(troubles, list(self.cases.values()), self.now_us)
        moved = [each.case for each in effects if isinstance(each, MoveOn)]
        assert len(moved) == len(set(moved))
        places: dict[int, str] = {}
        for place, effect in enumerate(effects):
            match effect:
                case Open():
                    places[place] = self.add(
                        effect.kind, effect.assets, effect.category, effect.priority, source=effect.source
                    )
                case Hasten():
                    known = self.cases[effect.case]
                    assert not known.is_over
                    self.cases[effect.case] = replace(known, priority=min(known.priority, effect.priority))
                case MoveOn():
                    into = places[effect.into] if isinstance(effect.into, int) else effect.into or ""
                    self.move(effect.case, effect.event, into)
                case _:
                    raise AssertionError(effect)
        return effects

    def add(
        self,
        kind: CaseKind,
        assets: Sequence[int],
        category: str,
        priority: int = 3,
        *,
        source: str = "",
        words: str = "",
        east_m: float = 0.0,
        named: bool = False,
    ) -> str:
        name = f"case-{len(self.cases):04d}"
        self.cases[name] = Opened(
            name, kind, kind.life.first, source, tuple(assets), self.now_us, self.now_us, category, priority,
            5.0 + east_m / 75_000, 47.3, words, document=Report(named=named) if kind is REPORT else None,
        )  # fmt: skip
        return name

    def report(
        self,
        category: str = "pothole",
        asset: int = 0,
        words: str = "",
        east_m: float = 0.0,
        priority: int = 3,
        *,
        named: bool = False,
    ) -> str:
        assets = (asset,) if asset else ()
        return self.add(REPORT, assets, category, priority, words=words, east_m=east_m, named=named)

    def move(self, name: str, event: str, into: str = "", done_us: int = 0) -> None:
        self.now_us += 1
        known = self.cases[name]
        parts = known.kind.moves[event].parts
        links = {other: PARTED if how == parts else how for other, how in known.links.items()}
        links |= {into: event} if into else {}
        state = known.kind.life.move(known.state, event)
        moved_us = max(known.moved_us, done_us) if done_us else self.now_us
        moved = replace(known, state=state, moved_us=moved_us, links=links)
        self.cases[name] = replace(moved, reopened_us=self.now_us) if known.is_over and not moved.is_over else moved

    def order_of(self, name: str) -> str:
        return next(into for into, how in self.cases[name].links.items() if how == "order")

    def states(self, *names: str) -> list[str]:
        return [self.cases[name].state for name in names]


def test_a_lamp_that_is_known_is_sent_for_without_a_person() -> None:
    office = Office()
    report = office.report("light", LAMP)
    opened, moved = office.look()
    assert isinstance(opened, Open)
    assert (opened.category, opened.source, opened.assets, opened.like) == ("lighting", BY_REPORT, (LAMP,), report)
    assert opened.document.skills == ("electrical",)
    assert moved == MoveOn(report, "order", into=0)
    assert office.look() == []


@pytest.mark.parametrize(("category", "asset"), [("pothole", 0), ("light", 0), ("other", LAMP)])
def test_of_all_else_a_person_decides(category: str, asset: int) -> None:
    office = Office()
    report = office.report(category, asset)
    assert office.look() == []
    office.move(report, "accept")
    opened, _ = office.look()
    assert isinstance(opened, Open)
    assert opened.category == SUBJECTS[category].order
    assert office.look() == []


def test_as_its_order_goes_so_goes_the_report() -> None:
    office = Office()
    report = office.report("light", LAMP)
    office.look()
    order = office.order_of(report)
    for event, state in (("start", "at_work"), ("pause", "accepted"), ("start", "at_work"), ("finish", "closed")):
        office.move(order, event)
        office.look()
        assert office.states(report) == [state]
    assert office.look() == []


def test_what_was_cancelled_is_for_a_person_to_decide_again() -> None:
    office = Office()
    report = office.report("light", LAMP)
    office.look()
    first = office.order_of(report)
    office.move(first, "cancel")
    office.look()
    assert office.states(report) == ["received"]
    assert office.look() == []
    office.move(report, "accept")
    opened, _ = office.look()
    assert isinstance(opened, Open)


def test_closed_is_not_fixed() -> None:
    office = Office()
    report = office.report("light", LAMP)
    office.look()
    order = office.order_of(report)
    office.move(order, "finish")
    office.look()
    office.move(report, "reopen")
    assert office.look() == []
    office.move(report, "accept")
    assert office.look() == [MoveOn(order, "return"), MoveOn(report, "order", into=order)]
    assert office.states(report, order) == ["accepted", "open"]
    office.move(order, "finish")
    office.look()
    assert office.states(report) == ["closed"]


def test_who_reports_the_same_goes_the_way_of_the_first() -> None:
    office = Office()
    first = office.report(words="Nid-de-poule devant le 12")
    office.look()
    again, further, other = (
        office.report(words="gros nid de poule au 12 rue Verte", east_m=8),
        office.report(words="Nid-de-poule", east_m=80),
        office.report("waste", words="Nid-de-poule devant le 12"),
    )
    assert office.look() == [MoveOn(again, "merge", into=first)]
    office.move(first, "accept")
    office.look()
    office.move(office.order_of(first), "finish")
    office.look()
    office.look()
    assert office.states(first, again, further, other) == ["closed", "closed", "received", "received"]
    office.move(again, "reopen")
    assert office.look() == []


def test_what_a_person_has_parted_stays_apart() -> None:
    office = Office()
    first, again = office.report(), office.report(east_m=3)
    office.look()
    office.move(again, "split")
    assert office.look() == []
    office.move(first, "reject")
    office.look()
    assert office.states(first, again) == ["rejected", "received"]


@pytest.mark.parametrize("accepted", [False, True])
def test_what_a_person_has_parted_stays_apart_after_a_start(accepted: bool) -> None:
    office = Office()
    first = office.report()
    office.look()
    again = office.report(east_m=3)
    office.look()
    office.move(again, "split")
    if accepted:
        office.move(again, "accept")
    office.look()
    states = office.states(first, again)
    # A post that has just been started remembers nothing of what it has weighed.
    office.mends = mends()
    assert office.look() == []
    assert office.states(first, again) == states


def test_a_report_goes_the_way_of_none_that_came_after_it_after_a_start_either() -> None:
    office = Office()
    first, again, third = (office.report(east_m=far_m) for far_m in (0, 3, 500))
    office.cases[again] = replace(office.cases[again], state="accepted", opened_us=HOUR_US)
    assert [each for each in office.look() if isinstance(each, MoveOn) and each.event == "merge"] == []
    assert office.states(first, third) == ["received", "received"]


def test_what_its_resident_has_reopened_is_for_a_person_and_joins_no_other() -> None:
    office = Office()
    first = office.report()
    office.look()
    again = office.report(east_m=3)
    office.look()
    office.move(again, "split")
    office.look()
    office.move(first, "close")
    office.look()
    office.move(first, "reopen")
    assert office.look() == []
    office.mends = mends()
    assert office.look() == []
    assert office.states(first, again) == ["received", "received"]
    # A third of the same thing goes the way of one of them all the same.
    third = office.report(east_m=1)
    office.look()
    assert office.states(third) == ["merged"]


def test_who_was_closed_with_the_first_is_taken_up_again_with_it_but_not_who_was_parted() -> None:
    office = Office()
    first, again, parted = office.report(words="Trou"), office.report(words="Trou"), office.report(words="Trou")
    office.look()
    office.move(parted, "split")
    for name in (parted, first):
        office.move(name, "close")
    office.look()
    assert office.states(first, again, parted) == ["closed", "closed", "closed"]
    office.move(first, "reopen")
    assert office.look() == [MoveOn(again, "merge", into=first)]
    assert office.look() == []
    office.move(first, "reject")
    office.look()
    assert office.states(first, again, parted) == ["rejected", "rejected", "closed"]


def test_two_who_report_one_lamp_have_one_order_and_so_has_what_the_lamp_says() -> None:
    office = Office()
    first, again = office.report("light", LAMP), office.report("light", LAMP, east_m=55)
    office.look()
    out = Trouble(LAMP_OUT, LAMP, 0, 1)
    assert office.order_of(first) == office.order_of(again)
    assert office.look(out) == []
    office.move(office.order_of(first), "finish")
    effects = office.look(out)
    # A lamp that was mended by day shows it in the next night.
    assert [each for each in effects if isinstance(each, Open)] == []
    assert office.states(first, again) == ["closed", "closed"]
    office.now_us += MENDED_WITHIN_US
    (opened,) = office.look(out)
    assert isinstance(opened, Open)
    assert opened.source == source_of("lamp_out")


def test_a_lamp_that_fails_again_after_it_was_mended_has_an_order_of_its_own() -> None:
    office = Office()
    report = office.report("light", LAMP)
    office.look()
    office.move(office.order_of(report), "finish")
    office.look()
    again = Trouble(LAMP_OUT, LAMP, office.now_us, 1)
    (opened,) = office.look(again)
    assert isinstance(opened, Open)
    assert opened.source == source_of("lamp_out")


def test_what_the_lamp_has_said_already_needs_no_second_order() -> None:
    office = Office(now_us=LASTS_US)
    out = Trouble(LAMP_OUT, LAMP, 0, 1)
    office.look(out)
    (order,) = office.cases
    report = office.report("light", LAMP)
    assert office.look(out) == [MoveOn(report, "order", into=order)]


def test_what_the_lamp_says_at_the_same_look_needs_no_second_order_either() -> None:
    office = Office(now_us=LASTS_US)
    report = office.report("light", LAMP, priority=2)
    opened, moved = office.look(Trouble(LAMP_OUT, LAMP, 0, 1))
    assert isinstance(opened, Open)
    assert (opened.source, opened.priority) == (source_of("lamp_out"), 2)
    assert moved == MoveOn(report, "order", into=0)


def test_danger_makes_urgent_what_it_joins() -> None:
    office = Office()
    first = office.report(words="Trou")
    office.look()
    danger = office.report(words="Trou", priority=2)
    assert office.look() == [Hasten(first, 2), MoveOn(danger, "merge", into=first)]
    office.move(first, "accept")
    opened, _ = office.look()
    assert isinstance(opened, Open)
    assert opened.priority == 2


@pytest.mark.parametrize("apart_m", [3, 55])
def test_danger_makes_urgent_the_order_of_what_it_joins(apart_m: int) -> None:
    office = Office()
    first = office.report("light", LAMP)
    office.look()
    danger = office.report("light", LAMP, east_m=apart_m, priority=2)
    office.look()
    assert office.cases[office.order_of(first)].priority == 2
    assert office.states(danger) == ["merged" if apart_m == 3 else "accepted"]


def test_two_at_one_look_open_one_order_as_urgent_as_the_more_urgent() -> None:
    for apart_m in (3, 55):
        office = Office()
        office.report("light", LAMP)
        office.report("light", LAMP, east_m=apart_m, priority=2)
        office.look()
        assert [each.priority for each in office.cases.values() if each.kind is WORK_ORDER] == [2]


def test_what_is_more_urgent_than_what_a_crew_is_at_is_for_a_person_until_that_is_done() -> None:
    office = Office()
    first = office.report("light", LAMP)
    office.look()
    order = office.order_of(first)
    office.move(order, "start")
    office.look()
    danger = office.report("light", LAMP, priority=2)
    assert office.look() == []
    office.move(order, "finish")
    office.look()
    (opened,) = (each for each in office.cases.values() if each.kind is WORK_ORDER and not each.is_over)
    assert (opened.priority, office.states(first, danger)) == (2, ["closed", "accepted"])


@pytest.mark.parametrize(
    ("source", "category"), [(preventive.source_of("look"), "lighting"), ("", "cleaning")]
)  # fmt: skip
def test_other_work_at_a_lamp_is_not_what_was_reported(source: str, category: str) -> None:
    office = Office()
    office.add(WORK_ORDER, (LAMP,), category, 4, source=source)
    report = office.report("light", LAMP)
    opened, moved = office.look()
    assert isinstance(opened, Open)
    assert moved == MoveOn(report, "order", into=0)


def test_two_lamps_that_people_named_are_two() -> None:
    office = Office()
    first = office.report("light", LAMP, "Lampadaire éteint", named=True)
    other = office.report("light", OTHER_LAMP, "Lampadaire éteint", 10, named=True)
    guessed = office.report("light", OTHER_LAMP, "Lampadaire éteint", 3)
    office.look()
    assert office.states(first, other, guessed) == ["accepted", "accepted", "merged"]


def test_what_a_crew_tells_late_closes_what_was_reported() -> None:
    office = Office()
    report = office.report("light", LAMP)
    office.look()
    order = office.order_of(report)
    office.move(order, "start")
    office.look()
    done_us = office.now_us
    office.move(order, "pause")
    office.look()
    office.move(order, "finish", done_us=done_us)
    assert office.look() == [MoveOn(report, "close")]


def test_many_at_once_are_judged_over_some_looks_and_wait_until_then() -> None:
    office = Office()
    names = [office.report("light", n + 1, f"x{n}", east_m=200 * n) for n in range(JUDGED_AT_ONCE + 3)]
    danger = office.report("light", len(names) + 1, east_m=200 * len(names), priority=2)
    office.look()
    assert office.states(*names[-5:], danger) == ["accepted", *["received"] * 4, "accepted"]
    office.look()
    assert office.states(*names[-5:]) == ["accepted"] * 5


def test_words_that_were_erased_are_not_held() -> None:
    office = Office()
    first = office.report(words="Trou au 12, dit Paul")
    office.look()
    office.cases[first] = replace(office.cases[first], words="")
    office.look()
    # With the words, those of the two would speak against it.
    again = office.report("pothole", words="Affaissement au 90", east_m=3)
    assert office.look() == [MoveOn(again, "merge", into=first)]


def test_an_archived_first_does_not_keep_others_waiting() -> None:
    office = Office()
    first, again = office.report(), office.report(east_m=3)
    office.look()
    del office.cases[first]
    office.look()
    assert office.states(again) == ["closed"]


@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.sampled_from(["light", "pothole"]), st.sampled_from([0, LAMP, OTHER_LAMP]), st.integers(0, 90)
            ),
            st.tuples(st.just("move"), st.integers(0, 20), st.integers(0, 20)),
        ),
        max_size=30,
    )
)
def test_whatever_people_do_every_move_is_possible_and_it_comes_to_rest(acts: list[tuple[str, int, int]]) -> None:
    """`Office.move` raises for what a life does not allow."""
    office = Office()
    for act, one, two in acts:
        names = list(office.cases)
        if act != "move":
            office.report(act, one if act == "light" else 0, east_m=two)
        elif names:
            case = office.cases[names[one % len(names)]]
            # Whoever takes up an order again that was cancelled may make a second one of what has another since.
            events = [each for each in case.kind.events(case.state) if (case.kind, each) != (WORK_ORDER, "reopen")]
            if events:
                office.move(case.id, events[two % len(events)])
        office.look()
    for _ in range(5):
        office.look()
    assert office.look() == []
    live_orders = [case for case in office.cases.values() if case.kind is WORK_ORDER and not case.is_over]
    assert len({asset for case in live_orders for asset in case.assets}) == sum(
        len(each.assets) for each in live_orders
    )


def test_danger_is_urgent() -> None:
    assert priority_of({"danger": ("yes",)}) == 2
    assert priority_of({"danger": ("no",), "what": ("out",)}) == 3


def test_reports_are_archived_after_the_days_in_which_they_may_be_reopened() -> None:
    assert REPORT.settles_days * DAY_US == 14 * DAY_US
    assert {state for (state, event) in REPORT.life.moves if event == "reopen"} == {
        state for state in REPORT.life.states if REPORT.is_over(state) and state not in REPORT.life.last
    }
