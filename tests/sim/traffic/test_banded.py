"""A roadside controller that takes bands ends no green outside them, comes to its offset, and shows nothing unsafe."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.services.signals.control.sites import counts, crossroads, shown
from vigie.services.signals.control.bands import (
    CYCLES_EVERY_S,
    BandControl,
    Bands,
    bands_of,
    fits,
    frames_of,
    shared_out,
)
from vigie.services.signals.control.site import OCCUPIED, UNKNOWN
from vigie.services.signals.safety import Kernel
from vigie.services.signals.sequencer import Follows, Sequencer
from vigie.sim.traffic.banded import STRETCHED, Banded
from vigie.sim.traffic.run import Actuation, Asked, run
from vigie.sim.traffic.scenario import read_scenario

SITE = crossroads()
(FRAME,) = frames_of(SITE)
GREENS_S = (30, 20)
CLEARING_S = 5

greens = st.tuples(*(st.integers(least_s, 40) for least_s in FRAME.least_s))


@given(greens)
def test_bands_are_of_the_plan_and_others_are_refused(greens_s: tuple[int, ...]) -> None:
    bands = bands_of(FRAME, greens_s, 0)
    assert fits(FRAME, bands)
    assert bands.cycle_s == sum(greens_s) + 2 * CLEARING_S
    for wrong in (
        bands._replace(cycle_s=bands.cycle_s - 1),
        bands._replace(earliest_s=(FRAME.least_s[0] - 1, bands.earliest_s[1])),
        bands._replace(latest_s=bands.latest_s[:1]),
        bands._replace(earliest_s=(0, 0)),
    ):
        assert not fits(FRAME, wrong)
        assert not Banded(SITE).order(wrong)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(greens, st.integers(-500, 500)), min_size=1, max_size=4), st.integers(0, 99))
def test_no_green_ends_outside_its_band_and_no_second_is_unsafe(
    told: list[tuple[tuple[int, ...], int]], seed: int
) -> None:
    """Orders at any time, vehicles at any: minimum greens, intergreens and all else stay the roadside's."""
    banded, sequencer, kernel = Banded(SITE), Sequencer(SITE.junction), Kernel(SITE.junction)
    dice, orders = Random(seed), [bands_of(FRAME, *each) for each in told]
    kernel.away()
    before = -1
    for now_s in range(600):
        if now_s % 150 == 7:
            assert banded.order(orders[now_s // 150 % len(orders)])
        follow = counts()
        for loop in (2, 5, 8, 11):
            follow[loop] = int(dice.random() < 0.3)
        stage, in_force = banded.stage, banded.bands
        wish = banded.step(now_s, follow)
        second = sequencer.step(wish)
        assert kernel.see(second) == ()
        assert fits(FRAME, banded.bands)
        if before >= 0 and not wish and banded.into_s and stage == before:
            before = -1
            assert in_force.earliest_s[stage] <= banded.into_s - 1 <= in_force.latest_s[stage]
        before = stage if wish else before
        if now_s > 2 * in_force.cycle_s:
            assert sequencer.follows is Follows.WISH


@given(greens, st.integers(0, 1_000))
def test_an_offset_is_reached_in_as_many_cycles_as_each_is_a_part_of_one(
    greens_s: tuple[int, ...], offset_s: int
) -> None:
    banded = Banded(SITE)
    bands = bands_of(FRAME, greens_s, offset_s)
    assert banded.order(bands)
    starts = [now_s for now_s in range((STRETCHED + 4) * bands.cycle_s * 6 // 5) if starts_cycle(banded, now_s)]
    shifts = [(start_s - offset_s) % bands.cycle_s for start_s in starts]
    assert set(shifts[STRETCHED + 2 :]) == {0}
    lengths_s = [after - start for start, after in pairwise(starts)]
    assert all(abs(length_s - bands.cycle_s) <= bands.cycle_s // STRETCHED for length_s in lengths_s)


def starts_cycle(banded: Banded, now_s: int) -> bool:
    banded.step(now_s, counts())
    return banded.stage == 0 and banded.into_s == 1


def test_greens_are_shared_out_by_who_comes() -> None:
    serves = np.array([[1.0, 0.0], [0.0, 1.0]])
    even, uneven = (shared_out(FRAME, serves, np.array(comes), 70) for comes in ([0.1, 0.1], [0.3, 0.1]))
    assert even == (30, 30)
    assert uneven == (45, 15)


@pytest.mark.parametrize("offset_s", [None, 10])
def test_who_keeps_step_with_nobody_changes_no_cycle(offset_s: int | None) -> None:
    banded = Banded(SITE)
    bands: Bands = bands_of(FRAME, GREENS_S, offset_s)
    banded.order(bands)
    starts = [now_s for now_s in range(100) if starts_cycle(banded, now_s)]
    assert (starts[1] - starts[0] == bands.cycle_s) == (offset_s is None)


def test_a_lane_that_nothing_is_known_of_is_one_on_which_somebody_follows() -> None:
    """Of all that is not known to be empty the first green is as long as its band lets it."""
    bare = replace(SITE, approaches=tuple(replace(each, upstream=None) for each in SITE.approaches))
    ends_s = [
        next(now_s for now_s in range(100) if not banded.step(now_s, [told] * len(counts())))
        for banded, told in ((Banded(SITE), 1), (Banded(SITE), OCCUPIED), (Banded(SITE), UNKNOWN), (Banded(bare), 0),
                             (Banded(SITE), 0))
    ]  # fmt: skip
    bands = Banded(SITE).bands
    assert ends_s == [bands.latest_s[0]] * 4 + [bands.earliest_s[0]]
    assert bands.earliest_s[0] < bands.latest_s[0]


def test_a_light_that_no_lane_leads_to_has_the_cycle_of_others() -> None:
    nobody = np.zeros((2, 0))
    greens_s = shared_out(FRAME, nobody, np.zeros(0), 71)
    assert (FRAME.cycle_s(greens_s), greens_s[0] - greens_s[1]) == (71, 1)
    control = BandControl([replace(SITE, approaches=()), SITE])
    said = [control.decide(now_s, [counts()] * 2, [shown(frozenset())] * 2) for now_s in range(CYCLES_EVERY_S)]
    assert said[-1] is not None
    assert all(fits(FRAME, each) for each in said[-1])


def test_adaptive_over_bands_runs_a_town(town: Path) -> None:
    asked = Asked(read_scenario(town, end_s=120), "adaptive", delay_s=2, pedestrians=300, actuation=Actuation.BANDS)
    found = run(asked, 101).outcome
    assert (found.unfinished, found.violations, found.actuation) == (0, 0, "bands")
