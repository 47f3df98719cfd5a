"""Who has a right to go first is let go first, as much as that weighs, and never past what safety asks."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from tests.services.signals.control.sites import AXES, counts, crossroads, shown
from vigie.services.signals.control.adaptive import Adaptive
from vigie.services.signals.control.claims import Claim, Sort, weight_of

NORTH_SOUTH, EAST_WEST = AXES
EAST = min(EAST_WEST)


def first_change(on: list[int], claims: dict[int, list[Claim]], seconds: int = 40) -> int | None:
    """The first second in which the other axis is wished. claims: from these seconds on."""
    controller = Adaptive([crossroads()])
    for now_s in range(seconds):
        if now_s in claims:
            controller.hear(claims[now_s])
        if controller.decide(now_s, [on], [shown(NORTH_SOUTH)])[0] == EAST_WEST:
            return now_s
    return None


def coming(weight: float, in_s: int) -> dict[int, list[Claim]]:
    """Somebody who drives up to the east, second by second."""
    return {now_s: [Claim(0, EAST, float(in_s - now_s), weight)] for now_s in range(in_s + 1)}


def test_nobody_is_let_go_first_who_does_not_ask() -> None:
    assert first_change(counts(north=3), {}) is None


def test_green_is_there_when_a_bus_is() -> None:
    change_s = first_change(counts(), coming(weight_of(Sort.BUS, 60), 30))
    assert change_s is not None
    # Five seconds of clearing, and one to start. Where nobody else comes it may be green for as long again before.
    assert 30 - 20 <= change_s <= 30 - 6


def test_a_queue_that_flows_is_cut_for_who_is_to_save_somebody_and_not_for_a_bus() -> None:
    on = counts(north=7, south=7)
    on[1] = on[4] = 1
    emergency = first_change(on, coming(weight_of(Sort.EMERGENCY), 30))
    assert emergency is not None
    assert emergency <= 25
    assert first_change(on, coming(weight_of(Sort.BUS, 5), 30)) is None


def test_green_comes_sooner_where_a_queue_stands_before_who_comes() -> None:
    alone = first_change(counts(), coming(weight_of(Sort.EMERGENCY), 35))
    behind = first_change(counts(east=6, north=7, south=7), coming(weight_of(Sort.EMERGENCY), 35))
    assert alone is not None
    assert behind is not None
    assert behind < alone


def test_who_would_come_to_the_longest_red_meanwhile_is_served_before() -> None:
    on = counts(north=7, south=7)
    on[1] = on[4] = 1
    north = min(NORTH_SOUTH)
    claims = {now_s: [Claim(0, north, float(122 - now_s), weight_of(Sort.EMERGENCY))] for now_s in range(82, 123)}
    alone = first_change(on, {}, 112)
    change_s = first_change(on, claims, 112)
    assert change_s is not None
    assert 82 <= change_s <= 105
    assert alone is None or alone > change_s


def test_a_claim_is_over_when_it_is_not_heard_any_more() -> None:
    controller = Adaptive([crossroads()])
    controller.hear([Claim(0, EAST, 0.0, weight_of(Sort.EMERGENCY))])
    controller.hear([])
    wishes = [controller.decide(now_s, [counts(north=2)], [shown(NORTH_SOUTH)])[0] for now_s in range(12)]
    assert wishes == [NORTH_SOUTH] * 12


def test_a_bus_claims_the_more_the_later_it_is() -> None:
    weights = [weight_of(Sort.BUS, late_s) for late_s in (-30, 0, 10, 30, 60, 600)]
    assert weights[:2] == [0, 0]
    assert weights == sorted(weights)
    assert weights[4] == weights[5] < weight_of(Sort.TRAM) < weight_of(Sort.EMERGENCY)


NONE = [Claim(0, 0, math.nan, 1.0), Claim(0, 0, math.inf, 1.0), Claim(0, 0, 5.0, math.nan)]


@pytest.mark.parametrize("claim", NONE)
def test_a_claim_whose_numbers_are_none_is_refused(claim: Claim) -> None:
    with pytest.raises(ValueError, match="claim"):
        Adaptive([crossroads()]).hear([claim])


@pytest.mark.parametrize("red_max_s", [60, 80, 120])
def test_a_green_group_presses_for_nothing_whatever_its_longest_red(red_max_s: int) -> None:
    site = crossroads()
    groups = tuple(msgspec.structs.replace(each, red_max_s=red_max_s) for each in site.junction.groups)
    controller = Adaptive(
        [msgspec.structs.replace(site, junction=msgspec.structs.replace(site.junction, groups=groups))]
    )
    wishes = [controller.decide(now_s, [counts(north=3)], [shown(NORTH_SOUTH)])[0] for now_s in range(60)]
    assert wishes == [NORTH_SOUTH] * 60
    assert np.isfinite(controller.stay_cost).all()


@pytest.mark.parametrize("claim", [Claim(1, 0, 5.0, 1.0), Claim(-1, 0, 5.0, 1.0), Claim(0, 4, 5.0, 1.0)])
def test_a_claim_on_what_is_not_there_is_refused(claim: Claim) -> None:
    with pytest.raises(ValueError, match="claim"):
        Adaptive([crossroads()]).hear([claim])
