"""A city handed from one process of a demo to the other: to make it takes each of them seconds.

Over a pipe that only the two have: what is read is trusted as this program's own memory is.
"""

from __future__ import annotations

import contextlib
import pickle

from vigie.sim.city.city import City


def hand_over(city: City, descriptor: int) -> None:
    """Writes a city to an open pipe, and closes it. Whoever reads it may have gone."""
    with contextlib.suppress(BrokenPipeError), open(descriptor, "wb") as pipe:
        pickle.dump(city, pipe, pickle.HIGHEST_PROTOCOL)


def handed(descriptor: int) -> City | None:
    """The city that is written to an open pipe; None where the other end has gone before it was whole."""
    with open(descriptor, "rb") as pipe:
        try:
            city = pickle.load(pipe)
        except (EOFError, pickle.UnpicklingError):
            return None
    assert isinstance(city, City)
    return city
