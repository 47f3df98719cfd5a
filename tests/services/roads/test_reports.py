"""Residents' reports: joined to what was reported before, done by one order, moved as that one is, closed with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.cases import CaseEffect, CaseKind, MoveOn, Open, Opened, Trouble
from vigie.core.times import DAY_US, HOUR_US
from vigie.services.lighting.conditions import LAMP_OUT
from vigie.services.roads import service
from vigie.services.roads.orders import BY_REPORT, LASTS_US, WORK_ORDER, source_of
from vigie.services.roads.reports import REPORT, SUBJECTS, priority_of

LAMP, OTHER_LAMP = 10, 11


@dataclass
class Office:
    """Cases as the effects of all that road services do leave them."""

    cases: dict[str, Opened] = field(default_factory=dict[str, Opened])
    now_us: int = 0

    def look(self, *troubles: Trouble) -> list[CaseEffect]:
        assert service.opens is not None
        self.now_us += HOUR_US
        effects = service.opens.mends(troubles, list(self.cases.values()), self.now_us)
        moved = [each.case for each in effects if isinstance(each, MoveOn)]
        assert len(moved) == len(set(moved))
        places: dict[int, str] = {}
        for place, effect in enumerate(effects):
            match effect:
                case Open():
                    places[place] = self.add(effect.kind, effect.assets, effect.category, source=effect.source)
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
        *,
        source: str = "",
        words: str = "",
        east_m: float = 0.0,
    ) -> str:
        name = f"case-{len(self.cases):04d}"
        self.cases[name] = Opened(
            name, kind, kind.life.first, source, tuple(assets), self.now_us, self.now_us, category, 3,
            5.0 + east_m / 75_000, 47.3, words,
        )  # fmt: skip
        return name

    def report(self, category: str = "pothole", asset: int = 0, words: str = "", east_m: float = 0.0) -> str:
        return self.add(REPORT, (asset,) if asset else (), category, words=words, east_m=east_m)

    def move(self, name: str, event: str, into: str = "") -> None:
        self.now_us += 1
        known = self.cases[name]
        links = {**known.links, into: event} if into else known.links
        state = known.kind.life.move(known.state, event)
        self.cases[name] = replace(known, state=state, moved_us=self.now_us, links=links)

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


def test_two_who_report_one_lamp_have_one_order_and_so_has_what_the_lamp_says() -> None:
    office = Office()
    first, again = office.report("light", LAMP), office.report("light", LAMP, east_m=55)
    office.look()
    out = Trouble(LAMP_OUT, LAMP, 0, 1)
    assert office.order_of(first) == office.order_of(again)
    assert office.look(out) == []
    office.move(office.order_of(first), "finish")
    effects = office.look(out)
    # What the lamp says has its own order, from now on: the reports are closed.
    assert [each.source for each in effects if isinstance(each, Open)] == [source_of("lamp_out")]
    assert office.states(first, again) == ["closed", "closed"]


def test_what_the_lamp_has_said_already_needs_no_second_order() -> None:
    office = Office(now_us=LASTS_US)
    out = Trouble(LAMP_OUT, LAMP, 0, 1)
    office.look(out)
    (order,) = office.cases
    report = office.report("light", LAMP)
    assert office.look(out) == [MoveOn(report, "order", into=order)]


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
