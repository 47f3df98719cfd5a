"""A city goes through a pipe as it grows, and whole or not at all."""

from __future__ import annotations

import os
import threading

import pytest

from tests import metropolis
from tests.sim.city.test_city import digest
from vigie.sim.city.handing import hand_over, handed


def giving(end: int) -> threading.Thread:
    """Hands the city over to a pipe."""
    thread = threading.Thread(target=hand_over, args=(metropolis.growing(), end))
    thread.start()
    return thread


def test_the_city_that_comes_is_the_one_that_was_handed_over() -> None:
    reads, writes = os.pipe()
    thread = giving(writes)
    came = list(handed(reads))
    thread.join()
    assert [digest(each) for each in came] == [digest(each) for each in metropolis.growing()]


def test_who_hands_over_to_nobody_goes_on() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    assert not hand_over(metropolis.growing(), writes).water


def test_half_a_city_is_refused() -> None:
    reads, writes = os.pipe()
    thread = giving(writes)
    with os.fdopen(reads, "rb") as pipe:
        said = pipe.read()
    thread.join()
    for kept in (0, 1, len(said) // 2, len(said) - 1):
        reads, writes = os.pipe()
        cut = threading.Thread(target=_write, args=(writes, said[:kept]))
        cut.start()
        with pytest.raises(ValueError, match="before its city was whole"):
            list(handed(reads))
        cut.join()


def _write(end: int, said: bytes) -> None:
    with os.fdopen(end, "wb") as pipe:
        pipe.write(said)
