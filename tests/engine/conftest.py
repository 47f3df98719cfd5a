"""What the tests of the engine share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.orders import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Orders on real stores."""
    made = Bench(tmp_path)
    yield made
    made.close()
