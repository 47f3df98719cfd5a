"""What a plan shows as it goes round: its greens, the yellows and the reds between, nothing where it never settles."""

from __future__ import annotations

from msgspec.structs import replace

from tests.services.signals.control.sites import AXES, crossroads
from vigie.services.signals.control.site import Plan, Site, Step
from vigie.services.signals.design.cycle import shown_cycle
from vigie.services.signals.junction import LETTERS


def letters(site: Site, group: int) -> str:
    shown = shown_cycle(site)
    assert shown is not None
    return "".join(LETTERS[second[group]] for second in shown)


def test_a_cycle_has_its_greens_yellows_and_clearings() -> None:
    site = crossroads()
    assert letters(site, 0) == "G" * 30 + "YYY" + "R" * 37
    assert letters(site, 2) == "R" * 35 + "G" * 30 + "YYY" + "RR"
    # It begins with its first step, wherever on the clock that is.
    later = replace(site, plan=replace(site.plan, offset_s=23))
    assert letters(later, 0) == letters(site, 0)


def test_what_a_plan_leaves_out_the_controllers_own_sequence_puts_between() -> None:
    site = replace(crossroads(), plan=Plan(0, (Step(20, AXES[0]), Step(20, AXES[1]))))
    assert letters(site, 0) == "R" * 5 + "G" * 15 + "YYY" + "R" * 17
    assert letters(site, 2) == "YYY" + "R" * 22 + "G" * 15


def test_no_plan_and_none_that_is_a_cycle_is_drawn() -> None:
    site = crossroads()
    for steps in ((), (Step(0, AXES[0]),), (Step(400, AXES[0]), Step(300, AXES[1]))):
        assert shown_cycle(replace(site, plan=Plan(0, steps))) is None
    unfit = replace(site, junction=replace(site.junction, stages=()))
    assert shown_cycle(unfit) is None
