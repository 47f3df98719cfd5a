"""What the tests of the RSMP door share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.orders import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An engine on real stores, and a clock in the test's hand."""
    made = Bench(tmp_path)
    yield made
    made.close()
