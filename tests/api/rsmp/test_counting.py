"""What a junction's detectors told in the last minute, and which of them are mute."""

from __future__ import annotations

from tests.services.signals.control.sites import crossroads
from vigie.api.rsmp.counting import Counted, Tally
from vigie.core.times import SECOND_US
from vigie.services.signals.control.site import UNKNOWN
from vigie.services.signals.control.steering import counts_of, loops_of

SITE = crossroads()
LOOPS = loops_of(SITE)


def test_a_minute_of_loops_is_summed_and_what_says_nothing_is_mute() -> None:
    tally = Tally(SITE)
    assert list(tally.counted()) == []
    for second in range(90):
        # The first loop is left once in ten seconds, the second is stood on, the third has died after half a minute.
        vehicles = (int(second % 10 == 0), 0, 1 if second < 30 else -1, -1)
        occupancies = (20, 100, 10, -1)
        tally.add(second * SECOND_US, counts_of(SITE, vehicles, occupancies), occupancies)
    found = list(tally.counted())
    assert len(found) == len(SITE.junction.detectors)
    last_us = 89 * SECOND_US
    assert found[LOOPS[0]] == Counted(6, 20.0, at_us=last_us)
    assert found[LOOPS[1]] == Counted(0, 100.0, at_us=last_us)
    assert found[LOOPS[2]] == Counted(at_us=29 * SECOND_US, silent=True)
    assert found[LOOPS[3]] == Counted(silent=True)
    assert found[0] == Counted(), "an area tells a post nothing"


def test_what_a_loop_counts_whose_controller_finds_it_faulty_is_not_heard() -> None:
    tally, vehicles = Tally(SITE, frozenset({LOOPS[0]})), [1] * len(LOOPS)
    counts = counts_of(SITE, vehicles, [0] * len(LOOPS), faulty=tally.faulty)
    assert [counts[at] for at in LOOPS] == [UNKNOWN, *vehicles[1:]]
    tally.add(0, counts, [0] * len(LOOPS))
    assert list(tally.counted())[LOOPS[0]] == Counted(silent=True, faulty=True)
    assert list(tally.counted())[LOOPS[1]] == Counted(1, 0.0, at_us=0)
