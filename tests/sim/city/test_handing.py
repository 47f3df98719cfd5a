"""A city goes through a pipe whole, or not at all."""

from __future__ import annotations

import os
import threading

from tests.sim.city.test_city import digest
from vigie.sim.city import City
from vigie.sim.city.handing import hand_over, handed


def test_the_city_that_comes_is_the_one_that_was_handed_over(city: City) -> None:
    reads, writes = os.pipe()
    giving = threading.Thread(target=hand_over, args=(city, writes))
    giving.start()
    came = handed(reads)
    giving.join()
    assert came is not None
    assert digest(came) == digest(city)


def test_who_hands_over_to_nobody_goes_on(city: City) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    hand_over(city, writes)


def test_half_a_city_is_none(city: City) -> None:
    whole = os.pipe()
    giving = threading.Thread(target=hand_over, args=(city, whole[1]))
    giving.start()
    with os.fdopen(whole[0], "rb") as pipe:
        said = pipe.read()
    giving.join()
    for kept in (0, 1, len(said) // 2, len(said) - 1):
        reads, writes = os.pipe()
        cut = threading.Thread(target=_write, args=(writes, said[:kept]))
        cut.start()
        assert handed(reads) is None, kept
        cut.join()


def _write(end: int, said: bytes) -> None:
    with os.fdopen(end, "wb") as pipe:
        pipe.write(said)
