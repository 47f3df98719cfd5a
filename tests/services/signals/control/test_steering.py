"""Steering a cross-roads: who decides when, what is asked, and that nothing is asked which a kernel refuses."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import inf, nan
from random import Random

import pytest
from msgspec.structs import replace as changed

from tests.conftest import PROJECT
from tests.services.signals.control.sites import AXES, crossroads, shown
from vigie.services.signals.control.claims import Sort
from vigie.services.signals.control.site import OCCUPIED, UNKNOWN, Plan, Step
from vigie.services.signals.control.steering import (
    BACK_S,
    FOLLOWED_S,
    RENEWED_S,
    SILENT_S_MAX,
    Asking,
    Because,
    Heard,
    Steering,
    Told,
    buttons_of,
    counts_of,
    loops_of,
)
from vigie.services.signals.junction import Colour, Detector, Second
from vigie.services.signals.priority.passages import Passage
from vigie.services.signals.safety import Kernel, Rule
from vigie.sim.traffic.roadside import Roadside

SITE = crossroads()
LOOPS = loops_of(SITE)


def counted(*vehicles: int) -> tuple[int, ...]:
    """What is told of the eight loops, stop and upstream by turns, of north, south, east and west."""
    return counts_of(SITE, vehicles, (0,) * 8)


NOBODY = counted(*(0,) * 8)
FROM_EAST = counted(0, 0, 0, 0, 0, 1, 0, 1)


@dataclass
class Street:
    """A cross-roads at the roadside and the post that steers it. kernel: an independent one, of what is shown."""

    steering: Steering = field(default_factory=Steering)
    roadside: Roadside = field(default_factory=lambda: Roadside(SITE, {1: SITE.plan}))
    kernel: Kernel = field(default_factory=lambda: Kernel(SITE.junction))
    asked: list[tuple[int, Asking]] = field(default_factory=list)
    at: int = 0
    heard_last: bool = True
    standing: frozenset[int] = frozenset()
    obeys: bool = True

    def __post_init__(self) -> None:
        self.steering.keep({"one": SITE})

    @property
    def because(self) -> Because:
        return self.steering.junctions["one"].because

    def pass_(self, seconds: int, counts: tuple[int, ...] = NOBODY, *, linked: bool = True, told: bool = True) -> None:
        """Seconds pass, each shown, told, and answered by what is asked."""
        for _ in range(seconds):
            self.at += 1
            second = self.roadside.step(self.at)
            assert self.kernel.see(second) == ()
            missed = bool(self.at > 1 and not self.heard_last)
            self.heard_last = linked and told
            heard = (Heard(second, counts, missed),) if self.heard_last else ()
            for each in self.steering.step({"one": Told(linked, heard, standing=self.standing)}):
                self.asked.append((self.at, each))
                if linked and self.obeys:
                    self.standing = frozenset() if each.stage is None else frozenset({each.stage})
                    self.roadside.inputs({stage + 1 for stage in self.standing}, self.at)


def test_a_junction_is_steered_from_its_first_second_on_and_asked_anew_before_it_forgets() -> None:
    street = Street()
    street.pass_(1)
    assert street.because is Because.ORDERED
    street.pass_(60, FROM_EAST)
    assert street.roadside.decides == "input"
    # Nobody is asked for but the east, and that again and again.
    assert street.roadside.second == shown(AXES[1])
    late = [at for at, _ in street.asked if at > 30]
    assert all(b - a <= RENEWED_S for a, b in pairwise(late))
    assert len(late) <= 1 + 31 // RENEWED_S
    why = street.steering.junctions["one"].why
    assert why is not None
    assert (why.stage, why.chosen, why.asked) == (1, 1, 1)
    assert why.stay_cost is not None


def test_a_lost_link_leaves_a_junction_to_its_plan_and_it_comes_back_by_itself() -> None:
    street = Street()
    street.pass_(30, FROM_EAST)
    asked = len(street.asked)
    street.pass_(20, linked=False)
    assert (street.because, street.roadside.decides) == (Because.LINK, "plan")
    # That nothing is asked any more is said once, to whoever hears it.
    assert [each.stage for _, each in street.asked[asked:]] == [None]
    street.pass_(BACK_S - 1)
    assert (street.because, street.roadside.decides) == (Because.SETTLING, "plan")
    street.pass_(1)
    assert street.because is Because.ORDERED
    street.pass_(2)
    assert street.roadside.decides == "input"


def test_a_second_that_is_late_costs_nothing_and_silence_does() -> None:
    street = Street()
    street.pass_(10)
    street.pass_(SILENT_S_MAX - 1, told=False)
    assert street.because is Because.ORDERED
    street.pass_(1, told=False)
    assert street.because is Because.SILENT
    assert street.asked[-1][1].stage is None


def test_with_half_of_its_loops_a_junction_is_steered_and_with_fewer_it_is_not() -> None:
    half = tuple(UNKNOWN if at in LOOPS[:4] else each for at, each in enumerate(NOBODY))
    fewer = tuple(UNKNOWN if at in LOOPS[:5] else each for at, each in enumerate(NOBODY))
    street = Street()
    street.pass_(10, half)
    assert street.because is Because.ORDERED
    street.pass_(1, fewer)
    assert street.because is Because.DETECTORS


def test_a_junction_that_flashes_is_not_steered() -> None:
    steering = Steering()
    steering.keep({"one": SITE})
    assert steering.step({"one": Told(True, (Heard(None, NOBODY),))}) == []
    assert steering.junctions["one"].because is Because.COLOURS


def test_a_junction_that_breaks_a_rule_is_steered_no_more_until_somebody_orders_it() -> None:
    street = Street()
    street.pass_(20)
    both: Second = tuple(shown(AXES[0])[at] if at < 2 else shown(AXES[1])[at] for at in range(4))
    street.steering.step({"one": Told(True, (Heard(both, NOBODY),))})
    steered = street.steering.junctions["one"]
    assert steered.because is Because.UNSAFE
    assert Rule.CONFLICT in {each.rule for each in steered.violations}
    for _ in range(2 * BACK_S):
        street.steering.step({"one": Told(True, (Heard(shown(AXES[0]), NOBODY),))})
    assert street.because is Because.UNSAFE
    street.steering.take("one")
    street.steering.step({"one": Told(True, (Heard(shown(AXES[0]), NOBODY),))})
    assert (street.because, steered.violations) == (Because.ORDERED, ())


def test_nothing_at_all_is_asked_where_somebody_works() -> None:
    street = Street()
    street.pass_(10)
    steering, asked = street.steering, list[Asking]()
    for _ in range(3):
        asked += steering.step({"one": Told(True, (Heard(street.roadside.step(street.at), NOBODY),), locked_out=True)})
    assert (street.because, asked) == (Because.LOCKED_OUT, [])
    street.pass_(BACK_S - 1)
    assert street.because is Because.SETTLING
    street.pass_(1)
    assert street.because is Because.ORDERED


def test_what_was_unsafe_before_a_start_is_so_after_it() -> None:
    steering = Steering()
    steering.keep({"one": SITE}, {"one"})
    for _ in range(2 * BACK_S):
        assert steering.step({"one": Told(True, (Heard(shown(AXES[0]), NOBODY),))}) == []
    assert steering.junctions["one"].because is Because.UNSAFE
    steering.take("one")
    assert steering.step({"one": Told(True, (Heard(shown(AXES[0]), NOBODY),))})


def test_a_claim_that_is_none_is_counted_and_costs_nobody_anything() -> None:
    street = Street()
    street.pass_(3)
    fits = Passage(1, Sort.BUS, "one", (2,), 90.0, 5.0, 8.0, 0)
    none = [
        replace(fits, groups=(9,)),
        replace(fits, groups=(-1,)),
        replace(fits, eta_s=nan),
        replace(fits, weight=inf),
    ]
    second = street.roadside.step(4)
    street.steering.step({"one": Told(True, [Heard(second, NOBODY)])}, [*none, fits])
    assert (street.because, street.steering.unfit_claims) == (Because.ORDERED, 4)


def test_a_document_that_is_not_of_what_is_shown_steers_nobody() -> None:
    steering = Steering()
    steering.keep({"one": SITE})
    steering.step({"one": Told(True, (Heard(shown(AXES[0])[:3], NOBODY),))})
    assert steering.junctions["one"].because is Because.UNFIT


def test_nothing_is_asked_that_a_kernel_refuses_whatever_is_counted_and_lost() -> None:
    """Half an hour of noise: the roadside's own plan breaks in, seconds are missed, the link comes and goes."""
    dice = Random(5)
    odd = Plan(3, (Step(11, AXES[1]), Step(5, frozenset(), True), Step(7, AXES[0]), Step(5, frozenset(), True)))
    roadside = Roadside(SITE, {1: odd})
    steering = Steering()
    steering.keep({"one": SITE})
    judge, asked, missed, standing = Kernel(SITE.junction), 0, False, frozenset[int]()
    for at in range(1_800):
        second = roadside.step(at)
        linked, told = at % 700 < 600, dice.random() > 0.02
        counts = counted(*(dice.choice((0, 0, 0, 1, UNKNOWN)) for _ in LOOPS))
        if linked and told:
            if missed:
                judge.lost()
            assert judge.see(second) == ()
        heard = (Heard(second, counts, missed),) if linked and told else ()
        for each in steering.step({"one": Told(linked, heard, standing=standing)}):
            stage = each.stage
            if stage is not None:
                asked += 1
                assert linked
                assert judge.refusal(SITE.junction.stages[stage].greens) is None
            if linked and dice.random() > 0.1:
                standing = frozenset() if stage is None else frozenset({stage})
                roadside.inputs({each + 1 for each in standing}, at)
        missed = not (linked and told)
    assert asked > 150


def test_a_change_of_the_set_leaves_the_others_as_they_are() -> None:
    street = Street()
    street.pass_(10)
    before = street.steering.junctions["one"]
    street.steering.keep({"one": SITE, "two": crossroads("two")})
    assert street.steering.junctions["one"] is before
    assert street.steering.junctions["two"].because is Because.SILENT
    street.pass_(1)
    assert street.because is Because.ORDERED
    street.steering.keep({})
    assert street.steering.step({}) == []


def test_who_does_not_follow_is_left_to_its_plan_and_tried_again_later() -> None:
    street = Street(obeys=False)
    street.pass_(FOLLOWED_S + 1, FROM_EAST)
    assert street.because is Because.NOT_FOLLOWED
    assert street.asked[-1][1].stage is None
    street.pass_(BACK_S - 1)
    assert street.because is Because.NOT_FOLLOWED
    street.obeys = True
    street.pass_(20, FROM_EAST)
    assert (street.because, street.roadside.decides) == (Because.ORDERED, "input")


def test_a_second_that_is_told_a_second_late_is_no_reason_and_two_are_one() -> None:
    for late_s, unsafe in ((1, False), (2, True)):
        steering = Steering()
        steering.keep({"one": SITE})
        green, yellow, red = (
            tuple(each if at < 2 else Colour.RED for at in range(4))
            for each in (Colour.GREEN, Colour.YELLOW, Colour.RED)
        )
        yellow_s = SITE.junction.groups[0].yellow_s
        for second in (*[red] * 3, *[green] * 15, *[yellow] * (yellow_s - late_s), *[red] * 3):
            steering.step({"one": Told(True, (Heard(second, NOBODY),))})
        assert (steering.junctions["one"].because is Because.UNSAFE) is unsafe


@pytest.mark.parametrize("language", ["fr", "en"])
def test_why_the_post_decides_or_does_not_has_words(language: str) -> None:
    path = PROJECT / "src" / "vigie" / "texts" / f"{language}.signals.json"
    said = {key for key in json.loads(path.read_text("utf-8")) if key.startswith("signals.because.")}
    assert said == {f"signals.because.{each.value}" for each in Because}


def test_loops_count_as_they_are_told_and_areas_never() -> None:
    assert LOOPS == (1, 2, 4, 5, 7, 8, 10, 11)
    found = counts_of(SITE, (2, 0, 0, -1), (100, 100, 40, 100))
    assert [found[at] for at in LOOPS[:4]] == [2, OCCUPIED, 0, UNKNOWN]
    assert {found[at] for at in range(16) if at not in LOOPS[:3]} == {UNKNOWN}


def test_a_button_says_whether_somebody_waits_and_nothing_where_other_detectors_are_told() -> None:
    detectors = SITE.junction.detectors
    buttons = (len(detectors), len(detectors) + 1)
    pressed = [Detector(f"button {at}", detectors[0].lane, 0.0) for at in buttons]
    site = changed(
        SITE,
        junction=changed(SITE.junction, detectors=(*detectors, *pressed)),
        buttons=((), (), buttons[:1], buttons[1:]),
    )
    assert buttons_of(site) == buttons
    assert loops_of(site) == LOOPS

    def asked(logics: str) -> list[int]:
        found = counts_of(site, (0,) * 8, (0,) * 8, logics)
        return [found[at] for at in buttons]

    assert asked("11111111" + "01") == [0, 1]
    assert asked("11111111" + "x1") == [UNKNOWN, 1]
    assert asked("01") == asked("") == asked("0" * 11) == [UNKNOWN, UNKNOWN]
