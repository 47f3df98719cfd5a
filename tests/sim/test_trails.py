"""Made drives are drives: along arcs that may be driven, from one to the next, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.services.roads.matching.towns import grid, town
from vigie.sim.trails import trails

GRID = town(grid(5), {2, 3, 30})


@pytest.mark.parametrize("rounds", [False, True])
def test_a_drive_goes_from_arc_to_arc_as_streets_are_driven(rounds: bool) -> None:
    for trail in trails(GRID, 3, 10, every_s=10.0, sigma_m=0.0, rounds=rounds):
        assert GRID.allowed[trail.path].all()
        assert (GRID.head[trail.path[:-1]] == GRID.tail[trail.path[1:]]).all()
        np.testing.assert_allclose(np.diff(trail.at_s), 10)
        assert (trail.arc == trail.path[trail.step]).all()
        np.testing.assert_allclose(trail.gone_m + trail.left_m, GRID.length_m[trail.arc // 2])
        steps_m = np.hypot(*np.diff(trail.true_spots, axis=0).T)
        assert (steps_m <= 14 * 10 + 1e-6).all(), "nobody drives faster than the streets allow"


def test_a_seed_says_all_of_a_drive_and_noise_is_as_large_as_it_should_be() -> None:
    one, other = (list(trails(GRID, 4, 40, every_s=10.0, sigma_m=10.0, rounds=True)) for _ in range(2))
    assert all((a.spots == b.spots).all() for a, b in zip(one, other, strict=True))
    noise = np.concatenate([each.spots - each.true_spots for each in one])
    assert 9 < noise.std() < 11
    assert abs(noise.mean()) < 1
