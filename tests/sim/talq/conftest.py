"""What the tests of the gateways share."""

from __future__ import annotations

import pytest

from tests.protocols.talq.conftest import talq
from vigie.sim.city import City
from vigie.sim.talq.park import Park

__all__ = ["talq"]


@pytest.fixture(scope="session")
def park(city: City) -> Park:
    """The lighting park of the city of seed 1."""
    return Park.of(city)
