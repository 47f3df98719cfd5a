"""Plans of a corridor: one cycle that all of it has room in, or a word on who has not."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.services.signals.control.sites import crossroads
from vigie.services.signals.control.site import Feeder
from vigie.services.signals.design.fixed import plan_of
from vigie.sim.traffic.designed import Designed, in_a_wave

COMES_H = (300.0,) * 4


def designed(name: str, cycle_s: int, **groups: int) -> Designed:
    """A cross-roads whose groups are like this, with a plan of its own. Whoever goes straight on comes from the other
    one."""
    site = crossroads(name, (Feeder("one" if name == "other" else "other", "north", 1.0, (0,), 20),))
    changed = tuple(replace(each, **groups) for each in site.junction.groups)
    site = replace(site, junction=replace(site.junction, groups=changed))
    return Designed(site, COMES_H, plan_of(site, cycle_s, COMES_H), 0.0, 0.0)


def test_a_corridor_runs_the_longest_cycle_that_all_of_it_has_room_in() -> None:
    for pair in (
        (designed("one", 90), designed("other", 60)),
        (designed("one", 120), designed("other", 60, red_max_s=60)),
    ):
        made, bands = in_a_wave(pair, ["one", "other"])
        assert {each.plan.cycle_s for each in made} == {bands.cycle_s}
    assert bands.cycle_s == 72  # With reds of 60 s and clearings of 5 s there is room in no more.


def test_of_two_that_have_no_cycle_in_common_it_is_said() -> None:
    """Greens of 42 s take 94 s; reds of 50 s leave 52."""
    pair = [designed("one", 90, green_min_s=42), designed("other", 90, red_max_s=50)]
    with pytest.raises(ValueError, match=r"'other' and 'one' have no cycle in common.* in 52 s.* in 94 s"):
        in_a_wave(pair, ["one", "other"])


def test_a_corridor_of_one_is_none() -> None:
    with pytest.raises(ValueError, match="two junctions at least"):
        in_a_wave([designed("one", 90)], ["one"])
