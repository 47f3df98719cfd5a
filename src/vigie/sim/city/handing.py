"""A city handed from one process of a demo to the other: to make it takes each of them seconds.

Over a pipe that only the two have: what is read is trusted as this program's own memory is.
"""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Iterator
from dataclasses import replace

from vigie.sim.city.city import City


def hand_over(growing: Iterator[City], descriptor: int) -> City:
    """Writes a city to an open pipe as it grows (see `grow`), and closes it; returns it without its scenery. Whoever
    reads it may have gone."""
    bare = next(growing)
    with contextlib.suppress(BrokenPipeError), open(descriptor, "wb") as pipe:
        pickle.dump(bare, pipe, pickle.HIGHEST_PROTOCOL)
        pipe.flush()
        whole = next(growing)
        pickle.dump((whole.water, whole.green, whole.buildings), pipe, pickle.HIGHEST_PROTOCOL)
    return bare


def handed(descriptor: int) -> Iterator[City]:
    """The city as it grows, from an open pipe. Raises ValueError where the other end goes before it is whole."""
    with open(descriptor, "rb") as pipe:
        try:
            bare = pickle.load(pipe)
            assert isinstance(bare, City)
            yield bare
            water, green, buildings = pickle.load(pipe)
        except (EOFError, pickle.UnpicklingError):
            raise ValueError("the metropolis has ended before its city was whole") from None
        yield replace(bare, water=water, green=green, buildings=buildings)
