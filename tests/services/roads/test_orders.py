"""Which work orders the post opens by itself: one for each trouble, one for many that one thing feeds, none twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from vigie.core.cases import CaseEffect, Join, MoveOn, Open, Opened, Trouble
from vigie.core.times import MINUTE_US
from vigie.services.lighting.conditions import LAMP_OUT, POWER_LOW
from vigie.services.roads.orders import LASTS_US, LIFE, MENDED_WITHIN_US, TOGETHER, WORK_ORDER, kept, propose, source_of

CABINET, OTHER = 1, 2
LAMPS = range(10, 30)
LATER_US = 2 * LASTS_US


def out(*lamps: int, since_us: int = 0, feeder: int = CABINET) -> list[Trouble]:
    return [Trouble(LAMP_OUT, lamp, since_us, feeder) for lamp in lamps]


@dataclass
class Office:
    """Cases as the effects leave them."""

    cases: dict[str, Opened] = field(default_factory=dict[str, Opened])

    def look(self, troubles: Sequence[Trouble], now_us: int) -> list[CaseEffect]:
        effects = propose(troubles, list(self.cases.values()), now_us)
        for effect in effects:
            match effect:
                case Open():
                    name = f"case-{len(self.cases):04d}"
                    self.cases[name] = Opened(
                        name, effect.kind, LIFE.first, effect.source, effect.assets, now_us, now_us
                    )  # fmt: skip
                case Join():
                    known = self.cases[effect.case]
                    self.cases[effect.case] = replace(known, assets=(*known.assets, *effect.assets))
                case MoveOn():
                    self.move(effect.case, effect.event, now_us)
        return effects

    def move(self, name: str, event: str, now_us: int) -> None:
        known = self.cases[name]
        self.cases[name] = replace(known, state=LIFE.move(known.state, event), moved_us=now_us)

    def live(self) -> list[Opened]:
        return [case for case in self.cases.values() if not case.is_over]


def test_what_lasts_opens_one_order_and_what_is_soon_over_none() -> None:
    office = Office()
    assert office.look(out(10, since_us=0), LASTS_US - 1) == []
    (opened,) = office.look(out(10), LASTS_US)
    assert isinstance(opened, Open)
    assert (opened.assets, opened.category, opened.source) == ((10,), "lighting", source_of("lamp_out"))
    assert opened.document.skills == ("electrical",)
    assert office.look(out(10), LATER_US) == []


def test_sixty_lamps_of_one_cabinet_are_one_order_at_the_cabinet() -> None:
    (opened,) = Office().look(out(*range(100, 160)), LATER_US)
    assert isinstance(opened, Open)
    assert opened.assets == (CABINET, *range(100, 160))


def test_a_few_lamps_of_a_cabinet_are_lamps_and_lamps_of_none_are_never_gathered() -> None:
    assert len(Office().look(out(*range(100, 100 + TOGETHER - 1)), LATER_US)) == TOGETHER - 1
    assert len(Office().look(out(*range(100, 160), feeder=0), LATER_US)) == 60


def test_orders_for_single_lamps_are_merged_into_the_order_for_all_unless_somebody_has_them() -> None:
    office = Office()
    office.look(out(10, 11, 12), LATER_US)
    taken, *free = list(office.cases)
    office.move(taken, "assign", LATER_US)
    effects = office.look(out(*LAMPS), LATER_US + 1)
    assert isinstance(effects[0], Open)
    assert effects[0].assets == (CABINET, *(lamp for lamp in LAMPS if lamp != 10))
    assert effects[1:] == [MoveOn(case, "merge", into=0) for case in free]
    assert office.look(out(*LAMPS), LATER_US + 2) == []


def test_what_fails_later_joins_the_order_of_its_cabinet() -> None:
    office = Office()
    office.look(out(*range(100, 110)), LATER_US)
    assert office.look(out(*range(100, 112)), LATER_US + 1) == [Join("case-0000", (110, 111))]


def test_two_kinds_of_trouble_of_one_lamp_are_two_orders() -> None:
    both = [*out(10), Trouble(POWER_LOW, 10, 0, CABINET)]
    assert len(Office().look(both, LATER_US)) == 2


def test_an_order_lapses_when_all_is_well_before_anybody_has_it() -> None:
    office = Office()
    office.look(out(10, 11), LATER_US)
    office.move("case-0001", "start", LATER_US)
    assert office.look([], LATER_US + 1) == [MoveOn("case-0000", "lapse")]


def test_done_is_not_mended_until_the_lamp_is_well() -> None:
    office = Office()
    office.look(out(10), LATER_US)
    office.move("case-0000", "finish", LATER_US)
    assert office.look(out(10), LATER_US + MENDED_WITHIN_US - 1) == []
    assert office.look(out(10), LATER_US + MENDED_WITHIN_US) == [MoveOn("case-0000", "return")]


def test_what_breaks_anew_after_it_was_mended_is_another_order() -> None:
    office = Office()
    office.look(out(10), LATER_US)
    office.move("case-0000", "finish", LATER_US)
    (opened,) = office.look(out(10, since_us=LATER_US + 1), LATER_US + 1 + LASTS_US)
    assert isinstance(opened, Open)


def test_what_somebody_opened_again_is_theirs_to_end() -> None:
    office = Office()
    office.look(out(10), LATER_US)
    office.move("case-0000", "finish", LATER_US + 1)
    office.move("case-0000", "reopen", LATER_US + 2)
    assert office.look([], LATER_US + 3) == []


def test_the_order_that_ended_last_is_the_one_that_counts() -> None:
    """Whichever was opened first."""
    early, late = (
        Opened(name, WORK_ORDER, state, source_of("lamp_out"), (10,), 0, at_us)
        for name, state, at_us in (("b", "cancelled", LATER_US), ("a", "done", LATER_US + 1))
    )
    for cases in ((early, late), (late, early)):
        assert propose(out(10), cases, LATER_US + 1 + MENDED_WITHIN_US) == [MoveOn("a", "return")]


def test_what_was_cancelled_is_kept_as_long_as_its_trouble_lasts() -> None:
    office = Office()
    office.look(out(10, 11), LATER_US)
    office.move("case-0000", "cancel", LATER_US)
    office.move("case-0001", "finish", LATER_US)
    assert kept(out(10, 11), list(office.cases.values())) == {"case-0000"}
    assert kept(out(11), list(office.cases.values())) == set()


def test_what_was_cancelled_is_not_opened_again_for_the_same_trouble() -> None:
    office = Office()
    office.look(out(10), LATER_US)
    office.move("case-0000", "cancel", LATER_US)
    assert office.look(out(10), LATER_US + 10 * MENDED_WITHIN_US) == []


troubled = st.lists(st.frozensets(st.sampled_from(LAMPS)), min_size=1, max_size=6)


@given(troubled, st.data())
def test_whatever_comes_and_goes_each_lasting_trouble_is_in_one_live_order(
    days: list[frozenset[int]], data: st.DataObject
) -> None:
    """And looking again changes nothing; people take some of the orders up meanwhile."""
    office, since = Office(), dict[int, int]()
    for day, lamps in enumerate(days):
        now_us = day * 60 * MINUTE_US
        since = {lamp: since.get(lamp, now_us) for lamp in lamps}
        present = [
            Trouble(LAMP_OUT, lamp, at, CABINET if lamp % 3 else OTHER) for lamp, at in sorted(since.items())
        ]  # fmt: skip
        office.look(present, now_us + LASTS_US)
        assert office.look(present, now_us + LASTS_US) == []
        live = [asset for case in office.live() for asset in case.assets if asset in LAMPS]
        assert len(live) == len(set(live))
        assert lamps <= set(live)
        if office.live():
            taken = data.draw(st.sampled_from(office.live()))
            if taken.state == LIFE.first:
                office.move(taken.id, "assign", now_us + LASTS_US)


def test_the_moves_of_a_work_order_are_those_of_its_life() -> None:
    assert WORK_ORDER.events("open") == ["assign", "start", "finish", "block", "cancel"]
    assert WORK_ORDER.is_over("done")
    assert WORK_ORDER.is_over("archived")
    assert not WORK_ORDER.is_over("blocked")
