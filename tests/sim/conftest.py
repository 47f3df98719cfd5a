"""What all tests of the simulator begin with."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests import metropolis
from vigie.core.drafts import Draft
from vigie.core.times import to_us
from vigie.sim.city import City

# A Tuesday in November: the afternoon before a long night.
AFTERNOON_US = to_us(datetime(2026, 11, 24, 14, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def city() -> City:
    """The city of seed 1."""
    return metropolis.city()


@pytest.fixture(scope="session")
def inventory() -> list[Draft]:
    """All that stands and moves in it."""
    return list(metropolis.inventory())


@pytest.fixture(scope="session")
def afternoon_us() -> int:
    """The instant at which the tests' lives begin."""
    return AFTERNOON_US
